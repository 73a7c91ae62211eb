// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Services of a guest are stopped and started by the scripts themselves, run by a shell of this host; the service
// managers are small ones that keep state.
#include <gmock/gmock.h>

#include "tests/support/shell_guest.hpp"

namespace patchlab::lab::guest {
namespace {
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DebianService : public testing::Test, public test::ShellGuest {
 protected:
  DebianService()
      : ShellGuest({{"/run/systemd/system", "systemd"}, {"/etc/init.d", "init.d"}}, {".", "/usr/bin", "/bin"}) {
    for (const char* name : {"init.d", "up"}) fs::create_directories(folder_ / name);
  }
  void program(const std::string& name, const std::string& text) const {
    write_program(name, "#!/bin/sh\nup='" + (folder_ / "up").string() + "'\n" + text);
  }
  // A service that runs, and what its start script does beside what is usual.
  void init_script(const std::string& name, const std::string& stop = {}, const std::string& start = {}) const {
    program("init.d/" + name, fmt::format("case $1 in\nstop) {1}\nrm -f $up/{0};;\nstart) {2}\n: >$up/{0};;\n"
                                          "status) [ -e $up/{0} ] || exit 3;;\nesac\n",
                                          name, stop, start));
    write("up/" + name, "");
  }
  // mail and lists need directory; lists needs mail as well.
  void systemd() const {
    fs::create_directories(folder_ / "systemd");
    program(
        "systemctl",
        "echo \"$*\" >>$up/../asked\n"
        "for unit; do :; done\nunit=${unit%.service}\n"
        "case \"$*\" in\n"
        "*LoadState*) case $unit in directory|mail|lists) echo loaded;; *) echo not-found;; esac;;\n"
        "*RequiredBy*) case $unit in directory) echo 'mail.service multi-user.target'; echo; echo lists.service;;\n"
        "  mail) echo lists.service;; esac;;\n"
        "*is-active*) [ -e $up/$unit ];;\n"
        "stop*) rm -f $up/$unit;;\n"
        "start*) [ ! -e $up/../broken ] || { echo 'Job failed. See journalctl -xe.' >&2; exit 1; }; : >$up/$unit;;\n"
        "*ActiveState*) if [ -e $up/$unit ]; then echo ActiveState=active; echo SubState=running;\n"
        "  else echo ActiveState=failed; echo SubState=failed; fi;;\n"
        "esac\n");
    for (const char* name : {"up/directory", "up/mail", "up/lists"}) write(name, "");
  }

  ServiceChange change(const std::string& service, ServiceAction action, Milliseconds deadline = 5s) {
    auto changed = adapter_->change_service(service, action, deadline, {});
    EXPECT_TRUE(changed) << changed.error().message;
    return changed.value_or(ServiceChange{});
  }
};

TEST_F(DebianService, StopsAndStartsByItsScript) {
  init_script("named");
  const auto cycle = adapter_->before_cycling("named");
  ASSERT_TRUE(cycle) << cycle.error().message;
  EXPECT_EQ(cycle->why_not, "");
  EXPECT_THAT(cycle->with, IsEmpty());
  const auto stopped = change("named", ServiceAction::stop);
  EXPECT_TRUE(stopped.reached);
  EXPECT_EQ(stopped.state, "stopped");
  EXPECT_EQ(stopped.said, "");
  EXPECT_FALSE(fs::exists(folder_ / "up/named"));
  EXPECT_TRUE(change("named", ServiceAction::start).reached);
  EXPECT_TRUE(fs::exists(folder_ / "up/named"));
}

// And none of it holds what the agent reads from.
TEST_F(DebianService, IsAwaitedUntilItsDaemonHasDoneWhatItsScriptSaid) {
  init_script("named", "(sleep 0.15; rm -f $up/named) & exit 0", "(sleep 0.15; : >$up/named; exec sleep 20) & exit 0");
  const auto stopped = change("named", ServiceAction::stop);
  EXPECT_TRUE(stopped.reached);
  EXPECT_GE(stopped.took, 100ms);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(change("named", ServiceAction::start).reached);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(DebianService, ThatDoesNotDoSoInTimeIsSeenNotToAndSaysWhatItSaid) {
  init_script("named", "echo 'Stopping named...'; exit 1", "echo 'no such zone' >&2; exit 7");
  const auto stopped = change("named", ServiceAction::stop, 150ms);
  EXPECT_FALSE(stopped.reached);
  EXPECT_EQ(stopped.state, "running");
  EXPECT_EQ(stopped.said, "exit code 1: Stopping named...\n");
  EXPECT_GE(stopped.took, 150ms);
  fs::remove(folder_ / "up/named");
  const auto started = change("named", ServiceAction::start, 150ms);
  EXPECT_FALSE(started.reached);
  EXPECT_EQ(started.state, "stopped");
  EXPECT_EQ(started.said, "exit code 7: no such zone\n");
}

TEST_F(DebianService, WhoseScriptHangsIsGivenUpAtTheDeadline) {
  init_script("named", "sleep 30");
  const auto stopped = change("named", ServiceAction::stop, 100ms);
  EXPECT_FALSE(stopped.reached);
  EXPECT_EQ(stopped.said, "it was still at work then");
}

TEST_F(DebianService, ThatIsNotThereIsNotAskedAndSaysWhy) {
  EXPECT_EQ(adapter_->before_cycling("named")->why_not, "there is no " + (folder_ / "init.d/named").string());
  EXPECT_EQ(adapter_->before_cycling("qemu-guest-agent")->why_not, "the laboratory speaks to the guest through it");
  systemd();
  EXPECT_EQ(adapter_->before_cycling("named")->why_not, "systemd has no such service: not-found");
  EXPECT_FALSE(adapter_->before_cycling("a; reboot"));
  EXPECT_FALSE(adapter_->change_service("-x", ServiceAction::stop, 1s, {}));
}

TEST_F(DebianService, OfSystemdIsStoppedAndStartedByItWithThoseThatNeedIt) {
  systemd();
  const auto cycle = adapter_->before_cycling("directory");
  ASSERT_TRUE(cycle) << cycle.error().message;
  EXPECT_THAT(cycle->with, ElementsAre("lists", "mail"));
  fs::remove(folder_ / "up/lists");
  EXPECT_THAT(adapter_->before_cycling("directory")->with, ElementsAre("mail")) << "of those that run";
  EXPECT_EQ(change("directory", ServiceAction::stop).reached, true);
  const auto started = change("directory", ServiceAction::start);
  EXPECT_TRUE(started.reached);
  EXPECT_EQ(started.state, "running");
}

TEST_F(DebianService, OfSystemdThatFailsSaysSo) {
  systemd();
  (void)change("mail", ServiceAction::stop);
  write("broken", "");
  const auto started = change("mail", ServiceAction::start);
  EXPECT_FALSE(started.reached);
  EXPECT_EQ(started.state, "failed");
  EXPECT_EQ(started.said, "exit code 1: Job failed. See journalctl -xe.\n");
}

TEST_F(DebianService, AnAnswerThatIsNotWholeIsNoAnswer) {
  std::string output;
  int code = 0;
  guest_.programs = [&](const auto&, const auto&, const auto&) { return test::FakeAgent::Process{code, output}; };
  for (const char* said : {"", "begin 1.00\n", "begin 1.00\ncode 0\nstatus 0\nend 2.00\n",
                           "begin 1.00\ncode 0\nend 2.00\nsaid\n", "begin 3.00\ncode 0\nstatus 0\nend 2.00\nsaid\n",
                           "begin 1\ncode 0\nstatus 0\nend 2.00\nsaid\n", "begin 1.00\nstatus 0\nend 2.00\nsaid\n"}) {
    output = said;
    EXPECT_FALSE(adapter_->change_service("named", ServiceAction::stop, 1s, {})) << said;
  }
  output = "begin 1.00\ncode 0\nstatus 3\nend 2.50\nsaid\n";
  EXPECT_EQ(change("named", ServiceAction::stop).took, 1500ms);
  for (const char* said : {"", "with mail\n", "garbage\nend\n"}) {
    output = said;
    EXPECT_FALSE(adapter_->before_cycling("named")) << said;
  }
  output = "end\n";
  EXPECT_TRUE(adapter_->before_cycling("named"));
  code = 3;
  EXPECT_FALSE(adapter_->before_cycling("named"));
}

}  // namespace
}  // namespace patchlab::lab::guest
