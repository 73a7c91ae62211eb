// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/junit/junit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <map>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::reports {
namespace {

// XML 1.0 section 2.2: of the control characters only tab, newline and return are allowed, escaped or not; U+FFFE and
// U+FFFF are not. The input is made valid UTF-8 first.
std::string xml_escaped(const std::string& bytes) {
  const auto text = to_valid_utf8(bytes);
  std::string escaped;
  escaped.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto code = static_cast<unsigned char>(c);
    if (code == 0xEF && (text.compare(i, 3, "\xEF\xBF\xBE") == 0 || text.compare(i, 3, "\xEF\xBF\xBF") == 0)) {
      i += 2;
      continue;
    }
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\n': escaped += "&#10;"; break;
      case '\t': escaped += "&#9;"; break;
      case '\r': escaped += "&#13;"; break;
      default:
        if (code >= 0x20) escaped += c;
    }
  }
  return printable_beyond_ascii(escaped);
}

std::string seconds(std::int64_t milliseconds) {
  return fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

struct Counts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  std::int64_t duration_ms = 0;
  void add(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    duration_ms += other.duration_ms;
  }
  // Of the whole file. Jenkins' schema counts what is skipped in the suites only.
  [[nodiscard]] std::string attributes() const {
    return fmt::format(R"(tests="{}" failures="{}" errors="{}" time="{}")", tests, failures, errors,
                       seconds(duration_ms));
  }
};

struct Case {
  std::string class_name;
  std::string name;
  Outcome outcome = Outcome::not_reached;
  std::string type;     // stable identifier
  std::string message;  // one line
  std::string detail;
  std::int64_t duration_ms = 0;
  std::vector<checks::CheckTry> tries{};  // that did not pass
  std::string note{};                     // of a pass that a person made one
};

class Suite {
 public:
  explicit Suite(std::string name) : name_(std::move(name)) {}
  void property(const std::string& name, const std::string& value) { properties_.emplace_back(name, value); }

  // A name that was there before gets a number: readers keep one case of each class and name, and the others are lost.
  void add(Case test) {
    if (const auto times = ++seen_[test.class_name + "\n" + test.name]; times > 1)
      test.name += fmt::format(", time {}", times);
    counts_.tests++;
    counts_.duration_ms += test.duration_ms;
    fmt::format_to(std::back_inserter(cases_), R"(    <testcase classname="{}" name="{}" time="{}")",
                   xml_escaped(test.class_name), xml_escaped(test.name), seconds(test.duration_ms));
    switch (test.outcome) {
      case Outcome::pass:
        if (test.note.empty()) return add_tries(test.tries);
        fmt::format_to(std::back_inserter(cases_), "><system-out>{}</system-out></testcase>\n", xml_escaped(test.note));
        return;
      case Outcome::skipped:
        counts_.skipped++;
        fmt::format_to(std::back_inserter(cases_), "><skipped message=\"{0}\">{0}</skipped></testcase>\n",
                       xml_escaped(test.message));
        return;
      case Outcome::fail: counts_.failures++; return add_trouble("failure", test, test.type);
      case Outcome::error: counts_.errors++; return add_trouble("error", test, test.type);
      case Outcome::not_reached: counts_.errors++; return add_trouble("error", test, test.type);
    }
  }

  [[nodiscard]] const Counts& counts() const { return counts_; }
  void write(std::string& out, const std::string& timestamp) const {
    fmt::format_to(std::back_inserter(out), "  <testsuite name=\"{}\" {} skipped=\"{}\" timestamp=\"{}\">\n",
                   xml_escaped(name_), counts_.attributes(), counts_.skipped, xml_escaped(timestamp));
    if (!properties_.empty()) {
      out += "    <properties>\n";
      for (const auto& [name, value] : properties_) {
        fmt::format_to(std::back_inserter(out), "      <property name=\"{}\" value=\"{}\"/>\n", xml_escaped(name),
                       xml_escaped(value));
      }
      out += "    </properties>\n";
    }
    out += cases_;
    out += "  </testsuite>\n";
  }

 private:
  // As Maven and Jenkins name tries that did not count.
  void add_tries(const std::vector<checks::CheckTry>& tries) {
    if (tries.empty()) {
      cases_ += "/>\n";
      return;
    }
    cases_ += ">";
    for (const auto& one : tries) {
      fmt::format_to(std::back_inserter(cases_), "<{0} type=\"{1}\" message=\"{2}\"/>",
                     one.outcome == Outcome::fail ? "flakyFailure" : "flakyError", xml_escaped(one.reason),
                     xml_escaped(one.observed));
    }
    cases_ += "</testcase>\n";
  }

