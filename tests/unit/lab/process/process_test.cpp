// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "tests/support/process_state.hpp"

namespace patchlab {
namespace {
using std::chrono::seconds;
using test::ends_soon;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.program = "sh";
  spec.arguments = {"-c", script};
  spec.time_limit = seconds(20);
  return spec;
}

ProcessOutcome run(const ProcessSpec& spec) { return host_processes().run(spec); }

TEST(HostProcesses, ReportsExitCodeAndBothStreams) {
  const auto outcome = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(std::holds_alternative<Exited>(outcome.end));
  EXPECT_EQ(std::get<Exited>(outcome.end).code, 3);
  EXPECT_EQ(outcome.output, "out\n");
  EXPECT_EQ(outcome.errors, "err\n");
  EXPECT_EQ(outcome.describe(), "exit code 3");
  EXPECT_FALSE(outcome.succeeded());
}

TEST(HostProcesses, ReportsTheSignalThatEndedIt) {
  const auto outcome = run(shell("kill -USR1 $$"));
  ASSERT_TRUE(std::holds_alternative<Signalled>(outcome.end));
  EXPECT_EQ(std::get<Signalled>(outcome.end).signal, SIGUSR1);
  EXPECT_EQ(outcome.describe(), "killed by signal 10");
}

TEST(HostProcesses, PassesArgumentsWithSpacesAndQuotesUntouched) {
  ProcessSpec spec;
  spec.program = "printf";
  spec.arguments = {"[%s]", "a b", "it's", "\"q\"", "$HOME", "", "x\ny"};
  EXPECT_EQ(run(spec).output, "[a b][it's][\"q\"][$HOME][][x\ny]");
}

TEST(HostProcesses, FindsTheToolsThatAnOrdinaryUsersPathLeavesOut) {
  const std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  ::setenv("PATH", "/usr/bin:/bin", 1);
  ProcessSpec spec;
  spec.program = "mke2fs";
  spec.arguments = {"-V"};
  const auto outcome = run(spec);
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_TRUE(outcome.succeeded()) << outcome.describe();
}

TEST(HostProcesses, SaysWhyAMissingProgramDidNotStart) {
  ProcessSpec spec;
  spec.program = "no-such-program-here";
  EXPECT_EQ(run(spec).describe(), "could not be started: 'no-such-program-here' is not in PATH");
  spec.program = "/no/such/program";
  EXPECT_EQ(run(spec).describe(), "could not be started: '/no/such/program': No such file or directory");
  spec.program = "/etc/passwd";
  EXPECT_EQ(run(spec).describe(), "could not be started: '/etc/passwd': Permission denied");
}

TEST(HostProcesses, SaysThatTheWorkingFolderIsMissing) {
  auto spec = shell("pwd");
  spec.working_folder = "/usr/share";
  EXPECT_EQ(run(spec).output, "/usr/share\n");
  spec.working_folder = "/no/such/folder";
  EXPECT_EQ(run(spec).describe(), "could not be started: working folder '/no/such/folder' does not exist");
}

TEST(HostProcesses, WritesTheInputAndClosesIt) {
  auto spec = shell("wc -c");
  spec.input = std::string(300'000, 'x');
  EXPECT_EQ(run(spec).output, "300000\n");
}

TEST(HostProcesses, SurvivesAProgramThatDoesNotReadItsInput) {
  auto spec = shell("exec <&-; echo done");
  spec.input = std::string(300'000, 'x');
  const auto outcome = run(spec);
  EXPECT_TRUE(outcome.succeeded()) << outcome.describe();
  EXPECT_EQ(outcome.output, "done\n");
}

TEST(HostProcesses, AddsToTheEnvironment) {
  auto spec = shell("echo $PATCHLAB_TEST_VALUE; test -n \"$PATH\"");
  spec.extra_environment = {{"PATCHLAB_TEST_VALUE", "a b"}};
  const auto outcome = run(spec);
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.output, "a b\n");
}

TEST(HostProcesses, KeepsNoMoreOutputThanAllowedButLetsTheProgramFinish) {
  auto spec = shell("head -c 1000000 /dev/zero; echo end >&2");
  spec.output_limit = 1000;
  const auto outcome = run(spec);
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.output.size(), 1000U);
  EXPECT_EQ(outcome.errors, "end\n");
}

TEST(HostProcesses, TimeLimitEndsGrandchildrenToo) {
  auto spec = shell("sleep 300 & echo $!; wait");
  spec.time_limit = Milliseconds(200);
  const auto outcome = run(spec);
  ASSERT_TRUE(std::holds_alternative<TimedOut>(outcome.end));
  EXPECT_FALSE(std::get<TimedOut>(outcome.end).cancelled);
  EXPECT_THAT(outcome.describe(), HasSubstr("ran longer than"));
  EXPECT_TRUE(ends_soon(std::stoi(outcome.output)));
}

TEST(HostProcesses, TimeLimitKillsWhatIgnoresSigterm) {
  auto spec = shell("trap '' TERM; (trap '' TERM; exec sleep 300) & echo $!; wait; wait");
  spec.time_limit = Milliseconds(200);
  const auto outcome = run(spec);
  ASSERT_TRUE(std::holds_alternative<TimedOut>(outcome.end));
  EXPECT_LT(outcome.duration, seconds(10));
  EXPECT_TRUE(ends_soon(std::stoi(outcome.output)));
}

TEST(HostProcesses, EndsWhatAProgramLeavesBehindInItsGroup) {
  const auto outcome = run(shell("sleep 300 & echo $!"));
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_LT(outcome.duration, seconds(10));
  EXPECT_TRUE(ends_soon(std::stoi(outcome.output)));
}

TEST(HostProcesses, StopRequestEndsItAndSaysSo) {
  std::stop_source source;
  auto spec = shell("echo ready >&2; sleep 300");
  spec.on_error_line = [&](const std::string&) { source.request_stop(); };
  const auto outcome = host_processes().run(spec, source.get_token());
  ASSERT_TRUE(std::holds_alternative<TimedOut>(outcome.end));
  EXPECT_TRUE(std::get<TimedOut>(outcome.end).cancelled);
  EXPECT_THAT(outcome.describe(), HasSubstr("cancelled after"));
}

TEST(HostProcesses, DoesNotStartAfterAStopRequest) {
  std::stop_source source;
  source.request_stop();
  const auto outcome = host_processes().run(shell("echo ran"), source.get_token());
  EXPECT_TRUE(std::holds_alternative<TimedOut>(outcome.end));
  EXPECT_EQ(outcome.output, "");
}

TEST(HostProcesses, ReportsErrorLinesAsTheyCome) {
  std::vector<std::string> lines;
  auto spec = shell("printf 'one\\ntwo\\nthr' >&2");
  spec.on_error_line = [&](const std::string& line) { lines.push_back(line); };
  static_cast<void>(run(spec));
  EXPECT_THAT(lines, ElementsAre("one", "two", "thr"));
}

TEST(HostProcesses, GivesTheProgramNoDescriptorsButItsThree) {
  // Numbers with gaps between them, not marked close-on-exec.
  const int leaky = ::open("/dev/null", O_RDONLY);
  const int leaky_too = ::fcntl(leaky, F_DUPFD, 50);
  const auto outcome = run(shell("ls /proc/self/fd"));
  ::close(leaky);
  ::close(leaky_too);
  // The fourth is the folder that ls reads.
  EXPECT_EQ(outcome.output, "0\n1\n2\n3\n");
}

TEST(HostProcesses, GivesTheProgramItsOwnGroupAndDefaultSignals) {
  ProcessSpec spec;
  spec.program = "cat";
  spec.arguments = {"/proc/self/status"};
  const auto outcome = run(spec);
  EXPECT_THAT(outcome.output, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_THAT(outcome.output, HasSubstr("SigIgn:\t0000000000000000"));
  const auto number_after = [&](const std::string& key) {
    return std::stoi(outcome.output.substr(outcome.output.find(key) + key.size()));
  };
  EXPECT_EQ(number_after("NSpgid:"), number_after("NSpid:"));
}

TEST(HostProcesses, KeepsCapabilitiesAcrossExec) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to have a capability to hand on";
  auto spec = shell("grep CapAmb /proc/self/status");
  spec.ambient_capabilities = {CAP_NET_RAW};
  EXPECT_EQ(run(spec).output, "CapAmb:\t0000000000002000\n");
}

TEST(HostProcesses, HandsOnOnlyTheCapabilitiesThatWeHold) {
  auto spec = shell("grep CapAmb /proc/self/status");
  spec.capabilities_if_held = {CAP_NET_RAW, 62};  // the kernel has no capability of this number
  const auto outcome = host_processes().run(spec);
  ASSERT_TRUE(outcome.succeeded()) << outcome.describe();
  EXPECT_EQ(outcome.output, ::geteuid() == 0 ? "CapAmb:\t0000000000002000\n" : "CapAmb:\t0000000000000000\n");
}

TEST(HostProcesses, FilesOfToolsMayTravelAndPrivateOnesAreOurs) {
  const auto before = ::umask(0777);
  auto spec = shell("umask");
  EXPECT_EQ(host_processes().run(spec).output, "0022\n");
  spec.private_files = true;
  EXPECT_EQ(host_processes().run(spec).output, "0077\n");
  ::umask(before);
}

TEST(HostProcesses, ASessionOfItsOwnHasNoTerminalAndEndsAtTheLimit) {
  auto spec = shell("cat /dev/tty || echo none; ps -o sid= -p $$ | tr -d ' '; echo $$");
  spec.own_session = true;
  const auto outcome = host_processes().run(spec);
  ASSERT_TRUE(outcome.succeeded()) << outcome.describe();
  const auto number = outcome.output.substr(outcome.output.rfind('\n', outcome.output.size() - 2) + 1);
  EXPECT_EQ(outcome.output, "none\n" + number + number) << "the session is that of the program itself";
  auto endless = shell("sleep 1000 & sleep 1000");
  endless.own_session = true;
  endless.time_limit = Milliseconds(50);
  EXPECT_TRUE(std::holds_alternative<TimedOut>(host_processes().run(endless).end));
}

TEST(HostProcesses, RunsFromSeveralThreadsAtOnce) {
  std::vector<std::string> outputs(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      threads.emplace_back(
          [&outputs, i] { outputs[i] = run(shell("cat >/dev/null; echo " + std::to_string(i))).output; });
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
}

TEST(RunForOutput, QuotesCommandEndAndLastWords) {
  auto good = run_for_output(host_processes(), shell("echo fine"));
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "fine\n");
  auto bad = run_for_output(host_processes(), shell("echo 'disk full' >&2; exit 2"));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "running 'sh -c echo 'disk full' >&2; exit 2': exit code 2: disk full");
  EXPECT_EQ(bad.error().error_class, ErrorClass::infrastructure);
}

TEST(RunForOutput, TellsTimeoutsApart) {
  auto spec = shell("sleep 300");
  spec.time_limit = Milliseconds(50);
  const auto late = run_for_output(host_processes(), spec);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error_class, ErrorClass::timeout);
}

}  // namespace
}  // namespace patchlab
