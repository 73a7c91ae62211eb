// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/database/canonical_rows.hpp"
#include "checks/database/complaints.hpp"
#include "checks/database/server.hpp"
#include "checks/deadline.hpp"
#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

namespace patchlab::checks::database {

struct Rows {
  std::vector<std::string> columns;
  std::vector<Row> rows;
  bool cut_off = false;  // there were more than asked for
};

// One ODBC connection. Every call is a named step in `steps()`: {"step","ok","ms"} and, when it went wrong, the first
// diagnostic record's "sqlstate" and "message"; of SQL Server, whose texts are in the language of the login, all
// records' messages, each in its line, and "numbers": the errors' numbers, in that order, as sys.messages has them
// (FreeTDS' own, from 20000 on, tell why there is no connection). Calls return false (or nothing) when their step
// failed.
class OdbcSession {
 public:
  // An error when the environment cannot be made, which is trouble on our side.
  [[nodiscard]] static Result<OdbcSession> make(Deadline deadline);
  ~OdbcSession();
  OdbcSession(OdbcSession&&) noexcept;
  OdbcSession& operator=(OdbcSession&&) noexcept;

  // Step "connect". A server that says that it is not ready yet (complaints.hpp) is asked again until a second before
  // the deadline; the step has "asked": how often, when that was more than once. An Error when the driver is missing or
  // cannot be loaded: that says nothing about the server.
  [[nodiscard]] Result<bool> connect(const Server& server, const std::string& address,
                                     WaitFor wait_for = WaitFor::database);
  bool execute(const std::string& step, const std::string& sql);
  // Gives up after so long, in whole seconds: SQLSTATE HYT00, or 57014 of a server that was told to.
  bool execute_within(const std::string& step, const std::string& sql, std::chrono::seconds patience);
  // Values as text. Stops after `limit` rows.
  std::optional<Rows> query(const std::string& step, const std::string& sql, std::size_t limit);
  // Step by step transaction control through ODBC, never by SQL text (ODBC reference, SQLEndTran).
  bool begin(const std::string& step);
  bool commit(const std::string& step);
  bool rollback(const std::string& step);

  [[nodiscard]] const Json& steps() const;
  // Name and version as the server tells them; empty before connect.
  [[nodiscard]] std::string server_version() const;

 private:
  struct State;
  explicit OdbcSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace patchlab::checks::database
