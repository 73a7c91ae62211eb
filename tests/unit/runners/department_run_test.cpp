// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/department.hpp"

#include <gmock/gmock.h>

#include <future>
#include <random>
#include <thread>
#include <utility>

#include "tests/support/temporary_folder.hpp"
#include "tests/unit/runners/department_fixture.hpp"

namespace patchlab::runners {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(DepartmentRun, PromotesTheBatchWhenItPassesAsAWhole) {
  Fixture lab;
  const auto record = lab.machine("dns").machine("mail").candidate("a", {"dns"}).candidate("b", {"mail", "dns"}).run();
  EXPECT_EQ(record.outcome, Outcome::pass);
  EXPECT_EQ(record.final_trial, "finance/t02") << "the batch itself is the test of the exact set";
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_EQ(lab.lab.count(reports::Purpose::batch), 1);
  EXPECT_EQ(lab.lab.count(reports::Purpose::final), 0);
}

TEST(DepartmentRun, SaysOfWhatPassedWhetherItIsInEffect) {
  using Brought = std::vector<reports::BroughtRecord>;
  Fixture lab;
  lab.lab.breaks["mail"] = {{"bad"}};
  lab.lab.brings = [](const std::string& candidate) {
    if (candidate == "a") return std::optional(Brought{{"bind9", "1", "2", "2"}});
    return candidate == "b" ? std::optional(Brought{}) : std::nullopt;
  };
  lab.machine("dns").machine("mail").candidate("a", {"dns", "mail"}).candidate("b", {"dns"}).candidate("c", {"dns"});
  const auto record = lab.candidate("bad", {"mail"}).run();
  EXPECT_EQ(verdict(record, "a").effect, "In effect on dns, mail: bind9 1 -> 2");
  EXPECT_THAT(verdict(record, "b").effect, testing::StartsWith("Changed nothing on dns: "));
  EXPECT_EQ(verdict(record, "c").effect,
            "Whether it is in effect was not seen on dns: what it brings is not on record");
  ASSERT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "bad").effect, "");
}

TEST(DepartmentRun, SaysOfWhatPassedThatNobodySawWhetherItIsInEffect) {
  Fixture lab;
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_THAT(verdict(record, "a").effect, HasSubstr("was not seen"));
}

TEST(DepartmentRun, ASetWithWhichASteadyCheckFailedOnceIsTriedOnceMore) {
  Fixture lab;
  lab.lab.flaky = [](const cell::TrialJob& job) { return job.purpose == reports::Purpose::batch; };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).candidate("b", {"dns"}).run();
  ASSERT_EQ(lab.lab.trials.size(), 3U);
  EXPECT_EQ(lab.lab.trials[2].purpose, reports::Purpose::final);
  EXPECT_EQ(lab.lab.trials[2].candidates, lab.lab.trials[1].candidates);
  EXPECT_EQ(record.final_trial, lab.lab.trials[2].id);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
}

TEST(DepartmentRun, ACheckThatIsFlakyWithoutAPatchCostsNoTrial) {
  Fixture lab;
  lab.lab.flaky = [](const cell::TrialJob&) { return true; };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(lab.lab.trials.size(), 2U);
  EXPECT_EQ(record.outcome, Outcome::pass);
}

TEST(DepartmentRun, IsNotTriedAgainAndAgain) {
  Fixture lab;
  lab.lab.flaky = [](const cell::TrialJob& job) { return job.purpose != reports::Purpose::control; };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(lab.lab.trials.size(), 3U);
  EXPECT_EQ(record.final_trial, lab.lab.trials[2].id) << "the gate sees that it was flaky in both";
}

Fixture& timed(Fixture& lab, std::function<Milliseconds(const cell::TrialJob&)> takes) {
  lab.lab.takes = std::move(takes);
  for (auto& machine : lab.job.cell.machines)
    machine.plan.checks = {{"works", "dns.query", Json::object(), Milliseconds(1000), Milliseconds(50)}};
  return lab;
}

// A build that begins on the host while the batch is under way, and stays.
TEST(DepartmentRun, LoadThatBeginsAfterTheControlBlamesNobody) {
  Fixture lab;
  int trials = 0;
  const auto busy = [&](const cell::TrialJob&) { return Milliseconds(++trials == 1 ? 10 : 500); };
  const auto record = timed(lab.machine("dns").machine("mail").candidate("a", {"dns"}), busy).run();
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_THAT(purposes(lab), ElementsAre(reports::Purpose::control, reports::Purpose::batch, reports::Purpose::control,
                                         reports::Purpose::batch));
  EXPECT_EQ(record.trials[2].retried_as, record.trials[4].id) << "on record";
  EXPECT_EQ(record.final_trial, record.trials[4].id);
}

TEST(DepartmentRun, APatchThatMakesSlowIsFoundAlthoughTheControlIsTimedAgain) {
  Fixture lab;
  const auto slow = [](const cell::TrialJob& job) {
    return Milliseconds(std::ranges::count(job.candidates, "b") > 0 ? 100 : 10);
  };
  const auto record =
      timed(lab.machine("dns").candidate("a", {"dns"}).candidate("b", {"dns"}).candidate("c", {"dns"}), slow).run();
  EXPECT_EQ(verdict(record, "b").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_EQ(verdict(record, "c").outcome, Outcome::pass);
  EXPECT_EQ(lab.lab.count(reports::Purpose::control), 2) << "once in a night";
  EXPECT_FALSE(std::ranges::any_of(record.trials, reports::is_lost)) << "the control was as quick as before";
}

TEST(DepartmentRun, WhatFailsOtherwiseTooIsNotTimedAgain) {
  Fixture lab;
  lab.lab.breaks["mail"] = {{"a"}};
  int trials = 0;
  const auto busy = [&](const cell::TrialJob&) { return Milliseconds(++trials == 1 ? 10 : 500); };
  (void)timed(lab.machine("dns").machine("mail").candidate("a", {"mail"}), busy).run();
  EXPECT_EQ(lab.lab.count(reports::Purpose::control), 1);
}

// A pass of the exact rest on the whole department is the final trial, whoever asked for it; of a part of the
// department it is not.
TEST(DepartmentRun, TheRestIsNotRunAgainWhenTheSearchRanItOnTheWholeDepartment) {
  for (const bool whole : {true, false}) {
    Fixture lab;
    lab.lab.breaks["dns"] = {{"b"}};
    if (!whole) lab.machine("mail");
    const auto record =
        lab.machine("dns").candidate("a", {"dns"}).candidate("b", {"dns"}).candidate("c", {"dns"}).run();
    EXPECT_EQ(verdict(record, "b").outcome, Outcome::fail);
    EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
    ASSERT_EQ(lab.lab.count(reports::Purpose::final), 1);
    const auto& last = *std::ranges::find(lab.lab.trials, reports::Purpose::final, &cell::TrialJob::purpose);
    EXPECT_EQ(record.final_trial, last.id);
    EXPECT_THAT(last.candidates, ElementsAre("a", "c"));
    EXPECT_EQ(last.machines.size(), whole ? 1U : 2U);
  }
}

TEST(DepartmentRun, ConvictsFromTheBaselineOnly) {
  Fixture lab;
  lab.lab.breaks["db"] = {{"a", "b"}};
  (void)lab.machine("db").candidate("a", {"db"}).candidate("b", {"db"}).candidate("c", {"db"}).run();
  EXPECT_GT(lab.lab.count(reports::Purpose::confirm), 0);
  for (const auto& trial : lab.lab.trials)
    EXPECT_EQ(trial.from_baseline, trial.purpose == reports::Purpose::confirm)
        << trial.id << " " << to_string(trial.purpose);
}

TEST(DepartmentRun, LetsTheMachinesRunOnInASearchOnlyForDamageThatNeedsAWhile) {
  Fixture lab;
  lab.lab.breaks["mail"] = {{"bad"}};
  lab.lab.breaks_late["dns"] = {{"slow"}};
  const auto record = lab.machine("dns")
                          .machine("mail")
                          .candidate("a", {"dns", "mail"})
                          .candidate("bad", {"mail"})
                          .candidate("slow", {"dns"})
                          .run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "slow").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  for (const auto& trial : lab.lab.trials) {
    const bool of_mail = trial.machines == std::vector<std::string>{"mail"};
    EXPECT_EQ(trial.stability, !of_mail) << trial.id << " " << to_string(trial.purpose);
  }
}

