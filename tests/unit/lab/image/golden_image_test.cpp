// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/golden_image.hpp"

#include <gmock/gmock.h>

#include "image_test_support.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::lab::image {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class GoldenImageTest : public ::testing::Test {
 protected:
  // An image on disk as the builder leaves it, with small files instead of a guest.
  GoldenImage make(const std::string& name, const std::string& built, const std::string& recipe = {}) {
    GoldenImage image;
    image.digest = sha256(name + built + recipe);
    image.folder = images_folder(cache.path()) / image.digest;
    image.name = name;
    image.role = "dns";
    image.description = "d";
    image.disk = image.folder / "disk.qcow2";
    image.kernel = image.folder / "kernel";
    image.initrd = image.folder / "initrd";
    image.dpkg_status = image.folder / "dpkg-status";
    image.cmdline = "quiet";
    image.memory_mib = 256;
    image.hostname = "dns1";
    image.address = "10.20.0.10";
    image.services = {"named"};
    image.ready = {{53}, {53}};
    image.system = {GuestFamily::windows, "6.2.9200", "amd64"};
    image.credentials = {{"ann", "ann", "p", "tests"}};
    image.packages = {{"bind9:amd64", "1:9.18"}};
    image.built = built;
    image.suite = "bookworm";
    image.recipe = recipe;
    for (const char* file : {"disk.qcow2", "dpkg-status", "initrd", "kernel"}) {
      image.sha256[file] = sha256(file);
      read_only(cache.write(image.folder / file, file));
    }
    const auto text = pretty(Json(image));
    image.contents = sha256(text);
    read_only(cache.write(image.folder / "image.json", text));
    return image;
  }
  static void read_only(const fs::path& file) {
    fs::permissions(file, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  }
  testing::TemporaryFolder cache;
};

TEST_F(GoldenImageTest, ComesBackAsItWasWritten) {
  const auto image = make("dns", "2026-01-01T00:00:00.000Z");
  const auto loaded = load(image.folder);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(*loaded, image);
  EXPECT_TRUE(verify(*loaded).has_value());
}

TEST_F(GoldenImageTest, AChangedDiskIsFound) {
  const auto image = make("dns", "2026-01-01T00:00:00.000Z");
  fs::permissions(image.disk, fs::perms::owner_all);
  cache.write(image.disk, "something else");
  read_only(image.disk);
  const auto verified = verify(image);
  ASSERT_FALSE(verified.has_value());
  EXPECT_THAT(verified.error().message, HasSubstr("'disk.qcow2' has changed"));
}

// Whoever exchanges the disk writes its digest into image.json, too; who has loaded it before knows better.
TEST_F(GoldenImageTest, AnotherImageUnderTheSameRecipeIsFound) {
  const auto image = make("dns", "2026-01-01T00:00:00.000Z");
  auto other = image;
  other.sha256["disk.qcow2"] = sha256("something else");
  for (const auto& [file, text] : {std::pair{image.disk, std::string("something else")},
                                   std::pair{image.folder / "image.json", pretty(Json(other))}}) {
    fs::permissions(file, fs::perms::owner_all);
    cache.write(file, text);
    read_only(file);
  }
  const auto verified = verify(image);
  ASSERT_FALSE(verified.has_value());
  EXPECT_THAT(verified.error().message, HasSubstr("'image.json' has changed"));
  const auto loaded = load(image.folder);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(verify(*loaded).has_value());
  EXPECT_EQ(loaded->digest, image.digest) << "of the recipe";
  EXPECT_NE(loaded->contents, image.contents) << "what a run was made with is another";
}

TEST_F(GoldenImageTest, AWritableFileIsFound) {
  const auto image = make("dns", "2026-01-01T00:00:00.000Z");
  fs::permissions(image.kernel, fs::perms::owner_write, fs::perm_options::add);
  const auto verified = verify(image);
  ASSERT_FALSE(verified.has_value());
  EXPECT_THAT(verified.error().message, HasSubstr("'kernel' is writable"));
}

TEST_F(GoldenImageTest, AFolderWithAnotherNameIsRefused) {
  const auto image = make("dns", "2026-01-01T00:00:00.000Z");
  const auto moved = images_folder(cache.path()) / sha256("another");
  fs::rename(image.folder, moved);
  const auto loaded = load(moved);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().message, HasSubstr("image.json says digest"));
}

TEST_F(GoldenImageTest, TheNewestOfANameIsChosen) {
  make("dns", "2026-01-01T00:00:00.000Z");
  const auto newer = make("dns", "2026-02-01T00:00:00.000Z");
  make("mail", "2026-03-01T00:00:00.000Z");
  fs::create_directories(images_folder(cache.path()) / ".new-half");
  EXPECT_EQ(list(cache.path()).value_or({}).size(), 3U);
  const auto found = newest(cache.path(), "dns");
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->digest, newer.digest);
}

