// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "lab/core/files.hpp"
#include "lab/process/child.hpp"
#include "program.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

// Labs beside this one have the processors in turns with it.
constexpr auto until_it_has_a_turn = std::chrono::minutes(8);

class Interruption : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
    folder_.write("small.json", small_scenario().dump());
  }

  ChildProcess start() {
    ProcessSpec spec;
    spec.program = PATCHLAB_PROGRAM;
    spec.arguments = {"run", "small.json", "--runs", "runs"};
    spec.working_folder = folder_.path();
    auto child = ChildProcess::start(spec, folder_.path() / "errors.txt");
    EXPECT_TRUE(child) << child.error().message;
    return std::move(child).value();
  }

  static void expect_nothing_left() {
    const Wait gone{.awaited = "the lab's processes to be gone",
                    .deadline = std::chrono::seconds(10),
                    .interval = Milliseconds(50),
                    .last_seen = [] { return fmt::format("{} left", lab_processes().size()); },
                    .stop = {}};
    const auto waited = wait_until(system_clock_source(), gone, [] { return lab_processes().empty(); });
    EXPECT_TRUE(waited) << waited.error().message;
    EXPECT_THAT(lab_processes(), IsEmpty());
  }

  // Until the run has written an event of this kind; the text of all events so far.
  std::string await_event(const std::string& what, Milliseconds limit = until_it_has_a_turn) {
    std::string text;
    const Wait wait{.awaited = "event " + what,
                    .deadline = limit,
                    .interval = Milliseconds(100),
                    .last_seen = [&] { return text.substr(0, 2000); },
                    .stop = {}};
    const auto waited = wait_until(system_clock_source(), wait, [&] {
      text.clear();
      std::error_code code;
      for (const auto& run : fs::directory_iterator(folder_.path() / "runs", code)) {
        text += read_file(run.path() / "events.jsonl").value_or("");
      }
      return text.find(what) != std::string::npos;
    });
    EXPECT_TRUE(waited) << waited.error().message;
    return text;
  }

  // What `expect_nothing_left` looks for is there while a lab is at work.
  static void await_machine() {
    const Wait wait{.awaited = "a machine's QEMU",
                    .deadline = until_it_has_a_turn,
                    .interval = Milliseconds(50),
                    .last_seen = {},
                    .stop = {}};
    const auto waited = wait_until(system_clock_source(), wait, [] {
      return std::ranges::any_of(lab_processes(),
                                 [](const auto& process) { return process.find("qemu-system") != std::string::npos; });
    });
    EXPECT_TRUE(waited) << waited.error().message;
  }

  std::vector<reports::RunRecord> records() {
    std::vector<reports::RunRecord> found;
    for (const auto& run : fs::directory_iterator(folder_.path() / "runs")) {
      if (!fs::exists(run.path() / reports::run_file_name)) continue;
      auto record = reports::read_run_record(run.path() / reports::run_file_name);
      EXPECT_TRUE(record) << record.error().message;
      found.push_back(std::move(record).value());
    }
    return found;
  }

  OwnCache cache_;
  TemporaryFolder folder_;
};

// Four, or as many as PATCHLAB_KILL_MOMENTS says.
int moments() {
  const char* asked = std::getenv("PATCHLAB_KILL_MOMENTS");
  return asked == nullptr ? 4 : std::max(1, std::atoi(asked));
}

