// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "lab/core/files.hpp"
#include "lab/guest/recording/code_page.hpp"
#include "lab/guest/recording/understanding.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/lab/guest/recording/recording_test_support.hpp"
#include "tests/unit/transcripts/transcripts.hpp"

// Recordings of whole machines beside the transcripts of single commands: one family. And the other way round: real
// outputs of six languages put into a recording, as the adapter would meet them on a machine.
namespace patchlab::recorded {
namespace {
namespace fs = std::filesystem;
namespace recording = lab::guest::recording;
using testing::HasSubstr;
using testing::IsEmpty;

// Beside the folder: in it, it would be given away with it.
fs::path expected_of(const fs::path& folder) { return fs::path(folder) += ".expected.json"; }

Json replayed(const recording::Recording& read) {
  auto json = recording::understanding_json(read, recording::understanding_of(read));
  json["schema"] = "patchlab/guest-replay/v1";
  return json;
}

// What is wrong with a recording that was put beside the transcripts; empty: nothing.
std::string wrong_with(const fs::path& folder) {
  const auto read = recording::read_recording(folder);
  if (!read) return read.error().message;
  const auto found = replayed(*read);
  const auto expected = read_json_file(expected_of(folder));
  if (!expected)
    return fmt::format("{}: look at what 'patchlab guest replay {} --json' says, and keep it there",
                       expected.error().message, folder.string());
  if (*expected == found) return {};
  return fmt::format("{} is understood otherwise than {} says: {}", folder.string(), expected_of(folder).string(),
                     Json::diff(*expected, found).dump());
}

TEST(Recordings, AreUnderstoodAsIsExpectedOfThem) {
  for (const auto& folder : recordings()) EXPECT_EQ(wrong_with(folder), "");
}

class ComposedRecording : public recording::RecordingTest {
 protected:
  // The transcript's own bytes, or as its machine's console prints them.
  static std::string bytes_of(const Transcript& transcript, bool in_code_page) {
    auto bytes = transcript.bytes().value();
    if (!in_code_page || transcript.entry.value("encoding", "utf-8") != "utf-8") return bytes;
    return recording::in_code_page(bytes, transcript.entry.at("code_page").get<std::string>()).value_or(bytes);
  }
  // "[1, 1077]" of the index, in the words of a host state.
  static std::string word_of(const Json& state) {
    switch (state.at(0).get<int>()) {
      case 1: return state.at(1) == 0 || state.at(1) == 1077 ? "stopped" : "failed";
      case 2: return "starting";
      case 3: return "stopping";
      case 4: return "running";
      default: return "paused";
    }
  }
};

TEST_F(ComposedRecording, IsUnderstoodInEveryLanguage) {
  const auto base = recorded();
  std::map<std::string, std::size_t> tried;
  for (const auto& transcript : transcripts()) {
    const auto& expected = transcript.expected();
    const auto tool = transcript.tool();
    if (expected.contains("error")) continue;
    for (const bool in_code_page : {false, true}) {
      auto composed = base;
      const auto bytes = bytes_of(transcript, in_code_page);
      const auto where = fmt::format("{}{}", transcript.file(), in_code_page ? " in its code page" : "");
      if (tool.starts_with("sc query")) {
        for (const auto& [name, state] : expected.items()) windows.services[name] = {};
        composed = recorded();
        reply_of(composed, "service-states").output = bytes;
      } else if (tool.starts_with("netstat")) {
        reply_of(composed, "sockets").output = bytes;
        reply_of(composed, "processes").output = expected.value("processes", "\"nobody\",\"1\",\"N/A\"\r\n");
      } else if (tool.starts_with("certutil")) {
        auto& reply = reply_of(composed, "web-configuration");
        reply.output = bytes;
        reply.exit_code = 0;
      } else if (expected.contains("absent")) {
        for (const auto* id : {"pending-exclusive", "pending-updates", "shares"}) {
          auto& reply = reply_of(composed, id);
          reply.output = bytes;
          reply.exit_code = 1;
        }
      } else {
        continue;
      }
      auto& times = tried[transcript.entry.at("language").get<std::string>()];
      if (++times == 2) {  // once in each language through a folder, as it would come to us
        const test::TemporaryFolder temporary;
        ASSERT_TRUE(recording::write_recording(temporary.path() / "r", composed));
        const auto read = recording::read_recording(temporary.path() / "r");
        ASSERT_TRUE(read) << read.error().message;
        composed = *read;
      }
      const auto understood = recording::understanding_of(composed);
      for (const auto& step : understood.steps) EXPECT_EQ(step.trouble, "") << where << ": " << step.name;
      EXPECT_THAT(understood.unreadable, IsEmpty()) << where;
      if (tool.starts_with("sc query")) {
        for (const auto& [name, state] : expected.items()) {
          const auto found = understood.state.services.find(name);
          // Those of one logon are not watched, nor what manages itself.
          const bool is_watched = name.find('_') == std::string::npos && name != "remoteregistry";
          ASSERT_EQ(found != understood.state.services.end(), is_watched) << where << ": " << name;
          if (is_watched) EXPECT_EQ(found->second, word_of(state)) << where << ": " << name;
          windows.services.erase(name);
        }
        windows.services["DNS"] = {};
        windows.services["Spooler"] = {};
      } else if (tool.starts_with("netstat")) {
        EXPECT_EQ(Json(understood.state.listeners), expected.at("listeners")) << where;
      } else if (tool.starts_with("certutil")) {
        EXPECT_EQ(Json(understood.state.rows.at("web-setting")), expected.at("rows").at("web-setting")) << where;
      } else {
        EXPECT_THAT(understood.restart.strong, IsEmpty()) << where;
        EXPECT_FALSE(understood.state.rows.contains("share")) << where;
      }
    }
  }
  for (const auto* language : {"en", "de", "es", "ru", "ja", "fr", "zh"})
    EXPECT_GE(tried[language], language == std::string("zh") ? 2U : 4U) << language;
}

// What is put beside the transcripts is held against what was understood of it before, whatever it is.
TEST_F(ComposedRecording, BesideTheTranscriptsIsHeldAgainstWhatIsExpectedOfIt) {
  const test::TemporaryFolder temporary;
  const auto folder = temporary.path() / "srv2019";
  ASSERT_TRUE(recording::write_recording(folder, recorded()));
  temporary.write("index.json", R"({"files": []})");
  ::setenv("PATCHLAB_TRANSCRIPTS", temporary.path().c_str(), 1);
  const auto all = recordings();
  ::unsetenv("PATCHLAB_TRANSCRIPTS");
  EXPECT_THAT(all, testing::Contains(folder));
  EXPECT_THAT(wrong_with(folder), HasSubstr("look at what 'patchlab guest replay"));
  const auto json = replayed(recording::read_recording(folder).value());
  ASSERT_TRUE(write_file_atomically(expected_of(folder), json.dump()));
  EXPECT_EQ(wrong_with(folder), "");
  auto other = json;
  other["state"]["services"]["DNS"] = "stopped";
  ASSERT_TRUE(write_file_atomically(expected_of(folder), other.dump()));
  EXPECT_THAT(wrong_with(folder), HasSubstr("/state/services/DNS"));
}
}  // namespace
}  // namespace patchlab::recorded
