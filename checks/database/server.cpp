// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/server.hpp"

#include <fmt/format.h>

namespace patchlab::checks::database {
namespace {

std::string read_value(JsonReader& reader, const std::string& key, const std::string& forbidden) {
  auto value = reader.text(key);
  if (reader.has(key) && value.empty()) reader.problem(key, "must not be empty");
  if (value.find_first_of(forbidden) != std::string::npos || value.find('\0') != std::string::npos) {
    reader.problem(key, fmt::format("must not contain any of {}", Json(forbidden).dump()));
  }
  return value;
}

}  // namespace

Server read_server(JsonReader& reader, Password password) {
  Server server;
  server.driver = reader.text_or("driver", "PostgreSQL Unicode");
  if (server.driver.empty() || server.driver.find_first_of("{};\r\n") != std::string::npos) {
    reader.problem("driver", "must be the name of a driver in odbcinst.ini");
  }
  server.port = static_cast<std::uint16_t>(reader.integer_or("port", 5432, 1, 65535));
  server.database = read_value(reader, "database", "{};=\r\n");
  server.user = read_value(reader, "user", "{};=\r\n");
  if (password == Password::given) server.password = read_value(reader, "password", "\r\n");
  server.sslmode = reader.text_or("sslmode", "prefer");
  if (server.sslmode != "disable" && server.sslmode != "prefer" && server.sslmode != "require") {
    reader.problem("sslmode",
                   fmt::format("must be \"disable\", \"prefer\" or \"require\", found \"{}\"", server.sslmode));
  }
  return server;
}

std::string connection_string(const Server& server, const std::string& address) {
  // In braces a closing brace is doubled (ODBC reference, SQLDriverConnect, "special characters").
  std::string password;
  for (const char c : server.password) password += c == '}' ? std::string("}}") : std::string(1, c);
  // The driver's own logs would go to /tmp: Debian's odbcinst.ini switches one of them on.
  return fmt::format("DRIVER={{{}}};SERVER={};PORT={};DATABASE={};UID={};PWD={{{}}};SSLMODE={};Debug=0;CommLog=0",
                     server.driver, address, server.port, server.database, server.user, password, server.sslmode);
}

}  // namespace patchlab::checks::database
