// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// A recording as it comes from somebody: looked at, freed of further names, and refused when it is damaged.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "lab/core/files.hpp"
#include "lab/guest/recording/recording.hpp"
#include "program.hpp"

namespace patchlab::e2e {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
namespace recording = lab::guest::recording;

class GuestCommand : public ::testing::Test {
 protected:
  GuestCommand() {
    recording::Recording made{
        "patchlab 0", "2026-11-30T01:00:00Z", {"10.0.17763", "", "0407", "850", "1252"}, {}, {}, {}};
    made.replies = {{"os-info",
                     "agent",
                     "guest-get-osinfo",
                     0,
                     Milliseconds(1),
                     R"({"id":"mswindows","machine":"x86_64","kernel-version":"10.0","kernel-release":"17763"})",
                     {},
                     {},
                     {}},
                    {"tasks",
                     "job",
                     "C:\\Windows\\System32\\schtasks.exe /query /xml ONE",
                     0,
                     Milliseconds(1),
                     "<Tasks><!-- \\Xavier nightly --><Task/></Tasks>",
                     {},
                     {},
                     {}}};
    EXPECT_TRUE(recording::write_recording(folder_.path() / "given", made));
    folder_.write("ours.json",
                  R"({"schema": "patchlab/recording-rules/v1", "words": [{"kind": "name", "text": "xavier"}]})");
  }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& arguments) const {
    return patchlab(arguments, folder_.path());
  }
  [[nodiscard]] std::string content(const fs::path& file) const {
    return read_file(folder_.path() / file).value_or("");
  }

  TemporaryFolder folder_;
};

TEST_F(GuestCommand, ReplaySaysWhatWasUnderstoodAndWhatIsMissing) {
  const auto outcome = ask({"guest", "replay", "given"});
  EXPECT_EQ(exit_code(outcome), 3) << "nobody asked for what is installed";
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("  release: understood\n"), HasSubstr("not recorded: "),
                                    HasSubstr("NOT everything was understood\n")));
  const auto json = Json::parse(ask({"guest", "replay", "given", "--json"}).output);
  EXPECT_EQ(json.at("machine").at("build"), "17763");
  EXPECT_EQ(json.at("whole"), false);
}

TEST_F(GuestCommand, ScrubKeepsWhatWasReplacedBesideTheRecordingForItsOwner) {
  const auto outcome = ask({"guest", "scrub", "given", "--rules", "ours.json", "-o", "ours/free/"});
  EXPECT_EQ(exit_code(outcome), 0) << outcome.errors;
  EXPECT_THAT(content("ours/free/replies/tasks.out"), HasSubstr("\\Namex1 nightly"));
  EXPECT_THAT(content("ours/free.names.txt"), HasSubstr("name   xavier -> namex1  (1 place, rule 'words')"));
  struct stat info {};
  ASSERT_EQ(::stat((folder_.path() / "ours/free.names.txt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "ours/free")) {
    if (entry.is_regular_file())
      EXPECT_THAT(read_file(entry.path()).value(), AllOf(Not(HasSubstr("avier")), Not(HasSubstr("AVIER"))))
          << entry.path();
  }
  EXPECT_THAT(content("given/replies/tasks.out"), HasSubstr("Xavier")) << "it stays as it is";
  // Nothing is written over: neither the folder nor the list.
  EXPECT_EQ(exit_code(ask({"guest", "scrub", "given", "--rules", "ours.json", "-o", "ours/free"})), 73);
  EXPECT_EQ(exit_code(ask({"guest", "scrub", "given", "--rules", "ours.json", "-o", "given"})), 73);
  const auto replayed = ask({"guest", "replay", "ours/free", "--json"});
  EXPECT_EQ(exit_code(replayed), 3) << replayed.errors;
}

// A list of names that was put there by mistake would go with it.
TEST_F(GuestCommand, ARecordingWithAnotherFileBesideItsManifestIsRefused) {
  folder_.write("given/srv.names.txt", "host   xavier -> hostx1\n");
  for (const auto& words : {std::vector<std::string>{"guest", "replay", "given"},
                            {"guest", "scrub", "given", "--rules", "ours.json", "-o", "b"}}) {
    const auto outcome = ask(words);
    EXPECT_EQ(exit_code(outcome), 65);
    EXPECT_THAT(outcome.errors, HasSubstr("given/srv.names.txt' is named by no recording"));
  }
}

TEST_F(GuestCommand, ADamagedRecordingIsRefusedWithItsFileAndANextStep) {
  ASSERT_TRUE(write_file_atomically(folder_.path() / "given/replies/tasks.out", "<Tasks>"));
  for (const auto& words : {std::vector<std::string>{"guest", "replay", "given"},
                            {"guest", "scrub", "given", "--rules", "ours.json", "-o", "b"}}) {
    const auto outcome = ask(words);
    EXPECT_EQ(exit_code(outcome), 65);
    EXPECT_EQ(outcome.output, "");
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr("given/replies/tasks.out'"), HasSubstr("patchlab: hint: ")));
  }
  EXPECT_FALSE(fs::exists(folder_.path() / "b"));
}
}  // namespace
}  // namespace patchlab::e2e
