// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::cli {

// A user of this host.
struct HostUser {
  std::string name;
  uid_t id = 0;
  std::vector<gid_t> groups;  // all of them
};
[[nodiscard]] std::optional<HostUser> host_user(const std::string& name);
[[nodiscard]] std::string name_of_user(uid_t id);

// A place that somebody could write, and through it what is to be kept from them.
struct Hole {
  std::filesystem::path place;
  std::string why;   // "belongs to 'patchlab'"
  std::string mend;  // a command
};
// What lets `user` write the file or folder at `path` (absolute) or exchange it: itself, what leads there, and, of a
// folder, all that is below it. By owners and modes: what an access control list gives shows in the
// group's bits. Empty when nothing does.
[[nodiscard]] std::vector<Hole> ways_to_write(const std::filesystem::path& path, const HostUser& user);

}  // namespace patchlab::cli
