// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>

#include "checks/learn/learn.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr std::size_t most_databases = 10;
constexpr std::size_t most_tables = 100;  // of a database
constexpr std::chrono::seconds database_patience{30};
constexpr int most_sessions = 50;        // that are tried to be had at the same time
constexpr std::int64_t least_text = 60;  // that database.write puts into its column

// As the server's own user, in the guest. -X: no settings of that user; -A -t: rows only.
constexpr const char* psql_script = R"(command -v psql >/dev/null || exit 127
cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2")";

constexpr const char* databases_sql =
    "SELECT json_build_object('database', datname, 'port', current_setting('port')) FROM pg_database "
    "WHERE datallowconn AND NOT datistemplate ORDER BY datname";

// A row of JSON for each table: names, types, what it is sorted by, and whether it ever held a row.
constexpr const char* tables_sql = R"(SELECT json_build_object(
  'schema', n.nspname, 'table', c.relname, 'kind', c.relkind,
  'empty', c.relkind = 'r' AND pg_relation_size(c.oid) = 0,
  'large', c.relkind = 'r' AND pg_relation_size(c.oid) >= 65536,
  'referred', EXISTS (SELECT FROM pg_constraint r WHERE r.confrelid = c.oid),
  'columns', (SELECT json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'optional', a.atthasdef OR a.attidentity <> '' OR NOT a.attnotnull) ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'key', (SELECT json_agg(a.attname ORDER BY k.place)
    FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE i.indrelid = c.oid AND i.indisprimary))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname)";

// What a database is made of, besides its rows. Temporary tables of other checks are in schemas of pg_.
struct Catalogue {
  const char* name;
  const char* says;
  const char* query;
};
constexpr Catalogue catalogues[]{
    {"columns", "tables and columns that the user may see",
     "SELECT table_schema::text, table_name::text, column_name::text, data_type::text, is_nullable::text, "
     "column_default::text FROM information_schema.columns WHERE left(table_schema, 3) <> 'pg_' AND table_schema <> "
     "'information_schema' ORDER BY table_schema, table_name, ordinal_position"},
    {"constraints", "keys and constraints",
     "SELECT n.nspname::text, c.relname::text, k.conname::text, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN "
     "pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE left(n.nspname, 3) <> 'pg_' "
     "AND n.nspname <> 'information_schema' ORDER BY n.nspname, c.relname, k.conname"},
    {"indexes", "indexes",
     "SELECT schemaname::text, tablename::text, indexname::text, indexdef FROM pg_indexes WHERE left(schemaname, 3) <> "
     "'pg_' ORDER BY schemaname, tablename, indexname"},
    {"grants", "who owns what, and may do what with it",
     "SELECT n.nspname::text, c.relname::text, c.relkind::text, pg_get_userbyid(c.relowner)::text, c.relacl::text FROM "
     "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> "
     "'information_schema' ORDER BY n.nspname, c.relname"},
    {"roles", "roles and what they may do",
     "SELECT rolname::text, rolsuper::text, rolcreaterole::text, rolcreatedb::text, rolcanlogin::text, "
     "rolreplication::text, rolbypassrls::text, rolconnlimit::text FROM pg_roles WHERE left(rolname, 3) <> 'pg_' ORDER "
     "BY rolname"},
    {"formats", "dates, numbers and texts as they are written and compared here",
     "SELECT to_char(1234567.891, 'FM9G999G999D999'), 1234.5::numeric::money::text, to_char(DATE '2026-03-04', 'TMDay "
     "TMMonth'), DATE '2026-03-04'::text, '03/04/2026'::date::text, TIMESTAMPTZ '2026-03-04 05:06:07+00'::text, "
     "INTERVAL "
     "'1 day 2 hours'::text, (0.1::float8 + 0.2::float8)::text, '\\x6162'::bytea::text, upper('straße äé'), ('a' < "
     "'B')::text, ('10' < '9')::text"},
};

