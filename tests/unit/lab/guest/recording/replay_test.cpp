// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/replay.hpp"

#include "lab/core/files.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/lab/guest/recording/recording_test_support.hpp"

namespace patchlab::lab::guest::recording {
namespace {
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;

// The adapter sees no difference between a machine and what was recorded of it.
TEST_F(RecordingTest, IsUnderstoodAsTheMachineWas) {
  for (const bool german : {false, true}) {
    windows.german = german;
    const auto understood = understanding_of(recorded());
    for (const auto& step : understood.steps) EXPECT_EQ(step.trouble, "") << step.name;
    EXPECT_TRUE(understood.is_whole());
    EXPECT_THAT(understood.missing, IsEmpty());
    EXPECT_EQ(understood.kernel.build, "17763");
    const auto live = windows::windows_adapter(agent, clock);
    EXPECT_EQ(understood.boot_id, live->boot_id().value());
    EXPECT_EQ(understood.views, live->installed_by_each_means().value());
    EXPECT_FALSE(understood.installed.empty());
    auto state = live->host_state({}).value();
    state.rows = live->view(GuestAdapter::Look::all, {}).value()->state.rows;
    EXPECT_EQ(understood.state, state);
    EXPECT_FALSE(state.rows.empty());
    EXPECT_EQ(understood.restart.strong, live->pending_restart()->strong);
    EXPECT_THAT(understood.evidence, Contains("CBS.log"));
  }
}

TEST_F(RecordingTest, IsUnderstoodTheSameWhenItsFolderIsRead) {
  const test::TemporaryFolder temporary;
  const auto recording = recorded();
  ASSERT_TRUE(write_recording(temporary.path() / "r", recording));
  const auto read = read_recording(temporary.path() / "r");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(understanding_json(*read, understanding_of(*read)),
            understanding_json(recording, understanding_of(recording)));
}

// Each reply in turn is not there: something says so by its name, and nothing is taken for empty.
TEST_F(RecordingTest, SaysOfEveryReplyThatItIsMissing) {
  const auto whole = recorded();
  const auto before = understanding_of(whole);
  // What is told about the machine, beside what the adapter asks for, and what only a rollback asks for.
  const std::set<std::string> not_asked{"release-major",       "release-version",    "release-build",
                                        "release-revision",    "release-product",    "code-page-oem",
                                        "code-page-ansi",      "language",           "drives",
                                        "package-errors",      "servicing-failures", "product-languages-64",
                                        "product-languages-32"};
  std::size_t asked = 0;
  for (std::size_t i = 0; i < whole.replies.size(); ++i) {
    auto recording = whole;
    const auto gone = recording.replies[i];
    recording.replies.erase(recording.replies.begin() + static_cast<std::ptrdiff_t>(i));
    const auto understood = understanding_of(recording);
    if (not_asked.contains(gone.id)) {
      EXPECT_TRUE(understood.is_whole()) << gone.id;
      continue;
    }
    ++asked;
    EXPECT_FALSE(understood.is_whole()) << gone.id;
    ASSERT_EQ(understood.missing.size(), 1U) << gone.id;
    EXPECT_THAT(understood.missing.front(), HasSubstr("not recorded: ")) << gone.id;
    // Nothing else is said of what was not seen.
    for (const auto& [kind, why] : understood.unreadable) {
      EXPECT_THAT(why, HasSubstr("not recorded")) << gone.id << ' ' << kind;
      EXPECT_THAT(understood.state.rows, Not(Contains(Key(kind)))) << gone.id;
    }
    for (const auto& [kind, rows] : before.state.rows) {
      if (!understood.unreadable.contains(kind) && understood.steps[6].trouble.empty())
        EXPECT_EQ(understood.state.rows.at(kind), rows) << gone.id << ' ' << kind;
    }
  }
  EXPECT_GT(asked, 60U);
}

TEST_F(RecordingTest, SaysWhyThereIsNoReply) {
  auto recording = recorded();
  auto& tasks = reply_of(recording, "tasks");
  tasks = {tasks.id, tasks.by, tasks.line, 0, Milliseconds(0), {}, {}, {}, "did not end within 1200 s"};
  const auto understood = understanding_of(recording);
  EXPECT_THAT(understood.unreadable.at("task"), HasSubstr("recorded without a reply"));
  EXPECT_THAT(understood.missing.front(), HasSubstr("did not end within 1200 s"));
}

TEST_F(RecordingTest, NeverDoesAnything) {
  RecordedGuest guest(recorded());
  StillClock still({});
  const auto played = windows::windows_adapter({guest, "srv", still}, still);
  EXPECT_FALSE(played->request_reboot());
  EXPECT_FALSE(played->apply({"KB1.msu"}, std::chrono::seconds(60), {}));
  EXPECT_FALSE(guest.start("srv"));
}

TEST_F(RecordingTest, OfWhatIsNotSupportedSaysThat) {
  windows.kernel = {"10.0", "26100"};
  const auto understood = understanding_of(recorded());
  EXPECT_FALSE(understood.is_whole());
  for (const auto* name : {"release", "installed", "host state"}) {
    const auto step = std::ranges::find(understood.steps, name, &Step::name);
    EXPECT_THAT(step->trouble, HasSubstr("is not supported yet")) << name;
  }
}

TEST_F(RecordingTest, AsJsonHasItsSchema) {
  auto recording = recorded();
  reply_of(recording, "tasks").output = "";
  auto json = understanding_json(recording, understanding_of(recording));
  json["schema"] = "patchlab/guest-replay/v1";
  const auto schema =
      read_json_file(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/guest-replay.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty());
  EXPECT_EQ(json["whole"], false);
}
}  // namespace
}  // namespace patchlab::lab::guest::recording