TEST(DepartmentRun, SaysOfEachCulpritOnlyWhatItBreaksItself) {
  Fixture lab;
  lab.lab.breaks["mail"] = {{"closed"}, {"open"}};
  lab.lab.breaks_too = {{"closed", "delivery"}, {"open", "relay"}};
  const auto record =
      lab.machine("mail").candidate("closed", {"mail"}).candidate("a", {"mail"}).candidate("open", {"mail"}).run();
  EXPECT_THAT(verdict(record, "closed").failed, ElementsAre("mail/works", "mail/delivery"));
  EXPECT_THAT(verdict(record, "open").failed, ElementsAre("mail/works", "mail/relay"));
}

TEST(DepartmentRun, HoldsBackTheCulpritAndTestsTheExactRestAgain) {
  Fixture lab;
  lab.lab.breaks["mail"] = {{"bad"}};
  const auto record = lab.machine("dns")
                          .machine("mail")
                          .candidate("a", {"dns", "mail"})
                          .candidate("bad", {"mail"})
                          .candidate("c", {"mail"})
                          .run();
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_THAT(verdict(record, "bad").failed, ElementsAre("mail/works"));
  EXPECT_THAT(verdict(record, "bad").group, IsEmpty());
  const auto& last = lab.lab.trials.back();
  EXPECT_EQ(last.purpose, reports::Purpose::final);
  EXPECT_THAT(last.candidates, ElementsAre("a", "c"));
  EXPECT_THAT(last.machines, ElementsAre("dns", "mail")) << "the whole department";
  EXPECT_EQ(record.final_trial, last.id);
}

TEST(DepartmentRun, SearchesOnlyOnTheFailingMachineAndWhatItDependsOn) {
  Fixture lab;
  lab.lab.breaks["mail"] = {{"bad"}};
  (void)lab.machine("dns")
      .machine("file")
      .machine("mail", {"dns"})
      .candidate("a", {"dns"})
      .candidate("other", {"file"})
      .candidate("bad", {"mail"})
      .run();
  for (const auto& trial : lab.lab.trials) {
    if (trial.purpose != reports::Purpose::search && trial.purpose != reports::Purpose::confirm) continue;
    EXPECT_THAT(trial.machines, ElementsAre("dns", "mail"));
    EXPECT_THAT(trial.candidates, ::testing::Not(Contains("other")));
  }
}

TEST(DepartmentRun, WhatNoGuestTakesIsSkippedAndTheRestIsTestedWithoutIt) {
  Fixture lab;
  lab.lab.declines["dns"] = {"b"};
  const auto record = lab.machine("dns").candidate("a", {"dns"}).candidate("b", {"dns"}).candidate("c", {"dns"}).run();
  EXPECT_EQ(verdict(record, "b").outcome, Outcome::skipped);
  EXPECT_EQ(verdict(record, "b").reason, "'dns' did not take it: not applicable, 0x80240017");
  EXPECT_THAT(verdict(record, "b").trials, ElementsAre("finance/t02"));
  EXPECT_THAT(verdict(record, "b").machines, IsEmpty());
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  const auto& last = lab.lab.trials.back();
  EXPECT_EQ(last.purpose, reports::Purpose::batch);
  EXPECT_THAT(last.candidates, ElementsAre("a", "c"));
  EXPECT_EQ(record.final_trial, last.id);
  EXPECT_EQ(record.outcome, Outcome::pass);
}

TEST(DepartmentRun, APatchThatSilencesTheAgentIsConvictedAndBothTrialsAreOnRecord) {
  Fixture lab;
  lab.lab.silences = {{"bad", "mail"}};
  lab.job.cell.policy.lab_retries = 0;
  const auto record = lab.machine("mail").candidate("a", {"mail"}).candidate("bad", {"mail"}).run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_THAT(verdict(record, "bad").failed, ElementsAre("mail/state:agent:guest agent"));
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  std::vector<Outcome> batches;
  for (const auto& trial : record.trials) {
    if (trial.purpose == reports::Purpose::batch) batches.push_back(trial.outcome);
  }
  EXPECT_THAT(batches, ElementsAre(Outcome::error, Outcome::fail));
}

TEST(DepartmentRun, AnAgentThatIsLostByChanceConvictsNobody) {
  Fixture lab;
  lab.lab.stray_silences = 1;
  const auto record = lab.machine("mail").candidate("a", {"mail"}).run();
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_EQ(lab.lab.count(reports::Purpose::batch), 2);
}

TEST(DepartmentRun, WhatOneGuestDoesNotTakeIsTestedOnTheOthers) {
  Fixture lab;
  lab.lab.declines["mail"] = {"a"};
  const auto record = lab.machine("dns").machine("mail").candidate("a", {"dns", "mail"}).run();
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_THAT(verdict(record, "a").machines, ElementsAre("dns"));
  EXPECT_EQ(
      verdict(record, "a").reason,
      "every check passed with exactly the set to be promoted; 'mail' did not take it: not applicable, 0x80240017");
  EXPECT_FALSE(lab.lab.trials.back().installs.contains("mail"));
}

TEST(DepartmentRun, WhenNoGuestTakesAnythingNothingIsPromoted) {
  Fixture lab;
  lab.lab.declines["dns"] = {"a", "b"};
  const auto record = lab.machine("dns").candidate("a", {"dns"}).candidate("b", {"dns"}).run();
  EXPECT_EQ(record.outcome, Outcome::skipped);
  EXPECT_EQ(record.final_trial, "");
}

// A search leaves candidates out, and what needs one of them is then not taken.
TEST(DepartmentRun, ASearchGoesOnWithoutWhatAGuestDoesNotTakeWithoutAnother) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"a", "b"}};
  lab.lab.needs["b"] = {"dns", "a"};
  const auto record = lab.machine("dns").candidate("a", {"dns"}).candidate("c", {"dns"}).candidate("b", {"dns"}).run();
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::fail) << verdict(record, "a").reason;
  EXPECT_THAT(verdict(record, "b").group, ElementsAre("a"));
  EXPECT_EQ(verdict(record, "c").outcome, Outcome::pass);
}

