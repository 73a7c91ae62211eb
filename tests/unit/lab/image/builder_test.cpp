// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/builder.hpp"

#include <gmock/gmock.h>

#include "image_test_support.hpp"
#include "lab/image/build_commands.hpp"
#include "lab/image/package_sources.hpp"

namespace patchlab::lab::image {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Does what the programs of a build do, as far as files go, and fails where a test wants it to.
class FakeTools : public ProcessRunner {
 public:
  explicit FakeTools(fs::path index) : index_(std::move(index)) {}
  std::string fail_at;
  std::vector<std::string> programs;

  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    const std::lock_guard guard(mutex_);
    programs.push_back(spec.program);
    ProcessOutcome outcome{Exited{spec.program == fail_at ? 1 : 0}, {}, {}, {}};
    if (spec.program == fail_at)
      outcome.errors = "E: no space left\n";
    else
      act(spec, outcome);
    return outcome;
  }
  [[nodiscard]] long count(const std::string& program) const {
    return std::count(programs.begin(), programs.end(), program);
  }

 private:
  static void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void act(const ProcessSpec& spec, ProcessOutcome& outcome) const {
    const auto& words = spec.arguments;
    // An ordinary user's build runs these two inside 'unshare' or 'fakeroot'.
    const auto runs = [&](const char* program) {
      return spec.program == program || std::find(words.begin(), words.end(), program) != words.end();
    };
    if (spec.program == "apt-get") {
      outcome.output = "http://a.example/\t" + codename_ + "\t" + codename_ + "\tmain\tDebian\tDebian\tamd64\t" +
                       index_.string() + "\n";
    } else if (spec.program == "mmdebstrap") {
      const fs::path tar = words[words.size() - 2];
      write(tar, "tar");
      write(tar.parent_path() / "kernel-packages" / "kernel.deb", "deb");
    } else if (spec.program == "dpkg-deb") {
      const fs::path files = words.back();
      write(files / "bin/busybox", "busybox");
      write(files / "boot/vmlinuz-6.1", std::string(0x202, '\0') + "HdrS" + std::string(0x1000, '\0'));
      for (const char* module : {"virtio.ko", "virtio_blk.ko"}) write(files / "lib/modules" / module, module);
    } else if (runs("/bin/sh")) {  // the disk
      write(words[words.size() - 2], "Package: bind9\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n");
    } else if (spec.program == "qemu-img") {
      write(words.back(), "disk");
    } else if (runs("rm")) {
      fs::remove_all(words.back());
    }
  }
  fs::path index_;
  std::string codename_ = host_codename().value_or("bookworm");
  std::mutex mutex_;
};

class BuilderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!host_codename()) GTEST_SKIP() << "this host's /etc/os-release names no VERSION_CODENAME";
    folder.write("recipes/common/base.json", testing::base_json);
    folder.write("recipes/common/initramfs/init", "#!/bin/sh\n");
    folder.write("recipes/dns/image.json", testing::dns_json);
    folder.write("recipes/big/image.json",
                 R"({"schema": "patchlab/image-recipe/v1", "extends": "dns", "memory_mib": 512})");
    request.recipes = folder.path() / "recipes";
    request.cache = folder.path() / "cache";
  }
  [[nodiscard]] std::vector<fs::path> half_made() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(images_folder(request.cache))) {
      if (entry.path().filename().string().rfind(".new-", 0) == 0) found.push_back(entry.path());
    }
    return found;
  }
  testing::TemporaryFolder folder;
  FakeTools tools{folder.write("index", "packages")};
  BuildRequest request;
};

TEST_F(BuilderTest, BuildsAReadOnlyImageThatVerifies) {
  request.names = {"dns"};
  const auto built = build(tools, request);
  ASSERT_TRUE(built.has_value()) << built.error().message;
  ASSERT_EQ(built->size(), 1U);
  const auto& image = built->front().image;
  EXPECT_FALSE(built->front().was_there);
  EXPECT_EQ(image.packages, (InstalledSet{{"bind9:amd64", "1"}}));
  EXPECT_TRUE(verify(image).has_value());
  EXPECT_EQ(fs::status(image.folder).permissions() & fs::perms::owner_write, fs::perms::none);
}

TEST_F(BuilderTest, TheSecondTimeNothingIsBuilt) {
  ASSERT_TRUE(build(tools, request).has_value());
  tools.programs.clear();
  const auto again = build(tools, request);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(std::all_of(again->begin(), again->end(), [](const BuiltImage& one) { return one.was_there; }));
  EXPECT_EQ(tools.count("mmdebstrap"), 0);
}

TEST_F(BuilderTest, OnlyTheChangedRecipeIsBuiltAgain) {
  ASSERT_TRUE(build(tools, request).has_value());
  folder.write("recipes/big/setup", "true\n");
  tools.programs.clear();
  const auto again = build(tools, request);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(tools.count("mmdebstrap"), 1);  // neither the base nor 'dns'
  EXPECT_FALSE((*again)[0].was_there);
  EXPECT_TRUE((*again)[1].was_there);
}

TEST_F(BuilderTest, ANewPackageIndexMakesNewImages) {
  const auto before = current_images(tools, request);
  folder.write("index", "other packages");
  const auto after = current_images(tools, request);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->front().digest, after->front().digest);
}

TEST_F(BuilderTest, AFailureNamesTheImageAndLeavesNoImage) {
  tools.fail_at = "qemu-img";
  const auto built = build(tools, request);
  ASSERT_FALSE(built.has_value());
  EXPECT_THAT(built.error().message, HasSubstr("building image '"));
  EXPECT_THAT(built.error().message, HasSubstr("no space left"));
  EXPECT_EQ(list(request.cache).value_or({}).size(), 0U);
}

TEST_F(BuilderTest, WhatAKilledBuildLeftIsRemoved) {
  tools.fail_at = "qemu-img";
  ASSERT_FALSE(build(tools, request).has_value());
  ASSERT_FALSE(half_made().empty());
  tools.fail_at.clear();
  ASSERT_TRUE(build(tools, request).has_value());
  EXPECT_TRUE(half_made().empty());
}

TEST_F(BuilderTest, SaysWhatItDoes) {
  std::vector<std::string> lines;
  request.names = {"dns"};
  request.progress = [&](const BuildEvent& event) { lines.push_back(event.image + ": " + event.text); };
  ASSERT_TRUE(build(tools, request).has_value());
  EXPECT_THAT(lines, ::testing::Contains("base: making the initramfs"));
  EXPECT_THAT(lines, ::testing::Contains("dns: making the disk"));
}

TEST_F(BuilderTest, AStoppedBuildIsCancelled) {
  std::stop_source stop;
  stop.request_stop();
  request.stop = stop.get_token();
  const auto built = build(tools, request);
  ASSERT_FALSE(built.has_value());
  EXPECT_EQ(built.error().error_class, ErrorClass::cancelled);
}

}  // namespace
}  // namespace patchlab::lab::image
