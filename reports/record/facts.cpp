// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/facts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "reports/record/carried.hpp"
#include "reports/record/findings.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

// The first that applies wins.
constexpr std::array precedence{ExitCode::fence_breach, ExitCode::bad_configuration, ExitCode::error,
                                ExitCode::inconclusive, ExitCode::candidate_fails,   ExitCode::not_tested,
                                ExitCode::policy,       ExitCode::only_skips,        ExitCode::ok};

bool has_verdict(const DepartmentRecord& department, Outcome outcome) {
  return std::ranges::any_of(department.verdicts,
                             [&](const VerdictRecord& verdict) { return verdict.outcome == outcome; });
}

bool is_only_skips(const DepartmentRecord& department) {
  return !department.error && !department.verdicts.empty() &&
         std::ranges::all_of(department.verdicts,
                             [](const VerdictRecord& verdict) { return verdict.outcome == Outcome::skipped; });
}

bool saw_a_set_fail(const DepartmentRecord& department) {
  return std::ranges::any_of(department.trials, [](const TrialRecord& trial) {
    switch (trial.purpose) {
      case Purpose::batch:
      case Purpose::search:
      case Purpose::confirm:
      case Purpose::final: return trial.outcome == Outcome::fail;
      case Purpose::baseline:
      case Purpose::control:
      case Purpose::removal: break;
    }
    return false;
  });
}

// A failure was seen, and the search ended without a name for it.
bool is_inconclusive(const DepartmentRecord& department) {
  if (!unexplained_flakes(department).empty()) return true;
  return has_verdict(department, Outcome::error) && saw_a_set_fail(department);
}

bool is_without_patch(const TrialRecord& trial) {
  return !is_lost(trial) && (trial.purpose == Purpose::baseline || trial.purpose == Purpose::control);
}

// The trial of what passed, with its own facts or those that it took over; null: there is none.
const TrialRecord* final_facts(const DepartmentRecord& department) {
  const auto* final_trial = find_trial(department, department.final_trial);
  return final_trial == nullptr ? nullptr : facts_of(department, *final_trial);
}

RunFact fact_of_run(const RunRecord& record) {
  RunFact fact{.kind = FactKind::run, .outcome = Outcome::pass, .code = "ok", .sentence = "it ran to its end"};
  const auto say = [&](Outcome outcome, const char* code, std::string sentence, ExitCode asks_for) {
    fact.outcome = outcome;
    fact.code = code;
    fact.sentence = std::move(sentence);
    fact.asks_for = asks_for;
  };
  if (record.error) {
    const bool is_configuration = record.error->error_class == ErrorClass::configuration;
    say(Outcome::error, to_string(record.error->error_class), record.error->message,
        is_configuration ? ExitCode::bad_configuration : ExitCode::error);
    fact.detail = record.error->hint;
  } else if (!record.complete) {
    say(Outcome::not_reached, "run-incomplete", "the run was interrupted before its end", ExitCode::not_tested);
  } else if (record.departments.empty() || record.candidates.empty()) {
    say(Outcome::not_reached, "nothing-tested", "nothing was tested", ExitCode::not_tested);
  } else if (std::ranges::all_of(record.departments, is_only_skips)) {
    say(Outcome::not_reached, "only-skips", "no candidate applies to any machine", ExitCode::only_skips);
  }
  return fact;
}

// Everything that is wrong with a department beside its fence, verdicts and checks; the worst is its fact, the rest is
// told as well.
class Troubles {
 public:
  explicit Troubles(const DepartmentRecord& department) : department_(department) {}

  RunFact fact() {
    look();
    RunFact fact{.kind = FactKind::department,
                 .department = department_.name,
                 .outcome = Outcome::pass,
                 .code = "ok",
                 .sentence = "the lab could tell"};
    if (is_only_skips(department_)) {
      fact.outcome = Outcome::skipped;
      fact.sentence = "no candidate applies here";
    }
    if (found_.empty()) return fact;
    std::ranges::stable_sort(found_, {}, [](const RunFact& one) {
      return std::ranges::find(precedence, one.asks_for) - precedence.begin();
    });
    for (std::size_t i = 1; i < found_.size(); ++i) found_[0].detail += found_[i].sentence + "\n";
    return std::move(found_[0]);
  }

