// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/database.hpp"

#include <fmt/format.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::history {
namespace {

namespace fs = std::filesystem;
using Kind = HistoryPlace::Kind;

// "patc", in the header of our SQLite files: whose they are can be told even when nothing else can be read.
constexpr std::uint32_t application_id = 0x70617463;
constexpr std::size_t header_size = 72;
constexpr std::size_t place_of_application_id = 68;
constexpr std::string_view sqlite_magic{"SQLite format 3\0", 16};
constexpr int patience_s = 30;
// On PostgreSQL all tables are in a schema of their own, and one lock has the number of this program.
constexpr const char* postgresql_schema = "patchlab_history";
constexpr std::int64_t postgresql_lock = 0x7061746368;

constexpr const char* rebuild_hint = "make it anew from the files: patchlab history rebuild";

// Of a file that is there; empty: it is.
Result<std::string> header_of(const fs::path& file) {
  PATCHLAB_ASSIGN(const auto input, open_input(file));
  std::string header(header_size, '\0');
  const auto got = ::pread(input.file.get(), header.data(), header.size(), 0);
  if (got < 0) return errno_error(fmt::format("reading '{}'", file.string()), errno);
  header.resize(static_cast<std::size_t>(got));
  return header;
}

bool is_marked(const std::string& header) {
  if (header.size() < header_size) return false;
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; ++i) id = id << 8U | static_cast<unsigned char>(header[place_of_application_id + i]);
  return id == application_id;
}

Error no_index(const fs::path& file, const char* what) {
  return configuration_error(fmt::format("'{}' is no history index: it is {}", file.string(), what),
                             "it is left alone; name another file with --history, or remove it");
}

// With what keeps us from waiting for ever; what the URI says itself counts.
std::string with_deadlines(std::string uri) {
  for (const auto& [key, value] : {std::pair("connect_timeout", "10"), std::pair("tcp_user_timeout", "60000")}) {
    if (uri.find(fmt::format("{}=", key)) != std::string::npos) continue;
    uri += fmt::format("{}{}={}", uri.find('?') == std::string::npos ? "?" : "&", key, value);
  }
  return uri;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace

struct Database::Connection {
  struct Prepared {
    explicit Prepared(soci::session& session) : statement(session) {}
    Row values;
    soci::statement statement;
  };
  soci::session session;
  std::map<std::string, std::unique_ptr<Prepared>> prepared;  // gone before the session

  void plain(const std::string& sql) { session << sql; }
  std::vector<Row> rows(const std::string& sql, std::size_t columns, const Row& values) {
    std::vector<Row> found;
    Row cells(columns);
    std::vector<soci::indicator> indicators(columns);
    soci::statement statement(session);
    for (const auto& value : values) statement.exchange(soci::use(value));
    for (std::size_t i = 0; i < columns; ++i) statement.exchange(soci::into(cells[i], indicators[i]));
    statement.alloc();
    statement.prepare(sql);
    statement.define_and_bind();
    if (!statement.execute(true)) return found;
    do found.push_back(cells);
    while (statement.fetch());
    return found;
  }
  void run(const std::string& sql, const Row& values) {
    auto& one = prepared[sql];
    if (one == nullptr) {
      auto made = std::make_unique<Prepared>(session);
      made->values = values;
      for (auto& value : made->values) made->statement.exchange(soci::use(value));
      made->statement.alloc();
      made->statement.prepare(sql);
      made->statement.define_and_bind();
      one = std::move(made);
    } else {
      std::ranges::copy(values, one->values.begin());
    }
    one->statement.execute(true);
  }
};

Database::Database(HistoryPlace place, std::unique_ptr<Connection> connection)
    : place_(std::move(place)), connection_(std::move(connection)) {}
Database::~Database() {
  if (connection_ != nullptr) connection_->prepared.clear();
}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

// What SOCI throws becomes an error that says whose trouble it is.
template <class Work>
auto Database::guarded(const std::string& doing, const Work& work) -> Result<decltype(work())> {
  const auto what = fmt::format("{} the history index '{}'", doing, place_.shown());
  damaged_ = busy_ = false;
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const soci::sqlite3_soci_error& trouble) {
    using namespace sqlite_api;
    const auto text = fmt::format("{}: {}", what, one_line(trouble.get_error_message()));
    switch (trouble.result() & 0xff) {
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
      case SQLITE_ERROR:  // a table or a column is not there
      case SQLITE_CONSTRAINT:
      case SQLITE_MISMATCH: damaged_ = true; return configuration_error(text, rebuild_hint);
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        busy_ = true;
        return infrastructure_error(text,
                                    fmt::format("somebody else writes it for more than {} s; try again", patience_s));
      case SQLITE_CANTOPEN:
      case SQLITE_PERM:
      case SQLITE_READONLY:
        return infrastructure_error(text, "it needs a folder that can be written; name another file with --history");
      default: return infrastructure_error(text);
    }
  } catch (const soci::postgresql_soci_error& trouble) {
    const auto text = fmt::format("{}: {}", what, one_line(trouble.get_error_message()));
    const auto state = trouble.sqlstate();
    if (state.starts_with("42") || state.starts_with("23")) {
      return state == "42501"
                 ? infrastructure_error(text,
                                        "the user needs CREATE on the database, or to own the schema patchlab_history")
                 : configuration_error(text, rebuild_hint);
    }
    if (state == "55P03")
      return infrastructure_error(text,
                                  fmt::format("somebody else writes it for more than {} s; try again", patience_s));
    return infrastructure_error(text);
  } catch (const soci::soci_error& trouble) {
    return infrastructure_error(fmt::format("{}: {}", what, one_line(trouble.get_error_message())));
  }
}

