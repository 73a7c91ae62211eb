// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/odbc_session.hpp"

#include <fmt/format.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "lab/core/paths.hpp"
#include "lab/core/utf16.hpp"

namespace patchlab::checks::database {
namespace {

static_assert(sizeof(SQLWCHAR) == sizeof(char16_t));

// ODBC hands everything around as void pointers and wants writable text even where it only reads.
SQLPOINTER as_pointer(std::uintptr_t value) { return reinterpret_cast<SQLPOINTER>(value); }
SQLWCHAR* wide(std::u16string& text) { return reinterpret_cast<SQLWCHAR*>(text.data()); }

constexpr std::size_t most_bytes_of_a_value = 4U << 20U;
constexpr SQLSMALLINT most_diagnostics = 8;
constexpr Milliseconds between_tries{500};
constexpr Milliseconds left_for_an_answer{1000};

struct Diagnostic {
  std::string sqlstate;
  std::string message;
  SQLINTEGER number = 0;  // the server's own, where it has numbers
};

std::optional<Diagnostic> diagnostic_of(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT which) {
  std::u16string state(6, u'\0');
  std::u16string message(2048, u'\0');
  SQLINTEGER native = 0;
  SQLSMALLINT length = 0;
  const auto result = SQLGetDiagRecW(kind, handle, which, wide(state), &native, wide(message),
                                     static_cast<SQLSMALLINT>(message.size()), &length);
  if (!SQL_SUCCEEDED(result)) return std::nullopt;
  state.resize(5);
  message.resize(std::min(message.size() - 1, static_cast<std::size_t>(std::max<SQLSMALLINT>(length, 0))));
  return Diagnostic{to_utf8(state), to_utf8(message), native};
}

// What is said about what went wrong; at least one.
std::vector<Diagnostic> diagnostics_of(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT most) {
  std::vector<Diagnostic> all;
  for (SQLSMALLINT i = 1; i <= most; ++i) {
    auto one = diagnostic_of(kind, handle, i);
    if (!one) break;
    all.push_back(*std::move(one));
  }
  if (all.empty()) all.push_back({"HY000", "the driver gave no reason"});
  return all;
}

template <SQLSMALLINT kind>
class Handle {
 public:
  explicit Handle(SQLHANDLE parent) { ok_ = SQL_SUCCEEDED(SQLAllocHandle(kind, parent, &handle_)); }
  ~Handle() {
    if (ok_) SQLFreeHandle(kind, handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] SQLHANDLE get() const { return handle_; }

 private:
  SQLHANDLE handle_ = nullptr;
  bool ok_ = false;
};

// The driver manager's own refusals, and a library that dlopen does not want (01000 from the manager).
bool is_about_the_driver(const Diagnostic& diagnostic) {
  return diagnostic.sqlstate.starts_with("IM") || diagnostic.message.find("Can't open lib") != std::string::npos;
}

}  // namespace

struct OdbcSession::State {
  explicit State(Deadline limit) : deadline(limit) {}
  ~State() {
    if (!connected) return;
    SQLEndTran(SQL_HANDLE_DBC, connection->get(),
               SQL_ROLLBACK);  // an open transaction would keep it from disconnecting
    SQLDisconnect(connection->get());
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Deadline deadline;
  Handle<SQL_HANDLE_ENV> environment{SQL_NULL_HANDLE};
  std::optional<Handle<SQL_HANDLE_DBC>> connection;
  bool connected = false;
  bool has_numbers = false;  // SQL Server: an error of a login comes after its cause, or before it
  Json steps = Json::array();
  std::chrono::steady_clock::time_point step_started = std::chrono::steady_clock::now();

  [[nodiscard]] SQLUINTEGER whole_seconds_left() const {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(deadline.remaining()).count();
    return static_cast<SQLUINTEGER>(std::max<std::int64_t>(1, seconds));
  }
  [[nodiscard]] Json refusal_on(SQLSMALLINT kind, SQLHANDLE handle) const {
    const auto all = diagnostics_of(kind, handle, has_numbers ? most_diagnostics : SQLSMALLINT{1});
    Json refusal{{"sqlstate", all.front().sqlstate}, {"message", all.front().message}};
    if (!has_numbers) return refusal;
    std::vector<SQLINTEGER> numbers;
    std::string message;
    for (const auto& one : all) {
      if (one.number != 0) numbers.push_back(one.number);
      message += (message.empty() ? "" : "\n") + one.message;
    }
    refusal.update({{"numbers", numbers}, {"message", message}});
    return refusal;
  }
  bool finish(const std::string& step, bool ok, const Json& more) {
    const auto now = std::chrono::steady_clock::now();
    const auto took = std::chrono::duration_cast<Milliseconds>(now - step_started).count();
    step_started = now;
    Json entry{{"step", step}, {"ok", ok}, {"ms", took}};
    entry.update(more);
    steps.push_back(std::move(entry));
    return ok;
  }
  // Connections are cut at the deadline, one after the other: what another one held is free then, and who waited for it
  // goes on.
  bool finish_done(const std::string& step) {
    if (!deadline.passed()) return finish(step, true, Json::object());
    return finish(step, false, {{"sqlstate", "HYT00"}, {"message", "it ended when the time of the check was over"}});
  }
  bool finish_on_connection(const std::string& step, SQLRETURN result) {
    return SQL_SUCCEEDED(result) ? finish_done(step)
                                 : finish(step, false, refusal_on(SQL_HANDLE_DBC, connection->get()));
  }
  bool finish_on_statement(const std::string& step, const Handle<SQL_HANDLE_STMT>& statement, SQLRETURN result) {
    // SQL_NO_DATA: a statement that touched no row.
    const bool ok = SQL_SUCCEEDED(result) || result == SQL_NO_DATA;
    return ok ? finish_done(step) : finish(step, false, refusal_on(SQL_HANDLE_STMT, statement.get()));
  }
  SQLRETURN run(const Handle<SQL_HANDLE_STMT>& statement, const std::string& sql, SQLUINTEGER seconds) {
    SQLSetStmtAttr(statement.get(), SQL_ATTR_QUERY_TIMEOUT, as_pointer(seconds), 0);
    auto text = to_utf16(sql);
    return SQLExecDirectW(statement.get(), wide(text), static_cast<SQLINTEGER>(text.size()));
  }
};

namespace {

std::vector<std::string> column_names(SQLHSTMT statement) {
  SQLSMALLINT count = 0;
  SQLNumResultCols(statement, &count);
  std::vector<std::string> names;
  for (SQLSMALLINT i = 1; i <= count; ++i) {
    std::u16string name(256, u'\0');
    SQLSMALLINT length = 0;
    SQLDescribeColW(statement, static_cast<SQLUSMALLINT>(i), wide(name), static_cast<SQLSMALLINT>(name.size()), &length,
                    nullptr, nullptr, nullptr, nullptr);
    name.resize(std::min(name.size() - 1, static_cast<std::size_t>(std::max<SQLSMALLINT>(length, 0))));
    names.push_back(to_utf8(name));
  }
  return names;
}

// Long values come in parts: each call fills the buffer, less the final zero, until the last one says SQL_SUCCESS.
SQLRETURN read_value(SQLHSTMT statement, SQLUSMALLINT column, std::optional<std::string>& value) {
  std::u16string text;
  std::u16string part(4096, u'\0');
  const auto part_bytes = static_cast<SQLLEN>(part.size() * sizeof(char16_t));
  for (;;) {
    SQLLEN bytes = 0;
    const auto result = SQLGetData(statement, column, SQL_C_WCHAR, part.data(), part_bytes, &bytes);
    if (result == SQL_NO_DATA) break;
    if (!SQL_SUCCEEDED(result)) return result;
    if (bytes == SQL_NULL_DATA) {
      value.reset();
      return SQL_SUCCESS;
    }
    const bool more = bytes == SQL_NO_TOTAL || bytes >= part_bytes;
    text += part.substr(0, more ? part.size() - 1 : static_cast<std::size_t>(bytes) / sizeof(char16_t));
    if (!more || text.size() > most_bytes_of_a_value) break;
  }
  value = to_utf8(text);
  return SQL_SUCCESS;
}

SQLRETURN read_row(SQLHSTMT statement, std::size_t columns, Row& row) {
  row.resize(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const auto result = read_value(statement, static_cast<SQLUSMALLINT>(i + 1), row[i]);
    if (!SQL_SUCCEEDED(result)) return result;
  }
  return SQL_SUCCESS;
}

SQLRETURN read_rows(SQLHSTMT statement, std::size_t limit, Rows& rows) {
  rows.columns = column_names(statement);
  for (;;) {
    const auto result = SQLFetch(statement);
    if (result == SQL_NO_DATA) return SQL_SUCCESS;
    if (!SQL_SUCCEEDED(result)) return result;
    if (rows.rows.size() == limit) {
      rows.cut_off = true;
      return SQL_SUCCESS;
    }
    rows.rows.emplace_back();
    const auto read = read_row(statement, rows.columns.size(), rows.rows.back());
    if (!SQL_SUCCEEDED(read)) return read;
  }
}

// A statement may have more than one result, as of triggers on SQL Server, and an error is said at the one in which it
// came about.
SQLRETURN look_at_the_rest(SQLHSTMT statement) {
  for (;;) {
    const auto result = SQLMoreResults(statement);
    if (!SQL_SUCCEEDED(result)) return result;
  }
}

// Debian's odbcinst.ini has CommLog=1, which a connection string does not fully switch off: psqlODBC leaves
// /tmp/psqlodbc_<program>_<user><pid>.log behind.
void remove_driver_logs() {
  const auto ending = fmt::format("{}.log", ::getpid());
  for (const auto& entry : entries_of("/tmp").value_or({})) {
    const auto name = entry.filename().string();
    if (name.starts_with("psqlodbc_") && name.ends_with(ending)) ::unlink(entry.c_str());
  }
}

Error out_of_handles() { return {ErrorClass::check, "the ODBC driver manager gave no handle", {}}; }

}  // namespace

OdbcSession::OdbcSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
OdbcSession::~OdbcSession() {
  if (!state_) return;
  state_.reset();
  remove_driver_logs();
}
OdbcSession::OdbcSession(OdbcSession&&) noexcept = default;
OdbcSession& OdbcSession::operator=(OdbcSession&&) noexcept = default;

Result<OdbcSession> OdbcSession::make(Deadline deadline) {
  // libpq would have a session begin as the environment of whoever started us wants it, and FreeTDS go elsewhere, or
  // write down what it sends.
  for (const char* name : {"PGTZ", "PGDATESTYLE", "PGOPTIONS", "PGGEQO", "PGCLIENTENCODING", "TDSHOST", "TDSPORT",
                           "TDSVER", "TDSQUERY", "TDSDUMP", "TDSDUMPCONFIG", "FREETDS", "FREETDSCONF"})
    ::unsetenv(name);
  auto state = std::make_unique<State>(deadline);
  if (!state->environment.ok()) return out_of_handles();
  SQLSetEnvAttr(state->environment.get(), SQL_ATTR_ODBC_VERSION, as_pointer(SQL_OV_ODBC3), 0);
  state->connection.emplace(state->environment.get());
  if (!state->connection->ok()) return out_of_handles();
  return OdbcSession(std::move(state));
}

Result<bool> OdbcSession::connect(const Server& server, const std::string& address, WaitFor wait_for) {
  auto* connection = state_->connection->get();
  state_->has_numbers = server.product == Product::sql_server;
  Json more = Json::object();
  for (int asked = 1;; ++asked) {
    SQLSetConnectAttr(connection, SQL_ATTR_LOGIN_TIMEOUT, as_pointer(state_->whole_seconds_left()), 0);
    auto text = to_utf16(connection_string(server, address));
    const auto result = SQLDriverConnectW(connection, nullptr, wide(text), static_cast<SQLSMALLINT>(text.size()),
                                          nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT);
    state_->connected = SQL_SUCCEEDED(result);
    more = state_->connected ? Json::object() : state_->refusal_on(SQL_HANDLE_DBC, connection);
    if (asked > 1) more["asked"] = asked;
    if (state_->connected) break;
    const auto diagnostic = diagnostics_of(SQL_HANDLE_DBC, connection, 1).front();
    if (is_about_the_driver(diagnostic)) {
      return Error{
          ErrorClass::check,
          fmt::format("ODBC driver '{}': {} {}", server.driver, diagnostic.sqlstate, diagnostic.message),
          fmt::format("apt install {}, and see odbcinst -q -d", state_->has_numbers ? "tdsodbc" : "odbc-postgresql")};
    }
    const bool is_late = state_->deadline.remaining() < between_tries + left_for_an_answer;
    if (is_late || !is_not_ready(more, wait_for)) break;
    std::this_thread::sleep_for(between_tries);
  }
  return state_->finish("connect", state_->connected, more);
}

bool OdbcSession::execute(const std::string& step, const std::string& sql) {
  return execute_within(step, sql, std::chrono::seconds(state_->whole_seconds_left()));
}

bool OdbcSession::execute_within(const std::string& step, const std::string& sql, std::chrono::seconds patience) {
  const Handle<SQL_HANDLE_STMT> statement(state_->connection->get());
  if (!statement.ok()) return state_->finish_on_connection(step, SQL_ERROR);
  const auto seconds = std::clamp<std::int64_t>(patience.count(), 1, state_->whole_seconds_left());
  auto result = state_->run(statement, sql, static_cast<SQLUINTEGER>(seconds));
  if (SQL_SUCCEEDED(result)) result = look_at_the_rest(statement.get());
  return state_->finish_on_statement(step, statement, result);
}

std::optional<Rows> OdbcSession::query(const std::string& step, const std::string& sql, std::size_t limit) {
  const Handle<SQL_HANDLE_STMT> statement(state_->connection->get());
  if (!statement.ok()) {
    state_->finish_on_connection(step, SQL_ERROR);
    return std::nullopt;
  }
  Rows rows;
  auto result = state_->run(statement, sql, state_->whole_seconds_left());
  if (SQL_SUCCEEDED(result)) result = read_rows(statement.get(), limit, rows);
  if (SQL_SUCCEEDED(result) && !rows.cut_off) result = look_at_the_rest(statement.get());
  if (!state_->finish_on_statement(step, statement, result)) return std::nullopt;
  return rows;
}

bool OdbcSession::begin(const std::string& step) {
  return state_->finish_on_connection(
      step, SQLSetConnectAttr(state_->connection->get(), SQL_ATTR_AUTOCOMMIT, as_pointer(SQL_AUTOCOMMIT_OFF), 0));
}

bool OdbcSession::commit(const std::string& step) {
  return state_->finish_on_connection(step, SQLEndTran(SQL_HANDLE_DBC, state_->connection->get(), SQL_COMMIT));
}

bool OdbcSession::rollback(const std::string& step) {
  return state_->finish_on_connection(step, SQLEndTran(SQL_HANDLE_DBC, state_->connection->get(), SQL_ROLLBACK));
}

const Json& OdbcSession::steps() const { return state_->steps; }

std::string OdbcSession::server_version() const {
  if (!state_->connected) return {};
  std::string text;
  for (const SQLUSMALLINT what : {SQLUSMALLINT{SQL_DBMS_NAME}, SQLUSMALLINT{SQL_DBMS_VER}}) {
    std::u16string value(256, u'\0');
    SQLSMALLINT bytes = 0;
    const auto result = SQLGetInfoW(state_->connection->get(), what, value.data(),
                                    static_cast<SQLSMALLINT>(value.size() * sizeof(char16_t)), &bytes);
    if (!SQL_SUCCEEDED(result) || bytes < 0) continue;
    value.resize(std::min(value.size() - 1, static_cast<std::size_t>(bytes) / sizeof(char16_t)));
    text += (text.empty() ? "" : " ") + to_utf8(value);
  }
  return text;
}

}  // namespace patchlab::checks::database
