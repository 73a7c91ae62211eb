// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Programs that do what nobody asked them for. None of it is a verdict, none of it reaches the host.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "checks/socket.hpp"
#include "lab/core/files.hpp"
#include "tests/integration/checks/command/run_command.hpp"

namespace patchlab::checks {
namespace {
using plugins::run_script;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string said(const CheckResult& result) {
  return result.evidence.value("output", "") + result.evidence.value("errors", "") + result.observed;
}

TEST(CommandInTheWorker, IsToldWhereToLookAndSaysWhatItSaw) {
  const auto result = run_script(
      R"(echo "OK $1 $PATCHLAB_ADDRESS $PATCHLAB_PORT $PATCHLAB_MACHINE $PATCHLAB_ROLE $PATCHLAB_DEADLINE_MS|answer=3ms"; exit 0)",
      {{"arguments", {"{address}:{port}"}}, {"port", 25}});
  ASSERT_EQ(result.outcome, Outcome::pass) << said(result);
  EXPECT_THAT(result.observed, HasSubstr("OK 127.0.0.1:25 127.0.0.1 25 mail mail-server 20000"));
  EXPECT_EQ(result.evidence["performance"], (Json{{{"label", "answer"}, {"value", "3"}, {"unit", "ms"}}}));
  EXPECT_EQ(result.evidence["program"], "script.sh");
  EXPECT_TRUE(is_sha256(result.evidence["sha256"].get<std::string>()));
}

TEST(CommandInTheWorker, KeepsTheMeaningOfItsExitCode) {
  EXPECT_EQ(run_script("exit 1").outcome, Outcome::fail);
  EXPECT_EQ(run_script("exit 2").outcome, Outcome::fail);
  EXPECT_EQ(run_script("exit 3").outcome, Outcome::error);
  EXPECT_EQ(run_script("exit 77").outcome, Outcome::skipped);
  EXPECT_EQ(run_script("echo 1..1; echo ok", {{"output", "tap"}}).outcome, Outcome::pass);
  EXPECT_EQ(run_script(R"(echo '{"name": "a", "outcome": "fail"}'; exit 1)", {{"output", "json-lines"}}).outcome,
            Outcome::fail);
}

// As the worker is: nobody, without privileges, with nothing of the host's but its programs.
TEST(CommandInTheWorker, HasNoPrivilegesAndNoSecrets) {
  ::setenv("PATCHLAB_TEST_SECRET", "in the environment", 1);
  const auto result = run_script(
      "id -u; grep -E '^(Cap(Eff|Prm|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status; ls /home /root /var/lib "
      "/etc/shadow /run 2>&1;"
      "env; unshare -n true 2>&1; mount -t tmpfs x /mnt 2>&1; ls /proc/self/fd | wc -l; exit 0");
  ASSERT_EQ(result.outcome, Outcome::pass) << said(result);
  const auto text = said(result);
  if (::geteuid() == 0) {
    EXPECT_THAT(text, HasSubstr("65534\n"));
  }
  EXPECT_THAT(text, AllOf(HasSubstr("CapEff:\t0000000000000000"), HasSubstr("CapPrm:\t0000000000000000"),
                          HasSubstr("CapBnd:\t0000000000000000"), HasSubstr("CapAmb:\t0000000000000000")));
  EXPECT_THAT(text, AllOf(HasSubstr("NoNewPrivs:\t1"), HasSubstr("Seccomp:\t2")));
  EXPECT_THAT(text, AllOf(HasSubstr("cannot access '/home'"), HasSubstr("cannot access '/etc/shadow'")));
  EXPECT_THAT(text, Not(HasSubstr("in the environment")));
}

TEST(CommandInTheWorker, ThatHangsIsKilledAndSaysNothing) {
  const auto start = std::chrono::steady_clock::now();
  for (const auto* script :
       {"echo OK; sleep 1000", "trap '' TERM; echo OK; while :; do sleep 1; done", "echo OK; kill -STOP $$"}) {
    const auto result = run_script(script, Json::object(), Milliseconds(300));
    EXPECT_EQ(result.outcome, Outcome::error) << script;
    EXPECT_EQ(result.reason, "deadline") << script << said(result);
    EXPECT_EQ(result.evidence.value("output", ""), "OK\n") << "what it said is kept";
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(30));
}

TEST(CommandInTheWorker, ThatDiesSaysHow) {
  const auto result = run_script("echo OK; kill -SEGV $$");
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, "signal");
  EXPECT_THAT(result.observed, HasSubstr("signal 11"));
}

TEST(CommandInTheWorker, ThatFloodsIsCutOff) {
  for (const auto* script : {"yes", "yes >&2", "head -c 1000000 /dev/zero"}) {
    const auto result = run_script(script, Json::object(), Milliseconds(1000));
    EXPECT_EQ(result.outcome, Outcome::error) << script;
    EXPECT_EQ(result.reason, "flood") << script;
    EXPECT_LT(result.evidence.dump().size(), 100000U) << script;
  }
}

TEST(CommandInTheWorker, ThatLeavesProcessesBehindTakesThemAlong) {
  const auto name = fmt::format("{}", 777000000 + ::getpid());  // as nobody else sleeps
  for (const auto* how :
       {"setsid sleep {} >/dev/null 2>&1 &", "sleep {} &", "(setsid sh -c 'sleep {} & sleep {}' &)"}) {
    std::string script(how);
    for (auto at = script.find("{}"); at != std::string::npos; at = script.find("{}")) script.replace(at, 2, name);
    const auto result = run_script(script + "\necho OK\nexit 0", Json::object(), seconds(10));
    EXPECT_EQ(result.outcome, Outcome::error) << script;
    EXPECT_EQ(result.reason, "left-processes") << script << said(result);
  }
  EXPECT_FALSE(host_processes().run({.program = "pgrep", .arguments = {"-f", "sleep " + name}}).succeeded());
}

TEST(CommandInTheWorker, ThatForksWithoutEndFindsAnEnd) {
  // It forks once itself: one that may not any more ends with 2, and has an answer.
  const auto result = run_script("f() { f | f & }; f & echo OK; exit 0", Json::object(), Milliseconds(1500));
  EXPECT_EQ(result.outcome, Outcome::error) << said(result);
  // Beside it others still can.
  EXPECT_EQ(run_script("true | cat; exit 0").outcome, Outcome::pass);
}

TEST(CommandInTheWorker, ThatFillsTheDiskFillsItsOwn) {
  const auto result =
      run_script("for i in 1 2 3 4 5 6 7 8; do head -c 15000000 /dev/zero >f$i || exit 2; done; exit 0");
  EXPECT_EQ(result.outcome, Outcome::fail) << said(result);
  EXPECT_THAT(said(result), HasSubstr("No space left on device"));
}

// A stage, a ledger, a run: no path of the host can be written, and none of them can be seen.
TEST(CommandInTheWorker, ThatWritesToTheStageDoesNotFindIt) {
  std::string folder = (std::filesystem::temp_directory_path() / "patchlab-stage-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::filesystem::permissions(folder, std::filesystem::perms(0777));
  std::ofstream(folder + "/manifest.json") << "published";
  std::filesystem::permissions(folder + "/manifest.json", std::filesystem::perms(0666));
  const auto result = run_script(
      "cat \"$1/manifest.json\" 2>&1; echo spoiled >\"$1/manifest.json\"; echo more >\"$1/more\"; echo x >/usr/bin/x; "
      "rm -rf \"$1\" /program; exit 0",
      {{"arguments", {folder}}});
  EXPECT_EQ(result.outcome, Outcome::pass) << said(result);
  EXPECT_THAT(said(result), AllOf(Not(HasSubstr("published")), HasSubstr("Read-only file system")));
  EXPECT_EQ(read_file(folder + "/manifest.json").value(), "published");
  EXPECT_FALSE(std::filesystem::exists(folder + "/more"));
  std::filesystem::remove_all(folder);
}

TEST(CommandInTheWorker, ThatTriesSocketsOfTheHostDoesNotReachThem) {
  std::string folder = (std::filesystem::temp_directory_path() / "patchlab-socket-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::filesystem::permissions(folder, std::filesystem::perms(0777));
  const FileDescriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = folder + "/docker.sock";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);  // NOLINT
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  std::filesystem::permissions(path, std::filesystem::perms(0777));
  const auto result = run_script(
      R"(perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0); exit(connect($s, sockaddr_un($ARGV[0])) ? 0 : 2)' "$1")",
      {{"arguments", {path}}});
  EXPECT_EQ(result.outcome, Outcome::fail) << said(result);
  // To the hypervisor below (AF_VSOCK), and to the kernel's own.
  for (const int family : {40, 38}) {
    const auto other =
        run_script(fmt::format(R"(perl -MSocket -e 'exit(socket(my $s, {}, SOCK_STREAM, 0) ? 0 : 2)')", family));
    EXPECT_EQ(other.outcome, Outcome::fail) << family << said(other);
  }
  std::filesystem::remove_all(folder);
}

TEST(CommandInTheWorker, CannotChangeItself) {
  const auto result = run_script(
      "echo 'exit 2' >>\"$0\"; chmod u+w \"$0\"; touch /program/x; case $0 in /program/script.sh) exit 0;; esac; exit "
      "2");
  EXPECT_EQ(result.outcome, Outcome::pass) << said(result);
  EXPECT_THAT(said(result), HasSubstr("Read-only file system"));
}

TEST(CommandInTheWorker, OfWhichNobodyCanExecuteWhatItNamesIsAnError) {
  const std::string bytes = "#!/nowhere/python9\n";
  const auto result = plugins::run_program({"script.py", sha256(bytes), bytes}, Json::object());
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_EQ(result.reason, "not-started") << said(result);
}

TEST(CommandInTheWorker, WithoutItsProgramIsAnError) {
  CheckWorkers workers;
  workers.program = COMMAND_CHECK_WORKER;
  workers.find = [](const std::string&) { return &command(); };
  const CheckSpec spec{"program", "command", Json{{"program", "true"}}, seconds(5), {}, {}};
  const auto result = run_check(host_processes(), workers, {spec, Target{"127.0.0.1", "127.0.0.1", "lo"}});
  EXPECT_EQ(result.outcome, Outcome::error);
  EXPECT_THAT(result.observed, HasSubstr("no program was brought here"));
}

}  // namespace
}  // namespace patchlab::checks
