// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/ledger_events.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "promotion/statement/statement.hpp"

namespace patchlab::history {
namespace {

using promotion::ChainKind;
using promotion::Statement;
using promotion::StatementKind;

std::string about(const Statement& statement) {
  for (const auto* member : {&statement.begin, &statement.withdraws, &statement.promotion}) {
    if (*member) return **member;
  }
  return {};
}

std::string reason_of(const Statement& statement) {
  if (statement.reasons) return fmt::format("{}", fmt::join(*statement.reasons, "; "));
  auto text = statement.reason.value_or("");
  if (!statement.waives) return text;
  std::vector<std::string> waived;
  for (const auto& one : *statement.waives) waived.push_back(to_string(one));
  return fmt::format("{}: {}", fmt::join(waived, ", "), text);
}

void fill(LedgerEvent& event, const Statement& statement) {
  const bool of_a_run = statement.kind == StatementKind::begin || statement.kind == StatementKind::run;
  if (!of_a_run) {
    event.department = statement.subjects.front().name;
    event.set = statement.subjects.front().sha256;
  }
  event.run = statement.run.value_or("");
  event.run_id = statement.id.value_or("");
  event.about = about(statement);
  event.reason = reason_of(statement);
  event.ticket = statement.ticket.value_or("");
  event.expires = statement.expires.value_or(statement.review_by.value_or(""));
  event.result = statement.result.value_or("");
  event.policy = statement.policy.value_or("");
  event.serial = statement.serial.value_or(statement.version.value_or(0));
  event.complete = statement.complete.value_or(false);
}

}  // namespace

Result<std::vector<LedgerEvent>> events_behind(const promotion::Chain& chain, const promotion::ChainState& state,
                                               std::size_t known) {
  std::vector<LedgerEvent> events;
  Statement statement;
  std::string read;  // its digest: the lines of a promotion are about one statement
  for (std::size_t i = known; i < state.lines.size(); ++i) {
    const auto& line = state.lines[i];
    LedgerEvent event;
    event.seq = line.seq;
    event.time = line.time;
    event.kind = to_string(line.kind);
    event.by = line.by;
    event.object = line.object;
    if (promotion::History::has_statement(line.kind)) {
      if (read != line.object) {
        const auto name = fmt::format("the statement of line {}", line.seq);
        PATCHLAB_ASSIGN(const auto bytes, chain.objects().get(line.object).while_doing(name));
        PATCHLAB_ASSIGN(statement, promotion::read_statement(bytes, name));
        read = line.object;
      }
      fill(event, statement);
      if (line.kind == ChainKind::deployed && statement.report) {
        const auto name = fmt::format("what machines said, of line {}", line.seq);
        PATCHLAB_ASSIGN(const auto bytes, chain.objects().get(*statement.report).while_doing(name));
        PATCHLAB_ASSIGN(const auto json, parse_json(bytes, name, JsonTexts::any));
        PATCHLAB_ASSIGN(auto report, promotion::deployed_from_json(json, name));
        event.serial = report.serial;
        event.machines = std::move(report.machines);
        event.source = to_string(report.source);
      }
    }
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace patchlab::history
