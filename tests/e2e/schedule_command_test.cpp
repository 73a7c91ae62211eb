// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <thread>

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
  const auto installed = install({"--refresh", "finance", "--refresh", "sales"});
  ASSERT_EQ(exit_code(installed), 0) << installed.output << installed.errors;
  EXPECT_THAT(installed.output,
              AllOf(HasSubstr("patchlab-nightly.timer: new\n"), HasSubstr("patchlab-refresh.timer: new\n")));
  const auto link = units() / "timers.target.wants/patchlab-scan.timer";
  EXPECT_TRUE(is_file(link)) << "enabled";
  if (patchlab::testing::is_missing("systemd-analyze")) GTEST_SKIP() << "systemd-analyze is not installed";
  Words words{"verify", "--man=no"};
  for (const auto& file : entries_of(units()).value()) {
    if (is_file(file) && file.filename() != "patchlab-failed@.service") words.push_back(file.string());
  }
  EXPECT_THAT(words, SizeIs(18));
  words.push_back((units() / "patchlab-failed@x.service").string());
  const auto verified = start("systemd-analyze", words);
  EXPECT_TRUE(verified.succeeded()) << verified.describe() << verified.errors;
  EXPECT_THAT(verified.errors + verified.output, Not(HasSubstr("patchlab")));
  // It does look: of a unit that is wrong it says so.
  const auto file = units() / "patchlab-scan.service";
  auto wrong = read_file(file).value();
  wrong.replace(wrong.find("ExecStart=/usr/bin/flock"), 24, "ExecStart=/usr/bin/no-flock-is-there");
  ASSERT_TRUE(write_file_atomically(file, wrong));
  EXPECT_FALSE(start("systemd-analyze", words).succeeded());
}