  // The message is in the text as well: GitLab shows nothing else.
  void add_trouble(const char* element, const Case& test, const std::string& type) {
    const auto text = test.detail.empty() ? test.message : test.message + "\n" + test.detail;
    fmt::format_to(std::back_inserter(cases_), "><{0} type=\"{1}\" message=\"{2}\">{3}</{0}></testcase>\n", element,
                   xml_escaped(type), xml_escaped(test.message), xml_escaped(text));
  }

  std::string name_;
  std::vector<std::pair<std::string, std::string>> properties_;
  std::string cases_;
  Counts counts_;
  std::map<std::string, int> seen_;
};

// Names of trials that are the same in every run in which the same is tried: a CI server keeps the history of a test by
// its name. The trial's number is not in it; a lost try gets a name of its own and renames nobody.
class TrialNames {
 public:
  explicit TrialNames(const DepartmentRecord& department) {
    std::map<std::string, int> seen;
    for (const auto& trial : department.trials) {
      auto name = std::string(to_string(trial.purpose));
      if (trial.purpose == Purpose::search || trial.purpose == Purpose::confirm) name += " of " + set_name(trial);
      if (is_lost(trial)) name += ", lost try";
      const auto times = ++seen[name];
      names_[trial.id] = times == 1 ? name : fmt::format("{}, time {}", name, times);
    }
  }
  [[nodiscard]] std::string of(const TrialRecord& trial) const {
    const auto name = names_.find(trial.id);
    return name == names_.end() ? trial.id : name->second;
  }

 private:
  static std::string set_name(const TrialRecord& trial) {
    if (trial.candidates.size() <= 3) return fmt::format("{}", fmt::join(trial.candidates, "+"));
    const auto set = sha256(fmt::format("{}", fmt::join(trial.candidates, "\n")));
    return fmt::format("{} candidates {}", trial.candidates.size(), set.substr(0, 8));
  }
  std::map<std::string, std::string> names_;
};

// A trial that failed ends there: what it did not come to was left out on purpose, and is no error of the lab.
Outcome as_left_out(const TrialRecord& trial, Outcome outcome) {
  return outcome == Outcome::not_reached && trial.outcome == Outcome::fail ? Outcome::skipped : outcome;
}
constexpr const char* left_out = "left out on purpose, as the trial had failed before";

Case check_case(const std::string& class_name, const TrialRecord& trial, const std::string& trial_name,
                const PhaseRecord& phase, const checks::CheckResult& check) {
  Case test{class_name,
            fmt::format("{} ({}, {})", check.id, trial_name, phase.phase),
            as_left_out(trial, check.outcome),
            check.outcome == Outcome::not_reached ? "not-reached" : check.reason,
            {},
            {},
            check.duration.count()};
  std::ranges::copy_if(check.tries, std::back_inserter(test.tries),
                       [](const auto& one) { return one.outcome != Outcome::pass; });
  if (check.error) {
    test.type = to_string(check.error->error_class);
    test.message = check.error->message;
  } else if (test.outcome != check.outcome) {
    test.message = left_out;
  } else if (check.outcome != Outcome::pass) {
    test.message = check.reason + ": expected " + check.expected + ", observed " + check.observed;
  }
  if (check.outcome == Outcome::fail || check.outcome == Outcome::error) {
    test.detail = fmt::format("trial: {} ({}) of {{{}}}\nphase: {}\nexpected: {}\nobserved: {}\nevidence: {}", trial.id,
                              to_string(trial.purpose), fmt::join(trial.candidates, ", "), phase.phase, check.expected,
                              check.observed, check.evidence.dump(-1, ' ', false, Json::error_handler_t::replace));
    for (std::size_t i = 0; i < check.tries.size(); ++i) {
      const auto& one = check.tries[i];
      test.detail += fmt::format("\ntry {}: {} after {} ms {} {}", i + 1, to_string(one.outcome), one.duration.count(),
                                 one.reason, one.observed);
    }
  }
  return test;
}

