// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/demands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "lab/core/time.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/severity.hpp"

namespace patchlab::promotion {
namespace {
using namespace reports;

// "policy 'production'", for sentences.
std::string name_of(const Policy& policy) {
  return policy.id.empty() ? std::string("the policy") : fmt::format("policy '{}'", policy.id);
}

// Collects the demands over one department; each `ask_` is one rule of the document.
class Asking {
 public:
  Asking(const Policy& policy, const RunRecord& record, const DepartmentRecord& department, const PolicyFacts& facts)
      : policy_(policy), record_(record), department_(department), facts_(facts) {}

  std::vector<Demand> all() {
    if (policy_.trouble) {
      switch (policy_.trouble->kind) {
        case PolicyTrouble::Kind::none_in_force:
          add(DemandCode::policy_not_in_force, false, policy_.trouble->text);
          break;
        case PolicyTrouble::Kind::ambiguous: add(DemandCode::policy_ambiguous, false, policy_.trouble->text); break;
      }
      return std::move(demands_);
    }
    ask_validity();
    ask_department();
    ask_scenario();
    ask_tool_version();
    ask_whole();
    ask_carried();
    ask_machines_and_checks();
    ask_phases();
    ask_coverage();
    ask_likeness();
    ask_emergency();
    ask_reviews();
    for (const auto& objection : facts_.objections) add(DemandCode::rejected, false, objection);
    ask_submitter();
    ask_approvals();
    ask_ticket();
    ask_window();
    std::ranges::stable_sort(demands_, {}, &Demand::code);
    return std::move(demands_);
  }

 private:
  Demand& add(DemandCode code, bool met, std::string text) {
    auto& demand = demands_.emplace_back();
    demand.code = code;
    demand.met = met;
    demand.text = std::move(text);
    return demand;
  }

  void ask_validity() {
    if (policy_.valid_since && facts_.now < *policy_.valid_since) {
      add(DemandCode::policy_not_in_force, false,
          fmt::format("{} is in force from {} on", name_of(policy_), rfc3339(*policy_.valid_since)));
    } else if (policy_.valid_until && facts_.now >= *policy_.valid_until) {
      add(DemandCode::policy_not_in_force, false,
          fmt::format("{} was in force until {}", name_of(policy_), rfc3339(*policy_.valid_until)));
    } else {
      add(DemandCode::policy_not_in_force, true, fmt::format("{} is in force", name_of(policy_)));
    }
  }

  void ask_department() {
    if (policy_.departments.empty()) return;
    const bool met = policy_.departments.contains(department_.name);
    add(DemandCode::department_not_allowed, met,
        met ? fmt::format("{} has the department '{}'", name_of(policy_), department_.name)
            : fmt::format("{} has no department '{}'", name_of(policy_), department_.name));
  }

  void ask_scenario() {
    if (policy_.scenarios.empty()) return;
    const bool met = std::ranges::any_of(policy_.scenarios, [&](const AllowedScenario& allowed) {
      return (allowed.name.empty() || allowed.name == record_.scenario_name) &&
             (allowed.digest.empty() || allowed.digest == record_.scenario_digest);
    });
    std::vector<std::string> allowed;
    for (const auto& scenario : policy_.scenarios) {
      allowed.push_back(scenario.digest.empty() ? fmt::format("'{}'", scenario.name)
                                                : fmt::format("'{}' ({:.12})", scenario.name, scenario.digest));
    }
    add(DemandCode::scenario_not_allowed, met,
        fmt::format("the run is of scenario '{}' ({:.12}), {} asks for {}", record_.scenario_name,
                    record_.scenario_digest, name_of(policy_), fmt::join(allowed, " or ")));
  }

  void ask_tool_version() {
    if (policy_.tool_versions.empty()) return;
    const bool met = std::ranges::count(policy_.tool_versions, record_.tool_version) > 0;
    add(DemandCode::tool_version_not_allowed, met,
        fmt::format("the run was made by patchlab {}, {} asks for {}", record_.tool_version, name_of(policy_),
                    fmt::join(policy_.tool_versions, " or ")));
  }

