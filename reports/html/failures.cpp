// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "lab/core/json.hpp"
#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports::html {
namespace {

constexpr std::size_t evidence_limit = 4096;  // bytes shown per observation; run.json has the rest
constexpr std::size_t failures_limit = 40;    // facts of each sort shown per culprit
constexpr std::size_t diffs_shown = 5;        // of changes
constexpr std::size_t checks_open = 3;        // checks shown at once; the others open on demand

// Where a fact was first seen failing: in the trials that convict, in their order.
struct Sighting {
  const TrialRecord* trial = nullptr;
  const PhaseRecord* phase = nullptr;
  const checks::CheckResult* check = nullptr;  // one of these three
  const StateDifference* difference = nullptr;
  const InstallRecord* install = nullptr;
};

Sighting sighting_in(const TrialRecord& trial, const std::string& key) {
  for (const auto& install : trial.installs) {
    if (install.outcome == Outcome::fail && install_key(install.machine, install.candidate) == key)
      return {&trial, nullptr, nullptr, nullptr, &install};
  }
  for (const auto& phase : trial.phases) {
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::fail && check_key(phase.machine, check.id) == key)
        return {&trial, &phase, &check, nullptr, nullptr};
    }
    for (const auto& difference : phase.differences) {
      if (difference.is_failure() && difference_key(phase.machine, difference) == key)
        return {&trial, &phase, nullptr, &difference, nullptr};
    }
  }
  return {};
}

// In the convicting trial with the fewest candidates: the closest look at the culprit.
Sighting closest_sighting(const DepartmentRecord& department, const VerdictRecord& verdict, const std::string& key) {
  Sighting closest;
  for (const auto& id : verdict.trials) {
    const auto* trial = find_trial(department, id);
    const auto* facts = trial == nullptr ? nullptr : facts_of(department, *trial);
    if (facts == nullptr || (closest.trial != nullptr && facts->candidates.size() >= closest.trial->candidates.size()))
      continue;
    if (auto sighting = sighting_in(*facts, key); sighting.trial != nullptr) closest = sighting;
  }
  return closest;
}

// Phases of the same trial in which the same check still passed: "only after a reboot".
std::string passed_before(const Sighting& sighting) {
  if (sighting.check == nullptr) return {};
  for (const auto& phase : sighting.trial->phases) {
    if (&phase == sighting.phase) return {};
    if (phase.machine != sighting.phase->machine) continue;
    const auto* earlier = find_check(phase, sighting.check->id);
    if (earlier != nullptr && earlier->outcome == Outcome::pass) {
      return fmt::format("What fails here still passed in {}: the damage shows only in {}.", phase.phase,
                         sighting.phase->phase);
    }
  }
  return {};
}

void write_evidence(Page& page, const char* title, const Json& evidence) {
  if (evidence.is_null()) return;
  details(page, title, [&] {
    page.element("pre", {{"tabindex", "0"}, {"role", "group"}, {"aria-label", title}},
                 shortened(evidence.is_string() ? evidence.get<std::string>() : pretty(evidence), evidence_limit));
  });
}

void write_side(Page& page, const char* css, const std::string& where, Outcome outcome, const std::string& seen,
                const Json& evidence) {
  page.element("div", {{"class", css}}, [&] {
    page.element("p", {{"class", "where"}}, [&] {
      page.text(where);
      badge(page, outcome);
    });
    page.element("p", {{"class", "seen"}}, seen.empty() ? "nothing" : seen);
    write_evidence(page, "evidence", evidence);
  });
}

// "Asked 3 times in this phase: 2 fail, 1 pass."
std::string tries_text(const checks::CheckResult& check) {
  std::map<std::string, std::size_t> counts;
  for (const auto& one : check.tries) ++counts[to_string(one.outcome)];
  std::vector<std::string> parts;
  for (const auto& [word, count] : counts) parts.push_back(fmt::format("{} {}", count, word));
  return fmt::format("Asked {} times in this phase: {}.", check.tries.size(), fmt::join(parts, ", "));
}

