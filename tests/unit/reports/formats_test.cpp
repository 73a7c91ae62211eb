// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <functional>
#include <regex>
#include <set>

#include "cli/run_table.hpp"
#include "promotion/desk/shown.hpp"
#include "promotion/gate/gate.hpp"
#include "reports/brief/brief.hpp"
#include "reports/csv/csv.hpp"
#include "reports/html/html.hpp"
#include "reports/junit/junit.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/findings.hpp"
#include "reports/record/run_exit_code.hpp"
#include "reports/record/summary.hpp"
#include "reports/tap/tap.hpp"
#include "tests/support/sample_record.hpp"

// All formats and the exit code say the same of a run: one of them is green exactly when all are.
namespace patchlab::reports {
namespace {
using testing::IsEmpty;

// One fact of a good run, changed.
struct Change {
  const char* name;
  std::function<void(RunRecord&, DepartmentRecord&)> make;
};
void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }

TrialRecord& last_trial(DepartmentRecord& department) {
  return *std::ranges::find(department.trials, department.final_trial, &TrialRecord::id);
}

StateDifference changed_file(const std::string& before, const std::string& after) {
  return {"file", "/etc/named.conf", before, after, checks::state::FindingClass::review, "no package brings it", {}};
}

const std::vector<Change>& changes() {
  using R = RunRecord&;
  using D = DepartmentRecord&;
  static const std::vector<Change> all{
      {"Nothing", [](R, D) {}},
      {"RunError", [](R r, D) { r.error = infrastructure_error("the disk is full\nfree some"); }},
      {"RunErrorOfConfiguration", [](R r, D) { r.error = configuration_error("no such image"); }},
      {"Cancelled",
       [](R r, D) {
         r.error = Error{ErrorClass::cancelled, "interrupted", ""}, r.complete = false;
       }},
      {"Interrupted", [](R r, D) { r.complete = false; }},
      {"NoCandidates", [](R r, D) { r.candidates.clear(); }},
      {"NoDepartments", [](R r, D) { r.departments.clear(); }},
      {"NoEnd", [](R r, D) { r.finished.clear(); }},
      {"TooOld", [](R r, D) { r.finished = "2026-10-01T00:00:00.000Z"; }},
      {"Narrowed", [](R r, D) { r.asked.roles = {"dns"}; }},
      {"DepartmentError", [](R, D d) { d.error = infrastructure_error("the disk is full"); }},
      {"DepartmentErrorWithHint",
       [](R, D d) {
         d.error = Error{ErrorClass::guest, "no answer", "look at it"};
       }},
      {"DepartmentEndedInError", [](R, D d) { d.outcome = Outcome::error; }},
      {"DepartmentNotReached", [](R, D d) { d.outcome = Outcome::not_reached; }},
      {"ProbeAnswered", [](R, D d) { d.fence.attempts[4].answered = true; }},
      {"GuestAnswered",
       [](R, D d) {
         d.fence.attempts.push_back({.phase = "during", .probe = "guest-arp", .target = "192.0.2.2", .answered = true});
       }},
      {"NoProbes", [](R, D d) { d.fence = {}; }},
      {"NoProbesAfter", [](R, D d) { std::erase_if(d.fence.attempts, [](auto& a) { return a.phase == "after"; }); }},
      {"DeafControl",
       [](R, D d) {
         for (auto& attempt : d.fence.attempts) attempt.answered = attempt.answered && attempt.phase != "during";
       }},
      {"NothingSentBefore",
       [](R, D d) {
         for (auto& attempt : d.fence.attempts) attempt.sent = attempt.phase != "before";
       }},
      {"FenceTrouble", [](R, D d) { d.fence.troubles = {"no IPv6"}; }},
      {"GoldenChanged", [](R, D d) { d.machines[1].golden_digest_after = sha256("other"); }},
      {"GoldenNotLookedAt", [](R, D d) { d.machines[0].golden_digest_after.clear(); }},
      {"CandidateSwapped", [](R r, D) { r.candidates[0].digest = sha256("swapped"); }},
      {"CandidateTwice", [](R r, D) { r.candidates.push_back(r.candidates[0]); }},
      {"LateCandidate", [](R r, D) { r.candidates.push_back(r.candidates[0]), r.candidates.back().id = "late"; }},
      {"BaselineFailed", [](R, D d) { d.trials[0].outcome = Outcome::fail; }},
      {"BaselineCheckFailed", [](R, D d) { d.trials[0].phases[0].checks[1].outcome = Outcome::fail; }},
      {"BaselineCheckError", [](R, D d) { d.trials[0].phases[0].checks[1].outcome = Outcome::error; }},
      {"BaselineCheckMissing", [](R, D d) { d.trials[0].phases[1].checks.pop_back(); }},
      {"NoBaseline", [](R, D d) { d.trials.erase(d.trials.begin()); }},
      {"ControlFailed", [](R, D d) { d.trials[1].outcome = Outcome::fail; }},
      {"ControlChangedSomething",
       [](R, D d) {
         d.trials[1].phases[0].differences.push_back({"service", "cron", "running", "failed"});
       }},
      {"ControlPhaseMissing", [](R, D d) { d.trials[1].phases.pop_back(); }},
      {"NoVerdict", [](R, D d) { d.verdicts.pop_back(); }},
      {"VerdictNotReached", [](R, D d) { d.verdicts[1].outcome = Outcome::not_reached; }},
      {"VerdictError", [](R, D d) { d.verdicts[1].outcome = Outcome::error; }},
      {"VerdictFails",
       [](R, D d) {
         d.verdicts[1].outcome = Outcome::fail;
         d.verdicts[1].failed = {"mail/deliver"};
       }},
      {"VerdictsFailTogether",
       [](R, D d) {
         for (auto& verdict : d.verdicts) verdict.outcome = Outcome::fail;
         d.verdicts[0].group = {d.verdicts[1].candidate};
       }},
      {"OneSkipped", [](R, D d) { d.verdicts[0].outcome = Outcome::skipped; }},
      {"AllSkipped",
       [](R, D d) {
         for (auto& verdict : d.verdicts) verdict.outcome = Outcome::skipped;
       }},
      {"AllSkippedAndNothingRan",
       [](R, D d) {
         for (auto& verdict : d.verdicts) verdict.outcome = Outcome::skipped;
         d.trials.clear();
         d.fence = {};
         d.final_trial.clear();
         d.outcome = Outcome::skipped;
         for (auto& machine : d.machines) machine.golden_digest_after.clear();
       }},
      {"SkippedWithAnError",
       [](R, D d) {
         for (auto& verdict : d.verdicts) verdict.outcome = Outcome::skipped;
         d.error = timeout_error("no answer");
       }},
      {"NoFinalTrial", [](R, D d) { d.final_trial.clear(); }},
      {"FinalTrialUnknown", [](R, D d) { d.final_trial = "finance/t99"; }},
      {"FinalTrialFailed", [](R, D d) { last_trial(d).outcome = Outcome::fail; }},
      {"FinalTrialError", [](R, D d) { last_trial(d).outcome = Outcome::error; }},
      {"FinalSetSmaller", [](R, D d) { last_trial(d).candidates.pop_back(); }},
      {"FinalReusesNothing", [](R, D d) { last_trial(d).reused_from = "finance/t77"; }},
      {"FinalCheckFailed", [](R, D d) { last_trial(d).phases[1].checks[0].outcome = Outcome::fail; }},
      {"FinalCheckError",
       [](R, D d) {
         last_trial(d).phases[1].checks[0].outcome = Outcome::error;
         last_trial(d).phases[1].checks[0].error = timeout_error("no reply");
       }},
      {"FinalCheckSkipped", [](R, D d) { last_trial(d).phases[1].checks[0].outcome = Outcome::skipped; }},
      {"FinalCheckNotReached", [](R, D d) { last_trial(d).phases[1].checks[0].outcome = Outcome::not_reached; }},
      {"FinalCheckMissing", [](R, D d) { last_trial(d).phases[0].checks.pop_back(); }},
      {"FinalPhaseMissing", [](R, D d) { last_trial(d).phases.pop_back(); }},
      {"FinalPhaseError", [](R, D d) { last_trial(d).phases[1].error = guest_error("silent agent"); }},
      {"FinalStateChanged",
       [](R, D d) {
         last_trial(d).phases[2].differences.push_back({"listener", "tcp 53", "named", ""});
       }},
      {"FinalNeedsADecision", [](R, D d) { last_trial(d).phases[2].differences.push_back(changed_file("a", "b")); }},
      {"FinalNeedsADecisionInTwoPhases",
       [](R, D d) {
         for (auto& phase : last_trial(d).phases) phase.differences.push_back(changed_file("a", "b"));
       }},
      {"TwoContentsOfOneFile",
       [](R, D d) {
         last_trial(d).phases[2].differences.push_back(changed_file("a", "b"));
         last_trial(d).phases[2].differences.push_back(changed_file("a", "c"));
       }},
      {"FinalNeedsADecisionWithAHostileName",
       [](R, D d) {
         auto change = changed_file("<script>\n", std::string("\xff\x1b]0;", 5));
         change.item = "/etc/\"</pre><b>\n| fail | a, b";
         change.diff = "--- a\n+++ b\n@@ -1 +1 @@\n-</pre>\n+x\n";
         last_trial(d).phases[2].differences.push_back(change);
       }},
      {"FinalIsToBeNoticed",
       [](R, D d) {
         last_trial(d).phases[2].differences.push_back(changed_file("a", "b"));
         last_trial(d).phases[2].differences.back().finding = checks::state::FindingClass::notice;
       }},
      {"ControlChangedWhatIsToBeReviewed",
       [](R, D d) { d.trials[1].phases[0].differences.push_back(changed_file("a", "b")); }},
      {"AnotherSetNeedsADecision",
       [](R, D d) {
         auto search = last_trial(d);
         search.id = "finance/t56";
         search.purpose = Purpose::search;
         search.candidates = {"tidy"};
         search.phases[0].differences.push_back(changed_file("a", "b"));
         d.trials.push_back(search);
       }},
      {"AReviewBesideAFailure",
       [](R, D d) {
         last_trial(d).phases[2].differences = {changed_file("a", "b"), {"listener", "tcp 53", "named", ""}};
       }},
      {"MachineWithoutChecks", [](R, D d) { d.machines[0].checks.clear(); }},
      {"MachineThatNobodyLookedAt",
       [](R, D d) {
         d.machines.push_back(d.machines[0]);
         d.machines.back().name = "other";
       }},
      {"NotReproduced",
       [](R, D d) {
         d.flaky = {{FlakeKind::not_reproduced, "dns/a-record", {"tidy"}, {"finance/t3"}, {"finance/t4"}}};
       }},
      {"FlakyTwiceInASearch",
       [](R, D d) {
         d.flaky = {{FlakeKind::in_search, "dns/a-record", {"tidy"}, {"finance/t3"}, {"finance/t4"}},
                    {FlakeKind::in_search, "dns/a-record", {"tidy"}, {"finance/t5"}, {"finance/t6"}}};
       }},
      {"AskedAgain",
       [](R, D d) {
         last_trial(d).phases[0].checks[0].tries = {{Outcome::fail, Milliseconds(20), "no-answer", "nothing", Json()},
                                                    {Outcome::pass, Milliseconds(10), "", "", Json()}};
       }},
      {"ALostTry",
       [](R, D d) {
         auto lost = d.trials[1];
         lost.id = "finance/t55";
         lost.retried_as = d.trials[1].id;
         lost.outcome = Outcome::fail;
         lost.phases[0].checks[0].outcome = Outcome::fail;
         d.trials.insert(d.trials.begin() + 1, lost);
       }},
      {"AFailureInASearchThatBlamesNobody",
       [](R, D d) {
         auto search = last_trial(d);
         search.id = "finance/t56";
         search.purpose = Purpose::search;
         search.candidates = {"tidy"};
         search.phases[0].checks[0].outcome = search.phases[0].outcome = search.outcome = Outcome::fail;
         d.trials.push_back(search);
       }},
  };
  return all;
}

Decisions as_the_gate_says(const RunRecord& record) {
  using namespace std::chrono;
  const promotion::Today today{.now = sys_days{year{2026} / 11 / 22} + hours{7}};
  Decisions decisions;
  for (const auto& department : record.departments)
    decisions.push_back(promotion::shown(promotion::decide(record, department.name, {}, today), record, today));
  return decisions;
}

bool junit_is_green(const std::string& xml) {
  return xml.find("<failure") == std::string::npos && xml.find("<error") == std::string::npos &&
         xml.find("<testcase") != std::string::npos;
}
// As GitLab's parser takes it (lib/gitlab/ci/parsers/test/junit.rb): a case is its class and name, of which it keeps
// one, and what is shown of a failure, an error or a skipped case is the element's text.
void expect_gitlab_can_read(const std::string& xml) {
  static const std::regex cases(
      R"re(<testcase classname="([^"]+)" name="([^"]+)" time="[0-9.]+">?(?:<(failure|error|skipped)[^>]*? message="([^"]*)">([^<]*)</)?)re");
  std::set<std::string> names;
  std::size_t seen = 0;
  for (std::sregex_iterator at(xml.begin(), xml.end(), cases), end; at != end; ++at, ++seen) {
    const auto& match = *at;
    EXPECT_TRUE(names.insert(match[1].str() + "\n" + match[2].str()).second) << match[0];
    EXPECT_THAT(match[2].str(), testing::Not(testing::ContainsRegex("/t[0-9]"))) << "the number of a trial";
    if (!match[3].matched) continue;
    EXPECT_FALSE(match[5].str().empty()) << match[0];
    EXPECT_TRUE(match[5].str().starts_with(match[4].str())) << match[0];
  }
  std::size_t written = 0;
  for (auto place = xml.find("<testcase "); place != std::string::npos; place = xml.find("<testcase ", place + 1))
    ++written;
  EXPECT_EQ(seen, written);
}

bool tap_is_green(const std::string& tap) {
  return tap.find("\nnot ok ") == std::string::npos && tap.find("Bail out!") == std::string::npos &&
         tap.find("\nok ") != std::string::npos;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted)
      cells.emplace_back();
    else if (c != '"')
      cells.back() += c;
  }
  return cells;
}
bool csv_is_green(const std::string& csv) {
  static const std::set<std::string> facts{"run",     "department", "fence",   "decision",
                                           "verdict", "finding",    "checked", "flaky"};
  std::istringstream lines(csv);
  std::size_t seen = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto cells = cells_of(line);
    if (!facts.contains(cells.at(1))) continue;
    ++seen;
    if (cells.at(9) != "pass" && cells.at(9) != "skipped") return false;
  }
  return seen > 0;
}
bool markdown_is_green(const std::string& text) {
  static const std::regex bad(R"(\n\| (fail|error|not-reached) \|)");
  return !std::regex_search(text, bad) && text.find("\n| pass |") != std::string::npos;
}
bool text_is_green(const std::string& text) {
  static const std::regex bad(R"(\n(fail|error|not-reached) )");
  return !std::regex_search(text, bad) && text.find("\npass  ") != std::string::npos;
}
bool html_is_green(const std::string& page) {
  static const std::regex bad(R"re(class="(run-fact|verdict-fact|check-fact) (fail|error|not-reached)")re");
  return !std::regex_search(page, bad) && page.find("<header class=\"pass\">") != std::string::npos;
}
bool table_is_green(const std::string& table) {
  static const std::regex bad(R"(Against the run:|: refused\n|\bfail, |\berror\b|not-reached)");
  return !std::regex_search(table, bad);
}