  void ask_whole() {
    if (policy_.narrowed == NarrowedRuns::allowed) return;
    const auto narrowings = narrowings_of(record_, department_.name);
    if (narrowings.empty())
      add(DemandCode::run_narrowed, true, "nothing was left out of the run, or added, on request");
    for (const auto& narrowing : narrowings) {
      auto& demand =
          add(DemandCode::run_narrowed, false, fmt::format("{}: {} asks for whole runs", narrowing, name_of(policy_)));
      demand.command = "patchlab run SCENARIO (without --role, --candidate, --controls and --with)";
    }
  }

  void ask_machines_and_checks() {
    const auto asked = policy_.departments.find(department_.name);
    if (asked == policy_.departments.end()) return;
    for (const auto& [name, checks] : asked->second) {
      const auto* machine = find_machine(department_, name);
      auto& demand = add(DemandCode::machine_not_planned, machine != nullptr,
                         fmt::format("{} asks for the machine '{}'", name_of(policy_), name));
      demand.machine = name;
      for (const auto& id : checks) {
        const bool planned = machine != nullptr && std::ranges::count(machine->checks, id) > 0;
        auto& check = add(DemandCode::check_not_planned, planned,
                          fmt::format("{} asks for the check '{}' of '{}'", name_of(policy_), id, name));
        check.machine = name;
        check.check = id;
      }
    }
  }

  void ask_phases() {
    for (const auto& phase : policy_.phases) {
      const bool planned = std::ranges::count(department_.phases, phase) > 0;
      auto& demand = add(DemandCode::phase_not_planned, planned,
                         fmt::format("{} asks that machines are looked at {}", name_of(policy_), phase));
      demand.phase = phase;
    }
  }

  void ask_coverage() {
    if (policy_.coverage.not_less_than == CoverageRule::Least::anything) return;
    const auto& last = facts_.last_promoted;
    using Known = LastPromoted::Known;
    switch (last.state) {
      case Known::nothing: add(DemandCode::coverage_shrunk, true, "nothing was promoted here before"); return;
      case Known::unknown: {
        const bool allowed = policy_.coverage.when_unknown == CoverageRule::Unknown::allowed;
        add(DemandCode::coverage_unknown, allowed,
            fmt::format("what was looked at when this department was promoted last is not known: {}", last.why));
        return;
      }
      case Known::known: compare_with(last.coverage); return;
    }
    add(DemandCode::coverage_unknown, false, "what was looked at when this department was promoted last is not known");
  }
  [[nodiscard]] bool is_retired(const std::string& name) const {
    return std::ranges::count(policy_.coverage.retired, department_.name + "/" + name) > 0;
  }
  void compare_with(const Coverage& last) {
    const auto here = coverage_of(record_, department_);
    bool less = false;
    const auto missing = [&](const std::string& what) -> Demand& {
      less = true;
      auto& demand =
          add(DemandCode::coverage_shrunk, false,
              fmt::format("{} was planned when this was promoted last (run {}) and is not now", what, last.run));
      demand.command = "plan it again, or have the owner of the policy name it under coverage/retired";
      return demand;
    };
    for (const auto& [name, checks] : last.checks) {
      if (is_retired(name)) continue;
      const auto machine = here.checks.find(name);
      if (machine == here.checks.end()) {
        missing(fmt::format("the machine '{}'", name)).machine = name;
        continue;
      }
      for (const auto& id : checks) {
        if (machine->second.contains(id) || is_retired(name + "/" + id)) continue;
        auto& demand = missing(fmt::format("the check '{}' of '{}'", id, name));
        demand.machine = name;
        demand.check = id;
      }
    }
    for (const auto& phase : last.phases) {
      if (!here.phases.contains(phase)) missing(fmt::format("the phase '{}'", phase)).phase = phase;
    }
    if (!less) add(DemandCode::coverage_shrunk, true, fmt::format("no less is planned than in run {}", last.run));
    compare_checks(last, here);
  }