// What one guest takes and another does not is no answer without it either.
TEST(DepartmentRun, ASearchNamesNobodyWhenOnlyOneOfItsGuestsDoesNotTakeACandidate) {
  Fixture lab;
  lab.lab.breaks["mail"] = {{"b"}};
  lab.lab.needs["b"] = {"dns", "a"};
  const auto record =
      lab.machine("dns").machine("mail", {"dns"}).candidate("a", {"dns"}).candidate("b", {"dns", "mail"}).run();
  EXPECT_EQ(verdict(record, "b").outcome, Outcome::error) << verdict(record, "b").reason;
  EXPECT_NE(verdict(record, "a").outcome, Outcome::fail) << verdict(record, "a").reason;
}

TEST(DepartmentRun, ASearchIsNotLedAstrayByWhatAGuestDoesNotTake) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"bad"}};
  lab.lab.needs["b"] = {"dns", "a"};
  const auto record =
      lab.machine("dns").candidate("a", {"dns"}).candidate("bad", {"dns"}).candidate("b", {"dns"}).run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_EQ(verdict(record, "b").outcome, Outcome::pass);
}

TEST(DepartmentRun, TellsOfWindowsPackagesWhetherTheyCanBeRemovedAgain) {
  Fixture lab;
  lab.machine("dns").candidate("a", {"dns"}).candidate("permanent", {"dns"});
  lab.job.cell.machines[0].system.family = GuestFamily::windows;
  const auto record = lab.run();
  EXPECT_EQ(lab.lab.trials.back().purpose, reports::Purpose::removal);
  EXPECT_EQ(verdict(record, "a").removal, "Was removed again, and every check passed");
  EXPECT_EQ(verdict(record, "permanent").removal,
            "Removal was not rehearsed: it says itself that it cannot be removed");
  EXPECT_EQ(record.final_trial, "finance/t02");
}

TEST(DepartmentRun, ARemovalThatFailsHoldsNothingBack) {
  Fixture lab;
  lab.machine("dns").candidate("sticky", {"dns"}).candidate("a", {"dns"});
  lab.job.cell.machines[0].system.family = GuestFamily::windows;
  const auto record = lab.run();
  EXPECT_EQ(record.outcome, Outcome::pass);
  EXPECT_EQ(verdict(record, "sticky").outcome, Outcome::pass);
  EXPECT_EQ(verdict(record, "sticky").removal, "Cannot be removed from 'dns': failed, 0x800F0825");
  EXPECT_EQ(verdict(record, "a").removal, "Was removed again with all others; then dns/removal:sticky failed");
}

TEST(DepartmentRun, NoRemovalIsRehearsedWhereItIsNotOfferedOrNotWanted) {
  Fixture debian;
  (void)debian.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(debian.lab.count(reports::Purpose::removal), 0);
  Fixture unwanted;
  unwanted.machine("dns").candidate("a", {"dns"});
  unwanted.job.cell.machines[0].system.family = GuestFamily::windows;
  unwanted.job.cell.policy.rehearse_removal = false;
  const auto record = unwanted.run();
  EXPECT_EQ(unwanted.lab.count(reports::Purpose::removal), 0);
  EXPECT_EQ(verdict(record, "a").removal, "");
}

TEST(DepartmentRun, WhatCannotBeInstalledIsTriedAloneFirst) {
  Fixture lab;
  lab.lab.not_installable = "bad";
  const auto record = lab.machine("dns")
                          .candidate("a", {"dns"})
                          .candidate("b", {"dns"})
                          .candidate("bad", {"dns"})
                          .candidate("c", {"dns"})
                          .run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "bad").reason, "cannot be installed on 'dns': fails alone, and the rest passes without it");
  EXPECT_THAT(tried(lab, reports::Purpose::confirm), ElementsAre(ElementsAre("bad"), ElementsAre("bad")));
  EXPECT_THAT(tried(lab, reports::Purpose::search), ElementsAre(ElementsAre("a", "b", "c"))) << "the rest, no others";
}

TEST(DepartmentRun, NamesAPairAsAPair) {
  Fixture lab;
  lab.lab.breaks["db"] = {{"x", "y"}};
  const auto record = lab.machine("db")
                          .candidate("a", {"db"})
                          .candidate("x", {"db"})
                          .candidate("b", {"db"})
                          .candidate("y", {"db"})
                          .run();
  EXPECT_EQ(verdict(record, "x").outcome, Outcome::fail);
  EXPECT_THAT(verdict(record, "x").group, ElementsAre("y"));
  EXPECT_THAT(verdict(record, "y").group, ElementsAre("x"));
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_EQ(verdict(record, "b").outcome, Outcome::pass);
}

TEST(DepartmentRun, FindsCulpritsOfSeveralRolesInOneRound) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"d"}};
  lab.lab.breaks["mail"] = {{"m"}};
  const auto record = lab.machine("dns")
                          .machine("mail")
                          .candidate("d", {"dns"})
                          .candidate("m", {"mail"})
                          .candidate("ok", {"dns", "mail"})
                          .run();
  EXPECT_EQ(verdict(record, "d").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "m").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "ok").outcome, Outcome::pass);
  EXPECT_EQ(lab.lab.count(reports::Purpose::final), 1);
}

TEST(DepartmentRun, FindsASecondCulpritOfTheSameRole) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"p"}, {"q"}};
  const auto record = lab.machine("dns").candidate("p", {"dns"}).candidate("ok", {"dns"}).candidate("q", {"dns"}).run();
  EXPECT_EQ(verdict(record, "p").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "q").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "ok").outcome, Outcome::pass);
}

TEST(DepartmentRun, DoesNotBlameARoleThatOnlyFailsWithItsDependency) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"d"}};
  lab.lab.breaks["mail"] = {};
  lab.lab.on_trial = [&](const cell::TrialJob& job) {
    // mail cannot work while dns is broken
    const auto dns = job.installs.find("dns");
    const bool broken =
        dns != job.installs.end() && std::ranges::count(dns->second, "d", &cell::InstallJob::candidate) > 0;
    lab.lab.breaks["mail"] = broken && std::ranges::count(job.machines, "mail") > 0
                                 ? std::vector<std::set<std::string>>{{}}
                                 : std::vector<std::set<std::string>>{};
  };
  const auto record =
      lab.machine("dns").machine("mail", {"dns"}).candidate("d", {"dns"}).candidate("m", {"mail"}).run();
  EXPECT_EQ(verdict(record, "d").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "m").outcome, Outcome::pass);
}

TEST(DepartmentRun, HoldsBackWhatNeedsTheCulprit) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"base"}};
  const auto record =
      lab.machine("dns").candidate("base", {"dns"}).candidate("top", {"dns"}, {0}).candidate("ok", {"dns"}).run();
  EXPECT_EQ(verdict(record, "base").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "top").outcome, Outcome::not_reached);
  EXPECT_THAT(verdict(record, "top").reason, HasSubstr("needs 'base', which is held back"));
  EXPECT_EQ(verdict(record, "ok").outcome, Outcome::pass);
}

