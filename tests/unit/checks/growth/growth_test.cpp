// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/growth/growth.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <random>

namespace patchlab::checks::growth {
namespace {
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Used memory{Resource::memory, "named"};

// Amounts of one thing, `every` apart.
Watched watched(const std::vector<double>& amounts, const Used& used = memory, Milliseconds every = 2s) {
  Watched seen;
  seen.planned = amounts.size();
  seen.asked = 4;
  for (const auto one : amounts) {
    Look look{every * static_cast<int>(seen.looks.size()), {}};
    look.usage.amounts[used] = one;
    seen.looks.push_back(look);
  }
  return seen;
}

std::vector<double> growing(double by, std::size_t looks = 11, double from = 10000) {
  std::vector<double> amounts;
  for (std::size_t i = 0; i < looks; ++i) amounts.push_back(from + by * static_cast<double>(i));
  return amounts;
}

TEST(TheilSen, IsTheSlopeThatOneOddLookDoesNotMove) {
  EXPECT_DOUBLE_EQ(theil_sen({{0, 1}, {1, 3}, {2, 5}, {3, 7}}), 2);
  EXPECT_DOUBLE_EQ(theil_sen({{0, 1}, {1, 3}, {2, 900}, {3, 7}, {4, 9}}), 2);
  EXPECT_DOUBLE_EQ(theil_sen({{0, 5}}), 0);
  EXPECT_DOUBLE_EQ(theil_sen({{1, 5}, {1, 9}}), 0) << "no time passed";
  EXPECT_DOUBLE_EQ(theil_sen({{0, 0}, {1, 1}, {2, 4}}), 2);
  EXPECT_DOUBLE_EQ(theil_sen({{0, 0}, {1, 1}, {3, 3}, {7, 8}}), (1 + 8.0 / 7) / 2) << "of an even number";
}

TEST(StudentQuantile, IsThatOfTheTables) {
  EXPECT_NEAR(student_quantile(0.05, 10), 1.8125, 0.002);
  EXPECT_NEAR(student_quantile(0.01, 5), 3.3649, 0.003);
  EXPECT_NEAR(student_quantile(0.001, 20), 3.5518, 0.004);
  EXPECT_NEAR(student_quantile(0.0005, 4), 8.6103, 0.01);
  EXPECT_NEAR(student_quantile(0.01, 120), 2.3578, 0.003);
}

TEST(Growth, OfWhatGrowsAtEveryLookIsTold) {
  const auto control = watched(growing(0));
  const auto growth = judged(watched(growing(100)), &control);
  EXPECT_EQ(growth.why_not, "");
  ASSERT_THAT(growth.told, SizeIs(1));
  EXPECT_EQ(growth.told[0].per_hour, 180000);
  EXPECT_EQ(growth.told[0].told_from, 92160) << "less than 512 KiB in 20 s is nothing";
  EXPECT_EQ(sentence(growth.told[0]),
            "memory of named: from 9.8 MiB to 10.7 MiB, 2.9 MiB a minute; without the patch 0 KiB a minute; told from "
            "1.5 MiB a minute more on");
  EXPECT_EQ(what_is_told(growth),
            "in 11 looks over 20 s (4 checks as a load) growth is told that is above: memory of named by 1.5 MiB a "
            "minute");
  const auto found = findings(growth, 0);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, "growth");
  EXPECT_EQ(found[0].item, "memory of named");
  EXPECT_EQ(found[0].before, "steady");
  EXPECT_EQ(found[0].after, "grows by about 2.0 MiB a minute");
  EXPECT_EQ(found[0].finding, state::FindingClass::review);
  EXPECT_NE(found[0].why, "");
}

TEST(Growth, OfEverythingThatIsWatchedCanBeSaid) {
  EXPECT_EQ(amount(Resource::tasks, 12), "12");
  EXPECT_EQ(amount(Resource::open_files, 2.5), "2.5");
  EXPECT_EQ(amount(Resource::connections, 12.5), "12");
  EXPECT_EQ(amount(Resource::memory, 512), "512 KiB");
  EXPECT_EQ(amount(Resource::logs, 1536), "1.5 MiB");
}

TEST(Growth, ThatTheControlHasTooIsNot) {
  const auto control = watched(growing(100));
  EXPECT_THAT(judged(watched(growing(100)), &control).told, IsEmpty());
  EXPECT_THAT(judged(watched(growing(120)), &control).told, IsEmpty()) << "less than 512 KiB more";
  const auto growth = judged(watched(growing(300)), &control);
  ASSERT_THAT(growth.told, SizeIs(1));
  EXPECT_EQ(findings(growth, 0)[0].before, "grows less");
}

TEST(Growth, OfAMachineThatWasAskedMoreIsHeldAgainstAsMuchMoreOfTheControl) {
  const auto control = watched(growing(100));
  auto busier = watched(growing(200));
  EXPECT_THAT(judged(busier, &control).told, SizeIs(1));
  busier.asked = 8;
  EXPECT_THAT(judged(busier, &control).told, IsEmpty());
}

TEST(Growth, InOneStepProvesNothing) {
  const auto control = watched(growing(0));
  for (std::size_t at = 1; at < 11; ++at) {
    auto amounts = growing(0);
    for (std::size_t i = at; i < 11; ++i) amounts[i] += 30000;
    EXPECT_THAT(judged(watched(amounts), &control).told, IsEmpty()) << at;
  }
  // What fills up and then has enough: a cache, a pool.
  std::vector<double> filling;
  for (int i = 0; i < 11; ++i) filling.push_back(20000 * (1 - std::pow(0.5, i)));
  EXPECT_THAT(judged(watched(filling), &control).told, IsEmpty());
}

TEST(Growth, OfSmallNumbersNeedsMoreThanAFew) {
  const Used files{Resource::open_files, "smbd"};
  const auto control = watched(growing(0, 11, 40), files);
  EXPECT_THAT(judged(watched(growing(0.4, 11, 40), files), &control).told, IsEmpty()) << "four in 20 s";
  EXPECT_THAT(judged(watched(growing(1, 11, 40), files), &control).told, SizeIs(1));
}

TEST(Growth, OfAServiceThatTheControlDoesNotKnowIsHeldAgainstNothing) {
  const auto control = watched(growing(0), {Resource::memory, "other"});
  EXPECT_THAT(judged(watched(growing(100)), &control).told, SizeIs(1));
}

TEST(Growth, TowardsALimitThatIsNearIsABreach) {
  const auto control = watched(growing(0));
  auto leaking = watched(growing(1000));  // 29 MiB a minute
  const auto finding = [&](double room) {
    leaking.looks.back().usage.room[memory] = room;
    const auto growth = judged(leaking, &control);
    EXPECT_THAT(growth.told, SizeIs(1));
    return findings(growth, 0).at(0);
  };
  EXPECT_EQ(finding(100 * 1024).finding, state::FindingClass::breach);
  EXPECT_EQ(finding(100 * 1024).after, "grows by about 20.0 MiB a minute and will meet its limit");
  EXPECT_EQ(finding(500 * 1024).finding, state::FindingClass::breach) << "in 18 minutes";
  EXPECT_EQ(finding(600 * 1024).finding, state::FindingClass::review) << "not in 60 times the 20 s that were seen";
}

TEST(Growth, IsNotJudgedByAFewLooksOrWithoutAControl) {
  const auto control = watched(growing(0));
  EXPECT_EQ(judged(watched(growing(900, 5)), &control).why_not, "5 of 5 looks happened in time, and 6 are needed");
  EXPECT_EQ(judged(watched(growing(900)), nullptr).why_not, "it was not watched without a patch");
  const auto short_control = watched(growing(0, 3));
  EXPECT_EQ(judged(watched(growing(900)), &short_control).why_not,
            "3 of 3 looks happened in time in the control, and 6 are needed");
  EXPECT_EQ(judged({}, &control).why_not, "0 of 0 looks happened in time, and 6 are needed");
  EXPECT_EQ(judged(watched(growing(900)), &control, "no reason").why_not, "no reason");
  EXPECT_THAT(judged(watched(growing(900)), &control, "no reason").told, IsEmpty());
}

TEST(Growth, OfTheControlItselfIsNoFindingAndSaysWhatWillBeTold) {
  const auto growth = judged_alone(watched(growing(900)));
  EXPECT_THAT(growth.told, IsEmpty());
  EXPECT_EQ(growth.why_not, "");
  EXPECT_THAT(growth.hardest, SizeIs(1));
}

TEST(Growth, OfTheLoadThatFailsNowAndThenIsAFindingUnlessTheControlHasIt) {
  auto growth = judged_alone(watched(growing(0)));
  EXPECT_THAT(findings(growth, 0), IsEmpty());
  growth.failed = 1;
  ASSERT_THAT(findings(growth, 0), SizeIs(1));
  EXPECT_EQ(findings(growth, 0)[0].finding, state::FindingClass::review);
  EXPECT_THAT(findings(growth, 1), IsEmpty());
}

// Sixty things of a machine, as they behave when nothing is wrong: at rest, with noise, wandering, in steps, filling
// up. How often anything of the machine is told; `leak`: of one thing per look, beside.
struct Nights {
  std::mt19937 random{20261129};
  double normal(double deviation) { return std::normal_distribution<double>(0, deviation)(random); }
  double even() { return std::uniform_real_distribution<double>(0, 1)(random); }