  // The same names are not the same checks.
  void compare_checks(const Coverage& last, const Coverage& here) {
    std::size_t same = 0;
    std::size_t not_known = 0;
    bool changed = false;
    const auto compare = [&](const std::string& machine, const std::string& check) {
      const auto name = check.empty() ? machine : machine + "/" + check;
      if (is_retired(machine) || is_retired(name)) return;
      const auto then = digest_in(last, name);
      const auto now = digest_in(here, name);
      if (then.empty())
        ++not_known;
      else if (then == now)
        ++same;
      else
        changed = true, say_changed(machine, check, last.run, then, now);
    };
    for (const auto& [machine, checks] : last.checks) {
      const auto planned = here.checks.find(machine);
      if (planned == here.checks.end()) continue;
      compare(machine, {});
      for (const auto& check : checks) {
        if (planned->second.contains(check)) compare(machine, check);
      }
    }
    if (changed) return;
    auto text = fmt::format("{} checks and machines are looked at by what run {} looked at them by", same, last.run);
    if (not_known > 0) {
      text += fmt::format(
          "; of {} it is not known what was asked then, since the record is of an older version: only their names were "
          "compared",
          not_known);
    }
    add(DemandCode::check_changed, true, std::move(text));
  }
  [[nodiscard]] static std::string digest_in(const Coverage& coverage, const std::string& name) {
    const auto found = coverage.digests.find(name);
    return found == coverage.digests.end() ? std::string() : found->second;
  }
  void say_changed(const std::string& machine, const std::string& check, const std::string& run,
                   const std::string& then, const std::string& now) {
    const auto name = check.empty() ? machine : machine + "/" + check;
    const auto what = check.empty() ? fmt::format("what is looked at of '{}' besides its checks, or accepted,", machine)
                                    : fmt::format("the check '{}' of '{}'", check, machine);
    const auto by = who_took_over(name, now);
    auto text = fmt::format("{} is not that of run {}, which was promoted last: {} then, {} now", what, run, then,
                            now.empty() ? "not known" : now);
    if (!by.empty()) text += "; taken over by " + by;
    auto& demand = add(DemandCode::check_changed, !by.empty(), std::move(text));
    demand.machine = machine;
    demand.check = check;
    demand.taken_over = by;
    if (!by.empty()) return;
    demand.command =
        fmt::format("patchlab approve {} --department {} --reason REASON --key KEY", record_.id, department_.name);
  }
  // By a policy that names exactly this check, or somebody else than its submitter, who saw what was promoted last and
  // this record. Empty: nobody did.
  [[nodiscard]] std::string who_took_over(const std::string& name, const std::string& now) const {
    const auto named = policy_.coverage.changed.find(department_.name + "/" + name);
    if (!now.empty() && named != policy_.coverage.changed.end() && named->second == now) return name_of(policy_);
    const ApprovalRule by_somebody_else{1, {NotBy::submitter, NotBy::waiver_author}, SecurityKey::any, {}, false};
    std::set<std::string> people;
    for (const auto& given : facts_.approvals) {
      if (counts(given, by_somebody_else) == Counts::yes && given.seen >= facts_.last_promoted.line)
        people.insert(given.by);
    }
    return people.empty() ? std::string() : fmt::format("{}", fmt::join(people, ", "));
  }