void write_check(Page& page, const DepartmentRecord& department, const Sighting& sighting) {
  const auto& check = *sighting.check;
  if (!check.tries.empty()) page.element("p", {{"class", "muted"}}, tries_text(check));
  page.element("p", {{"class", "expected"}}, [&] {
    page.element("b", {}, "expected ");
    page.text(check.expected);
  });
  page.element("div", {{"class", "sides"}}, [&] {
    const auto* baseline = trial_with_purpose(department, Purpose::baseline);
    const auto* phase = baseline == nullptr ? nullptr : find_phase(*baseline, "baseline", sighting.phase->machine);
    const auto* before = phase == nullptr ? nullptr : find_check(*phase, check.id);
    if (before == nullptr)
      write_side(page, "side before", "before: baseline", Outcome::not_reached, "was not looked at", Json());
    else
      write_side(page, "side before", "before: baseline", before->outcome, before->observed, before->evidence);
    write_side(page, "side after", fmt::format("after: {} in {}", sighting.phase->phase, sighting.trial->id),
               check.outcome, check.observed, check.evidence);
  });
}

void write_install(Page& page, const Sighting& sighting) {
  const auto& install = *sighting.install;
  const auto ended = install.end.empty() ? std::string("it came to no end") : install.end;
  page.element("p", {},
               fmt::format("{} in {}: exit code {} (0x{:08X})", ended, sighting.trial->id, install.exit_code,
                           install.exit_code));
  if (!install.log.empty()) write_evidence(page, "installer's output", Json(install.log));
}

struct Fact {
  std::string key;
  Sighting sighting;
};

void write_fact(Page& page, const DepartmentRecord& department, const Fact& fact) {
  page.element("div", {{"class", "fact"}}, [&] {
    const auto machine = machine_of_key(fact.key);
    page.element("h5", {}, [&] {
      page.element("span", {{"class", "machine"}}, machine);
      page.text(" " + fact.key.substr(std::min(fact.key.size(), machine.size() + 1)) + " ");
      if (fact.sighting.check != nullptr)
        page.element("span", {{"class", "kind"}}, fact.sighting.check->kind + ", " + fact.sighting.check->reason);
    });
    if (fact.sighting.check != nullptr)
      write_check(page, department, fact.sighting);
    else if (fact.sighting.install != nullptr)
      write_install(page, fact.sighting);
    else
      page.element("p", {{"class", "muted"}}, "The record holds no observation of it in the trials named here.");
  });
}

// What changed on the machines besides the checks: services, listeners, new kinds of errors in the logs.
void write_differences(Page& page, const std::vector<Fact>& facts, bool with_diffs) {
  if (facts.empty()) return;
  page.element("h5", {{"class", "changes"}}, "What else changed on the machine");
  table(page, "plain differences", "changes on the machine", {"Machine", "What", "Before: baseline", "After"}, [&] {
    for (std::size_t i = 0; i < std::min(facts.size(), failures_limit); ++i) {
      const auto& difference = *facts[i].sighting.difference;
      page.element("tr", {}, [&] {
        page.element("th", {{"scope", "row"}}, machine_of_key(facts[i].key));
        page.element("td", {}, [&] {
          page.element("span", {{"class", "muted"}}, difference.kind + " ");
          page.text(difference.item);
          if (!difference.why.empty()) page.element("p", {{"class", "muted"}}, difference.why);
        });
        page.element("td", {}, difference.before.empty() ? "was not there" : difference.before);
        page.element("td", {{"class", "mark fail"}}, difference.after.empty() ? "is gone" : difference.after);
      });
    }
  });
  if (!with_diffs) return;
  std::size_t shown = 0;
  for (const auto& fact : facts) {
    const auto& difference = *fact.sighting.difference;
    if (difference.diff.empty() || ++shown > diffs_shown) continue;
    diff(page, fmt::format("what changed in {} on {}", difference.item, machine_of_key(fact.key)), difference.diff);
  }
  if (shown > diffs_shown)
    page.element("p", {{"class", "muted"}}, fmt::format("{} more diffs are in run.json.", shown - diffs_shown));
}

