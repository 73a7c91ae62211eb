// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/gate/gate.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::promotion {
namespace {
using namespace reports;
using std::chrono::system_clock;

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

bool same_members(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const std::set<std::string> left(a.begin(), a.end());
  const std::set<std::string> right(b.begin(), b.end());
  return left == right && left.size() == a.size() && right.size() == b.size();
}

ReasonCode code_of(DemandCode code) {
  switch (code) {
    case DemandCode::policy_not_in_force: return ReasonCode::policy_not_in_force;
    case DemandCode::policy_ambiguous: return ReasonCode::policy_ambiguous;
    case DemandCode::department_not_allowed: return ReasonCode::department_not_allowed;
    case DemandCode::scenario_not_allowed: return ReasonCode::scenario_not_allowed;
    case DemandCode::tool_version_not_allowed: return ReasonCode::tool_version_not_allowed;
    case DemandCode::run_narrowed: return ReasonCode::narrowed;
    case DemandCode::machine_not_planned: return ReasonCode::machine_not_planned;
    case DemandCode::check_not_planned: return ReasonCode::check_not_planned;
    case DemandCode::phase_not_planned: return ReasonCode::phase_not_planned;
    case DemandCode::coverage_shrunk: return ReasonCode::coverage_shrunk;
    case DemandCode::coverage_unknown: return ReasonCode::coverage_unknown;
    case DemandCode::emergency_not_allowed: return ReasonCode::emergency_not_allowed;
    case DemandCode::review_overdue: return ReasonCode::review_overdue;
    case DemandCode::rejected: return ReasonCode::rejected;
    case DemandCode::approval_missing: return ReasonCode::approval_missing;
    case DemandCode::approval_not_distinct: return ReasonCode::approval_not_distinct;
    case DemandCode::security_key_not_touched: return ReasonCode::security_key_not_touched;
    case DemandCode::security_key_not_verified: return ReasonCode::security_key_not_verified;
    case DemandCode::window_closed: return ReasonCode::window_closed;
    case DemandCode::check_changed: return ReasonCode::check_changed;
    case DemandCode::submitter_unknown: return ReasonCode::submitter_unknown;
  }
  return ReasonCode::policy_not_in_force;
}

// Candidates of a trial; none when there is none of this id.
std::vector<std::string> set_of(const DepartmentRecord& department, const std::string& trial) {
  const auto* found = trial.empty() ? nullptr : find_trial(department, trial);
  return found == nullptr ? std::vector<std::string>() : found->candidates;
}

std::string counted_answers(const reports::FenceRecord& fence) {
  return fence.answers() == 1 ? "1 answer" : fmt::format("{} answers", fence.answers());
}

// Collects requirements over one department; each `look_at` is one group of rules, called in the order of ReasonCode.
class Gate {
 public:
  // `people`: what they decided about the set; null: nothing. `named`: it is about their set, also with what failed in
  // it; else about what passed.
  enum class Named { no, yes };
  Gate(const RunRecord& record, const DepartmentRecord& department, const Policy& policy, const Today& today,
       const PeopleOn* people, Named named)
      : record_(record),
        department_(department),
        policy_(policy),
        today_(today),
        people_(people == nullptr ? nobody : *people),
        named_(named) {}

  Decision decide() {
    decision_.department = department_.name;
    look_at_run();
    look_at_standing();
    look_at_evidence();
    look_at_age();
    look_at_what_was_asked();
    look_at_policy();
    look_at_objections();
    look_at_fence();
    look_at_goldens();
    look_at_candidate_digests();
    look_at_baseline();
    look_at_control();
    look_at_department();
    sort_verdicts();
    look_at_final_trial();
    look_at_failures_of_the_set();
    look_at_prerequisites();
    conclude();
    return std::move(decision_);
  }

 private:
  void block(ReasonCode code, Subject subject, std::string text) {
    decision_.requirements.push_back({code, std::move(subject), false, std::move(text), command_for(code, record_)});
  }
  void hold_back(ReasonCode code, const std::string& candidate, std::string text) {
    decision_.held_back.push_back({code, of_candidate(candidate), false, std::move(text), command_for(code, record_)});
  }
  // Everything that this code asks for was looked at: unless something blocks, it is met, and `found` is what was seen.
  void asked(ReasonCode code, Subject subject, std::string found) {
    asked_.push_back({code, std::move(subject), true, std::move(found), {}});
  }
  void conclude() {
    say_what_does_not_count();
    for (auto& met : asked_) {
      if (std::ranges::count(decision_.requirements, met.code, &Requirement::code) == 0 &&
          std::ranges::count(waived_, met.code, &Requirement::code) == 0)
        decision_.requirements.push_back(std::move(met));
    }
    std::ranges::move(waived_, std::back_inserter(decision_.requirements));
    std::ranges::stable_sort(decision_.requirements, {}, &Requirement::code);
    decision_.policy = policy_.digest;
    if (!decision_.promotes()) decision_.promotable.clear();
    if (!decision_.promotes()) return;
    decision_.by = approval_sentence(policy_, approvers());
    for (const auto& waived : decision_.waived)
      decision_.by += fmt::format("; {} waived by {} until {}", waived.key, waived.by, waived.until);
    if (!went_back_.empty()) decision_.by += "; " + went_back_;
    say_emergency();
    for (std::size_t i = 0; i < std::min(taken_over_.size(), most_named); ++i) decision_.by += "; " + taken_over_[i];
    if (taken_over_.size() > most_named)
      decision_.by += fmt::format("; and {} more are not as before", taken_over_.size() - most_named);
  }

  void say_emergency() {
    if (today_.lane != Lane::emergency || !policy_.emergency) return;
    decision_.emergency = today_.emergency;
    decision_.emergency->review_by = rfc3339(today_.now + policy_.emergency->review_within);
  }

  // Only where one more that counts would have helped.
  void say_what_does_not_count() {
    const auto any_unmet = [&](std::initializer_list<ReasonCode> codes) {
      return std::ranges::any_of(decision_.requirements, [&](const Requirement& one) {
        return !one.met && std::ranges::count(codes, one.code) > 0;
      });
    };
    const bool approvals = any_unmet({ReasonCode::approval_missing});
    const bool waivers =
        any_unmet({ReasonCode::final_trial_failed, ReasonCode::not_reproduced, ReasonCode::candidate_failed});
    for (const auto& one : people_.not_counted) {
      if (one.of_a_waiver ? waivers : approvals) block(one.code, of_department(), one.text);
    }
  }