// What an administrator, or a package, may set, and what clients then meet: less safety, less time, other texts. What
// a server does not know, or does not show this user, is not expected.
constexpr const char* settings_that_matter[]{
    // what is committed is on the disk
    "fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names", "wal_level", "wal_sync_method",
    "data_checksums", "zero_damaged_pages", "ignore_checksum_failure", "ignore_system_indexes", "commit_delay",
    "default_transaction_read_only", "transaction_read_only",
    // who waits for whom, and for how long
    "statement_timeout", "lock_timeout", "deadlock_timeout", "idle_in_transaction_session_timeout",
    "idle_session_timeout", "default_transaction_isolation", "default_transaction_deferrable", "max_connections",
    "superuser_reserved_connections", "max_prepared_transactions", "max_locks_per_transaction",
    "authentication_timeout", "tcp_user_timeout", "tcp_keepalives_idle", "temp_file_limit", "autovacuum",
    "track_counts",
    // how a statement is planned and executed
    "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan", "enable_seqscan", "enable_hashjoin",
    "enable_mergejoin", "enable_nestloop", "enable_sort", "work_mem", "maintenance_work_mem", "shared_buffers",
    "random_page_cost", "seq_page_cost", "jit", "plan_cache_mode", "constraint_exclusion", "max_parallel_workers",
    "session_replication_role", "check_function_bodies", "default_table_access_method", "default_tablespace",
    // what is read and written as text
    "DateStyle", "IntervalStyle", "TimeZone", "timezone_abbreviations", "lc_messages", "lc_monetary", "lc_numeric",
    "lc_time", "lc_collate", "lc_ctype", "server_encoding", "client_encoding", "bytea_output",
    "standard_conforming_strings", "backslash_quote", "escape_string_warning", "array_nulls", "transform_null_equals",
    "quote_all_identifiers", "xmlbinary", "xmloption", "default_text_search_config", "search_path",
    // who gets in, and who is told
    "password_encryption", "row_security", "ssl", "ssl_min_protocol_version", "db_user_namespace", "port",
    "log_statement", "log_min_messages", "client_min_messages"};

struct Column {
  std::string name;
  std::string type;
  bool optional = false;
};
struct Table {
  std::string schema;
  std::string name;
  std::string kind;
  bool empty = false;
  bool referred = false;
  bool large = false;  // enough that one row is found by an index, whatever is known of the others
  std::vector<Column> columns;
  std::vector<std::string> key;
};

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}
bool truth_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

// One JSON object a line; what is none is left out.
std::vector<Json> rows_in(const Answer& answer) {
  std::vector<Json> rows;
  for (const auto line : split(answer.output, '\n')) {
    auto row = json_in(std::string(line));
    if (row.is_object()) rows.push_back(std::move(row));
  }
  return rows;
}

Table table_from(const Json& row) {
  Table table{text_in(row, "schema"),
              text_in(row, "table"),
              text_in(row, "kind"),
              truth_in(row, "empty"),
              truth_in(row, "referred"),
              truth_in(row, "large"),
              {},
              {}};
  for (const auto& column : row.value("columns", Json::array())) {
    if (column.is_object())
      table.columns.push_back({text_in(column, "name"), text_in(column, "type"), truth_in(column, "optional")});
  }
  const auto key = row.find("key");
  if (key != row.end() && key->is_array()) {
    for (const auto& name : *key) {
      if (name.is_string()) table.key.push_back(name.get<std::string>());
    }
  }
  return table;
}

// A delimited identifier (PostgreSQL manual, 4.1.1).
std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

