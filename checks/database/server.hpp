// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::database {

enum class Product { postgresql, sql_server };

// How to reach a database: the parameters that all kinds of database check share.
//   driver   name in odbcinst.ini, which says what server it is: "PostgreSQL Unicode" (default) and others with the
//            same connection keywords, or "FreeTDS" (and names that begin so) for SQL Server
//   port     (5432, of SQL Server 1433; an instance by name has a port of its own, which is to be said)
//   sslmode  "disable", "prefer" (default) or "require". Certificates are not looked at. SQL Server by FreeTDS
//            ("Encryption" in its User Guide): "require" is all of the session or none; "prefer" is what the server
//            likes, which is the login alone, unless it forces encryption; "disable" does not ask for it, and a server
//            that encrypts nevertheless is followed
//   database, user, password    a user of SQL Server's own; with a backslash in it FreeTDS logs in by NTLM; no
//            "}" in the password
struct Server {
  std::string driver;
  std::uint16_t port = 5432;
  std::string database;
  std::string user;
  std::string password;
  std::string sslmode;
  Product product = Product::postgresql;  // by the driver's name
};

// Whether the scenario says the password, or the check makes up a wrong one and the key is not allowed.
enum class Password { given, made_up };

// Reads its keys only; the caller reads its own and calls finish().
[[nodiscard]] Server read_server(JsonReader& reader, Password password = Password::given);

// For kinds of check that ask what only PostgreSQL has: a problem at "driver" for another product. `instead` says what
// to do.
void only_postgresql(JsonReader& reader, const Server& server, const std::string& instead);

// DSN-less: nothing comes from odbc.ini. The values were checked by read_server and cannot add keywords.
[[nodiscard]] std::string connection_string(const Server& server, const std::string& address);

}  // namespace patchlab::checks::database