  // --- what was accepted
  [[nodiscard]] bool is_in_named_set(const std::string& candidate) const {
    return named_ == Named::yes && std::ranges::count(people_.set, candidate) > 0;
  }
  [[nodiscard]] const WaivedFailure* waiver_of(const std::string& key) const {
    const auto found = std::ranges::find(people_.waived, key, &WaivedFailure::key);
    return found == people_.waived.end() ? nullptr : &*found;
  }
  [[nodiscard]] bool all_waived(const std::vector<std::string>& facts) const {
    return !facts.empty() && std::ranges::all_of(facts, [&](const auto& fact) { return waiver_of(fact) != nullptr; });
  }
  // Whether this failure was accepted. Then it is met, once for each code, and keeps its outcome.
  bool is_accepted(ReasonCode code, Subject subject, const std::string& key, const std::string& text) {
    const auto* waiver = waiver_of(key);
    if (waiver == nullptr) return false;
    if (std::ranges::count(decision_.waived, *waiver) == 0) decision_.waived.push_back(*waiver);
    const bool is_known = std::ranges::any_of(waived_, [&](const Requirement& other) {
      return other.code == code && other.subject.machine == subject.machine && other.subject.check == subject.check;
    });
    if (!is_known) waived_.push_back({code, std::move(subject), true, text, {}, to_string(*waiver)});
    return true;
  }

  [[nodiscard]] Subject of_run() const { return {.run = record_.id}; }
  [[nodiscard]] Subject of_department() const { return {.department = department_.name}; }
  [[nodiscard]] Subject of_machine(const std::string& name) const {
    return {.department = department_.name, .machine = name};
  }
  [[nodiscard]] Subject of_candidate(const std::string& id) const {
    return {.department = department_.name, .candidate = id};
  }
  [[nodiscard]] Subject of_trial(const std::string& id) const { return {.department = department_.name, .trial = id}; }
  // Of a fact as in a signature: "mail/deliver".
  [[nodiscard]] Subject of_fact(const std::string& fact, const std::string& trial = {}) const {
    const auto machine = machine_of_key(fact);
    const auto check = fact.size() > machine.size() ? fact.substr(machine.size() + 1) : std::string();
    return {.department = department_.name, .machine = machine, .check = check, .trial = trial};
  }

  void look_at_run() {
    if (!record_.complete) block(ReasonCode::run_incomplete, of_run(), "the run was interrupted before its end");
    if (record_.error) block(ReasonCode::run_incomplete, of_run(), record_.error->message);
    if (record_.id.empty()) block(ReasonCode::run_incomplete, of_run(), "the record has no id");
    if (department_.machines.empty()) block(ReasonCode::run_incomplete, of_department(), "no machine took part");
    if (department_.phases.empty()) block(ReasonCode::run_incomplete, of_department(), "no phases were planned");
    asked(ReasonCode::run_incomplete, of_run(), "it ran to its end, without an error of its own");
  }

  void look_at_standing() {
    if (!today_.standing) return;
    if (!today_.standing->recorded) block(ReasonCode::not_recorded, of_run(), today_.standing->otherwise);
    asked(ReasonCode::not_recorded, of_run(), "the ledger has this run with this very record");
    for (const auto& failure : today_.standing->failures) look_at_failure(failure);
    for (const auto& later : today_.standing->later_candidates) {
      const auto* candidate = find_candidate(record_, later.candidate);
      if (later.department != department_.name || candidate == nullptr || candidate->digest == later.digest) continue;
      block(ReasonCode::stale, of_candidate(later.candidate),
            fmt::format("is another one in the later run {}", later.run));
    }
  }

  // Whoever promotes rests on what the run kept, and `verify` would refute what it does not prove.
  void look_at_evidence() {
    if (!today_.evidence_problems) return;
    const auto& problems = *today_.evidence_problems;
    if (!problems.empty()) {
      block(ReasonCode::evidence_changed, of_run(),
            problems.front() +
                (problems.size() == 1 ? std::string() : fmt::format(" (and {} more)", problems.size() - 1)));
    }
    asked(ReasonCode::evidence_changed, of_run(),
          record_.evidence
              ? fmt::format("{} files that the run kept are as its record names them", record_.evidence->size())
              : "the record has no digests of what its run kept: nothing was compared");
  }

  // What passed here and failed in another run: the same bytes, whatever they are called there.
  void look_at_failure(const PastFailure& failure) {
    for (const auto& candidate : record_.candidates) {
      const auto* verdict = find_verdict(department_, candidate.id);
      if (verdict == nullptr || !are_same_bytes(candidate, failure)) continue;
      if (is_in_named_set(candidate.id) && verdict->outcome == Outcome::fail) {
        look_at_failure_again(candidate, failure);
        continue;
      }
      if (verdict->outcome != Outcome::pass) continue;
      auto where = failure.department == department_.name ? "" : " in " + failure.department;
      if (failure.candidate != candidate.id) where += " as " + failure.candidate;
      if (failure.later && !is_known_here(candidate, failure)) {
        block(ReasonCode::stale, of_candidate(candidate.id),
              fmt::format("passed here and failed later{}, in run {}", where, failure.run));
      } else if (!failure.later && nothing_else_changed(failure)) {
        block(ReasonCode::not_reproduced, of_candidate(candidate.id),
              fmt::format("failed{} in run {} with the same scenario and golden images, and passes here: nobody knows "
                          "why",
                          where, failure.run));
      }
    }
  }
  // What fails here, too, and was accepted, is no news elsewhere, as long as it is nothing else.
  void look_at_failure_again(const CandidateRecord& candidate, const PastFailure& failure) {
    if (!failure.later || is_known_here(candidate, failure)) return;
    if (failure.department == department_.name && all_waived(failure.failed)) return;
    block(ReasonCode::stale, of_candidate(candidate.id),
          fmt::format("failed later in {} with something else than what was waived, in run {}", failure.department,
                      failure.run));
  }
  [[nodiscard]] static bool are_same_bytes(const CandidateRecord& candidate, const PastFailure& failure) {
    return candidate.digest == failure.digest || std::ranges::any_of(candidate.files, [&](const FileRecord& file) {
             return std::ranges::count(failure.files, file.sha256) > 0;
           });
  }
  // Another department of this run saw the same: departments differ, and that is why each has a verdict of its own.
  [[nodiscard]] bool is_known_here(const CandidateRecord& candidate, const PastFailure& failure) const {
    if (failure.department == department_.name) return false;
    const auto other = std::ranges::find(record_.departments, failure.department, &DepartmentRecord::name);
    const auto* verdict = other == record_.departments.end() ? nullptr : find_verdict(*other, candidate.id);
    return verdict != nullptr && verdict->outcome == Outcome::fail;
  }
  // It failed with nothing but what passes here, and neither another scenario nor other machines explain why it passes
  // now, nor does a check that fails without any patch.
  [[nodiscard]] bool nothing_else_changed(const PastFailure& failure) const {
    if (failure.department != department_.name || failure.scenario_digest != record_.scenario_digest) return false;
    const auto passes_here = [&](const std::string& id) {
      const auto* verdict = find_verdict(department_, id);
      return verdict != nullptr && verdict->outcome == Outcome::pass;
    };
    if (!std::ranges::all_of(failure.group, passes_here)) return false;
    std::map<std::string, std::string> goldens;
    for (const auto& machine : department_.machines) goldens[machine.name] = machine.golden_digest;
    return failure.goldens == goldens &&
           !(!failure.failed.empty() &&
             std::ranges::all_of(failure.failed, [&](const auto& fact) { return is_excused(fact); }));
  }

