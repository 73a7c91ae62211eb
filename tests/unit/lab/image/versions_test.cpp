// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/versions.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "image_test_support.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/image/refreshed.hpp"

namespace patchlab::lab::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A cache with an image as it was built from its recipe.
class Versions : public ::testing::Test {
 protected:
  Versions() {
    built_.digest = sha256("recipe");
    built_.folder = images_folder(cache()) / built_.digest;
    built_.name = built_.role = built_.hostname = "dns";
    built_.memory_mib = 256;
    built_.system = {GuestFamily::debian, {}, "amd64"};
    built_.packages = {{"bind9:amd64", "1"}};
    built_.built = "2026-11-01T00:00:00Z";
    built_.suite = "bookworm";
    for (const char* name : {"disk.qcow2", "dpkg-status", "initrd", "kernel"}) {
      built_.sha256[name] = sha256(name);
      folder_.write(built_.folder / name, name);
    }
    folder_.write(built_.folder / "image.json", pretty(Json(built_)));
    built_ = load(built_.folder).value();
  }
  [[nodiscard]] fs::path cache() const { return folder_.path() / "cache"; }
  // `parent` with a package of that version, as it is kept.
  Result<GoldenImage> refreshed(const GoldenImage& parent, const std::string& version) {
    const auto disk = folder_.path() / "new.qcow2";
    folder_.write(disk, "disk with " + version);
    return keep_refreshed(
        cache(), {parent,
                  {sha256(version)},
                  disk,
                  "Package: bind9\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\n\n",
                  Json{{"by", "ops@x"}},
                  "2026-11-30T00:00:00Z"});
  }
  void add(const GoldenImage& image) {
    auto line = read_versions(cache(), "finance", "dns").value();
    line.versions.push_back({line.next_number(), image.digest, image.origin, Json::object()});
    ASSERT_TRUE(write_versions(cache(), line));
  }
  void pin(std::optional<std::uint64_t> number) {
    auto line = read_versions(cache(), "finance", "dns").value();
    line.pinned = number;
    ASSERT_TRUE(write_versions(cache(), line));
  }
  std::string starts_from(const std::string& department = "finance") {
    const auto image = image_for(cache(), built_, department, "dns");
    return image ? image->digest : image.error().message;
  }

  testing::TemporaryFolder folder_;
  GoldenImage built_;
};

TEST_F(Versions, AnImageIsMadeBesideItsParentAndSaysWhatItIsMadeOf) {
  const auto image = refreshed(built_, "2");
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_NE(image->digest, built_.digest);
  EXPECT_EQ(image->parent, built_.digest);
  EXPECT_EQ(image->origin, built_.digest);
  EXPECT_EQ(image->packages, (InstalledSet{{"bind9:amd64", "2"}}));
  EXPECT_TRUE(verify(*image)) << verify(*image).error().message;
  EXPECT_EQ(load(built_.folder).value(), built_) << "the old one stays as it is";
  EXPECT_EQ(list(cache()).value().size(), 2U);
  EXPECT_EQ(newest(cache(), "dns").value().digest, built_.digest) << "of the recipe";
  const auto next = refreshed(*image, "3");
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->parent, image->digest);
  EXPECT_EQ(next->origin, built_.digest);
}

TEST_F(Versions, TheSamePutIntoTheSameIsOneImage) {
  const auto image = refreshed(built_, "2");
  const auto again = refreshed(built_, "2");
  ASSERT_TRUE(image && again);
  EXPECT_EQ(image->contents, again->contents);
  EXPECT_EQ(refreshed_digest(built_, {sha256("2")}), image->digest);
  EXPECT_NE(refreshed_digest(built_, {sha256("2"), sha256("3")}), image->digest);
}

