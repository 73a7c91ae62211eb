// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "console.hpp"
#include "lab/core/files.hpp"
#include "program.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

// A stranger who types what docs/tutorial.md says, and nothing else, sees what it shows.
TEST(Tutorial, IsTrueWordForWord) {
  if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
  const OwnCache cache;
  const TemporaryFolder folder;
  for (const char* name : {"PATCHLAB_RUNS", "PATCHLAB_BY", "PATCHLAB_DESK", "PATCHLAB_SIGN_WITH"}) ::unsetenv(name);
  const auto typed = typed_in(read_file(fs::path(PATCHLAB_SOURCE_DIR) / "docs/tutorial.md").value());
  ASSERT_GT(typed.size(), 15U);
  EXPECT_THAT(type(typed, folder.path(), PATCHLAB_PROGRAM, std::chrono::minutes(14)), IsEmpty());
  EXPECT_THAT(lab_processes(), IsEmpty());
  EXPECT_THAT(scratch_folders(), IsEmpty());

  // What its run left besides: events have the times of the record.
  std::vector<std::int64_t> said;
  std::vector<std::int64_t> recorded;
  for (const auto& run : fs::directory_iterator(folder.path() / "first" / "runs")) {
    if (!run.is_directory()) continue;
    const auto record = reports::read_run_record(run.path() / reports::run_file_name);
    ASSERT_TRUE(record) << record.error().message;
    for (const auto& timing : record->timings) recorded.push_back(timing.start_ms);
    std::istringstream events(read_file(run.path() / "events.jsonl").value());
    for (std::string line; std::getline(events, line);) {
      const auto event = Json::parse(line);
      if (event.value("event", "") == "timing") said.push_back(event.at("start_ms").get<std::int64_t>());
    }
  }
  EXPECT_GT(said.size(), 10U);
  EXPECT_THAT(said, UnorderedElementsAreArray(recorded));
}

// A package that is installed nowhere is an update of nothing: said before any machine starts, as the run would end.
TEST(Tutorial, AScenarioOfWhichNothingAppliesIsNotFine) {
  if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
  const OwnCache cache;
  const TemporaryFolder folder;
  const auto wrong = type(typed_in(R"(```console
$ mkdir -p mine/DEBIAN
$ printf '%s\n' 'Package: mine' 'Version: 1' 'Architecture: all' 'Maintainer: me <me@x>' 'Description: new' >mine/DEBIAN/control
$ dpkg-deb --root-owner-group --build mine
...
$ patchlab init
...
$ sed -i 's|{"recipe": "[^"]*harmless-hostname"}|{"path": "mine.deb"}|' scenario.jsonc
$ patchlab validate scenario.jsonc
...
$ echo $?
4
$ patchlab run --dry-run scenario.jsonc
...
$ echo $?
4
```
)"),
                          folder.path(), PATCHLAB_PROGRAM, std::chrono::minutes(5));
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
}  // namespace patchlab::e2e