  void look_at_age() {
    const auto finished = parse_time(record_.finished);
    if (!finished) {
      block(ReasonCode::run_incomplete, of_run(),
            fmt::format("'{}' is not a time at which it finished", record_.finished));
    } else if (*finished > today_.now + std::chrono::minutes(5)) {  // clocks of two hosts may differ a little
      block(ReasonCode::stale, of_run(), fmt::format("finished at {}, which is in the future", record_.finished));
    } else if (today_.now - *finished > policy_.max_age) {
      block(ReasonCode::stale, of_run(),
            fmt::format("finished at {}, more than {} hours ago", record_.finished, policy_.max_age.count()));
    }
    std::size_t compared = 0;
    for (const auto& machine : department_.machines) {
      const auto today = today_.goldens.find(department_.name + "/" + machine.name);
      if (today == today_.goldens.end()) continue;
      ++compared;
      compare(of_machine(machine.name), today->second, machine.golden_digest, "its golden image");
    }
    for (const auto& candidate : record_.candidates) {
      const auto today = today_.candidates.find(candidate.id);
      if (today == today_.candidates.end()) continue;
      ++compared;
      compare(of_candidate(candidate.id), today->second, candidate.digest, "it");
    }
    if (finished) {
      asked(ReasonCode::stale, of_run(),
            fmt::format("finished at {}, not more than {} hours ago; {} of {} golden images and candidates were "
                        "compared with what is there now",
                        record_.finished, policy_.max_age.count(), compared,
                        department_.machines.size() + record_.candidates.size()));
    }
    look_at_what_is_published(finished);
  }
  void compare(Subject subject, const Seen& today, const std::string& tested, const char* what) {
    if (today.digest.empty()) {
      block(ReasonCode::stale, std::move(subject),
            fmt::format("nobody can tell whether {} is the same today: {}", what, today.trouble));
    } else if (today.digest != tested) {
      block(ReasonCode::stale, std::move(subject), fmt::format("{} is another one today", what));
    }
  }
  void look_at_what_is_published(const std::optional<system_clock::time_point>& finished) {
    const auto published = today_.published.find(department_.name);
    if (published == today_.published.end() || !finished) return;
    const auto& [run, end, why] = published->second;
    const auto theirs = parse_time(end);
    const bool is_newer = run != record_.id && (!theirs || *theirs > *finished);
    if (is_newer && !today_.rollback.empty()) {
      went_back_ = fmt::format("back from run {}: {}", run, today_.rollback);
      return asked(ReasonCode::older_than_published, of_department(),
                   fmt::format("run {}, which is published, ended later, and somebody asked to go back: {}", run,
                               today_.rollback));
    }
    if (is_newer) {
      block(ReasonCode::older_than_published, of_department(),
            fmt::format("run {}, which is published, ended later: {}", run, end));
    }
    asked(ReasonCode::older_than_published, of_department(), fmt::format("published until now: run {}", run));
  }

  // What was left out on request was not tested, whatever the rest says.
  void look_at_what_was_asked() {
    const auto& asked_for = record_.asked;
    if (!asked_for.roles.empty())
      block(ReasonCode::narrowed, of_department(),
            fmt::format("--role {} left machines out, so the department was not tested as a whole",
                        fmt::join(asked_for.roles, ", ")));
    if (asked_for.controls > 0)
      block(ReasonCode::not_asked, of_department(), "the run was started with --controls: it had no candidates");
    asked(ReasonCode::narrowed, of_department(), "no machine was left out on request");
  }

  [[nodiscard]] Subject of_fence(const std::string& phase) const {
    return {.department = department_.name, .phase = phase};
  }

  [[nodiscard]] std::vector<std::string> approvers() const {
    std::set<std::string> names;
    for (const auto& approval : people_.approvals) names.insert(approval.by);
    return {names.begin(), names.end()};
  }

  void look_at_objections() {
    for (const auto& objection : people_.objections) block(objection.code, of_department(), objection.text);
    decision_.counted = people_.counted;
  }

  // What the policy asks of what was planned, and of the moment.
  void look_at_policy() {
    PolicyFacts facts;
    facts.now = today_.now;
    facts.lane = today_.lane;
    if (const auto last = today_.last_promoted.find(department_.name); last != today_.last_promoted.end())
      facts.last_promoted = last->second;
    // Going back takes away what nobody reviewed: that need not wait for the review.
    if (const auto open = today_.open_reviews.find(department_.name);
        open != today_.open_reviews.end() && went_back_.empty())
      facts.open_reviews = open->second;
    facts.approvals = people_.approvals;
    facts.anything_waived = people_.anything_waived;
    facts.submitter_is_known = people_.submitter_is_known;
    facts.unknown_submitters = people_.unknown_submitters;
    if (named_ == Named::yes) facts.set = people_.set;
    for (const auto& demand : demands_of(policy_, record_, department_, facts)) {
      const auto code = code_of(demand.code);
      Subject subject{.department = department_.name,
                      .machine = demand.machine,
                      .check = demand.check,
                      .phase = demand.phase,
                      .candidate = demand.candidate};
      if (!demand.taken_over.empty())
        take_over(code, std::move(subject), demand);
      else if (demand.met)
        asked(code, std::move(subject), demand.text);
      else
        decision_.requirements.push_back({code, std::move(subject), false, demand.text,
                                          demand.command.empty() ? command_for(code, record_) : demand.command});
    }
  }

