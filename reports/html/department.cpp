// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::reports::html {
namespace {

Outcome shape_of(DecisionState state) {
  switch (state) {
    case DecisionState::promoted:
    case DecisionState::promotable: return Outcome::pass;
    case DecisionState::refused: return Outcome::fail;
    case DecisionState::replaced: return Outcome::skipped;
    case DecisionState::undecided: break;
  }
  return Outcome::not_reached;
}

const char* sentence_of(DecisionState state) {
  switch (state) {
    case DecisionState::promoted: return "promoted";
    case DecisionState::replaced: return "promoted, then replaced";
    case DecisionState::promotable: return "may be promoted";
    case DecisionState::refused: return "refused";
    case DecisionState::undecided: break;
  }
  return "nobody was asked";
}

void write_requirements(Page& page, const DecisionRecord& decision, bool met) {
  constexpr std::size_t changes = 1;  // all of them are told above, each with its command
  std::size_t told = 0;
  page.element("ul", {{"class", "reasons"}}, [&] {
    for (const auto& requirement : decision.requirements) {
      if (requirement.met != met) continue;
      if (requirement.code == "needs-decision" && ++told > changes) continue;
      page.element("li", {}, [&] {
        page.element("code", {}, requirement.code);
        page.text(fmt::format(" {}: {}", requirement.subject, requirement.text));
        if (!requirement.waived.empty()) page.text("; " + requirement.waived);
        if (requirement.command.empty() || requirement.code == "needs-decision") return;
        page.text(":");
        command(page, requirement.command);
      });
    }
    if (told > changes)
      page.element("li", {},
                   fmt::format("and {}: before and after are in the section above",
                               counted(told - changes, "more change", "more changes")));
  });
}

// What the desk says, as of when it was asked; and what an older run said of itself at its end.
void write_promotion(Page& page, const RunRecord& record, const DepartmentRecord& department,
                     const DecisionRecord& decision) {
  page.element("h3", {}, "Promotion");
  page.element("dl", {{"class", "facts"}}, [&] {
    fact(page, "Result", [&] { badge(page, shape_of(decision.state), sentence_of(decision.state)); });
    if (!decision.as_of.empty()) fact(page, "As of", time_text(decision.as_of));
    if (!decision.since.empty()) fact(page, "Published", time_text(decision.since));
    if (!decision.by.empty()) fact(page, "Decided", decision.by);
    if (decision.emergency.is_one()) fact(page, "Emergency", to_string(decision.emergency));
    if (!decision.replaced_by.empty()) fact(page, "Replaced by", "run " + decision.replaced_by);
    if (!decision.stage.empty()) fact(page, "Stage", [&] { page.element("code", {}, decision.stage); });
    if (!decision.manifest_digest.empty()) fact(page, "Manifest", [&] { digest(page, decision.manifest_digest); });
    if (const auto& then = decision_of(record.said_then, department.name); !then.department.empty())
      fact(page, "Said at the run's end, in an older format", sentence_of(then.state));
    fact(page, "Tested as exactly this set", [&] {
      const auto& trial = decision.trial.empty() ? department.final_trial : decision.trial;
      if (trial.empty())
        page.text("no trial");
      else
        page.element("a", {{"href", "#trial-" + anchor(trial)}}, trial);
    });
    for (const auto& waived : decision.waived) {
      if (waived.is_a_failure()) fact(page, "Waived", to_string(waived));
    }
    if (const auto accepted = accepted_changes(decision); accepted > 0)
      fact(page, "Accepted", counted(accepted, "change, above with by whom", "changes, above with by whom"));
  });
  if (!decision.candidates.empty()) page.element("p", {{"class", "set"}}, [&] { chips(page, decision.candidates); });
  if (decision.requirements.empty()) return;
  const auto met = static_cast<std::size_t>(std::ranges::count_if(decision.requirements, &RequirementRecord::met));
  if (met < decision.requirements.size()) write_requirements(page, decision, false);
  if (met == 0) return;
  page.element("details", {}, [&] {
    page.element("summary", {}, counted(met, "requirement is met", "requirements are met"));
    write_requirements(page, decision, true);
  });
}

std::string set_text(const DepartmentRecord& department, const TrialRecord& trial) {
  if (trial.candidates.empty()) return "no patch";
  const bool all = department.verdicts.size() > 1 && trial.candidates.size() == department.verdicts.size();
  return all ? fmt::format("all {} candidates", trial.candidates.size()) : "";
}

// What guests did not take: the trial ended there.
std::string declined_text(const TrialRecord& trial) {
  std::vector<std::string> declined;
  for (const auto& install : trial.installs) {
    if (install.outcome == Outcome::skipped)
      declined.push_back(fmt::format("{} on {} ({})", install.candidate, install.machine, install.end));
  }
  return declined.empty() ? "" : fmt::format("not taken: {}", fmt::join(declined, ", "));
}

void write_trial_row(Page& page, const DepartmentRecord& department, const TrialRecord& trial) {
  page.element("tr", {{"id", "trial-" + anchor(trial.id)}}, [&] {
    page.element("th", {{"scope", "row"}}, trial.id);
    page.element("td", {}, to_string(trial.purpose));
    page.element("td", {}, [&] {
      constexpr std::size_t few = 6;
      if (const auto text = set_text(department, trial); !text.empty())
        page.text(text);
      else if (trial.candidates.size() > few)
        page.text(fmt::format("{} candidates", trial.candidates.size()));
      else
        chips(page, trial.candidates);
    });
    page.element("td", {},
                 trial.machines.size() == department.machines.size()
                     ? fmt::format("all {}", trial.machines.size())
                     : fmt::format("{}", fmt::join(trial.machines, ", ")));
    page.element("td", {}, [&] { badge(page, trial.outcome); });
    page.element("td", {}, [&] {
      if (trial.error && is_lost(trial))
        page.text(fmt::format("{}; tried again as {}", trial.error->message, trial.retried_as));
      else if (trial.error)
        page.text(trial.error->message);
      else if (is_lost(trial))
        page.text("tried again as " + trial.retried_as);
      else if (!trial.reused_run.empty())
        page.text(fmt::format("same digests as {} of run {}", trial.reused_from, trial.reused_run));
      else if (!trial.reused_from.empty())
        page.text("same digests as " + trial.reused_from);
      else if (const auto text = declined_text(trial); !text.empty())
        page.text(text);
      else if (trial.signature.empty() && trial.outcome != Outcome::pass)
        page.text("it came to no end that says anything");
      else if (trial.signature.empty())
        page.element("span", {{"class", "muted number"}}, "nothing broken");
      else
        page.text(counted(trial.signature.size(), "failure", "failures"));
    });
    page.element("td", {{"class", "number"}}, duration_text(trial.duration_ms));
  });
}

// As it was planned here: not every run restarts machines, and some trials go on where another one ended.
std::string life_of_a_trial(const DepartmentRecord& department) {
  const bool restarts = std::ranges::any_of(department.phases,
                                            [](const std::string& phase) { return phase.starts_with("after-reboot"); });
  const bool goes_on = std::ranges::any_of(department.trials, [](const TrialRecord& trial) {
    return std::ranges::any_of(trial.installs, [](const auto& install) { return !install.installed_in.empty(); });
  });
  std::set<std::string> runs;
  for (const auto& trial : department.trials) {
    for (const auto& install : trial.installs) {
      if (!install.installed_run.empty() && !is_lost(trial)) runs.insert(install.installed_run);
    }
  }
  auto text = fmt::format("A trial of a set starts from the baseline{}, installs it, {}and checks.",
                          goes_on ? " or where an earlier trial of a part of it ended" : "",
                          restarts ? "restarts the machines " : "");
  if (std::ranges::count(department.phases, services_phase) > 0)
    text += " Then the services that its roles name are stopped and started again while checks are asked.";
  if (std::ranges::count(department.phases, next_package_phase) > 0)
    text += " Then another package is installed behind the set.";
  std::vector<std::string> clock;
  for (const auto& phase : department.phases) {
    if (is_clock_phase(phase)) clock.push_back(phase.substr(phase.find('+')));
  }
  if (!clock.empty())
    text += fmt::format(
        " At its end the clocks of the machines are moved on ({}), and after each step everything is checked.",
        fmt::join(clock, ", "));
  const auto kept = std::ranges::find_if(department.trials, [](const TrialRecord& trial) {
    return trial.purpose == Purpose::baseline && !is_lost(trial) && !trial.state_of_run.empty();
  });
  if (kept != department.trials.end()) {
    text += fmt::format(
        " The machines of the baseline were not started: they went on from the state that run {} saved, "
        "and were checked anew.",
        kept->state_of_run);
  }
  if (!runs.empty()) {
    text += fmt::format(
        " Some began where run {} had installed the first candidates of the set; restarts and checks behind that are "
        "of "
        "this run.",
        fmt::join(runs, " and "));
  }
  return text;
}

void write_trials(Page& page, const DepartmentRecord& department) {
  page.element("h3", {}, "Trials");
  page.element("p", {{"class", "muted"}}, life_of_a_trial(department));
  const auto shown = [&](const TrialRecord& trial) { return is_shown(department, trial); };
  const auto others =
      department.trials.size() - static_cast<std::size_t>(std::ranges::count_if(department.trials, shown));
  table(page, "plain trials", "trials of " + department.name,
        {"Trial", "Why", "Set", "Machines", "Outcome", "Found", "Took"}, [&] {
          for (const auto& trial : department.trials) {
            if (shown(trial)) write_trial_row(page, department, trial);
          }
        });
  if (others > 0)
    page.element("p", {{"class", "muted"}},
                 fmt::format("{} in which everything passed: see run.json.",
                             counted(others, "more trial of a set", "more trials of sets")));
}

void write_flaky(Page& page, const DepartmentRecord& department) {
  if (department.flaky.empty()) return;
  page.element("h3", {}, "Flaky");
  page.element("p", {{"class", "muted"}},
               "Failed and passed although nothing was changed in between. Nobody is blamed for it.");
  table(page, "plain", "flaky in " + department.name, {"What", "Counts", "Set", "Failed in", "Passed in"}, [&] {
    for (const auto& flaky : department.flaky) {
      page.element("tr", {}, [&] {
        page.element("th", {{"scope", "row"}}, flaky.fact);
        page.element("td", {}, counts_of(flaky));
        page.element("td", {}, [&] {
          if (flaky.candidates.empty())
            page.text("no patch");
          else
            chips(page, flaky.candidates);
        });
        page.element("td", {}, fmt::format("{}", fmt::join(flaky.failed, ", ")));
        page.element("td", {}, fmt::format("{}", fmt::join(flaky.passed, ", ")));
      });
    }
  });
}

// What was not known is never shown as good.
void write_likeness(Page& page, const MachineRecord& machine) {
  if (!machine.likeness) return badge(page, Outcome::not_reached, "not asked");
  const auto& likeness = *machine.likeness;
  switch (likeness.state()) {
    case lab::facts::LikenessState::unknown: badge(page, Outcome::not_reached, "not known"); break;
    case lab::facts::LikenessState::differs: badge(page, Outcome::skipped, "differs"); break;
    case lab::facts::LikenessState::alike: badge(page, Outcome::pass, "alike"); break;
  }
  page.element("div", {}, sentence_of(likeness));
  if (likeness.differences.empty()) return;
  page.element("details", {}, [&] {
    page.element("summary", {}, "what differs");
    page.element("ul", {}, [&] {
      for (const auto& one : likeness.differences)
        page.element(
            "li", {},
            fmt::format("{} {}: golden {}, production {}", to_string(one.part), one.name,
                        one.golden.empty() ? "none" : one.golden, one.production.empty() ? "none" : one.production));
    });
  });
}

void write_machines(Page& page, const DepartmentRecord& department) {
  page.element("h3", {}, "Machines and golden images");
  table(
      page, "plain", "machines of " + department.name,
      {"Machine", "Role", "Address", "Memory", "Checks", "Golden image", "Digest", "After the run", "Like production"},
      [&] {
        for (const auto& machine : department.machines) {
          page.element("tr", {}, [&] {
            page.element("th", {{"scope", "row"}}, machine.name);
            page.element("td", {}, machine.role);
            page.element("td", {}, [&] { page.element("code", {}, machine.address); });
            page.element("td", {{"class", "number"}}, fmt::format("{} MiB", machine.memory_mib));
            page.element("td", {{"class", "number"}}, fmt::format("{}", machine.checks.size()));
            page.element("td", {}, machine.golden);
            page.element("td", {}, [&] { digest(page, machine.golden_digest); });
            page.element("td", {}, [&] {
              if (machine.golden_digest_after.empty())
                badge(page, Outcome::not_reached, "not verified");
              else if (machine.golden_digest_after == machine.golden_digest)
                badge(page, Outcome::pass, "unchanged");
              else
                badge(page, Outcome::fail, "changed");
            });
            page.element("td", {}, [&] { write_likeness(page, machine); });
          });
        }
      });
}

void write_remarks(Page& page, const DepartmentRecord& department) {
  const auto sentences = remarks(department);
  if (sentences.empty()) return;
  page.element("h3", {}, "Flaky, or not judged");
  page.element("ul", {{"class", "reasons"}}, [&] {
    for (const auto& sentence : sentences) page.element("li", {}, sentence);
  });
}

const RunFact& fence_fact(const DepartmentRecord& department, const std::vector<RunFact>& facts) {
  return *std::ranges::find_if(
      facts, [&](const RunFact& fact) { return fact.kind == FactKind::fence && fact.department == department.name; });
}

// What passes is a number; the rest is named.
void write_checks(Page& page, const DepartmentRecord& department, const std::vector<RunFact>& facts) {
  std::size_t passed = 0;
  std::vector<const RunFact*> others;
  for (const auto& fact : facts) {
    if (fact.kind != FactKind::check || fact.department != department.name) continue;
    if (fact.outcome == Outcome::pass)
      ++passed;
    else
      others.push_back(&fact);
  }
  if (passed == 0 && others.empty()) return;
  page.element("h3", {}, "Checks");
  const auto* final_trial = find_trial(department, department.final_trial);
  page.element(
      "p", {{"class", "muted"}},
      fmt::format("{} of {} as expected without patches{}.", passed, passed + others.size(),
                  final_trial == nullptr ? ". No set that passed was tried as a whole" : ", and with what passed"));
  if (others.empty()) return;
  page.element("ul", {{"class", "against"}}, [&] {
    for (const auto* fact : others) {
      const auto css = "check-fact " + css_class(fact->outcome);
      page.element("li", {{"class", css}}, [&] {
        icon(page, css_class(fact->outcome));
        page.element("span", {}, [&] {
          page.element("code", {}, fact->subject);
          page.text(" " + fact->sentence);
        });
        // Of what fails without a patch nothing is said elsewhere, and somebody has to mend the image or the check.
        if (fact->outcome == Outcome::error && !fact->detail.empty())
          page.element("pre", {{"tabindex", "0"}, {"role", "group"}, {"aria-label", fact->subject}},
                       shortened(fact->detail, 2000));
      });
    }
  });
}

}  // namespace