// One that means the same without quotes, as database.write needs it.
bool is_plain(const std::string& name) {
  return !name.empty() && name.size() <= 63 && (name.front() < '0' || name.front() > '9') &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool takes_text(const std::string& type) {
  if (type == "text" || type == "character varying") return true;
  constexpr std::string_view varying = "character varying(";
  if (!type.starts_with(varying)) return false;
  std::int64_t length = 0;
  for (const char c : type.substr(varying.size())) {
    if (c < '0' || c > '9' || length > least_text) break;
    length = length * 10 + (c - '0');
  }
  return length >= least_text;
}

// A table into which a row can be written and from which it can be taken away, without meeting anybody's data.
std::optional<std::string> column_to_write(const Table& table) {
  if (table.kind != "r" || !table.empty || table.referred || !is_plain(table.schema) || !is_plain(table.name))
    return std::nullopt;
  std::optional<std::string> found;
  for (const auto& column : table.columns) {
    if (!found && is_plain(column.name) && takes_text(column.type))
      found = column.name;
    else if (!column.optional)
      return std::nullopt;
  }
  return found;
}

std::string golden_query(const Table& table) {
  std::vector<std::string> columns;
  for (const auto& column : table.columns) columns.push_back(quoted(column.name) + "::text");
  std::vector<std::string> order;
  for (const auto& name : table.key) order.push_back(quoted(table.name) + "." + quoted(name));
  if (order.empty()) order = columns;
  return fmt::format("SELECT {} FROM {}.{} ORDER BY {}", fmt::join(columns, ", "), quoted(table.schema),
                     quoted(table.name), fmt::join(order, ", "));
}

// How one row would be found by its key; nothing where that is not certain.
std::optional<std::string> plan_query(const Table& table) {
  if (!table.large || table.key.size() != 1) return std::nullopt;
  const auto other =
      std::ranges::find_if(table.columns, [&](const auto& one) { return one.name != table.key.front(); });
  if (other == table.columns.end()) return std::nullopt;
  return fmt::format("EXPLAIN (COSTS OFF) SELECT {}::text FROM {}.{} WHERE {} = '0'", quoted(other->name),
                     quoted(table.schema), quoted(table.name), quoted(table.key.front()));
}

// What connection strings cannot hold (checks/database/server.cpp), and what is no name of ours.
bool is_usable(const std::string& name) {
  return !name.empty() && name.find_first_of("{};=\r\n") == std::string::npos && name.find('\0') == std::string::npos;
}

class DatabaseDrafts {
 public:
  DatabaseDrafts(const Machine& machine, const Answers& answers) : machine_(machine), answers_(answers) {}

  Drafts write(const std::vector<Json>& databases) {
    if (machine_.users.empty()) {
      drafts_.not_learnt.emplace_back("databases: the scenario has no 'accounts' of this machine");
      return std::move(drafts_);
    }
    for (std::size_t i = 0; i < std::min(databases.size(), most_databases); ++i) {
      const auto name = text_in(databases[i], "database");
      if (!is_usable(name)) {
        drafts_.not_learnt.push_back(fmt::format("database '{}': no check can name it", name));
        continue;
      }
      for (const auto& user : machine_.users) {
        if (is_usable(user)) add(name, user, databases[i]);
      }
    }
    if (databases.size() > most_databases) {
      drafts_.not_learnt.push_back(
          fmt::format("databases: {} of {} are looked at, no more", most_databases, databases.size()));
    }
    return std::move(drafts_);
  }

 private:
  [[nodiscard]] std::string id(const std::string& what) const {
    return check_name(
        fmt::format("{}-{}-{}", check_name(database_).substr(0, 9), check_name(user_).substr(0, 8), what));
  }
  [[nodiscard]] Json server() const {
    auto with = base_;
    with["password"] = password_of(user_);
    return with;
  }
  void leave_out(const std::string& what) {
    drafts_.not_learnt.push_back(fmt::format("database {}: {}", database_, what));
  }

  void add(const std::string& database, const std::string& user, const Json& row) {
    database_ = database;
    user_ = user;
    base_ = {{"driver", "PostgreSQL Unicode"}, {"database", database}, {"user", user}};
    if (const auto port = text_in(row, "port");
        port != "5432" && port.size() < 6 && !port.empty() && port.find_first_not_of("0123456789") == std::string::npos)
      base_["port"] = std::stoi(port);
    const auto who = fmt::format("{} as {}", database, user);
    const auto transaction = id("transaction");
    drafts_.checks.push_back({transaction,
                              {way("database.transaction", server(), database_patience)},
                              fmt::format("{}: log in, and roll a transaction back", who)});
    drafts_.checks.push_back({id("not-let-in"),
                              {way("database.login-refused", server(), database_patience)},
                              fmt::format("{}: the password is right, and this database is not for them", who),
                              {},
                              transaction});
    for (const auto& catalogue : catalogues)
      add_query(id(catalogue.name), catalogue.query, fmt::format("{}: {}", who, catalogue.says), transaction);
    add_settings(who, transaction);
    add_tables(who, transaction);
    add_connections(who, transaction);
    auto with = server();
    with["query"] = "SELECT rolname, rolpassword FROM pg_authid";
    drafts_.checks.push_back({id("passwords-denied"),
                              {way("database.denied", std::move(with), database_patience)},
                              fmt::format("{}: passwords of others are not to be read", who),
                              transaction});
    drafts_.checks.push_back({id("wrong-password"),
                              {way("database.login-refused", base_, database_patience)},
                              fmt::format("{}: a wrong password is refused", who),
                              transaction});
  }

  // Without TLS, where that is allowed: it is about how many there may be.
  void add_connections(const std::string& who, const std::string& transaction) {
    auto with = server();
    with["sessions"] = most_sessions;
    auto plain = with;
    plain["sslmode"] = "disable";
    drafts_.checks.push_back({id("connections"),
                              {way("database.connections", std::move(plain), database_patience),
                               way("database.connections", std::move(with), database_patience)},
                              fmt::format("{}: how many sessions there may be at the same time, and no more", who),
                              transaction});
  }

  void add_settings(const std::string& who, const std::string& transaction) {
    auto with = server();
    for (const char* name : settings_that_matter) with["settings"][name] = "";
    drafts_.checks.push_back({id("settings"),
                              {way("database.settings", std::move(with), database_patience)},
                              fmt::format("{}: settings that clients meet, as a session begins with them", who),
                              transaction});
  }

  // The digest is what the first observation finds.
  void add_query(const std::string& name, const std::string& query, const std::string& says, const std::string& needs) {
    auto with = server();
    // Times are written as the session's zone has them: the server's own is one of its settings, and looked at there.
    with.update({{"query", query}, {"time_zone", "UTC"}, {"rows", 0}, {"sha256", std::string(64, '0')}});
    drafts_.checks.push_back({name, {way("database.query-hash", std::move(with), database_patience)}, says, needs});
  }

  void add_tables(const std::string& who, const std::string& transaction) {
    const auto found = answers_.find("database " + database_);
    if (found == answers_.end() || found->second.exit_code != 0) {
      return leave_out("its tables are not known: " +
                       (found == answers_.end() ? "they were not asked for" : complaint(found->second)));
    }
    const auto rows = rows_in(found->second);
    bool is_written = false;
    for (std::size_t i = 0; i < std::min(rows.size(), most_tables); ++i) {
      const auto table = table_from(rows[i]);
      if (table.columns.empty() || table.name.empty() || table.schema.empty()) continue;
      const auto name = table.schema + "." + table.name;
      const auto column = column_to_write(table);
      if (column && !is_written) {
        is_written = true;
        auto with = server();
        with.update({{"table", name}, {"column", *column}});
        auto with_table = with;
        drafts_.checks.push_back(
            {id("write"),
             {way("database.write", std::move(with), database_patience)},
             fmt::format("{}: a row is written into {}, which is empty, and taken away", who, name),
             transaction});
        drafts_.checks.push_back(
            {id("isolation"),
             {way("database.isolation", std::move(with_table), database_patience)},
             fmt::format("{}: what two sessions see of each other, and that one waits for the other, in {}", who, name),
             id("write")});
        continue;  // what is written by a check has no rows of its own to compare
      }
      add_query(id(check_name("t-" + table.name)), golden_query(table),
                fmt::format("{}: all rows of {}{}", who, name, table.key.empty() ? ", which has no key" : ""),
                transaction);
      if (const auto plan = plan_query(table))
        add_query(id(check_name("plan-" + table.name)), *plan,
                  fmt::format("{}: how a row of {} is found by its key", who, name), transaction);
    }
    if (!is_written)
      leave_out(
          "writing: no table is empty, unused by others, and takes a row with nothing but a text of 60 characters");
    if (rows.size() > most_tables)
      leave_out(fmt::format("{} of {} tables are looked at, no more", most_tables, rows.size()));
  }

  const Machine& machine_;
  const Answers& answers_;
  std::string database_;
  std::string user_;
  Json base_;
  Drafts drafts_;
};

class Database final : public Protocol {
 public:
  std::vector<Question> questions(const Answers& answers) const override {
    std::vector<Question> questions{{"databases", psql_script, {"postgres", databases_sql}}};
    const auto* answer = answer_to(answers, "databases");
    if (answer == nullptr) return questions;
    const auto databases = rows_in(*answer);
    for (std::size_t i = 0; i < std::min(databases.size(), most_databases); ++i) {
      const auto name = text_in(databases[i], "database");
      if (is_usable(name))
        questions.push_back({"database " + name, psql_script, {"dbname='" + escaped(name) + "'", tables_sql}});
    }
    return questions;
  }

  Drafts drafts(const Machine& machine, const Answers& answers) const override {
    const auto* answer = answer_to(answers, "databases");
    if (answer != nullptr) return DatabaseDrafts(machine, answers).write(rows_in(*answer));
    const auto found = answers.find("databases");
    if (!open_tcp_ports(answers).contains(5432) || found == answers.end()) return {};
    return {{},
            {"databases: port 5432 is open, and psql does not say which there are: " +
             (found->second.exit_code == 127 ? std::string("it is not there") : complaint(found->second))}};
  }

 private:
  // In a connection string (libpq, "Keyword/Value Connection Strings").
  static std::string escaped(const std::string& name) {
    std::string text;
    for (const char c : name) text += (c == '\'' || c == '\\' ? std::string("\\") : std::string()) + c;
    return text;
  }
};

}  // namespace

const Protocol& database() {
  static const Database instance;
  return instance;
}

}  // namespace patchlab::checks::learn
