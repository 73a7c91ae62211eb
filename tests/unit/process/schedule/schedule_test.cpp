// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "lab/core/text.hpp"
#include "process/schedule/standing.hpp"

namespace patchlab::process {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TimerTime at(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  return std::chrono::local_days{std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)} +
         std::chrono::hours(hour) + std::chrono::minutes(minute);
}

TEST(TimerDays, AreReadAsTheirTimersSayThem) {
  EXPECT_EQ(timer_days("*-*-* 22:00"), (TimerDays{{}, {}, 22h}));
  EXPECT_EQ(timer_days("Fri *-*-* 17:30:00"), (TimerDays{{5}, {}, 17h + 30min}));
  const auto scan = timer_days("Sat *-*-1..7,15..21 06:00").value();
  EXPECT_EQ(scan.weekdays, std::set<unsigned>{6});
  EXPECT_EQ(scan.days.size(), 14U);
  for (const char* other :
       {"*:0/10", "daily", "", "22:00", "Mon..Fri *-*-* 22:00", "*-*-* 22:00 UTC", "2026-11-30 22:00",
        "*-*-31..1 22:00", "*-*-0 22:00", "*-*-* 24:00", "*-*-* 22:00:30", "*-*-* 22:0"})
    EXPECT_FALSE(timer_days(other)) << other;
}

TEST(LastDue, IsTheLastTimeAtWhichItShouldHaveBegun) {
  const auto nightly = timer_days("*-*-* 22:00").value();
  EXPECT_EQ(last_due(nightly, at(2026, 11, 30, 22)), at(2026, 11, 30, 22));
  EXPECT_EQ(last_due(nightly, at(2026, 11, 30, 21, 59)), at(2026, 11, 29, 22));
  EXPECT_EQ(last_due(nightly, at(2026, 3, 1, 3)), at(2026, 2, 28, 22));
  const auto scan = timer_days("Sat *-*-1..7,15..21 06:00").value();
  EXPECT_EQ(last_due(scan, at(2026, 11, 30, 0)), at(2026, 11, 21, 6)) << "neither the second nor the fourth Saturday";
  EXPECT_EQ(last_due(scan, at(2026, 12, 5, 5)), at(2026, 11, 21, 6));
  EXPECT_EQ(last_due(scan, at(2026, 12, 5, 6)), at(2026, 12, 5, 6));
  EXPECT_FALSE(last_due(TimerDays{{1}, {32}, 0h}, at(2026, 12, 5, 6)));
}

TEST(LongestGap, IsWhatLiesBetweenTwoAtMost) {
  using std::chrono::days;
  EXPECT_EQ(longest_gap(timer_days("*-*-* 22:00").value()), days(1));
  EXPECT_EQ(longest_gap(timer_days("Fri *-*-* 17:00").value()), days(7));
  EXPECT_EQ(longest_gap(timer_days("Sat *-*-1..7,15..21 06:00").value()), days(21));
  EXPECT_EQ(longest_gap(timer_days("*-*-31 06:00").value()), days(61));
  EXPECT_FALSE(longest_gap(TimerDays{{}, {32}, 0h}));
}

UnitValues values() {
  UnitValues all;
  all.program = "/usr/bin/patchlab";
  all.scenario = "/etc/patchlab/all.json";
  all.folder = "/var/lib/lab";
  all.notify = "/etc/patchlab/tell.json";
  all.levels = "/usr/share/x/levels.json";
  all.user = "labuser";
  all.refresh = {"hq", "sales"};
  return all;
}
std::string text_of(const UnitValues& all, const std::string& name) {
  for (const auto& unit : units_of(all).value()) {
    if (unit.name == name) return unit.text;
  }
  return "there is no " + name;
}

