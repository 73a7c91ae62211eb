// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/guest/adapter.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;
using testing::HasSubstr;

class GuestAgentTest : public testing::Test {
 protected:
  GuestAgentTest() {
    MachineSpec spec;
    spec.name = "mail";
    (void)hypervisor.define(spec);
    (void)hypervisor.start("mail");
    hypervisor.on_agent([this](auto&, const auto& command) {
      clock.advance(cost);
      return guest.answer(command);
    });
  }
  void program_ends_with(test::FakeAgent::Process process) {
    guest.programs = [process](const auto&, const auto&, const auto&) { return process; };
  }
  void job_ends_with(test::FakeAgent::Job job) {
    guest.jobs = [job](const auto&) { return job; };
  }

  test::FakeClock clock;
  test::FakeHypervisor hypervisor;
  test::FakeAgent guest;
  Milliseconds cost{5};
  GuestAgent agent{hypervisor, "mail", clock};
};

TEST_F(GuestAgentTest, AnswersWhenThePingIsAnswered) { EXPECT_TRUE(agent.answers(1s)); }

TEST_F(GuestAgentTest, DoesNotAnswerInSilenceGarbageOrRefusal) {
  guest.trouble("guest-ping", timeout_error("silence"));
  guest.trouble("guest-ping", std::string("\xff\x01 not json"));
  guest.trouble("guest-ping", test::FakeAgent::refusal("disabled"));
  EXPECT_FALSE(agent.answers(1s));
  EXPECT_FALSE(agent.answers(1s));
  EXPECT_FALSE(agent.answers(1s));
  EXPECT_TRUE(agent.answers(1s));
}

// As libvirt passes it on.
TEST_F(GuestAgentTest, UnderstandsARefusalThatComesAsAnError) {
  guest.trouble("guest-file-open", guest_error("libvirt: failed to open file '/no': No such file or directory"));
  const auto there = agent.exists("/no");
  ASSERT_TRUE(there) << there.error().message;
  EXPECT_FALSE(*there);
  guest.trouble("guest-exec-status", guest_error("libvirt: PID 101 does not exist"));
  const auto process = agent.run("prog", {}, 180s);
  ASSERT_FALSE(process);
  EXPECT_THAT(process.error().message,
              HasSubstr("the end of 'prog' in 'mail' was lost: libvirt: PID 101 does not exist"));
  EXPECT_LT(clock.now(), 2s);
}

TEST_F(GuestAgentTest, ReturnsOutputErrorsAndExitCode) {
  program_ends_with({3, "out\n", std::string("\0\xfe", 2), {}, 4, false});
  const auto process = agent.run("prog", {"a b", "'c'"}, 10s);
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->exit_code, 3U);
  EXPECT_FALSE(process->signalled);
  EXPECT_EQ(process->output, "out\n");
  EXPECT_EQ(process->errors, std::string("\0\xfe", 2));
  EXPECT_THAT(guest.calls, testing::Contains("run prog a b 'c'"));
}

TEST_F(GuestAgentTest, TellsASignalFromAnExitCode) {
  program_ends_with({0, "", "", 9, 1, false});
  const auto process = agent.run("prog", {}, 10s);
  ASSERT_TRUE(process);
  EXPECT_TRUE(process->signalled);
  EXPECT_EQ(process->exit_code, 9U);
}

TEST_F(GuestAgentTest, KeepsWindowsCodesThatArriveAsSignalsOrNegative) {
  program_ends_with({0, "", "", 0xC0000005, 1, false});
  auto process = agent.run("prog", {}, 10s);
  ASSERT_TRUE(process);
  EXPECT_FALSE(process->signalled);
  EXPECT_EQ(process->exit_code, 0xC0000005U);
  program_ends_with({-2145124329, "", "", {}, 1, false});
  process = agent.run("prog", {}, 10s);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->exit_code, 0x80240017U);
}

TEST_F(GuestAgentTest, AsksAgainAfterSilenceAndGarbage) {
  program_ends_with({0, "late", "", {}, 2, false});
  guest.trouble("guest-exec-status", timeout_error("silence"));
  guest.trouble("guest-exec-status", std::string(R"({"return": {"exi)"));
  const auto process = agent.run("prog", {}, 10s);
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->output, "late");
}

