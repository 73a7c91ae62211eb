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

// What the driver is for, by its name.
Product product_of(const std::string& driver) {
  return driver.starts_with("FreeTDS") ? Product::sql_server : Product::postgresql;
}

std::string why_no_driver(const std::string& driver) {
  if (driver.empty() || driver.find_first_of("{};\r\n") != std::string::npos)
    return fmt::format("'{}' must be the name of a driver in odbcinst.ini", driver);
  // "ODBC Driver 18 for SQL Server", "SQL Server Native Client 11.0".
  if (product_of(driver) != Product::sql_server && driver.find("SQL Server") != std::string::npos)
    return fmt::format("'{}' has connection keywords of its own; SQL Server is asked by \"FreeTDS\" (tdsodbc)", driver);
  return {};
}

// In braces a closing brace is doubled (ODBC reference, SQLDriverConnect, "special characters").
std::string in_braces(const std::string& value) {
  std::string text = "{";
  for (const char c : value) text += c == '}' ? std::string("}}") : std::string(1, c);
  return text + "}";
}

// FreeTDS User Guide, "ODBC connection attributes". 7.4 is what SQL Server 2012 and later speak; an older one answers
// with its own. What the server is told of the client is the same on each host.
std::string freetds_string(const Server& server, const std::string& address) {
  const auto* encryption = server.sslmode == "disable" ? "off" : server.sslmode == "require" ? "require" : "request";
  return fmt::format(
      "DRIVER={{{}}};SERVER={};PORT={};DATABASE={};UID={};PWD={};TDS_Version=7.4;ClientCharset=UTF-8;Encryption={};"
      "APP=patchlab;WSID=patchlab",
      server.driver, address, server.port, server.database, server.user, in_braces(server.password), encryption);
}

}  // namespace

Server read_server(JsonReader& reader, Password password) {
  Server server;
  server.driver = reader.text_or("driver", "PostgreSQL Unicode", why_no_driver);
  server.product = product_of(server.driver);
  const int usual_port = server.product == Product::sql_server ? 1433 : 5432;
  server.port = static_cast<std::uint16_t>(reader.integer_or("port", usual_port, 1, 65535));
  server.database = read_value(reader, "database", "{};=\r\n");
  server.user = read_value(reader, "user", "{};=\r\n");
  // FreeTDS 1.3 takes a doubled brace for two, and later ones for one.
  const char* forbidden = server.product == Product::sql_server ? "}\r\n" : "\r\n";
  if (password == Password::given) server.password = read_value(reader, "password", forbidden);
  server.sslmode = reader.text_or("sslmode", "prefer", [](const std::string& word) {
    return word == "disable" || word == "prefer" || word == "require"
               ? ""
               : fmt::format("must be \"disable\", \"prefer\" or \"require\", found \"{}\"", word);
  });
  return server;
}

void only_postgresql(JsonReader& reader, const Server& server, const std::string& instead) {
  if (server.product == Product::postgresql) return;
  reader.problem("driver",
                 fmt::format("'{}' is for SQL Server, of which this kind knows nothing: {}", server.driver, instead));
}

std::string connection_string(const Server& server, const std::string& address) {
  if (server.product == Product::sql_server) return freetds_string(server, address);
  // The driver's own logs would go to /tmp: Debian's odbcinst.ini switches one of them on.
  return fmt::format("DRIVER={{{}}};SERVER={};PORT={};DATABASE={};UID={};PWD={};SSLMODE={};Debug=0;CommLog=0",
                     server.driver, address, server.port, server.database, server.user, in_braces(server.password),
                     server.sslmode);
}

}  // namespace patchlab::checks::database
