// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/recording.hpp"

#include <filesystem>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/lab/guest/recording/recording_test_support.hpp"

namespace patchlab::lab::guest::recording {
namespace {
namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// A folder that was given to us.
class RecordingFolder : public testing::Test {
 protected:
  RecordingFolder() {
    recording_ = {"patchlab 0",
                  "2026-11-30T01:00:00Z",
                  {"10.0.17763", "Windows Server 2019", "0409", "437", "1252"},
                  {{"os-info", "agent", "guest-get-osinfo", 0, Milliseconds(3), R"({"id":"mswindows"})", {}, {}, {}},
                   {"drives", "exec", "wmic", 0, Milliseconds(5), std::string("a\0b", 3), "err\xFF", {}, {}},
                   {"acl-c", "job", "icacls", 0, Milliseconds(7), "", {}, std::string("\xFF\xFE"), {}},
                   {"tasks", "job", "schtasks", 1, Milliseconds(0), "x", {}, {}, {}},
                   {"late", "job", "dism", 0, Milliseconds(0), {}, {}, {}, "did not end"}},
                  {{"host-name", "host", 1, 12}},
                  {"hostxx1"}};
    EXPECT_TRUE(write_recording(folder_, recording_));
  }
  Json manifest() const { return read_json_file(folder_ / "manifest.json").value(); }
  void change(const std::function<void(Json&)>& change) {
    auto json = manifest();
    change(json);
    ASSERT_TRUE(write_file_atomically(folder_ / "manifest.json", json.dump()));
  }
  // That the folder is refused, with a next step.
  std::string trouble() const {
    const auto read = read_recording(folder_);
    EXPECT_FALSE(read);
    if (read) return {};
    EXPECT_EQ(read.error().error_class, ErrorClass::configuration);
    EXPECT_NE(read.error().hint, "") << read.error().message;
    return read.error().message;
  }

  test::TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "given";
  Recording recording_;
};

TEST_F(RecordingFolder, IsReadAsItWasWritten) {
  const auto read = read_recording(folder_);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, recording_);
}

TEST_F(RecordingFolder, HasAManifestOfItsSchema) {
  const auto schema = read_json_file(fs::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/recording.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(manifest()), testing::IsEmpty());
}

TEST_F(RecordingFolder, IsNeverWrittenOverSomethingElse) {
  const auto again = write_recording(folder_, recording_);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("is not empty"));
}

TEST_F(RecordingFolder, MustBeThere) {
  fs::remove(folder_ / "manifest.json");
  EXPECT_THAT(trouble(), HasSubstr("manifest.json' is not there"));
  fs::remove_all(folder_);
  EXPECT_THAT(trouble(), HasSubstr("is no folder"));
}

TEST_F(RecordingFolder, IsRefusedWhenAFileWasChangedOrCutOff) {
  const auto file = folder_ / "replies/drives.out";
  ASSERT_TRUE(write_file_atomically(file, std::string("a\0c", 3)));
  EXPECT_THAT(trouble(), AllOf(HasSubstr("drives.out'"), HasSubstr("SHA-256")));
  ASSERT_TRUE(write_file_atomically(file, "a"));
  EXPECT_THAT(trouble(), AllOf(HasSubstr("drives.out'"), HasSubstr("has 1 bytes, and manifest.json says 3")));
  fs::remove(file);
  EXPECT_THAT(trouble(), AllOf(HasSubstr("drives.out'"), HasSubstr("No such file")));
}

TEST_F(RecordingFolder, IsRefusedWithAFileThatNoReplyNames) {
  ASSERT_TRUE(write_file_atomically(folder_ / "replies/more.out", "x"));
  EXPECT_THAT(trouble(), HasSubstr("more.out' is named by no reply"));
}

TEST_F(RecordingFolder, IsRefusedWithAnythingBesideItsManifest) {
  ASSERT_TRUE(write_file_atomically(folder_ / "names.txt", "x"));
  EXPECT_THAT(trouble(), HasSubstr("names.txt' is named by no recording"));
  fs::remove(folder_ / "names.txt");
  fs::create_directory(folder_ / ".more");
  EXPECT_THAT(trouble(), HasSubstr(".more' is named by no recording"));
}