TEST(DepartmentRun, SaysNothingAboutPatchesWhenTheBaselineIsBroken) {
  Fixture lab;
  lab.lab.baseline = Outcome::error;
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(record.outcome, Outcome::error);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::error);
  EXPECT_THAT(record.error->message, HasSubstr("broken baseline"));
  EXPECT_TRUE(lab.lab.trials.empty());
  EXPECT_EQ(lab.lab.baselines, 2) << "once more, openly";
  ASSERT_THAT(record.trials, SizeIs(2));
  for (const auto& trial : record.trials) EXPECT_EQ(trial.retried_as, "") << "both count";
  EXPECT_THAT(record.flaky, IsEmpty());
}

// One rule for baselines, controls and finals.
TEST(DepartmentRun, ABaselineThatFailsOnceIsTriedOnceMoreAndTheSecondTryCounts) {
  Fixture lab;
  lab.lab.lost_baselines = 1;
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_FALSE(record.error);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_EQ(lab.lab.baselines, 2);
  const auto* lost = reports::find_trial(record, "finance/baseline");
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->retried_as, "finance/baseline-2");
  ASSERT_TRUE(lost->error);
  EXPECT_EQ(reports::trial_with_purpose(record, reports::Purpose::baseline)->id, "finance/baseline-2");
  EXPECT_THAT(record.flaky,
              ElementsAre(reports::FlakyRecord{
                  reports::FlakeKind::in_control, "dns/a-record", {}, {"finance/baseline"}, {"finance/baseline-2"}}));
}

// What is known of a department at its end, whatever its machines began with.
std::vector<std::string> verdicts_of(const reports::DepartmentRecord& record) {
  std::vector<std::string> all{to_string(record.outcome)};
  for (const auto& verdict : record.verdicts) all.push_back(verdict.candidate + " " + to_string(verdict.outcome));
  return all;
}

struct KeptFixture : Fixture {
  FakeStates states;
  explicit KeptFixture(bool has_one = true) {
    machine("dns").machine("mail").candidate("good", {"dns"}).candidate("bad", {"mail"});
    lab.breaks = {{"mail", {{"bad"}}}};
    job.states = &states;
    if (has_one) states.stored = cell::KeptBaseline{"r0", {}};
  }
};

TEST(DepartmentRun, ABaselineIsKeptWhenItPassed) {
  KeptFixture lab(false);
  const auto record = lab.run();
  EXPECT_THAT(lab.states.calls, ElementsAre("bring", "keep finance/baseline"));
  EXPECT_EQ(reports::find_trial(record, "finance/baseline")->state_of_run, "");

  KeptFixture broken(false);
  broken.lab.baseline = Outcome::error;
  (void)broken.run();
  EXPECT_THAT(broken.states.calls, ElementsAre("bring"));
}

TEST(DepartmentRun, AKeptBaselineIsCheckedTonightAndChangesNoVerdict) {
  KeptFixture lab;
  const auto record = lab.run();
  EXPECT_THAT(lab.states.calls, ElementsAre("bring")) << "what went on from it is not kept again";
  EXPECT_EQ(lab.lab.baselines, 1);
  EXPECT_EQ(lab.lab.count(reports::Purpose::control), 1);
  EXPECT_EQ(reports::find_trial(record, "finance/baseline")->state_of_run, "r0");
  Fixture booted;
  booted.machine("dns").machine("mail").candidate("good", {"dns"}).candidate("bad", {"mail"});
  booted.lab.breaks = lab.lab.breaks;
  EXPECT_EQ(verdicts_of(record), verdicts_of(booted.run()));
}

TEST(DepartmentRun, AKeptBaselineThatFailsIsGivenUpAndTheMachinesStart) {
  KeptFixture lab;
  lab.lab.kept_is_broken = true;
  const auto record = lab.run();
  EXPECT_FALSE(record.error);
  EXPECT_THAT(lab.states.calls, ElementsAre("bring", "refuse", "keep finance/baseline-2"));
  const auto* lost = reports::find_trial(record, "finance/baseline");
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->state_of_run, "r0");
  EXPECT_EQ(lost->retried_as, "finance/baseline-2");
  EXPECT_EQ(reports::find_trial(record, "finance/baseline-2")->state_of_run, "");
  EXPECT_THAT(record.flaky, IsEmpty()) << "it says nothing of the machines that counted";
  EXPECT_EQ(verdicts_of(record), verdicts_of(KeptFixture(false).run()));
}

TEST(DepartmentRun, AKeptBaselineIsNoTryOfTheTwoThatABaselineHas) {
  KeptFixture lab;
  lab.lab.kept_is_broken = true;
  lab.lab.lost_baselines = 2;
  const auto record = lab.run();
  EXPECT_FALSE(record.error);
  EXPECT_EQ(lab.lab.baselines, 3);
  EXPECT_EQ(reports::find_trial(record, "finance/baseline")->retried_as, "finance/baseline-3");
  EXPECT_EQ(reports::find_trial(record, "finance/baseline-2")->retried_as, "finance/baseline-3");

  KeptFixture never;
  never.lab.kept_is_broken = true;
  never.lab.baseline = Outcome::error;
  const auto none = never.run();
  EXPECT_TRUE(none.error);
  EXPECT_EQ(never.lab.baselines, 3);
  EXPECT_EQ(reports::find_trial(none, "finance/baseline")->retried_as, "finance/baseline-3");
  EXPECT_EQ(reports::find_trial(none, "finance/baseline-2")->retried_as, "") << "both of these count";
}

TEST(DepartmentRun, AKeptBaselineWhoseControlFailsCostsNoDepartment) {
  KeptFixture lab;
  lab.lab.control_of_kept_fails = true;
  const auto record = lab.run();
  EXPECT_FALSE(record.error);
  EXPECT_THAT(lab.states.calls, ElementsAre("bring", "refuse", "bring", "keep finance/baseline-2"));
  EXPECT_EQ(lab.lab.count(reports::Purpose::control), 3) << "twice with the kept state, once without";
  const auto* control = reports::trial_with_purpose(record, reports::Purpose::control);
  ASSERT_NE(control, nullptr);
  EXPECT_EQ(control->outcome, Outcome::pass) << "that is the one that counts";
  for (const auto& trial : record.trials) {
    if (trial.purpose != reports::Purpose::control || trial.outcome == Outcome::pass) continue;
    EXPECT_EQ(trial.retried_as, control->id);
  }
  EXPECT_EQ(reports::find_trial(record, "finance/baseline")->retried_as, "finance/baseline-2");
  EXPECT_EQ(verdicts_of(record), verdicts_of(KeptFixture(false).run()));
}

TEST(DepartmentRun, AControlThatFailsWithMachinesThatStartedIsNotTriedAnew) {
  KeptFixture lab;
  lab.lab.control_fails = true;
  const auto record = lab.run();
  ASSERT_TRUE(record.error);
  EXPECT_THAT(record.error->message, HasSubstr("failed twice"));
  EXPECT_EQ(lab.lab.baselines, 2);
}