// Whoever reads only the first screen is never told that nothing is to be done while something stands against the run
// that nobody has settled, and what is held back is there.
void expect_summary_fits(const RunRecord& record, const Decisions& decisions, const std::vector<RunFact>& facts) {
  const auto summary = summary_of(record, decisions, facts);
  EXPECT_EQ(summary.code, exit_code_of(facts));
  EXPECT_FALSE(summary.headline.empty());
  EXPECT_EQ(summary.outcome == Outcome::pass, summary.code == ExitCode::ok);
  const bool settled = std::ranges::all_of(facts, [](const RunFact& fact) {
    return !fact.stands_against() || fact.code == "candidate-fails" || fact.code == "candidates-fail-together" ||
           fact.code == "only-skips";
  });
  EXPECT_TRUE(settled || !summary.tasks.empty()) << summary.headline;
  if (summary.tone == Tone::settled) EXPECT_TRUE(settled && summary.tasks.empty());
  for (const auto& fact : facts) {
    if (fact.kind != FactKind::verdict || !fact.stands_against()) continue;
    EXPECT_TRUE(std::ranges::any_of(summary.held, [&](const SummaryHeld& held) {
      return fact.subject.starts_with(held.candidate) && std::ranges::count(held.departments, fact.department) > 0;
    })) << name_of(fact);
  }
  for (const auto& department : record.departments)
    EXPECT_TRUE(std::ranges::any_of(summary.decisions, [&](const SummaryDecision& decision) {
      return std::ranges::count(decision.departments, department.name) > 0;
    })) << department.name;
}

