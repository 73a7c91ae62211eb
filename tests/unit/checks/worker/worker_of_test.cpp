// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "checks/worker.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks {
namespace {

namespace fs = std::filesystem;

class CheckWorkerOf : public ::testing::Test {
 protected:
  fs::path make(const std::string& name, fs::perms permissions = fs::perms::owner_all) {
    const auto path = fs::canonical(folder_.path()) / name;
    fs::create_directories(path.parent_path());
    folder_.write(name, "");
    fs::permissions(path, permissions);
    return path;
  }
  test::TemporaryFolder folder_;
};

TEST_F(CheckWorkerOf, IsPatchlabItselfWhereThereIsNoOther) {
  const auto patchlab = make("bin/patchlab");
  EXPECT_EQ(check_worker_of(patchlab), patchlab);
  EXPECT_EQ(check_worker_of("/nowhere/patchlab"), "/nowhere/patchlab");
  make("bin/patchlab-check-worker", fs::perms::owner_read);
  EXPECT_EQ(check_worker_of(patchlab), patchlab) << "nobody could start it";
  make("libexec/patchlab/patchlab-check-worker/in-it");
  EXPECT_EQ(check_worker_of(patchlab), patchlab) << "a folder is no program";
}

TEST_F(CheckWorkerOf, LiesBesideItOrInLibexec) {
  const auto patchlab = make("bin/patchlab");
  const auto libexec = make("libexec/patchlab/patchlab-check-worker");
  EXPECT_EQ(check_worker_of(patchlab), libexec);
  const auto beside = make("bin/patchlab-check-worker");
  EXPECT_EQ(check_worker_of(patchlab), beside);
}

TEST_F(CheckWorkerOf, IsFoundThroughLinks) {
  const auto patchlab = make("bin/patchlab");
  const auto beside = make("bin/patchlab-check-worker");
  fs::create_symlink(patchlab, folder_.path() / "link");
  EXPECT_EQ(check_worker_of(folder_.path() / "link"), beside);
}

}  // namespace
}  // namespace patchlab::checks
