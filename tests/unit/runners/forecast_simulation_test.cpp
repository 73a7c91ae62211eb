// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "runners/forecast/simulation.hpp"

namespace patchlab::runners::forecast {
namespace {

using Index = Course::Index;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Steps of which each waits for the one before.
std::shared_ptr<const Course> row(const std::vector<Course::Step>& steps) {
  auto course = std::make_shared<Course>();
  for (const auto& step : steps) {
    const auto count = static_cast<Index>(course->steps().size());
    course->add(step, count == 0 ? std::vector<Index>{} : std::vector<Index>{count - 1});
  }
  course->finish();
  return course;
}

CellLoad cell(const std::string& name, std::shared_ptr<const Course> course, std::uint32_t memory_mib = 1000) {
  return {.name = name, .processors = 2, .slots = 2, .memory_mib = memory_mib, .course = std::move(course)};
}

Hosts together(std::uint32_t cores) {
  return {.count = 1, .cores = cores, .memory_mib = 1U << 30U, .slots = Hosts::Slots::together};
}

enum class Steps { alone, in_rows };
// Up to thirty steps; in rows, each waits for up to two earlier ones.
std::shared_ptr<const Course> random_course(std::mt19937& random, Steps how, bool all_take_slots) {
  auto course = std::make_shared<Course>();
  const auto count = 1 + random() % 30;
  for (Index i = 0; i < count; ++i) {
    std::vector<Index> after;
    for (std::size_t j = 0; how == Steps::in_rows && i > 0 && j < random() % 3; ++j)
      after.push_back(static_cast<Index>(random() % i));
    course->add({static_cast<std::int64_t>(random() % 1000), all_take_slots || random() % 3 != 0}, after);
  }
  course->finish();
  return course;
}

TEST(Simulation, LetsStepsTakeTurnsInTheSlotsOfTheHost) {
  const auto one = row({{100, true}, {50, false}, {10, true}});
  const auto alone = simulate({cell("a", one)}, together(1));
  EXPECT_EQ(alone.makespan_ms, 160);
  // While one waits without a slot, another one has it.
  const auto two = simulate({cell("a", one), cell("b", one)}, together(1));
  EXPECT_EQ(two.makespan_ms, 260);
  EXPECT_EQ(two.hosts[0].busy_ms, 220);
  EXPECT_EQ(simulate({cell("a", one), cell("b", one)}, together(2)).makespan_ms, 160);
}

TEST(Simulation, GivesACellItsProcessorsAndItsMemoryAlone) {
  const auto one = row({{100, true}});
  Hosts hosts{.count = 1, .cores = 4, .memory_mib = 2500};
  std::vector<CellLoad> cells{cell("a", one), cell("b", one), cell("c", one)};
  EXPECT_EQ(simulate(cells, hosts).makespan_ms, 200);  // two have room
  hosts.count = 2;
  const auto forecast = simulate(cells, hosts);
  EXPECT_EQ(forecast.makespan_ms, 100);
  EXPECT_EQ(forecast.cells[2].host, 1U);
  EXPECT_EQ(forecast.hosts[0].peak_memory_mib, 2000U);
  hosts.cores = 2;
  EXPECT_EQ(simulate(cells, hosts).makespan_ms, 200);
}

TEST(Simulation, LetsACellThatFitsPassOneThatDoesNot) {
  const auto one = row({{100, true}});
  const Hosts hosts{.count = 1, .cores = 8, .memory_mib = 3000};
  const auto forecast = simulate({cell("a", one, 2000), cell("big", one, 2500), cell("small", one, 500)}, hosts);
  EXPECT_EQ(forecast.cells[1].begin_ms, 100);
  EXPECT_EQ(forecast.cells[2].begin_ms, 0);
}

TEST(Simulation, BringsEachImageToAHostOnce) {
  const auto one = row({{100, true}});
  std::vector<CellLoad> cells{cell("a", one), cell("b", one)};
  cells[0].images = {{"x", 300}, {"y", 100}, {"x", 300}};
  cells[1].images = {{"x", 300}};
  Hosts hosts{.count = 1, .cores = 4, .memory_mib = 4000, .bytes_per_ms = 2.0};
  const auto forecast = simulate(cells, hosts);
  EXPECT_EQ(forecast.hosts[0].image_bytes, 400U);
  EXPECT_EQ(forecast.cells[0].ready_ms, 200);
  EXPECT_EQ(forecast.cells[1].ready_ms, 200);  // it comes over the same link
  EXPECT_EQ(forecast.makespan_ms, 300);
  EXPECT_EQ(forecast.bound.chain_ms, 300);
  hosts.bytes_per_ms.reset();
  EXPECT_EQ(simulate(cells, hosts).makespan_ms, 100);
}

TEST(Simulation, RunsATrialOnceThatSeveralCellsAskFor) {
  auto course = std::make_shared<Course>();
  const auto before = course->add({100, true}, {});
  const auto gate = course->add({0, false}, std::vector{before});
  const auto work = course->add({1000, true}, std::vector{gate});
  const auto end = course->add({0, false}, std::vector{work});
  course->add({10, true}, std::vector{end});
  course->share({gate, end, "question"});
  course->finish();
  const auto forecast = simulate({cell("a", course), cell("b", course)}, together(4));
  EXPECT_EQ(forecast.shared_trials, 1U);
  EXPECT_EQ(forecast.makespan_ms, 1110);
  EXPECT_EQ(forecast.hosts[0].busy_ms, 1220);
  EXPECT_EQ(forecast.bound.chain_ms, 1110);
  EXPECT_EQ(forecast.bound.work_ms, 1220 / 4);
  // Of a cell that comes later it is answered already.
  auto late = std::make_shared<Course>();
  const auto wait = late->add({5000, false}, {});
  const auto asks = late->add({0, false}, std::vector{wait});
  const auto asked = late->add({1000, true}, std::vector{asks});
  const auto answered = late->add({0, false}, std::vector{asked});
  late->share({asks, answered, "question"});
  late->finish();
  EXPECT_EQ(simulate({cell("a", course), cell("late", late)}, together(4)).makespan_ms, 5000);
  EXPECT_EQ(lower_bound({cell("a", course), cell("late", late)}, together(4)).chain_ms, 5000);
}

// Cells that go one after the other, as the host has memory for one: what the first one asked is answered for the rest.
TEST(SimulationProperties, NeverAreShorterThanTheBoundWhereTrialsAreShared) {
  std::mt19937 random(19);
  for (int round = 0; round < 200; ++round) {
    auto course = std::make_shared<Course>();
    auto last = course->add({static_cast<std::int64_t>(random() % 100), true}, {});
    for (std::size_t i = 0; i < 1 + random() % 4; ++i) {
      const auto gate = course->add({0, false}, std::vector{last});
      const auto work = course->add({static_cast<std::int64_t>(random() % 1000), random() % 2 == 0}, std::vector{gate});
      last = course->add({0, false}, std::vector{work});
      if (random() % 3 != 0) course->share({gate, last, fmt::format("question {}", i)});
    }
    course->finish();
    std::vector<CellLoad> cells;
    for (std::size_t i = 0; i < 1 + random() % 5; ++i) cells.push_back(cell(fmt::format("c{}", i), course));
    const Hosts hosts{.count = 1 + random() % 2, .cores = 4, .memory_mib = 1100};
    const auto forecast = simulate(cells, hosts);
    EXPECT_GE(forecast.makespan_ms, forecast.bound.ms()) << "round " << round;
  }
}

TEST(Simulation, SaysWhoFitsOnNoHost) {
  const auto one = row({{100, true}});
  const Hosts hosts{.count = 3, .cores = 1, .memory_mib = 2000};
  EXPECT_THAT(why_not({cell("finance", one)}, hosts), HasSubstr("'finance' asks for 2 processors, a host has 1"));
  EXPECT_THAT(why_not({cell("finance", one, 2001)}, hosts), HasSubstr("2001 MiB of memory"));
  EXPECT_EQ(why_not({cell("finance", one)}, {.count = 3, .cores = 2, .memory_mib = 2000}), "");
}

TEST(Simulation, OfNothingTakesNoTime) {
  EXPECT_EQ(simulate({}, together(2)).makespan_ms, 0);
  EXPECT_EQ(simulate({cell("a", row({}))}, together(2)).makespan_ms, 0);
}

// What Graham proved of every schedule that lets no slot idle while a step is ready: with m slots it takes at most
// 2 - 1/m times the larger of work / m and the longest row.
TEST(SimulationProperties, NoSlotIdlesWhileAStepIsReady) {
  std::mt19937 random(15);
  for (int round = 0; round < 400; ++round) {
    const auto how = round % 2 == 0 ? Steps::alone : Steps::in_rows;
    const auto course = random_course(random, how, true);
    const auto cores = static_cast<std::uint32_t>(1 + random() % 6);
    const auto forecast = simulate({cell("a", course)}, together(cores));
    const auto bound =
        std::max(static_cast<double>(course->work_ms()) / cores, static_cast<double>(course->chain_ms()));
    EXPECT_LE(static_cast<double>(forecast.makespan_ms), (2.0 - 1.0 / cores) * bound + 1e-6) << "round " << round;
    EXPECT_GE(forecast.makespan_ms, forecast.bound.ms());
  }
}

// With steps that wait without a slot, at most the work on all slots and then the longest row.
TEST(SimulationProperties, TakesAtMostItsWorkAndItsLongestRow) {
  std::mt19937 random(16);
  for (int round = 0; round < 200; ++round) {
    std::vector<CellLoad> cells;
    std::int64_t work = 0, chain = 0;
    for (std::size_t i = 0; i < 1 + random() % 5; ++i) {
      cells.push_back(cell(fmt::format("c{}", i), random_course(random, Steps::in_rows, false)));
      work += cells.back().course->work_ms();
      chain = std::max(chain, cells.back().course->chain_ms());
    }
    const auto cores = static_cast<std::uint32_t>(1 + random() % 4);
    const auto forecast = simulate(cells, together(cores));
    EXPECT_LE(forecast.makespan_ms, work / cores + chain + 1) << "round " << round;
    EXPECT_GE(forecast.makespan_ms, forecast.bound.ms()) << "round " << round;
    EXPECT_EQ(forecast.hosts[0].busy_ms, work);
  }
}

TEST(SimulationProperties, KeepsTheMemoryAndTheProcessorsOfEveryHost) {
  std::mt19937 random(17);
  for (int round = 0; round < 200; ++round) {
    std::vector<CellLoad> cells;
    for (std::size_t i = 0; i < 1 + random() % 12; ++i) {
      cells.push_back(cell(fmt::format("c{}", i), random_course(random, Steps::in_rows, false),
                           static_cast<std::uint32_t>(200 + random() % 1800)));
      cells.back().processors = cells.back().slots = static_cast<std::uint32_t>(1 + random() % 4);
      for (std::size_t image = 0; image < random() % 3; ++image)
        cells.back().images.emplace_back(fmt::format("i{}", random() % 4), random() % 3000);
    }
    Hosts hosts{.count = 1 + random() % 4, .cores = 4, .memory_mib = 2000};
    if (random() % 2 == 0) hosts.bytes_per_ms = 1.0;
    const auto forecast = simulate(cells, hosts);
    EXPECT_GE(forecast.makespan_ms, forecast.bound.ms()) << "round " << round;
    std::int64_t work = 0, busy = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto& mine = forecast.cells[i];
      work += cells[i].course->work_ms();
      EXPECT_GE(mine.end_ms - mine.ready_ms, cells[i].course->chain_ms());
      // At the moment it begins, with all who are there.
      std::uint32_t memory = 0, processors = 0;
      for (std::size_t j = 0; j < cells.size(); ++j) {
        const auto& other = forecast.cells[j];
        if (other.host != mine.host || other.begin_ms > mine.begin_ms) continue;
        if (j != i && other.end_ms <= mine.begin_ms) continue;
        memory += cells[j].memory_mib;
        processors += cells[j].processors;
      }
      EXPECT_LE(memory, hosts.memory_mib) << "round " << round;
      EXPECT_LE(processors, hosts.cores) << "round " << round;
    }
    for (const auto& host : forecast.hosts) {
      busy += host.busy_ms;
      EXPECT_LE(host.peak_memory_mib, hosts.memory_mib);
      for (const auto part : host.load) EXPECT_LE(part, 1.0 + 1e-9);
    }
    EXPECT_EQ(busy, work);
    // More hosts never make the bound worse.
    auto more = hosts;
    ++more.count;
    EXPECT_LE(lower_bound(cells, more).ms(), forecast.bound.ms());
  }
}

TEST(SimulationProperties, AreTheSameEachTime) {
  std::mt19937 random(18);
  std::vector<CellLoad> cells;
  for (std::size_t i = 0; i < 10; ++i)
    cells.push_back(cell(fmt::format("c{}", i), random_course(random, Steps::in_rows, false)));
  const Hosts hosts{.count = 2, .cores = 4, .memory_mib = 4000};
  const auto first = simulate(cells, hosts), second = simulate(cells, hosts);
  EXPECT_EQ(first.makespan_ms, second.makespan_ms);
  for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_EQ(first.cells[i].end_ms, second.cells[i].end_ms);
}

TEST(Course, KnowsItsWorkAndItsLongestRow) {
  Course course;
  const auto first = course.add({10, true}, {});
  const auto left = course.add({100, false}, std::vector{first});
  const auto right = course.add({30, true}, std::vector{first});
  course.add({5, true}, std::vector{left, right});
  course.finish();
  EXPECT_EQ(course.work_ms(), 45);
  EXPECT_EQ(course.chain_ms(), 115);
  EXPECT_THAT(std::vector<Index>(course.before(first).begin(), course.before(first).end()), ElementsAre(left, right));
}

}  // namespace
}  // namespace patchlab::runners::forecast
