// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/queries.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "history/index/run_sums.hpp"
#include "tests/support/history_folder.hpp"

// Questions about records that were made by hand, with the right answers written down.
namespace patchlab::history {
namespace {

using promotion::StatementKind;
using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::begun_at;
using tests::good_record;
using tests::held_back_record;
using tests::HistoryFolder;

checks::CheckResult& check_in(reports::RunRecord& record, std::size_t trial, std::size_t phase, const char* id) {
  auto& checks = record.departments[0].trials[trial].phases[phase].checks;
  return *std::ranges::find(checks, id, &checks::CheckResult::id);
}
// It failed first and passed when it was asked again.
void make_flaky(checks::CheckResult& check) {
  check.tries = {{Outcome::fail, Milliseconds(10), "no-answer"}, {Outcome::pass, Milliseconds(20)}};
}

class Queries : public ::testing::Test {
 protected:
  void put(const reports::RunRecord& record) { folder_.put(record); }
  Database& database() {
    auto index = HistoryIndex::open(folder_.place(), folder_.sources());
    EXPECT_TRUE(index) << index.error().message;
    index_ = std::make_unique<HistoryIndex>(std::move(*index));
    return index_->database();
  }
  HistoryFolder folder_;
  std::unique_ptr<HistoryIndex> index_;
};

TEST_F(Queries, RunsAreListedWithWhatCameOfThem) {
  const auto good = begun_at(good_record(), "2026-10-03T02:00:00.000Z");
  auto bad = begun_at(held_back_record(), "2026-11-03T02:00:00.000Z");
  bad.scenario_name = "other";
  const auto newest = begun_at(good_record(), "2026-11-04T02:00:00.000Z");
  put(good);
  put(bad);
  folder_.begin(good);
  folder_.end(good);
  folder_.promote(good);
  folder_.begin(newest);
  folder_.end(newest);
  folder_.promote(newest);
  folder_.begin(bad);
  const auto all = runs(database(), {}, 0);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_THAT(all->runs, SizeIs(3));
  EXPECT_EQ(all->of, 3U);
  const auto& [last, second, first] = std::tie(all->runs[0], all->runs[1], all->runs[2]);
  EXPECT_EQ(first.id, good.id);
  EXPECT_EQ(first.scenario, "xavier-nightly");
  EXPECT_EQ(first.result, "ok");
  EXPECT_TRUE(first.good && first.complete && first.has_folder);
  EXPECT_EQ(first.departments, 1U);
  EXPECT_EQ(first.candidates, 2U);
  EXPECT_EQ(std::tuple(first.passed, first.failed, first.undecided), std::tuple(2U, 0U, 0U));
  EXPECT_EQ(first.line, 2U);
  EXPECT_EQ(first.accelerator, "tcg");
  EXPECT_THAT(first.promoted, ElementsAre(RunPromotion{"finance", 1, false}));
  EXPECT_EQ(second.result, "candidate-fails");
  EXPECT_FALSE(second.good);
  EXPECT_EQ(std::tuple(second.passed, second.failed, second.undecided), std::tuple(1U, 1U, 0U));
  EXPECT_EQ(second.line, 0U) << "its end is not in the ledger";
  EXPECT_FALSE(last.has_folder);
  EXPECT_THAT(last.promoted, ElementsAre(RunPromotion{"finance", 2, true}));
  EXPECT_THAT(all->open, ElementsAre(OpenRun{bad.id, "2026-11-22T06:11:00.000Z", "lab@x", 11}));
  // A part of them.
  EXPECT_THAT(runs(database(), {}, 1)->runs, ElementsAre(last));
  EXPECT_EQ(runs(database(), {}, 1)->of, 3U);
  EXPECT_THAT(runs(database(), {"other", {}, {}}, 0)->runs, ElementsAre(second));
  EXPECT_THAT(runs(database(), {{}, {}, "2026-10"}, 0)->runs, ElementsAre(first));
  EXPECT_THAT(runs(database(), {{}, "2026-11", {}}, 0)->runs, ElementsAre(last, second));
  EXPECT_THAT(scenarios_in(database()).value(), ElementsAre("other", "xavier-nightly"));
}

TEST_F(Queries, ACandidateHasItsStoryFromRunToMachine) {
  const auto first = begun_at(held_back_record(), "2026-10-03T02:00:00.000Z");
  const auto second = begun_at(good_record(), "2026-10-04T02:00:00.000Z");
  folder_.put(first);
  folder_.put(second);
  folder_.begin(first);
  folder_.end(first);
  folder_.decide(StatementKind::approve, "bob@x", first);  // of a set without tidy
  folder_.begin(second);
  folder_.end(second);
  const auto approval = folder_.decide(StatementKind::approve, "bob@x", second);
  folder_.decide(StatementKind::withdraw, "bob@x", second, approval);
  folder_.decide(StatementKind::approve, "dave@x", second);
  const auto promotion = folder_.promote(second);
  const auto says = [&](const char* when, const char* found, promotion::InstalledState state) {
    folder_.say_installed(promotion, {{"mail1", when, {{"tidy", "tidy", "2.0", found, state, "2026-10-05"}}}});
  };
  says("2026-10-06T08:00:00Z", "2.0", promotion::InstalledState::as_promoted);
  says("2026-10-05T08:00:00Z", "1.0", promotion::InstalledState::older);  // written down later, seen before

  const auto story = candidate(database(), "tidy");
  ASSERT_TRUE(story) << story.error().message;
  ASSERT_THAT(story->tests, SizeIs(2));
  EXPECT_EQ(story->tests[0].run, first.id);
  EXPECT_EQ(story->tests[0].outcome, "fail");
  EXPECT_EQ(story->tests[0].failed, "mail/deliver");
  EXPECT_EQ(story->tests[0].department, "finance");
  EXPECT_EQ(story->tests[0].title, "Tidied package");
  EXPECT_EQ(story->tests[0].kind, "deb");
  EXPECT_EQ(story->tests[0].machines, "dns, mail");
  EXPECT_EQ(story->tests[1].outcome, "pass");
  std::vector<std::string> lines;
  for (const auto& line : story->lines)
    lines.push_back(fmt::format("{} {} {} {}", line.seq, line.kind, line.by, line.ended_by));
  EXPECT_THAT(lines, ElementsAre("6 approve bob@x 7", "7 withdraw bob@x 0", "8 approve dave@x 0",
                                 "9 promote-begun lab@x 0", "10 promote-switched lab@x 0", "11 promote-done lab@x 0"));
  EXPECT_EQ(story->lines[0].run, second.id);
  EXPECT_EQ(story->lines[0].ticket, "CHG1");
  EXPECT_EQ(story->lines[5].serial, 1U);
  ASSERT_THAT(story->machines, SizeIs(1));
  EXPECT_EQ(story->machines[0], (CandidateMachine{"finance", "mail1", 1, "tidy", "2.0", "2.0", "as-promoted",
                                                  "2026-10-05", "2026-10-06T08:00:00Z", "dpkg-query", 12}));
  EXPECT_THAT(story->unknown, IsEmpty());

  // The other one was in both sets.
  const auto other = candidate(database(), "dns-update");
  EXPECT_EQ(other->lines.at(0).seq, 3U);
  EXPECT_THAT(other->machines, IsEmpty());
  // Another promotion takes its place.
  folder_.promote(first);
  EXPECT_EQ(candidate(database(), "tidy")->lines.at(5).ended_by, 16U);
}

TEST_F(Queries, ALineAboutASetThatNoTrialHadIsSaidToBeUnknown) {
  auto record = begun_at(good_record(), "2026-10-03T02:00:00.000Z");
  folder_.put(record);
  folder_.begin(record);
  folder_.end(record);
  auto other = record;
  other.departments[0].trials.back().candidates = {"tidy"};
  other.file_digest = sha256(pretty(Json(record)));
  folder_.decide(StatementKind::approve, "bob@x", other);
  const auto story = candidate(database(), "tidy");
  EXPECT_THAT(story->lines, IsEmpty());
  EXPECT_THAT(story->unknown, ElementsAre(3U));
}

TEST_F(Queries, ACandidateThatNoRunHadIsAMistakeOfWhoAsked) {
  put(good_record());
  const auto none = candidate(database(), "tidi");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error_class, ErrorClass::usage);
  EXPECT_THAT(none.error().message, HasSubstr("there are: dns-update, tidy"));
  EXPECT_THAT(none.error().hint, HasSubstr("did you mean tidy?"));
}

TEST_F(Queries, ACandidateHasAForecastFromTheRunsThatTriedPatchesLikeIt) {
  const auto first = begun_at(good_record(), "2026-10-03T02:00:00.000Z");
  auto other = begun_at(good_record(), "2026-10-04T02:00:00.000Z");
  for (auto& candidate : other.candidates) candidate.digest = sha256("another " + candidate.id);
  auto known = begun_at(held_back_record(), "2026-10-05T02:00:00.000Z");
  known.departments[0].verdicts[1].known_from = first.id;  // it was not tried
  put(first);
  put(other);
  put(known);
  const auto tidy = candidate(database(), "tidy")->outlook;
  EXPECT_EQ(tidy.asked, (ForecastQuestion{"deb", "repack", {"tidy"}, {"dns", "mail"}}));
  ASSERT_TRUE(tidy.forecast);
  EXPECT_EQ(std::tuple(tidy.forecast->patches, tidy.forecast->broke), std::tuple(2U, 0U));
  EXPECT_THAT(tidy.forecast->runs, ElementsAre(other.id, first.id));
  EXPECT_EQ(tidy.forecast->measured, (ForecastTimes{{21'300, 21'300, 24'100}, {1, 1, 1}, "tcg", 4, 0}));
  EXPECT_EQ(std::tuple(tidy.score.patches, tidy.score.without_history, tidy.score.inside), std::tuple(1U, 1U, 2U));
  EXPECT_FALSE(tidy.only_newest);

  // It is asked about by itself as well, and about what nobody tried.
  const auto all = outlooks(database(), {tidy.asked, {"msu", "file", {}, {"dns"}}, {}});
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_THAT(*all, SizeIs(3));
  EXPECT_EQ(all->at(0), tidy);
  EXPECT_FALSE(all->at(1).forecast || all->at(2).forecast);

  // That what it broke then is what it broke, its own runs say.
  put(begun_at(held_back_record(), "2026-10-06T02:00:00.000Z"));
  EXPECT_EQ(candidate(database(), "tidy")->outlook.forecast->broke, 1U);
  EXPECT_EQ(candidate(database(), "dns-update")->outlook.forecast->broke, 0U);
}

TEST(RunSums, TellWhatWasTriedAndHowLongItTook) {
  auto record = good_record();
  auto rows = tried_in(record);
  ASSERT_THAT(rows, SizeIs(3)) << "the update on the name server, and the other one on both";
  EXPECT_EQ(rows[0].candidate, "dns-update");
  EXPECT_EQ(rows[2], (Tried{record.id,
                            record.started,
                            record.finished,
                            "finance",
                            "tidy",
                            "mail",
                            sha256("candidate tidy"),
                            "deb",
                            "repack",
                            {"tidy"},
                            Outcome::pass,
                            "tcg",
                            TriedTimes{3100, 21'000, 1, false}}));
  auto& trial = record.departments[0].trials[2];
  trial.installs.at(0).end = "installed, reboot needed";
  EXPECT_TRUE(tried_in(record)[0].times->asked);
  trial.installs[0].installed_run = "an-earlier-run";
  EXPECT_FALSE(tried_in(record)[0].times) << "an earlier run measured it";
  trial.outcome = Outcome::error;
  for (const auto& row : tried_in(record)) EXPECT_FALSE(row.times);
  record = good_record();
  record.departments[0].verdicts[0].outcome = Outcome::fail;
  EXPECT_EQ(tried_in(record)[0].outcome, Outcome::fail);
  record.departments[0].verdicts[0].known_from = "an-earlier-run";
  EXPECT_EQ(tried_in(record)[0].outcome, Outcome::not_reached);
  record.started = "2026-11-22T06:02:50Z";
  EXPECT_EQ(tried_in(record)[0].started, "2026-11-22T06:02:50.000Z") << "or texts would not compare as times do";
  record.finished.clear();
  EXPECT_THAT(tried_in(record), IsEmpty()) << "nobody knows what was before and after it";
  // Of two trials the one that went on for longer, in restarts and then in time.
  EXPECT_EQ(tried_in(held_back_record())[0].times, (TriedTimes{3100, 21'000, 1, false}));
}

TEST_F(Queries, AFlakyCheckIsToldWithHowOftenItWasAsked) {
  // Baseline, control, and the batch twice: four answers of each check of a run, two of them without a patch.
  auto october = begun_at(good_record(), "2026-10-03T02:00:00.000Z");
  make_flaky(check_in(october, 0, 1, "deliver"));  // mail, baseline
  make_flaky(check_in(october, 2, 1, "deliver"));  // after-install
  auto again = begun_at(good_record(), "2026-11-03T02:00:00.000Z");
  auto& asked_twice = check_in(again, 1, 0, "mx-record");  // dns, control
  asked_twice.tries = {{Outcome::pass, Milliseconds(1)}, {Outcome::pass, Milliseconds(1)}};
  check_in(again, 0, 0, "a-record").outcome = Outcome::fail;  // fails without a patch, and agrees with itself
  check_in(again, 1, 1, "deliver").outcome = Outcome::error;
  again.departments[0].flaky = {{reports::FlakeKind::in_control, "mail/state:service:postfix", {}, {"t1"}, {"t2"}}};
  put(october);
  put(again);
  const auto found = flaky(database(), {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->of, 8U) << "five of dns, two of mail, and a fact that is no check";
  ASSERT_THAT(found->checks, SizeIs(3));
  const auto& deliver = found->checks[0];
  EXPECT_EQ(deliver.check, "deliver");
  EXPECT_EQ(deliver.machine, "mail");
  EXPECT_EQ(deliver.role, "mail");
  EXPECT_EQ(std::tuple(deliver.asked, deliver.asked_again, deliver.disagreed, deliver.errors), std::tuple(7, 2, 2, 1));
  EXPECT_EQ(std::tuple(deliver.bare, deliver.bare_failed), std::tuple(3, 0));
  EXPECT_EQ(std::tuple(deliver.first, deliver.last), std::tuple("2026-10", "2026-11"));
  EXPECT_THAT(deliver.rate().value(), DoubleNear(2.0 / 7, 1e-9));
  // The root of sum over i <= 2 of C(7, i) p^i (1 - p)^(7 - i) = 0.05.
  EXPECT_THAT(deliver.at_most().value(), DoubleNear(0.6588, 1e-3));
  EXPECT_EQ(found->checks[1].check, "state:service:postfix");
  EXPECT_EQ(found->checks[1].between_trials, 1);
  EXPECT_EQ(found->checks[1].rate(), std::nullopt);
  EXPECT_EQ(found->checks[1].at_most(), std::nullopt);
  EXPECT_EQ(found->checks[2].check, "mx-record");
  EXPECT_EQ(std::tuple(found->checks[2].asked, found->checks[2].asked_again, found->checks[2].disagreed),
            std::tuple(8, 1, 0));
  EXPECT_THAT(flaky(database(), {{}, "2026-12", {}})->checks, IsEmpty());
  EXPECT_THAT(flaky(database(), {{}, {}, "2026-10"})->checks, SizeIs(1));
}

TEST(RunSums, CountWhatWasSeenOnceAndNothingThatWasLost) {
  auto record = good_record();
  const auto all = check_sums_of(record);
  const CheckKey key{"finance", "mail", "mail", "deliver"};
  EXPECT_EQ(all.at(key), (CheckSums{.asked = 4, .bare = 2}));
  record.departments[0].trials[2].retried_as = "finance/t3";
  EXPECT_EQ(check_sums_of(record).at(key), (CheckSums{.asked = 2, .bare = 2}));
  record = good_record();
  record.departments[0].trials[1].reused_from = "finance/t0";
  EXPECT_EQ(check_sums_of(record).at(key), (CheckSums{.asked = 3, .bare = 1}));
  record = good_record();
  for (auto& phase : record.departments[0].trials[1].phases) phase.fails_without_patch["deliver"] = "no answer";
  check_in(record, 1, 1, "deliver").outcome = Outcome::fail;
  EXPECT_EQ(check_sums_of(record).at(key), (CheckSums{.asked = 3, .bare = 1}));
  for (const auto outcome : {Outcome::skipped, Outcome::not_reached}) {
    check_in(record, 0, 1, "deliver").outcome = outcome;
    EXPECT_EQ(check_sums_of(record).at(key), (CheckSums{.asked = 2, .bare = 0}));
  }
}

TEST(RunSums, KeepTimesToAboutOnePerCent) {
  for (const auto& [ms, kept] : std::initializer_list<std::pair<std::int64_t, std::int64_t>>{{0, 0},
                                                                                             {7, 7},
                                                                                             {99, 99},
                                                                                             {101, 102},
                                                                                             {103, 104},
                                                                                             {203, 205},
                                                                                             {505, 510},
                                                                                             {999, 1000},
                                                                                             {12345, 12400},
                                                                                             {31300, 31500},
                                                                                             {3'725'000, 3'750'000}})
    EXPECT_EQ(kept_ms(ms), kept) << ms;
  for (std::int64_t ms = 1; ms < 10'000'000; ms += 1 + ms / 300) {
    EXPECT_LE(std::abs(kept_ms(ms) - ms) * 1000, 13 * ms) << ms;
    EXPECT_EQ(kept_ms(kept_ms(ms)), kept_ms(ms)) << ms;
  }
  auto record = good_record();
  record.started = "yesterday";
  EXPECT_EQ(month_of(record), "unknown");
}

TEST_F(Queries, DurationsAreThoseThatWereMeasured) {
  // The sample installs each candidate in 3.1 s, restarts dns in 16.8 s without and 18.2 s with two patches, and mail
  // in 19.6 s and 21 s.
  const auto once = durations_of(good_record());
  const auto n = [&](const char* role, const char* kind, const char* step, std::int64_t ms) {
    const auto found = once.find({"tcg", role, kind, step, ms});
    return found == once.end() ? 0 : found->second;
  };
  EXPECT_EQ(n("dns", "deb", "install", 3100), 2);
  EXPECT_EQ(n("mail", "deb", "install", 3100), 1);
  EXPECT_EQ(n("dns", "none", "restart", 16800), 1);
  EXPECT_EQ(n("dns", "deb", "restart", 18200), 1);
  EXPECT_EQ(n("mail", "none", "restart", 19600), 1);
  EXPECT_EQ(n("mail", "deb", "restart", 21000), 1);
  EXPECT_EQ(n("dns", "none", "checks", 2900), 2) << "baseline and control";
  EXPECT_EQ(n("dns", "deb", "checks", 3150), 2) << "3141 ms";

  // Eleven times 1, 2, ... 11 s: half do not exceed 6 s, nine tenths not 10 s.
  for (int i = 1; i <= 11; ++i) {
    auto record = begun_at(good_record(), fmt::format("2026-10-{:02}T02:00:00.000Z", i));
    for (auto& install : record.departments[0].trials[2].installs) {
      install.duration_ms = install.candidate == "tidy" && install.machine == "mail" ? i * 1000 : 3100;
    }
    put(record);
  }
  const auto all = durations(database(), {});
  ASSERT_TRUE(all) << all.error().message;
  const auto row =
      std::ranges::find_if(*all, [](const auto& one) { return one.role == "mail" && one.step == "install"; });
  ASSERT_NE(row, all->end());
  EXPECT_EQ(*row, (DurationRow{"tcg", "mail", "deb", "install", 11, 6000, 10000, 1000, 11000}));
  // By months the same is added up again.
  EXPECT_EQ(durations(database(), {{{}, "2026-10", "2026-10"}, {}, {}}).value(), *all);
  const auto few = durations(database(), {{{}, "2026-10", {}}, "mail", "deb"});
  EXPECT_THAT(*few, SizeIs(3)) << "checks, install, restart";
  const auto none = durations(database(), {{{}, "2026-11", {}}, {}, {}});
  EXPECT_THAT(*none, IsEmpty());
}

TEST_F(Queries, OfFewTimesNothingIsForecast) {
  put(good_record());
  const auto all = durations(database(), {{}, "dns", "deb"}).value();
  const auto install = std::ranges::find(all, "install", &DurationRow::step);
  ASSERT_NE(install, all.end());
  EXPECT_EQ(*install, (DurationRow{"tcg", "dns", "deb", "install", 2, std::nullopt, std::nullopt, 3100, 3100}));
}

TEST(RunSums, MeasureOnlyWhatWasDoneHere) {
  auto record = good_record();
  record.departments[0].trials[2].installs[0].installed_in = "finance/t1";
  record.departments[0].trials[2].installs[1].installed_run = "earlier";
  record.departments[0].trials[2].installs[2].outcome = Outcome::fail;
  const auto installs = [&] {
    std::int64_t n = 0;
    for (const auto& [key, count] : durations_of(record)) n += key.step == "install" ? count : 0;
    return n;
  };
  EXPECT_EQ(installs(), 0);
  record = good_record();
  EXPECT_EQ(installs(), 3);
  record.candidates[0].kind = "msu";
  const auto all = durations_of(record);
  EXPECT_TRUE(all.contains({"tcg", "dns", "mixed", "restart", 18200}));
  EXPECT_TRUE(all.contains({"tcg", "mail", "deb", "restart", 21000}));
  record.departments[0].trials[2].outcome = Outcome::error;
  EXPECT_EQ(installs(), 0);
  record.host["accelerator of finance"] = "kvm";
  EXPECT_TRUE(durations_of(record).contains({"kvm", "dns", "none", "restart", 16800}));
}

TEST_F(Queries, TrendsCountTroubleOfTheLabForNobody) {
  put(begun_at(good_record(), "2026-10-03T02:00:00.000Z"));
  put(begun_at(held_back_record(), "2026-10-04T02:00:00.000Z"));
  auto undecided = begun_at(good_record(), "2026-11-03T02:00:00.000Z");
  undecided.departments[0].verdicts[0].outcome = Outcome::error;
  undecided.departments[0].verdicts[1].outcome = Outcome::skipped;
  put(undecided);
  auto interrupted = begun_at(good_record(), "2026-11-04T02:00:00.000Z");
  interrupted.complete = false;
  interrupted.departments[0].verdicts[0].outcome = Outcome::not_reached;
  put(interrupted);
  const auto by_month = trend(database(), {}, {});
  ASSERT_TRUE(by_month) << by_month.error().message;
  EXPECT_THAT(by_month->months, ElementsAre(TrendMonth{"2026-10", 2, 2, 1}, TrendMonth{"2026-11", 2, 1, 0}));
  EXPECT_THAT(by_month->rows, ElementsAre(TrendRow{"2026-10", "finance", {}, 3, 1, 0, 0},
                                          TrendRow{"2026-11", "finance", {}, 1, 0, 2, 1}));
  EXPECT_EQ(by_month->rows[0].success(), 0.75);
  const auto by_candidate = trend(database(), {}, {false, false, true});
  EXPECT_THAT(by_candidate->rows,
              ElementsAre(TrendRow{{}, {}, "dns-update", 2, 0, 2, 0}, TrendRow{{}, {}, "tidy", 2, 1, 0, 1}));
  const auto none = trend(database(), {{}, "2026-11", {}}, {true, true, true});
  EXPECT_EQ(none->rows.at(0), (TrendRow{"2026-11", "finance", "dns-update", 0, 0, 2, 0}));
  EXPECT_EQ(none->rows.at(0).success(), std::nullopt) << "nothing was decided";
}

TEST_F(Queries, WhatChangedSinceTheLastGoodRunIsNamed) {
  const auto good = begun_at(good_record(), "2026-10-03T02:00:00.000Z");
  put(good);
  put(begun_at(held_back_record(), "2026-10-04T02:00:00.000Z"));
  auto now = begun_at(held_back_record(), "2026-10-05T02:00:00.000Z");
  now.tool_version = "0.2.0";
  now.candidates[1].digest = sha256("other bytes");
  now.digests["policy"] = sha256("other policy");
  now.host["kernel"] = "6.1.0-29-amd64";
  auto& machines = now.departments[0].machines;
  machines[0].golden_digest = sha256("newer image");
  machines[0].check_digests["mx-record"] = sha256("asks more");
  machines[0].checks.emplace_back("txt-record");
  machines[1].state_digest = sha256("looks at more");
  put(now);
  const auto found = changed(database(), {}, {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->run, now.id);
  EXPECT_EQ(found->good, good.id);
  EXPECT_EQ(found->between, 1U);
  EXPECT_EQ(found->result, "candidate-fails");
  std::vector<std::string> texts;
  for (const auto& change : found->changes)
    texts.push_back(fmt::format("{}|{}|{}|{}", change.what, change.where, change.name,
                                change.before.empty() ? "new"
                                : change.now.empty()  ? "gone"
                                                      : "other"));
  EXPECT_THAT(texts, ElementsAre("candidate||tidy|other", "image|finance|dns|other", "state|finance|mail|other",
                                 "check|finance/dns|mx-record|other", "check|finance/dns|txt-record|new",
                                 "policy||policy|other", "patchlab||patchlab|other", "host||kernel|other"));
  EXPECT_EQ(found->changes[6].before, "0.1.0");
  EXPECT_EQ(found->changes[6].now, "0.2.0");
}

TEST_F(Queries, AMachineThatIsNewIsOneChange) {
  put(begun_at(good_record(), "2026-10-03T02:00:00.000Z"));
  auto now = begun_at(good_record(), "2026-10-05T02:00:00.000Z");
  now.departments[0].machines[1].name = "mail2";
  put(now);
  std::vector<std::string> texts;
  const auto found = changed(database(), {}, {}).value();
  for (const auto& change : found.changes) texts.push_back(change.what + " " + change.where + "/" + change.name);
  EXPECT_THAT(texts, ElementsAre("machine finance/mail", "machine finance/mail2"));
}

TEST_F(Queries, WithoutAGoodRunBeforeNothingIsCompared) {
  put(begun_at(held_back_record(), "2026-10-03T02:00:00.000Z"));
  auto incomplete = begun_at(good_record(), "2026-10-04T02:00:00.000Z");
  incomplete.complete = false;
  put(incomplete);
  auto other = begun_at(good_record(), "2026-10-04T03:00:00.000Z");
  other.scenario_name = "other";
  put(other);
  const auto now = begun_at(good_record(), "2026-10-05T02:00:00.000Z");
  put(now);
  const auto found = changed(database(), now.id, {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->good, "");
  EXPECT_THAT(found->changes, IsEmpty());
  EXPECT_EQ(changed(database(), {}, "other")->run, other.id);
  EXPECT_EQ(changed(database(), "nosuch", {}).error().error_class, ErrorClass::usage);
}

}  // namespace
}  // namespace patchlab::history
