// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::database {

// How to reach a database: the parameters that all kinds of database check share.
//   driver   name in odbcinst.ini ("PostgreSQL Unicode"); another driver must understand the same connection keywords
//   port     (5432)      sslmode  "disable", "prefer" (default) or "require"
//   database, user, password
struct Server {
  std::string driver;
  std::uint16_t port = 5432;
  std::string database;
  std::string user;
  std::string password;
  std::string sslmode;
};

// Whether the scenario says the password, or the check makes up a wrong one and the key is not allowed.
enum class Password { given, made_up };

// Reads its keys only; the caller reads its own and calls finish().
[[nodiscard]] Server read_server(JsonReader& reader, Password password = Password::given);

// DSN-less: nothing comes from odbc.ini. The values were checked by read_server and cannot add keywords.
[[nodiscard]] std::string connection_string(const Server& server, const std::string& address);

}  // namespace patchlab::checks::database