 private:
  void add(Outcome outcome, std::string code, std::string sentence, ExitCode asks_for, std::string detail = {}) {
    found_.push_back({.kind = FactKind::department,
                      .department = department_.name,
                      .subject = {},
                      .outcome = outcome,
                      .code = std::move(code),
                      .sentence = std::move(sentence),
                      .detail = detail.empty() ? std::move(detail) : detail + "\n",
                      .asks_for = asks_for});
  }

  void look() {
    if (const auto& error = department_.error; error)
      add(Outcome::error, to_string(error->error_class), error->message, ExitCode::error, error->hint);
    for (const auto& trial : department_.trials) {
      if (!is_without_patch(trial) || trial.outcome != Outcome::fail) continue;
      add(Outcome::error, fmt::format("{}-fails", to_string(trial.purpose)),
          fmt::format("the {} fails without any patch: {}", to_string(trial.purpose), fmt::join(trial.signature, ", ")),
          ExitCode::error);
    }
    const bool undecided = department_.outcome == Outcome::error || has_verdict(department_, Outcome::error);
    if (found_.empty() && undecided)
      add(Outcome::error, "undecided", "the lab could not tell",
          is_inconclusive(department_) ? ExitCode::inconclusive : ExitCode::error);
    look_at_goldens();
    if (has_verdict(department_, Outcome::pass)) look_at_final_trial();
  }

  // A changed image voids whatever was seen; one that nobody looked at afterwards, what passed.
  void look_at_goldens() {
    for (const auto& machine : department_.machines) {
      const auto& after = machine.golden_digest_after;
      if (after == machine.golden_digest) continue;
      if (after.empty() && !has_verdict(department_, Outcome::pass)) continue;
      add(Outcome::error, "golden-image-changed",
          after.empty() ? fmt::format("nobody looked at the golden image of {} after the run", machine.name)
                        : fmt::format("the golden image of {} changed during the run", machine.name),
          ExitCode::policy);
    }
  }

  void look_at_final_trial() {
    const auto* facts = final_facts(department_);
    if (facts == nullptr) {
      add(Outcome::not_reached, "no-final-trial", "what passed was not tried as one set", ExitCode::not_tested);
    } else if (facts->outcome != Outcome::pass) {
      add(Outcome::error, "final-trial-fails",
          fmt::format("the trial of what passed ended in {}", to_string(facts->outcome)), ExitCode::error);
    }
  }

  const DepartmentRecord& department_;
  std::vector<RunFact> found_;
};

// Without a gate's word: whether something was tried in each phase, and the control was heard.
std::string lacks_fence_proof(const FenceRecord& fence) {
  if (!fence.troubles.empty()) return fence.troubles.front();
  if (fence.attempts.empty()) return "no probe was sent";
  for (const char* phase : {"before", "during", "after"}) {
    const auto any = [&](auto is_so) {
      return std::ranges::any_of(fence.attempts, [&](const FenceAttempt& attempt) {
        return attempt.phase == phase && attempt.sent && is_so(attempt);
      });
    };
    if (!any([](const auto& attempt) { return !attempt.control; }))
      return fmt::format("no probe was sent {} the trials", phase);
    if (!any([](const auto& attempt) { return attempt.heard_control(); }))
      return fmt::format("no control was heard {} the trials: the silence proves nothing", phase);
  }
  return {};
}

std::string lacks_fence_proof(const DepartmentRecord& department, const DecisionRecord& decision) {
  if (decision.state == DecisionState::undecided) return lacks_fence_proof(department.fence);
  if (decision.state != DecisionState::refused) return {};
  for (const auto& requirement : decision.requirements) {
    if (!requirement.met && requirement.code == "fence-unproven") return requirement.text;
  }
  return {};
}

bool was_to_be_carried(const DepartmentRecord& department) { return !department.tested_in.empty(); }