  // Nothing is asked of a department that was tested itself.
  void ask_carried() {
    const auto carrying = carrying_of(record_, department_.name);
    if (carrying.tested_in.empty()) return;
    ask_whether_carried_is_enough(carrying);
    for (const auto& obstacle : carrying.obstacles) {
      auto& demand = add(DemandCode::carried_not_alike, false,
                         fmt::format("not tested here, and not like '{}': {}", carrying.tested_in, obstacle.text));
      demand.machine = obstacle.machine;
      demand.command = test_it_here();
    }
    if (carrying.is_carried()) add(DemandCode::carried_not_alike, true, sentence_of(carrying, record_.id));
  }
  [[nodiscard]] std::string test_it_here() const {
    return fmt::format("patchlab run SCENARIO --department {}", department_.name);
  }
  void ask_whether_carried_is_enough(const Carrying& carrying) {
    const auto refuse = [&](std::string text) {
      add(DemandCode::carried_not_allowed, false, std::move(text)).command = test_it_here();
    };
    const auto where = fmt::format("tested in '{}', and not here", carrying.tested_in);
    if (!policy_.carried) {
      refuse(fmt::format("{}: {} does not take that for enough", where, name_of(policy_)));
      return;
    }
    const auto ended = parse_rfc3339(record_.finished);
    const auto hours = policy_.carried->max_age.count();
    if (!ended)
      refuse(fmt::format("{}, and '{}' is not a time at which that ended", where, record_.finished));
    else if (facts_.now - *ended > policy_.carried->max_age)
      refuse(fmt::format("{}: that ended at {}, and {} takes it for {} hours", where, record_.finished,
                         name_of(policy_), hours));
    else
      add(DemandCode::carried_not_allowed, true,
          fmt::format("{}: {} takes that for {} hours", where, name_of(policy_), hours));
  }

  void ask_likeness() {
    if (!policy_.likeness) return;
    for (const auto& machine : department_.machines) {
      bool met = true;
      const auto refuse = [&](DemandCode code, std::string text) {
        met = false;
        auto& demand = add(code, false, fmt::format("golden machine '{}': {}", machine.golden, text));
        demand.machine = machine.name;
        demand.command = "patchlab run SCENARIO --facts FOLDER";
      };
      if (!machine.likeness) {
        refuse(DemandCode::likeness_unknown,
               fmt::format("{} asks how like production it is, and the run was not given facts", name_of(policy_)));
        continue;
      }
      const auto& likeness = *machine.likeness;
      if (!likeness.not_known.empty()) {
        refuse(DemandCode::likeness_unknown, sentence_of(likeness));
        continue;
      }
      ask_age_of_facts(likeness, refuse);
      for (const auto& [word, most] : policy_.likeness->at_most) ask_limit(likeness, word, most, refuse);
      if (!met) continue;
      add(DemandCode::likeness_unknown, true, sentence_of(likeness)).machine = machine.name;
      add(DemandCode::not_alike, true, sentence_of(likeness)).machine = machine.name;
    }
  }
  template <class Refuse>
  void ask_age_of_facts(const lab::facts::Likeness& likeness, const Refuse& refuse) {
    const auto observed = parse_rfc3339(likeness.observed);
    const auto days = policy_.likeness->max_age.count();
    if (!observed || *observed > facts_.now + std::chrono::days(1))
      refuse(DemandCode::likeness_unknown,
             fmt::format("'{}' is no time in the past at which facts were collected", likeness.observed));
    else if (facts_.now - *observed > policy_.likeness->max_age)
      refuse(DemandCode::likeness_unknown, fmt::format("the facts of '{}' are of {}, and {} takes them for {} days",
                                                       likeness.production, likeness.observed, name_of(policy_), days));
  }
  // What could not be compared as a whole is not alike, however little of it differs.
  template <class Refuse>
  void ask_limit(const lab::facts::Likeness& likeness, const std::string& word, std::uint32_t most,
                 const Refuse& refuse) {
    constexpr std::string_view of_role = "role-";
    const bool role_only = word.starts_with(of_role);
    const auto part = lab::facts::part_from(role_only ? std::string_view(word).substr(of_role.size()) : word);
    const auto* found = part ? likeness.part(*part) : nullptr;
    if (found == nullptr || !found->not_known.empty())
      return refuse(DemandCode::likeness_unknown,
                    fmt::format("{} asks for {}, which could not be compared: {}", name_of(policy_), word,
                                found == nullptr ? "nobody looked" : found->not_known));
    const auto differing = role_only ? found->of_role : found->differing();
    if (differing > most)
      refuse(DemandCode::not_alike, fmt::format("not like '{}': {} {}, {} takes {}{}", likeness.production, differing,
                                                word, name_of(policy_), most, examples_of(likeness, *part, role_only)));
  }
  static std::string examples_of(const lab::facts::Likeness& likeness, lab::facts::Part part, bool role_only) {
    constexpr std::size_t most_named = 3;
    std::vector<std::string> names;
    for (const auto& one : likeness.differences) {
      if (one.part == part && (one.of_role || !role_only) && names.size() < most_named) names.push_back(one.name);
    }
    return names.empty() ? std::string() : fmt::format(": {}", fmt::join(names, ", "));
  }

