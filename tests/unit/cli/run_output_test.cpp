// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_output.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "lab/core/files.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RunOutput : public ::testing::Test {
 protected:
  RunOutput() {
    std::string name = (fs::temp_directory_path() / "patchlab-output-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    for (const auto* file : {"run.json", "decisions.json", "junit.xml", "junit-trials.xml", "report.html"})
      write(folder_ / "run" / file, std::string("tonight's ") + file);
    write(folder_ / "run" / "events.jsonl", "{}");
  }
  ~RunOutput() override { fs::remove_all(folder_); }
  static void write(const fs::path& file, const std::string& text) {
    EXPECT_TRUE(create_folders(file.parent_path()));
    EXPECT_TRUE(write_file_atomically(file, text));
  }
  fs::path folder_;
};

TEST_F(RunOutput, IsAFolderWithWhatPeopleAndPipelinesRead) {
  ASSERT_TRUE(prepare_outputs({folder_ / "a/b"}));
  EXPECT_TRUE(fs::is_empty(folder_ / "a/b")) << "before the run is over nothing is there";
  ASSERT_TRUE(write_outputs({folder_ / "a/b"}, folder_ / "run"));
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "a/b")) {
    ++count;
    EXPECT_EQ(read_file(entry.path()).value(), "tonight's " + entry.path().filename().string());
  }
  EXPECT_EQ(count, 5U);
}

TEST_F(RunOutput, IsAFileByItsName) {
  const std::vector<fs::path> outputs{folder_ / "x/tests.xml", folder_ / "page.html", folder_ / "record.json"};
  ASSERT_TRUE(prepare_outputs(outputs));
  for (const auto& output : outputs) EXPECT_FALSE(fs::exists(output));
  ASSERT_TRUE(write_outputs(outputs, folder_ / "run"));
  EXPECT_EQ(read_file(outputs[0]).value(), "tonight's junit.xml");
  EXPECT_EQ(read_file(outputs[1]).value(), "tonight's report.html");
  EXPECT_EQ(read_file(outputs[2]).value(), "tonight's run.json");
}

// A run that is killed, or has no record, must not look like yesterday's.
TEST_F(RunOutput, HoldsNothingOfAnEarlierRun) {
  write(folder_ / "out" / "junit.xml", "yesterday's");
  write(folder_ / "out" / "notes.txt", "mine");
  ASSERT_TRUE(prepare_outputs({folder_ / "out"}));
  EXPECT_FALSE(fs::exists(folder_ / "out" / "junit.xml"));
  EXPECT_EQ(read_file(folder_ / "out" / "notes.txt").value(), "mine") << "what is somebody else's stays";
  fs::remove(folder_ / "run" / "decisions.json");
  ASSERT_TRUE(write_outputs({folder_ / "out"}, folder_ / "run"));
  EXPECT_FALSE(fs::exists(folder_ / "out" / "decisions.json"));
}

TEST_F(RunOutput, IsRefusedWhereNothingCanBeWritten) {
  write(folder_ / "file", "");
  fs::create_directories(folder_ / "taken" / "junit.xml");
  ASSERT_TRUE(create_folders(folder_ / "linked"));
  fs::create_symlink(folder_ / "file", folder_ / "linked" / "report.html");
  for (const auto& place : {folder_ / "file/below", folder_ / "taken", folder_ / "linked", folder_ / "file/x.xml"}) {
    const auto prepared = prepare_outputs({place});
    ASSERT_FALSE(prepared) << place;
    EXPECT_THAT(prepared.error().message, HasSubstr("--output '" + place.string() + "'"));
  }
  EXPECT_TRUE(fs::is_symlink(folder_ / "linked" / "report.html"));
}

}  // namespace
}  // namespace patchlab::cli
