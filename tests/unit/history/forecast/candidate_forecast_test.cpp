// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/forecast/candidate_forecast.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

// Rows that were made by hand, with the right answers written down.
namespace patchlab::history {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// In a run of this day, which takes an hour.
Tried tried(int day, const std::string& patch, Outcome outcome = Outcome::pass) {
  Tried row;
  row.run = fmt::format("run-{:02}", day);
  row.started = fmt::format("2026-11-{:02}T02:00:00.000Z", day);
  row.finished = fmt::format("2026-11-{:02}T03:00:00.000Z", day);
  row.department = "finance";
  row.candidate = patch;
  row.role = "dns";
  row.digest = "bytes of " + patch;
  row.kind = "deb";
  row.source = "apt";
  row.products = {"bind9", "bind9-host"};
  row.outcome = outcome;
  row.accelerator = "kvm";
  return row;
}
Tried took(Tried row, std::int64_t seconds, std::int64_t restarts = 1) {
  row.times = TriedTimes{seconds * 400, seconds * 600, restarts, false};
  return row;
}
std::vector<Tried> patches_of_days(int first, int last) {
  std::vector<Tried> rows;
  for (int day = first; day <= last; ++day) rows.push_back(took(tried(day, fmt::format("p{}", day)), 30 + day));
  return rows;
}
ForecastQuestion bind9() { return {"deb", "apt", {"bind9"}, {"dns"}}; }

Outlook outlook_of(const std::vector<Tried>& rows, const ForecastQuestion& question) {
  const CandidateForecasts forecasts(rows);
  return {question, forecasts.of(question), forecasts.score(), false};
}
std::string text_of(const Outlook& outlook) {
  std::string text;
  for (const auto& sentence : sentences_of(outlook)) text += sentence + "\n";
  return text;
}

TEST(CandidateForecast, WithoutHistoryHasNoNumber) {
  auto unknown = tried(1, "p1");
  for (const auto outcome : {Outcome::error, Outcome::skipped, Outcome::not_reached}) {
    unknown.outcome = outcome;
    const auto outlook = outlook_of({unknown}, bind9());
    EXPECT_FALSE(outlook.forecast) << "trouble of the lab is nobody's";
    EXPECT_EQ(text_of(outlook), "no history: no run decided about a deb from apt\n");
    const Json json = outlook;
    EXPECT_EQ(json.at("circle"), nullptr);
    EXPECT_EQ(json.at("broke_at_most"), nullptr);
    EXPECT_EQ(json.at("measured"), nullptr);
    EXPECT_EQ(json.at("so_far").at("brier"), nullptr);
  }
  EXPECT_FALSE(outlook_of({}, bind9()).forecast);
  EXPECT_EQ(text_of(Outlook{}), "no history: no run tells what it is\n");
  // Of another source, as what was made here on purpose to break something, or of another kind.
  auto made = tried(1, "p1", Outcome::fail);
  made.source = "repack";
  EXPECT_FALSE(outlook_of({made}, bind9()).forecast);
  made = tried(1, "p1", Outcome::fail);
  made.kind = "msi";
  EXPECT_FALSE(outlook_of({made}, bind9()).forecast);
}

TEST(CandidateForecast, OfOneRunSaysHowLittleThatIs) {
  const auto outlook = outlook_of({took(tried(1, "p1"), 40)}, bind9());
  ASSERT_TRUE(outlook.forecast);
  EXPECT_EQ(outlook.forecast->patches, 1U);
  EXPECT_EQ(outlook.forecast->broke, 0U);
  EXPECT_THAT(outlook.forecast->at_most, DoubleNear(0.95, 1e-9)) << "0 of 1 is no safety";
  EXPECT_EQ(outlook.forecast->circle, Circle::product_and_role) << "no wider circle has more";
  EXPECT_THAT(outlook.forecast->runs, ElementsAre("run-01"));
  ASSERT_TRUE(outlook.forecast->measured);
  EXPECT_EQ(outlook.forecast->measured->ms, (ForecastRange{40'000, 40'000, 40'000}));
  EXPECT_THAT(
      text_of(outlook),
      AllOf(HasSubstr(
                "0 of 1 patch of the same product (deb from apt) for dns broke something here; with 95 % confidence "
                "at most 95 % of such do: few, and there are no more\n"),
            HasSubstr("on a machine 40.0 s with 1 restart (40.0 s to 40.0 s, 1 time on kvm)\n"),
            HasSubstr("drawn from 1 run: run-01\n"), HasSubstr("such a forecast was never put to the test\n")));
  EXPECT_EQ(outlook.score.without_history, 1U);
}

TEST(CandidateForecast, IsDrawnFromTheNearestCircleWithEnoughPatches) {
  auto rows = patches_of_days(1, 5);
  auto other_product = took(tried(6, "postfix", Outcome::fail), 900);
  other_product.products = {"postfix"};
  auto other_role = other_product;
  other_role.digest = "bytes of exim";
  other_role.role = "mail";
  rows.insert(rows.end(), {other_product, other_role});
  const auto circle_of = [&](const ForecastQuestion& question) {
    const auto forecast = outlook_of(rows, question).forecast.value();
    return std::tuple(forecast.circle, forecast.patches, forecast.broke);
  };
  EXPECT_EQ(circle_of(bind9()), std::tuple(Circle::product_and_role, 5U, 0U));
  EXPECT_EQ(circle_of({"deb", "apt", {"unbound"}, {"dns"}}), std::tuple(Circle::kind_and_role, 6U, 1U));
  EXPECT_EQ(circle_of({"deb", "apt", {"bind9"}, {"mail"}}), std::tuple(Circle::kind, 7U, 2U));
  EXPECT_EQ(circle_of({"deb", "apt", {"bind9"}, {"dns", "mail"}}), std::tuple(Circle::product_and_role, 5U, 0U));
  EXPECT_EQ(circle_of({"deb", "apt", {}, {}}), std::tuple(Circle::kind, 7U, 2U));
  rows.erase(rows.begin());
  EXPECT_EQ(circle_of(bind9()), std::tuple(Circle::kind_and_role, 5U, 1U)) << "four of the product are not enough";
  rows.erase(rows.begin());
  EXPECT_EQ(circle_of(bind9()), std::tuple(Circle::kind, 5U, 2U));
  rows.erase(rows.end() - 2);
  EXPECT_EQ(circle_of(bind9()), std::tuple(Circle::kind, 4U, 1U)) << "few, and one more than for the role";
}

// The same patch every night is one patch, by what is known of it last; in each department for itself.
TEST(CandidateForecast, CountsAPatchOnceByWhatItDidLast) {
  std::vector<Tried> rows{tried(2, "p1"), tried(1, "p1", Outcome::fail)};
  const auto broke = [&] {
    const auto forecast = outlook_of(rows, bind9()).forecast.value();
    EXPECT_EQ(forecast.patches, 1U);
    return forecast.broke;
  };
  EXPECT_EQ(broke(), 0U);
  rows.push_back(tried(3, "p1", Outcome::fail));
  EXPECT_EQ(broke(), 1U);
  rows.push_back(tried(4, "p1"));
  rows.back().department = "sales";
  EXPECT_EQ(broke(), 1U) << "it passes elsewhere, and fails here";
  auto renamed = tried(5, "p1");
  renamed.candidate = "p1-again";
  rows.push_back(renamed);
  EXPECT_EQ(broke(), 0U) << "its bytes are what it is";
  EXPECT_THAT(outlook_of(rows, bind9()).forecast->runs, ElementsAre("run-05", "run-04", "run-03", "run-02", "run-01"));
}

TEST(CandidateForecast, TakesTimesOfWhereItWasMeasuredLast) {
  auto emulated = took(tried(1, "p1"), 400, 2);
  emulated.accelerator = "tcg";
  const std::vector<Tried> rows{emulated, took(tried(2, "p2"), 50), took(tried(3, "p3"), 20, 2),
                                took(tried(4, "p4"), 30), tried(5, "p5")};
  const auto measured = outlook_of(rows, bind9()).forecast.value().measured.value();
  EXPECT_EQ(measured.ms, (ForecastRange{20'000, 30'000, 50'000}));
  EXPECT_EQ(measured.restarts, (ForecastRange{1, 1, 2}));
  EXPECT_EQ(measured.accelerator, "kvm");
  EXPECT_EQ(measured.times, 3U);
  EXPECT_THAT(text_of(outlook_of(rows, bind9())),
              AllOf(HasSubstr("on a machine 30.0 s with 1 to 2 restarts (20.0 s to 50.0 s, 3 times on kvm)\n"),
                    HasSubstr("drawn from 5 runs: run-05, run-04, run-03 and 2 before\n")));
  EXPECT_THAT(text_of(outlook_of({tried(1, "p1")}, bind9())), HasSubstr("how long it takes is not known"));
}

TEST(CandidateForecast, DoesNotDependOnTheOrderOfItsRows) {
  auto rows = patches_of_days(1, 9);
  rows.push_back(tried(10, "p3", Outcome::fail));
  const auto outlook = outlook_of(rows, bind9());
  std::ranges::reverse(rows);
  EXPECT_EQ(outlook_of(rows, bind9()), outlook);
  std::swap(rows[2], rows[7]);
  EXPECT_EQ(outlook_of(rows, bind9()), outlook);
}

TEST(ForecastScore, IsOfWhatTheRunsBeforeForetold) {
  // p1 has no history. p2 is foretold with (0 + 1) / (1 + 2), p3, which breaks, with 1 / 4, p4 with (1 + 1) / (3 + 2).
  const std::vector<Tried> rows{took(tried(1, "p1"), 30), took(tried(2, "p2"), 30),
                                took(tried(3, "p3", Outcome::fail), 50), took(tried(4, "p4"), 40)};
  const auto score = CandidateForecasts(rows).score();
  EXPECT_EQ(score.without_history, 1U);
  EXPECT_EQ(score.patches, 3U);
  EXPECT_EQ(score.broke, 1U);
  EXPECT_THAT(score.brier.value(), DoubleNear((1.0 / 9 + 9.0 / 16 + 4.0 / 25) / 3, 1e-9));
  EXPECT_EQ(score.times, 3U);
  EXPECT_EQ(score.inside, 2U) << "50 s are not within 30 s to 30 s; 40 s are within 30 s to 50 s";
  EXPECT_THAT(text_of(outlook_of(rows, bind9())),
              HasSubstr("such forecasts so far: 2 of 3 times were within the range; Brier score 0.28 over 3 patches (1 "
                        "broke something; 0 is perfect, a coin has 0.25); 1 had no history\n"));
}

// Whatever happened later, what was foretold of a patch stays the same.
TEST(ForecastScore, NeverLooksAhead) {
  auto rows = patches_of_days(1, 7);
  const auto before = CandidateForecasts(rows).score();
  // Tried before, and known to break something only now.
  for (int day = 1; day <= 7; ++day) rows.push_back(took(tried(20, fmt::format("p{}", day), Outcome::fail), 500));
  EXPECT_EQ(CandidateForecasts(rows).score(), before);
  // A run that began before and had not ended: nobody could know of it.
  auto night = took(tried(3, "long", Outcome::fail), 999);
  night.finished = "2026-11-30T00:00:00.000Z";
  rows.push_back(night);
  auto after = CandidateForecasts(rows).score();
  EXPECT_EQ(after.patches, before.patches + 1);
  EXPECT_EQ(after.inside, before.inside);
  const auto squares = [](const ForecastScore& score) { return *score.brier * static_cast<double>(score.patches); };
  EXPECT_THAT(squares(after) - squares(before), DoubleNear(9.0 / 16, 1e-9)) << "of itself, and of no other one";
  // What the same run says of others is not before it either.
  const std::vector<Tried> one_run{tried(1, "p1"), tried(1, "p2", Outcome::fail)};
  EXPECT_EQ(CandidateForecasts(one_run).score().patches, 0U);
  EXPECT_EQ(CandidateForecasts(one_run).score().without_history, 2U);
}

TEST(ForecastScore, OfAPatchIsWhatItDidFirst) {
  std::vector<Tried> rows{tried(1, "p1"), tried(2, "p2")};
  const auto once = CandidateForecasts(rows).score();
  rows.push_back(tried(3, "p2", Outcome::fail));
  EXPECT_EQ(CandidateForecasts(rows).score(), once) << "that it was known then is no foresight";
}

TEST(ForecastQuestion, KnowsAProductByWhatDoesNotChangeFromMonthToMonth) {
  EXPECT_THAT(products_of("deb", "bind9 9.18.33 (security)",
                          {"bind9_9.18.33_amd64.deb", "bind9-host_9.18.33_amd64.deb", "bind9_9.18.33_i386.deb"}),
              ElementsAre("bind9", "bind9-host"));
  const auto product = [](const std::string& title) { return products_of("msu", title, {"KB1_amd64.msu"}); };
  EXPECT_THAT(product("2026-11 Cumulative Update for Windows Server 2022 for x64-based Systems (KB5035857)"),
              ElementsAre("Cumulative Update for Windows Server 2022 for x64-based Systems"));
  EXPECT_THAT(product("7-Zip 23.01 (x64 edition)"), ElementsAre("7-Zip x64 edition"));
  EXPECT_THAT(product("Agent v2.4.1"), product("Agent v2.5.0"));
  EXPECT_THAT(product("KB5035857"), IsEmpty()) << "a number says of no product";
}

TEST(ForecastQuestion, KnowsASourceByWhoseSignatureWasVerified) {
  EXPECT_EQ(source_of("apt", ""), "apt");
  EXPECT_EQ(source_of("file", "not signed (allowed)"), "file");
  EXPECT_EQ(source_of("file", "signed by '/CN=Vendor', SHA256, without a timestamp"), "file, signed by '/CN=Vendor'");
}

}  // namespace
}  // namespace patchlab::history