TEST_F(GuestAgentTest, SaysThatTheEndWasLostWhenTheAgentForgotTheProcess) {
  guest.trouble("guest-exec-status", std::string(R"({"return": {"exited": tr)"), 1, true);
  const auto process = agent.run("prog", {"arg"}, 10s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().error_class, ErrorClass::guest);
  EXPECT_EQ(process.error().message,
            "the end of 'prog arg' in 'mail' was lost: PID 101 does not exist (before: guest agent of 'mail', "
            "guest-exec-status: the answer "
            "is not a JSON object: '{\"return\": {\"exited\": tr')");
}

TEST_F(GuestAgentTest, StopsAtTheDeadlineAndSaysWhatRan) {
  program_ends_with({0, "", "", {}, 1000000, false});
  const auto process = agent.run("sleep", {"forever"}, 3s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().error_class, ErrorClass::timeout);
  EXPECT_EQ(process.error().message, "'sleep forever' in 'mail' did not end in time; it may still be running there");
  EXPECT_GE(clock.now(), 3s);
  EXPECT_LE(clock.now(), 3s + 100ms);
}

TEST_F(GuestAgentTest, PollsLessAndLessOften) {
  cost = 0ms;
  program_ends_with({0, "", "", {}, 1000000, false});
  (void)agent.run("sleep", {}, 60s).has_value();
  const auto looks = std::count(guest.calls.begin(), guest.calls.end(), "guest-exec-status");
  // Every 250 ms would be 240; the eager start adds a few. Every 20 ms would be 3000.
  EXPECT_GT(looks, 240);
  EXPECT_LT(looks, 255);
}

TEST_F(GuestAgentTest, StopsWhenCancelled) {
  program_ends_with({0, "", "", {}, 1000000, false});
  std::stop_source source;
  source.request_stop();
  const auto process = agent.run("sleep", {}, 60s, source.get_token());
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().error_class, ErrorClass::cancelled);
  EXPECT_EQ(process.error().message, "cancelled while 'sleep' ran in 'mail'");
  EXPECT_LT(clock.now(), 1s);
}

TEST_F(GuestAgentTest, NamesMachineAndCommandWhenTheAgentRefuses) {
  guest.trouble("guest-exec", test::FakeAgent::refusal("Failed to execute child process"));
  const auto process = agent.run("prog", {"x"}, 10s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().message,
            "running 'prog x': guest agent of 'mail' refused guest-exec: Failed to execute child process");
}

TEST_F(GuestAgentTest, RefusesOutputThatTheAgentCutOff) {
  program_ends_with({0, "half", "", {}, 1, true});
  const auto process = agent.run("prog", {}, 10s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().message, "guest agent of 'mail' cut the output of the command off");
}

TEST_F(GuestAgentTest, RefusesAnOversizedReply) {
  guest.trouble("guest-exec", "{\"return\": \"" + std::string(5U << 20U, 'x') + "\"}");
  const auto process = agent.run("prog", {}, 10s);
  ASSERT_FALSE(process);
  EXPECT_THAT(process.error().message, HasSubstr("more than the 4194304 allowed"));
}

TEST_F(GuestAgentTest, RefusesAnswersOfTheWrongShape) {
  for (const auto* reply : {"{}", "[]", "7", "", R"({"return": {}})", R"({"return": 7})", R"({"return": {"pid": "x"}})",
                            R"({"error": 7})"}) {
    guest.trouble("guest-exec", std::string(reply));
    const auto process = agent.run("prog", {}, 10s);
    ASSERT_FALSE(process) << reply;
    EXPECT_EQ(process.error().error_class, ErrorClass::guest) << reply;
    EXPECT_THAT(process.error().message, HasSubstr("'mail'")) << reply;
  }
}

TEST_F(GuestAgentTest, RefusesOutputThatIsNotBase64) {
  guest.trouble("guest-exec-status", std::string(R"({"return": {"exited": true, "exitcode": 0, "out-data": "Zg="}})"));
  const auto process = agent.run("prog", {}, 10s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().message, "guest agent of 'mail', guest-exec-status: the output is not base64");
}