// Nothing was seen here. Whether what was seen elsewhere is enough is the policy's word, which the decision tells; that
// it is no answer at all stands against the run.
RunFact fact_of_carrying(const RunRecord& record, const DepartmentRecord& department) {
  const auto carrying = carrying_of(record, department.name);
  RunFact fact{.kind = FactKind::department,
               .department = department.name,
               .outcome = Outcome::skipped,
               .code = "carried",
               .sentence = sentence_of(carrying, record.id)};
  if (carrying.is_carried()) return fact;
  fact.outcome = Outcome::not_reached;
  fact.code = "carried-not-alike";
  fact.asks_for = ExitCode::not_tested;
  fact.sentence = fmt::format("not tested here, and not like '{}'", carrying.tested_in);
  for (const auto& one : carrying.obstacles)
    fact.detail += fmt::format("{}{}{}\n", one.machine, one.machine.empty() ? "" : ": ", one.text);
  return fact;
}

RunFact fact_of_carried_verdict(const DepartmentRecord& department, const DepartmentRecord& seen,
                                const std::string& candidate) {
  const auto* verdict = find_verdict(seen, candidate);
  return {.kind = FactKind::verdict,
          .department = department.name,
          .subject = candidate,
          .outcome = Outcome::skipped,
          .code = "carried",
          .sentence = fmt::format("not tried here; in '{}': {}", department.tested_in,
                                  to_string(verdict == nullptr ? Outcome::not_reached : verdict->outcome))};
}

RunFact fact_of_fence(const DepartmentRecord& department, const DecisionRecord& decision) {
  const auto& fence = department.fence;
  RunFact fact{.kind = FactKind::fence,
               .department = department.name,
               .outcome = Outcome::pass,
               .code = "ok",
               .sentence = fmt::format("{} attempts to get out, none was answered", fence.tries())};
  for (const auto& attempt : fence.attempts) {
    if (!attempt.is_answer_of_a_leak()) continue;
    const auto line = fmt::format("{} to {} was answered {} the trials", attempt.probe, attempt.target, attempt.phase);
    if (fact.outcome == Outcome::pass) fact.sentence = "the fence leaks, the run is void: " + line;
    fact.outcome = Outcome::error;
    fact.code = "fence-breach";
    fact.asks_for = ExitCode::fence_breach;
    fact.detail += line + ": " + attempt.evidence + "\n";
  }
  if (fact.outcome != Outcome::pass) return fact;
  if (const auto why = lacks_fence_proof(department, decision); !why.empty()) {
    const bool nothing_ran = is_only_skips(department) || was_to_be_carried(department);
    fact.outcome = nothing_ran ? Outcome::skipped : Outcome::not_reached;
    fact.code = nothing_ran ? "nothing-tested" : "fence-unproven";
    fact.asks_for = nothing_ran ? ExitCode::ok : ExitCode::policy;
    fact.sentence =
        nothing_ran ? "nothing was tested here, so nothing tried to get out" : "the fence is not proven: " + why;
  }
  for (const auto& trouble : fence.troubles) fact.detail += trouble + "\n";
  return fact;
}

// The same of one phase. It stands against the run only where the fence of the department does: whether a phase without
// attempts will do is not for it to say.
RunFact fact_of_fence_phase(const DepartmentRecord& department, const std::string& phase, const RunFact& whole) {
  std::size_t tries = 0;
  std::string leak;
  bool heard = false;
  RunFact fact{
      .kind = FactKind::fence, .department = department.name, .subject = phase, .outcome = Outcome::pass, .code = "ok"};
  for (const auto& attempt : department.fence.attempts) {
    if (attempt.phase != phase) continue;
    tries += attempt.sent && !attempt.control;
    heard = heard || attempt.heard_control();
    if (!attempt.is_answer_of_a_leak()) continue;
    fact.detail += fmt::format("{} to {} was answered: {}\n", attempt.probe, attempt.target, attempt.evidence);
    if (leak.empty()) leak = fmt::format("{} to {} was answered", attempt.probe, attempt.target);
  }
  fact.sentence = fmt::format("{} attempts to get out, none was answered", tries);
  if (!leak.empty()) {
    fact.outcome = Outcome::error;
    fact.code = "fence-breach";
    fact.sentence = leak;
    fact.asks_for = ExitCode::fence_breach;
  } else if (tries == 0 || !heard) {
    const bool counts = whole.stands_against() && whole.code == "fence-unproven";
    fact.outcome = counts ? Outcome::not_reached : Outcome::skipped;
    fact.code = counts ? "fence-unproven" : "nothing-tested";
    fact.sentence = tries == 0 ? "no probe was sent" : "no control was heard: the silence proves nothing";
    fact.asks_for = counts ? ExitCode::policy : ExitCode::ok;
  }
  return fact;
}