TEST(Units, HoldTheValuesOfTheSiteAndNoExample) {
  const auto units = units_of(values()).value();
  EXPECT_EQ(units.size(), unit_templates().size());
  for (const auto& unit : units) {
    EXPECT_TRUE(is_ours(unit.text)) << unit.name;
    for (const auto* key : {"ExecStart=", "WorkingDirectory=", "User=", "ExecStartPre="}) {
      for (const char* example :
           {"/srv/patchlab", "nightly.jsonc", "=patchlab", " notify.json", "/usr/share/patchlab", "finance"})
        EXPECT_THAT(value_in(unit.text, key), Not(HasSubstr(example))) << unit.name;
    }
  }
  EXPECT_EQ(value_in(text_of(values(), "patchlab-nightly.service"), "ExecStart="),
            "/usr/bin/flock --no-fork .schedule/ /usr/bin/patchlab run /etc/patchlab/all.json");
  EXPECT_EQ(value_in(text_of(values(), "patchlab-notify.service"), "ExecStart="),
            "/usr/bin/patchlab notify --config /etc/patchlab/tell.json");
  EXPECT_EQ(
      value_in(text_of(values(), "patchlab-refresh.service"), "ExecStart="),
      "/usr/bin/flock --no-fork .schedule/ /usr/bin/patchlab image refresh /etc/patchlab/all.json --department hq "
      "--department sales");
  EXPECT_THAT(text_of(values(), "patchlab-selftest.service"), HasSubstr("--levels /usr/share/x/levels.json\n"));
  EXPECT_THAT(text_of(values(), "patchlab-cache.service"),
              AllOf(HasSubstr("\nUser=labuser\n"), HasSubstr("\nWorkingDirectory=/var/lib/lab\n"),
                    HasSubstr("\nOnFailure=patchlab-failed@%n.service\n"), HasSubstr("\nSlice=patchlab.slice\n")));
}

// Nothing of them that others could notice is outside of the lock, but for what tells. What takes root opens no file by
// a name that the services' user could have put there.
TEST(Units, DoNothingBesideTheLock) {
  using ::testing::AnyOf;
  using ::testing::StartsWith;
  std::size_t lines = 0;
  for (const auto& unit : units_of(values()).value()) {
    if (unit.name == "patchlab-notify.service" || unit.name == "patchlab-failed@.service") continue;
    for (const auto line : split(unit.text, '\n')) {
      if (!line.starts_with("Exec")) continue;
      ++lines;
      if (line == "ExecStartPre=/usr/bin/mkdir -p .schedule" ||
          line.starts_with("ExecStartPre=/usr/bin/touch .schedule/") ||
          line == "ExecStartPre=-+/usr/bin/systemctl start patchlab-lists.service")
        continue;
      EXPECT_THAT(std::string(line), AnyOf(StartsWith("ExecStart=/usr/bin/flock --no-fork .schedule/ "),
                                           StartsWith("ExecStart=+/usr/bin/flock --no-fork .schedule/ ")))
          << unit.name;
    }
  }
  EXPECT_EQ(lines, 3U * 6 + 2 + 2);
  const auto lists = text_of(values(), "patchlab-lists.service");
  EXPECT_THAT(lists, AllOf(HasSubstr("/usr/bin/timeout 15m "), HasSubstr("\nOnFailure=patchlab-failed@%n.service\n")));
  for (const char* name : {"patchlab-nightly.service", "patchlab-scan.service"})
    EXPECT_THAT(text_of(values(), name),
                HasSubstr("\nExecStartPre=-+/usr/bin/systemctl start patchlab-lists.service\n"))
        << "a night is not lost with its lists";
}

TEST(Units, HaveTheEnvironmentThatTheyAreGiven) {
  auto all = values();
  EXPECT_THAT(text_of(all, "patchlab-nightly.service"), Not(HasSubstr("Environment=")));
  all.environment = {{"PATCHLAB_CACHE", "/var/cache/lab"}, {"PATCHLAB_FEEDS", "/var/feeds"}};
  for (const auto& unit : units_of(all).value()) {
    EXPECT_EQ(unit.text.find("\nEnvironment=PATCHLAB_CACHE=/var/cache/lab\n") != std::string::npos,
              unit.name.ends_with(".service"))
        << unit.name;
  }
  EXPECT_THAT(text_of(all, "patchlab-feeds.service"), HasSubstr(" feed status --feeds /var/feeds\n"));
  for (const char* bad : {"relative", "/a b", "/a%n", "/a\nUser=root"}) {
    all.environment["PATCHLAB_CACHE"] = bad;
    EXPECT_FALSE(units_of(all)) << bad;
  }
}

