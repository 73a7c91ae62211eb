// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/server.hpp"

#include <fmt/format.h>

namespace patchlab::checks::database {
namespace {

std::string read_value(JsonReader& reader, const std::string& key, const std::string& forbidden) {
  return reader.text(key, [&forbidden](const std::string& value) {
    if (value.empty()) return std::string("must not be empty");
    const bool fits = value.find_first_of(forbidden) == std::string::npos && value.find('\0') == std::string::npos;
    return fits ? "" : fmt::format("must not contain any of {}", Json(forbidden).dump());
  });
}

}  // namespace

Server read_server(JsonReader& reader, Password password) {
  Server server;
  server.driver = reader.text_or("driver", "PostgreSQL Unicode", [](const std::string& driver) {
    const bool fits = !driver.empty() && driver.find_first_of("{};\r\n") == std::string::npos;
    return fits ? "" : fmt::format("'{}' must be the name of a driver in odbcinst.ini", driver);
  });
  server.port = static_cast<std::uint16_t>(reader.integer_or("port", 5432, 1, 65535));
  server.database = read_value(reader, "database", "{};=\r\n");
  server.user = read_value(reader, "user", "{};=\r\n");
  if (password == Password::given) server.password = read_value(reader, "password", "\r\n");
  server.sslmode = reader.text_or("sslmode", "prefer", [](const std::string& word) {
    return word == "disable" || word == "prefer" || word == "require"
               ? ""
               : fmt::format("must be \"disable\", \"prefer\" or \"require\", found \"{}\"", word);
  });
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