TEST_F(Versions, WhatIsChangedInOneIsFound) {
  const auto image = refreshed(built_, "2");
  ASSERT_TRUE(image);
  for (const char* name : {"provenance.json", "disk.qcow2"}) {
    const auto changed = image->folder / name;
    const auto before = read_file(changed).value();
    fs::permissions(changed, fs::perms::owner_all);
    folder_.write(changed, "something else");
    fs::permissions(changed, fs::perms::owner_read);
    const auto verified = verify(*image);
    ASSERT_FALSE(verified) << name;
    EXPECT_THAT(verified.error().message, HasSubstr(name));
    fs::permissions(changed, fs::perms::owner_all);
    folder_.write(changed, before);
    fs::permissions(changed, fs::perms::owner_read);
  }
  EXPECT_TRUE(verify(*image));
}

TEST_F(Versions, AParentThatChangedIsNotGoneOnFrom) {
  folder_.write(built_.folder / "kernel", "another one");
  const auto image = refreshed(built_, "2");
  ASSERT_FALSE(image);
  EXPECT_THAT(image.error().message, HasSubstr("kernel' has changed"));
  EXPECT_EQ(list(cache()).value().size(), 1U) << "nothing half-made counts";
}

TEST_F(Versions, WhatAKilledProcessLeftIsRemovedAndNeverCounts) {
  folder_.write(images_folder(cache()) / (".new-" + sha256("x")) / "disk.qcow2", "half");
  EXPECT_EQ(list(cache()).value().size(), 1U);
  ASSERT_TRUE(refreshed(built_, "2"));
  EXPECT_FALSE(is_there(images_folder(cache()) / (".new-" + sha256("x"))));
}

TEST_F(Versions, AMachineStartsFromTheNewestAndOthersFromTheirOwn) {
  EXPECT_EQ(starts_from(), built_.digest);
  const auto two = refreshed(built_, "2").value();
  EXPECT_EQ(starts_from(), built_.digest) << "an image that no machine was given";
  add(two);
  EXPECT_EQ(starts_from(), two.digest);
  EXPECT_EQ(starts_from("sales"), built_.digest) << "another department has another production";
  const auto three = refreshed(two, "3").value();
  add(three);
  EXPECT_EQ(starts_from(), three.digest);
}

// A link to itself stands for a folder that this user may not enter, as root may enter each.
TEST_F(Versions, ThatCannotBeLookedAtAreNotNone) {
  fs::create_directories(cache() / "image-versions/finance");
  fs::create_symlink("dns.json", cache() / "image-versions/finance/dns.json");
  EXPECT_FALSE(read_versions(cache(), "finance", "dns"));
  fs::remove_all(cache() / "image-versions");
  EXPECT_TRUE(read_versions(cache(), "finance", "dns").value().versions.empty());
  EXPECT_TRUE(all_versions(cache()).value().empty());
  fs::create_symlink("image-versions", cache() / "image-versions");
  EXPECT_FALSE(read_versions(cache(), "finance", "dns"));
  EXPECT_FALSE(all_versions(cache()));
  fs::remove(cache() / "image-versions");
}

TEST_F(Versions, GoingBackIsTold) {
  const auto two = refreshed(built_, "2").value();
  add(two);
  add(refreshed(two, "3").value());
  pin(2);
  EXPECT_EQ(starts_from(), two.digest);
  pin(1);
  EXPECT_EQ(starts_from(), built_.digest);
  pin(std::nullopt);
  EXPECT_NE(starts_from(), two.digest);
}

// After a rollback: a pin would keep the machine at the older one, and the newest has what was taken back.
TEST_F(Versions, OnesThatAreGoneBackBehindCountNoMore) {
  const auto two = refreshed(built_, "2").value();
  add(two);
  const auto three = refreshed(two, "3").value();
  add(three);
  pin(3);
  auto line = read_versions(cache(), "finance", "dns").value();
  line.go_back_to(2);
  ASSERT_TRUE(write_versions(cache(), line));
  EXPECT_EQ(starts_from(), two.digest);
  const auto onward = versions_from(cache(), two, "finance", "dns");
  ASSERT_TRUE(onward) << onward.error().message;
  EXPECT_EQ(onward->next_number(), 4U) << "no number is given twice";
  add(refreshed(two, "4").value());
  EXPECT_EQ(starts_from(), refreshed(two, "4")->digest);
  pin(3);
  EXPECT_EQ(starts_from(), three.digest) << "who asks for it gets it";
  line = read_versions(cache(), "finance", "dns").value();
  line.go_back_to(1);
  ASSERT_TRUE(write_versions(cache(), line));
  EXPECT_EQ(starts_from(), built_.digest);
  line.go_back_to(3);
  EXPECT_FALSE(line.find(3)->dropped);
  EXPECT_TRUE(line.find(4)->dropped);
}

