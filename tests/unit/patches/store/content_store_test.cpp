// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/store/content_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using testing::TestFolder;

class ContentStoreTest : public ::testing::Test {
 protected:
  static std::size_t files_below(const std::filesystem::path& path) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
  void damage(const std::string& digest) {
    const auto path = store_.path_of(digest);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::ofstream(path, std::ios::app) << "!";
  }
  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
};

TEST_F(ContentStoreTest, KeepsFilesReadOnlyUnderTheirDigest) {
  const auto stored = store_.add_file(folder_.write("a", "content"));
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(*stored, (StoredFile{sha256("content"), 7}));
  const auto path = store_.verified_path(stored->sha256);
  ASSERT_TRUE(path);
  EXPECT_EQ(*path, folder_.path() / "store" / stored->sha256.substr(0, 2) / stored->sha256);
  struct stat info {};
  ASSERT_EQ(::stat(path->c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0444U);
  EXPECT_EQ(read_file(*path).value(), "content");
}

TEST_F(ContentStoreTest, WritesNothingForWhatIsThereAlready) {
  const auto file = folder_.write("a", "content");
  ASSERT_TRUE(store_.add_file(file));
  // With nowhere to write to, only what needs no writing can be had.
  std::filesystem::remove_all(folder_.path() / "store/incoming");
  std::ofstream(folder_.path() / "store/incoming") << "in the way";
  const auto again = store_.add_file(file, {sha256("content"), 7});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, (StoredFile{sha256("content"), 7}));
  EXPECT_FALSE(store_.add_file(folder_.write("b", "other")));
  EXPECT_FALSE(store_.add_file(file, {sha256("other"), std::nullopt}));
}

TEST_F(ContentStoreTest, QuotesBothDigestsAndStoresNothing) {
  const auto file = folder_.write("a", "content");
  const auto stored = store_.add_file(file, {std::string(64, '0'), std::nullopt});
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().message, "'" + file.string() + "' has the wrong digest: expected sha256 " +
                                        std::string(64, '0') + ", found " + sha256("content"));
  EXPECT_EQ(files_below(folder_.path() / "store"), 0U);
}

TEST_F(ContentStoreTest, CallsAShortFileTruncated) {
  const auto file = folder_.write("a", "cont");
  EXPECT_EQ(store_.add_file(file, {sha256("content"), 7}).error().message,
            "'" + file.string() + "' is truncated: 4 of 7 bytes");
  EXPECT_EQ(store_.add_file(file, {"", 3}).error().message, "'" + file.string() + "' has 4 bytes, expected 3");
}

TEST_F(ContentStoreTest, NoticesDamageWhenReadAndHealsWhenAddedAgain) {
  const auto digest = store_.add_bytes("content", "x")->sha256;
  damage(digest);
  const auto path = store_.verified_path(digest);
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("is damaged: expected sha256 " + digest));
  EXPECT_EQ(path.error().error_class, ErrorClass::infrastructure);
  ASSERT_TRUE(store_.add_bytes("content", "x"));
  EXPECT_TRUE(store_.verified_path(digest));
}

TEST_F(ContentStoreTest, SaysWhatIsMissing) {
  const std::string digest(64, 'b');
  EXPECT_FALSE(store_.contains(digest));
  EXPECT_THAT(store_.verified_path(digest).error().message, HasSubstr("no file with sha256 " + digest));
  EXPECT_FALSE(store_.contains("../../etc/passwd"));
}

TEST_F(ContentStoreTest, TakesTheSameContentFromManyThreadsAtOnce) {
  const std::string content(1U << 20U, 'x');
  const auto file = folder_.write("a", content);
  std::vector<std::string> digests(8);
  {
    std::vector<std::jthread> threads;
    for (auto& digest : digests) {
      threads.emplace_back([&] {
        const auto stored = store_.add_file(file);
        digest = stored ? stored->sha256 : stored.error().message;
      });
    }
  }
  EXPECT_THAT(digests, ::testing::Each(sha256(content)));
  EXPECT_EQ(files_below(folder_.path() / "store"), 1U);
}

TEST_F(ContentStoreTest, RefusesFoldersAndMissingFiles) {
  EXPECT_FALSE(store_.add_file(folder_.path()));
  EXPECT_THAT(store_.add_file(folder_.path() / "none").error().message, HasSubstr("none"));
}

}  // namespace
}  // namespace patchlab::patches
