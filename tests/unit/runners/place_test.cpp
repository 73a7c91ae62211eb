// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/place.hpp"

#include <gmock/gmock.h>

#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners::cell {
namespace {

namespace fs = std::filesystem;

class NoQemu final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& /*spec*/, std::stop_token /*stop*/) override {
    return {NotStarted{"there is none"}, {}, {}, {}};
  }
};

class HostClassTest : public ::testing::Test {
 protected:
  fs::path program(const std::string& name, const std::string& bytes) {
    const auto path = folder_.write(name, bytes);
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  std::string of(const fs::path& patchlab) { return host_class(patchlab, processes_).program; }
  test::TemporaryFolder folder_;
  NoQemu processes_;
};

// What asks the checks decides what was seen: states and answers that another one left are not for it.
TEST_F(HostClassTest, IsAnotherOneWithAnotherCheckWorker) {
  const auto patchlab = program("patchlab", "patchlab");
  const auto alone = of(patchlab);
  EXPECT_NE(alone, "");
  program("patchlab-check-worker", "worker");
  const auto both = of(patchlab);
  EXPECT_NE(both, "");
  EXPECT_NE(both, alone);
  EXPECT_EQ(of(patchlab), both);
  program("patchlab-check-worker", "another");
  EXPECT_NE(of(patchlab), both);
  program("patchlab-check-worker", "worker");
  program("patchlab", "another");
  EXPECT_NE(of(patchlab), both);
}

TEST_F(HostClassTest, OfAProgramThatCannotBeReadIsNone) {
  EXPECT_EQ(of(folder_.path() / "nowhere"), "");
  fs::create_directory(folder_.path() / "patchlab");
  program("patchlab-check-worker", "worker");
  EXPECT_EQ(of(folder_.path() / "patchlab"), "") << "the worker alone is none";
}

}  // namespace
}  // namespace patchlab::runners::cell