RunFact fact_of_decision(const DepartmentRecord& department, const DecisionRecord& decision) {
  RunFact fact{.kind = FactKind::decision,
               .department = department.name,
               .outcome = Outcome::skipped,
               .code = to_string(decision.state),
               .sentence = "nobody was asked"};
  const auto as_of = " as of " + decision.as_of;
  switch (decision.state) {
    case DecisionState::undecided: return fact;
    case DecisionState::promotable:
    case DecisionState::promoted:
      fact.outcome = Outcome::pass;
      fact.sentence =
          fmt::format("{}{}", decision.state == DecisionState::promoted ? "promoted" : "may be promoted", as_of);
      break;
    case DecisionState::replaced:
      fact.outcome = Outcome::pass;
      fact.sentence = fmt::format("promoted, then replaced by run {}{}", decision.replaced_by, as_of);
      break;
    case DecisionState::refused:
      if (!has_verdict(department, Outcome::pass)) {
        fact.sentence = "nothing passed, so there is nothing to decide" + as_of;
        break;
      }
      fact.outcome = Outcome::fail;
      fact.asks_for = ExitCode::policy;
      fact.sentence = "refused" + as_of;
      for (const auto& requirement : decision.requirements) {
        if (requirement.met || (requirement.about.contains("candidate") && requirement.code.starts_with("candidate-")))
          continue;
        fact.sentence += ": " + to_string(requirement);
        break;
      }
      break;
  }
  for (const auto& reason : decision.reasons()) fact.detail += reason + "\n";
  return fact;
}

// Whether it is enough is the policy's word, which the decision tells.
RunFact fact_of_likeness(const DepartmentRecord& department, const MachineRecord& machine) {
  const auto state = machine.likeness->state();
  RunFact fact{.kind = FactKind::likeness,
               .department = department.name,
               .subject = machine.name,
               .outcome = state == lab::facts::LikenessState::alike ? Outcome::pass : Outcome::skipped,
               .code = state == lab::facts::LikenessState::alike ? "ok" : to_string(state),
               .sentence = sentence_of(*machine.likeness)};
  for (const auto& one : machine.likeness->differences)
    fact.detail +=
        fmt::format("{} {}: golden {}, production {}\n", to_string(one.part), one.name,
                    one.golden.empty() ? "none" : one.golden, one.production.empty() ? "none" : one.production);
  return fact;
}

RunFact fact_of_verdict(const DepartmentRecord& department, const std::string& candidate) {
  RunFact fact{.kind = FactKind::verdict,
               .department = department.name,
               .subject = candidate,
               .outcome = Outcome::not_reached,
               .code = "no-verdict",
               .sentence = "has no verdict",
               .asks_for = ExitCode::not_tested};
  const auto* verdict = find_verdict(department, candidate);
  if (verdict == nullptr) return fact;
  fact.outcome = verdict->outcome;
  const auto say = [&](const char* code, const char* sentence, ExitCode asks_for) {
    fact.code = code;
    fact.sentence = verdict->reason.empty() ? sentence : verdict->reason;
    fact.asks_for = asks_for;
  };
  switch (verdict->outcome) {
    case Outcome::pass: say("ok", "passed", ExitCode::ok); break;
    case Outcome::skipped: say("does-not-apply", "applies to no machine", ExitCode::ok); break;
    case Outcome::fail:
      say(verdict->group.empty() ? "candidate-fails" : "candidates-fail-together", "breaks something",
          ExitCode::candidate_fails);
      break;
    case Outcome::error:
      say("undecided", "the lab could not tell",
          is_inconclusive(department) ? ExitCode::inconclusive : ExitCode::error);
      break;
    case Outcome::not_reached: say("not-reached", "was not reached", ExitCode::not_tested); break;
  }
  if (verdict->outcome == Outcome::pass && !verdict->effect.empty()) fact.detail = "effect: " + verdict->effect + "\n";
  if (verdict->outcome == Outcome::pass || verdict->outcome == Outcome::skipped) return fact;
  fact.detail = fmt::format("group: {}\nfailed: {}\ntrials: {}\n", fmt::join(verdict->group, ", "),
                            fmt::join(verdict->failed, ", "), fmt::join(verdict->trials, ", "));
  return fact;
}