TEST(DepartmentRun, ABaselineThatCannotBeOtherwiseIsNotTriedAgain) {
  for (const auto error_class : {ErrorClass::configuration, ErrorClass::bug, ErrorClass::cancelled}) {
    Fixture lab;
    lab.lab.lost_baselines = 1;
    lab.lab.baseline_error = Error{error_class, "it is another machine", {}};
    const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
    EXPECT_EQ(lab.lab.baselines, 1);
    ASSERT_TRUE(record.error);
    EXPECT_EQ(record.error->message, "it is another machine");
  }
}

TEST(DepartmentRun, SaysNothingAboutPatchesWhenTheControlFails) {
  Fixture lab;
  lab.lab.control_fails = true;
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(record.outcome, Outcome::error);
  EXPECT_EQ(lab.lab.count(reports::Purpose::batch), 0);
  EXPECT_EQ(lab.lab.count(reports::Purpose::control), 2) << "once more, openly";
  EXPECT_THAT(record.error->message, HasSubstr("control trial failed twice without any patch"));
}

TEST(DepartmentRun, AControlThatFailsOnceMakesTheFactFlakyAndTheSecondTryCounts) {
  Fixture lab;
  lab.lab.passing_trouble = [first = true](const cell::TrialJob& job) mutable -> std::string {
    return job.purpose == reports::Purpose::control && std::exchange(first, false) ? "dns/a-record" : "";
  };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_THAT(record.flaky, ElementsAre(reports::FlakyRecord{
                                reports::FlakeKind::in_control, "dns/a-record", {}, {"finance/t01"}, {"finance/t02"}}));
  EXPECT_EQ(reports::find_trial(record, "finance/t01")->retried_as, "finance/t02");
}

TEST(DepartmentRun, TriesATrialAgainAfterLabTroubleAndKeepsBothOnRecord) {
  Fixture lab;
  lab.lab.on_trial = [&, once = true](const cell::TrialJob& job) mutable {
    if (job.purpose == reports::Purpose::batch && std::exchange(once, false)) lab.lab.lab_errors = 1;
  };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(record.outcome, Outcome::pass);
  EXPECT_EQ(lab.lab.count(reports::Purpose::batch), 2);
  EXPECT_EQ(std::ranges::count(record.trials, Outcome::error, &reports::TrialRecord::outcome), 1);
  EXPECT_EQ(reports::find_trial(record, "finance/t02")->retried_as, "finance/t03") << "the lost one says so";
}

TEST(DepartmentRun, NeverTurnsLabTroubleIntoAVerdict) {
  Fixture lab;
  lab.lab.on_trial = [&](const cell::TrialJob& job) {
    lab.lab.lab_errors = job.purpose == reports::Purpose::control ? 0 : 1;
  };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::error);
  EXPECT_TRUE(record.final_trial.empty());
}

// A flake of the lab: it fails in the first `times` trials of this kind, whoever is installed.
auto flake(reports::Purpose purpose, const std::string& fact, int times = 1) {
  return [=, left = times](const cell::TrialJob& job) mutable -> std::string {
    return job.purpose == purpose && left-- > 0 ? fact : "";
  };
}

TEST(DepartmentRun, AFlakeOfTheBatchConvictsAndQuarantinesNobody) {
  Fixture lab;
  lab.lab.passing_trouble = flake(reports::Purpose::batch, "dns/works");
  const auto record =
      lab.machine("dns").machine("mail").candidate("a", {"dns"}).candidate("b", {"dns"}).candidate("c", {"mail"}).run();
  for (const auto* id : {"a", "b", "c"}) EXPECT_EQ(verdict(record, id).outcome, Outcome::pass) << id;
  EXPECT_THAT(verdict(record, "a").reason, HasSubstr("dns/works failed with that set and that was not reproduced"));
  // Twice in all: on the machine, and as the exact set on the whole department. No third try.
  EXPECT_THAT(tried(lab, reports::Purpose::search), ElementsAre(ElementsAre("a", "b")));
  EXPECT_THAT(tried(lab, reports::Purpose::final), ElementsAre(ElementsAre("a", "b", "c")));
  EXPECT_EQ(record.final_trial, lab.lab.trials.back().id);
  ASSERT_EQ(record.flaky.size(), 1U);
  EXPECT_EQ(record.flaky[0].kind, reports::FlakeKind::not_reproduced);
  EXPECT_EQ(record.flaky[0].fact, "dns/works");
  EXPECT_THAT(record.flaky[0].failed, ElementsAre("finance/t02"));
  EXPECT_FALSE(reports::unexplained_flakes(record).empty()) << "a person decides";
}

TEST(DepartmentRun, AFlakeOfTheFinalTrialIsTriedOnceMoreOpenly) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"bad"}};
  lab.lab.passing_trouble = flake(reports::Purpose::final, "dns/works");
  const auto record =
      lab.machine("dns").candidate("a", {"dns"}).candidate("bad", {"dns"}).candidate("c", {"dns"}).run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_EQ(lab.lab.count(reports::Purpose::final), 3) << "what failed once passes twice as often";
  EXPECT_FALSE(reports::unexplained_flakes(record).empty()) << "a person decides";
}

TEST(DepartmentRun, WhatFailsBesideACulpritAndPassesWithoutHimIsNotHeldAgainstTheRest) {
  Fixture lab;  // mail needs dns, and nobody declared it
  lab.lab.breaks["dns"] = {{"bad"}};
  lab.lab.on_trial = [&](const cell::TrialJob& job) {
    const auto dns = job.installs.find("dns");
    const bool broken =
        dns != job.installs.end() && std::ranges::count(dns->second, "bad", &cell::InstallJob::candidate) > 0;
    lab.lab.breaks["mail"] = broken ? std::vector<std::set<std::string>>{{}} : std::vector<std::set<std::string>>{};
  };
  const auto record = lab.machine("dns")
                          .machine("mail")
                          .candidate("a", {"dns"})
                          .candidate("bad", {"dns"})
                          .candidate("m", {"mail"})
                          .run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "m").outcome, Outcome::pass);
  ASSERT_EQ(record.flaky.size(), 1U) << "it is told";
  EXPECT_THAT(reports::unexplained_flakes(record), IsEmpty()) << "and blocks nothing";
}

TEST(DepartmentRun, SearchesTheWholeDepartmentWhenNobodyTouchesTheFailingMachine) {
  Fixture lab;
  lab.lab.on_trial = [&](const cell::TrialJob& job) {
    const auto dns = job.installs.find("dns");
    const bool broken =
        dns != job.installs.end() && std::ranges::count(dns->second, "bad", &cell::InstallJob::candidate) > 0;
    lab.lab.breaks["mail"] = broken ? std::vector<std::set<std::string>>{{}} : std::vector<std::set<std::string>>{};
  };
  const auto record = lab.machine("dns").machine("mail").candidate("a", {"dns"}).candidate("bad", {"dns"}).run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_THAT(verdict(record, "bad").failed, ElementsAre("mail/works"));
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_LT(lab.lab.trials.size(), 10U);
}

