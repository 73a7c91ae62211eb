// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/blocks.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include "lab/core/digest.hpp"
#include "tests/support/content_image.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::content {
namespace {

class Blocks : public ::testing::Test {
 protected:
  IndexedFile cut(const std::string& bytes) {
    const auto path = folder_.write("file", bytes);
    const auto input = open_input(path);
    std::string again;
    auto file = cut_file(*input, "file", [&](const Block& block, std::string_view piece) -> Result<void> {
      EXPECT_EQ(block.bytes, piece.size());
      EXPECT_EQ(block.sha256, piece.find_first_not_of('\0') == std::string_view::npos ? "" : sha256(piece));
      again += piece;
      return {};
    });
    EXPECT_TRUE(file);
    EXPECT_EQ(again, bytes);
    EXPECT_EQ(file->bytes, bytes.size());
    EXPECT_EQ(file->sha256, sha256(bytes));
    return *file;
  }
  static std::size_t new_in(const IndexedFile& file, const IndexedFile& older) {
    std::set<std::string> known;
    for (const auto& block : older.blocks) known.insert(block.sha256);
    return static_cast<std::size_t>(
        std::ranges::count_if(file.blocks, [&](const auto& block) { return !known.contains(block.sha256); }));
  }
  test::TemporaryFolder folder_;
};

TEST_F(Blocks, AreAllOfAFileInPagesAndAsLongAsTheyMayBe) {
  EXPECT_TRUE(cut("").blocks.empty());
  EXPECT_EQ(cut("x").blocks.size(), 1U);
  const auto noise = cut(tests::noise((3U << 20U) + 5, 1));
  EXPECT_GT(noise.blocks.size(), 20U) << "64 KiB each, more or less";
  EXPECT_LT(noise.blocks.size(), 100U);
  for (std::size_t i = 0; i + 1 < noise.blocks.size(); ++i) EXPECT_EQ(noise.blocks[i].bytes % page_bytes, 0U);
  // Longer than what is read at once; zeros cut nowhere.
  const auto zeros = cut(std::string(9U << 20U, '\0'));
  EXPECT_EQ(zeros.blocks, std::vector<Block>(9, {most_block_bytes, ""}));
}

TEST_F(Blocks, StayTheSameAroundAChangeAndBehindWhatWasMoved) {
  const auto bytes = tests::noise(2U << 20U, 1);
  const auto before = cut(bytes);
  auto changed = bytes;
  changed[bytes.size() / 2] ^= 1;
  EXPECT_EQ(new_in(cut(changed), before), 1U);
  auto longer = bytes;
  longer.insert(std::size_t{300} * page_bytes, tests::noise(std::size_t{16} * page_bytes, 2));
  EXPECT_LE(new_in(cut(longer), before), 4U);
}

TEST_F(Blocks, AreTakenOnlyAsWhatTheyAre) {
  const auto bytes = tests::noise(10000, 1) + std::string(50000, 'x');
  const Block block{60000, sha256(bytes)};
  const auto stored = packed(bytes);
  EXPECT_LT(stored.size(), 15000U);
  EXPECT_LE(stored.size(), most_packed_bytes(bytes.size()));
  EXPECT_EQ(unpacked(stored, block).value(), bytes);
  EXPECT_FALSE(unpacked(stored.substr(0, stored.size() - 1), block));
  EXPECT_FALSE(unpacked(stored + "x", block));
  EXPECT_FALSE(unpacked("", block));
  EXPECT_FALSE(unpacked(stored, {59999, block.sha256}));
  EXPECT_FALSE(unpacked(stored, {60001, block.sha256}));
  EXPECT_FALSE(unpacked(stored, {60000, sha256("another")}));
  // As long as it says, and not what it should be; and one that would fill the memory.
  EXPECT_FALSE(unpacked(packed(std::string(60000, 'y')), block));
  EXPECT_FALSE(unpacked(packed(std::string(20U << 20U, 'y')), block));
}

}  // namespace
}  // namespace patchlab::lab::content
