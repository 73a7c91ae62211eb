// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/findings.hpp"

#include <gmock/gmock.h>

#include "runners/selftest/matrix.hpp"
#include "tests/support/json_schema.hpp"

namespace patchlab::runners {
namespace {

using checks::state::FindingClass;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Fault a_fault(const std::string& id, Expected expected = Expected::fail) {
  Fault fault;
  fault.id = id;
  fault.role = expected == Expected::clean ? "clean" : "dns";
  fault.what = "It breaks.";
  fault.when = "reboot";
  fault.expected = expected;
  fault.by = {"dns.query"};
  return fault;
}

reports::TrialRecord trial_of(const std::string& id, Outcome outcome) {
  reports::TrialRecord trial{.id = "finance/t02",
                             .purpose = reports::Purpose::final,
                             .candidates = {id},
                             .machines = {"dns"},
                             .outcome = outcome};
  trial.installs.push_back({.machine = "dns", .candidate = id, .outcome = Outcome::pass});
  trial.phases.push_back({.phase = "after-install", .machine = "dns", .outcome = outcome});
  trial.duration_ms = 40'000;
  return trial;
}

void add_check(reports::TrialRecord& trial, const std::string& kind, Outcome outcome) {
  trial.phases[0].checks.push_back({.id = "of-" + kind, .kind = kind, .outcome = outcome});
}

void add_difference(reports::TrialRecord& trial, const std::string& kind, FindingClass finding) {
  checks::state::StateDifference difference{kind, "/etc/x", "", "there"};
  difference.finding = finding;
  trial.phases[0].differences.push_back(difference);
}

reports::DepartmentRecord department_with(std::vector<reports::TrialRecord> trials) {
  reports::DepartmentRecord department{.name = "finance"};
  department.trials = std::move(trials);
  return department;
}

TEST(SelftestResult, IsFailedByChecksAndByWhatTheMachineWasSeenToBe) {
  auto trial = trial_of("a", Outcome::fail);
  add_check(trial, "dns.records", Outcome::fail);
  add_check(trial, "dns.query", Outcome::pass);
  add_difference(trial, "account", FindingClass::breach);
  add_difference(trial, "file", FindingClass::review);
  const auto result = result_of(a_fault("a"), department_with({trial}));
  EXPECT_EQ(result.found, Found::failed);
  EXPECT_THAT(result.failed_by, ElementsAre("dns.records", "state:account"));
  EXPECT_THAT(result.reviewed_by, ElementsAre("state:file"));
  EXPECT_TRUE(is_as_expected(result));
  EXPECT_EQ(result.trial, "finance/t02");
  EXPECT_EQ(result.duration_ms, 40'000);
}

TEST(SelftestResult, AReviewIsEnoughForWhatMustBeReviewedAndTooLittleForWhatMustFail) {
  auto trial = trial_of("a", Outcome::pass);
  add_difference(trial, "file", FindingClass::review);
  const auto department = department_with({trial});
  EXPECT_EQ(result_of(a_fault("a"), department).found, Found::review);
  EXPECT_FALSE(is_as_expected(result_of(a_fault("a"), department)));
  EXPECT_FALSE(is_missed(result_of(a_fault("a"), department)));
  EXPECT_TRUE(is_as_expected(result_of(a_fault("a", Expected::review), department)));
}

TEST(SelftestResult, WhatNobodySeesIsMissedAndANoticeIsNotSeeing) {
  auto trial = trial_of("a", Outcome::pass);
  add_check(trial, "dns.query", Outcome::pass);
  add_difference(trial, "module", FindingClass::notice);
  const auto result = result_of(a_fault("a", Expected::review), department_with({trial}));
  EXPECT_EQ(result.found, Found::passed);
  EXPECT_TRUE(is_missed(result));
  EXPECT_FALSE(is_as_expected(result));
}

TEST(SelftestResult, ATrialThatWasLostTellsNothingWhereverItStands) {
  auto lost = trial_of("a", Outcome::fail);
  lost.retried_as = "finance/t03";
  add_check(lost, "dns.records", Outcome::fail);
  const auto good = trial_of("a", Outcome::pass);
  EXPECT_EQ(result_of(a_fault("a"), department_with({good, lost})).found, Found::passed);
  EXPECT_EQ(result_of(a_fault("a"), department_with({lost})).found, Found::not_run);
}

TEST(SelftestResult, TroubleOfTheLabIsNeitherSeenNorMissed) {
  auto trial = trial_of("a", Outcome::error);
  trial.error = infrastructure_error("the disk is full");
  const auto result = result_of(a_fault("a"), department_with({trial}));
  EXPECT_EQ(result.found, Found::lab_error);
  EXPECT_EQ(result.why, "the disk is full");
  EXPECT_FALSE(is_missed(result));
  EXPECT_FALSE(tells_something(result));
  EXPECT_FALSE(is_as_expected(result));

  auto unseen = trial_of("a", Outcome::error);
  add_check(unseen, "dns.query", Outcome::error);
  unseen.phases[0].checks[0].reason = "observer-error";
  unseen.phases[0].checks[0].error = infrastructure_error("no socket could be made");
  const auto told = result_of(a_fault("a"), department_with({unseen}));
  EXPECT_EQ(told.found, Found::lab_error);
  EXPECT_EQ(told.why, "after-install: of-dns.query: no socket could be made");
}

TEST(SelftestResult, ATryThatWasLostCountsForItsTimeOnly) {
  auto lost = trial_of("a", Outcome::error);
  lost.retried_as = "finance/t03";
  auto second = trial_of("a", Outcome::fail);
  second.id = "finance/t03";
  const auto result = result_of(a_fault("a"), department_with({lost, second}));
  EXPECT_EQ(result.found, Found::failed);
  EXPECT_EQ(result.trial, "finance/t03");
  EXPECT_EQ(result.duration_ms, 80'000);
}

TEST(SelftestResult, APackageThatIsNotInstalledWasNoFaultUnlessItIsMeantSo) {
  auto trial = trial_of("a", Outcome::fail);
  trial.installs[0].outcome = Outcome::fail;
  trial.installs[0].end = "dpkg returned 1";
  const auto department = department_with({trial});
  const auto result = result_of(a_fault("a"), department);
  EXPECT_EQ(result.found, Found::not_made);
  EXPECT_THAT(result.why, HasSubstr("dpkg returned 1"));
  auto meant = a_fault("a");
  meant.by = {"install"};
  EXPECT_EQ(result_of(meant, department).found, Found::failed);
  EXPECT_THAT(result_of(meant, department).failed_by, ElementsAre("install"));
}

TEST(SelftestResult, OfWhatGoesNowhereOrWasNotTriedNothingIsKnown) {
  auto department = department_with({});
  EXPECT_EQ(result_of(a_fault("a"), department).found, Found::not_run);
  department.verdicts.push_back({.candidate = "a", .outcome = Outcome::skipped, .reason = "nobody has it"});
  const auto result = result_of(a_fault("a"), department);
  EXPECT_EQ(result.found, Found::not_made);
  EXPECT_EQ(result.why, "nobody has it");
}

TEST(SelftestResult, ACleanOneMayBeLookedAtAndMustNotFail) {
  auto reviewed = trial_of("a", Outcome::pass);
  add_difference(reviewed, "file", FindingClass::review);
  EXPECT_TRUE(is_as_expected(result_of(a_fault("a", Expected::clean), department_with({reviewed}))));
  EXPECT_FALSE(
      is_as_expected(result_of(a_fault("a", Expected::clean), department_with({trial_of("a", Outcome::fail)}))));
  EXPECT_FALSE(is_missed(result_of(a_fault("a", Expected::clean), department_with({trial_of("a", Outcome::pass)}))));
}

reports::TrialRecord control(Outcome outcome) {
  reports::TrialRecord trial{.id = "finance/t01", .purpose = reports::Purpose::control, .outcome = outcome};
  if (outcome == Outcome::fail) trial.signature = {"dns/a-record"};
  return trial;
}

TEST(SelftestResult, CountsTheControlsThatWereJudged) {
  const auto figures =
      controls_of(department_with({control(Outcome::fail), control(Outcome::pass), control(Outcome::pass),
                                   control(Outcome::fail), control(Outcome::error)}),
                  3);
  EXPECT_EQ(figures.judged, 3U);
  EXPECT_EQ(figures.failed, 1U);
  EXPECT_EQ(figures.errors, 1U);
  EXPECT_THAT(figures.facts, ElementsAre("dns/a-record"));
  EXPECT_EQ(controls_of(department_with({control(Outcome::pass)}), 3).judged, 0U);
  EXPECT_EQ(controls_of(department_with({}), 0).judged, 0U);
}

TEST(SelftestResult, SaysByWhichWayTheFenceLeaked) {
  reports::RunRecord record;
  record.departments = {department_with({control(Outcome::pass)})};
  record.departments[0].fence.attempts = {{"before", "ping", "10.20.0.250", true, "an echo", true, true},
                                          {"after", "outside", "devices of the host", true, "heard there: a beacon"}};
  const auto result = selftest_result({}, record, 1, {});
  EXPECT_EQ(result.error,
            "the fence leaks, the run is void: outside to devices of the host was answered after the trials: heard "
            "there: a beacon");
  record.departments[0].fence.attempts.pop_back();
  EXPECT_EQ(selftest_result({}, record, 1, {}).error, "");
}

TEST(SelftestResult, EndsWithWhatStandsAgainstTheChecks) {
  SelftestResult result;
  FaultResult good{.id = "a", .expected = Expected::fail, .found = Found::failed};
  result.faults = {good};
  EXPECT_EQ(exit_code_for(result), ExitCode::ok);
  auto not_made = good;
  not_made.found = Found::not_made;
  result.faults.push_back(not_made);
  EXPECT_EQ(exit_code_for(result), ExitCode::not_tested);
  auto missed = good;
  missed.found = Found::passed;
  result.faults.push_back(missed);
  EXPECT_EQ(exit_code_for(result), ExitCode::candidate_fails);
  auto lost = good;
  lost.found = Found::lab_error;
  result.faults.push_back(lost);
  EXPECT_EQ(exit_code_for(result), ExitCode::error);

  result.faults = {good};
  result.controls = {.judged = 5, .failed = 1};
  EXPECT_EQ(exit_code_for(result), ExitCode::candidate_fails);
  result.controls = {.judged = 5, .errors = 1};
  EXPECT_EQ(exit_code_for(result), ExitCode::error);
  result.controls = {};
  result.error = "the control failed twice";
  EXPECT_EQ(exit_code_for(result), ExitCode::error);
}

TEST(SelftestResult, WeakerThanItMustBeIsNoSuccess) {
  SelftestResult result;
  result.faults = {{.id = "a", .expected = Expected::fail, .found = Found::review}};
  EXPECT_EQ(exit_code_for(result), ExitCode::candidate_fails);
  result.faults[0].expected = Expected::review;
  EXPECT_EQ(exit_code_for(result), ExitCode::ok);
  result.faults = {{.id = "a", .role = "clean", .expected = Expected::clean, .found = Found::failed}};
  EXPECT_EQ(exit_code_for(result), ExitCode::candidate_fails);
}

// A department of one name server, of which two sets are asked: at the baseline, after the installation, at the end.
class SelftestBeside : public ::testing::Test {
 protected:
  SelftestBeside() {
    for (const char* id : {"plugins/check-dns", "plugins/check-tcp", "ports/port-53"}) {
      checks::CheckSpec spec{.id = id, .kind = "command"};
      spec.program = checks::CheckProgram{"check", "digest", {}, "/usr/lib/check"};
      beside_["dns"].push_back(spec);
    }
    department_.name = "finance";
    department_.phases = {"after-install", "after-reboot-1", "stability"};
    department_.machines.push_back({.name = "dns", .role = "dns"});
    reports::TrialRecord baseline{.id = "finance/baseline", .purpose = reports::Purpose::baseline, .machines = {"dns"}};
    baseline.phases.push_back(phase("baseline", {Outcome::pass, Outcome::pass, Outcome::pass}));
    department_.trials.push_back(baseline);
  }
  reports::PhaseRecord phase(const std::string& name, const std::vector<Outcome>& said) const {
    reports::PhaseRecord record{.phase = name, .machine = "dns", .outcome = Outcome::pass};
    for (std::size_t i = 0; i < said.size(); ++i)
      record.beside.push_back({.id = beside_.at("dns")[i].id, .kind = "command", .outcome = said[i]});
    return record;
  }
  // Of the candidate "a": what was said after the installation, and at the end.
  reports::TrialRecord trial(const std::vector<Outcome>& first, const std::vector<Outcome>& last) const {
    auto trial = trial_of("a", Outcome::pass);
    trial.phases = {phase("after-install", first), phase("after-reboot-1", {}), phase("stability", last)};
    return trial;
  }
  std::vector<SetResult> said(const reports::TrialRecord& trial) const {
    return said_of(trial, beside_of(beside_, department_), department_);
  }
  static constexpr auto ok = Outcome::pass;
  static constexpr auto bad = Outcome::fail;
  Beside beside_;
  reports::DepartmentRecord department_;
};

TEST_F(SelftestBeside, AnAlarmAtEitherMomentCountsAndNamesWhoGaveIt) {
  EXPECT_THAT(said(trial({ok, ok, ok}, {ok, ok, ok})),
              ElementsAre(SetResult{"plugins", Said::quiet, {}}, SetResult{"ports", Said::quiet, {}}));
  EXPECT_THAT(said(trial({bad, ok, ok}, {})).front(), (SetResult{"plugins", Said::alarm, {"check-dns"}}))
      << "the trial goes on no longer than until a set has seen something";
  EXPECT_THAT(said(trial({ok, ok, ok}, {bad, bad, ok})).front(),
              (SetResult{"plugins", Said::alarm, {"check-dns", "check-tcp"}}));
}

TEST_F(SelftestBeside, UnknownIsAnAlarmAndAProgramThatCouldNotLookIsNone) {
  auto one = trial({Outcome::error, ok, ok}, {ok, ok, ok});
  EXPECT_EQ(said(one).front().said, Said::untold);
  one.phases[0].beside[0].reason = "unknown";
  EXPECT_EQ(said(one).front().said, Said::alarm);
  EXPECT_EQ(said(trial({Outcome::skipped, ok, ok}, {ok, ok, ok})).front().said, Said::untold);
}

TEST_F(SelftestBeside, WhoWasNotAskedAtTheEndWasNotQuiet) {
  EXPECT_EQ(said(trial({ok, ok, ok}, {})).front().said, Said::untold);
  EXPECT_EQ(said(trial({}, {ok, ok, ok})).front().said, Said::untold);
  department_.phases = {"after-install"};
  EXPECT_EQ(said(trial({ok, ok, ok}, {})).front().said, Said::quiet) << "there is one moment";
}

TEST_F(SelftestBeside, WhoGaveAlarmBeforeAnyPatchSaysNothing) {
  department_.trials[0].phases[0] = phase("baseline", {bad, ok, bad});
  const auto figures = beside_of(beside_, department_);
  EXPECT_FALSE(figures.checks[0].is_usable);
  EXPECT_TRUE(figures.checks[1].is_usable);
  EXPECT_EQ(figures.checks[1].program, "/usr/lib/check");
  EXPECT_THAT(said(trial({bad, ok, bad}, {bad, ok, bad})),
              ElementsAre(SetResult{"plugins", Said::quiet, {}}, SetResult{"ports", Said::not_asked, {}}));
  department_.trials[0].phases[0].beside.clear();
  EXPECT_EQ(said(trial({ok, ok, ok}, {ok, ok, ok})).front().said, Said::not_asked);
}

TEST_F(SelftestBeside, IsCountedBesideWhatTheChecksSaw) {
  auto unseen = trial({ok, ok, ok}, {ok, ok, ok});
  unseen.outcome = Outcome::fail;  // by our checks alone
  auto seen = trial({bad, ok, ok}, {bad, ok, ok});
  seen.candidates = {"b"};
  seen.id = "finance/t03";
  auto good = trial({ok, bad, ok}, {ok, ok, ok});
  good.candidates = {"c"};
  good.id = "finance/t04";
  auto control_trial = control(Outcome::pass);
  control_trial.machines = {"dns"};
  control_trial.phases = {phase("stability", {ok, ok, bad})};
  for (const auto& one : {control_trial, unseen, seen, good}) department_.trials.push_back(one);
  reports::RunRecord record;
  record.departments = {department_};
  const auto result = selftest_result({a_fault("a"), a_fault("b"), a_fault("c", Expected::clean)}, record, 1, beside_);
  const auto sets = sets_of(result);
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0], (SetSummary{.set = "plugins",
                                 .told = 2,
                                 .alarms = 1,
                                 .failed = 1,
                                 .seen = 1,
                                 .clean = 1,
                                 .clean_alarms = 1,
                                 .controls = 1}));
  EXPECT_EQ(sets[1].alarms, 0U);
  EXPECT_EQ(sets[1].control_alarms, 1U);
  EXPECT_THAT(
      selftest_text(result),
      HasSubstr("beside, plugins: alarm at 1 of 2 faults, of which the checks failed 1 and saw 1; false alarms: "
                "1 of 1 clean candidates, 0 of 1 controls\n"));
  const auto page = selftest_html(result);
  EXPECT_THAT(page, HasSubstr("<th>beside: plugins</th>"));
  EXPECT_THAT(page, HasSubstr("plugins: alarm (check-dns); ports: quiet"));
  auto json = selftest_json(result);
  json["schema"] = "patchlab/selftest/v1";
  const auto schema = read_json_file(std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/selftest.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty());
}

TEST(SelftestResult, WithoutOthersNothingIsSaidOfThem) {
  reports::RunRecord record;
  record.departments = {department_with({trial_of("a", Outcome::fail)})};
  const auto result = selftest_result({a_fault("a")}, record, 1);
  EXPECT_THAT(selftest_text(result), Not(HasSubstr("beside")));
  EXPECT_THAT(selftest_html(result), Not(HasSubstr("beside")));
  EXPECT_FALSE(selftest_json(result).contains("beside"));
}

class SelftestText : public ::testing::Test {
 protected:
  SelftestText() {
    auto seen = trial_of("dns-seen", Outcome::fail);
    add_check(seen, "dns.records", Outcome::fail);
    auto alarm = trial_of("clean-alarm", Outcome::fail);
    add_check(alarm, "dns.query", Outcome::fail);
    record_.departments = {department_with(
        {control(Outcome::pass), control(Outcome::pass), seen, trial_of("dns-missed", Outcome::pass), alarm})};
    record_.asked.controls = 1;
    record_.id = "20261129-010203";
    faults_ = {a_fault("dns-seen"), a_fault("dns-missed"), a_fault("dns-late"),
               a_fault("clean-alarm", Expected::clean)};
  }
  reports::RunRecord record_;
  std::vector<Fault> faults_;
};

TEST_F(SelftestText, NamesWhatWasMissedWhatWasNotTriedAndFalseAlarms) {
  const auto text = selftest_text(selftest_result(faults_, record_, 7));
  EXPECT_THAT(text, HasSubstr("missed dns-missed: It breaks.\n"));
  EXPECT_THAT(text, HasSubstr("not-run dns-late: "));
  EXPECT_THAT(text, HasSubstr("false alarm clean-alarm: failed by dns.query\n"));
  EXPECT_THAT(text, HasSubstr("faults: 1 of 3 as expected; 1 of 2 that must fail failed; 1 missed; 1 tell nothing\n"));
  EXPECT_THAT(text, HasSubstr("clean candidates: 1 of 1 failed, 0 were sent to review; 0 tell nothing\n"));
  EXPECT_THAT(text, HasSubstr("0 of 1 failed; with 95 % confidence at most 95.00 % do"));
  EXPECT_THAT(text, HasSubstr("seed 7"));
  EXPECT_THAT(text, HasSubstr("dns.records 1"));
}

TEST_F(SelftestText, AsJsonFitsItsSchema) {
  record_.host["accelerator"] = "tcg";
  auto json = selftest_json(selftest_result(faults_, record_, 7));
  json["schema"] = "patchlab/selftest/v1";
  const auto schema = read_json_file(std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/selftest.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty());
  EXPECT_EQ(json["faults"][0]["found"], "failed");
  EXPECT_EQ(json["faults"][1]["found"], "passed");
  EXPECT_EQ(json["summary"]["missed"], 1);
}

TEST_F(SelftestText, CountsByRoleAndByTime) {
  const auto result = selftest_result(faults_, record_, 7);
  const auto rows = rows_by_role(result.faults);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].faults, 3U);
  EXPECT_EQ(rows[0].failed, 1U);
  EXPECT_EQ(rows[0].missed, 1U);
  EXPECT_EQ(rows[0].untold, 1U);
  EXPECT_EQ(rows_by_time(result.faults).at(0).name, "reboot");
}

