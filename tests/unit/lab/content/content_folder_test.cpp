// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <thread>

#include "lab/content/blocks.hpp"
#include "lab/content/publish.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/content_image.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::content {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ContentFolder : public ::testing::Test {
 protected:
  static Published published(const image::GoldenImage& image, const fs::path& folder) {
    auto done = publish(image, folder, {});
    EXPECT_TRUE(done) << done.error().message;
    return *done;
  }
  static std::vector<fs::path> files_below(const fs::path& folder) {
    auto files = entries_below(folder).value();
    std::erase_if(files, [](const fs::path& file) { return !is_file(file); });
    return files;
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 0777U;
  }
  test::TemporaryFolder cache_;
  test::TemporaryFolder folder_;
  const fs::path content_ = folder_.path() / "content";
  const std::string disk_ = tests::noise(512U << 10U, 1) + std::string(1U << 20U, '\0') + tests::noise(100, 2);
};

TEST_F(ContentFolder, HasEachBlockOnceAndNamesAnImageByWhatItIs) {
  const auto image = tests::put_image(cache_.path(), disk_);
  const auto first = published(image, content_);
  EXPECT_EQ(first.new_blocks, first.blocks);
  EXPECT_EQ(first.new_bytes, first.bytes);
  EXPECT_LT(first.bytes, 600U << 10U) << "zeros are not counted";
  const auto text = read_file(content_ / index_name(first.digest)).value();
  EXPECT_EQ(sha256(text), first.digest);
  const auto index = parse_index(text, "x");
  ASSERT_TRUE(index) << index.error().message;
  EXPECT_EQ(index->image, image.contents);
  EXPECT_EQ(files_below(content_ / "blocks").size(), first.new_blocks);
  // Once more, and of another cache.
  test::TemporaryFolder other;
  EXPECT_EQ(published(tests::put_image(other.path(), disk_), content_).digest, first.digest);
  EXPECT_EQ(published(image, content_).new_blocks, 0U);
}

TEST_F(ContentFolder, ANextImageBringsTheBlocksThatChanged) {
  (void)published(tests::put_image(cache_.path(), disk_), content_);
  auto disk = disk_;
  disk[200000] ^= 1;
  const auto next = published(tests::put_image(cache_.path(), disk, "2026-12-01T00:00:00.000Z"), content_);
  EXPECT_EQ(next.new_blocks, 2U) << "one of the disk, and image.json";
  EXPECT_LT(next.new_bytes, 300U << 10U);
}

TEST_F(ContentFolder, IsAsReadableAsItsFolder) {
  ASSERT_TRUE(create_folders(content_));
  ::chmod(content_.c_str(), 0750);
  (void)published(tests::put_image(cache_.path(), disk_), content_);
  for (const auto& file : files_below(content_ / "blocks")) {
    EXPECT_EQ(mode_of(file), 0440U);
    EXPECT_EQ(mode_of(file.parent_path()), 0750U);
  }
  for (const auto& file : files_below(content_ / "images")) EXPECT_EQ(mode_of(file), 0440U);
}

TEST_F(ContentFolder, TheDigestOfAnImageIsKnownWithoutPublishing) {
  const auto image = tests::put_image(cache_.path(), disk_);
  const auto digest = index_digest(image, cache_.path(), {});
  ASSERT_TRUE(digest) << digest.error().message;
  EXPECT_EQ(published(image, content_).digest, *digest);
  // And is not asked of the image again.
  fs::remove(image.folder / "kernel");
  EXPECT_EQ(index_digest(image, cache_.path(), {}).value(), *digest);
}

TEST_F(ContentFolder, AnImageThatHasChangedIsNotPublished) {
  const auto image = tests::put_image(cache_.path(), disk_);
  ASSERT_TRUE(write_file_atomically(image.disk, "something else", 0444));
  const auto refused = publish(image, content_, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(refused.error().message, HasSubstr("disk.qcow2' has changed"));
  EXPECT_TRUE(files_below(content_ / "images").empty());
}

TEST_F(ContentFolder, PublishingAgainMendsADamagedBlock) {
  const auto image = tests::put_image(cache_.path(), disk_);
  (void)published(image, content_);
  const auto block = files_below(content_ / "blocks").front();
  const auto whole = read_file(block).value();
  ASSERT_TRUE(write_file_atomically(block, whole.substr(0, whole.size() / 2)));
  const auto again = published(image, content_);
  EXPECT_EQ(again.mended_blocks, 1U);
  EXPECT_EQ(again.new_blocks, 0U);
  EXPECT_EQ(read_file(block).value(), whole);
}

TEST_F(ContentFolder, TakesTwoPublishersAtOnce) {
  const auto image = tests::put_image(cache_.path(), disk_);
  std::vector<Result<Published>> done(2, Error{});
  {
    std::jthread one([&] { done[0] = publish(image, content_, {}); });
    std::jthread two([&] { done[1] = publish(image, content_, {}); });
  }
  ASSERT_TRUE(done[0] && done[1]);
  EXPECT_EQ(done[0]->digest, done[1]->digest);
  EXPECT_EQ(files_below(content_ / "blocks").size(), done[0]->blocks);
  EXPECT_EQ(files_below(content_ / "images").size(), 1U);
}

TEST_F(ContentFolder, LosesWhatNoImageNeedsWhenItIsTrimmed) {
  const auto older = published(tests::put_image(cache_.path(), disk_), content_);
  auto disk = disk_;
  disk[200000] ^= 1;
  const auto newer = published(tests::put_image(cache_.path(), disk, "2026-12-01T00:00:00.000Z"), content_);
  ASSERT_TRUE(write_file_atomically(content_ / "blocks/ab.tmp-1-2", "of a publisher that was killed"));
  auto trimmed = trim(content_, std::nullopt, {});
  ASSERT_TRUE(trimmed) << trimmed.error().message;
  EXPECT_EQ(trimmed->blocks, 0U);
  EXPECT_EQ(trimmed->kept_images, 2U);
  EXPECT_FALSE(is_there(content_ / "blocks/ab.tmp-1-2"));
  trimmed = trim(content_, 1, {});
  ASSERT_TRUE(trimmed) << trimmed.error().message;
  EXPECT_EQ(trimmed->images, 1U);
  EXPECT_EQ(trimmed->blocks, 2U);
  EXPECT_FALSE(is_there(content_ / index_name(older.digest)));
  EXPECT_TRUE(is_there(content_ / index_name(newer.digest)));
  EXPECT_EQ(files_below(content_ / "blocks").size(), newer.blocks);
}

// It would take blocks for useless that this index names.
TEST_F(ContentFolder, IsNotTrimmedWhileAnIndexCannotBeUnderstood) {
  const auto image = published(tests::put_image(cache_.path(), disk_), content_);
  const auto path = content_ / index_name(image.digest);
  const auto text = read_file(path).value();
  ASSERT_TRUE(write_file_atomically(path, text.substr(0, text.size() / 2)));
  EXPECT_FALSE(trim(content_, 1, {}));
  EXPECT_EQ(files_below(content_ / "blocks").size(), image.blocks);
  const auto elsewhere = trim(folder_.path(), 1, {});
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("is no content folder"));
}

}  // namespace
}  // namespace patchlab::lab::content
