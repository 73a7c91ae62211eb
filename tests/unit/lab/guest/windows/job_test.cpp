// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/job.hpp"

#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using namespace std::chrono_literals;
using testing::HasSubstr;

class WindowsJobTest : public WindowsTest {
 protected:
  Result<JobResult> run(const std::string& command, Milliseconds deadline = 60s, std::stop_token stop = {}) {
    return jobs.run({command}, "a job", {.deadline = deadline}, stop);
  }
  // An installer whose file is already in the guest.
  test::FakeWindows::Installer& installer() {
    windows.agent.files["C:\\patchlab\\x.msu"] = "MSCF";
    return windows.installers["x.msu"];
  }
  const std::string line = line_of(Command::install_msu, {{"file", "x.msu"}});
  JobRunner jobs{agent, clock, [this] { return adapter->boot_id(); }};
};

TEST_F(WindowsJobTest, ScriptSetsTheCodePageAndWritesOutputAndExitCode) {
  EXPECT_EQ(job_script({"ver"}, "t1"),
            "@echo off\r\nchcp 65001 >nul\r\ndel /f /q C:\\patchlab\\patchlab-*.out 2>nul\r\nset code=not-run\r\n"
            "call :work >C:\\patchlab\\t1.out 2>&1 <nul\r\n"
            ":report\r\n>C:\\patchlab\\job.code echo t1 %code%\r\n"
            "for %%f in (C:\\patchlab\\job.code) do if %%~zf==0 goto report\r\nexit /b 0\r\n"
            ":work\r\nver\r\nset code=%errorlevel%\r\nexit /b 0\r\n");
}

TEST_F(WindowsJobTest, EndsOnlyWithAWholeCodeOfItsOwn) {
  const auto code = [](std::string_view text) { return finished_with(text, "t1").value().value(); };
  EXPECT_EQ(code("t1 3010\r\n"), 3010U);
  EXPECT_EQ(code("t1 -2145124329\r\n"), 0x80240017U);
  for (const auto* text : {"", "t1", "t1 ", "t1 30", "t1 3010\r", "t2 3010\r\n", "t12 0\r\n", "t1 \r\n", "t1 x\r\n"}) {
    EXPECT_FALSE(finished_with(text, "t1")) << text;
  }
}

// cmd.exe says 1 then, as installers do, and has run nothing.
TEST_F(WindowsJobTest, ThatCouldNotRunIsTroubleAndNoExitCode) {
  installer();
  windows.refuses_output = true;
  const auto result = jobs.run({line}, "x.msu", {.deadline = 60s, .only_tail = true});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_class, ErrorClass::infrastructure);
  EXPECT_THAT(result.error().message,
              testing::AllOf(HasSubstr("x.msu in 'srv': cmd could not write to 'C:\\patchlab\\patchlab-"),
                             testing::EndsWith(".out'")));
}

TEST_F(WindowsJobTest, RunsWhileAnEarlierOneIsHeldByWhatItStarted) {
  installer().output = "first";
  windows.installer_stays = true;
  ASSERT_EQ(run(line)->output, "first");
  installer().output = "second";
  ASSERT_EQ(run(line)->output, "second");
}

TEST_F(WindowsJobTest, ReturnsOutputAndNormalisedExitCode) {
  installer().exit_code = -2145124329;
  installer().output = "some \x9Awords\r\n";
  const auto result = run(line);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->exit_code, 0x80240017U);
  EXPECT_EQ(result->output, "some \xEF\xBF\xBDwords\r\n");
  EXPECT_EQ(windows.agent.open_handles(), 0U);
}

TEST_F(WindowsJobTest, DoesNotTakeTheEndOfAnEarlierJobForItsOwn) {
  installer().exit_code = 5;
  ASSERT_EQ(run(line)->exit_code, 5U);
  installer().exit_code = 0;
  installer().takes = 30s;
  const auto start = clock.now();
  ASSERT_EQ(run(line)->exit_code, 0U);
  EXPECT_GE(clock.now() - start, 30s);
}

