// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>

#include "promotion/gate/rules.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
using namespace reports;
using std::chrono::system_clock;
namespace {

// "2026-11-22T06:02:50.123Z" or without the fraction; nothing else is written by this product.
std::optional<system_clock::time_point> parse_time(const std::string& text) {
  std::tm fields{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (rest == nullptr) return std::nullopt;
  const std::string_view tail(rest);
  const bool has_fraction = tail.size() > 2 && tail.front() == '.' && tail.back() == 'Z' &&
                            tail.substr(1, tail.size() - 2).find_first_not_of("0123456789") == std::string_view::npos;
  if (tail != "Z" && !has_fraction) return std::nullopt;
  return system_clock::from_time_t(::timegm(&fields));
}

void compare(GateCase& gate, Subject subject, const Seen& today, const std::string& tested, const char* what) {
  if (today.digest.empty()) {
    gate.block(ReasonCode::stale, std::move(subject),
               fmt::format("nobody can tell whether {} is the same today: {}", what, today.trouble));
  } else if (today.digest != tested) {
    gate.block(ReasonCode::stale, std::move(subject), fmt::format("{} is another one today", what));
  }
}

void look_at_what_is_published(GateCase& gate, const std::optional<system_clock::time_point>& finished) {
  const auto published = gate.today.published.find(gate.department.name);
  if (published == gate.today.published.end() || !finished) return;
  const auto& [run, end, why] = published->second;
  const auto theirs = parse_time(end);
  const bool is_newer = run != gate.record.id && (!theirs || *theirs > *finished);
  if (is_newer && !gate.today.rollback.empty()) {
    gate.went_back = fmt::format("back from run {}: {}", run, gate.today.rollback);
    return gate.asked(ReasonCode::older_than_published, gate.of_department(),
                      fmt::format("run {}, which is published, ended later, and somebody asked to go back: {}", run,
                                  gate.today.rollback));
  }
  if (is_newer) {
    gate.block(ReasonCode::older_than_published, gate.of_department(),
               fmt::format("run {}, which is published, ended later: {}", run, end));
  }
  gate.asked(ReasonCode::older_than_published, gate.of_department(), fmt::format("published until now: run {}", run));
}

}  // namespace

void look_at_run(GateCase& gate) {
  if (!gate.record.complete)
    gate.block(ReasonCode::run_incomplete, gate.of_run(), "the run was interrupted before its end");
  if (gate.record.error) gate.block(ReasonCode::run_incomplete, gate.of_run(), gate.record.error->message);
  if (gate.record.id.empty()) gate.block(ReasonCode::run_incomplete, gate.of_run(), "the record has no id");
  if (gate.department.machines.empty())
    gate.block(ReasonCode::run_incomplete, gate.of_department(), "no machine took part");
  if (gate.department.phases.empty())
    gate.block(ReasonCode::run_incomplete, gate.of_department(), "no phases were planned");
  gate.asked(ReasonCode::run_incomplete, gate.of_run(), "it ran to its end, without an error of its own");
}

// Whoever promotes rests on what the run kept, and `verify` would refute what it does not prove.
void look_at_evidence(GateCase& gate) {
  if (!gate.today.evidence_problems) return;
  const auto& problems = *gate.today.evidence_problems;
  if (!problems.empty()) {
    gate.block(
        ReasonCode::evidence_changed, gate.of_run(),
        problems.front() + (problems.size() == 1 ? std::string() : fmt::format(" (and {} more)", problems.size() - 1)));
  }
  gate.asked(ReasonCode::evidence_changed, gate.of_run(),
             gate.record.evidence
                 ? fmt::format("{} files that the run kept are as its record names them", gate.record.evidence->size())
                 : "the record has no digests of what its run kept: nothing was compared");
}

void look_at_age(GateCase& gate) {
  const auto finished = parse_time(gate.record.finished);
  if (!finished) {
    gate.block(ReasonCode::run_incomplete, gate.of_run(),
               fmt::format("'{}' is not a time at which it finished", gate.record.finished));
  } else if (*finished > gate.today.now + std::chrono::minutes(5)) {  // clocks of two hosts may differ a little
    gate.block(ReasonCode::stale, gate.of_run(),
               fmt::format("finished at {}, which is in the future", gate.record.finished));
  } else if (gate.today.now - *finished > gate.policy.max_age) {
    gate.block(
        ReasonCode::stale, gate.of_run(),
        fmt::format("finished at {}, more than {} hours ago", gate.record.finished, gate.policy.max_age.count()));
  }
  std::size_t compared = 0;
  for (const auto& machine : gate.department.machines) {
    const auto today = gate.today.goldens.find(gate.department.name + "/" + machine.name);
    if (today == gate.today.goldens.end()) continue;
    ++compared;
    compare(gate, gate.of_machine(machine.name), today->second, machine.golden_digest, "its golden image");
  }
  for (const auto& candidate : gate.record.candidates) {
    const auto today = gate.today.candidates.find(candidate.id);
    if (today == gate.today.candidates.end()) continue;
    ++compared;
    compare(gate, gate.of_candidate(candidate.id), today->second, candidate.digest, "it");
  }
  if (finished) {
    gate.asked(ReasonCode::stale, gate.of_run(),
               fmt::format("finished at {}, not more than {} hours ago; {} of {} golden images and candidates were "
                           "compared with what is there now",
                           gate.record.finished, gate.policy.max_age.count(), compared,
                           gate.department.machines.size() + gate.record.candidates.size()));
  }
  look_at_what_is_published(gate, finished);
}

// What was left out on request was not tested, whatever the rest says.
void look_at_what_was_asked(GateCase& gate) {
  const auto& asked_for = gate.record.asked;
  if (!asked_for.roles.empty())
    gate.block(ReasonCode::narrowed, gate.of_department(),
               fmt::format("--role {} left machines out, so the department was not tested as a whole",
                           fmt::join(asked_for.roles, ", ")));
  if (asked_for.controls > 0)
    gate.block(ReasonCode::not_asked, gate.of_department(),
               "the run was started with --controls: it had no candidates");
  gate.asked(ReasonCode::narrowed, gate.of_department(), "no machine was left out on request");
}

}  // namespace patchlab::promotion
