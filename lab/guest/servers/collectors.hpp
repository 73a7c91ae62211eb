// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// What the servers of a guest say of themselves, one file for each server: how it is asked, and what it says as rows
// whose order does not matter. servers.hpp puts them together.
namespace patchlab::lab::guest::servers {

// Rows as they are found. Of one item any number: their values are sorted, so that it does not matter in which order
// they were said.
class Rows {
 public:
  void add(const std::string& kind, const std::string& item, std::string value);
  // By kind, by item: one value. Above a bound the rest of a value is a digest.
  [[nodiscard]] std::map<std::string, std::map<std::string, std::string>> take() &&;

 private:
  std::map<std::string, std::map<std::string, std::vector<std::string>>> found_;
};

using Parts = std::map<std::string, std::string>;  // what it was asked for -> what it said

struct Collector {
  // Kinds of its rows begin with it and a hyphen. `script` defines a shell function of that name, by the helpers of
  // servers.cpp. It returns 0 when all is said, 1 when there is no such server here, 2 when it does not answer, 3 when
  // it does not end, and 4 when the guest has nothing to ask it with.
  const char* server;
  const char* script;
  // An Error: this is not what such a server says.
  Result<void> (*read)(const Parts& parts, Rows& rows);
};
extern const Collector bind;
extern const Collector cups;
extern const Collector dovecot;
extern const Collector kea;
extern const Collector postfix;
extern const Collector postgresql;
extern const Collector samba;
extern const Collector tls;

// For those that read.
[[nodiscard]] Error not_understood(const char* server, std::string_view text);
[[nodiscard]] Result<std::string> part_of(const char* server, const Parts& parts, const std::string& name);
// Without empty ones.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text);
// "name = value", both without blanks around them; an empty name: it is no such line.
struct Setting {
  std::string name;
  std::string value;
};
[[nodiscard]] Setting setting_of(std::string_view line);
// "smb://anne:secret@host/queue" without the account.
[[nodiscard]] std::string without_account(std::string_view address);

}  // namespace patchlab::lab::guest::servers