TEST(DepartmentRun, SearchesTheWholeDepartmentWhenTheMachineItselfNamesNobody) {
  Fixture lab;
  lab.lab.on_trial = [&](const cell::TrialJob& job) {
    const auto dns = job.installs.find("dns");
    const bool broken =
        dns != job.installs.end() && std::ranges::count(dns->second, "bad", &cell::InstallJob::candidate) > 0;
    lab.lab.breaks["mail"] = broken ? std::vector<std::set<std::string>>{{}} : std::vector<std::set<std::string>>{};
  };
  const auto record = lab.machine("dns")
                          .machine("mail")
                          .candidate("m", {"mail"})
                          .candidate("bad", {"dns"})
                          .candidate("n", {"mail"})
                          .run();
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "m").outcome, Outcome::pass);
  EXPECT_EQ(verdict(record, "n").outcome, Outcome::pass);
  EXPECT_THAT(record.flaky, IsEmpty()) << "it was no flake, but a dependency that nobody declared";
}

// The fact fails whatever is installed, with patches of any kind: nobody can be named.
TEST(DepartmentRun, ARoundThatHoldsNobodyBackEndsTheDepartment) {
  Fixture lab;
  lab.lab.passing_trouble = [odd = false](const cell::TrialJob& job) mutable -> std::string {
    if (job.purpose == reports::Purpose::control) return "";
    if (job.candidates.size() < 3) return "";
    return (odd = !odd) || job.candidates.size() == 3 ? "mail/works" : "";
  };
  const auto record =
      lab.machine("dns").machine("mail").candidate("a", {"dns"}).candidate("b", {"dns"}).candidate("c", {"dns"}).run();
  EXPECT_TRUE(record.final_trial.empty());
  EXPECT_LT(lab.lab.trials.size(), 70U);
  for (const auto* id : {"a", "b", "c"}) EXPECT_NE(verdict(record, id).outcome, Outcome::pass) << id;
}

TEST(DepartmentRun, AnotherFailureThatRepeatsIsAnAnswer) {
  // 'early' fails first and hides 'other': sets without it fail in another way.
  Fixture lab;
  lab.lab.passing_trouble = [](const cell::TrialJob& job) -> std::string {
    const auto has = [&](const char* id) { return std::ranges::count(job.candidates, id) > 0; };
    return has("early") ? "dns/early" : has("other") ? "dns/other" : "";
  };
  lab.machine("dns").candidate("a", {"dns"}).candidate("other", {"dns"}).candidate("b", {"dns"});
  const auto record = lab.candidate("early", {"dns"}).candidate("c", {"dns"}).run();
  EXPECT_EQ(verdict(record, "early").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "other").outcome, Outcome::fail);
  EXPECT_THAT(verdict(record, "other").failed, ElementsAre("dns/other"));
  for (const auto* id : {"a", "b", "c"}) EXPECT_EQ(verdict(record, id).outcome, Outcome::pass) << id;
}

TEST(DepartmentRun, EndsAtTheDeadlineOfTheRun) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"bad"}};
  lab.job.cell.policy.run_deadline = std::chrono::minutes(10);
  lab.lab.on_trial = [&](const cell::TrialJob&) { lab.clock.time += std::chrono::minutes(3); };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).candidate("bad", {"dns"}).run();
  EXPECT_EQ(lab.lab.trials.size(), 4U) << "none begins after it";
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->message, "the run did not end within its deadline of 600 s");
  for (const auto* id : {"a", "bad"}) EXPECT_EQ(verdict(record, id).outcome, Outcome::error) << id;
}

TEST(DepartmentRun, ItsDeadlineCountsFromTheBeginOfTheRun) {
  Fixture lab;
  lab.job.cell.policy.run_deadline = std::chrono::minutes(10);
  lab.job.run_began = lab.clock.time;
  lab.clock.time += std::chrono::minutes(9);  // it waited for a node
  lab.lab.on_trial = [&](const cell::TrialJob&) { lab.clock.time += std::chrono::minutes(3); };
  const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
  EXPECT_EQ(lab.lab.trials.size(), 1U);
  ASSERT_TRUE(record.error);
  EXPECT_EQ(record.error->message, "the run did not end within its deadline of 600 s");
}

// Whatever a lab answers: the run ends, and promotes nothing that it did not see passing as exactly that set.
TEST(DepartmentRun, EndsHoweverTheLabLies) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Fixture lab;
    std::mt19937 random(seed);
    const unsigned lies = 20 + 3 * seed;
    lab.lab.passing_trouble = [&](const cell::TrialJob& job) -> std::string {
      if (job.purpose == reports::Purpose::control || random() % 100 >= lies) return "";
      return random() % 3 == 0 ? "dns/other" : random() % 2 == 0 ? "dns/works" : "mail/works";
    };
    lab.machine("dns").machine("mail");
    for (const auto* id : {"a", "b", "c", "d", "e"}) lab.candidate(id, {"dns"});
    const auto record = lab.candidate("f", {"mail"}).run();
    ASSERT_LT(lab.lab.trials.size(), 700U) << seed;
    std::vector<std::string> passed;
    for (const auto& entry : record.verdicts) {
      if (entry.outcome == Outcome::pass) passed.push_back(entry.candidate);
    }
    ASSERT_EQ(passed.empty(), record.final_trial.empty()) << seed;
    if (passed.empty()) continue;
    const auto* final_trial = reports::find_trial(record, record.final_trial);
    ASSERT_EQ(final_trial->outcome, Outcome::pass) << seed;
    ASSERT_EQ(final_trial->candidates, passed) << seed;
    ASSERT_EQ(final_trial->machines, (std::vector<std::string>{"dns", "mail"})) << seed;
  }
}

// What is seen behind a first failure, be it what another candidate breaks elsewhere, convicts and excuses nobody, and
// no trial more or less is asked for.
TEST(DepartmentRun, BlamesNobodyForWhatWasSeenBehindAFirstFailure) {
  const auto told = [](unsigned seed, bool goes_on) {
    auto lab = std::make_unique<Fixture>();
    std::mt19937 random(seed);
    const auto one = [&] { return std::string(1, static_cast<char>('a' + random() % 6)); };
    lab->machine("dns").machine("mail", {"dns"}).machine("db");
    for (const auto* id : {"a", "b", "c", "d", "e", "f"}) {
      std::vector<std::string> on;
      for (const auto* machine : {"dns", "mail", "db"}) {
        if (random() % 2 == 0 || (on.empty() && machine == std::string("db"))) on.emplace_back(machine);
      }
      lab->candidate(id, on);
    }
    for (const auto* machine : {"dns", "mail", "db"}) {
      if (random() % 2 == 0) lab->lab.breaks[machine].push_back({one()});
      if (random() % 3 == 0) lab->lab.breaks[machine].push_back({one(), one()});
      if (random() % 3 == 0) lab->lab.breaks_late[machine].push_back({one()});
    }
    for (int i = 0; i < 3; ++i) lab->lab.breaks_too[one()] = random() % 2 == 0 ? "delivery" : "relay";
    lab->lab.sorts = true;
    if (random() % 3 == 0) {  // and something that nobody broke, once
      lab->lab.passing_trouble = [](const cell::TrialJob& job) -> std::string {
        return job.purpose == reports::Purpose::batch ? "db/works" : "";
      };
    }
    if (goes_on) {
      lab->lab.behind = [seed](const cell::TrialJob& job, const std::string& machine) {
        std::mt19937 more(seed + static_cast<unsigned>(job.candidates.size() + machine.size()));
        std::vector<std::string> ids;
        for (const auto* id : {"works", "delivery", "relay", "other"}) {
          if (more() % 2 == 0) ids.emplace_back(id);
        }
        return ids;
      };
    }
    const auto record = lab->run();
    std::vector<std::string> lines;
    for (const auto& entry : record.verdicts) {
      lines.push_back(fmt::format("{} {} [{}] [{}] {}", entry.candidate, to_string(entry.outcome),
                                  fmt::join(entry.failed, ","), fmt::join(entry.group, ","), entry.reason));
    }
    for (const auto& trial : record.trials) {  // searches side by side take their numbers as they come
      lines.push_back(fmt::format("{} {} [{}] on [{}]{}", to_string(trial.purpose), to_string(trial.outcome),
                                  fmt::join(trial.candidates, ","), fmt::join(trial.machines, ","),
                                  trial.id == record.final_trial ? ", the final one" : ""));
    }
    for (const auto& flaky : record.flaky)
      lines.push_back(
          fmt::format("{} {} [{}]", flaky.fact, reports::counts_of(flaky), fmt::join(flaky.candidates, ",")));
    std::ranges::sort(lines);
    std::size_t seen = 0;
    for (const auto& trial : record.trials) seen += trial.phases.size();
    return std::pair(lines, seen);
  };
  std::size_t more = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    const auto [stopping, few] = told(seed, false);
    const auto [going_on, many] = told(seed, true);
    ASSERT_EQ(stopping, going_on) << seed;
    more += many > few ? 1 : 0;
  }
  EXPECT_GT(more, 50U) << "what was seen is on record";
}