void expect_agreement(const RunRecord& record, const Decisions& decisions) {
  const auto facts = facts_of_run(record, decisions);
  expect_summary_fits(record, decisions, facts);
  std::set<std::string> names;
  bool green = true;
  for (const auto& fact : facts) {
    EXPECT_TRUE(names.insert(name_of(fact)).second) << name_of(fact);
    EXPECT_FALSE(fact.sentence.empty()) << name_of(fact);
    EXPECT_FALSE(fact.code.empty()) << name_of(fact);
    EXPECT_EQ(fact.stands_against(), fact.asks_for != ExitCode::ok) << name_of(fact) << ": " << fact.sentence;
    green = green && !fact.stands_against();
  }
  EXPECT_EQ(exit_code_for(record, decisions), exit_code_of(facts));
  EXPECT_EQ(exit_code_for(record, decisions) == ExitCode::ok, green);
  EXPECT_EQ(junit_is_green(junit_xml(record, decisions)), green);
  expect_gitlab_can_read(junit_xml(record, decisions));
  expect_gitlab_can_read(junit_trials_xml(record));
  EXPECT_EQ(tap_is_green(tap_lines(record, decisions)), green);
  EXPECT_EQ(csv_is_green(csv_table(record, decisions)), green);
  EXPECT_EQ(markdown_is_green(markdown_summary(record, decisions)), green);
  EXPECT_EQ(text_is_green(text_summary(record, decisions)), green) << text_summary(record, decisions);
  EXPECT_EQ(html_is_green(html_report(record, decisions)), green);
  EXPECT_EQ(table_is_green(cli::run_table(record, decisions, "runs/r")), green)
      << cli::run_table(record, decisions, "runs/r");
}

