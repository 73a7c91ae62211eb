// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/kernel.hpp"

#include <gmock/gmock.h>

#include <cstdint>

namespace patchlab::lab::image {
namespace {

std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xffU);
  return bytes;
}

// A legacy frame of one block, with the unpacked size behind it, as the kernel's build makes it.
std::string frame(const std::string& block, std::uint32_t unpacked_size) {
  return little_endian(0x184C2102) + little_endian(static_cast<std::uint32_t>(block.size())) + block +
         little_endian(unpacked_size);
}

std::string unpacked(const std::string& block) { return unpack_lz4_legacy(frame(block, 0)).value_or("broken"); }

// The smallest thing with the header of a bzImage.
std::string bz_image(const std::string& payload) {
  std::string image(1024, '\0');
  image[0x1f1] = 1;  // one sector of setup code after the boot sector
  image.replace(0x202, 4, "HdrS");
  image.replace(0x248, 4, little_endian(16));
  image.replace(0x24c, 4, little_endian(static_cast<std::uint32_t>(payload.size())));
  return image + std::string(16, 'x') + payload;
}

TEST(Lz4, LiteralsComeOutAsTheyAre) {
  EXPECT_EQ(unpacked("\x50"
                     "hello"),
            "hello");
}

TEST(Lz4, ARepeatedPatternIsCopiedFromItself) {
  // Two literals, then 4 + 4 bytes from 2 back, then one last literal.
  EXPECT_EQ(unpacked(std::string("\x24"
                                 "ab\x02\x00"
                                 "\x10"
                                 "!",
                                 7)),
            "ababababab!");
}

TEST(Lz4, LongLengthsGoOnInTheNextBytes) {
  const std::string text(15 + 255 + 3, 'z');
  EXPECT_EQ(unpacked(std::string("\xf0\xff\x03") + text), text);
}

TEST(Lz4, ACopyFromBeforeTheBeginningIsBroken) {
  EXPECT_FALSE(unpack_lz4_legacy(frame(std::string("\x14"
                                                   "a\x09\x00"
                                                   "\x10"
                                                   "!",
                                                   6),
                                       0))
                   .has_value());
}

TEST(Lz4, ACutOffBlockIsBroken) {
  auto bytes = frame(
      "\x50"
      "hello",
      0);
  bytes.resize(12);
  EXPECT_FALSE(unpack_lz4_legacy(bytes).has_value());
}

TEST(Kernel, IsTakenOutOfItsWrapping) {
  const auto kernel =
      unpacked_kernel(bz_image(frame("\x70"
                                     "\x7f"
                                     "ELF123",
                                     7)));
  ASSERT_TRUE(kernel.has_value()) << kernel.error().message;
  EXPECT_EQ(*kernel,
            "\x7f"
            "ELF123");
}

TEST(Kernel, StaysWrappedWhenItIsPackedOtherwise) {
  const auto image = bz_image(
      "\xfd"
      "7zXZ");
  EXPECT_EQ(unpacked_kernel(image).value_or("broken"), image);
}

TEST(Kernel, SomethingElseIsRefused) { EXPECT_FALSE(unpacked_kernel("#!/bin/sh").has_value()); }

}  // namespace
}  // namespace patchlab::lab::image