constexpr std::size_t longest_detail = 4000;  // bytes of a change; run.json has the rest

std::string cut(const std::string& text) {
  if (text.size() <= longest_detail) return text;
  auto end = longest_detail;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // never within a letter
  return text.substr(0, end) + "... (run.json has the rest)";
}

// "mail/review:file:/etc/main.cf@69d3986afca3": enough to tell it from other contents.
std::string short_key(const Finding& finding) {
  constexpr std::size_t dropped = 64 - 12;
  const auto key = finding.key();
  return key.substr(0, key.size() - dropped);
}

// A change that nothing explains: whether somebody has to look is the gate's word; without one it is told.
RunFact fact_of_finding(const DepartmentRecord& department, const Finding& finding, const RequirementRecord* asked,
                        const DecisionRecord& decision) {
  const auto& difference = finding.difference;
  const auto what =
      fmt::format("{} {} changed in {} with {}{}{}", difference.kind, difference.item, fmt::join(finding.phases, ", "),
                  few_of(finding.candidates), difference.why.empty() ? "" : ": ", difference.why);
  RunFact fact{.kind = FactKind::finding,
               .department = department.name,
               .subject = short_key(finding),
               .outcome = Outcome::skipped,
               .code = "shown",
               .sentence = what,
               .detail = fmt::format("before: {}\nafter: {}\n{}", cut(difference.before), cut(difference.after),
                                     cut(difference.diff))};
  if (asked == nullptr) return fact;
  if (asked->met) {
    fact.outcome = Outcome::pass;
    fact.code = "accepted";
    fact.sentence = what + ": " + asked->waived;
    return fact;
  }
  fact.code = "needs-decision";
  // What is published stays so when a waiver is over; the next one needs a decision.
  const bool is_published = decision.state == DecisionState::promoted || decision.state == DecisionState::replaced;
  if (!is_published) {
    fact.outcome = Outcome::fail;
    fact.asks_for = ExitCode::policy;
  }
  fact.sentence = "a person has to decide: " + asked->text;
  return fact;
}

void add_findings(std::vector<RunFact>& facts, const DepartmentRecord& department, const DecisionRecord& decision) {
  for (const auto& finding : findings_of_set(department, set_in_question(department, decision))) {
    const auto* requirement = requirement_of(decision, finding);
    const bool is_notice = finding.difference.finding == checks::state::FindingClass::notice;
    if (requirement != nullptr || !is_notice)
      facts.push_back(fact_of_finding(department, finding, requirement, decision));
  }
}

// The checks of a department over all trials that count: those without a patch, that of what passed, and those that
// convict somebody.
class Checks {
 public:
  explicit Checks(const DepartmentRecord& department) : department_(department), final_(final_facts(department)) {
    for (const auto& verdict : department.verdicts) {
      if (verdict.outcome != Outcome::fail) continue;
      for (const auto& key : verdict.failed) culprits_[key].push_back(&verdict);
    }
    for (const auto& trial : department.trials) {
      if (counts(trial)) counting_.push_back(&trial);
    }
    for (const auto* trial : counting_) {
      for (const auto& missing : missing_checks(department, *trial))
        missing_.emplace(check_key(missing.machine, missing.check), missing.phase);
    }
  }

