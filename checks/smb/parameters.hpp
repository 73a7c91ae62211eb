// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab::checks::smb {

// What every SMB check is told:
//   share, user, password
//   domain   default none
//   port     default 445
struct Account {
  std::string share;
  std::string user;
  std::string password;
  std::string domain;
  std::uint16_t port = 445;
};
// A check that wants to be refused has no `password`, and may have no `user`.
enum class Login { granted, refused };
[[nodiscard]] Account read_account(JsonReader& reader, Login login = Login::granted);

// "known_files": {"alpha/budget.csv": "<sha256>"}: files of the golden image, read by hash.
[[nodiscard]] std::map<std::string, std::string> read_known_files(JsonReader& reader);

// A path below the share without "..", empty parts or a leading slash; empty is the share itself.
// Rule for texts of a scenario (TextRule).
[[nodiscard]] std::string why_no_share(const std::string& text);
[[nodiscard]] bool is_path_below_share(const std::string& path);

}  // namespace patchlab::checks::smb
