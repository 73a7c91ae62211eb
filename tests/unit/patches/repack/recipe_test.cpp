// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/repack/recipe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using testing::TestFolder;

const Json minimal{{"id", "x"}, {"title", "X"}, {"base", {{"package", "hello"}}}, {"version_suffix", "+patchlab1"}};

class RecipeTest : public ::testing::Test {
 protected:
  Result<Recipe> read(const Json& json) {
    folder_.write("r/recipe.json", json.dump());
    return read_recipe(folder_.path() / "r");
  }
  TestFolder folder_;
};

TEST_F(RecipeTest, ReadsEverything) {
  folder_.write("r/post.sh", "echo hi\n");
  folder_.write("r/files/etc/x.conf", "x");
  Json json = minimal;
  json["remove"] = {"usr/hello"};
  json["replace"] = {{{"path", "a"}, {"find", "f"}, {"with", "w"}}};
  json["append"] = {{{"path", "b"}, {"text", "t"}}};
  json["scripts"] = {{{"script", "postinst"}, {"at", "start"}, {"from", "post.sh"}}};
  const auto recipe = read(json);
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->identity.origin, Origin::repack);
  EXPECT_EQ(recipe->base_package, "hello");
  EXPECT_EQ(recipe->version_suffix, "+patchlab1");
  EXPECT_EQ(recipe->scripts.at(0).text, "echo hi\n");
  EXPECT_EQ(recipe->scripts.at(0).place, ScriptPlace::start);
  EXPECT_EQ(recipe->overlay.at(0).path, "etc/x.conf");
  EXPECT_EQ(recipe->replacements.at(0).with, "w");
  EXPECT_EQ(recipe->additions.at(0).text, "t");
}

TEST_F(RecipeTest, DigestFollowsEveryFileOfTheRecipe) {
  const auto first = read(minimal)->digest;
  EXPECT_EQ(read(minimal)->digest, first);
  folder_.write("r/files/etc/x.conf", "x");
  const auto second = read(minimal)->digest;
  EXPECT_NE(second, first);
  folder_.write("r/files/etc/x.conf", "y");
  EXPECT_NE(read(minimal)->digest, second);
}

TEST_F(RecipeTest, CollectsEveryProblem) {
  const Json json{{"id", "x"},
                  {"title", "X"},
                  {"base", {{"package", "../x"}, {"version", "1"}}},
                  {"version_suffix", "~bad"},
                  {"remove", {"/etc/passwd"}},
                  {"replace", {{{"path", "../a"}, {"find", ""}, {"with", ""}}}},
                  {"scripts", {{{"script", "install"}, {"at", "middle"}, {"from", "none.sh"}}}},
                  {"remvoe", 1}};
  const auto message = read(json).error().message;
  EXPECT_THAT(message, HasSubstr("recipe.json: /base/package: '../x' is no package name"));
  EXPECT_THAT(message, HasSubstr("/base"));
  EXPECT_THAT(message, HasSubstr("version"));
  EXPECT_THAT(message, HasSubstr("/version_suffix: '~bad' must be '+' and lower-case letters, digits or dots"));
  EXPECT_THAT(message, HasSubstr("/remove/0: '/etc/passwd' must be a path inside the package"));
  EXPECT_THAT(message, HasSubstr("/replace/0/path: '../a' must be a path inside the package"));
  EXPECT_THAT(message, HasSubstr("/replace/0/find: must not be empty"));
  EXPECT_THAT(message, HasSubstr("/scripts/0/script: 'install' is unknown; allowed: preinst, postinst, prerm, postrm"));
  EXPECT_THAT(message, HasSubstr("/scripts/0/at: 'middle' is unknown; allowed: start, end"));
  EXPECT_THAT(message, HasSubstr("none.sh"));
  EXPECT_THAT(message, HasSubstr("remvoe"));
}

TEST_F(RecipeTest, RefusesLinksInTheOverlay) {
  std::filesystem::create_directories(folder_.path() / "r/files");
  std::filesystem::create_symlink("/etc/shadow", folder_.path() / "r/files/x");
  EXPECT_THAT(read(minimal).error().message, HasSubstr("is a symbolic link, and no regular file"));
}

TEST(ShippedRecipes, AreAllValid) {
  std::set<std::string> ids;
  for (const auto& entry : std::filesystem::directory_iterator(PATCHLAB_SOURCE_DIR "/scenarios/candidates")) {
    if (!entry.is_directory()) continue;
    const auto recipe = read_recipe(entry.path());
    ASSERT_TRUE(recipe) << recipe.error().message;
    EXPECT_EQ(recipe->identity.id, entry.path().filename().string());
    ids.insert(recipe->identity.id);
  }
  EXPECT_GE(ids.size(), 7U);
}

}  // namespace
}  // namespace patchlab::patches