// Two folders may each have a recipe 'dns': the image of one is no newer one of the other.
class RecipesOfOneName : public GoldenImageTest {
 protected:
  fs::path recipe(const std::string& folder, const std::string& package) {
    auto document = *parse_json(testing::dns_json, "image.json");
    document["packages"] = {package};
    cache.write(folder + "/common/base.json", testing::base_json);
    cache.write(folder + "/dns/image.json", document.dump());
    return cache.path() / folder / "dns";
  }
};

TEST_F(RecipesOfOneName, AreToldApart) {
  const auto mine = recipe("mine", "bind9");
  const auto theirs = recipe("theirs", "nsd");
  const auto of_mine = make("dns", "2026-01-01T00:00:00.000Z", own_digest(mine).value());
  const auto of_theirs = make("dns", "2026-02-01T00:00:00.000Z", own_digest(theirs).value());
  EXPECT_EQ(newest(cache.path(), "dns").value().digest, of_theirs.digest);
  EXPECT_EQ(newest_of(cache.path(), mine).value().digest, of_mine.digest);
  EXPECT_EQ(newest_of(cache.path(), theirs).value().digest, of_theirs.digest);
  // Built again from the same recipe, since the suite offers something else.
  const auto again = make("dns", "2026-03-01T00:00:00.000Z", own_digest(mine).value());
  EXPECT_EQ(newest_of(cache.path(), mine).value().digest, again.digest);
}

TEST_F(RecipesOfOneName, AreTheSameWhenTheySayTheSame) {
  const auto here = recipe("here", "bind9");
  const auto there = recipe("there", "bind9");
  const auto image = make("dns", "2026-01-01T00:00:00.000Z", own_digest(here).value());
  EXPECT_EQ(newest_of(cache.path(), there).value().digest, image.digest) << "a run there would start from it";
}

TEST_F(RecipesOfOneName, WhatWasChangedSinceIsAnotherOne) {
  const auto folder = recipe("mine", "bind9");
  make("dns", "2026-01-01T00:00:00.000Z", own_digest(folder).value());
  recipe("mine", "nsd");
  const auto found = newest_of(cache.path(), folder);
  ASSERT_FALSE(found.has_value());
  EXPECT_THAT(found.error().message, HasSubstr("as it is now"));
  EXPECT_THAT(found.error().hint, HasSubstr("patchlab image build dns --recipes"));
  // What the recipes share counts as well.
  recipe("mine", "bind9");
  auto base = *parse_json(testing::base_json, "base.json");
  base["cmdline"] = "loud";
  cache.write("mine/common/base.json", base.dump());
  EXPECT_FALSE(newest_of(cache.path(), folder).has_value());
}

TEST_F(RecipesOfOneName, AnImageOfAnOlderVersionMayBeOfAny) {
  const auto folder = recipe("mine", "bind9");
  const auto old = make("dns", "2026-01-01T00:00:00.000Z");
  EXPECT_EQ(newest_of(cache.path(), folder).value().digest, old.digest);
}

TEST_F(GoldenImageTest, AMissingImageSaysHowToBuildIt) {
  const auto found = newest(cache.path(), "dns");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().hint, "build it with 'patchlab image build dns'");
}

TEST_F(GoldenImageTest, WhileHeldNobodyElseGetsItForThemselves) {
  const auto image = make("dns", "2026-01-01T00:00:00.000Z");
  const auto mine = hold(image);
  const auto also = hold(image);
  EXPECT_TRUE(mine.has_value());
  EXPECT_TRUE(also.has_value());
  EXPECT_FALSE(FileLock::take(image.folder / "image.json", FileLock::Mode::exclusive, FileLock::at_once()).has_value());
}

TEST(DpkgStatus, ListsOnlyWhatIsInstalled) {
  const auto installed = parse_dpkg_status(
      "Package: bind9\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:9.18.49-1~deb12u1\nDescription: "
      "server\n Version: none\n\n"
      "Package: nmap\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 7\n\n"
      "Package: netbase\nStatus: hold ok installed\nArchitecture: all\nVersion: 6.4\n");
  EXPECT_EQ(installed, (InstalledSet{{"bind9:amd64", "1:9.18.49-1~deb12u1"}, {"netbase:all", "6.4"}}));
}

TEST(MachineWords, AreWhatTheGuestReads) {
  EXPECT_EQ(machine_words("10.20.0.10", 24, "10.20.0.1", "dns1"),
            "patchlab.address=10.20.0.10/24 patchlab.gateway=10.20.0.1 patchlab.hostname=dns1");
}

}  // namespace
}  // namespace patchlab::lab::image
