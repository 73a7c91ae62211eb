// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// With QEMU's own programs: the lock is theirs.
#include "lab/libvirt/disk_hold.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "lab/process/process.hpp"
#include "tests/support/programs.hpp"

namespace patchlab::lab::libvirt {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

class DiskHoldTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (patchlab::testing::is_missing("qemu-io")) GTEST_SKIP() << "qemu-io is not installed";
    char name[] = "/tmp/patchlab-hold-XXXXXX";
    folder_ = ::mkdtemp(name);
    ASSERT_TRUE(program("qemu-img", {"create", "-q", "-f", "qcow2", disk_(), "1M"}).succeeded());
  }
  void TearDown() override { fs::remove_all(folder_); }
  static ProcessOutcome program(const std::string& name, std::vector<std::string> arguments) {
    ProcessSpec spec;
    spec.program = name;
    spec.arguments = std::move(arguments);
    return host_processes().run(spec);
  }
  [[nodiscard]] ProcessOutcome write() const {
    return program("qemu-io", {"-f", "qcow2", "-c", "write 0 512", disk_()});
  }
  [[nodiscard]] std::string disk_() const { return folder_ / "disk.qcow2"; }

  fs::path folder_;
};

TEST_F(DiskHoldTest, KeepsQemuFromWritingAndNotFromReading) {
  {
    const auto hold = DiskHold::take({disk_()});
    ASSERT_TRUE(hold) << hold.error().message;
    const auto written = write();
    EXPECT_FALSE(written.succeeded());
    EXPECT_THAT(written.errors, HasSubstr("lock"));
    const auto read = program("qemu-io", {"-r", "-f", "qcow2", "-c", "read 0 512", disk_()});
    EXPECT_TRUE(read.succeeded()) << read.errors;
    const auto overlay = folder_ / "overlay.qcow2";
    const auto made = program("qemu-img", {"create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", disk_(), overlay});
    EXPECT_TRUE(made.succeeded()) << made.errors;
    const auto cloned = program("qemu-io", {"-f", "qcow2", "-c", "write 0 512", overlay});
    EXPECT_TRUE(cloned.succeeded()) << cloned.errors;
    EXPECT_TRUE(DiskHold::take({disk_()})) << "two runs may clone the same domain";
  }
  EXPECT_TRUE(write().succeeded());
}

TEST_F(DiskHoldTest, IsRefusedWhileAQemuWrites) {
  // As a running machine has it: byte 101 of the file.
  const FileDescriptor qemu(::open(disk_().c_str(), O_RDONLY | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 101;
  lock.l_len = 1;
  ASSERT_EQ(::fcntl(qemu.get(), F_OFD_SETLK, &lock), 0);
  const auto hold = DiskHold::take({disk_()});
  ASSERT_FALSE(hold);
  EXPECT_EQ(hold.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(hold.error().message, "a QEMU writes to '" + disk_() + "'");
}

TEST_F(DiskHoldTest, NeedsTheFile) {
  const auto hold = DiskHold::take({folder_ / "nothing"});
  ASSERT_FALSE(hold);
  EXPECT_THAT(hold.error().message, HasSubstr("holding '" + (folder_ / "nothing").string() + "'"));
}

}  // namespace
}  // namespace patchlab::lab::libvirt
