// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "promotion/evidence/signed_lines.hpp"

namespace patchlab::promotion {
namespace {

bool lacks_a_run(const Proving& proving) {
  return std::ranges::any_of(
      proving.lines(), [&](const ChainLine& one) { return one.kind == ChainKind::run && proving.lacks(one.seq); });
}

bool has_older_ledger(const Proving& proving) { return !proving.chain.state.history.imported().empty(); }

// Nothing from the run's begin to the promotion's end, and no later promotion, may be kept from the reader.
std::string left_out(const Proving& proving, const Story& story) {
  for (const auto& one : proving.lines()) {
    if (!proving.lacks(one.seq)) continue;
    const bool inside = one.seq >= story.begin_line && one.seq <= story.promotion->last_line;
    const bool later = one.seq > story.promotion->last_line && one.kind == ChainKind::promote_begun;
    if (inside || later)
      return fmt::format("the statement of line {} ({}) is missing, and could be about this promotion", one.seq,
                         to_string(one.kind));
  }
  return {};
}

}  // namespace

Result<void> look_at_run(Proving& proving, const std::string& department, Story& story) {
  const auto says = [&](const std::string& why) -> Result<void> {
    story.run_line = 0;
    proving.broken(department, LinkKind::run, why);
    return {};
  };
  std::optional<Statement> end;
  for (std::uint64_t seq = 1; seq < story.promotion->line; ++seq) {
    if (proving.line(seq).kind != ChainKind::run || proving.lacks(seq)) continue;
    PATCHLAB_ASSIGN(const auto bytes, proving.objects.get(proving.line(seq).object));
    auto statement = read_statement(bytes, fmt::format("the statement of line {}", seq));
    if (!statement) return says(statement.error().message);
    if (statement->run != story.statement.run) continue;
    story.run_line = seq;
    end = std::move(*statement);
  }
  if (story.run_line == 0) {
    if (has_older_ledger(proving)) {
      proving.missing(department, LinkKind::run, "it ended under an older ledger, which the first line took over");
      return {};
    }
    if (proving.chain.state.history.attempts().empty() && !lacks_a_run(proving)) {
      proving.missing(department, LinkKind::run,
                      "this ledger was told of no run at all: only the one beside the runs knows it");
      return {};
    }
    return says(fmt::format("no run before line {} found that", story.promotion->line));
  }
  const auto& attempts = proving.chain.state.history.attempts();
  const auto attempt = std::ranges::find(attempts, story.run_line, &Attempt::end_line);
  if (attempt == attempts.end()) return says(fmt::format("line {} ends a run that never began", story.run_line));
  story.begin_line = attempt->line;
  if (const auto why = left_out(proving, story); !why.empty()) {
    proving.broken({}, LinkKind::ledger, why);
    return {};
  }
  const auto subject = std::ranges::find(end->subjects, department, &StatementSubject::name);
  if (end->complete != true) return says(fmt::format("the run of line {} was not complete", story.run_line));
  if (subject == end->subjects.end())
    return says(fmt::format("the run of line {} had no such department", story.run_line));
  story.tested = subject->sha256;
  PATCHLAB_ASSIGN(const auto begun, proving.objects.get(attempt->begin));
  const auto begin = read_statement(begun, fmt::format("the statement of line {}", attempt->line));
  if (!begin) return says(begin.error().message);
  for (const auto& submitter : {begin->submitter, end->submitter}) {
    if (submitter) story.submitters.push_back(*submitter);
  }
  PATCHLAB_ASSIGN(const auto of_lab, proving.signed_by_lab({story.begin_line, story.run_line}));
  proving.add_signed(department, LinkKind::run, of_lab,
                     fmt::format("begun in line {}, ended complete in line {}{}", story.begin_line, story.run_line,
                                 end->submitter ? ", submitted by " + *end->submitter : ""));
  return {};
}

}  // namespace patchlab::promotion
