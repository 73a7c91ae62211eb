// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The apt sources of this host, for real: an image that holds old packages, and the shipped recipes on the packages of
// the release.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "lab/core/files.hpp"
#include "patches/apt/recipe_source.hpp"
#include "patches/deb/version.hpp"
#include "patches/repack/recipe.hpp"
#include "patches/set/patch_set.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using testing::TestFolder;

std::string status_entry(const std::string& package, const std::string& version, const std::string& architecture) {
  return fmt::format(
      "Package: {}\nStatus: install ok installed\nVersion: {}\nArchitecture: {}\nMaintainer: x "
      "<x@example.org>\nDescription: x\n\n",
      package, version, architecture);
}

class AptTest : public ::testing::Test {
 protected:
  using Versions = std::vector<std::pair<std::string, std::string>>;

  // For each package the versions which the sources offer, oldest first, with their architecture. One call: apt-cache
  // may take seconds.
  static std::map<std::string, Versions> offered(const std::vector<std::string>& packages) {
    ProcessSpec spec;
    spec.program = "apt-cache";
    spec.arguments = {"show"};
    spec.arguments.insert(spec.arguments.end(), packages.begin(), packages.end());
    const auto text = run_for_output(host_processes(), spec);
    const auto shown = parse_show(text ? *text : std::string());
    std::map<std::string, Versions> versions;
    for (const auto& offer : shown ? *shown : std::vector<AptPackage>{}) {
      versions[offer.package].emplace_back(offer.version, offer.architecture);
    }
    for (auto& [package, list] : versions) {
      std::sort(list.begin(), list.end(),
                [](const auto& x, const auto& y) { return compare_versions(x.first, y.first) < 0; });
    }
    return versions;
  }

  AptSource source() {
    AptPaths paths;
    paths.folder = folder_.path() / "apt";
    return {host_processes(), store_, paths};
  }

  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
};

TEST_F(AptTest, FindsTheUpdateOfAnOldPackage) {
  const auto versions = offered({"tzdata"})["tzdata"];
  if (versions.empty()) GTEST_SKIP() << "no apt sources that offer tzdata (offline?)";
  const auto status =
      folder_.write("dpkg-status", status_entry("tzdata", "2000a-1", "all") + status_entry("debconf", "1.5.82", "all"));
  auto apt = source();
  const auto answer = apt.candidates({{"image", status}}, {{"tzdata"}, std::nullopt, false});
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->candidates.size(), 1U);
  const auto& file = answer->candidates[0].files.at(0);
  EXPECT_EQ(file.package, "tzdata");
  EXPECT_EQ(file.version, versions.back().first);
  EXPECT_TRUE(store_.verified_path(file.sha256));
}

TEST_F(AptTest, SaysThatNothingIsNewer) {
  if (offered({"tzdata"}).empty()) GTEST_SKIP() << "no apt sources that offer tzdata (offline?)";
  const auto status =
      folder_.write("dpkg-status", status_entry("tzdata", "9999z-1", "all") + status_entry("debconf", "9:1", "all"));
  auto apt = source();
  const auto answer = apt.candidates({{"image", status}}, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->candidates.empty());
  EXPECT_EQ(answer->notes,
            std::vector<std::string>{"the apt sources offer no updates over what the golden images hold"});
}

// Every shipped recipe still fits the package of the release (the oldest version on offer), and the results are one
// valid set.
TEST_F(AptTest, BuildsEveryShippedCandidate) {
  std::vector<Recipe> recipes;
  std::vector<std::string> bases;
  for (const auto& entry : std::filesystem::directory_iterator(PATCHLAB_SOURCE_DIR "/scenarios/candidates")) {
    if (!entry.is_directory()) continue;
    auto recipe = read_recipe(entry.path());
    ASSERT_TRUE(recipe) << recipe.error().message;
    bases.push_back(recipe->base_package);
    recipes.push_back(std::move(*recipe));
  }
  auto offers = offered(bases);
  auto apt = source();
  std::vector<Candidate> built;
  for (const auto& recipe : recipes) {
    const auto& versions = offers[recipe.base_package];
    if (versions.empty()) GTEST_SKIP() << "no apt sources that offer " << recipe.base_package << " (offline?)";
    const auto& [version, architecture] = versions.front();
    const auto status = folder_.write(recipe.identity.id, status_entry(recipe.base_package, version, architecture));
    const auto path = std::filesystem::path(PATCHLAB_SOURCE_DIR "/scenarios/candidates") / recipe.identity.id;
    const auto candidate = candidate_from_recipe(path, {{"image", status}}, apt, store_, folder_.path() / "repack");
    ASSERT_TRUE(candidate) << candidate.error().message;
    EXPECT_EQ(candidate->files.at(0).version, version + recipe.version_suffix);
    EXPECT_TRUE(compare_versions(candidate->files[0].version, version) > 0);
    if (versions.size() > 1) {
      EXPECT_TRUE(compare_versions(candidate->files[0].version, versions[1].first) < 0);
    }
    built.push_back(*candidate);
  }
  EXPECT_GE(built.size(), 7U);
  EXPECT_THAT(set_problems(built), ::testing::IsEmpty());
}

}  // namespace
}  // namespace patchlab::patches
