// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/fetch.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <thread>

#include "lab/content/blocks.hpp"
#include "lab/content/publish.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/content_image.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::content {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A folder that counts what it is asked for, and may do something at a block.
class Watched final : public Source {
 public:
  explicit Watched(const fs::path& folder) : folder_(open_source({folder, {}}).value()) {}
  Result<std::optional<std::string>> read(const std::string& name, std::size_t most) override {
    if (name.starts_with("blocks/")) {
      const std::lock_guard lock(mutex_);
      ++asked[name];
      if (at_block) at_block(asked.size());
    }
    return folder_->read(name, most);
  }
  [[nodiscard]] const std::string& shown() const override { return folder_->shown(); }
  std::map<std::string, int> asked;
  std::function<void(std::size_t)> at_block;

 private:
  std::unique_ptr<Source> folder_;
  std::mutex mutex_;
};

class FetchedImage : public ::testing::Test {
 protected:
  FetchedImage() {
    digest_ = publish_disk(disk_, "2026-11-01T00:00:00.000Z");
    source_ = std::make_unique<Watched>(content_);
  }
  std::string publish_disk(const std::string& disk, const std::string& built) {
    const auto image = tests::put_image(cache_.path(), disk, built);
    const auto published = publish(image, content_, {});
    EXPECT_TRUE(published) << published.error().message;
    return published->digest;
  }
  Result<Fetched> fetch_it(const std::string& digest) {
    return fetch(*source_, digest, {.images = images_, .tell = [this](const std::string& sentence) {
                                      const std::lock_guard lock(mutex_);
                                      told_ += sentence + "\n";
                                    }});
  }
  Fetched fetched(const std::string& digest) {
    auto image = fetch_it(digest);
    EXPECT_TRUE(image) << image.error().message;
    return std::move(image).value();
  }
  // Whatever happened: no image is there that is not whole.
  void expect_none(const std::string& digest) const { EXPECT_FALSE(is_there(images_ / digest)); }
  [[nodiscard]] std::vector<fs::path> blocks() const {
    auto files = entries_below(content_ / "blocks").value();
    std::erase_if(files, [](const fs::path& file) { return !is_file(file); });
    return files;
  }
  [[nodiscard]] fs::path some_block_of_the_disk() const {
    const auto index = parse_index(read_file(content_ / index_name(digest_)).value(), "x").value();
    return content_ / block_name(index.files[0].blocks[2].sha256);
  }
  Error refused() {
    auto image = fetch_it(digest_);
    EXPECT_FALSE(image);
    expect_none(digest_);
    return image ? Error{} : image.error();
  }

  test::TemporaryFolder cache_;
  test::TemporaryFolder folder_;
  const fs::path content_ = folder_.path() / "content";
  const fs::path images_ = folder_.path() / "node/images";
  const std::string disk_ = tests::noise(512U << 10U, 1) + std::string(1U << 20U, '\0') + tests::noise(100, 2);
  std::string digest_;
  std::unique_ptr<Watched> source_;
  std::mutex mutex_;
  std::string told_;
};