TEST_F(RecordingFolder, OpensNothingOutsideOfIt) {
  ASSERT_TRUE(write_file_atomically(temporary_.path() / "secret", "top"));
  const auto names = [&](const std::string& file) {
    change([&](Json& json) {
      json["replies"][0]["output"] = {{"file", file}, {"bytes", 3}, {"sha256", sha256("top")}};
    });
    return trouble();
  };
  for (const auto* file : {"../secret", "replies/../../secret", "/etc/passwd", "replies/other.out", ""})
    EXPECT_THAT(names(file), HasSubstr("/replies/0/output")) << file;
  // A link in the place of a file, and one in the place of the folder.
  change([&](Json& json) {
    json["replies"][0]["output"] = {{"file", "replies/os-info.out"}, {"bytes", 3}, {"sha256", sha256("top")}};
  });
  fs::remove(folder_ / "replies/os-info.out");
  fs::create_symlink(temporary_.path() / "secret", folder_ / "replies/os-info.out");
  EXPECT_THAT(trouble(), HasSubstr("os-info.out'"));
  fs::rename(folder_ / "replies", temporary_.path() / "elsewhere");
  fs::create_directory_symlink(temporary_.path() / "elsewhere", folder_ / "replies");
  EXPECT_THAT(trouble(), HasSubstr("must be a folder, and no link"));
}

TEST_F(RecordingFolder, IsRefusedWhenItSaysHugeThings) {
  change([](Json& json) { json["replies"][0]["output"]["bytes"] = 1LL << 40; });
  EXPECT_THAT(trouble(), HasSubstr("/replies/0/output"));
  change([](Json& json) {
    json["replies"][0]["output"]["bytes"] = 3;
    for (int i = 0; i < 2001; ++i) json["replies"].push_back(json["replies"][4]);
  });
  EXPECT_THAT(trouble(), HasSubstr("/replies"));
  std::ofstream(folder_ / "manifest.json", std::ios::app) << std::string((4U << 20U) + 1, ' ');
  EXPECT_THAT(trouble(), HasSubstr("manifest.json'"));
}

TEST_F(RecordingFolder, IsRefusedWhenItsManifestIsNotUnderstood) {
  const std::vector<std::pair<std::string, std::function<void(Json&)>>> changes{
      {"/schema", [](Json& json) { json["schema"] = "patchlab/recording/v2"; }},
      {"twice", [](Json& json) { json["replies"][1]["id"] = "os-info"; }},
      {"twice", [](Json& json) { json["replies"].push_back(json["replies"][0]); }},
      {"/replies/0/id", [](Json& json) { json["replies"][0]["id"] = "../x"; }},
      {"/replies/0/by", [](Json& json) { json["replies"][0]["by"] = "root"; }},
      {"/replies/0", [](Json& json) { json["replies"][0].erase("exit_code"); }},
      {"/replies/0/exit_code", [](Json& json) { json["replies"][0]["exit_code"] = -1; }},
      {"sha256", [](Json& json) { json["replies"][0]["output"]["sha256"] = "0"; }},
      {"/replies/4/trouble", [](Json& json) { json["replies"][4]["trouble"] = ""; }},
      {"more", [](Json& json) { json["more"] = 1; }},
      {"family", [](Json& json) { json["machine"]["family"] = "debian"; }},
      {"/replies", [](Json& json) { json["replies"] = "none"; }},
  };
  const auto before = manifest();
  for (const auto& [said, changed] : changes) {
    auto json = before;
    changed(json);
    ASSERT_TRUE(write_file_atomically(folder_ / "manifest.json", json.dump()));
    EXPECT_THAT(trouble(), AllOf(HasSubstr("manifest.json"), HasSubstr(said)));
  }
  ASSERT_TRUE(write_file_atomically(folder_ / "manifest.json", before.dump().substr(0, 300)));
  const auto read = read_recording(folder_);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("manifest.json"));
}
}  // namespace
}  // namespace patchlab::lab::guest::recording