  void add_to(std::vector<RunFact>& facts) const {
    for (const auto& machine : department_.machines) {
      for (const auto& check : machine.checks) facts.push_back(of_check(machine, check));
      if (machine.checks.empty()) facts.push_back(of_check(machine, "*"));
      facts.push_back(of_state(machine));
    }
  }

 private:
  [[nodiscard]] bool counts(const TrialRecord& trial) const {
    return &trial == final_ || (is_without_patch(trial) && trial.reused_from.empty());
  }
  [[nodiscard]] bool took_part(const MachineRecord& machine) const {
    return std::ranges::any_of(
        counting_, [&](const TrialRecord* trial) { return std::ranges::count(trial->machines, machine.name) > 0; });
  }

  // Its candidates break it: in the convicting trial with the fewest of them.
  [[nodiscard]] bool blame(RunFact& fact, const std::string& key) const {
    const auto found = culprits_.find(key);
    if (found == culprits_.end()) return false;
    std::vector<std::string> names;
    for (const auto* verdict : found->second) names.push_back(verdict->candidate);
    fact.outcome = Outcome::fail;
    fact.code = "candidate-fails";
    fact.asks_for = ExitCode::candidate_fails;
    fact.sentence = fmt::format("fails with {}", fmt::join(names, ", "));
    const TrialRecord* closest = nullptr;
    for (const auto& id : found->second.front()->trials) {
      const auto* trial = find_trial(department_, id);
      const auto* facts = trial == nullptr ? nullptr : facts_of(department_, *trial);
      if (facts == nullptr || std::ranges::count(failure_signature(*facts), key) == 0) continue;
      if (closest == nullptr || facts->candidates.size() < closest->candidates.size()) closest = facts;
    }
    if (closest != nullptr) fact.detail = seen_in(*closest, key);
    return true;
  }

  static std::string seen_in(const TrialRecord& trial, const std::string& key) {
    std::string text;
    for (const auto& phase : trial.phases) {
      for (const auto& check : phase.checks) {
        if (check_key(phase.machine, check.id) != key || check.outcome != Outcome::fail) continue;
        return fmt::format("{} in {}: {}\nexpected: {}\nobserved: {}\n", phase.phase, trial.id, check.reason,
                           check.expected, check.observed);
      }
      for (const auto& difference : phase.differences) {
        if (difference.is_failure() && difference_key(phase.machine, difference) == key)
          text = fmt::format("{} in {}: {} {}: {} -> {}\n", phase.phase, trial.id, difference.kind, difference.item,
                             difference.before, difference.after);
      }
    }
    return text;
  }

  [[nodiscard]] RunFact start(const MachineRecord& machine, const std::string& check) const {
    RunFact fact{.kind = FactKind::check,
                 .department = department_.name,
                 .subject = check_key(machine.name, check),
                 .outcome = Outcome::pass,
                 .code = "ok",
                 .sentence = "as expected"};
    if (took_part(machine)) return fact;
    const bool nothing_ran = is_only_skips(department_) || was_to_be_carried(department_);
    fact.outcome = nothing_ran ? Outcome::skipped : Outcome::not_reached;
    fact.code = "nothing-tested";
    fact.sentence = "no trial looked at it";
    fact.asks_for = nothing_ran ? ExitCode::ok : ExitCode::not_tested;
    return fact;
  }

  [[nodiscard]] RunFact of_check(const MachineRecord& machine, const std::string& check) const {
    auto fact = start(machine, check);
    if (blame(fact, fact.subject)) return fact;
    const auto missing = missing_.find(fact.subject);
    if (missing != missing_.end()) {
      fact.outcome = Outcome::not_reached;
      fact.code = "not-reached";
      fact.sentence = fmt::format("planned, but not executed in {}", missing->second);
      fact.asks_for = ExitCode::not_tested;
    }
    for (const auto* trial : counting_) {
      for (const auto& phase : trial->phases) {
        const auto* result = phase.machine == machine.name ? find_check(phase, check) : nullptr;
        if (result != nullptr && look_at(fact, *trial, phase, *result)) return fact;
      }
    }
    return fact;
  }