  // Each is said on its own, also where nothing else is to be said.
  void take_over(ReasonCode code, Subject subject, const Demand& demand) {
    const auto what = subject.check.empty() ? subject.machine : subject.machine + "/" + subject.check;
    taken_over_.push_back(fmt::format("{} is another one than before, taken over by {}", what, demand.taken_over));
    waived_.push_back({code, std::move(subject), true, demand.text, {}});
  }

  void look_at_fence() {
    const auto& fence = department_.fence;
    for (const auto& attempt : fence.attempts) {
      if (!attempt.is_answer_of_a_leak()) continue;
      block(ReasonCode::fence_breach, of_fence(attempt.phase),
            fmt::format("{} to {} was answered {} the trials", attempt.probe, attempt.target, attempt.phase));
    }
    // A leak anywhere voids the run: what was seen elsewhere may have been the world's answer.
    for (const auto& other : record_.departments) {
      if (other.name == department_.name || other.fence.answers() == 0) continue;
      block(ReasonCode::fence_breach, {.department = other.name},
            fmt::format("the fence of another department leaked, and with it the whole run is void: {}",
                        counted_answers(other.fence)));
    }
    for (const auto& trouble : fence.troubles) block(ReasonCode::fence_unproven, of_department(), trouble);
    for (const auto& phase : policy_.fence_phases) {
      for (const auto& probe : policy_.fence_probes) {
        const auto any = [&](const auto& is_so) {
          return std::ranges::any_of(fence.attempts, [&](const FenceAttempt& attempt) {
            return attempt.phase == phase && attempt.probe == probe && is_so(attempt);
          });
        };
        if (!any([](const FenceAttempt& attempt) { return attempt.sent && !attempt.control; })) {
          block(ReasonCode::fence_unproven, of_fence(phase),
                fmt::format("no {} probe was sent {} the trials", probe, phase));
        } else if (!any([](const FenceAttempt& attempt) { return attempt.heard_control(); })) {
          block(
              ReasonCode::fence_unproven, of_fence(phase),
              fmt::format("no control answered the {} probe {} the trials: its silence proves nothing", probe, phase));
        }
      }
    }
    for (const auto& phase : policy_.fence_phases) {
      for (const auto& watch : policy_.fence_watches) {
        const bool listened = std::ranges::any_of(fence.attempts, [&](const FenceAttempt& attempt) {
          return attempt.phase == phase && attempt.probe == watch && attempt.sent;
        });
        if (!listened)
          block(ReasonCode::fence_unproven, of_fence(phase),
                fmt::format("nobody listened at the bridge {} the trials", phase));
      }
    }
    if (fence.attempts.empty()) block(ReasonCode::fence_unproven, of_department(), "no probe was sent");
    asked(ReasonCode::fence_breach, of_department(),
          fmt::format("none of {} tries to get out was answered", fence.tries()));
    asked(ReasonCode::fence_unproven, of_department(),
          fmt::format("{} were sent {} the trials, and the control was heard each time",
                      fmt::join(policy_.fence_probes, ", "), fmt::join(policy_.fence_phases, ", ")));
  }

  void look_at_goldens() {
    for (const auto& machine : department_.machines) {
      if (!is_sha256(machine.golden_digest)) {
        block(ReasonCode::digest_mismatch, of_machine(machine.name), "has no digest of its golden image");
      } else if (machine.golden_digest_after.empty()) {
        block(ReasonCode::golden_image_changed, of_machine(machine.name),
              "its golden image was not verified after the run");
      } else if (machine.golden_digest_after != machine.golden_digest) {
        block(ReasonCode::golden_image_changed, of_machine(machine.name), "its golden image changed during the run");
      }
    }
    asked(ReasonCode::golden_image_changed, of_department(),
          fmt::format("{} golden images had the same digest before and after", department_.machines.size()));
  }

  void look_at_candidate_digests() {
    std::set<std::string> ids;
    asked(ReasonCode::digest_mismatch, of_department(), "machines, candidates and files have their digests");
    for (const auto& candidate : record_.candidates) {
      if (!ids.insert(candidate.id).second)
        block(ReasonCode::digest_mismatch, of_candidate(candidate.id), "is in the record twice");
      if (!is_sha256(candidate.digest)) block(ReasonCode::digest_mismatch, of_candidate(candidate.id), "has no digest");
      if (candidate.files.empty()) block(ReasonCode::digest_mismatch, of_candidate(candidate.id), "has no files");
      for (const auto& file : candidate.files) {
        if (!is_sha256(file.sha256))
          block(ReasonCode::digest_mismatch, of_candidate(candidate.id),
                fmt::format("file '{}' has no digest", file.name));
      }
    }
  }

  // Everything planned for a trial was executed and passed; `code` says what it means when something did not.
  void look_at_facts(const TrialRecord& trial, ReasonCode code) {
    if (trial.error) block(code, of_trial(trial.id), trial.error->message);
    const bool only_waived = code == ReasonCode::final_trial_failed && !trial.error && trial.outcome == Outcome::fail &&
                             all_waived(failure_signature(trial));
    if (trial.outcome != Outcome::pass && !only_waived)
      block(code, of_trial(trial.id), fmt::format("ended in {}", patchlab::to_string(trial.outcome)));
    std::vector<std::string> all;
    for (const auto& machine : department_.machines) all.push_back(machine.name);
    if (!same_members(trial.machines, all)) {
      block(code == ReasonCode::final_trial_failed ? ReasonCode::final_set_differs : code, of_trial(trial.id),
            "did not run on the whole department");
    }
    const auto missing = missing_checks(department_, trial);
    if (!missing.empty()) {
      const auto& first = missing.front();
      block(ReasonCode::coverage_missing,
            {.department = department_.name,
             .machine = first.machine,
             .check = first.check,
             .phase = first.phase,
             .trial = trial.id},
            fmt::format("{} planned checks were not executed, the first is {}/{} in {}", missing.size(), first.machine,
                        first.check, first.phase));
    }
    for (const auto& phase : trial.phases) look_at_phase(trial, phase, code);
    for (const auto& install : trial.installs) {
      if (install.outcome == Outcome::pass || install.outcome == Outcome::skipped) continue;
      block(code,
            {.department = department_.name,
             .machine = install.machine,
             .candidate = install.candidate,
             .trial = trial.id},
            fmt::format("installing {} on {} ended in {}", install.candidate, install.machine,
                        patchlab::to_string(install.outcome)));
    }
  }

