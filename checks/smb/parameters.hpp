// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab::checks::smb {

// A login by a ticket for "cifs/<server>".
struct KerberosLogin {
  std::string realm;       // "OFFICE.EXAMPLE"
  std::string server;      // "file1.office.example"
  std::string controller;  // IPv4 of who grants tickets; empty: the machine itself
  std::uint16_t port = 88;
};
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
  std::optional<KerberosLogin> kerberos{};  // nothing: by NTLM
  std::string dialect;                      // of smb.access
  bool netbios = false;                     // likewise
  std::string server_name;                  // of smb.referral: what it is called by; empty: its address
};
// A check that wants to be refused has no `password`, and may have no `user`.
enum class Login { granted, refused };
[[nodiscard]] Account read_account(JsonReader& reader, Login login = Login::granted);
// "login": "ntlm" (default) or "kerberos", and what that needs:
//   realm, server, controller (default: the machine itself), kerberos_port (88)
void read_login(JsonReader& reader, Account& account);

// "known_files": {"alpha/budget.csv": "<sha256>"}: files of the golden image, read by hash.
[[nodiscard]] std::map<std::string, std::string> read_known_files(JsonReader& reader);

// A path below the share without "..", empty parts or a leading slash; empty is the share itself.
// Rule for texts of a scenario (TextRule).
[[nodiscard]] std::string why_no_share(const std::string& text);
[[nodiscard]] bool is_path_below_share(const std::string& path);

}  // namespace patchlab::checks::smb