  // True when it stands against the run, whoever is to blame.
  static bool look_at(RunFact& fact, const TrialRecord& trial, const PhaseRecord& phase,
                      const checks::CheckResult& result) {
    if (result.outcome == Outcome::skipped) {
      fact.outcome = Outcome::not_reached;
      fact.code = "skipped";
      fact.sentence = fmt::format("skipped in {}: {}", phase.phase, result.observed);
      fact.asks_for = ExitCode::not_tested;
      fact.detail = fmt::format("trial: {}\nobserved: {}\n", trial.id, result.observed);
    }
    if (result.outcome != Outcome::fail && result.outcome != Outcome::error) return false;
    const bool without_patch = trial.candidates.empty();
    fact.outcome = without_patch ? Outcome::error : result.outcome;
    fact.code = result.error ? to_string(result.error->error_class) : result.reason;
    fact.asks_for = fact.outcome == Outcome::fail ? ExitCode::candidate_fails : ExitCode::error;
    fact.sentence =
        fmt::format("{} in {}{}: {}", to_string(result.outcome), phase.phase, without_patch ? " without any patch" : "",
                    result.error ? result.error->message : result.reason);
    fact.detail = fmt::format("trial: {}\nexpected: {}\nobserved: {}\n", trial.id, result.expected, result.observed);
    return true;
  }

  // What changed there and fails nobody, in the trials that count.
  [[nodiscard]] std::string what_else_changed(const MachineRecord& machine) const {
    std::set<std::string> review;
    std::set<std::string> notice;
    for (const auto* trial : counting_) {
      for (const auto& phase : trial->phases) {
        if (phase.machine != machine.name) continue;
        for (const auto& difference : phase.differences) {
          switch (difference.finding) {
            case checks::state::FindingClass::breach: break;
            case checks::state::FindingClass::review: review.insert(difference.kind + " " + difference.item); break;
            case checks::state::FindingClass::notice: notice.insert(difference.kind + " " + difference.item); break;
          }
        }
      }
    }
    if (!review.empty()) {
      const auto more = review.size() == 1 ? std::string() : fmt::format(", and {} more", review.size() - 1);
      return fmt::format("a person has to look at what changed: {}{}", *review.begin(), more);
    }
    return notice.empty() ? "nothing else changed"
                          : fmt::format("{} changed that stands in nobody's way", notice.size());
  }

  // What changed on the machine although nobody's check saw it, and what could not be looked at.
  [[nodiscard]] RunFact of_state(const MachineRecord& machine) const {
    auto fact = start(machine, "state");
    fact.sentence = fact.outcome == Outcome::pass ? what_else_changed(machine) : fact.sentence;
    for (const auto& [key, verdicts] : culprits_) {
      if (key.starts_with(machine.name + "/state:") && blame(fact, key)) return fact;
    }
    for (const auto* trial : counting_) {
      for (const auto& phase : trial->phases) {
        if (phase.machine != machine.name) continue;
        if (phase.error) {
          fact.outcome = Outcome::error;
          fact.code = to_string(phase.error->error_class);
          fact.asks_for = ExitCode::error;
          fact.sentence = fmt::format("{} in {}: {}", to_string(Outcome::error), phase.phase, phase.error->message);
          return fact;
        }
        const auto found = std::ranges::find_if(phase.differences, &checks::state::StateDifference::is_failure);
        if (found == phase.differences.end()) continue;
        const auto& difference = *found;
        const bool without_patch = trial->candidates.empty();
        fact.outcome = without_patch ? Outcome::error : Outcome::fail;
        fact.code = "state-changed";
        fact.asks_for = without_patch ? ExitCode::error : ExitCode::candidate_fails;
        fact.sentence = fmt::format("{} {} changed in {}", difference.kind, difference.item, phase.phase);
        fact.detail = seen_in(*trial, difference_key(machine.name, difference));
        return fact;
      }
    }
    return fact;
  }

