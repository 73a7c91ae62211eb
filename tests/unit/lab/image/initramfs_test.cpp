// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/initramfs.hpp"

#include <gmock/gmock.h>

#include "image_test_support.hpp"

namespace patchlab::lab::image {
namespace {
using ::testing::HasSubstr;

TEST(CpioArchive, WritesTheNewcFormat) {
  CpioArchive archive;
  archive.add_file("init", "hello", true);
  const auto bytes = std::move(archive).finish();
  // Header of 110 characters and "init\0" end at 115: one byte of padding; the content of 5 bytes gets 3.
  EXPECT_EQ(bytes.substr(0, 22),
            "070701"
            "00000001"
            "000081ED");
  EXPECT_EQ(bytes.substr(54, 8), "00000005");  // size
  EXPECT_EQ(bytes.substr(94, 8), "00000005");  // length of the name with its NUL
  EXPECT_EQ(bytes.substr(110, 14), std::string("init\0\0hello\0\0\0", 14));
  EXPECT_THAT(bytes, HasSubstr("TRAILER!!!"));
  EXPECT_EQ(bytes.size() % 4, 0U);
}

class InitramfsTest : public ::testing::Test {
 protected:
  testing::TemporaryFolder folder;
  std::filesystem::path busybox = folder.write("busybox", "BUSYBOX");
  std::filesystem::path init = folder.write("init", "INIT");
  std::filesystem::path kernel = folder.path() / "kernel";
};

TEST_F(InitramfsTest, KeepsTheOrderOfTheModules) {
  folder.write("kernel/lib/modules/6.1/kernel/b/virtio_blk.ko", "BLK");
  folder.write("kernel/lib/modules/6.1/kernel/a/virtio.ko", "VIO");
  const auto archive = make_initramfs(busybox, init, kernel, {"virtio", "virtio_blk"});
  ASSERT_TRUE(archive.has_value()) << archive.error().message;
  EXPECT_THAT(*archive, HasSubstr("virtio.ko\nvirtio_blk.ko\n"));
  EXPECT_THAT(*archive, HasSubstr("BUSYBOX"));
}

TEST_F(InitramfsTest, NamesTheModuleThatIsMissing) {
  folder.write("kernel/lib/modules/6.1/virtio.ko", "VIO");
  const auto archive = make_initramfs(busybox, init, kernel, {"virtio", "ahci"});
  ASSERT_FALSE(archive.has_value());
  EXPECT_EQ(archive.error().message, "the kernel package has no module 'ahci'");
}

}  // namespace
}  // namespace patchlab::lab::image