TEST_F(FetchedImage, IsTheOneThatWasPublished) {
  const auto image = fetched(digest_);
  EXPECT_FALSE(image.was_there);
  EXPECT_EQ(image.folder, images_ / digest_);
  EXPECT_EQ(read_file(image.folder / "disk.qcow2").value(), disk_);
  EXPECT_EQ(sha256_of_file(image.folder / "image.json").value(), image.index.image);
  EXPECT_EQ(image.moved.all, image.index.bytes());
  EXPECT_EQ(image.moved.fetched, image.moved.all);
  EXPECT_EQ(image.moved.copied + image.moved.kept, 0U);
  for (const auto& [name, times] : source_->asked) EXPECT_EQ(times, 1) << name;
  struct stat info {};
  ASSERT_EQ(::stat((image.folder / "disk.qcow2").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0444U);
  EXPECT_LT(info.st_blocks * 512, 1 << 20) << "zeros are a hole";
  EXPECT_THAT(told_, HasSubstr("getting image 'dns' from '" + content_.string() + "'"));
  // Again: nothing is moved, and nobody asked.
  source_->asked.clear();
  EXPECT_TRUE(fetched(digest_).was_there);
  EXPECT_TRUE(source_->asked.empty());
}

TEST_F(FetchedImage, IsMadeOfAnOlderOneAndOfWhatChanged) {
  (void)fetched(digest_);
  auto disk = disk_;
  disk[200000] ^= 1;
  const auto next = publish_disk(disk, "2026-12-01T00:00:00.000Z");
  source_->asked.clear();
  const auto image = fetched(next);
  EXPECT_EQ(source_->asked.size(), 2U) << "a block of the disk, and image.json";
  EXPECT_LT(image.moved.fetched, 300U << 10U);
  EXPECT_GT(image.moved.copied, 300U << 10U);
  EXPECT_EQ(image.moved.fetched + image.moved.copied, image.moved.all);
  EXPECT_EQ(read_file(image.folder / "disk.qcow2").value(), disk);
}

TEST_F(FetchedImage, AnOlderImageThatIsDamagedIsNotCopied) {
  const auto old = fetched(digest_).folder / "disk.qcow2";
  ::chmod(old.c_str(), 0600);
  ASSERT_TRUE(write_file_atomically(old, std::string(disk_.size(), 'x')));
  auto disk = disk_;
  disk[200000] ^= 1;
  const auto next = publish_disk(disk, "2026-12-01T00:00:00.000Z");
  EXPECT_EQ(read_file(fetched(next).folder / "disk.qcow2").value(), disk);
}

TEST_F(FetchedImage, OneThatWasDamagedIsMadeAnewOfWhatIsStillGood) {
  const auto file = fetched(digest_).folder / "disk.qcow2";
  auto disk = disk_;
  disk[200000] ^= 1;
  disk[700000] = 'x';  // where zeros were
  ::chmod(file.c_str(), 0600);
  ASSERT_TRUE(write_file_atomically(file, disk, 0444));
  const auto again = fetched(digest_);
  EXPECT_FALSE(again.was_there);
  EXPECT_THAT(told_, HasSubstr("an image is damaged, and made anew: "));
  EXPECT_EQ(read_file(file).value(), disk_);
  EXPECT_GT(again.moved.kept, 300U << 10U);
  EXPECT_LT(again.moved.fetched, 300U << 10U);
}

TEST_F(FetchedImage, WhatTheSourceDoesNotHaveIsAMistakeWithANextStep) {
  const auto none = fetch_it(sha256("another"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(none.error().message, AllOf(HasSubstr(content_.string()), HasSubstr(sha256("another"))));
  EXPECT_THAT(none.error().hint, HasSubstr("patchlab content publish"));
  EXPECT_FALSE(fetch_it("../../etc"));
}

TEST_F(FetchedImage, ADamagedBlockIsRefusedUntilItIsPublishedAgain) {
  const auto block = some_block_of_the_disk();
  const auto whole = read_file(block).value();
  const auto wrong = packed(tests::noise(60000, 5));
  for (const auto& damaged : {whole.substr(0, whole.size() - 1), std::string(), whole + "x", wrong,
                              packed(std::string(30U << 20U, 'y')), std::string(3U << 20U, 'x')}) {
    ASSERT_TRUE(write_file_atomically(block, damaged));
    const auto error = refused();
    EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
    EXPECT_THAT(error.message, HasSubstr(block.filename().string()));
  }
  EXPECT_EQ(publish_disk(disk_, "2026-11-01T00:00:00.000Z"), digest_);
  const auto image = fetched(digest_);
  EXPECT_GT(image.moved.kept, 0U) << "the try that failed was a begin";
  EXPECT_EQ(read_file(image.folder / "disk.qcow2").value(), disk_);
}

TEST_F(FetchedImage, ABlockThatIsMissingIsNamed) {
  const auto block = some_block_of_the_disk();
  fs::remove(block);
  const auto error = refused();
  EXPECT_THAT(error.message, HasSubstr(block.filename().string() + "' of image 'dns' is not in '"));
  EXPECT_THAT(error.hint, HasSubstr("patchlab content publish"));
}

// Whoever serves it can make it what they want, but for its digest.
TEST_F(FetchedImage, AnotherIndexUnderItsNameIsNotRead) {
  const auto path = content_ / index_name(digest_);
  auto text = read_file(path).value();
  text.replace(text.find("dns"), 3, "dnx");
  ASSERT_TRUE(write_file_atomically(path, text));
  EXPECT_THAT(refused().message, HasSubstr("is damaged: it has another SHA-256"));
  EXPECT_TRUE(source_->asked.empty());
}

// An index that is right by its digest and wrong by what it says of the whole.
TEST_F(FetchedImage, AnIndexWhoseFilesAreNotWhatTheirBlocksMakeIsNoImage) {
  auto index = parse_index(read_file(content_ / index_name(digest_)).value(), "x").value();
  index.files[0].sha256 = sha256("another");
  const auto text = index_text(index);
  ASSERT_TRUE(write_file_atomically(content_ / index_name(sha256(text)), text));
  EXPECT_FALSE(fetch_it(sha256(text)));
  expect_none(sha256(text));
  EXPECT_FALSE(is_there(images_ / (".half-" + sha256(text))));
}

TEST_F(FetchedImage, ReachesNothingBesideItsFolder) {
  const auto aside = folder_.write("aside", "somebody's");
  ASSERT_TRUE(create_folders(images_));
  fs::create_directory(images_ / (".half-" + digest_));
  ASSERT_TRUE(write_file_atomically(images_ / (".half-" + digest_) / "index",
                                    read_file(content_ / index_name(digest_)).value()));
  fs::create_symlink(aside, images_ / (".half-" + digest_) / "disk.qcow2");
  ::chmod(images_.c_str(), 0700);
  EXPECT_FALSE(fetch_it(digest_));
  EXPECT_EQ(read_file(aside).value(), "somebody's");
}

TEST_F(FetchedImage, GoesOnAfterKill) {
  const auto child = ::fork();
  if (child == 0) {
    source_->at_block = [](std::size_t count) {
      if (count == 6) ::kill(::getpid(), SIGKILL);
    };
    (void)fetch_it(digest_);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  expect_none(digest_);
  ASSERT_TRUE(is_there(images_ / (".half-" + digest_)));
  const auto image = fetched(digest_);
  EXPECT_GT(image.moved.kept, 0U);
  EXPECT_LT(image.moved.fetched, image.moved.all);
  EXPECT_EQ(image.moved.fetched + image.moved.kept, image.moved.all);
  EXPECT_EQ(read_file(image.folder / "disk.qcow2").value(), disk_);
  EXPECT_FALSE(is_there(images_ / (".half-" + digest_)));
}

TEST_F(FetchedImage, IsFetchedOnceForTwoAtOnce) {
  std::vector<Result<Fetched>> images;
  images.emplace_back(Error{});
  images.emplace_back(Error{});
  {
    std::jthread one([&] { images[0] = fetch_it(digest_); });
    std::jthread two([&] { images[1] = fetch_it(digest_); });
  }
  ASSERT_TRUE(images[0]) << images[0].error().message;
  ASSERT_TRUE(images[1]) << images[1].error().message;
  EXPECT_NE(images[0]->was_there, images[1]->was_there);
  for (const auto& [name, times] : source_->asked) EXPECT_EQ(times, 1) << name;
}

TEST_F(FetchedImage, IsRemovedWhenNobodyHasUsedItForLong) {
  const auto long_ago = [&](const fs::path& path, int days) {
    const timespec then{::time(nullptr) - days * 24L * 3600, 0};
    const std::array<timespec, 2> times{then, then};
    EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  };
  std::vector<std::string> digests;
  for (const auto* day : {"01", "02", "03"})
    digests.push_back(publish_disk(disk_, std::string("2026-10-") + day + "T00:00:00.000Z"));
  const auto in_use = fetched(digests[0]);
  (void)fetched(digests[1]);
  (void)fetched(digests[2]);
  fs::create_directory(images_ / (".half-" + sha256("given up")));
  fs::create_directory(images_ / (".half-" + sha256("under way")));
  long_ago(images_ / digests[0] / "index", 61);
  long_ago(images_ / digests[1] / "index", 61);
  long_ago(images_ / digests[2] / "index", 59);
  long_ago(images_ / (".half-" + sha256("given up")), 8);
  (void)fetched(digest_);
  EXPECT_TRUE(is_there(images_ / digests[0]));
  EXPECT_FALSE(is_there(images_ / digests[1]));
  EXPECT_TRUE(is_there(images_ / digests[2]));
  EXPECT_FALSE(is_there(images_ / (".half-" + sha256("given up"))));
  EXPECT_TRUE(is_there(images_ / (".half-" + sha256("under way"))));
}

TEST_F(FetchedImage, GoesIntoNoFolderThatOthersCanWriteTo) {
  ASSERT_TRUE(create_folders(images_));
  ::chmod(images_.c_str(), 0777);
  const auto refused = fetch_it(digest_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(refused.error().message, HasSubstr("other users can write to"));
}

TEST_F(FetchedImage, IsLookedAtAgainAfterItWasUsed) {
  const auto image = fetched(digest_);
  EXPECT_TRUE(verify_files(image.index, image.folder, {"disk.qcow2", "kernel"}));
  const auto file = image.folder / "kernel";
  ::chmod(file.c_str(), 0600);
  ASSERT_TRUE(write_file_atomically(file, "x"));
  const auto changed = verify_files(image.index, image.folder, {"disk.qcow2", "kernel"});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(changed.error().message, HasSubstr("kernel' has changed"));
}

}  // namespace
}  // namespace patchlab::lab::content