TEST(DepartmentRun, IsNotLedAstrayByAnotherFailureDuringTheSearch) {
  Fixture lab;
  lab.lab.breaks["dns"] = {{"bad"}};
  lab.lab.passing_trouble = [first = true](const cell::TrialJob& job) mutable -> std::string {
    return job.purpose == reports::Purpose::search && std::exchange(first, false) ? "dns/state:error-log:noise" : "";
  };
  const auto record = lab.machine("dns").candidate("good", {"dns"}).candidate("bad", {"dns"}).run();
  EXPECT_EQ(verdict(record, "good").outcome, Outcome::pass);
  EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
}

TEST(DepartmentRun, SkipsWhatAppliesToNothing) {
  Fixture lab;
  const auto record = lab.machine("dns").candidate("a", {}).run();
  EXPECT_EQ(record.outcome, Outcome::skipped);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::skipped);
  EXPECT_EQ(lab.lab.count(reports::Purpose::batch), 0);
}

TEST(DepartmentRun, SharesTheSearchOfIdenticalMachinesAndRunsWhatIsPromotedItself) {
  TrialMemo memo;
  std::vector<int> searches;
  for (const auto* name : {"finance", "engineering"}) {
    Fixture lab(name);
    lab.machine("dns")
        .candidate("a", {"dns"})
        .candidate("bad", {"dns"})
        .candidate("c", {"dns"})
        .candidate("d", {"dns"});
    lab.lab.breaks["dns"] = {{"bad"}};
    const auto record = DepartmentRun(lab.job, lab.lab, memo, lab.clock, {}).run();
    EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
    for (const auto purpose : {reports::Purpose::control, reports::Purpose::batch, reports::Purpose::final})
      EXPECT_EQ(lab.lab.count(purpose), 1) << to_string(purpose);
    searches.push_back(lab.lab.count(reports::Purpose::search) + lab.lab.count(reports::Purpose::confirm));
    // No execution is two observations.
    std::set<std::string> executions;
    for (const auto& trial : record.trials)
      EXPECT_TRUE(executions.insert(trial.reused_from.empty() ? trial.id : trial.reused_from).second) << trial.id;
    const auto alone = std::ranges::count_if(record.trials, [](const auto& trial) {
      return trial.purpose == reports::Purpose::confirm && trial.candidates == std::vector<std::string>{"bad"} &&
             trial.outcome == Outcome::fail;
    });
    EXPECT_EQ(alone, 2) << "failed alone twice";
  }
  EXPECT_GT(searches[0], 0);
  EXPECT_EQ(searches[1], 0);
}

TEST(DepartmentRun, TakesTheSearchOfAnEarlierRunAndSeesWhatConvictsOnceMore) {
  const test::TemporaryFolder folder;
  const StillClock clock;
  std::vector<int> searched;
  for (const std::string run : {"20261127-010000-aaaa", "20261128-010000-bbbb"}) {
    KeptAnswers kept({.folder = folder.path(), .run = run, .asked_by = "me", .most_age = std::chrono::hours(1)}, clock,
                     [](const std::string& trouble) { ADD_FAILURE() << trouble; });
    TrialMemo memo(&kept);
    Fixture lab;
    lab.machine("dns");
    for (const auto* id : {"a", "b", "bad", "c", "d"}) lab.candidate(id, {"dns"});
    lab.lab.breaks["dns"] = {{"bad"}};
    const auto record = DepartmentRun(lab.job, lab.lab, memo, lab.clock, {}).run();
    EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
    EXPECT_EQ(verdict(record, "a").outcome, Outcome::pass);
    for (const auto purpose : {reports::Purpose::control, reports::Purpose::batch, reports::Purpose::final})
      EXPECT_EQ(lab.lab.count(purpose), 1) << to_string(purpose);
    std::set<std::string> executions;
    int here = 0;
    for (const auto& trial : record.trials) {
      EXPECT_TRUE(
          executions.insert(trial.reused_run + (trial.reused_from.empty() ? trial.id : trial.reused_from)).second);
      if (trial.purpose == reports::Purpose::confirm && trial.reused_run.empty() && trial.candidates.front() == "bad")
        ++here;
    }
    EXPECT_EQ(here, run.ends_with("aaaa") ? 2 : 1) << "of what convicts";
    searched.push_back(lab.lab.count(reports::Purpose::search));
  }
  EXPECT_GT(searched[0], 0);
  EXPECT_EQ(searched[1], 0);
}

TEST(DepartmentRun, TakesNoTroubleOfAnotherCellForAnAnswer) {
  TrialMemo memo;
  for (const std::string name : {"finance", "engineering"}) {
    Fixture lab(name);
    lab.machine("dns").candidate("a", {"dns"}).candidate("bad", {"dns"}).candidate("c", {"dns"});
    lab.lab.breaks["dns"] = {{"bad"}};
    if (name == "finance") lab.lab.dies_in = reports::Purpose::confirm;
    const auto record = DepartmentRun(lab.job, lab.lab, memo, lab.clock, {}).run();
    EXPECT_EQ(verdict(record, "bad").outcome, name == "finance" ? Outcome::error : Outcome::fail);
  }
}

TEST(DepartmentRun, SharesNoTrialThatDidNotWaitForDamageThatNeedsAWhile) {
  TrialMemo memo;
  for (const std::string name : {"finance", "engineering"}) {
    Fixture lab(name);
    lab.machine("dns").candidate("a", {"dns"}).candidate("bad", {"dns"}).candidate("c", {"dns"});
    (name == "finance" ? lab.lab.breaks : lab.lab.breaks_late)["dns"] = {{"bad"}};
    const auto record = DepartmentRun(lab.job, lab.lab, memo, lab.clock, {}).run();
    EXPECT_EQ(verdict(record, "bad").outcome, Outcome::fail);
    EXPECT_GT(lab.lab.count(reports::Purpose::search), 0) << name;
  }
}

