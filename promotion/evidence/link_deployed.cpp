// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "promotion/evidence/proving.hpp"
#include "promotion/installed/installed.hpp"

namespace patchlab::promotion {
namespace {

// What stands against a line that tells what machines have; empty: nothing.
std::string trouble_with(const Proving& proving, const ChainLine& line) {
  const auto bytes = proving.objects.get(line.object);
  const auto statement = bytes ? read_statement(*bytes, "its statement") : Result<Statement>(bytes.error());
  if (!statement) return statement.error().message;
  const auto said = proving.objects.get(*statement->report);
  if (!said) return "what the machines said is not there as it was: " + said.error().message;
  const auto json = parse_json(*said, "what the machines said");
  const auto report = json ? deployed_from_json(*json, "what the machines said") : Result<DeployedReport>(json.error());
  if (!report) return report.error().message;
  if (report->department != statement->subjects.front().name || report->promotion != *statement->promotion)
    return "what the machines said is of another promotion";
  if (*statement->result != to_string(report->outcome()))
    return fmt::format("says '{}', and what the machines said is '{}'", *statement->result,
                       to_string(report->outcome()));
  return {};
}

}  // namespace

// Nothing that was promoted rests on it, so that bundles have nothing of it; a stage keeps it all.
Result<void> look_at_deployed(Proving& proving) {
  if (proving.proof.of_bundle) return {};
  std::size_t count = 0;
  for (const auto& line : proving.lines()) {
    if (line.kind != ChainKind::deployed) continue;
    ++count;
    if (const auto why = trouble_with(proving, line); !why.empty())
      proving.broken({}, LinkKind::ledger, fmt::format("line {}: {}", line.seq, why));
  }
  if (count > 0)
    proving.proof.notes.push_back(
        fmt::format("{} lines tell what machines of production have; patchlab deploy status", count));
  return {};
}

}  // namespace patchlab::promotion