  void ask_emergency() {
    if (facts_.lane != Lane::emergency) return;
    if (!policy_.emergency) {
      add(DemandCode::emergency_not_allowed, false, fmt::format("{} has no emergency lane", name_of(policy_)));
      return;
    }
    const auto severities = this->severities();
    const auto wanted = fmt::format("{}", fmt::join(policy_.emergency->severities, " or "));
    if (severities.empty()) add(DemandCode::emergency_not_allowed, false, "there is no candidate to hurry for");
    for (const auto& [id, severity] : severities) {
      auto& demand = add(DemandCode::emergency_not_allowed, policy_.emergency->severities.contains(severity),
                         fmt::format("'{}' is {}; the emergency lane of {} is for what is {}", id,
                                     severity.empty() ? "of no known severity" : severity, name_of(policy_), wanted));
      demand.candidate = id;
    }
  }

  void ask_reviews() {
    for (const auto& review : facts_.open_reviews) {
      // Without the lane's own rule (it was taken out of the policy since) a review is due at once.
      const auto within = policy_.emergency ? policy_.emergency->review_within : std::chrono::days(0);
      const auto due = std::min(review.due, review.promoted + within);
      const bool in_time = facts_.now < due;
      auto& demand = add(DemandCode::review_overdue, in_time,
                         fmt::format("the emergency promotion of run {} at {} {} reviewed until {}", review.run,
                                     rfc3339(review.promoted), in_time ? "must be" : "was not", rfc3339(due)));
      if (in_time) continue;
      demand.command =
          fmt::format("patchlab approve {} --department {} --reason REASON --key KEY", review.run, department_.name);
    }
  }

  [[nodiscard]] std::map<std::string, std::string> severities() const {
    return facts_.set.empty() ? severities_of(record_, department_) : severities_of(record_, facts_.set);
  }

  void ask_submitter() {
    if (policy_.submitter == Submitter::any) return;
    auto& demand =
        add(DemandCode::submitter_unknown, facts_.submitter_is_known,
            facts_.submitter_is_known ? "a signer submitted it"
            : facts_.unknown_submitters.empty()
                ? fmt::format("{} asks that a signer submits it, and nobody is known who did", name_of(policy_))
                : fmt::format("{} asks that a signer submits it; {}", name_of(policy_), no_signer()));
    if (demand.met) return;
    demand.command = fmt::format("patchlab submit {} --department {} --key KEY", record_.id, department_.name);
  }
  [[nodiscard]] std::string no_signer() const {
    return fmt::format("the submitter '{}' is not a signer: nobody is kept from approving by it",
                       fmt::join(facts_.unknown_submitters, "', '"));
  }