// While engineering tries the first half, finance goes ahead with what comes next.
class GoingAhead : public ::testing::Test {
 protected:
  GoingAhead() {
    for (auto* lab : {&engineering_, &finance_}) {
      lab->machine("db");
      for (const auto* id : {"a", "b", "c", "d", "e", "f", "g", "bad"}) lab->candidate(id, {"db"});
      lab->lab.breaks["db"] = {{"bad"}};
      lab->job.cell.slot_count = 2;
    }
    engineering_.lab.on_trial = [this](const cell::TrialJob& trial) {
      if (trial.purpose != reports::Purpose::search || std::exchange(searching_, true)) return;
      begun_.set_value();
      held_up_ = ahead_.get_future().wait_for(patience_) != std::future_status::ready;
    };
    finance_.lab.on_trial = [this](const cell::TrialJob& trial) {
      if (trial.purpose == reports::Purpose::batch) begun_.get_future().wait();
      if (trial.purpose == reports::Purpose::search && !std::exchange(gone_ahead_, true)) ahead_.set_value();
    };
  }

  void run() {
    std::jthread other([this] {
      engineering_record_ = DepartmentRun(engineering_.job, engineering_.lab, memo_, engineering_.clock, {}).run();
    });
    finance_record_ = DepartmentRun(finance_.job, finance_.lab, memo_, finance_.clock, {}).run();
  }

  static std::vector<std::vector<std::string>> searched(const Fixture& lab) {
    std::vector<std::vector<std::string>> sets;
    for (const auto& trial : lab.lab.trials) {
      if (trial.purpose == reports::Purpose::search) sets.push_back(trial.candidates);
    }
    return sets;
  }

  TrialMemo memo_;
  Fixture engineering_{"engineering"};
  Fixture finance_{"finance"};
  std::promise<void> begun_;
  std::promise<void> ahead_;
  Milliseconds patience_{std::chrono::seconds(20)};
  bool searching_ = false;
  bool gone_ahead_ = false;
  bool held_up_ = false;
  reports::DepartmentRecord engineering_record_;
  reports::DepartmentRecord finance_record_;
};

TEST_F(GoingAhead, UsesTheTimeInWhichAnotherDepartmentRunsTheTrial) {
  run();
  EXPECT_FALSE(held_up_);
  for (const auto* record : {&engineering_record_, &finance_record_})
    EXPECT_EQ(verdict(*record, "bad").outcome, Outcome::fail);
  EXPECT_THAT(searched(engineering_), Contains(SizeIs(8))) << "whether it fails again";
  EXPECT_THAT(searched(finance_), Contains(ElementsAre("a", "b", "c", "d")));
  EXPECT_THAT(searched(engineering_), Not(Contains(ElementsAre("a", "b", "c", "d")))) << "that came from finance";
}

TEST_F(GoingAhead, LeavesTheProcessorsToOthersWhenThereIsNoneToSpare) {
  patience_ = Milliseconds(200);
  for (auto* lab : {&engineering_, &finance_}) lab->job.cell.slot_count = 1;
  run();
  EXPECT_TRUE(held_up_);
  EXPECT_EQ(verdict(finance_record_, "bad").outcome, Outcome::fail);
}

TEST_F(GoingAhead, BeginsWhenAProcessorBecomesFree) {
  std::optional<TrialMemo::AtWork> others(std::in_place, memo_, 2U);
  engineering_.lab.on_trial = [this, &others](const cell::TrialJob& trial) {
    if (trial.purpose != reports::Purpose::search || std::exchange(searching_, true)) return;
    begun_.set_value();
    auto ahead = ahead_.get_future();
    EXPECT_EQ(ahead.wait_for(Milliseconds(300)), std::future_status::timeout) << "no processor was free";
    others.reset();
    EXPECT_EQ(ahead.wait_for(patience_), std::future_status::ready);
  };
  run();
}

TEST(DepartmentRun, RunsItsOwnTrialsWhenACheckLooksAtTheTimeAndAnotherDoesNot) {
  TrialMemo memo;
  for (const auto slower : {std::optional<Milliseconds>(Milliseconds(150)), std::optional<Milliseconds>()}) {
    Fixture lab(slower ? "finance" : "engineering");
    lab.machine("db").candidate("a", {"db"}).candidate("bad", {"db"}).candidate("c", {"db"});
    lab.job.cell.machines[0].plan.checks = {{"write", "database.session", {}, Milliseconds(1000), slower}};
    lab.lab.breaks["db"] = {{"bad"}};
    (void)DepartmentRun(lab.job, lab.lab, memo, lab.clock, {}).run();
    EXPECT_GT(lab.lab.count(reports::Purpose::search), 0) << lab.job.cell.department;
  }
}

TEST(DepartmentRun, RunsItsOwnTrialsWhenAMachineDiffers) {
  TrialMemo memo;
  for (const auto* name : {"finance", "engineering"}) {
    Fixture lab(name);
    lab.machine("file").candidate("a", {"file"}).candidate("bad", {"file"}).candidate("c", {"file"});
    lab.job.cell.machines[0].golden_digest = name;
    lab.lab.breaks["file"] = {{"bad"}};
    (void)DepartmentRun(lab.job, lab.lab, memo, lab.clock, {}).run();
    EXPECT_GT(lab.lab.count(reports::Purpose::search), 0) << name;
  }
}

TEST(DepartmentRun, LeavesNoVerdictBehindWhenCancelled) {
  Fixture lab;
  lab.lab.on_trial = [&](const cell::TrialJob& job) {
    if (job.purpose == reports::Purpose::batch) lab.stop.request_stop();
  };
  lab.lab.breaks["dns"] = {{"a"}};
  const auto record = lab.machine("dns").candidate("a", {"dns"}).candidate("b", {"dns"}).run();
  EXPECT_EQ(record.error->error_class, ErrorClass::cancelled);
  EXPECT_TRUE(record.final_trial.empty());
  EXPECT_NE(verdict(record, "a").outcome, Outcome::pass);
  EXPECT_NE(verdict(record, "b").outcome, Outcome::pass);
}

TEST(DepartmentRun, ACellThatEndsBecauseOfACancellationIsNoTroubleOfTheLab) {
  for (const bool cancelled : {true, false}) {
    Fixture lab;
    lab.lab.dies_in = reports::Purpose::batch;
    lab.lab.on_trial = [&](const cell::TrialJob& job) {
      if (cancelled && job.purpose == reports::Purpose::batch) lab.stop.request_stop();
    };
    const auto record = lab.machine("dns").candidate("a", {"dns"}).run();
    const auto* batch = reports::trial_with_purpose(record, reports::Purpose::batch);
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(batch->outcome, Outcome::error);
    EXPECT_EQ(batch->error->error_class, cancelled ? ErrorClass::cancelled : ErrorClass::infrastructure);
  }
}

}  // namespace
}  // namespace patchlab::runners