TEST_F(Versions, MayBeReadByWhoPassesThroughTheCache) {
  const auto before = ::umask(077);
  add(refreshed(built_, "2").value());
  ::umask(before);
  const auto mode = [](const fs::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
  };
  EXPECT_EQ(mode(cache() / "image-versions"), 0755U);
  EXPECT_EQ(mode(cache() / "image-versions/finance"), 0755U);
  EXPECT_EQ(mode(cache() / "image-versions/finance/dns.json"), 0644U);
}

// Two who refresh at once, or one who goes back meanwhile: the second image would be newest, without what the first
// has.
TEST_F(Versions, AreGoneOnWithFromWhatTheMachineStartsFromOnly) {
  const auto from = [&](const GoldenImage& parent) {
    const auto line = versions_from(cache(), parent, "finance", "dns");
    return line ? std::to_string(line->next_number()) : line.error().message;
  };
  EXPECT_EQ(from(built_), "2");
  const auto two = refreshed(built_, "2").value();
  add(two);
  EXPECT_THAT(from(built_), HasSubstr("'finance/dns' starts from another image than"));
  EXPECT_EQ(from(two), "3");
  pin(2);
  EXPECT_THAT(from(two), HasSubstr("told it another one")) << "it stays with that one";
  pin(1);
  EXPECT_THAT(from(two), HasSubstr("starts from another image"));
  EXPECT_THAT(from(built_), HasSubstr("told it another one"));
}

// The recipe was changed, or the suite: what was put into the image before is not in the new one.
TEST_F(Versions, DoNotCountForAnotherImageOfTheRecipe) {
  add(refreshed(built_, "2").value());
  built_.digest = sha256("recipe, changed");
  EXPECT_EQ(starts_from(), built_.digest);
  pin(2);
  EXPECT_THAT(starts_from(), HasSubstr("does not go back to the image that its recipe makes now"));
}

TEST_F(Versions, OneThatIsGoneIsNotReplacedByAnotherWithoutAWord) {
  const auto two = refreshed(built_, "2").value();
  add(two);
  fs::permissions(two.folder, fs::perms::owner_all);
  ASSERT_TRUE(remove_tree(two.folder));
  EXPECT_THAT(starts_from(), HasSubstr("version 2 of the golden image of 'finance/dns' is not in"));
}

TEST_F(Versions, AreReadStrictly) {
  add(refreshed(built_, "2").value());
  pin(2);
  const Json good = read_versions(cache(), "finance", "dns").value();
  EXPECT_EQ(Json(version_line_from_json(good, "f").value()), good);
  const auto trouble = [&](const std::function<void(Json&)>& change) {
    auto json = good;
    change(json);
    const auto read = version_line_from_json(json, "f");
    return read ? std::string() : read.error().message;
  };
  EXPECT_THAT(trouble([](Json& json) { json["odd"] = 1; }), HasSubstr("odd"));
  EXPECT_THAT(trouble([](Json& json) { json["pinned"] = 3; }), HasSubstr("/pinned"));
  EXPECT_THAT(trouble([](Json& json) { json["machine"] = "../x"; }), HasSubstr("/machine"));
  EXPECT_THAT(trouble([](Json& json) { json["versions"][0]["image"] = "../x"; }), HasSubstr("/versions/0/image"));
  EXPECT_THAT(trouble([](Json& json) { json["versions"].push_back(json["versions"][0]); }), HasSubstr("greater"));
  // A file of another machine, put in place of its own.
  auto other = good;
  other["machine"] = "mail";
  folder_.write(cache() / "image-versions/finance/dns.json", other.dump());
  EXPECT_FALSE(read_versions(cache(), "finance", "dns"));
  EXPECT_FALSE(all_versions(cache()));
}

}  // namespace
}  // namespace patchlab::lab::image