void add_phase(Suite& suite, const std::string& class_name, const TrialRecord& trial, const std::string& trial_name,
               const PhaseRecord& phase) {
  for (const auto& check : phase.checks) {
    suite.add(check_case(class_name, trial, trial_name, phase, check));
    if (!check.slowness || check.slowness->judged) continue;
    suite.add({class_name,
               fmt::format("{} slowness ({}, {})", check.id, trial_name, phase.phase),
               Outcome::skipped,
               "not-judged",
               "not judged: " + check.slowness->why_not,
               {},
               0});
  }
  Case state{class_name,     fmt::format("state ({}, {})", trial_name, phase.phase),
             Outcome::pass,  "state-changed",
             std::string(),  fmt::format("trial: {}\n", trial.id),
             std::int64_t{0}};
  if (phase.error) {
    state.outcome = Outcome::error;
    state.type = to_string(phase.error->error_class);
    state.message = phase.error->message;
  } else if (checks::state::has_failure(phase.differences)) {
    state.outcome = Outcome::fail;
    const auto count = std::ranges::count_if(phase.differences, &StateDifference::is_failure);
    state.message = fmt::format("{} unexpected changes", count);
    for (const auto& difference : phase.differences) {
      if (!difference.is_failure()) continue;
      state.detail +=
          fmt::format("{} {}: '{}' -> '{}'\n", difference.kind, difference.item, difference.before, difference.after);
    }
  } else if (phase.outcome == Outcome::skipped || phase.outcome == Outcome::not_reached) {
    state.outcome = as_left_out(trial, phase.outcome);
    state.type = "not-reached";
    state.message = state.outcome == phase.outcome ? to_string(phase.outcome) : left_out;
  }
  suite.add(state);
}

std::string kept_text(const InstallRecord& install) {
  std::string text;
  for (const auto& file : install.kept_files)
    text += fmt::format("the machine kept its own configuration; the package's is in {}\n", file);
  return text;
}

void add_trial(Suite& suite, const std::string& class_name, const DepartmentRecord& department,
               const TrialRecord& trial, const std::string& trial_name, const std::string& machine) {
  // Another try counts: what this one did not come to is no error of the run, and what it saw is said there.
  if (is_lost(trial)) {
    if (std::ranges::count(trial.machines, machine) == 0) return;
    const auto why = trial.error ? trial.error->message : fmt::format("failed on {}", fmt::join(trial.signature, ", "));
    suite.add({class_name,
               trial_name,
               Outcome::skipped,
               {},
               fmt::format("{} does not count, it was tried again as {}: {}", trial.id, trial.retried_as, why),
               {},
               0});
    return;
  }
  const auto add_installs = [&](const char* verb, const std::vector<InstallRecord>& installs) {
    for (const auto& install : installs) {
      if (install.machine != machine) continue;
      const auto ended = install.end.empty() ? std::string(to_string(install.outcome)) : install.end;
      suite.add({class_name, fmt::format("{} {} ({})", verb, install.candidate, trial_name), install.outcome,
                 fmt::format("{}-failed", verb),
                 fmt::format("to {} {} ended in: {}, exit code {}", verb, install.candidate, ended, install.exit_code),
                 install.log + kept_text(install), install.duration_ms});
    }
  };
  add_installs("install", trial.installs);
  add_installs("remove", trial.removals);
  for (const auto& phase : trial.phases) {
    if (phase.machine == machine) add_phase(suite, class_name, trial, trial_name, phase);
  }
  if (!must_be_complete(department, trial)) return;
  for (const auto& missing : missing_checks(department, trial)) {
    if (missing.machine != machine) continue;
    const auto* phase = find_phase(trial, missing.phase, machine);
    if (phase != nullptr && find_check(*phase, missing.check) != nullptr) continue;  // listed above as not reached
    suite.add({class_name,
               fmt::format("{} ({}, {})", missing.check, trial_name, missing.phase),
               as_left_out(trial, Outcome::not_reached),
               "not-reached",
               trial.outcome == Outcome::fail ? left_out : "planned, but not executed",
               {},
               0});
  }
}

std::set<std::string> kept_files(const DepartmentRecord& department, const MachineRecord& machine) {
  std::set<std::string> kept;
  for (const auto& trial : department.trials) {
    for (const auto& install : trial.installs) {
      if (install.machine == machine.name) kept.insert(install.kept_files.begin(), install.kept_files.end());
    }
  }
  return kept;
}

Suite machine_suite(const RunRecord& record, const DepartmentRecord& department, const MachineRecord& machine) {
  Suite suite(department.name + "/" + machine.name);
  suite.property("run", record.id);
  suite.property("role", machine.role);
  suite.property("golden", machine.golden);
  suite.property("golden_digest", machine.golden_digest);
  // Beside the cases, because one that passed has no text of its own.
  for (const auto& file : kept_files(department, machine)) suite.property("kept_configuration", file);
  const auto class_name = department.name + "." + machine.name;
  const TrialNames names(department);
  for (const auto& trial : department.trials)
    add_trial(suite, class_name, department, trial, names.of(trial), machine.name);
  return suite;
}

