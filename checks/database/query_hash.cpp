// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/query_hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "checks/check_with.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::database {
namespace {

constexpr std::int64_t most_rows = 100'000;
constexpr std::size_t sample_bytes = 4096;

struct Parameters {
  Server server;
  std::string query;
  std::string time_zone;
  std::string sha256;
  std::int64_t rows = 0;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// The words of a query in upper case, without what stands in quotes, or in brackets as names do on SQL Server; ";" is a
// word of its own.
std::vector<std::string> words_of(const std::string& query, Product product) {
  const bool has_brackets = product == Product::sql_server;
  std::vector<std::string> words;
  bool in_word = false;
  char quote = '\0';
  for (const char c : query) {
    if (quote != '\0' || c == '\'' || c == '"' || (has_brackets && c == '[')) {
      quote = quote == '\0' ? (c == '[' ? ']' : c) : quote == c ? '\0' : quote;
      in_word = false;
    } else if (is_letter(c)) {
      if (!in_word) words.emplace_back();
      in_word = true;
      words.back() += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    } else {
      in_word = false;
      if (c == ';') words.emplace_back(";");
    }
  }
  return words;
}

// T-SQL needs nothing between two statements, and some of these would end the transaction that is rolled back.
std::string second_statement(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 16> others{"INSERT", "UPDATE", "DELETE",  "MERGE",  "TRUNCATE", "CREATE",
                                                    "ALTER",  "DROP",   "EXEC",    "INTO",   "SET",      "BEGIN",
                                                    "COMMIT", "GRANT",  "WAITFOR", "EXECUTE"};
  const auto found =
      std::ranges::find_if(words, [&](const auto& word) { return std::ranges::find(others, word) != others.end(); });
  return found == words.end() ? "" : *found;
}

// A golden query asks, once, and says in which order: what the database happens to answer first is no finding.
std::string why_no_golden_query(const std::string& query, std::int64_t rows, Product product) {
  auto words = words_of(query, product);
  if (!words.empty() && words.back() == ";") words.pop_back();
  const auto first = query.find_first_not_of(" \t\r\n");
  // How it would be executed, in the order of its lines; "ANALYZE" would execute it, and costs are no golden values.
  constexpr std::string_view explain = "EXPLAIN (COSTS OFF) SELECT ";
  if (product == Product::sql_server) {
    if (query.starts_with("EXPLAIN")) return fmt::format("'{}': SQL Server has no EXPLAIN", query);
    if (const auto word = second_statement(words); !word.empty())
      return fmt::format("'{}' has {}; it must be one SELECT, which changes nothing (a name in brackets is none)",
                         query, word);
  } else if (query.starts_with(explain)) {
    return std::ranges::count(words, ";") == 0 ? "" : fmt::format("'{}' is more than one statement", query);
  }
  const bool asks = !words.empty() && (words.front() == "SELECT" || words.front() == "WITH") && is_letter(query[first]);
  if (!asks)
    return fmt::format(
        "'{}' must be one SELECT (or WITH ... SELECT), which changes nothing, or EXPLAIN (COSTS OFF) SELECT", query);
  if (std::ranges::count(words, ";") > 0) return fmt::format("'{}' is more than one statement", query);
  bool ordered = false;
  for (std::size_t i = 1; i < words.size(); ++i) ordered |= words[i - 1] == "ORDER" && words[i] == "BY";
  return ordered || rows < 2 ? "" : fmt::format("'{}' needs ORDER BY: {} rows may come in any order", query, rows);
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = read_server(reader);
  parameters.rows = reader.integer("rows", 0, most_rows);
  parameters.query = reader.text("query", [&parameters](const std::string& query) {
    return why_no_golden_query(query, parameters.rows, parameters.server.product);
  });
  parameters.time_zone = reader.text_or("time_zone", "", [](const std::string& name) {
    const auto is_of_name = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '/' || c == '+' || c == '-';
    };
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_of_name)
               ? ""
               : fmt::format("'{}' must be the name of a time zone, as \"UTC\" or \"Europe/Berlin\"", name);
  });
  if (!parameters.time_zone.empty() && parameters.server.product == Product::sql_server)
    reader.problem("time_zone",
                   "is for PostgreSQL: a session of SQL Server has no time zone; write AT TIME ZONE into the query");
  parameters.sha256 = reader.text("sha256", [](const std::string& digest) {
    return is_sha256(digest) ? "" : "must be 64 lower-case hex digits; the check's observation shows the right ones";
  });
  return parameters;
}

void describe(const Rows& found, Json& observation) {
  std::string text;
  for (const auto& row : found.rows) text += canonical_row(row);
  observation["columns"] = found.columns;
  observation["rows"] = found.rows.size();
  observation["sha256"] = sha256(text);
  observation["sample"] = to_valid_utf8(std::string_view(text).substr(0, sample_bytes));
  observation["cut_off"] = found.cut_off;
}

std::vector<std::string> steps_of(const Parameters& with) {
  if (with.time_zone.empty()) return {"connect", "begin", "query"};
  return {"connect", "begin", "time zone", "query"};
}

class QueryHash final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "database.query-hash"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    return observe_server(target, with.server, limit,
                          [&with](OdbcSession& session, Json& observation, Deadline /*deadline*/) {
                            if (!session.begin("begin")) return Result<void>();
                            if (!with.time_zone.empty() &&
                                !session.execute("time zone", fmt::format("SET TIME ZONE '{}'", with.time_zone)))
                              return Result<void>();
                            if (const auto found = session.query("query", with.query, most_rows)) {
                              describe(*found, observation);
                            }
                            session.rollback("rollback");
                            return Result<void>();
                          });
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    if (auto bad = judge_steps(steps_of(with), observation)) return *bad;
    const auto rows = observation.value("rows", std::int64_t{-1});
    const auto hash = observation.value("sha256", "");
    const auto expected = fmt::format("{} rows, sha256 {}", with.rows, with.sha256);
    const auto observed = fmt::format("{} rows, sha256 {}", rows, hash);
    if (observation.value("cut_off", false)) {
      return {Outcome::fail, "too-many-rows", expected, fmt::format("more than {} rows", most_rows)};
    }
    if (rows != with.rows) return {Outcome::fail, "row-count-differs", expected, observed};
    if (hash != with.sha256) return {Outcome::fail, "hash-differs", expected, observed};
    return {Outcome::pass, "same-rows", expected, observed};
  }

  Result<void> expect(const Parameters& with, Observation& observation, Json& json) const override {
    const auto trouble = judge_steps(steps_of(with), observation);
    if (trouble) return Error{ErrorClass::check, trouble->reason + ": " + trouble->observed, {}};
    if (observation.value("cut_off", false))
      return Error{ErrorClass::check, fmt::format("there are more than {} rows", most_rows), {}};
    json["rows"] = observation.at("rows");
    json["sha256"] = observation.at("sha256");
    return {};
  }
};

}  // namespace

const Check& query_hash() {
  static const QueryHash check;
  return check;
}

}  // namespace patchlab::checks::database