// The unit's own command, and the real apt-get on lists of the test's own.
TEST_F(ScheduleCommand, RefreshesListsWhenNobodyElseIsAtWork) {
  for (const char* program : {"apt-get", "flock", "timeout"})
    if (patchlab::testing::is_missing(program)) GTEST_SKIP() << program << " is not installed";
  ASSERT_EQ(exit_code(install()), 0);
  const auto& folder = folder_.path();
  auto command = process::value_in(read_file(units() / "patchlab-lists.service").value(), "ExecStart=+");
  ASSERT_THAT(command, HasSubstr("apt-get"));
  for (const char* inside : {"work/.schedule", "bin", "apt/lists/partial", "apt/cache/archives/partial", "apt/etc"})
    fs::create_directories(folder / inside);
  fs::permissions(folder_.write("bin/sleep", "#!/bin/sh\nexec /usr/bin/sleep 0.2\n"), fs::perms::owner_all);
  const auto sources = folder_.write("apt/sources.list", "");
  const auto config = folder_.write(
      "apt/apt.conf", fmt::format("Dir::State \"{0}\";\nDir::State::lists \"{0}/lists\";\nDir::Cache \"{0}/cache\";\n"
                                  "Dir::Etc::sourcelist \"{0}/sources.list\";\nDir::Etc::sourceparts \"{0}/etc\";\n"
                                  "APT::Sandbox::User \"\";\n",
                                  (folder / "apt").string()));
  const auto refresh = [&](const std::string& line) {
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", line};
    spec.working_folder = folder / "work";
    spec.extra_environment = {{"APT_CONFIG", config.string()},
                              {"PATH", (folder / "bin").string() + ":" + std::getenv("PATH")}};
    spec.time_limit = std::chrono::seconds(60);
    return host_processes().run(spec);
  };
  // One of the lab's services has the lock: nothing is touched.
  {
    const FileDescriptor other(::open((folder / "work/.schedule").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
    std::atomic<bool> has_ended = false;
    ProcessOutcome outcome;
    std::jthread refreshing([&] { outcome = refresh(command), has_ended = true; });
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    EXPECT_FALSE(has_ended);
    EXPECT_FALSE(is_there(folder / "apt/lists/lock")) << "it was done beside the lock";
    ASSERT_EQ(::flock(other.get(), LOCK_UN), 0);
    refreshing.join();
    EXPECT_TRUE(outcome.succeeded()) << outcome.describe() << outcome.errors;
    EXPECT_TRUE(is_there(folder / "apt/lists/lock"));
  }
  // Somebody else's apt has its lock: that is waited for.
  {
    const FileDescriptor lists(::open((folder / "apt/lists/lock").c_str(), O_RDWR | O_CLOEXEC));
    struct flock all {};
    all.l_type = F_WRLCK;
    all.l_whence = SEEK_SET;
    ASSERT_EQ(::fcntl(lists.get(), F_SETLK, &all), 0);
    std::atomic<bool> has_ended = false;
    ProcessOutcome outcome;
    std::jthread refreshing([&] { outcome = refresh(command), has_ended = true; });
    std::this_thread::sleep_for(std::chrono::seconds(2));
    EXPECT_FALSE(has_ended) << outcome.errors;
    all.l_type = F_UNLCK;
    ASSERT_EQ(::fcntl(lists.get(), F_SETLK, &all), 0);
    refreshing.join();
    EXPECT_TRUE(outcome.succeeded()) << outcome.describe() << outcome.errors;
  }
  // Not for ever, and what could not be fetched is no success.
  ASSERT_TRUE(write_file_atomically(sources, "deb [trusted=yes] file:/nowhere/at/all sid main\n"));
  command.replace(command.find("timeout 15m"), 11, "timeout 2s");
  EXPECT_FALSE(refresh(command).succeeded());
}

TEST_F(ScheduleCommand, RefusesWhatCouldNotWorkAtNight) {
  folder_.write("scenario.json", nightly_scenario().dump());
  const auto* own = ::getpwuid(::geteuid());
  if (own == nullptr) GTEST_SKIP() << "who runs this has no name";
  const std::string own_name = own->pw_name;
  ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
  const auto here = [&](const Words& more) {
    Words words{"schedule", "install", "scenario.json", "--dry-run"};
    words.insert(words.end(), more.begin(), more.end());
    return patchlab(words, folder_.path());
  };
  const auto fine = here({"--folder", "work", "--run-as", own_name});
  EXPECT_EQ(exit_code(fine), 0) << fine.errors;
  const auto refused = [&](const Words& more, const std::string& thing, const std::string& next) {
    const auto outcome = here(more);
    EXPECT_EQ(exit_code(outcome), 78) << outcome.output;
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr(thing), HasSubstr("hint: "), HasSubstr(next)));
  };
  refused({"--folder", "nowhere", "--run-as", own_name}, "there is no folder '", "install -d -m 750 -o " + own_name);
  refused({"--folder", "work", "--run-as", "nobody-of-that-name"}, "there is no user 'nobody-of-that-name'", "adduser");
  EXPECT_EQ(exit_code(here({"--folder", "work", "--run-as", own_name, "--refresh", "finance"})), 0);
  EXPECT_EQ(exit_code(here({"--folder", "work", "--run-as", own_name, "--refresh", "fnance"})), 64);
  auto of_domains = small_scenario();
  auto& server = of_domains["roles"]["dns"];
  server["golden"] = {{"libvirt", "qemu:///system"},
                      {"domain", "w"},
                      {"system", {{"family", "windows"}, {"version", "6.2.9200"}, {"architecture", "amd64"}}}};
  server.erase("memory_mib");
  folder_.write("scenario.json", of_domains.dump());
  refused({"--folder", "work", "--run-as", own_name, "--refresh", "finance"}, "is a golden domain", "leave it out");
  folder_.write("scenario.json", nightly_scenario().dump());
  refused({"--folder", "work", "--run-as", own_name, "--notify", "none.json"}, "none.json", "is the name right?");
  if (::geteuid() == 0 && ::getpwnam("nobody") != nullptr) {
    const auto as_nobody = [&](const std::string& thing, const std::string& next) {
      refused({"--folder", "work", "--run-as", "nobody"}, "the user 'nobody' cannot " + thing, next);
    };
    as_nobody("write to the folder '", "chown nobody ");
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::permissions(folder_.path() / "work", fs::perms(0777));
    fs::permissions(folder_.path() / "scenario.json", fs::perms(0600));
    as_nobody("read the scenario '", "let that user");
    fs::permissions(folder_.path() / "scenario.json", fs::perms(0644));
    fs::create_directories(folder_.path() / "work/runs");
    fs::permissions(folder_.path() / "work/runs", fs::perms(0755));
    as_nobody("write to the folder of runs '", "chown -R nobody");
    fs::permissions(folder_.path() / "work/runs", fs::perms(0777));
    as_nobody("write to the folder in which the cache '", "PATCHLAB_CACHE");
  }
  folder_.write("scenario.json", "{}");
  EXPECT_EQ(exit_code(here({"--folder", "work", "--run-as", own_name})), 78) << "no run could begin";
  ::unsetenv("PATCHLAB_CACHE");
}