TEST_F(GuestAgentTest, HandsAScriptOverOnStandardInputSoThatTheGuestDoesNotLogIt) {
  std::string seen;
  guest.programs = [&](const auto&, const auto&, const auto& script) {
    seen = script;
    return test::FakeAgent::Process{};
  };
  ASSERT_TRUE(agent.run_script("echo error: \"$1\"", {"one"}, 10s));
  EXPECT_EQ(seen, "{\necho error: \"$1\"\n} </dev/null\n");
  EXPECT_THAT(guest.calls, testing::Contains("run /bin/sh -s -- one"));
}

TEST_F(GuestAgentTest, ReadsAFileInBlocksBelowTheReplyLimit) {
  guest.files["/big"] = std::string(1000003, 'y');
  const auto bytes = agent.read_file("/big");
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(*bytes, guest.files["/big"]);
  EXPECT_LT(guest.largest_reply, 1U << 20U);
  EXPECT_EQ(guest.open_handles(), 0U);
}

TEST_F(GuestAgentTest, WritesAFileInBlocks) {
  std::string bytes;
  for (int i = 0; i < 700001; ++i) bytes += static_cast<char>(i % 251);
  ASSERT_TRUE(agent.write_file("/target", bytes));
  EXPECT_EQ(guest.files["/target"], bytes);
  EXPECT_EQ(std::count(guest.calls.begin(), guest.calls.end(), "guest-file-write"), 3);
  EXPECT_EQ(guest.open_handles(), 0U);
}

TEST_F(GuestAgentTest, ReadsTheEndOfAFile) {
  guest.files["/log"] = std::string(600000, 'a') + "the end";
  EXPECT_EQ(agent.read_tail("/log", 7).value_or(""), "the end");
  guest.files["/short"] = "ab";
  EXPECT_EQ(agent.read_tail("/short", 7).value_or(""), "ab");
  EXPECT_EQ(guest.open_handles(), 0U);
}

TEST_F(GuestAgentTest, RefusesAFileThatIsTooLargeAndClosesIt) {
  guest.files["/big"] = std::string(100, 'y');
  const auto bytes = agent.read_file("/big", 99);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().message, "reading '/big' in 'mail': larger than the 99 bytes allowed");
  EXPECT_EQ(guest.open_handles(), 0U);
}

TEST_F(GuestAgentTest, RefusesABlockThatIsShorterThanItSays) {
  guest.files["/f"] = "abc";
  guest.trouble("guest-file-read", std::string(R"({"return": {"count": 9, "buf-b64": "YWJj", "eof": true}})"));
  const auto bytes = agent.read_file("/f");
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().message, "reading '/f' in 'mail': the agent's answer holds no whole block");
}

TEST_F(GuestAgentTest, TellsAMissingFileFromTrouble) {
  EXPECT_FALSE(agent.exists("/none").value_or(true));
  guest.files["/some"] = "";
  EXPECT_TRUE(agent.exists("/some").value_or(false));
  guest.trouble("guest-file-open",
                test::FakeAgent::refusal("failed to open file '/locked' (mode: 'r'): Permission denied"));
  EXPECT_FALSE(agent.exists("/locked"));
  const auto missing = agent.read_file("/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "no file '/none' in 'mail'");
  EXPECT_EQ(guest.open_handles(), 0U);
}

TEST_F(GuestAgentTest, RunsADetachedJobAndReadsItsFiles) {
  std::string command;
  guest.jobs = [&](const auto& text) {
    command = text;
    return test::FakeAgent::Job{2, "unpacking\nfailed\n", 5};
  };
  const auto process = agent.run_detached("dpkg -i 'it''s' \"$x\"", 60s);
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->exit_code, 2U);
  EXPECT_EQ(process->output, "unpacking\nfailed\n");
  EXPECT_EQ(command, "dpkg -i 'it''s' \"$x\"");
}

