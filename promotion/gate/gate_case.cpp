// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/gate/gate_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/time.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::promotion {
using namespace reports;

bool same_members(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const std::set<std::string> left(a.begin(), a.end());
  const std::set<std::string> right(b.begin(), b.end());
  return left == right && left.size() == a.size() && right.size() == b.size();
}

void GateCase::block(ReasonCode code, Subject subject, std::string text) {
  block(code, std::move(subject), std::move(text), {});
}
void GateCase::block(ReasonCode code, Subject subject, std::string text, std::string command) {
  if (command.empty()) command = command_for(code, record);
  decision.requirements.push_back({code, std::move(subject), false, std::move(text), std::move(command)});
}

void GateCase::hold_back(ReasonCode code, const std::string& candidate, std::string text) {
  decision.held_back.push_back({code, of_candidate(candidate), false, std::move(text), command_for(code, record)});
}

void GateCase::asked(ReasonCode code, Subject subject, std::string found) {
  asked_.push_back({code, std::move(subject), true, std::move(found), {}});
}

void GateCase::take_over(ReasonCode code, Subject subject, const Demand& demand) {
  const auto what = subject.check.empty() ? subject.machine : subject.machine + "/" + subject.check;
  taken_over_.push_back(fmt::format("{} is another one than before, taken over by {}", what, demand.taken_over));
  waived_.push_back({code, std::move(subject), true, demand.text, {}});
}

bool GateCase::is_in_named_set(const std::string& candidate) const {
  return named == Named::yes && std::ranges::count(people.set, candidate) > 0;
}

const WaivedFailure* GateCase::waiver_of(const std::string& key) const {
  const auto found = std::ranges::find(people.waived, key, &WaivedFailure::key);
  return found == people.waived.end() ? nullptr : &*found;
}

bool GateCase::all_waived(const std::vector<std::string>& facts) const {
  return !facts.empty() && std::ranges::all_of(facts, [&](const auto& fact) { return waiver_of(fact) != nullptr; });
}

bool GateCase::is_accepted(ReasonCode code, Subject subject, const std::string& key, const std::string& text) {
  const auto* waiver = waiver_of(key);
  if (waiver == nullptr) return false;
  if (std::ranges::count(decision.waived, *waiver) == 0) decision.waived.push_back(*waiver);
  const bool is_known = std::ranges::any_of(waived_, [&](const Requirement& other) {
    return other.code == code && other.subject.machine == subject.machine && other.subject.check == subject.check;
  });
  if (!is_known) waived_.push_back({code, std::move(subject), true, text, {}, to_string(*waiver)});
  return true;
}

bool GateCase::is_excused(const std::string& fact) const {
  return policy.not_reproduced == NotReproduced::flaky_in_control && is_flaky_without_patches(department, fact);
}

Subject GateCase::of_fact(const std::string& fact, const std::string& trial) const {
  const auto machine = machine_of_key(fact);
  const auto check = fact.size() > machine.size() ? fact.substr(machine.size() + 1) : std::string();
  return {.department = department.name, .machine = machine, .check = check, .trial = trial};
}

void GateCase::conclude() {
  say_what_does_not_count();
  for (auto& met : asked_) {
    if (std::ranges::count(decision.requirements, met.code, &Requirement::code) == 0 &&
        std::ranges::count(waived_, met.code, &Requirement::code) == 0)
      decision.requirements.push_back(std::move(met));
  }
  std::ranges::move(waived_, std::back_inserter(decision.requirements));
  std::ranges::stable_sort(decision.requirements, {}, &Requirement::code);
  decision.policy = policy.digest;
  if (!decision.promotes()) decision.promotable.clear();
  if (!decision.promotes()) return;
  decision.by = approval_sentence(policy, approvers());
  if (const auto carrying = carrying_of(record, department.name); carrying.is_carried())
    decision.by += "; " + sentence_of(carrying, record.id);
  for (const auto& waived : decision.waived)
    decision.by += fmt::format("; {} {} by {} until {}", waived.key, waived.is_a_failure() ? "waived" : "accepted",
                               waived.by, waived.until);
  if (shown > 0) {
    decision.by += fmt::format("; {} that nothing explains, and nobody had to look",
                               shown == 1 ? "1 change" : fmt::format("{} changes", shown));
  }
  if (!went_back.empty()) decision.by += "; " + went_back;
  say_emergency();
  for (std::size_t i = 0; i < std::min(taken_over_.size(), most_named); ++i) decision.by += "; " + taken_over_[i];
  if (taken_over_.size() > most_named)
    decision.by += fmt::format("; and {} more are not as before", taken_over_.size() - most_named);
}

void GateCase::say_emergency() {
  if (today.lane != Lane::emergency || !policy.emergency) return;
  decision.emergency = today.emergency;
  decision.emergency->review_by = rfc3339(today.now + policy.emergency->review_within);
}

// Only where one more that counts would have helped.
void GateCase::say_what_does_not_count() {
  const auto any_unmet = [&](std::initializer_list<ReasonCode> codes) {
    return std::ranges::any_of(decision.requirements, [&](const Requirement& one) {
      return !one.met && std::ranges::count(codes, one.code) > 0;
    });
  };
  const bool approvals = any_unmet({ReasonCode::approval_missing, ReasonCode::ticket_missing});
  const bool waivers = any_unmet({ReasonCode::final_trial_failed, ReasonCode::not_reproduced,
                                  ReasonCode::candidate_failed, ReasonCode::needs_decision});
  for (const auto& one : people.not_counted) {
    if (one.of_a_waiver ? waivers : approvals) block(one.code, of_department(), one.text);
  }
}

std::vector<std::string> GateCase::approvers() const {
  std::set<std::string> names;
  for (const auto& approval : people.approvals) names.insert(approval.by);
  return {names.begin(), names.end()};
}

}  // namespace patchlab::promotion