TEST_F(ScheduleCommand, HasTheInstallersEnvironmentOrSaysSo) {
  ::setenv("PATCHLAB_CACHE", "cache", 1);
  ::setenv("PATCHLAB_SIGN_WITH", "alices-key", 1);
  const auto installed = install();
  ::unsetenv("PATCHLAB_CACHE");
  ::unsetenv("PATCHLAB_SIGN_WITH");
  ASSERT_EQ(exit_code(installed), 0) << installed.errors;
  const auto unit = read_file(units() / "patchlab-nightly.service").value();
  EXPECT_THAT(unit, HasSubstr("\nEnvironment=PATCHLAB_CACHE=" + (folder_.path() / "cache").string() + "\n"));
  EXPECT_THAT(unit, Not(HasSubstr("SIGN_WITH")));
  EXPECT_THAT(installed.output, AllOf(HasSubstr("PATCHLAB_SIGN_WITH is set here, and the services do not have it"),
                                      Not(HasSubstr("alices-key"))));
}

// systemd goes by the host's zone, whatever the shell of whoever asks says.
TEST_F(ScheduleCommand, SaysTheSameInEveryZoneOfWhoeverAsks) {
  ASSERT_EQ(exit_code(install()), 0);
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(240);
  for (const auto& file : entries_of(units()).value()) {
    if (file.extension() == ".timer") fs::last_write_time(file, long_ago);
  }
  ::unsetenv("TZ");
  const auto plain = schedule({"show"}).output;
  EXPECT_THAT(plain, HasSubstr("was due"));
  for (const char* zone : {"Etc/GMT+12", "Pacific/Kiritimati", "nonsense"}) {
    ::setenv("TZ", zone, 1);
    EXPECT_EQ(schedule({"show"}).output, plain) << zone;
  }
  ::unsetenv("TZ");
}

TEST_F(ScheduleCommand, SaysWhatItCannotSay) {
  ASSERT_EQ(exit_code(install()), 0);
  const auto& folder = folder_.path();
  fs::last_write_time(units() / "patchlab-nightly.timer", fs::file_time_type::clock::now() - std::chrono::hours(240));
  folder_.write("work/.schedule", "no folder");
  const auto unknown = schedule({"show"});
  EXPECT_EQ(exit_code(unknown), 2) << unknown.output;
  EXPECT_THAT(part("nightly"),
              AllOf(HasSubstr("cannot be said"), HasSubstr("work/.schedule/nightly"), Not(HasSubstr("did not begin"))));
  expect_schema(schedule({"show", "--json"}).output);
  fs::remove(folder / "work/.schedule");
  fs::rename(folder / "work", folder / "moved");
  EXPECT_THAT(part("nightly"), HasSubstr("there is no folder"));
  // Where a drop-in says that it works is where it works.
  fs::create_directories(units() / "patchlab-nightly.service.d");
  const auto drop_in = [&](const std::string& line) {
    folder_.write("root/etc/systemd/system/patchlab-nightly.service.d/override.conf", "[Service]\n" + line + "\n");
  };
  drop_in("WorkingDirectory=" + (folder / "moved").string());
  EXPECT_THAT(part("nightly"), HasSubstr("did not begin"));
  fs::create_directories(folder / "moved/.schedule");
  folder_.write("moved/.schedule/nightly", "");
  EXPECT_THAT(part("nightly"), HasSubstr("began "));
  drop_in("WorkingDirectory=~");
  EXPECT_THAT(part("nightly"), HasSubstr("cannot be said"));
  drop_in("ExecStartPre=");
  EXPECT_THAT(part("nightly"), HasSubstr("cannot be said"));
  fs::remove_all(units() / "patchlab-nightly.service.d");
  fs::rename(folder / "moved", folder / "work");
  fs::create_directories(folder / "root/run/systemd/system/patchlab-nightly.timer.d");
  folder_.write("root/run/systemd/system/patchlab-nightly.timer.d/x.conf", "[Timer]\nOnCalendar=daily\n");
  EXPECT_THAT(part("nightly"), HasSubstr("has a drop-in, so when it is due is not known"));
}