TEST_F(SelftestText, ThePageEscapesWhatOthersChose) {
  faults_[1].what = "<script>alert(1)</script>.";
  const auto page = selftest_html(selftest_result(faults_, record_, 7));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
}

TEST_F(SelftestText, ThePageMarksWhatIsNotAsExpectedAndSaysNothingTwice) {
  const auto result = selftest_result(faults_, record_, 7);
  const auto page = selftest_html(result);
  const auto count = [&](const std::string& text) {
    std::size_t found = 0;
    for (auto at = page.find(text); at != std::string::npos; at = page.find(text, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count(" class=\"worse\""),
            static_cast<std::size_t>(std::ranges::count_if(result.faults, std::not_fn(is_as_expected))));
  for (const auto& fault : result.faults) EXPECT_EQ(count("<th>" + fault.id + "</th>"), 1U) << fault.id;
  EXPECT_EQ(count("<li>faults: "), 1U);
}

TEST_F(SelftestText, SaysWhyTheLabCouldNotBegin) {
  record_.departments[0].error = infrastructure_error("the control failed twice");
  const auto result = selftest_result(faults_, record_, 7);
  EXPECT_EQ(result.error, "the control failed twice");
  EXPECT_THAT(selftest_text(result), HasSubstr("the lab: the control failed twice\n"));
}

}  // namespace
}  // namespace patchlab::runners
