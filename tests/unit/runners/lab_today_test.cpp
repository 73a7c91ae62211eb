// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/inquiry/lab_today.hpp"

#include <gtest/gtest.h>

#include "../lab/image/image_test_support.hpp"
#include "lab/core/digest.hpp"
#include "lab/image/versions.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;
using lab::image::GoldenImage;

// A cache with images of the name "dns", and folders with recipes of that name.
class LabTodayTest : public ::testing::Test {
 protected:
  LabTodayTest() { ::setenv("PATCHLAB_CACHE", (folder_.path() / "own").c_str(), 1); }
  ~LabTodayTest() override { ::unsetenv("PATCHLAB_CACHE"); }

  fs::path recipe(const std::string& where, const std::string& package) {
    auto document = *parse_json(lab::image::testing::dns_json, "image.json");
    document["packages"] = {package};
    folder_.write(where + "/common/base.json", lab::image::testing::base_json);
    folder_.write(where + "/dns/image.json", document.dump());
    return folder_.path() / where / "dns";
  }
  // What a run that starts from it has on record.
  reports::MachineRecord run_from(const fs::path& recipe, const std::string& built) {
    GoldenImage image;
    image.recipe = lab::image::own_digest(recipe).value();
    image.digest = sha256(image.recipe + built);
    image.name = "dns";
    image.role = "dns";
    image.description = "d";
    image.cmdline = "quiet";
    image.memory_mib = 256;
    image.hostname = "dns1";
    image.address = "10.20.0.10";
    image.built = built;
    image.suite = "bookworm";
    image.system = {GuestFamily::debian, {}, "amd64"};
    const auto text = pretty(Json(image));
    folder_.write(lab::image::images_folder(cache()) / image.digest / "image.json", text);
    reports::MachineRecord machine;
    machine.golden = "dns";
    machine.golden_at = "image";
    machine.golden_recipe = recipe.string();
    machine.golden_digest = sha256(text);
    return machine;
  }
  [[nodiscard]] fs::path cache() const { return folder_.path() / "cache"; }
  bool is_current(const reports::MachineRecord& machine) {
    const auto seen = lab_today(Look::at_names, cache()).golden("finance", machine);
    return seen && seen->digest == machine.golden_digest;
  }
  lab::image::testing::TemporaryFolder folder_;
};

TEST_F(LabTodayTest, RecipesOfOneNameDoNotMakeEachOthersRunsStale) {
  const auto mine = run_from(recipe("mine", "bind9"), "2026-01-01T00:00:00.000Z");
  const auto theirs = run_from(recipe("theirs", "nsd"), "2026-01-02T00:00:00.000Z");
  EXPECT_TRUE(is_current(mine));
  EXPECT_TRUE(is_current(theirs));
  const auto today = lab_today(Look::at_names, cache());  // one question does not answer the other
  EXPECT_EQ(today.golden("finance", mine)->digest, mine.golden_digest);
  EXPECT_EQ(today.golden("finance", theirs)->digest, theirs.golden_digest);
}

TEST_F(LabTodayTest, WhatARunWouldNotStartFromAnyMoreIsStale) {
  const auto folder = recipe("mine", "bind9");
  const auto before = run_from(folder, "2026-01-01T00:00:00.000Z");
  const auto after = run_from(folder, "2026-01-02T00:00:00.000Z");  // the suite offered something else
  EXPECT_FALSE(is_current(before));
  EXPECT_TRUE(is_current(after));
  recipe("mine", "nsd");
  EXPECT_FALSE(is_current(after)) << "the recipe was changed, and there is no image of it yet";
  const auto seen = lab_today(Look::at_names, cache()).golden("finance", after);
  EXPECT_NE(seen->trouble.find("as it is now"), std::string::npos) << seen->trouble;
}

// Of one department: production of another one has something else.
TEST_F(LabTodayTest, AVersionThatARunWouldStartFromMakesItStale) {
  const auto machine = [&] {
    auto made = run_from(recipe("mine", "bind9"), "2026-01-01T00:00:00.000Z");
    made.name = "dns";
    return made;
  }();
  const auto built = lab::image::newest(cache(), "dns").value();
  EXPECT_TRUE(is_current(machine));
  auto version = built;
  version.digest = sha256("refreshed");
  version.parent = version.origin = built.digest;
  version.sha256["provenance.json"] = sha256("p");
  folder_.write(lab::image::images_folder(cache()) / version.digest / "image.json", pretty(Json(version)));
  lab::image::VersionLine line{"finance", "dns", {{2, version.digest, built.digest, Json::object()}}, {}};
  ASSERT_TRUE(lab::image::write_versions(cache(), line));
  EXPECT_FALSE(is_current(machine));
  const auto today = lab_today(Look::at_names, cache());
  EXPECT_NE(today.golden("finance", machine)->digest, machine.golden_digest);
  EXPECT_EQ(today.golden("sales", machine)->digest, machine.golden_digest);
  line.pinned = 1;
  ASSERT_TRUE(lab::image::write_versions(cache(), line));
  EXPECT_TRUE(is_current(machine));
}

// The desk of another user cannot read the lab's recipes; older records do not name them.
TEST_F(LabTodayTest, WithoutTheRecipeEveryNewerImageOfTheNameCounts) {
  auto unreadable = run_from(recipe("mine", "bind9"), "2026-01-01T00:00:00.000Z");
  unreadable.golden_recipe = (folder_.path() / "gone" / "dns").string();
  auto unnamed = unreadable;
  unnamed.golden_recipe.clear();
  EXPECT_TRUE(is_current(unreadable));
  EXPECT_TRUE(is_current(unnamed));
  run_from(recipe("theirs", "nsd"), "2026-01-02T00:00:00.000Z");
  EXPECT_FALSE(is_current(unreadable));
  EXPECT_FALSE(is_current(unnamed));
}

}  // namespace
}  // namespace patchlab::runners