// What is told of it, by a notifier that has no bound of its own.
TEST_F(ScheduleCommand, BoundsTheAgeOfAScanAndTellsWhatCannotBeSaid) {
  ASSERT_EQ(exit_code(install()), 0);
  folder_.write(
      "notify.json",
      Json{{"schema", "patchlab/notify/v1"},
           {"source", "/lab1"},
           {"outbox", "outbox"},
           {"look_at", {{"schedule", "root/etc/systemd/system"}, {"scan", "scan.json"}}},
           {"receivers",
            Json::array(
                {{{"name", "x"}, {"kind", "webhook"}, {"url", "https://127.0.0.1:1/"}, {"secret_file", "none"}}})}}
          .dump());
  const auto told_of = [&](int days) {
    const auto day = std::chrono::system_clock::now() - std::chrono::hours(24 * days);
    folder_.write("scan.json", Json{{"schema", "patchlab/scan/v1"},
                                    {"today", rfc3339(day).substr(0, 10)},
                                    {"whole", true},
                                    {"rows", Json::array()}}
                                   .dump());
    return patchlab({"notify", "--config", "notify.json", "--dry-run"}, folder_.path());
  };
  EXPECT_THAT(told_of(22).output, HasSubstr("nothing is new"))
      << "21 days from the third Saturday to the first, and one";
  EXPECT_THAT(told_of(23).output, HasSubstr("23 days old"));
  const auto file = units() / "patchlab-scan.timer";
  auto timer = read_file(file).value();
  timer.replace(timer.find("Sat *-*-1..7,15..21 06:00"), 25, "Fri *-*-* 06:00");
  ASSERT_TRUE(write_file_atomically(file, timer));
  EXPECT_THAT(told_of(9).output, HasSubstr("9 days old")) << "the timer that is there counts";
  timer.replace(timer.find("Fri *-*-* 06:00"), 15, "quarterly");
  ASSERT_TRUE(write_file_atomically(file, timer));
  const auto changed = told_of(9);
  EXPECT_EQ(exit_code(changed), 2);
  EXPECT_THAT(changed.errors, HasSubstr("set \"scan_max_age_days\""));
  fs::remove(file);
  folder_.write("work/.schedule", "no folder");
  const auto unknown = told_of(1);
  EXPECT_EQ(exit_code(unknown), 2);
  EXPECT_THAT(unknown.output, HasSubstr("schedule cannot be looked at: nightly cannot be said"));
}

// What is removed and comes again is another one.
TEST_F(ScheduleCommand, BeginsAnewWhenItIsInstalledAgain) {
  ASSERT_EQ(exit_code(install()), 0);
  const auto& folder = folder_.path();
  fs::create_directories(folder / "root/var/lib/systemd/timers");
  fs::create_directories(folder / "work/.schedule");
  const auto stamp = folder_.write("root/var/lib/systemd/timers/stamp-patchlab-nightly.timer", "");
  const auto of_others = folder_.write("root/var/lib/systemd/timers/stamp-apt-daily.timer", "");
  const auto begun = folder_.write("work/.schedule/nightly", "");
  fs::last_write_time(begun, fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_EQ(exit_code(install()), 0);
  EXPECT_TRUE(is_there(stamp)) << "it is the same as before";
  ASSERT_EQ(exit_code(schedule({"remove"})), 0);
  EXPECT_FALSE(is_there(stamp)) << "systemd would take the next one for it";
  EXPECT_TRUE(is_there(of_others));
  folder_.write("root/var/lib/systemd/timers/stamp-patchlab-nightly.timer", "");  // as of a package that was removed
  ASSERT_EQ(exit_code(install()), 0);
  EXPECT_FALSE(is_there(stamp));
  EXPECT_THAT(part("nightly"), HasSubstr("was not due since it was installed"));
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
  EXPECT_EQ(seen, 6U * 60U);
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
  EXPECT_THAT(part("refresh"), HasSubstr("is not installed")) << "nobody named a department";
  EXPECT_THAT(install({"--refresh", "finance"}).output, HasSubstr("patchlab-refresh.timer: new\n"));
  EXPECT_THAT(install().output, HasSubstr("patchlab-refresh.timer: removed: it is not wanted any more\n"));
  EXPECT_EQ(exit_code(install({"--refresh", "finance", "--without", "refresh"})), 64);
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
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\nUser=")), Not(HasSubstr("patchlab-lists"))));
  EXPECT_FALSE(is_there(folder_.path() / "root/etc/systemd/user/patchlab-lists.service"));
  EXPECT_THAT(installed.output, HasSubstr("apt's lists are refreshed by nobody"));
  EXPECT_EQ(exit_code(schedule({"show", "--user"})), 0);
  const auto dry = patchlab({"schedule", "install", "scenario.json", "--root", "other", "--dry-run"}, folder_.path());
  EXPECT_EQ(exit_code(dry), 0) << dry.errors;
  EXPECT_FALSE(is_there(folder_.path() / "other"));
}

}  // namespace
}  // namespace patchlab::e2e