  const DepartmentRecord& department_;
  const TrialRecord* final_;
  std::vector<const TrialRecord*> counting_;
  std::map<std::string, std::vector<const VerdictRecord*>> culprits_;
  std::map<std::string, std::string> missing_;  // and the first phase that lacks it
};

// Against the run where nobody knows why the set that was to be promoted failed; else only told.
RunFact fact_of_flake(const DepartmentRecord& department, const FlakyRecord& flaky) {
  const bool unexplained = flaky.kind == FlakeKind::not_reproduced && !is_flaky_without_patches(department, flaky.fact);
  return {.kind = FactKind::flaky,
          .department = department.name,
          .subject = fmt::format("{} ({}{}{})", flaky.fact, to_string(flaky.kind), flaky.candidates.empty() ? "" : ": ",
                                 fmt::join(flaky.candidates, "+")),
          .outcome = unexplained ? Outcome::error : Outcome::skipped,
          .code = to_string(flaky.kind),
          .sentence = counts_of(flaky),
          .detail = fmt::format("failed in: {}\npassed in: {}\n", fmt::join(flaky.failed, ", "),
                                fmt::join(flaky.passed, ", ")),
          .asks_for = unexplained ? ExitCode::inconclusive : ExitCode::ok};
}

}  // namespace

const char* to_string(FactKind kind) {
  switch (kind) {
    case FactKind::run: return "run";
    case FactKind::department: return "department";
    case FactKind::fence: return "fence";
    case FactKind::decision: return "decision";
    case FactKind::likeness: return "likeness";
    case FactKind::verdict: return "verdict";
    case FactKind::finding: return "finding";
    case FactKind::check: return "check";
    case FactKind::flaky: return "flaky";
  }
  return "run";
}

bool RunFact::stands_against() const { return outcome != Outcome::pass && outcome != Outcome::skipped; }

std::string name_of(const RunFact& fact) {
  std::string name = fact.department;
  if (!name.empty()) name += ' ';
  name += to_string(fact.kind);
  if (!fact.subject.empty()) name += ' ' + fact.subject;
  return name;
}

std::vector<RunFact> facts_of_run(const RunRecord& record, const Decisions& decisions) {
  std::vector<RunFact> facts{fact_of_run(record)};
  for (const auto& department : record.departments) {
    const auto& decision = decision_of(decisions, department.name);
    const auto seen = as_tested(record, department);
    const bool carried = carrying_of(record, department.name).is_carried();
    facts.push_back(was_to_be_carried(department) ? fact_of_carrying(record, department) : Troubles(department).fact());
    const auto fence = fact_of_fence(department, decision);
    facts.push_back(fence);
    for (const char* phase : {"before", "during", "after"})
      facts.push_back(fact_of_fence_phase(department, phase, fence));
    facts.push_back(fact_of_decision(*seen, decision));
    for (const auto& machine : department.machines) {
      if (machine.likeness) facts.push_back(fact_of_likeness(department, machine));
    }
    for (const auto& candidate : record.candidates)
      facts.push_back(carried ? fact_of_carried_verdict(department, *seen, candidate.id)
                              : fact_of_verdict(department, candidate.id));
    add_findings(facts, *seen, decision);
    Checks(department).add_to(facts);
    for (const auto& flaky : department.flaky) facts.push_back(fact_of_flake(department, flaky));
  }
  std::map<std::string, int> seen;
  for (auto& fact : facts) {
    if (const auto end = fact.sentence.find('\n'); end != std::string::npos) {
      fact.detail.insert(0, fact.sentence.substr(end + 1) + "\n");
      fact.sentence.resize(end);
    }
    // A reader who keeps a history by names must not take two for one.
    if (const auto times = ++seen[name_of(fact)]; times > 1) fact.subject += fmt::format(" (time {})", times);
  }
  return facts;
}

ExitCode exit_code_of(const std::vector<RunFact>& facts) {
  for (const auto code : precedence) {
    if (std::ranges::count(facts, code, &RunFact::asks_for) > 0) return code;
  }
  return ExitCode::ok;
}

}  // namespace patchlab::reports
