// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "lab/core/printable.hpp"
#include "runners/forecast/fleet.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/scale_world.hpp"
#include "tests/unit/runners/department_fixture.hpp"

namespace patchlab::runners::forecast {
namespace {

using reports::Purpose;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<Purpose> purposes(const ForeseenDepartment& department) {
  std::vector<Purpose> purposes;
  for (const auto& trial : department.trials) purposes.push_back(trial.purpose);
  return purposes;
}

std::set<std::string> installed(const ForeseenDepartment& department, const ForeseenTrial& trial) {
  std::set<std::string> ids;
  for (const auto& on : trial.machines) {
    for (const auto index : on.installs) ids.insert(department.candidates[index].id);
  }
  return ids;
}

Durations nothing_recorded() { return Durations(); }

TEST(Foresight, OfACleanNightIsControlAndBatch) {
  const auto jobs = tests::departments_of({.departments = 1});
  const auto department = Foresight({}, {}).of(jobs[0]);
  EXPECT_THAT(purposes(*department), ElementsAre(Purpose::control, Purpose::batch));
  const auto& control = department->trials[0];
  EXPECT_THAT(control.phases, ElementsAre("after-reboot-1", "stability"));
  const auto& batch = department->trials[1];
  EXPECT_THAT(batch.phases, ElementsAre("after-install", "after-reboot-1", "stability"));
  EXPECT_THAT(batch.machines, SizeIs(5));
  EXPECT_THAT(batch.machines[0].installs, SizeIs(4));
  EXPECT_THAT(batch.key, IsEmpty());
}

// The engine itself, in the cell of its own tests: the same trials with the same sets.
TEST(Foresight, ComesToTheTrialsThatTheEngineRuns) {
  Fixture fixture;
  fixture.machine("dns").machine("file").machine("mail", {"dns"});
  for (int i = 0; i < 8; ++i) fixture.candidate(fmt::format("p{}", i), {i % 2 == 0 ? "dns" : "file"});
  fixture.candidate("late", {"mail"}, {2});
  fixture.lab.breaks["dns"] = {{"p2"}};
  fixture.lab.breaks["file"] = {{"p5"}};
  fixture.lab.sorts = true;
  (void)fixture.run();
  std::multiset<std::string> engine, foreseen;
  for (const auto& trial : fixture.lab.trials) {
    const std::set<std::string> sorted(trial.candidates.begin(), trial.candidates.end());
    engine.insert(fmt::format("{} {} on {}", to_string(trial.purpose), listed(sorted), listed(trial.machines)));
  }
  const auto department = Foresight({"p2", "p5"}, {}).of(fixture.job);
  for (const auto& trial : department->trials) {
    std::vector<std::string> machines;
    for (const auto& on : trial.machines) machines.push_back(department->machines[on.machine].name);
    foreseen.insert(
        fmt::format("{} {} on {}", to_string(trial.purpose), listed(installed(*department, trial)), listed(machines)));
  }
  EXPECT_EQ(foreseen, engine);
  EXPECT_GT(foreseen.size(), 6U);
  // And it is the same whenever it is asked, though searches run side by side.
  for (int again = 0; again < 5; ++again)
    EXPECT_EQ(Foresight({"p2", "p5"}, {}).of(fixture.job)->trials, department->trials);
}

TEST(Foresight, AsksOnceForDepartmentsThatAreAlike) {
  Foresight foresight({}, {});
  for (const auto& job : tests::departments_of({.departments = 4})) (void)foresight.of(job);
  EXPECT_EQ(foresight.different(), 1U);
  for (const auto& job : tests::departments_of({.departments = 4, .all_differ = true})) (void)foresight.of(job);
  EXPECT_EQ(foresight.different(), 5U);
}

TEST(Foresight, LeavesOutWhatAnotherNightHasLeft) {
  const auto jobs = tests::departments_of({.departments = 1});
  const auto bad = evenly_spread(jobs, 1);
  EXPECT_THAT(bad, ElementsAre("patch-0010"));
  EXPECT_THAT(purposes(*Foresight(bad, {.controls = true, .convictions = true}).of(jobs[0])),
              ElementsAre(Purpose::batch));
  EXPECT_THAT(purposes(*Foresight(bad, {}).of(jobs[0])), Not(IsEmpty()));
}

TEST(Foresight, LeavesOutWhatNeedsAConvictedCandidate) {
  Fixture fixture;
  fixture.machine("dns").candidate("bad", {"dns"}).candidate("needs it", {"dns"}, {0}).candidate("good", {"dns"});
  const auto department = Foresight({"bad"}, {.controls = true, .convictions = true}).of(fixture.job);
  EXPECT_THAT(purposes(*department), ElementsAre(Purpose::batch));
  EXPECT_THAT(installed(*department, department->trials[0]), ElementsAre("good"));
}

TEST(Foresight, StopsASearchAtItsFirstFailureAndNotTheBatch) {
  const auto jobs = tests::departments_of({.departments = 1});
  const auto department = Foresight({"patch-0010"}, {}).of(jobs[0]);
  std::size_t searched = 0;
  for (const auto& trial : department->trials) {
    const bool fails = std::ranges::any_of(trial.machines, &OnMachine::fails);
    if (trial.purpose == Purpose::batch) {
      EXPECT_TRUE(fails);
      EXPECT_THAT(trial.phases, SizeIs(3));
    }
    if (trial.purpose != Purpose::search && trial.purpose != Purpose::confirm) continue;
    ++searched;
    EXPECT_THAT(trial.key, Not(IsEmpty()));
    EXPECT_THAT(trial.machines, SizeIs(1));
    if (fails) EXPECT_THAT(trial.phases, ElementsAre("after-install"));
  }
  EXPECT_GT(searched, 2U);
  EXPECT_EQ(department->trials.back().purpose, Purpose::final);
  EXPECT_FALSE(installed(*department, department->trials.back()).contains("patch-0010"));
}

reports::RunRecord small_record() {
  reports::RunRecord record;
  record.id = "20261129-203108-57fe";
  record.complete = true;
  record.duration_ms = 200'000;
  record.candidates = {{.id = "p1", .digest = "d1"}};
  reports::DepartmentRecord department{.name = "finance"};
  department.phases = {"after-install", "after-reboot-1"};
  department.machines = {{.name = "dns", .role = "dns", .memory_mib = 256}};
  const auto phase = [](const char* name, Outcome outcome) {
    return reports::PhaseRecord{
        .phase = name, .machine = "dns", .outcome = outcome, .checks = {}, .differences = {}, .error = {}};
  };
  const auto install = [](std::int64_t ms) {
    return reports::InstallRecord{.machine = "dns",
                                  .candidate = "p1",
                                  .outcome = Outcome::pass,
                                  .log = {},
                                  .duration_ms = ms,
                                  .installed_in = {}};
  };
  const auto trial = [](const char* id, Purpose purpose, Outcome outcome) {
    return reports::TrialRecord{.id = id, .purpose = purpose, .machines = {"dns"}, .outcome = outcome};
  };
  department.trials = {trial("finance/baseline", Purpose::baseline, Outcome::pass),
                       trial("finance/t01", Purpose::control, Outcome::pass),
                       trial("finance/t02", Purpose::batch, Outcome::fail)};
  department.trials[0].phases = {phase("baseline", Outcome::pass)};
  department.trials[1].phases = {phase("after-reboot-1", Outcome::pass)};
  department.trials[2].phases = {phase("after-install", Outcome::fail), phase("after-reboot-1", Outcome::fail)};
  department.trials[2].installs = {install(7000)};
  for (std::size_t i = 0; i < 3; ++i) department.trials[i].started = fmt::format("2026-11-29T20:3{}:00.000Z", i);
  record.departments = {department};
  record.timings = {{"finance", "", "", "fence", 14'000, 1'000},
                    {"finance", "dns", "finance/baseline", "boot", 15'000, 4'000},
                    {"finance", "dns", "", "checks", 20'000, 3'000},
                    {"finance", "dns", "", "state", 23'000, 500},
                    {"finance", "dns", "finance/t01", "reboot", 40'000, 6'000},
                    {"finance", "dns", "finance/t01", "checks", 46'000, 900},
                    {"finance", "dns", "finance/t01", "checks", 47'000, 100},
                    {"finance", "dns", "finance/t02", "checks", 60'000, 30'000},
                    {"finance", "dns", "finance/t02", "checks", 100'000, 50'000},
                    {"finance", "dns", "finance/t02", "settle", 70'000, 77'000}};
  return record;
}

TEST(Durations, AreThoseOfTheMachineThenOfItsKindThenAssumed) {
  auto older = small_record();
  older.id = "older";
  older.timings.push_back({"finance", "dns", "finance/t01", "revert", 30'000, 800});
  older.timings.front().duration_ms = 99'000;
  const Durations durations({small_record(), older});
  const auto dns = durations.of("finance", "dns", "dns", GuestFamily::debian);
  EXPECT_EQ(dns.of(StepKind::boot).ms, 4'000);
  EXPECT_EQ(dns.of(StepKind::boot).said, Said::recorded);
  EXPECT_EQ(dns.of(StepKind::boot).run, 0U);
  // Two looks; the second of them is told in two pieces.
  EXPECT_EQ(dns.of(StepKind::checks).ms, (3'000 + 900 + 100) / 2);
  EXPECT_EQ(dns.of(StepKind::failing_checks).ms, 40'000);
  EXPECT_EQ(dns.of(StepKind::settle).said, Said::assumed);  // that of an installation is a part of it
  EXPECT_EQ(dns.of(StepKind::revert).ms, 800);
  EXPECT_EQ(durations.runs()[dns.of(StepKind::revert).run], "older");
  EXPECT_EQ(dns.install("p1", "d1").said, Said::recorded);
  EXPECT_EQ(dns.install("p1", "another version").said, Said::of_this_kind);
  EXPECT_EQ(dns.install("p2", "d2").said, Said::of_this_kind);
  EXPECT_EQ(dns.install("p2", "d2").ms, 7'000);
  EXPECT_EQ(durations.of_department("finance", StepKind::fence).ms, 1'000);
  EXPECT_EQ(durations.frame().ms, 14'000 + 200'000 - 150'000);

  const auto other = durations.of("sales", "dns", "dns", GuestFamily::debian);
  EXPECT_EQ(other.of(StepKind::boot).said, Said::of_this_kind);
  EXPECT_EQ(other.install("p1", "d1").said, Said::of_this_kind);
  const auto mail = durations.of("sales", "mail", "mail", GuestFamily::debian);
  EXPECT_EQ(mail.of(StepKind::boot).said, Said::of_this_kind);
  // A Debian says nothing of a Windows.
  const auto windows = durations.of("sales", "domain", "domain", GuestFamily::windows);
  EXPECT_EQ(windows.of(StepKind::boot).said, Said::assumed);
  EXPECT_EQ(windows.of(StepKind::boot).ms, assumed_ms(StepKind::boot, GuestFamily::windows));
}

TEST(CellCourse, WaitsWithoutASlotForChecksThatGetNoAnswer) {
  const auto jobs = tests::departments_of({.departments = 1, .machines = 1, .patches = 1});
  const auto clean = course_of(*Foresight({}, {}).of(jobs[0]), "d", nothing_recorded(), false);
  const auto bad = course_of(*Foresight({"patch-0000"}, {}).of(jobs[0]), "d", nothing_recorded(), false);
  EXPECT_GT(bad.course.chain_ms(), clean.course.chain_ms());
  const auto works = assumed_ms(StepKind::checks, GuestFamily::debian);
  const auto fails = assumed_ms(StepKind::failing_checks, GuestFamily::debian);
  EXPECT_TRUE(std::ranges::any_of(bad.course.steps(),
                                  [&](const auto& step) { return !step.takes_slot && step.ms == fails - works; }));
}

// One machine, one patch; every step in a row, but for the fence that is proven from outside and inside at once.
TEST(CellCourse, IsARowOfStepsForOneMachine) {
  const auto jobs = tests::departments_of({.departments = 1, .machines = 1, .patches = 1});
  const auto made = course_of(*Foresight({}, {}).of(jobs[0]), "d", nothing_recorded(), false);
  const auto ms = [](StepKind kind) { return assumed_ms(kind, GuestFamily::debian); };
  const auto look = ms(StepKind::checks) + ms(StepKind::state);
  const auto baseline = ms(StepKind::fence) + ms(StepKind::boot) + ms(StepKind::ready) + ms(StepKind::fence_inside) +
                        look + ms(StepKind::settle) + ms(StepKind::snapshot);
  const auto restart = ms(StepKind::reboot) + ms(StepKind::ready) + look;
  const auto control = ms(StepKind::revert) + restart + 30'000 + look;
  const auto batch =
      ms(StepKind::revert) + ms(StepKind::install) + look + restart + 30'000 + look + ms(StepKind::fence);
  EXPECT_EQ(made.course.chain_ms(), baseline + control + batch);
  // A night like the last one goes on from a kept baseline, without a control.
  const auto again =
      course_of(*Foresight({}, {.states = true, .controls = true}).of(jobs[0]), "d", nothing_recorded(), true);
  EXPECT_EQ(again.course.chain_ms(), baseline - ms(StepKind::boot) + ms(StepKind::revert) + batch);
  EXPECT_TRUE(std::ranges::any_of(made.times, [](const auto& said) {
    return said.kind == StepKind::stability && said.time.said == Said::by_scenario && said.time.ms == 30'000;
  }));
}

TEST(CellCourse, InstallsAgainOnlyWhatNoKeptStateHolds) {
  const auto jobs = tests::departments_of({.departments = 1, .machines = 1, .patches = 8});
  const auto department = Foresight({"patch-0007"}, {}).of(jobs[0]);
  const auto made = course_of(*department, "d", nothing_recorded(), false);
  std::int64_t all = 0, spent = 0;
  const auto one = assumed_ms(StepKind::install, GuestFamily::debian);
  for (const auto& trial : department->trials) {
    for (const auto& on : trial.machines) all += one * static_cast<std::int64_t>(on.installs.size());
  }
  for (const auto& step : made.course.steps()) {
    if (step.takes_slot && step.ms > 0 && step.ms % one == 0) spent += step.ms;
  }
  EXPECT_LT(spent, all);
  EXPECT_GE(spent, 8 * one);  // the batch
}

FleetPlan planned(const std::vector<DepartmentJob>& jobs, FleetAsked asked, std::size_t bad = 0) {
  return plan_on(work_of(jobs, host::Executor{}, Durations(), {.bad = bad}), asked).value();
}

TEST(Fleet, TakesLessOnMoreHostsUntilTheLongestDepartmentDecides) {
  const auto jobs = tests::departments_of({.departments = 10});
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  for (const std::size_t hosts : {1U, 2U, 4U, 16U}) {
    const auto plan = planned(jobs, {.hosts = hosts, .cores = 4, .memory_mib = 16000, .by_executor = true}, 1);
    EXPECT_GE(plan.makespan_ms(), plan.bound_ms());
    EXPECT_LE(plan.makespan_ms(), before);
    before = plan.makespan_ms();
  }
}

// What one host does is what 'run' does there: a department begins when it has room, and all share the processors.
TEST(Fleet, TakesTurnsOnOneHostWhereMemoryIsShort) {
  const auto jobs = tests::departments_of({.departments = 3});
  const auto room = planned(jobs, {.hosts = 1, .cores = 2, .memory_mib = 16000});
  EXPECT_EQ(room.hosts.slots, Hosts::Slots::together);
  EXPECT_THAT(room.remarks, IsEmpty());
  for (const auto& placed : room.forecast.cells) EXPECT_EQ(placed.begin_ms, 0);
  const auto short_of = planned(jobs, {.hosts = 1, .cores = 2, .memory_mib = 4000});
  EXPECT_EQ(short_of.hosts.slots, Hosts::Slots::together);
  for (std::size_t i = 1; i < short_of.forecast.cells.size(); ++i)
    EXPECT_EQ(short_of.forecast.cells[i].begin_ms, short_of.forecast.cells[i - 1].end_ms);
  const auto refused =
      plan_on(work_of(jobs, host::Executor{}, Durations(), {}), {.hosts = 2, .cores = 2, .memory_mib = 900});
  EXPECT_EQ(refused.error().error_class, ErrorClass::configuration);
}

// Of three where two fit: the long one begins at once, wherever it stands, and the short ones share what is left.
TEST(Fleet, BeginsWithTheLongestDepartment) {
  auto jobs = tests::departments_of({.departments = 3, .all_differ = true});
  jobs[2].cell.policy.stability = std::chrono::hours(1);
  const auto plan = planned(jobs, {.hosts = 1, .cores = 2, .memory_mib = 8000});
  const auto& cells = plan.forecast.cells;
  EXPECT_EQ(plan.work.departments[2].name, jobs[2].cell.department);
  EXPECT_EQ(cells[0].begin_ms, 0);
  EXPECT_EQ(cells[2].begin_ms, 0);
  EXPECT_EQ(cells[1].begin_ms, cells[0].end_ms);
  EXPECT_EQ(plan.forecast.makespan_ms, cells[2].end_ms);
}

TEST(Fleet, SharesSearchesOfDepartmentsThatAreAlike) {
  const FleetAsked asked{.hosts = 4, .cores = 8, .memory_mib = 64000};
  const auto alike = planned(tests::departments_of({.departments = 8}), asked, 1);
  const auto differ = planned(tests::departments_of({.departments = 8, .all_differ = true}), asked, 1);
  EXPECT_GT(alike.forecast.shared_trials, 0U);
  EXPECT_EQ(differ.forecast.shared_trials, 0U);
  std::int64_t busy_alike = 0, busy_differ = 0;
  for (const auto& host : alike.forecast.hosts) busy_alike += host.busy_ms;
  for (const auto& host : differ.forecast.hosts) busy_differ += host.busy_ms;
  EXPECT_LT(busy_alike, busy_differ);
}

TEST(Fleet, LeavesOutDepartmentsThatAreBoundToALibvirt) {
  auto jobs = tests::departments_of({.departments = 2});
  jobs[1].cell.libvirt = {.uri = "qemu:///system", .run = {}, .storage = {}};
  const auto work = work_of(jobs, host::Executor{}, Durations(), {});
  EXPECT_THAT(work.departments, SizeIs(1));
  EXPECT_THAT(work.not_planned, ElementsAre(HasSubstr("'department-0002' is not in it")));
}

TEST(Fleet, OfARunHasItsTrialsAndItsTimes) {
  const auto work = work_of(small_record(), host::Executor{});
  const auto plan = plan_on(work, {.hosts = 1, .cores = 2, .memory_mib = 4000}).value();
  EXPECT_EQ(plan.work.departments.at(0).trials, 3U);
  EXPECT_EQ(plan.work.departments.at(0).request.memory_mib, 256U + 300 + 512);
  EXPECT_EQ(plan.work.took_ms, 200'000);
  EXPECT_THAT(fleet_text(plan), HasSubstr("the run took 3 min 20 s, where it was\n"));
  EXPECT_FALSE(fleet_json(plan).contains("foreseen_ms")) << "nobody foresaw it";

  auto foreseen = small_record();
  foreseen.foreseen = {.makespan_ms = 150'000, .lower_bound_ms = 100'000, .times = 9, .recorded_times = 9};
  const auto beside =
      plan_on(work_of(foreseen, host::Executor{}), {.hosts = 1, .cores = 2, .memory_mib = 4000}).value();
  EXPECT_THAT(fleet_text(beside), HasSubstr("took 3 min 20 s, where it was\nforeseen     2 min 30 s, before it began"));
  EXPECT_EQ(fleet_json(beside).at("foreseen_ms"), 150'000);
}

TEST(Fleet, IsToldAsTextAndAsJson) {
  auto jobs = tests::departments_of({.departments = 30});
  jobs[0].cell.department = "evil\n\x1b[2J";
  auto plan = planned(jobs, {.hosts = 25, .cores = 4, .memory_mib = 16000}, 2);
  const auto text = fleet_text(plan);
  EXPECT_THAT(text, HasSubstr("150 machines in 30 departments, 20 candidates, of which 2 are assumed bad"));
  EXPECT_THAT(text, HasSubstr("on 25 hosts of 4 cores and 16000 MiB"));
  EXPECT_THAT(text, HasSubstr("  and 5 more: --json\n"));
  EXPECT_THAT(text, HasSubstr("evil\\n\\x1b[2J"));
  EXPECT_THAT(text, HasSubstr("assumed"));
  EXPECT_THAT(text, HasSubstr("every host has the golden images already"));
  auto json = fleet_json(plan);
  json["schema"] = "patchlab/makespan/v1";
  const auto schema = read_json_file(std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/makespan.schema.json").value();
  EXPECT_THAT(patchlab::tests::SchemaValidator(schema).problems(json), IsEmpty());
  EXPECT_EQ(json["hosts"].size(), 25U);
  EXPECT_EQ(json["makespan_ms"], plan.makespan_ms());
  auto recorded = fleet_json(plan_on(work_of(small_record(), host::Executor{}),
                                     {.hosts = 2, .cores = 2, .memory_mib = 4000, .mib_per_s = 50.0})
                                 .value());
  recorded["schema"] = "patchlab/makespan/v1";
  EXPECT_THAT(patchlab::tests::SchemaValidator(schema).problems(recorded), IsEmpty());
  EXPECT_EQ(recorded["departments"][0]["times"][0]["run"], "20261129-203108-57fe");
}

}  // namespace
}  // namespace patchlab::runners::forecast