Result<void> Database::plain(const std::string& sql) {
  return guarded("working in", [&] { connection_->plain(sql); });
}

Result<Database> Database::open(const HistoryPlace& place) {
  if (place.kind == Kind::sqlite && status_of(place.file).type() != fs::file_type::not_found) {
    PATCHLAB_ASSIGN(const auto header, header_of(place.file).while_doing("opening the history index"));
    if (!header.empty() && !header.starts_with(sqlite_magic)) return no_index(place.file, "no SQLite database");
  }
  Database database(place, std::make_unique<Connection>());
  PATCHLAB_TRY(database.guarded("opening", [&] {
    auto& session = database.connection_->session;
    // Never with `synchronous=`: SOCI 4.0.3 would set it before the patience, and fail on a file that is locked.
    if (place.kind == Kind::sqlite)
      session.open(soci::sqlite3, fmt::format("timeout={} db=\"{}\"", patience_s, place.file.string()));
    else
      session.open(soci::postgresql, with_deadlines(place.uri));
  }));
  if (place.kind == Kind::postgresql) {
    for (const auto* sql :
         {"set client_encoding to 'UTF8'", "set client_min_messages to warning", "set lock_timeout to '30s'",
          "set statement_timeout to '300s'", "set search_path to patchlab_history"})
      PATCHLAB_TRY(database.plain(sql));
    return database;
  }
  PATCHLAB_ASSIGN(const auto id, database.rows("pragma application_id", 1));
  if (id.empty() || id[0][0] != std::to_string(application_id)) {
    PATCHLAB_ASSIGN(const auto tables, database.rows("select count(*) from sqlite_master", 1));
    if (tables[0][0] != "0") return no_index(place.file, "an SQLite database of something else");
  }
  PATCHLAB_TRY(database.write_ahead());
  PATCHLAB_TRY(database.plain("pragma synchronous=normal"));
  PATCHLAB_TRY(database.plain("pragma cache_size=-65536"));
  return database;
}

