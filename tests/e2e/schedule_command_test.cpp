// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>
#include <sstream>

#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "process/schedule/standing.hpp"
#include "program.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/programs.hpp"

// `patchlab schedule` by the built program, below a root of the test's own, judged by systemd's own tools.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Words = std::vector<std::string>;

class ScheduleCommand : public ::testing::Test {
 protected:
  ScheduleCommand() { fs::create_directories(folder_.path() / "work"); }
  [[nodiscard]] fs::path units() const { return folder_.path() / "root/etc/systemd/system"; }
  [[nodiscard]] ProcessOutcome schedule(Words words) const {
    words.insert(words.begin(), "schedule");
    words.insert(words.end(), {"--root", "root"});
    return patchlab(words, folder_.path());
  }
  [[nodiscard]] ProcessOutcome install(const Words& more = {}) const {
    Words words{"install", "scenario.json", "--folder", "work", "--notify", "notify.json", "--run-as", "root"};
    words.insert(words.end(), more.begin(), more.end());
    return schedule(words);
  }
  [[nodiscard]] std::string part(const std::string& name) const {
    std::istringstream lines(schedule({"show"}).output);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + ": ")) return line;
    }
    return {};
  }
  void expect_schema(const std::string& text) const {
    const auto file = fs::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/schedule.schema.json";
    EXPECT_THAT(tests::SchemaValidator(read_json_file(file).value()).problems(Json::parse(text)), IsEmpty()) << text;
  }
  [[nodiscard]] static ProcessOutcome start(const std::string& program, const Words& words) {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = words;
    spec.extra_environment = {{"LC_ALL", "C.UTF-8"}, {"SYSTEMD_LOG_LEVEL", "warning"}, {"TZ", "UTC"}};
    return host_processes().run(spec);
  }

  const TemporaryFolder folder_;
};

TEST_F(ScheduleCommand, InstallsUnitsThatSystemdTakes) {
  const auto installed = install();
  ASSERT_EQ(exit_code(installed), 0) << installed.output << installed.errors;
  EXPECT_THAT(installed.output, HasSubstr("patchlab-nightly.timer: new\n"));
  const auto link = units() / "timers.target.wants/patchlab-scan.timer";
  EXPECT_TRUE(is_file(link)) << "enabled";
  if (patchlab::testing::is_missing("systemd-analyze")) GTEST_SKIP() << "systemd-analyze is not installed";
  Words words{"verify", "--man=no"};
  for (const auto& file : entries_of(units()).value()) {
    if (is_file(file) && file.filename() != "patchlab-failed@.service") words.push_back(file.string());
  }
  EXPECT_THAT(words, SizeIs(15));
  words.push_back((units() / "patchlab-failed@x.service").string());
  const auto verified = start("systemd-analyze", words);
  std::istringstream lines(verified.errors + verified.output);
  for (std::string line; std::getline(lines, line);) EXPECT_THAT(line, Not(HasSubstr("patchlab")));
}

// When a timer was due, as we read it, is when systemd starts it: the next sixty times of each.
TEST_F(ScheduleCommand, KnowsWhenSystemdStartsThem) {
  if (patchlab::testing::is_missing("systemd-analyze")) GTEST_SKIP() << "systemd-analyze is not installed";
  using namespace std::chrono;
  std::size_t seen = 0;
  for (const auto& unit : process::unit_templates()) {
    const auto on_calendar = process::value_in(unit.text, "OnCalendar=");
    const auto days = process::timer_days(on_calendar);
    if (on_calendar.empty() || !days) continue;
    const auto said =
        start("systemd-analyze", {"calendar", "--base-time=2026-12-31 23:59:59", "--iterations=60", on_calendar});
    ASSERT_TRUE(said.succeeded()) << said.errors;
    std::istringstream lines(said.output);
    for (std::string line; std::getline(lines, line);) {
      const auto at = line.find("20");
      if ((line.find("Next elapse:") == std::string::npos && line.find("Iter. #") == std::string::npos) ||
          at == std::string::npos)
        continue;
      const auto when = line.substr(line.find(':') + 6, 16);  // ": Sat 2027-01-02 06:00"
      const auto moment = parse_rfc3339(when.substr(0, 10) + "T" + when.substr(11, 5) + ":00Z");
      ASSERT_TRUE(moment) << line;
      const process::TimerTime due(floor<seconds>(moment->time_since_epoch()));
      EXPECT_EQ(process::last_due(*days, due), due) << line;
      EXPECT_EQ(process::last_due(*days, due + minutes(59)), due) << line;
      EXPECT_LT(*process::last_due(*days, due - seconds(1)), due) << line;
      ++seen;
    }
  }
  EXPECT_EQ(seen, 5U * 60U);
}