TEST_F(WindowsJobTest, DoesNotReadTheAgentsWordsForAFileThatIsNotThere) {
  windows.german = true;
  installer().takes = 20s;
  ASSERT_TRUE(run(line));
  EXPECT_EQ(times_run("Kernel-General"), 1);  // nothing looked like trouble
}

TEST_F(WindowsJobTest, SurvivesASilentAgentAndALostReply) {
  installer().takes = 20s;
  hypervisor.on_agent([this](auto&, const auto& command) -> Result<std::string> {
    if (clock.now() > 5s && clock.now() < 8s) {
      clock.advance(300ms);
      return infrastructure_error("guest agent is not connected");
    }
    if (clock.now() > 10s && clock.now() < 12s) return std::string("{\"return\"");
    return windows.answer(command);
  });
  const auto result = run(line);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->exit_code, 0U);
  EXPECT_GE(times_run("Kernel-General"), 2);  // the machine proved that it had not restarted
}

TEST_F(WindowsJobTest, NoticesThatTheMachineRestartedUnderIt) {
  installer().restarts_at_once = true;
  const auto result = run(line, 600s);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_class, ErrorClass::guest);
  EXPECT_EQ(result.error().message, "'srv' restarted while 'a job' ran");
  EXPECT_LT(clock.now(), 60s);
}

TEST_F(WindowsJobTest, RefusesOutputWithoutEndUnlessItsTailIsEnough) {
  installer().output = std::string(2000, 'x');
  const auto refused = jobs.run({line}, "a job", {.deadline = 60s, .output = 1999});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              testing::AllOf(testing::StartsWith("a job: reading 'C:\\patchlab\\patchlab-"),
                             testing::EndsWith(".out' in 'srv': larger than the 1999 bytes allowed")));
  const auto tail = jobs.run({line}, "a job", {.deadline = 60s, .output = 1999, .only_tail = true});
  ASSERT_TRUE(tail) << tail.error().message;
  EXPECT_EQ(tail->output.size(), 2000U);
}

TEST_F(WindowsJobTest, KeepsAnInstallersExitCodeWhenItsOutputCannotBeRead) {
  installer().exit_code = 3010;
  hypervisor.on_agent([this](auto&, const auto& command) -> Result<std::string> {
    if (command.find(".out") != std::string::npos)
      return test::FakeAgent::refusal("failed to open file: used by another process");
    return windows.answer(command);
  });
  const auto result = jobs.run({line}, "a job", {.deadline = 60s, .only_tail = true});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->exit_code, 3010U);
  EXPECT_THAT(result->output, HasSubstr("used by another process"));
  EXPECT_FALSE(jobs.run({line}, "a job", {.deadline = 60s}));
}

TEST_F(WindowsJobTest, IsEndedAtTheDeadlineAndQuoted) {
  installer().hangs = true;
  installer().output = "Continue? [y/n] ";
  const auto result = run(line, 20s);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_class, ErrorClass::timeout);
  EXPECT_EQ(result.error().message, "'a job' in 'srv' did not end within 20.0 s; last printed: 'Continue? [y/n] '");
  EXPECT_EQ(times_run("taskkill.exe /pid "), 1);
  EXPECT_LT(clock.now(), 25s);
}

TEST_F(WindowsJobTest, IsEndedWhenCancelled) {
  installer().hangs = true;
  std::stop_source source;
  source.request_stop();
  const auto result = run(line, 600s, source.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_class, ErrorClass::cancelled);
  EXPECT_EQ(times_run("taskkill.exe /pid "), 1);
  EXPECT_LT(clock.now(), 20s);
}

TEST_F(WindowsJobTest, MakesItsFolderInAFreshGuest) {
  EXPECT_FALSE(windows.folder_there);
  installer();
  ASSERT_TRUE(run(line));
  EXPECT_EQ(times_run("mkdir"), 1);
  ASSERT_TRUE(run(line));
  EXPECT_EQ(times_run("mkdir"), 1);
}

TEST_F(WindowsJobTest, SaysWhyItCannotBeUploaded) {
  installer();
  windows.folder_there = true;
  windows.agent.trouble("guest-file-write", test::FakeAgent::refusal("There is not enough space on the disk."), 2);
  const auto result = run(line);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("not enough space"));
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
