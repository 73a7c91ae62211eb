// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/transaction.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checks/check_with.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::database {
namespace {

struct Words {
  const char* table;   // before its name in CREATE
  const char* mark;    // begins the name of a temporary table
  const char* text;    // a column for any text
  const char* begins;  // a text in quotes that may hold any character
};

Words words_of(Product product) {
  return product == Product::sql_server ? Words{"TABLE", "#", "nvarchar(200)", "N"}
                                        : Words{"TEMPORARY TABLE", "", "varchar(200)", ""};
}

// Stops at the first step that does not work.
void try_transaction(Product product, OdbcSession& session, Json& observation) {
  const auto words = words_of(product);
  const auto unique = unique_text();
  const auto table = fmt::format("{}patchlab_{}", words.mark, unique);
  // Text beyond ASCII shows a broken encoding as well.
  const auto note = fmt::format(
      "patchlab {} Gr\xc3\xbc\xc3\x9f"
      "e \xe8\xa3\x9c",
      unique);
  observation["inserted"] = note;
  if (!session.execute("create",
                       fmt::format("CREATE {} {} (id integer PRIMARY KEY, note {})", words.table, table, words.text)) ||
      !session.begin("begin") ||
      !session.execute("insert",
                       fmt::format("INSERT INTO {} (id, note) VALUES (1, {}'{}')", table, words.begins, note))) {
    return;
  }
  const auto seen = session.query("select", fmt::format("SELECT note FROM {}", table), 10);
  if (!seen) return;
  observation["seen"] = first_column(*seen);
  if (!session.rollback("rollback")) return;
  const auto left = session.query("count", fmt::format("SELECT id FROM {}", table), 10);
  if (!left) return;
  observation["rows_after_rollback"] = left->rows.size();
  session.execute("drop", fmt::format("DROP TABLE {}", table));
}

std::optional<Judgement> judge_seen(const Observation& observation) {
  const auto inserted = observation.value("inserted", "");
  const auto seen = observation.value("seen", Json::array());
  const auto expected = fmt::format("one row: '{}'", inserted);
  if (seen.empty()) return Judgement{Outcome::fail, "row-not-seen", expected, "no row inside the same transaction"};
  if (seen != Json::array({inserted})) return Judgement{Outcome::fail, "row-altered", expected, seen.dump()};
  return std::nullopt;
}

class Transaction final : public CheckWith<Server> {
 public:
  std::string kind() const override { return "database.transaction"; }

 protected:
  Server read(JsonReader& reader) const override { return read_server(reader); }

  Result<Observation> observe_with(const Target& target, const Server& server, Milliseconds limit) const override {
    return observe_server(target, server, limit, [&](OdbcSession& session, Json& observation, Deadline /*deadline*/) {
      try_transaction(server.product, session, observation);
      return Result<void>();
    });
  }

  Judgement judge_with(const Server& /*parameters*/, const Observation& observation) const override {
    if (auto bad = judge_steps({"connect", "create", "begin", "insert", "select"}, observation)) return *bad;
    if (auto bad = judge_seen(observation)) return *bad;
    if (auto bad = judge_steps({"connect", "create", "begin", "insert", "select", "rollback", "count"}, observation)) {
      return *bad;
    }
    if (const auto left = observation.value("rows_after_rollback", 1); left != 0) {
      return {Outcome::fail, "row-survived-rollback", "no row after the rollback", fmt::format("{} rows", left)};
    }
    if (auto bad =
            judge_steps({"connect", "create", "begin", "insert", "select", "rollback", "count", "drop"}, observation)) {
      return *bad;
    }
    return {Outcome::pass, "rolled-back", "a row inside the transaction, none after its rollback",
            fmt::format("as expected from {}", observation.value("version", ""))};
  }
};

}  // namespace

const Check& transaction() {
  static const Transaction check;
  return check;
}

}  // namespace patchlab::checks::database