bool is_shown(const DepartmentRecord& department, const TrialRecord& trial) {
  constexpr std::size_t few = 20;
  return department.trials.size() <= few || trial.outcome != Outcome::pass || trial.candidates.empty() ||
         trial.id == department.final_trial || is_lost(trial);
}

void write_department(Page& page, const RunRecord& record, const DepartmentRecord& department,
                      const DecisionRecord& decision, const std::vector<RunFact>& facts, ToldChanges& told) {
  page.element("section", {{"id", "department-" + anchor(department.name)}, {"class", "department"}}, [&] {
    page.element("h2", {}, [&] {
      page.text(department.name + " ");
      page.element("span", {{"class", "sub"}},
                   counted(department.machines.size(), "machine", "machines") + ", " +
                       counted(department.trials.size(), "trial", "trials"));
    });
    if (department.error) {
      page.element("p", {{"class", "trouble"}},
                   fmt::format("{} ({})", department.error->message, to_string(department.error->error_class)));
      if (!department.error->hint.empty()) page.element("p", {{"class", "note"}}, department.error->hint);
    }
    page.element("div", {{"class", "lookup"}}, [&] { write_matrix(page, record, department); });
    write_failures(page, record, department);
    write_findings(page, department, decision, told);
    write_growth(page, department);
    write_service_cycles(page, department);
    write_next_package(page, department);
    write_flaky(page, department);
    write_remarks(page, department);
    // What is published needs no reasons on paper; why something is refused does.
    const auto* const box = decision.state == DecisionState::refused ? "" : "lookup";
    page.element("div", {{"class", box}}, [&] { write_promotion(page, record, department, decision); });
    page.element("div", {{"class", "lookup"}}, [&] { write_checks(page, department, facts); });
    write_fence(page, department.fence, fence_fact(department, facts));
    page.element("div", {{"class", "lookup"}}, [&] {
      write_trials(page, department);
      write_machines(page, department);
    });
  });
}

}  // namespace patchlab::reports::html
