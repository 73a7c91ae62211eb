// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/write.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/step_judge.hpp"
#include "checks/database/table.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::database {
namespace {

struct Parameters {
  Server server;
  Table table;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = read_server(reader);
  parameters.table = read_table(reader);
  return parameters;
}

// Stops at the first step that does not work; the row stays, in a clone that is thrown away.
Result<void> write_and_read(const Target& target, const Parameters& with, OdbcSession& writer, Json& observation,
                            Deadline deadline) {
  const auto note = "patchlab " + unique_text();
  const auto row = fmt::format("FROM {} WHERE {} = '{}'", with.table.name, with.table.column, note);
  observation["inserted"] = note;
  if (!writer.execute("insert",
                      fmt::format("INSERT INTO {} ({}) VALUES ('{}')", with.table.name, with.table.column, note))) {
    return {};
  }
  auto& second = observation["second"] = Json::object();
  PATCHLAB_ASSIGN(auto reader, OdbcSession::make(deadline));
  PATCHLAB_ASSIGN(const bool connected, reader.connect(with.server, target.address));
  if (connected) {
    const auto seen = reader.query("select", fmt::format("SELECT {} {}", with.table.column, row), 10);
    if (seen) second["seen"] = first_column(*seen);
  }
  second["steps"] = reader.steps();
  if (!second.contains("seen") || !writer.execute("delete", "DELETE " + row)) return {};
  const auto left = writer.query("count", fmt::format("SELECT {} {}", with.table.column, row), 10);
  if (left) observation["rows_after_delete"] = left->rows.size();
  return {};
}

std::optional<Judgement> judge_seen(const Json& second, const std::string& inserted) {
  const auto seen = second.value("seen", Json::array());
  const auto expected = fmt::format("a second connection sees the committed row '{}'", inserted);
  if (seen.empty()) return Judgement{Outcome::fail, "row-not-seen", expected, "no such row"};
  if (seen != Json::array({inserted})) return Judgement{Outcome::fail, "row-altered", expected, seen.dump()};
  return std::nullopt;
}

class Write final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "database.write"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    return observe_server(target, with.server, limit, [&](OdbcSession& session, Json& observation, Deadline deadline) {
      return write_and_read(target, with, session, observation, deadline);
    });
  }

  Judgement judge_with(const Parameters& /*parameters*/, const Observation& observation) const override {
    if (auto bad = judge_steps({"connect", "insert"}, observation)) return *bad;
    auto second = observation.value("second", Json::object());
    second["stopped_at_deadline"] = observation.value("stopped_at_deadline", false);
    if (auto bad = judge_steps({"connect", "select"}, second)) return *bad;
    if (auto bad = judge_seen(second, observation.value("inserted", ""))) return *bad;
    if (auto bad = judge_steps({"connect", "insert", "delete", "count"}, observation)) return *bad;
    if (const auto left = observation.value("rows_after_delete", 1); left != 0) {
      return {Outcome::fail, "row-survived-delete", "no row after it was deleted", fmt::format("{} rows", left)};
    }
    return {Outcome::pass, "written", "a committed row that another connection sees, and none after it was deleted",
            fmt::format("as expected from {}", observation.value("version", ""))};
  }
};

}  // namespace

const Check& write() {
  static const Write check;
  return check;
}

}  // namespace patchlab::checks::database