TEST_F(ScheduleCommand, IsTheSameTwiceAndLeavesWhatSomebodyChanged) {
  ASSERT_EQ(exit_code(install()), 0);
  const auto again = install();
  EXPECT_EQ(exit_code(again), 0);
  EXPECT_THAT(again.output, AllOf(HasSubstr("patchlab-scan.service: as it was\n"), Not(HasSubstr(": new\n"))));
  const auto file = units() / "patchlab-nightly.service";
  const auto changed = read_file(file).value() + "MemoryMax=8G\n";
  ASSERT_TRUE(write_file_atomically(file, changed));
  const auto left = install({"--nightly", "23:15"});
  EXPECT_EQ(exit_code(left), 3) << left.output;
  EXPECT_THAT(left.output, AllOf(HasSubstr("patchlab-nightly.service: LEFT: it was changed by hand\n"),
                                 HasSubstr("patchlab-nightly.timer: renewed\n")));
  EXPECT_EQ(read_file(file).value(), changed);
  EXPECT_THAT(part("nightly"), HasSubstr("*-*-* 23:15"));
  EXPECT_EQ(exit_code(install({"--force"})), 0);
  EXPECT_NE(read_file(file).value(), changed);
  const auto fewer = install({"--without", "selftest"});
  EXPECT_THAT(fewer.output, HasSubstr("patchlab-selftest.timer: removed: it is not wanted any more\n"));
  EXPECT_FALSE(is_there(units() / "timers.target.wants/patchlab-selftest.timer"));
  EXPECT_EQ(exit_code(install({"--nightly", "25:00"})), 64);
  const auto unit = read_file(units() / "patchlab-nightly.service").value();
  EXPECT_EQ(exit_code(schedule({"install", "scenario.json", "--folder", "work", "--run-as", "", "--force"})), 64);
  EXPECT_EQ(read_file(units() / "patchlab-nightly.service").value(), unit) << "it would run as root";
  EXPECT_EQ(exit_code(install({"--without", "nigthly"})), 64);
}

TEST_F(ScheduleCommand, SaysWhatDidNotBegin) {
  const auto nothing = schedule({"show"});
  EXPECT_EQ(exit_code(nothing), 3);
  EXPECT_THAT(nothing.output, HasSubstr("nothing is installed in"));
  ASSERT_EQ(exit_code(install()), 0);
  const auto fresh = schedule({"show"});
  EXPECT_EQ(exit_code(fresh), 0) << fresh.output;
  EXPECT_THAT(part("nightly"), HasSubstr("was not due since it was installed"));
  // As if it had been installed ten days ago, and nothing had begun since.
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(240);
  for (const char* timer : {"patchlab-nightly.timer", "patchlab-cache.timer"})
    fs::last_write_time(units() / timer, long_ago);
  const auto missed = schedule({"show", "--json"});
  EXPECT_EQ(exit_code(missed), 3);
  expect_schema(missed.output);
  EXPECT_THAT(part("nightly"), AllOf(HasSubstr("was due "), HasSubstr("did not begin; it never began")));
  EXPECT_THAT(part("cache"), HasSubstr("did not begin"));
  folder_.write(
      "notify.json",
      Json{{"schema", "patchlab/notify/v1"},
           {"source", "/lab1"},
           {"outbox", "outbox"},
           {"look_at", {{"schedule", "root/etc/systemd/system"}}},
           {"receivers",
            Json::array(
                {{{"name", "x"}, {"kind", "webhook"}, {"url", "https://127.0.0.1:1/"}, {"secret_file", "none"}}})}}
          .dump());
  const auto told = patchlab({"notify", "--config", "notify.json", "--dry-run"}, folder_.path());
  EXPECT_EQ(exit_code(told), 0) << told.errors;
  EXPECT_THAT(told.output, AllOf(HasSubstr("patchlab.lab-broken.v1: the timer of 'nightly' was due "),
                                 HasSubstr("the timer of 'cache' was due ")));
  fs::create_directories(folder_.path() / "work/.schedule");
  folder_.write("work/.schedule/nightly", "");
  EXPECT_THAT(part("nightly"), HasSubstr("began "));
  EXPECT_THAT(part("nightly"), Not(HasSubstr("was due")));
  fs::remove(units() / "timers.target.wants/patchlab-scan.timer");
  EXPECT_THAT(part("scan"), HasSubstr("is installed and not enabled: nothing starts it"));
}

TEST_F(ScheduleCommand, IsRemovedButForWhatSomebodyChanged) {
  ASSERT_EQ(exit_code(install()), 0);
  const auto file = units() / "patchlab-scan.service";
  ASSERT_TRUE(write_file_atomically(file, read_file(file).value() + "# mine\n"));
  const auto removed = schedule({"remove"});
  EXPECT_EQ(exit_code(removed), 3) << removed.output;
  EXPECT_THAT(removed.output, HasSubstr("patchlab-scan.service: LEFT: it was changed by hand\n"));
  EXPECT_TRUE(is_there(file));
  EXPECT_EQ(exit_code(schedule({"remove", "--force"})), 0);
  for (const auto& left : entries_below(units()).value()) EXPECT_EQ(left.filename(), "timers.target.wants");
  EXPECT_THAT(schedule({"remove"}).output, HasSubstr("nothing is installed in"));
}

TEST_F(ScheduleCommand, OfAUserHasNoUserInIt) {
  const auto installed = install({"--user"});
  ASSERT_EQ(exit_code(installed), 0) << installed.errors;
  const auto text = read_file(folder_.path() / "root/etc/systemd/user/patchlab-nightly.service").value();
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\nUser=")), Not(HasSubstr("apt-get"))));
  EXPECT_EQ(exit_code(schedule({"show", "--user"})), 0);
  const auto dry = patchlab({"schedule", "install", "scenario.json", "--root", "other", "--dry-run"}, folder_.path());
  EXPECT_EQ(exit_code(dry), 0) << dry.errors;
  EXPECT_FALSE(is_there(folder_.path() / "other"));
}

}  // namespace
}  // namespace patchlab::e2e
