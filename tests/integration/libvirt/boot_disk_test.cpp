// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "lab/libvirt/acceleration.hpp"

namespace patchlab::lab::libvirt {
namespace {

// Else the probe would call a working KVM broken: under emulation the same disk boots everywhere.
TEST(BootDisk, BootsUnderEmulation) {
  char name[] = "/tmp/patchlab-boot-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  ASSERT_TRUE(write_file_atomically(folder / "disk.img", boot_disk()));
  auto process = boot_disk_process("tcg", folder / "disk.img");
  process.time_limit = std::chrono::seconds(60);
  const auto outcome = host_processes().run(process);
  std::filesystem::remove_all(folder);
  if (std::holds_alternative<NotStarted>(outcome.end)) GTEST_SKIP() << "QEMU " << outcome.describe();
  ASSERT_TRUE(std::holds_alternative<Exited>(outcome.end)) << outcome.describe();
  EXPECT_EQ(std::get<Exited>(outcome.end).code, boot_disk_exit_code) << outcome.errors;
  EXPECT_EQ(outcome.output, boot_disk_greeting);
}

}  // namespace
}  // namespace patchlab::lab::libvirt