// Checks first, as a client sees them: the first few in full, the others behind one line.
void write_facts(Page& page, const DepartmentRecord& department, const VerdictRecord& verdict, bool with_diffs) {
  if (!verdict.known_from.empty()) {
    page.element(
        "p", {{"class", "note"}},
        fmt::format("Run {} saw it, and its record has what each check saw. This run did not try it: what it broke "
                    "there is {}.",
                    verdict.known_from, fmt::join(verdict.failed, ", ")));
    return;
  }
  std::vector<Fact> checks;
  std::vector<Fact> differences;
  std::set<std::string> notes;
  for (const auto& key : verdict.failed) {
    Fact fact{key, closest_sighting(department, verdict, key)};
    if (const auto note = passed_before(fact.sighting); !note.empty()) notes.insert(note);
    (fact.sighting.difference == nullptr ? checks : differences).push_back(std::move(fact));
  }
  for (const auto& note : notes) page.element("p", {{"class", "note"}}, note);
  const auto open = std::min(checks.size(), checks_open);
  for (std::size_t i = 0; i < open; ++i) write_fact(page, department, checks[i]);
  if (checks.size() > open) {
    details(page, counted(checks.size() - open, "more failing check", "more failing checks"), [&] {
      for (std::size_t i = open; i < std::min(checks.size(), failures_limit); ++i)
        write_fact(page, department, checks[i]);
    });
  }
  write_differences(page, differences, with_diffs);
  const auto hidden =
      std::max(checks.size(), failures_limit) + std::max(differences.size(), failures_limit) - 2 * failures_limit;
  if (hidden > 0) page.element("p", {{"class", "muted"}}, fmt::format("{} more are in run.json.", hidden));
}

// The trials that convict: which sets were tried, and how each ended.
void write_trials(Page& page, const DepartmentRecord& department, const VerdictRecord& verdict) {
  page.element("ul", {{"class", "tried"}}, [&] {
    for (const auto& id : verdict.trials) {
      const auto* trial = find_trial(department, id);
      page.element("li", {}, [&] {
        if (trial == nullptr) return badge(page, Outcome::not_reached, id + " is not in the record");
        badge(page, trial->outcome);
        if (is_shown(department, *trial))
          page.element("a", {{"href", "#trial-" + anchor(trial->id)}}, trial->id);
        else
          page.text(trial->id);
        if (trial->candidates.size() > 4)
          page.text(fmt::format("the whole batch of {}", trial->candidates.size()));
        else
          chips(page, trial->candidates);
      });
    }
  });
}

// Whether a department has a check of this name on this machine; every machine's state is looked at.
bool looks_at(const DepartmentRecord& department, const std::string& key) {
  const auto* machine = find_machine(department, machine_of_key(key));
  if (machine == nullptr) return false;
  const auto rest = key.substr(std::min(key.size(), machine->name.size() + 1));
  return rest.starts_with("state:") || rest.starts_with("install:") || std::ranges::count(machine->checks, rest) > 0;
}

std::string elsewhere(const RunRecord& record, const DepartmentRecord& here, const std::string& candidate) {
  std::vector<std::string> alike;  // departments in which the same was looked at
  std::vector<std::string> others;
  const auto* own = find_verdict(here, candidate);
  for (const auto& department : record.departments) {
    const auto* verdict = find_verdict(department, candidate);
    if (&department == &here || verdict == nullptr || verdict->outcome != Outcome::pass) continue;
    const bool same = own != nullptr && std::ranges::all_of(own->failed, [&](const std::string& key) {
                        return looks_at(department, key);
                      });
    (same ? alike : others).push_back(department.name);
  }
  std::string text;
  if (!alike.empty())
    text = fmt::format("The same candidate passes in {}: it is this department's configuration that it does not fit. ",
                       fmt::join(alike, ", "));
  if (!others.empty())
    text += fmt::format("It passes in {}, where not all of what fails here is looked at.", fmt::join(others, ", "));
  return text;
}

// The department that told of the same failure before; null: this is the first.
const DepartmentRecord* told_before(const RunRecord& record, const DepartmentRecord& department,
                                    const VerdictRecord& verdict) {
  for (const auto& earlier : record.departments) {
    if (&earlier == &department) return nullptr;
    const auto* same = find_verdict(earlier, verdict.candidate);
    if (same != nullptr && same->outcome == verdict.outcome && same->group == verdict.group &&
        same->failed == verdict.failed && same->reason == verdict.reason)
      return &earlier;
  }
  return nullptr;
}