class ChangedRecord : public testing::TestWithParam<Change> {};
INSTANTIATE_TEST_SUITE_P(Formats, ChangedRecord, testing::ValuesIn(changes()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(ChangedRecord, EveryFormatAgreesWithTheExitCode) {
  auto record = tests::good_record();
  GetParam().make(record, record.departments[0]);
  expect_agreement(record, as_the_gate_says(record));
}

TEST_P(ChangedRecord, AlsoWhenNobodyWasAsked) {
  auto record = tests::good_record();
  GetParam().make(record, record.departments[0]);
  expect_agreement(record, {});
}

// The same in one of two departments: the other does not hide it.
TEST_P(ChangedRecord, AlsoInOneOfTwoDepartments) {
  auto record = tests::good_record();
  record.departments.push_back(record.departments[0]);
  record.departments[0].name = "engineering";
  GetParam().make(record, record.departments.back());
  expect_agreement(record, as_the_gate_says(record));
  expect_agreement(record, {});
}

// What may not be promoted is green in no format, and what may is in all.
TEST_P(ChangedRecord, IsNotGreenWhenTheGateRefuses) {
  auto record = tests::good_record();
  GetParam().make(record, record.departments[0]);
  const auto decisions = as_the_gate_says(record);
  const bool promotable = !decisions.empty() && std::ranges::all_of(decisions, [](const auto& decision) {
    return decision.state == DecisionState::promotable;
  });
  EXPECT_EQ(exit_code_for(record, decisions) == ExitCode::ok, promotable && record.complete && !record.error)
      << GetParam().name;
}

// A fence is probed more than once during a run.
// It stood against the run until somebody accepted it; then it is said in all of them that somebody did.
TEST(Formats, AnAcceptedChangeIsShownAsAccepted) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  last_trial(department).phases[2].differences.push_back(changed_file("a", "b"));
  const auto machine = last_trial(department).phases[2].machine;
  const auto key = finding_key(machine, last_trial(department).phases[2].differences.back());
  using namespace std::chrono;
  promotion::Today today{.now = sys_days{year{2026} / 11 / 22} + hours{7}};
  promotion::PeopleOn people;
  people.set = set_in_question(department, {});
  std::ranges::sort(people.set);
  people.waived = {{key, "review", "carol", "bob", "2026-12-12T00:00:00.000Z", "asked for", "CHG7", 3}};
  const auto asked = [&] {
    Decisions decisions;
    for (const auto& one : record.departments)
      decisions.push_back(promotion::shown(promotion::decide(record, one.name, {}, today), record, today));
    return decisions;
  };
  const auto waiting = asked();
  expect_agreement(record, waiting);
  EXPECT_EQ(exit_code_for(record, waiting), ExitCode::policy);
  const auto facts = facts_of_run(record, waiting);
  const auto fact = std::ranges::find(facts, FactKind::finding, &RunFact::kind);
  ASSERT_NE(fact, facts.end());
  EXPECT_EQ(fact->code, "needs-decision");
  EXPECT_THAT(html_report(record, waiting, {}), testing::HasSubstr("needs a decision"));
  today.people[department.name] = {people};
  const auto accepted = asked();
  expect_agreement(record, accepted);
  EXPECT_EQ(exit_code_for(record, accepted), ExitCode::ok);
  const std::string words = "accepted by 'carol' until 2026-12-12T00:00:00.000Z (CHG7): asked for; approved by 'bob'";
  for (const auto& text : {html_report(record, accepted, {}), csv_table(record, accepted)})
    EXPECT_THAT(text, testing::HasSubstr("accepted by")) << text.substr(0, 40);
  EXPECT_THAT(tap_lines(record, accepted), testing::HasSubstr("# accepted: finance " + key + ": review, " + words));
  EXPECT_THAT(cli::run_table(record, accepted, "."), testing::HasSubstr(words));
  const auto junit = junit_xml(record, accepted);
  EXPECT_THAT(junit, testing::ContainsRegex("<testcase classname=\"finance.finding\" [^>]*><system-out>file "
                                            "/etc/named.conf changed in [^<]*accepted by"));
}

TEST(Formats, TheSameAttemptTwiceIsTwoCases) {
  auto record = tests::good_record();
  auto& fence = record.departments[0].fence;
  fence.attempts.insert(fence.attempts.end(), fence.attempts.begin(), fence.attempts.end());
  fence.troubles = {"no IPv6", "no IPv6"};
  const auto xml = junit_trials_xml(record);
  expect_gitlab_can_read(xml);
  EXPECT_THAT(xml, testing::HasSubstr("name=\"trouble, time 2\""));
  EXPECT_THAT(xml, testing::HasSubstr(", time 2\""));
}

// What a trial left out on purpose, after it had failed, is no error: 38 red cases for 4 candidates once.
TEST(Formats, APhaseLeftOutOnPurposeIsNoError) {
  auto record = tests::rich_record();
  for (auto& department : record.departments) {
    for (auto& trial : department.trials) {
      if (trial.outcome != Outcome::fail) continue;
      for (const auto& machine : trial.machines)
        trial.phases.push_back({.phase = stability_phase, .machine = machine, .outcome = Outcome::not_reached});
    }
  }
  for (const auto& xml : {junit_xml(record), junit_trials_xml(record)}) {
    EXPECT_EQ(xml.find("<error"), std::string::npos);
    expect_gitlab_can_read(xml);
  }
}

TEST(Formats, AGoodRunIsGreenAndARichOneIsNot) {
  EXPECT_EQ(exit_code_for(tests::good_record(), as_the_gate_says(tests::good_record())), ExitCode::ok);
  expect_agreement(tests::rich_record(), as_the_gate_says(tests::rich_record()));
  EXPECT_EQ(exit_code_for(tests::rich_record()), ExitCode::candidate_fails);
  expect_agreement(RunRecord{}, {});
}

TEST(Formats, ABreachAnywhereVoidsTheRun) {
  auto record = tests::rich_record();
  record.departments[0].fence.attempts[4].answered = true;
  record.departments[1].error = infrastructure_error("the disk is full");
  const auto decisions = as_the_gate_says(record);
  for (const auto& decision : decisions) {
    EXPECT_EQ(decision.state, DecisionState::refused) << decision.department;
    EXPECT_THAT(decision.reasons(), testing::Contains(testing::StartsWith("fence-breach: engineering")));
  }
  EXPECT_EQ(exit_code_for(record, decisions), ExitCode::fence_breach) << "before all else";
  EXPECT_EQ(exit_code_for(record), ExitCode::fence_breach);
  const auto page = html_report(record, decisions);
  EXPECT_THAT(page, testing::HasSubstr("<header class=\"breach\">"));
  EXPECT_THAT(page, testing::HasSubstr("The fence leaked: something in the lab reached the outside."));
}

// A history is kept by names: another search, with other trials, renames nothing.
TEST(Formats, NamesHoldNoTrial) {
  auto record = tests::rich_record();
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& fact : facts_of_run(record)) all.push_back(name_of(fact));
    return all;
  };
  const auto before = names();
  auto& department = record.departments[0];
  for (auto& trial : department.trials) trial.id += "0";
  department.final_trial += "0";
  for (auto& verdict : department.verdicts) {
    for (auto& trial : verdict.trials) trial += "0";
  }
  EXPECT_EQ(names(), before);
  for (const auto& name : before) EXPECT_THAT(name, testing::Not(testing::ContainsRegex("/t[0-9]")));
}

}  // namespace
}  // namespace patchlab::reports