  std::vector<double> thing(std::size_t kind, std::size_t looks) {
    std::vector<double> amounts;
    double level = 20000;
    const auto rare = even() < 0.5;
    for (std::size_t i = 0; i < looks; ++i) {
      double noise = 0;
      switch (kind % 6) {
        case 0: break;
        case 1: noise = normal(300); break;
        case 2: level += normal(300); break;
        case 3: level += even() < 0.2 ? 2000 : 0; break;
        case 4: level += rare ? 4000 * std::pow(0.6, static_cast<double>(i)) : 0; break;
        case 5: level += even() < 0.5 ? 700 : -300; break;
      }
      amounts.push_back(level + noise);
    }
    return amounts;
  }
  Watched machine(std::size_t looks, double leak) {
    Watched seen;
    for (std::size_t i = 0; i < looks; ++i) seen.looks.push_back({2s * static_cast<int>(i), {}});
    for (std::size_t kind = 0; kind < 60; ++kind) {
      const auto amounts = thing(kind, looks);
      for (std::size_t i = 0; i < looks; ++i)
        seen.looks[i].usage.amounts[{Resource::memory, std::to_string(kind)}] =
            amounts[i] + (kind == 0 ? leak * static_cast<double>(i) : 0.0);
    }
    return seen;
  }
  // Of `nights`, in how many anything, or the leak, was told.
  int told(int nights, std::size_t looks, double leak) {
    int count = 0;
    for (int night = 0; night < nights; ++night) {
      const auto control = machine(looks, 0);
      const auto growth = judged(machine(looks, leak), &control);
      count += leak > 0 ? static_cast<int>(std::ranges::count(growth.told, "0", [](auto& one) { return one.used.of; }))
                        : static_cast<int>(!growth.told.empty());
    }
    return count;
  }
};

TEST(GrowthNights, WithoutALeakAreToldInOneOfAHundredAtMost) {
  const int many = std::getenv("PATCHLAB_NIGHTS") == nullptr ? 60 : std::atoi(std::getenv("PATCHLAB_NIGHTS"));
  Nights nights;
  const auto alarms = nights.told(many, 11, 0);
  RecordProperty("alarms", alarms);
  EXPECT_LE(alarms, 1 + many / 50) << "of " << many;
  EXPECT_LE(nights.told(many / 6, 61, 0), 1 + many / 300) << "of " << many / 6;
}

TEST(GrowthNights, WithALeakAreTold) {
  Nights nights;
  EXPECT_EQ(nights.told(20, 11, 60), 20) << "of 20: 1.8 MiB a minute, in 20 s";
}

}  // namespace
}  // namespace patchlab::checks::growth