// The moments are spread over a whole run, from its first second to its last: one at random between each two of their
// square numbers, as most of what can be left behind is made early, and a late trial is an early one once more.
TEST_F(Interruption, KillingTheRunAtRandomMomentsLeavesNothingBehind) {
  auto scenario = small_scenario();
  std::erase_if(scenario["candidates"].get_ref<Json::array_t&>(),
                [](const Json& c) { return c.dump().find("harmless") == std::string::npos; });
  scenario["trial"]["stability_s"] = 5;  // every phase is there, and all runs stay within the test's time
  folder_.write("small.json", scenario.dump());
  auto& clock = system_clock_source();
  auto begin = clock.now();
  const auto undisturbed = start().wait(std::chrono::minutes(8));
  auto whole = clock.now() - begin;
  ASSERT_TRUE(std::holds_alternative<Exited>(undisturbed.end)) << undisturbed.describe();
  ASSERT_EQ(std::get<Exited>(undisturbed.end).code, 0);

  std::mt19937 random(std::random_device{}());
  int ended_before = 0;
  const int all = moments();
  for (int number = 0; number < all && ended_before < 5;) {
    fs::remove_all(folder_.path() / "production");
    const auto from = whole * number * number / (all * all), to = whole * (number + 1) * (number + 1) / (all * all);
    const auto moment =
        from + Milliseconds(static_cast<Milliseconds::rep>(random() % static_cast<unsigned>((to - from).count())));
    SCOPED_TRACE(fmt::format("killed after {} ms", moment.count()));
    begin = clock.now();
    auto run = start();
    // The moment is the point of this test: nothing is awaited but the end of a run that is quicker than the one
    // before.
    if (const auto early = run.wait(moment); !std::holds_alternative<TimedOut>(early.end)) {
      whole = clock.now() - begin;
      ++ended_before;
      continue;
    }
    run.send_signal(SIGKILL);
    (void)run.wait(std::chrono::seconds(10));
    ++number;
    expect_nothing_left();
    // The stage is the old one, which was none, or the whole new one.
    if (fs::exists(folder_.path() / "production" / "finance")) {
      const auto verified = patchlab({"verify", "production"}, folder_.path());
      if (exit_code(verified) != 0) {
        EXPECT_THAT(verified.output, HasSubstr("was interrupted")) << "killed between two lines of the ledger";
      }
    }
  }
  EXPECT_LT(ended_before, 5) << "the runs ended before they could be killed";
  // The next run starts clean: what the killed ones left in the cache is removed when it begins and its own when it
  // ends.
  fs::remove_all(folder_.path() /
                 "runs");  // the event that is awaited is to be the next run's, not one of a killed run
  auto run = start();
  await_event("\"phase\":\"boot\"");
  run.send_signal(SIGINT);
  (void)run.wait(std::chrono::minutes(1));
  EXPECT_THAT(scratch_folders(), IsEmpty());
}

TEST_F(Interruption, CancellingEndsTheLabAndWritesTheRecord) {
  auto run = start();
  await_event("\"phase\":\"boot\"");
  await_machine();
  const auto asked = system_clock_source().now();
  run.send_signal(SIGINT);
  const auto end = run.wait(std::chrono::minutes(1));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 2);
  // The machine is still booting; what is under way is not waited for.
  EXPECT_LT(system_clock_source().now() - asked, std::chrono::seconds(5));
  expect_nothing_left();
  const auto all = records();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0].complete);
  ASSERT_TRUE(all[0].error);
  EXPECT_EQ(all[0].error->error_class, ErrorClass::cancelled);
  EXPECT_TRUE(fs::exists(folder_.path() / "runs" / all[0].id / "report.html"));
  EXPECT_FALSE(fs::exists(folder_.path() / "production" / "finance"));
  const auto ledger = read_file(folder_.path() / "production/.ledger/ledger.jsonl").value();
  EXPECT_THAT(ledger, HasSubstr(R"("kind":"begin")"));
  EXPECT_THAT(ledger, HasSubstr(R"("kind":"run")"));
}

TEST_F(Interruption, ACellThatIsKilledIsAnErrorOfTheLabAndNoVerdict) {
  auto run = start();
  await_event("\"phase\":\"boot\"");
  pid_t cell = 0;
  for (const auto& process : lab_processes()) {
    if (process.find(" cell ") != std::string::npos) cell = std::stoi(process);
  }
  ASSERT_GT(cell, 0) << "there is no cell";
  ::kill(cell, SIGKILL);
  const auto end = run.wait(std::chrono::minutes(1));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 2);
  expect_nothing_left();
  const auto all = records();
  ASSERT_EQ(all.size(), 1U);
  ASSERT_TRUE(all[0].departments.at(0).error);
  EXPECT_EQ(all[0].departments[0].error->error_class, ErrorClass::infrastructure);
  EXPECT_THAT(all[0].departments[0].error->message, HasSubstr("is gone"));
  for (const auto& verdict : all[0].departments[0].verdicts)
    EXPECT_EQ(verdict.outcome, Outcome::error) << verdict.candidate;
}

}  // namespace
}  // namespace patchlab::e2e