// As properties: a decision is no test, and what was waived stays the failure that it is.
void tell(Suite& suite, const DecisionRecord& decision) {
  if (decision.state == DecisionState::undecided) return;
  suite.property("decision", to_string(decision.state));
  suite.property("decision_as_of", decision.as_of);
  if (decision.emergency.is_one()) suite.property("emergency", to_string(decision.emergency));
  std::size_t number = 0;
  for (const auto& reason : decision.reasons()) suite.property(fmt::format("not_met {}", ++number), reason);
  number = 0;
  for (const auto& waived : decision.waived)
    suite.property(fmt::format("{} {}", waived.is_a_failure() ? "waived" : "accepted", ++number), to_string(waived));
}

Case case_of(const RunFact& fact) {
  const auto kind = std::string(to_string(fact.kind));
  Case test{fact.department.empty() ? kind : fact.department + "." + kind,
            fact.subject.empty() ? kind : fact.subject,
            fact.outcome,
            fact.code,
            fact.sentence,
            fact.detail,
            0};
  if (fact.kind == FactKind::finding && fact.outcome == Outcome::pass) test.note = fact.sentence + "\n" + fact.detail;
  if (fact.kind == FactKind::verdict && fact.outcome == Outcome::pass) test.note = fact.detail;
  if (fact.kind == FactKind::check) {  // one class per machine
    const auto machine = machine_of_key(fact.subject);
    test.class_name += "." + machine;
    test.name = fact.subject.substr(machine.size() + 1);
  }
  return test;
}

Suite run_suite(const RunRecord& record) {
  Suite suite("run");
  suite.property("run", record.id);
  suite.property("scenario_digest", record.scenario_digest);
  for (const auto& candidate : record.candidates) suite.property("candidate_digest " + candidate.id, candidate.digest);
  return suite;
}

Suite department_suite(const DepartmentRecord& department, const DecisionRecord& decision) {
  Suite suite(department.name);
  suite.property("final_trial", department.final_trial);
  for (const auto& machine : department.machines) {
    suite.property("golden " + machine.name, machine.golden);
    suite.property("golden_digest " + machine.name, machine.golden_digest);
    for (const auto& file : kept_files(department, machine)) suite.property("kept_configuration " + machine.name, file);
  }
  tell(suite, decision);
  std::size_t number = 0;
  for (const auto& remark : remarks(department)) suite.property(fmt::format("remark {}", ++number), remark);
  return suite;
}

Suite fence_suite(const DepartmentRecord& department) {
  Suite suite(department.name + "/fence");
  for (const auto& attempt : department.fence.attempts) {
    const auto name = fmt::format("{} to {} ({}{})", attempt.probe, attempt.target, attempt.phase,
                                  attempt.control ? ", control" : "");
    const bool as_it_must = attempt.answered == attempt.control;
    suite.add({department.name + ".fence", name,
               !attempt.sent ? Outcome::not_reached
               : as_it_must  ? Outcome::pass
                             : Outcome::error,
               !attempt.sent     ? "not-sent"
               : attempt.control ? "fence-unproven"
                                 : "fence-breach",
               !attempt.sent     ? "was not sent: it proves nothing"
               : attempt.control ? "was not answered: the listener is deaf"
                                 : "was answered: the fence leaks",
               attempt.evidence, 0});
  }
  for (const auto& trouble : department.fence.troubles)
    suite.add({department.name + ".fence", "trouble", Outcome::error, "fence-unproven", trouble, {}, 0});
  return suite;
}

std::string document(const RunRecord& record, const std::vector<Suite>& suites) {
  Counts total;
  for (const auto& suite : suites) total.add(suite.counts());
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  fmt::format_to(std::back_inserter(out), "<testsuites name=\"{}\" {}>\n", xml_escaped(record.scenario_name),
                 total.attributes());
  // Jenkins wants the time without a zone.
  const auto timestamp = record.started.substr(0, record.started.find('.'));
  for (const auto& suite : suites) suite.write(out, timestamp);
  out += "</testsuites>\n";
  return out;
}

}  // namespace

std::string junit_xml(const RunRecord& record, const Decisions& decisions) {
  std::vector<Suite> suites{run_suite(record)};
  std::map<std::string, std::size_t> suite_of{{"", 0}};
  for (const auto& department : record.departments) {
    suite_of[department.name] = suites.size();
    suites.push_back(department_suite(department, decision_of(decisions, department.name)));
  }
  for (const auto& fact : facts_of_run(record, decisions)) suites[suite_of.at(fact.department)].add(case_of(fact));
  return document(record, suites);
}

std::string junit_trials_xml(const RunRecord& record) {
  std::vector<Suite> suites;
  for (const auto& department : record.departments) {
    suites.push_back(fence_suite(department));
    for (const auto& machine : department.machines) suites.push_back(machine_suite(record, department, machine));
  }
  return document(record, suites);
}

}  // namespace patchlab::reports
