// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/recorder.hpp"

#include "tests/unit/lab/guest/recording/recording_test_support.hpp"

namespace patchlab::lab::guest::recording {
namespace {
using testing::HasSubstr;
using windows::Command;
using windows::Effect;

TEST_F(RecordingTest, SendsNothingThatActs) {
  (void)asked(name_questions());
  (void)asked(recorded_questions());
  EXPECT_GT(windows.carried_out.size(), 40U);
  for (const auto command : windows.carried_out) {
    EXPECT_NE(windows::commands()[static_cast<std::size_t>(command)].effect, Effect::acts)
        << windows::commands()[static_cast<std::size_t>(command)].line;
  }
  for (const auto& [path, bytes] : windows.agent.files) EXPECT_TRUE(path.starts_with("C:\\patchlab\\")) << path;
}

TEST_F(RecordingTest, RefusesToSendWhatActs) {
  const Asked restart{"restart", Command::restart, "exec", windows::line_of(Command::restart), {}, false};
  const auto replies = ask_all(agent, clock, {restart}, {}, {});
  ASSERT_FALSE(replies);
  EXPECT_EQ(replies.error().error_class, ErrorClass::bug);
  EXPECT_FALSE(windows.carried_out.contains(Command::restart));
}

TEST_F(RecordingTest, KeepsTheBytesExitCodesAndWhatWasSaved) {
  windows.german = true;
  auto recording = recorded();
  const auto& starts = reply_of(recording, "starts");
  EXPECT_THAT(starts.output, HasSubstr("Suchende: 4 \x9A"
                                       "bereinstimmung(en) gefunden."));
  EXPECT_EQ(starts.by, "job");
  EXPECT_GT(starts.took.count(), 0);
  EXPECT_EQ(reply_of(recording, "web-configuration").exit_code, 0x80070003U);
  EXPECT_EQ(reply_of(recording, "products-32").exit_code, 1U);
  EXPECT_EQ(reply_of(recording, "acl-c-windows-system32-config").file,
            test::FakeWindows::utf16("config\r\n" + windows.rights + "\r\n"));
  EXPECT_EQ(reply_of(recording, "acl-c-inetpub").exit_code, 2U);
  EXPECT_FALSE(reply_of(recording, "acl-c-inetpub").file);
  EXPECT_THAT(reply_of(recording, "drives").output, HasSubstr("\r\r\n"));
  for (const auto& reply : recording.replies) EXPECT_EQ(reply.trouble, "") << reply.id;
}

TEST_F(RecordingTest, TellsReleaseLanguageAndCodePages) {
  const auto recording = recorded();
  EXPECT_EQ(recording.machine,
            (RecordedMachine{"10.0.17763.5329", "Windows Server 2019 Standard", "0407", "850", "1252"}));
}

// One command that hangs, or is not there, costs its own reply alone.
TEST_F(RecordingTest, GoesOnAfterACommandThatGivesNoReply) {
  windows.hanging.insert(Command::quick_fixes);
  auto recording = recorded();
  EXPECT_THAT(reply_of(recording, "quick-fixes").trouble, HasSubstr("did not end in time"));
  EXPECT_EQ(reply_of(recording, "quick-fixes").output, "");
  EXPECT_EQ(reply_of(recording, "packages").trouble, "");
}

TEST_F(RecordingTest, EndsWhenTheGuestGivesNoAnswerAnyMore) {
  windows.agent_dies_at_restart = true;
  windows.boot_takes = Milliseconds(1);
  windows.restart();
  const auto replies = ask_all(agent, clock, recorded_questions(), {}, {});
  ASSERT_FALSE(replies);
  EXPECT_THAT(replies.error().message, HasSubstr("gave no answer"));
}

TEST_F(RecordingTest, CanBeStopped) {
  std::stop_source source;
  std::size_t told = 0;
  const auto replies = ask_all(agent, clock, recorded_questions(), {}, source.get_token(),
                               [&](const auto&, std::size_t number, std::size_t) {
                                 told = number;
                                 if (number == 5) source.request_stop();
                               });
  ASSERT_FALSE(replies);
  EXPECT_EQ(replies.error().error_class, ErrorClass::cancelled);
  EXPECT_EQ(told, 5U);
}

TEST_F(RecordingTest, CrossesFromACellUnchanged) {
  for (const auto& reply : recorded().replies) EXPECT_EQ(reply_from_json(Json(reply)), reply) << reply.id;
}
}  // namespace
}  // namespace patchlab::lab::guest::recording
