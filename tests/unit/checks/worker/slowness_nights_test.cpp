// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "checks/slowness.hpp"
#include "tests/support/fake_clock.hpp"

// How often a slow patch is found, and how often a harmless one is called slow, over many nights of simulated noise.
namespace patchlab::checks {
namespace {
using namespace std::chrono_literals;

class WriteCheck final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "test.write"; }
  void validate(const Json&, const std::string&, std::vector<JsonProblem>&) const override {}
  [[nodiscard]] Result<Observation> observe(const Target&, const Json&, Milliseconds) const override {
    return Json::object();
  }
  [[nodiscard]] Judgement judge(const Json&, const Observation&) const override {
    return {Outcome::pass, "as-expected", "two commits", "two commits"};
  }
};

// When something else wants the processors of the host, as a share of the time: 0 never, 1 always.
struct Load {
  double at_baseline = 0;
  double in_control = 0;
  double with_patch = 0;
};

// A database on a host: what its check takes. Noise only adds: usually a little, now and then a lot, and while other
// work runs a multiple, with a floor that no try gets below.
class NoisyServer final : public ProcessRunner {
 public:
  NoisyServer(test::FakeClock& clock, unsigned seed) : clock_(clock), random_(seed) {}
  ProcessOutcome run(const ProcessSpec&, std::stop_token) override {
    const auto took = Milliseconds(static_cast<std::int64_t>(one_try()));
    clock_.advance(took + 40ms);
    return {Exited{0}, Json{{"observation", Json::object()}, {"took_ms", took.count()}}.dump(), {}, took};
  }
  double load = 0;
  double patch_ms = 0;

 private:
  double one_try() {
    // Other work comes and goes in spells of some seconds.
    const auto spell = clock_.now().count() / 4000;
    if (spell != spell_) {
      spell_ = spell;
      busy_ = chance(load);
    }
    double took = 60 + patch_ms + std::exponential_distribution<double>(1.0 / 15)(random_);
    if (chance(0.02)) took += 400;
    if (busy_) took = 3 * took + 250 + std::exponential_distribution<double>(1.0 / 200)(random_);
    return took;
  }
  bool chance(double share) { return std::uniform_real_distribution<double>(0, 1)(random_) < share; }

  test::FakeClock& clock_;
  std::mt19937 random_;
  std::int64_t spell_ = -1;
  bool busy_ = false;
};

struct Nights {
  int called_slow = 0;
  int not_judged = 0;
  int failed_controls = 0;
};

// More of them tell the rates more exactly.
const int many = std::getenv("PATCHLAB_NIGHTS") == nullptr ? 25 : std::atoi(std::getenv("PATCHLAB_NIGHTS"));

// Baseline, control, and the three phases of a trial, as a machine goes through them.
Nights simulate(const Load& load, double patch_ms) {
  static const WriteCheck check;
  CheckWorkers workers;
  workers.find = [](const std::string&) { return &check; };
  const std::vector<PlannedCheck> planned{{CheckSpec{"write", "test.write", Json::object(), 7s, 150ms}, Target{}}};
  Nights nights;
  for (int night = 0; night < many; ++night) {
    test::FakeClock clock;
    NoisyServer server(clock, static_cast<unsigned>(night));
    UsualDurations usual;
    const auto asked = [&](double share, double patch, const auto& work) {
      clock.advance(60s);
      server.load = share;
      server.patch_ms = patch;
      Asking asking(server, workers, [](const std::string&) { return SecondChance::once; });
      auto results = asking.ask(planned);
      work(asking, results);
      return results.front();
    };
    (void)asked(load.at_baseline, 0,
                [&](auto& asking, auto& results) { learn_at_baseline(asking, planned, results, usual, clock); });
    for (const std::string phase : {"after-reboot-1", "stability"}) {
      const auto control = asked(load.in_control, 0, [&](auto& asking, auto& results) {
        learn_in_control(asking, planned, phase, results, usual, clock);
      });
      if (control.outcome != Outcome::pass) ++nights.failed_controls;
    }
    bool slow = false;
    bool judged = true;
    for (const std::string phase : {"after-install", "after-reboot-1", "stability"}) {
      const auto result = asked(load.with_patch, patch_ms, [&](auto& asking, auto& results) {
        judge_slowness(asking, planned, phase, results, usual, clock);
      });
      judged = judged && result.slowness->judged;
      slow = result.outcome == Outcome::fail;
      if (slow) break;
    }
    nights.called_slow += slow ? 1 : 0;
    nights.not_judged += judged ? 0 : 1;
  }
  return nights;
}

Nights told(const char* name, const Load& load, double patch_ms) {
  const auto nights = simulate(load, patch_ms);
  std::cout << fmt::format("{:<44} patch +{:>3.0f} ms: called slow in {:>3}, not judged in {:>3} of {} nights\n", name,
                           patch_ms, nights.called_slow, nights.not_judged, many);
  EXPECT_EQ(nights.failed_controls, 0) << name;
  return nights;
}

TEST(SlownessNights, AQuietHostFindsHundredMillisecondsACommitAndCallsNothingElseSlow) {
  const auto harmless = told("quiet", {}, 0);
  EXPECT_EQ(harmless.called_slow, 0);
  EXPECT_EQ(harmless.not_judged, 0);
  const auto slow = told("quiet", {}, 200);  // a check of two commits
  EXPECT_EQ(slow.called_slow, many);
}

TEST(SlownessNights, ABusyHostCallsNothingSlowThatIsNot) {
  for (const double share : {0.5, 1.0}) {
    const auto name = fmt::format("busy {:.0f} % of the time, all night", 100 * share);
    EXPECT_EQ(told(name.c_str(), {share, share, share}, 0).called_slow, 0);
  }
}

TEST(SlownessNights, WhatMakesTheHostBusyFromTheControlOnCallsNothingSlow) {
  const auto nights = told("busy from the control on", {0, 1, 1}, 0);
  EXPECT_EQ(nights.called_slow, 0);
  EXPECT_EQ(nights.not_judged, many) << "and a pass is not said either";
}

TEST(SlownessNights, SpellsOfOtherWorkThatTheControlDidNotMeetAreWaitedFor) {
  EXPECT_EQ(told("spells, with the patch only", {0, 0, 0.3}, 0).called_slow, 0);
  EXPECT_EQ(told("spells, with and without it", {0.3, 0.3, 0.3}, 0).called_slow, 0);
  // A baseline that lies within one spell is usual too, and hides what is shorter than that.
  EXPECT_GE(told("spells, all night", {0.3, 0.3, 0.3}, 200).called_slow, many / 3);
}

}  // namespace
}  // namespace patchlab::checks