  void look_at_phase(const TrialRecord& trial, const PhaseRecord& phase, ReasonCode code) {
    const auto about = [&](const std::string& check = {}) {
      return Subject{.department = department_.name,
                     .machine = phase.machine,
                     .check = check,
                     .phase = phase.phase,
                     .trial = trial.id};
    };
    if (phase.error)
      block(code, about(), fmt::format("{} in {}: {}", phase.machine, phase.phase, phase.error->message));
    const bool may_be_waived = code == ReasonCode::final_trial_failed;
    const bool only_waived =
        may_be_waived && !phase.error && phase.outcome == Outcome::fail && all_waived(failures_in(phase));
    if (phase.outcome != Outcome::pass && !only_waived) {
      block(code, about(),
            fmt::format("{} in {} ended in {}", phase.machine, phase.phase, patchlab::to_string(phase.outcome)));
    }
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::pass && !check.error) continue;
      const auto key = check_key(phase.machine, check.id);
      const auto text = fmt::format("{} in {} ended in {}", key, phase.phase,
                                    patchlab::to_string(check.error ? Outcome::error : check.outcome));
      if (may_be_waived && !check.error && check.outcome == Outcome::fail &&
          is_accepted(code, about(check.id), key, text))
        continue;
      block(code, about(check.id), text);
    }
    for (const auto& difference : phase.differences) {
      const auto key = difference_key(phase.machine, difference);
      const auto subject = about(of_fact(key).check);
      switch (difference.finding) {
        case checks::state::FindingClass::breach: break;
        case checks::state::FindingClass::review:
          // Nobody can look yet where the gate could see it.
          if (may_be_waived)
            block(code, subject, fmt::format("{} changed in {}: a person has to look", key, phase.phase));
          continue;
        case checks::state::FindingClass::notice: continue;
      }
      const auto text = fmt::format("{} changed in {}", key, phase.phase);
      if (may_be_waived && is_accepted(code, subject, key, text)) continue;
      block(code, subject, text);
    }
  }
  // What failed there, as in a signature.
  [[nodiscard]] static std::vector<std::string> failures_in(const PhaseRecord& phase) {
    TrialRecord alone;
    alone.phases = {phase};
    return failure_signature(alone);
  }

  void look_at_baseline() {
    for (const auto& trial : department_.trials) {
      if (trial.purpose == Purpose::baseline && is_lost(trial)) look_at_lost(trial, ReasonCode::baseline_broken);
    }
    const auto* baseline = trial_with_purpose(department_, Purpose::baseline);
    if (baseline == nullptr) return block(ReasonCode::baseline_broken, of_department(), "there is no baseline");
    look_at_facts(*baseline, ReasonCode::baseline_broken);
    if (!baseline->candidates.empty())
      block(ReasonCode::baseline_broken, of_trial(baseline->id), "had candidates installed");
    asked(ReasonCode::baseline_broken, of_trial(baseline->id), "every check passed before any patch");
  }

  void look_at_control() {
    bool found = false;
    for (const auto& trial : department_.trials) {
      if (trial.purpose != Purpose::control) continue;
      if (is_lost(trial)) {
        look_at_lost(trial, ReasonCode::control_failed);
        continue;
      }
      found = true;
      look_at_facts(trial, ReasonCode::control_failed);
      if (!trial.candidates.empty()) block(ReasonCode::control_failed, of_trial(trial.id), "had candidates installed");
    }
    if (!found && policy_.control == ControlTrial::required) {
      block(ReasonCode::control_failed, of_department(),
            "there is no control trial (the same reboots without a patch)");
    }
    if (found) asked(ReasonCode::control_failed, of_department(), "the same reboots without a patch passed");
  }

  // The try in its place decides. It must be there, and itself not be lost in a circle.
  void look_at_lost(const TrialRecord& lost, ReasonCode code) {
    const auto place = std::ranges::find(department_.trials, lost.retried_as, &TrialRecord::id);
    if (place != department_.trials.end() && place->purpose == lost.purpose && place->id > lost.id) return;
    block(code, of_trial(lost.id),
          fmt::format("is said to be tried again as '{}', which is no later {} trial", lost.retried_as,
                      reports::to_string(lost.purpose)));
  }

  // A set that failed is not promoted because it was tried until it passed.
  void look_at_failures_of_the_set() {
    for (const auto& trial : department_.trials) {
      if (trial.outcome != Outcome::fail || trial.purpose == Purpose::removal || is_lost(trial) ||
          trial.candidates.empty() || !same_members(trial.candidates, promotable_on(trial.machines)))
        continue;
      for (const auto& fact : failure_signature(trial)) {
        if (is_excused(fact)) continue;
        const auto text = fmt::format("the same candidates failed here on {}", fact);
        if (is_accepted(ReasonCode::not_reproduced, of_fact(fact, trial.id), fact, text)) continue;
        block(ReasonCode::not_reproduced, of_fact(fact, trial.id), text + ", and nobody knows why");
      }
    }
    for (const auto& flaky : department_.flaky) {
      if (flaky.kind != FlakeKind::not_reproduced || is_excused(flaky.fact)) continue;
      if (is_accepted(ReasonCode::not_reproduced, of_fact(flaky.fact), flaky.fact, counts_of(flaky))) continue;
      block(ReasonCode::not_reproduced, of_fact(flaky.fact), counts_of(flaky));
    }
    asked(ReasonCode::not_reproduced, of_department(), "what failed here has an explanation");
  }
  [[nodiscard]] bool is_excused(const std::string& fact) const {
    return policy_.not_reproduced == NotReproduced::flaky_in_control && is_flaky_without_patches(department_, fact);
  }
  // What is to be promoted, as far as it touches these machines.
  [[nodiscard]] std::vector<std::string> promotable_on(const std::vector<std::string>& machines) const {
    std::vector<std::string> ids;
    for (const auto& id : passed_) {
      const auto& touched = find_verdict(department_, id)->machines;
      if (std::ranges::any_of(touched, [&](const auto& name) { return std::ranges::count(machines, name) > 0; }))
        ids.push_back(id);
    }
    return ids;
  }

  void look_at_department() {
    if (department_.error) block(ReasonCode::lab_error, of_department(), department_.error->message);
    const bool undecided = std::ranges::any_of(
        department_.verdicts, [](const VerdictRecord& verdict) { return verdict.outcome == Outcome::error; });
    if (department_.outcome == Outcome::error && !department_.error && !undecided) {
      block(ReasonCode::lab_error, of_department(), "ended in error");
    }
    if (department_.outcome == Outcome::not_reached) block(ReasonCode::lab_error, of_department(), "was not reached");
    asked(ReasonCode::lab_error, of_department(), "the lab could tell");
  }

  void sort_verdicts() {
    for (const auto& verdict : department_.verdicts) {
      if (find_candidate(record_, verdict.candidate) == nullptr) {
        block(ReasonCode::verdict_missing, of_candidate(verdict.candidate),
              "has a verdict but is no candidate of the run");
      }
    }
    for (const auto& candidate : record_.candidates) {
      const auto count = std::ranges::count(department_.verdicts, candidate.id, &VerdictRecord::candidate);
      if (count == 1)
        sort_verdict(*find_verdict(department_, candidate.id));
      else
        block(ReasonCode::verdict_missing, of_candidate(candidate.id),
              fmt::format("has {} verdicts instead of one", count));
    }
    asked(ReasonCode::verdict_missing, of_department(),
          fmt::format("each of {} candidates has a verdict", record_.candidates.size()));
  }

  void sort_verdict(const VerdictRecord& verdict) {
    const auto why = [&](const char* fallback) { return verdict.reason.empty() ? fallback : verdict.reason; };
    if (is_in_named_set(verdict.candidate)) return sort_named(verdict);
    if (named_ == Named::yes && verdict.outcome == Outcome::pass) {
      block(ReasonCode::final_set_differs, of_candidate(verdict.candidate),
            "passed, and is not in the set in which something was waived");
    }
    switch (verdict.outcome) {
      case Outcome::pass: return sort_pass(verdict);
      case Outcome::fail: return hold_back(ReasonCode::candidate_failed, verdict.candidate, why("fails"));
      case Outcome::error:
        return hold_back(ReasonCode::candidate_undecided, verdict.candidate, why("the lab could not tell"));
      case Outcome::not_reached:
        return hold_back(ReasonCode::candidate_undecided, verdict.candidate, why("was not reached"));
      case Outcome::skipped:
        return hold_back(ReasonCode::candidate_skipped, verdict.candidate, why("applies to nothing here"));
    }
    block(ReasonCode::lab_error, of_candidate(verdict.candidate), "has an unknown outcome");
  }

  // Of a set that somebody named: what failed goes along when each failure that convicts it was waived.
  void sort_named(const VerdictRecord& verdict) {
    switch (verdict.outcome) {
      case Outcome::pass: return sort_pass(verdict);
      case Outcome::fail: return sort_waived(verdict);
      case Outcome::error:
      case Outcome::not_reached:
        return block(ReasonCode::candidate_undecided, of_candidate(verdict.candidate),
                     "the lab could not tell, and that can never be waived");
      case Outcome::skipped:
        return block(ReasonCode::candidate_skipped, of_candidate(verdict.candidate), "applies to nothing here");
    }
    block(ReasonCode::lab_error, of_candidate(verdict.candidate), "has an unknown outcome");
  }
  void sort_waived(const VerdictRecord& verdict) {
    passed_.push_back(verdict.candidate);
    if (verdict.machines.empty())
      block(ReasonCode::coverage_missing, of_candidate(verdict.candidate), "failed without a machine it applies to");
    if (verdict.failed.empty())
      block(ReasonCode::candidate_failed, of_candidate(verdict.candidate), "fails, and the record does not say how");
    for (const auto& fact : verdict.failed) {
      auto subject = of_fact(fact);
      subject.candidate = verdict.candidate;
      const auto text = fmt::format("fails: {}", fact);
      if (!is_accepted(ReasonCode::candidate_failed, subject, fact, text))
        block(ReasonCode::candidate_failed, subject, text + ", and no waiver of that counts");
    }
  }

  void sort_pass(const VerdictRecord& verdict) {
    passed_.push_back(verdict.candidate);
    if (verdict.machines.empty())
      block(ReasonCode::coverage_missing, of_candidate(verdict.candidate), "passed without a machine it applies to");
    if (!verdict.failed.empty() || !verdict.group.empty()) {
      block(ReasonCode::lab_error, of_candidate(verdict.candidate),
            "is said to pass although failures are recorded for it");
    }
  }

  // Of a named set any trial of all machines may be it; of several, one that left nothing out.
  [[nodiscard]] const TrialRecord* trial_of_the_set() const {
    if (named_ == Named::no)
      return department_.final_trial.empty() ? nullptr : find_trial(department_, department_.final_trial);
    const TrialRecord* found = nullptr;
    std::size_t least = 0;
    for (const auto& trial : department_.trials) {
      if (!is_trial_of_a_set(trial) || !same_members(trial.candidates, people_.set)) continue;
      const auto* facts = facts_of(department_, trial);
      if (facts == nullptr || facts->machines.size() != department_.machines.size()) continue;
      const auto missing = missing_checks(department_, *facts).size();
      if (found != nullptr && missing > least) continue;
      found = &trial;
      least = missing;
    }
    return found;
  }

  void look_at_final_trial() {
    if (passed_.empty()) return block(ReasonCode::nothing_to_promote, of_department(), "no candidate passed");
    asked(ReasonCode::nothing_to_promote, of_department(),
          fmt::format("{} of {} candidates passed", passed_.size(), record_.candidates.size()));
    const auto* trial = trial_of_the_set();
    if (trial == nullptr) {
      return block(ReasonCode::no_final_trial, of_department(),
                   "the set to be promoted was not tested as exactly that set");
    }
    const auto* facts = facts_of(department_, *trial);
    if (facts == nullptr) {
      return block(ReasonCode::no_final_trial, of_trial(trial->id),
                   fmt::format("the results it reused ('{}') are not those of the same set", trial->reused_from));
    }
    if (std::ranges::count(department_.trials, trial->id, &TrialRecord::id) != 1) {
      block(ReasonCode::no_final_trial, of_trial(trial->id), "is in the record twice");
    }
    if (!same_members(facts->candidates, passed_)) {
      block(ReasonCode::final_set_differs, of_trial(trial->id),
            fmt::format("tested {{{}}}, to be promoted {{{}}}", fmt::join(facts->candidates, ", "),
                        fmt::join(passed_, ", ")));
    }
    look_at_set_digest(*facts);
    look_at_facts(*facts, ReasonCode::final_trial_failed);
    look_at_installs(*facts);
    look_at_flaky(*facts);
    decision_.promotable = facts->candidates;
    decision_.trial = trial->id;
    const auto it = of_trial(trial->id);
    asked(ReasonCode::no_final_trial, it, "tested what is to be promoted");
    asked(ReasonCode::final_set_differs, it,
          fmt::format("as exactly that set: {}", fmt::join(facts->candidates, ", ")));
    asked(ReasonCode::final_trial_failed, it, "passed as a whole");
    asked(ReasonCode::coverage_missing, it, "every planned check and installation was executed");
  }

  // A check that was steady without a patch, and failed once with exactly this set, must have been steady in another
  // trial of the same set; else nobody knows whether the set makes it fail now and then.
  void look_at_flaky(const TrialRecord& trial) {
    for (const auto& key : flaky_since_patched(department_.trials, trial)) {
      const bool refuted = std::ranges::any_of(department_.trials, [&](const TrialRecord& other) {
        return other.id != trial.id && other.outcome == Outcome::pass && other.set_digest == trial.set_digest &&
               same_members(other.machines, trial.machines) && missing_checks(department_, other).empty() &&
               std::ranges::count(flaky_since_patched(department_.trials, other), key) == 0;
      });
      if (refuted) continue;
      const auto text = fmt::format(
          "{} failed and passed with this set, was steady without a patch, and no other trial of the set passed "
          "without that",
          key);
      if (is_accepted(ReasonCode::not_reproduced, of_fact(key, trial.id), key, text)) continue;
      block(ReasonCode::not_reproduced, of_fact(key, trial.id), text);
    }
  }

  void look_at_set_digest(const TrialRecord& trial) {
    std::vector<std::string> digests;
    for (const auto& id : trial.candidates) {
      const auto* candidate = find_candidate(record_, id);
      digests.push_back(candidate == nullptr ? "" : candidate->digest);
    }
    if (trial.set_digest != patch_set_digest(digests)) {
      block(ReasonCode::digest_mismatch, of_trial(trial.id), "its set digest is not that of its candidates");
    }
  }

  // Every promotable candidate was really installed on every machine it applies to.
  void look_at_installs(const TrialRecord& trial) {
    for (const auto& id : passed_) {
      for (const auto& machine : find_verdict(department_, id)->machines) {
        const bool installed = std::ranges::any_of(trial.installs, [&](const InstallRecord& install) {
          return install.candidate == id && install.machine == machine && install.outcome == Outcome::pass;
        });
        if (!installed)
          block(ReasonCode::coverage_missing,
                {.department = department_.name, .machine = machine, .candidate = id, .trial = trial.id},
                fmt::format("{} was not installed on {}", id, machine));
      }
    }
    for (const auto& install : trial.installs) {
      if (install.installed_in.empty() || was_installed_there(trial, install)) continue;
      block(ReasonCode::coverage_missing,
            {.department = department_.name,
             .machine = install.machine,
             .candidate = install.candidate,
             .trial = trial.id},
            fmt::format("{} on {} is said to come from {}, which did not install the same in the same order",
                        install.candidate, install.machine, install.installed_in));
    }
  }

  // The state from which a trial started is only as good as the trial that made it: the same candidates on that
  // machine, in the same order, up to this one, all of them installed well.
  [[nodiscard]] bool was_installed_there(const TrialRecord& trial, const InstallRecord& install) const {
    const auto maker = std::ranges::find(department_.trials, install.installed_in, &TrialRecord::id);
    if (maker == department_.trials.end() || !maker->reused_from.empty()) return false;
    const auto up_to = [&](const TrialRecord& record) {
      std::vector<std::string> sequence;
      for (const auto& entry : record.installs) {
        if (entry.machine != install.machine || entry.outcome != Outcome::pass) continue;
        sequence.push_back(entry.candidate);
        if (entry.candidate == install.candidate) return sequence;
      }
      return std::vector<std::string>{};
    };
    const bool itself = std::ranges::any_of(maker->installs, [&](const InstallRecord& entry) {
      return entry.machine == install.machine && entry.candidate == install.candidate && entry.installed_in.empty();
    });
    const auto there = up_to(*maker);
    return itself && !there.empty() && there == up_to(trial);
  }

  void look_at_prerequisites() {
    for (const auto& id : passed_) {
      for (const auto& needed : find_candidate(record_, id)->prerequisites) {
        std::vector<std::string> held_back;
        bool fulfilled = false;
        for (const auto& provider : providers_of(needed)) {
          const auto* verdict = find_verdict(department_, provider);
          if (verdict == nullptr || verdict->outcome == Outcome::skipped) continue;
          if (std::ranges::count(passed_, provider) > 0)
            fulfilled = true;
          else
            held_back.push_back(provider);
        }
        // All of them skipped: what is needed is there already, or not for these machines.
        if (!fulfilled && !held_back.empty())
          block(ReasonCode::prerequisite_held_back, of_candidate(id),
                fmt::format("needs {}, which is held back", fmt::join(held_back, ", ")));
      }
    }
    if (!passed_.empty())
      asked(ReasonCode::prerequisite_held_back, of_department(), "nothing that is needed is held back");
  }
  // Who fulfils a prerequisite: itself, and whatever supersedes it, directly or through others.
  [[nodiscard]] std::vector<std::string> providers_of(const std::string& needed) const {
    std::vector<std::string> providers{needed};
    for (std::size_t i = 0; i < providers.size(); ++i) {
      const auto older = providers[i];
      for (const auto& candidate : record_.candidates) {
        if (std::ranges::count(candidate.supersedes, older) > 0 && std::ranges::count(providers, candidate.id) == 0)
          providers.push_back(candidate.id);
      }
    }
    return providers;
  }

  const RunRecord& record_;
  const DepartmentRecord& department_;
  const Policy& policy_;
  const Today& today_;
  static inline const PeopleOn nobody{};
  const PeopleOn& people_;
  Named named_;
  Decision decision_;
  std::string went_back_;            // by a rollback, in words
  std::vector<Requirement> asked_;   // met, unless something blocks
  std::vector<Requirement> waived_;  // met, since somebody accepted it
  std::vector<std::string> taken_over_;
  static constexpr std::size_t most_named = 3;
  std::vector<std::string> passed_;
};