// One at a time, each notes that it began, and only the notifier may run beside them.
TEST(Units, NeverOverlap) {
  for (const auto& part : schedule_parts()) {
    const auto text = text_of(values(), fmt::format("patchlab-{}.service", part));
    const bool is_notifier = part == "notify";
    EXPECT_EQ(text.find("flock --no-fork .schedule/ ") != std::string::npos, !is_notifier) << part;
    EXPECT_EQ(text.find("ExecStartPre=/usr/bin/touch .schedule/" + part + "\n") != std::string::npos, !is_notifier)
        << part;
    EXPECT_THAT(text_of(values(), fmt::format("patchlab-{}.timer", part)), HasSubstr("\nPersistent=true\n"));
  }
  EXPECT_THAT(schedule_parts(), ElementsAre("nightly", "scan", "cache", "feeds", "refresh", "selftest", "notify"));
}

TEST(Units, AreLeftOutAndChangedAsAsked) {
  auto all = values();
  all.without = {"selftest", "feeds"};
  all.notify.clear();
  all.nightly = "23:30";
  EXPECT_EQ(text_of(all, "patchlab-selftest.timer"), "there is no patchlab-selftest.timer");
  EXPECT_EQ(text_of(all, "patchlab-failed@.service"), "there is no patchlab-failed@.service");
  EXPECT_THAT(text_of(all, "patchlab-nightly.service"), Not(HasSubstr("OnFailure=")));
  EXPECT_EQ(value_in(text_of(all, "patchlab-nightly.timer"), "OnCalendar="), "*-*-* 23:30");
  all.refresh.clear();
  for (const char* name : {"patchlab-refresh.service", "patchlab-refresh.timer"})
    EXPECT_EQ(text_of(all, name), fmt::format("there is no {}", name)) << "nobody named a department";
  all.user.clear();
  for (const auto& unit : units_of(all).value())
    EXPECT_THAT(unit.text,
                AllOf(Not(HasSubstr("User=")), Not(HasSubstr("network-online")), Not(HasSubstr("patchlab-lists"))))
        << "of a user's own systemd";
}

TEST(Units, TakeNoValueThatMeansSomethingElse) {
  for (const char* bad :
       {"/a b", "/a\nExecStart=/bin/sh", "/a%n", "/a$HOME", "/a\"b", "/a;b", "relative", "/a\\x20b"}) {
    auto all = values();
    all.scenario = bad;
    EXPECT_FALSE(units_of(all)) << bad;
  }
  auto all = values();
  all.user = "lab\nExecStart=x";
  EXPECT_FALSE(units_of(all));
  all = values();
  all.refresh = {"finance --promoted"};
  EXPECT_FALSE(units_of(all));
}

TEST(UnitState, TellsOurOwnFromWhatSomebodyChanged) {
  const auto unit = units_of(values()).value().front();
  auto other = values();
  other.folder = "/elsewhere";
  const auto service = units_of(values()).value().at(1), moved = units_of(other).value().at(1);
  EXPECT_EQ(state_of_unit(std::nullopt, unit), UnitState::missing);
  EXPECT_EQ(state_of_unit(unit.text, unit), UnitState::as_wanted);
  EXPECT_EQ(state_of_unit(moved.text, service), UnitState::older);
  auto changed = service.text;
  changed.replace(changed.find("KillMode=mixed"), 14, "KillMode=group");
  EXPECT_EQ(state_of_unit(changed, service), UnitState::changed);
  EXPECT_EQ(state_of_unit("[Unit]\n", service), UnitState::changed);
  EXPECT_EQ(state_of_unit("", service), UnitState::changed);
}

