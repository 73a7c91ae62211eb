// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/child.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>

#include <mutex>

#include "lab/core/files.hpp"
#include "tests/support/process_state.hpp"

namespace patchlab {
namespace {
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.program = "sh";
  spec.arguments = {"-c", script};
  return spec;
}

ChildProcess started(const ProcessSpec& spec) {
  auto child = ChildProcess::start(spec);
  EXPECT_TRUE(child) << (child ? "" : child.error().message);
  return std::move(*child);
}

std::string next_line(ChildProcess& child) {
  auto line = child.read_line(seconds(10));
  if (!line) return "error: " + line.error().message;
  return line->value_or("(end)");
}

TEST(ChildProcess, AnswersLineByLine) {
  auto child = started(shell("while read line; do echo \"got $line\"; done; echo bye"));
  ASSERT_TRUE(child.write_line("one"));
  EXPECT_EQ(next_line(child), "got one");
  ASSERT_TRUE(child.write_line("two words"));
  EXPECT_EQ(next_line(child), "got two words");
  child.close_input();
  EXPECT_EQ(next_line(child), "bye");
  EXPECT_EQ(next_line(child), "(end)");
  EXPECT_EQ(child.wait(seconds(10)).describe(), "exit code 0");
  EXPECT_FALSE(child.running());
}

TEST(ChildProcess, SaysWhyItDidNotStart) {
  ProcessSpec spec;
  spec.program = "no-such-program-here";
  const auto child = ChildProcess::start(spec);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "starting 'no-such-program-here': 'no-such-program-here' is not in PATH");
}

TEST(ChildProcess, DeliversLinesWrittenBeforeItEnded) {
  auto child = started(shell("echo first; echo second; printf unfinished; exit 7"));
  EXPECT_EQ(child.wait(seconds(10)).describe(), "exit code 7");
  EXPECT_EQ(next_line(child), "first");
  EXPECT_EQ(next_line(child), "second");
  EXPECT_EQ(next_line(child), "unfinished");
  EXPECT_EQ(next_line(child), "(end)");
}

TEST(ChildProcess, ReadingTimesOutAndCanBeCancelled) {
  auto child = started(shell("read line"));
  const auto late = child.read_line(Milliseconds(20));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error_class, ErrorClass::timeout);
  std::stop_source source;
  source.request_stop();
  const auto cancelled = child.read_line(seconds(10), source.get_token());
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().error_class, ErrorClass::cancelled);
  EXPECT_TRUE(child.running());
  EXPECT_TRUE(std::holds_alternative<TimedOut>(child.wait(Milliseconds(10)).end));
}

TEST(ChildProcess, WritingToADeadOneIsAnErrorAndNotASignal) {
  auto child = started(shell("exit 0"));
  EXPECT_TRUE(child.wait(seconds(10)).succeeded());
  const auto written = child.write_line("hello");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("Broken pipe"));
}

TEST(ChildProcess, WritingToOneThatDoesNotReadTimesOut) {
  auto child = started(shell("sleep 300"));
  const auto written = child.write_line(std::string(1U << 20U, 'x'), Milliseconds(50));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().error_class, ErrorClass::timeout);
}

TEST(ChildProcess, SignalReachesTheWholeGroup) {
  auto child = started(shell("sleep 300 & echo $!; wait"));
  const auto grandchild = std::stoi(next_line(child));
  child.send_signal(SIGKILL);
  EXPECT_EQ(child.wait(seconds(10)).describe(), "killed by signal 9");
  EXPECT_TRUE(test::ends_soon(grandchild));
}

TEST(ChildProcess, DiesWithItsOwner) {
  pid_t pid = 0;
  {
    auto child = started(shell("exec sleep 300"));
    pid = child.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ChildProcess, KeepsStandardErrorInLogCallbackAndOutcome) {
  char folder[] = "/tmp/patchlab-child-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const auto log = std::filesystem::path(folder) / "cell.log";
  std::mutex mutex;
  std::vector<std::string> lines;
  auto spec = shell("echo one >&2; echo two >&2");
  spec.on_error_line = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  };
  auto child = ChildProcess::start(spec, log);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(seconds(10)).errors, "one\ntwo\n");
  EXPECT_THAT(lines, ElementsAre("one", "two"));
  EXPECT_EQ(*read_file(log), "one\ntwo\n");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace patchlab