TEST_F(GuestAgentTest, ADetachedJobSurvivesALostReplyAndARestartOfTheAgent) {
  job_ends_with({0, "done", 3});
  guest.trouble("guest-exec-status", std::string("garbage"), 1, true);
  guest.trouble("guest-file-open", infrastructure_error("guest agent is not connected"), 4);
  const auto process = agent.run_detached("dpkg -i qemu-guest-agent.deb", 60s);
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->output, "done");
}

TEST_F(GuestAgentTest, QuotesWhatAHungJobPrintedLast) {
  job_ends_with({std::nullopt, "Setting up foo\nOverwrite? [y/N] ", 1});
  const auto process = agent.run_detached("dpkg -i foo.deb", 5s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().error_class, ErrorClass::timeout);
  EXPECT_EQ(process.error().message,
            "'dpkg -i foo.deb' in 'mail' did not end within 5.0 s; last printed: 'Setting up foo Overwrite? [y/N] '");
  EXPECT_EQ(guest.open_handles(), 0U);
}

TEST_F(GuestAgentTest, NoticesThatTheGuestRestartedUnderAJob) {
  job_ends_with({std::nullopt, "Setting up kernel", 1});
  int asked = 0;
  hypervisor.on_agent([&](auto&, const auto& command) {
    clock.advance(50ms);
    if (++asked == 40) guest.restart();
    return guest.answer(command);
  });
  const auto process = agent.run_detached("dpkg -i kernel.deb", 600s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().error_class, ErrorClass::guest);
  EXPECT_EQ(process.error().message, "'mail' restarted while 'dpkg -i kernel.deb' ran");
  EXPECT_LT(clock.now(), 30s);
}

TEST_F(GuestAgentTest, SaysWhenAJobCannotBeStarted) {
  guest.trouble("guest-exec-status",
                std::string(R"({"return": {"exited": true, "exitcode": 90, "err-data": "ZnVsbA=="}})"));
  const auto process = agent.run_detached("dpkg -i foo.deb", 60s);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().message, "'dpkg -i foo.deb' could not be started in 'mail': full");
}

TEST_F(GuestAgentTest, CancelsADetachedJob) {
  job_ends_with({std::nullopt, "", 1});
  std::stop_source source;
  int asked = 0;
  hypervisor.on_agent([&](auto&, const auto& command) {
    if (++asked == 10) source.request_stop();
    return guest.answer(command);
  });
  const auto process = agent.run_detached("dpkg -i foo.deb", 600s, source.get_token());
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().error_class, ErrorClass::cancelled);
  EXPECT_LT(clock.now(), 60s);
}

TEST_F(GuestAgentTest, JobsOfOneGuestGetDifferentFolders) {
  guest.jobs = [](const auto& command) { return test::FakeAgent::Job{0, command, 1}; };
  EXPECT_EQ(agent.run_detached("first", 60s)->output, "first");
  EXPECT_EQ(agent.run_detached("second", 60s)->output, "second");
  EXPECT_EQ(std::count_if(guest.files.begin(), guest.files.end(),
                          [](const auto& file) { return file.first.ends_with("/out"); }),
            2);
}

TEST_F(GuestAgentTest, SetsTheClockByDate) {
  ASSERT_TRUE(agent.set_time_to_host());
  EXPECT_THAT(guest.calls, testing::Contains("run date -u -s @1795327200.000"));
  EXPECT_THAT(guest.calls, testing::Not(testing::Contains("guest-set-time")));
}

TEST_F(GuestAgentTest, SetsTheClockByTheAgentWhereThereIsNoDate) {
  guest.trouble("guest-exec", test::FakeAgent::refusal("Failed to execute child process"));
  ASSERT_TRUE(agent.set_time_to_host());
  EXPECT_THAT(guest.calls, testing::Contains("guest-set-time"));
}

TEST_F(GuestAgentTest, TakesSilenceAfterAPowerRequestForSuccess) {
  guest.trouble("guest-shutdown", timeout_error("silence"));
  EXPECT_TRUE(agent.request_power("powerdown"));
  guest.trouble("guest-shutdown", test::FakeAgent::refusal("child process has failed to shutdown"));
  const auto refused = agent.request_power("reboot");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "'mail' refused guest-shutdown: child process has failed to shutdown");
}

}  // namespace
}  // namespace patchlab::lab::guest