  void ask_ticket() {
    if (policy_.change_ticket == ChangeTicket::any) return;
    std::vector<ApprovalRule> rules;
    std::ranges::copy_if(approvals_in(policy_, facts_.lane), std::back_inserter(rules),
                         [&](const ApprovalRule& rule) { return applies(rule, severities(), facts_.anything_waived); });
    // An approval that no rule takes is none; where nobody is asked, each is one.
    const auto approves = [&](const ApprovalGiven& given) {
      return rules.empty() ||
             std::ranges::any_of(rules, [&](const auto& rule) { return counts(given, rule) == Counts::yes; });
    };
    // Who did not see what is promoted since named the ticket of an earlier change.
    const auto of_this_change = [&](const ApprovalGiven& given) {
      return !given.ticket.empty() && given.ticket_seen >= facts_.last_promoted.line && approves(given);
    };
    const auto named = std::ranges::find_if(facts_.approvals, of_this_change);
    if (named != facts_.approvals.end()) {
      add(DemandCode::ticket_missing, true, fmt::format("'{}' named ticket '{}'", named->by, named->ticket));
    } else if (facts_.lane == Lane::emergency && !facts_.emergency_ticket.empty()) {
      add(DemandCode::ticket_missing, true, fmt::format("the emergency has ticket '{}'", facts_.emergency_ticket));
    } else {
      add(DemandCode::ticket_missing, false,
          fmt::format("{} asks that one who approves names the ticket of the change; {} (patchlab approve --ticket)",
                      name_of(policy_), why_no_ticket(approves)))
          .command = fmt::format("patchlab approve {} --department {} --ticket TICKET --reason REASON --key KEY",
                                 record_.id, department_.name);
    }
  }

  template <class Approves>
  [[nodiscard]] std::string why_no_ticket(const Approves& approves) const {
    if (std::ranges::none_of(facts_.approvals, approves)) return "nobody approved";
    const auto earlier = std::ranges::find_if(
        facts_.approvals, [&](const ApprovalGiven& given) { return !given.ticket.empty() && approves(given); });
    if (earlier == facts_.approvals.end()) return "nobody of them did";
    return fmt::format("'{}' named ticket '{}' before line {}, with which another change was promoted", earlier->by,
                       earlier->ticket, facts_.last_promoted.line);
  }

  void ask_approvals() {
    for (const auto& rule : approvals_in(policy_, facts_.lane)) {
      if (applies(rule, severities(), facts_.anything_waived)) ask_approvals_by(rule);
    }
  }
  void ask_approvals_by(const ApprovalRule& rule) {
    std::set<std::string> people;
    for (const auto& given : facts_.approvals) {
      if (counts(given, rule) == Counts::yes) people.insert(given.by);
    }
    const bool enough = people.size() >= rule.count;
    const auto asked = fmt::format("{} asks for {} approval{}{}{}", name_of(policy_), rule.count,
                                   rule.count == 1 ? "" : "s of different people",
                                   rule.security_key == SecurityKey::any ? "" : " by a security key, ",
                                   rule.security_key == SecurityKey::any ? "" : to_string(rule.security_key));
    const auto who =
        people.empty() ? std::string("nobody approved") : fmt::format("approved: {}", fmt::join(people, ", "));
    auto& demand =
        add(DemandCode::approval_missing, enough,
            fmt::format(
                "{}; {}{}", asked, who,
                facts_.submitter_is_known || facts_.unknown_submitters.empty() ? std::string() : "; " + no_signer()));
    if (enough) return;
    demand.command =
        fmt::format("patchlab approve {} --department {} --reason REASON --key KEY", record_.id, department_.name);
    for (const auto& given : facts_.approvals) say_why_not(given, counts(given, rule));
  }
  void say_why_not(const ApprovalGiven& given, Counts why) {
    switch (why) {
      case Counts::yes: return;
      case Counts::not_distinct:
        add(DemandCode::approval_not_distinct, false,
            fmt::format("'{}' approved, and {} asks for somebody else: {}", given.by, name_of(policy_),
                        given.wrote_policy       ? "it is by the same person"
                        : given.waived_something ? "they waived something of it"
                                                 : "they submitted it"));
        return;
      case Counts::not_touched:
        add(DemandCode::security_key_not_touched, false,
            fmt::format("'{}' approved without a security key that was touched", given.by));
        return;
      case Counts::not_verified:
        add(DemandCode::security_key_not_verified, false,
            fmt::format("'{}' approved without a security key that asked for PIN or fingerprint", given.by));
        return;
    }
  }

