// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Clones on a system libvirt that the test starts itself, in namespaces of its own. Needs root, for that is who runs a
// system libvirt, and the golden image of the name server ('patchlab image build dns').
#include <gmock/gmock.h>
#include <unistd.h>

#include "lab/core/files.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/process/process.hpp"
#include "tests/support/efi_boot.hpp"
#include "tests/support/programs.hpp"

namespace patchlab::lab {
namespace {

namespace fs = std::filesystem;

std::string why_not_here() {
  if (const auto why = testing::why_no_system_libvirt(); !why.empty()) return why;
  const auto image = image::newest(cache_folder(), "dns");
  return image ? std::string() : image.error().message;
}

TEST(SystemLibvirt, ClonesRunThereAndLeaveNoTrace) {
  if (const auto why = why_not_here(); !why.empty()) GTEST_SKIP() << why;
  char name[] = "/tmp/patchlab-system-XXXXXX";
  const fs::path parent = ::mkdtemp(name);
  const auto folder = parent / "lab";
  const auto efi = parent / "efi";
  fs::create_directory(folder);
  for (const auto& place : {parent, folder})  // QEMU's user passes through
    fs::permissions(place, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  ASSERT_NO_FATAL_FAILURE(testing::make_efi_boot(efi));  // here, where there is a network
  const auto devices = read_file("/proc/net/dev").value_or("");
  ProcessSpec spec;
  spec.program = std::string(PATCHLAB_SOURCE_DIR) + "/tests/integration/libvirt/with-system-libvirt";
  spec.arguments = {folder, PATCHLAB_INSIDE, folder, efi};
  spec.time_limit = std::chrono::seconds(420);
  const auto outcome = host_processes().run(spec);
  std::cout << outcome.output << std::flush;
  EXPECT_TRUE(outcome.succeeded()) << outcome.describe() << "\n"
                                   << outcome.errors << read_file(folder / "libvirtd.log").value_or("");
  // The host's own network has the devices that it had.
  const auto lines = [](const std::string& text) { return std::ranges::count(text, '\n'); };
  EXPECT_EQ(lines(read_file("/proc/net/dev").value_or("")), lines(devices));
  fs::remove_all(parent);
}

}  // namespace
}  // namespace patchlab::lab