Result<void> Database::write_ahead() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(patience_s);
  for (;;) {
    PATCHLAB_ASSIGN(const auto mode, rows("pragma journal_mode", 1));
    if (!mode.empty() && mode[0][0] == "wal") return {};
    const auto entered = rows("pragma journal_mode=wal", 1);
    if (entered) return {};
    // SQLite waits for nobody in this, as it would be a reader that comes to write: whoever makes the file at the same
    // moment is waited for by a turn of our own, and then has done it, most likely.
    if (!busy_ || std::chrono::steady_clock::now() > deadline) return entered.error();
    PATCHLAB_TRY(plain("begin immediate"));
    PATCHLAB_TRY(plain("rollback"));
  }
}

Result<void> Database::run(const std::string& sql, const Row& values) {
  auto done = guarded("writing to", [&] { connection_->run(sql, values); });
  if (!done) connection_->prepared.erase(sql);
  return done;
}

Result<std::vector<Database::Row>> Database::rows(const std::string& sql, std::size_t columns, const Row& values) {
  return guarded("reading", [&] { return connection_->rows(sql, columns, values); });
}

Result<bool> Database::has_table(const std::string& name) {
  const auto* sql = place_.kind == Kind::sqlite
                        ? "select count(*) from sqlite_master where type = 'table' and name = :a"
                        : "select count(*) from information_schema.tables where table_schema = "
                          "'patchlab_history' and table_name = :a";
  PATCHLAB_ASSIGN(const auto found, rows(sql, 1, {name}));
  return found[0][0] != "0";
}

Result<void> Database::make(const std::string& schema_statement) {
  auto sql = schema_statement;
  if (place_.kind == Kind::postgresql) {
    constexpr std::string_view word = " text ";
    constexpr std::string_view by_bytes = " text collate \"C\" ";
    for (auto at = sql.find(word); at != std::string::npos; at = sql.find(word, at + by_bytes.size()))
      sql.replace(at, word.size(), by_bytes);
  }
  return plain(sql);
}

Result<void> Database::drop(const std::string& table) {
  connection_->prepared.clear();
  return plain(fmt::format("drop table if exists {}", table));
}

Result<Database::Transaction> Database::begin(Access access) {
  if (place_.kind == Kind::sqlite) {
    // SOCI's own begin would be a deferred one, which dies when it comes to write and somebody else did meanwhile.
    PATCHLAB_TRY(plain(access == Access::write ? "begin immediate" : "begin"));
  } else {
    PATCHLAB_TRY(plain(access == Access::write ? "begin" : "begin isolation level repeatable read read only"));
  }
  Transaction transaction(*this);
  if (access == Access::read) return transaction;
  if (place_.kind == Kind::sqlite) {
    PATCHLAB_TRY(plain(fmt::format("pragma application_id = {}", application_id)));
  } else {
    PATCHLAB_TRY(rows(fmt::format("select cast(pg_advisory_xact_lock({}) as text)", postgresql_lock), 1));
    PATCHLAB_ASSIGN(const auto there, rows("select count(*) from information_schema.schemata where schema_name = :a", 1,
                                           {postgresql_schema}));
    if (there[0][0] == "0") PATCHLAB_TRY(plain(fmt::format("create schema {}", postgresql_schema)));
  }
  return transaction;
}

Database::Transaction::~Transaction() {
  if (database_ != nullptr) static_cast<void>(database_->plain("rollback"));
}

Result<void> Database::Transaction::commit() {
  PATCHLAB_TRY(database_->plain("commit"));
  database_ = nullptr;
  return {};
}

Result<void> remove_damaged_file(const HistoryPlace& place) {
  if (place.kind != Kind::sqlite) return {};
  PATCHLAB_ASSIGN(const auto header, header_of(place.file));
  if (!is_marked(header)) return no_index(place.file, "damaged, or was never one");
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    auto file = place.file;
    PATCHLAB_TRY(remove_tree(file += suffix).while_doing("removing a damaged index"));
  }
  return {};
}

}  // namespace patchlab::history