// What passed, or with what was waived. A set that may be promoted goes before one that may not, and the larger before
// the smaller; when none may, it is about what passed, as long as something did.
Decision decide_on_sets(const RunRecord& record, const DepartmentRecord& department, const Policy& policy,
                        const Today& today) {
  const auto passed = set_of(department, department.final_trial);
  const PeopleOn* on_passed = nullptr;
  std::vector<Decision> others;
  if (const auto people = today.people.find(department.name); people != today.people.end()) {
    for (const auto& one : people->second) {
      if (same_members(one.set, passed))
        on_passed = &one;
      else if (one.anything_waived)
        others.push_back(Gate(record, department, policy, today, &one, Gate::Named::yes).decide());
    }
  }
  auto best = Gate(record, department, policy, today, on_passed, Gate::Named::no).decide();
  for (auto& other : others) {
    const bool better = best.promotes() ? other.promotes() && other.promotable.size() > best.promotable.size()
                                        : other.promotes() || passed.empty();
    if (better) best = std::move(other);
  }
  return best;
}

}  // namespace

// Where running again is the way: nothing else can fill in what this run does not have.
std::string command_for(ReasonCode code, const RunRecord& record) {
  switch (code) {
    case ReasonCode::run_incomplete:
    case ReasonCode::evidence_changed:
    case ReasonCode::stale:
    case ReasonCode::narrowed:
    case ReasonCode::not_asked:
    case ReasonCode::fence_unproven:
    case ReasonCode::golden_image_changed:
    case ReasonCode::digest_mismatch:
    case ReasonCode::lab_error:
    case ReasonCode::verdict_missing:
    case ReasonCode::no_final_trial:
    case ReasonCode::final_set_differs:
    case ReasonCode::coverage_missing:
    case ReasonCode::scenario_not_allowed:
    case ReasonCode::tool_version_not_allowed:
    case ReasonCode::machine_not_planned:
    case ReasonCode::check_not_planned:
    case ReasonCode::phase_not_planned:
    case ReasonCode::coverage_shrunk:
    case ReasonCode::candidate_undecided: return "patchlab run SCENARIO";
    case ReasonCode::approval_missing:
    case ReasonCode::check_changed: return "patchlab approve " + record.id;
    case ReasonCode::submitter_unknown: return "patchlab submit " + record.id;
    case ReasonCode::waiver_expired:
    case ReasonCode::waiver_too_long:
    case ReasonCode::waiver_of_other_run: return "patchlab waive " + record.id;
    case ReasonCode::waiver_not_approved:
    case ReasonCode::approval_of_other_run:
    case ReasonCode::approval_of_other_set:
    case ReasonCode::approval_of_other_policy:
    case ReasonCode::approval_of_other_department:
    case ReasonCode::approval_not_distinct:
    case ReasonCode::security_key_not_touched:
    case ReasonCode::security_key_not_verified: return "patchlab approve " + record.id;
    case ReasonCode::signer_unknown:
    case ReasonCode::signer_not_in_force:
    case ReasonCode::namespace_not_allowed: return "patchlab trust check FILE";
    case ReasonCode::statement_unreadable:
    case ReasonCode::unknown_kind:
    case ReasonCode::statement_edited:
    case ReasonCode::decisions_unreadable: return "patchlab verify STAGE";
    case ReasonCode::unsigned_statement:
    case ReasonCode::signer_differs:
    case ReasonCode::other_history:
    case ReasonCode::withdrawn:
    case ReasonCode::withdrawal_of_nothing:
    case ReasonCode::withdrawal_not_by_author:
    case ReasonCode::waiver_forbidden:
    case ReasonCode::waiver_out_of_scope:
    case ReasonCode::waiver_not_distinct:
    case ReasonCode::waiver_not_in_policy:
    case ReasonCode::waiver_of_no_failure:
    case ReasonCode::waivers_too_many: break;
    case ReasonCode::window_closed:
    case ReasonCode::publish_failed:
    case ReasonCode::ledger_unusable: return "patchlab promote " + record.id;
    case ReasonCode::promotion_unclear: return "patchlab verify STAGE";
    case ReasonCode::older_than_published: return "patchlab promote " + record.id + " --rollback REASON";
    // What was found stands, whoever asks again: the image, the patch or the lab must become another one first.
    case ReasonCode::not_recorded:
    case ReasonCode::department_unknown:
    case ReasonCode::policy_not_in_force:
    case ReasonCode::policy_ambiguous:
    case ReasonCode::department_not_allowed:
    case ReasonCode::coverage_unknown:
    case ReasonCode::emergency_not_allowed:
    case ReasonCode::review_overdue:
    case ReasonCode::rejected:
    case ReasonCode::fence_breach:
    case ReasonCode::baseline_broken:
    case ReasonCode::control_failed:
    case ReasonCode::final_trial_failed:
    case ReasonCode::not_reproduced:
    case ReasonCode::prerequisite_held_back:
    case ReasonCode::candidate_failed:
    case ReasonCode::candidate_skipped:
    case ReasonCode::nothing_to_promote: break;
  }
  return {};
}

Decision decide(const RunRecord& record, const std::string& department, const Policy& policy, const Today& today) {
  const auto count = std::ranges::count(record.departments, department, &DepartmentRecord::name);
  if (count != 1) {
    Decision refusal;
    refusal.department = department;
    refusal.requirements.push_back({ReasonCode::department_unknown,
                                    {.department = department},
                                    false,
                                    fmt::format("the record has {} departments of this name", count),
                                    {}});
    return refusal;
  }
  return decide_on_sets(record, *std::ranges::find(record.departments, department, &DepartmentRecord::name), policy,
                        today);
}

}  // namespace patchlab::promotion