  void ask_window() {
    if (policy_.windows.empty() || facts_.lane == Lane::emergency) return;
    if (is_open(policy_.windows, facts_.now)) {
      add(DemandCode::window_closed, true, fmt::format("a window of {} is open", name_of(policy_)));
      return;
    }
    const auto next = next_opening(policy_.windows, facts_.now);
    add(DemandCode::window_closed, false,
        fmt::format("no window of {} is open at {}; the next opens at {}", name_of(policy_), rfc3339(facts_.now),
                    next ? rfc3339(*next) : "no time within two weeks"));
  }

  const Policy& policy_;
  const RunRecord& record_;
  const DepartmentRecord& department_;
  const PolicyFacts& facts_;
  std::vector<Demand> demands_;
};

// From, and until before; of the window that opens on this day.
std::pair<PolicyTime, PolicyTime> span_on(const Window& window, std::chrono::sys_days day) {
  const PolicyTime from = day + window.from;
  const PolicyTime to = day + window.to + (window.to > window.from ? std::chrono::days(0) : std::chrono::days(1));
  return {from, to};
}
bool opens_on(const Window& window, std::chrono::sys_days day) {
  return window.days.contains(std::chrono::weekday(day).iso_encoding());
}

}  // namespace

const char* to_string(DemandCode code) {
  switch (code) {
    case DemandCode::policy_not_in_force: return "policy-not-in-force";
    case DemandCode::policy_ambiguous: return "policy-ambiguous";
    case DemandCode::department_not_allowed: return "department-not-allowed";
    case DemandCode::scenario_not_allowed: return "scenario-not-allowed";
    case DemandCode::tool_version_not_allowed: return "tool-version-not-allowed";
    case DemandCode::run_narrowed: return "run-narrowed";
    case DemandCode::carried_not_allowed: return "carried-not-allowed";
    case DemandCode::carried_not_alike: return "carried-not-alike";
    case DemandCode::machine_not_planned: return "machine-not-planned";
    case DemandCode::check_not_planned: return "check-not-planned";
    case DemandCode::phase_not_planned: return "phase-not-planned";
    case DemandCode::coverage_shrunk: return "coverage-shrunk";
    case DemandCode::coverage_unknown: return "coverage-unknown";
    case DemandCode::emergency_not_allowed: return "emergency-not-allowed";
    case DemandCode::review_overdue: return "review-overdue";
    case DemandCode::rejected: return "rejected";
    case DemandCode::approval_missing: return "approval-missing";
    case DemandCode::approval_not_distinct: return "approval-not-distinct";
    case DemandCode::security_key_not_touched: return "security-key-not-touched";
    case DemandCode::security_key_not_verified: return "security-key-not-verified";
    case DemandCode::window_closed: return "window-closed";
    case DemandCode::check_changed: return "check-changed";
    case DemandCode::submitter_unknown: return "submitter-unknown";
    case DemandCode::ticket_missing: return "ticket-missing";
    case DemandCode::likeness_unknown: return "likeness-unknown";
    case DemandCode::not_alike: return "not-alike";
  }
  return "unknown";
}

Coverage coverage_of(const RunRecord& record, const DepartmentRecord& department) {
  Coverage coverage;
  coverage.run = record.id;
  for (const auto& machine : department.machines) {
    coverage.checks[machine.name].insert(machine.checks.begin(), machine.checks.end());
    if (!machine.state_digest.empty()) coverage.digests[machine.name] = machine.state_digest;
    for (const auto& [id, digest] : machine.check_digests) coverage.digests[machine.name + "/" + id] = digest;
  }
  coverage.phases.insert(department.phases.begin(), department.phases.end());
  return coverage;
}

std::vector<Demand> demands_of(const Policy& policy, const RunRecord& record, const DepartmentRecord& department,
                               const PolicyFacts& facts) {
  return Asking(policy, record, department, facts).all();
}

// The record says what was left out in sentences that the engine's plan makes.
std::vector<std::string> narrowings_of(const RunRecord& record, const std::string& department) {
  constexpr std::array endings{" by --role", " by --candidate", " by --controls"};
  std::vector<std::string> found;
  for (const auto& sentence : record.not_tested) {
    if (std::ranges::none_of(endings, [&](const char* ending) { return sentence.ends_with(ending); })) continue;
    const bool of_a_machine = sentence.starts_with("machine '");
    if (of_a_machine && !sentence.starts_with(fmt::format("machine '{}/", department))) continue;
    found.push_back(sentence);
  }
  for (const auto& id : record.asked.with)
    found.push_back(fmt::format("candidate '{}' is none of the scenario's, and was added by --with", id));
  return found;
}

bool is_open(const std::vector<Window>& windows, PolicyTime now) {
  if (windows.empty()) return true;
  const auto today = std::chrono::floor<std::chrono::days>(now);
  return std::ranges::any_of(windows, [&](const Window& window) {
    for (const auto day : {today - std::chrono::days(1), today}) {
      const auto [from, to] = span_on(window, day);
      if (opens_on(window, day) && from <= now && now < to) return true;
    }
    return false;
  });
}

std::optional<PolicyTime> next_opening(const std::vector<Window>& windows, PolicyTime now) {
  constexpr int days_looked_at = 15;
  const auto today = std::chrono::floor<std::chrono::days>(now);
  std::optional<PolicyTime> next;
  for (const auto& window : windows) {
    for (int i = 0; i < days_looked_at; ++i) {
      const auto day = today + std::chrono::days(i);
      const auto from = span_on(window, day).first;
      if (!opens_on(window, day) || from < now || (next && *next <= from)) continue;
      next = from;
    }
  }
  return next;
}

std::map<std::string, std::string> severities_of(const RunRecord& record, const DepartmentRecord& department) {
  std::map<std::string, std::string> severities;
  for (const auto& verdict : department.verdicts) {
    if (verdict.outcome != Outcome::pass) continue;
    const auto* candidate = find_candidate(record, verdict.candidate);
    severities[verdict.candidate] = candidate == nullptr ? std::string() : candidate->severity;
  }
  return severities;
}

std::map<std::string, std::string> severities_of(const RunRecord& record, const std::vector<std::string>& candidates) {
  std::map<std::string, std::string> severities;
  for (const auto& id : candidates) {
    const auto* candidate = find_candidate(record, id);
    severities[id] = candidate == nullptr ? std::string() : candidate->severity;
  }
  return severities;
}

Counts counts(const ApprovalGiven& given, const ApprovalRule& rule) {
  if (given.by.empty()) return Counts::not_distinct;
  if (rule.not_by.contains(NotBy::submitter) && given.submitted) return Counts::not_distinct;
  if (rule.not_by.contains(NotBy::waiver_author) && given.waived_something) return Counts::not_distinct;
  if (rule.not_by.contains(NotBy::policy_author) && given.wrote_policy) return Counts::not_distinct;
  switch (rule.security_key) {
    case SecurityKey::any: return Counts::yes;
    case SecurityKey::touched: return given.key == SecurityKey::any ? Counts::not_touched : Counts::yes;
    case SecurityKey::verified: return given.key == SecurityKey::verified ? Counts::yes : Counts::not_verified;
  }
  return Counts::not_distinct;
}

bool applies(const ApprovalRule& rule, const std::map<std::string, std::string>& severities, bool anything_waived) {
  if (!rule.is_conditional()) return true;
  if (rule.when_waived && anything_waived) return true;
  return !rule.severities.empty() && std::ranges::any_of(severities, [&](const auto& entry) {
    return rule.severities.contains(entry.second) || !reports::is_known_severity(entry.second);
  });
}

}  // namespace patchlab::promotion