// Whether a set with this one, and without all of the others, passed.
bool passed_without(const DepartmentRecord& department, const std::vector<std::string>& members,
                    const std::string& member) {
  return std::ranges::any_of(department.trials, [&](const TrialRecord& trial) {
    const auto* facts = facts_of(department, trial);
    const auto has = [&](const std::string& id) { return std::ranges::count(trial.candidates, id) > 0; };
    return !is_lost(trial) && facts != nullptr && facts->outcome == Outcome::pass && has(member) &&
           !std::ranges::all_of(members, has);
  });
}

std::string together_text(const DepartmentRecord& department, const std::vector<std::string>& members) {
  const bool each = std::ranges::all_of(
      members, [&](const std::string& member) { return passed_without(department, members, member); });
  return fmt::format("The {} fail {}. The lab cannot say which of them is to be repaired.",
                     members.size() == 2 ? "two" : fmt::format("{}", members.size()),
                     each ? "only together: each of them passed when the others were left out"
                          : "together; the record has no trial of each of them in which the others were left out");
}

void write_culprit(Page& page, const RunRecord& record, const DepartmentRecord& department,
                   const VerdictRecord& verdict, const std::vector<std::string>& members) {
  page.element("article", {{"class", "failure"}, {"aria-label", fmt::format("{}", fmt::join(members, " + "))}}, [&] {
    page.element("h4", {}, [&] {
      icon(page, "fail");
      for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0) page.text(" ").element("span", {{"class", "plus"}}, "+").text(" ");
        page.element("span", {}, members[i]);
      }
    });
    page.element("p", {{"class", "reason"}}, verdict.reason);
    if (members.size() > 1) {
      page.element("p", {{"class", "note"}}, together_text(department, members));
    }
    if (const auto note = elsewhere(record, department, verdict.candidate); !note.empty())
      page.element("p", {{"class", "note"}}, note);
    const auto* earlier = told_before(record, department, verdict);
    if (earlier == nullptr) {
      write_trials(page, department, verdict);
      write_facts(page, department, verdict, true);
      return;
    }
    page.element("p", {{"class", "note"}}, [&] {
      page.text("The same failed in ");
      page.element("a", {{"href", "#department-" + anchor(earlier->name)}}, earlier->name);
      page.text(": " + fmt::format("{}", fmt::join(verdict.failed, ", ")));
    });
    details(page, "what was seen here", [&] {
      write_trials(page, department, verdict);
      write_facts(page, department, verdict, false);
    });
  });
}

void write_undecided(Page& page, const DepartmentRecord& department, const VerdictRecord& verdict) {
  page.element("article", {{"class", "failure undecided"}, {"aria-label", verdict.candidate}}, [&] {
    page.element("h4", {}, [&] {
      icon(page, css_class(verdict.outcome));
      page.element("span", {}, verdict.candidate);
    });
    page.element("p", {{"class", "reason"}},
                 !verdict.reason.empty()                   ? verdict.reason
                 : verdict.outcome == Outcome::not_reached ? "It was not reached."
                                                           : "The lab could not tell.");
    for (const auto& id : verdict.trials) {
      const auto* trial = find_trial(department, id);
      if (trial != nullptr && trial->error) {
        page.element("p", {{"class", "trouble"}},
                     fmt::format("{}: {} ({})", id, trial->error->message, to_string(trial->error->error_class)));
      }
    }
    write_trials(page, department, verdict);
  });
}

}  // namespace

void write_failures(Page& page, const RunRecord& record, const DepartmentRecord& department) {
  std::set<std::vector<std::string>> told;  // a group is told once, not once per member
  bool any = false;
  const bool broke = std::ranges::count(department.verdicts, Outcome::fail, &VerdictRecord::outcome) > 0;
  for (const auto& verdict : department.verdicts) {
    if (verdict.outcome == Outcome::pass || verdict.outcome == Outcome::skipped) continue;
    if (!any) page.element("h3", {}, broke ? "What broke, before and after" : "What has no verdict");
    any = true;
    if (verdict.outcome != Outcome::fail) {
      write_undecided(page, department, verdict);
      continue;
    }
    auto members = verdict.group;
    members.push_back(verdict.candidate);
    std::ranges::sort(members);
    if (told.insert(members).second) write_culprit(page, record, department, verdict, members);
  }
}

}  // namespace patchlab::reports::html