class Standing : public ::testing::Test {
 protected:
  Standing() {
    seen_.name = "nightly";
    seen_.timer = text_of(values(), "patchlab-nightly.timer");
    seen_.is_enabled = true;
    seen_.installed = at(2026, 11, 1, 12);
  }
  [[nodiscard]] PartStanding now(TimerTime when) const { return standing_of_part(seen_, when); }
  using Verdict = PartStanding::Verdict;
  PartSeen seen_;
};

TEST_F(Standing, IsMissedWhenItDidNotBeginWhenItWasDue) {
  seen_.begun = at(2026, 11, 29, 22, 1);
  EXPECT_EQ(now(at(2026, 11, 30, 21)).verdict, Verdict::well);
  EXPECT_EQ(now(at(2026, 11, 30, 22, 29)).verdict, Verdict::well) << "half an hour is no delay";
  const auto missed = now(at(2026, 11, 30, 22, 31));
  EXPECT_EQ(missed.verdict, Verdict::missed);
  EXPECT_EQ(missed.says, "was due 2026-11-30 22:00 and did not begin; it began 2026-11-29 22:01");
  seen_.begun = at(2026, 12, 1, 7);
  EXPECT_EQ(now(at(2026, 12, 1, 8)).verdict, Verdict::well) << "it was made up for";
  seen_.begun.reset();
  EXPECT_THAT(now(at(2026, 12, 1, 8)).says, HasSubstr("it never began"));
}

// What another timer of that name began, which somebody removed, this one did not.
TEST_F(Standing, KnowsNothingOfWhatBeganBeforeItWasInstalled) {
  seen_.begun = at(2026, 10, 31, 22);
  const auto fresh = now(at(2026, 11, 1, 21));
  EXPECT_EQ(fresh.verdict, Verdict::well);
  EXPECT_EQ(fresh.says, "was not due since it was installed");
  EXPECT_FALSE(fresh.begun);
  const auto missed = now(at(2026, 11, 2, 8));
  EXPECT_EQ(missed.verdict, Verdict::missed);
  EXPECT_THAT(missed.says, HasSubstr("it began 2026-10-31 22:00, before it was installed"));
}

TEST_F(Standing, IsNeitherMissedNorWellWhenItCouldNotBeLookedAt) {
  seen_.unknown = "looking at '/srv/x': Permission denied";
  const auto unknown = now(at(2026, 11, 2, 8));
  EXPECT_EQ(unknown.verdict, Verdict::unknown);
  EXPECT_THAT(unknown.says, HasSubstr("Permission denied"));
  seen_.unknown.clear();
  seen_.has_service = false;
  EXPECT_EQ(now(at(2026, 11, 2, 8)).verdict, Verdict::disabled);
}

TEST_F(Standing, IsWellBeforeTheFirstTime) {
  EXPECT_EQ(now(at(2026, 11, 1, 21)).verdict, Verdict::well);
  EXPECT_EQ(now(at(2026, 11, 2, 8)).verdict, Verdict::missed);
}

TEST_F(Standing, SaysWhatNobodyStartsOrCanTell) {
  seen_.is_enabled = false;
  EXPECT_EQ(now(at(2026, 11, 2, 8)).verdict, Verdict::disabled);
  seen_.is_enabled = true;
  seen_.has_drop_in = true;
  EXPECT_EQ(now(at(2026, 11, 2, 8)).verdict, Verdict::not_told);
  seen_.has_drop_in = false;
  seen_.timer.replace(seen_.timer.find("*-*-* 22:00"), 11, "daily");
  EXPECT_EQ(now(at(2026, 11, 2, 8)).verdict, Verdict::not_told);
  EXPECT_TRUE(now(at(2026, 11, 2, 8)).is_changed);
  seen_.timer = text_of(values(), "patchlab-notify.timer");
  EXPECT_EQ(now(at(2026, 11, 2, 8)).verdict, Verdict::well) << "comes every ten minutes";
  seen_.timer.clear();
  EXPECT_EQ(now(at(2026, 11, 2, 8)).verdict, Verdict::not_installed);
}

}  // namespace
}  // namespace patchlab::process
