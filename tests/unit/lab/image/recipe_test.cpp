// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/recipe.hpp"

#include <gmock/gmock.h>

#include "image_test_support.hpp"

namespace patchlab::lab::image {
namespace {
namespace fs = std::filesystem;
using testing::base_json;
using testing::dns_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

Json dns() { return Json::parse(dns_json); }
const fs::path file = "/recipes/dns/image.json";

Recipe parsed(const Json& json, const Recipe* parent = nullptr) {
  auto recipe = parse_recipe(json, file, parent);
  EXPECT_TRUE(recipe.has_value()) << recipe.error().message;
  return recipe.value_or({});
}

std::string complaint(const Json& json) {
  const auto recipe = parse_recipe(json, file, nullptr);
  EXPECT_FALSE(recipe.has_value());
  return recipe ? "" : recipe.error().message;
}

TEST(ImageRecipe, ReadsEveryMember) {
  const auto recipe = parsed(dns());
  EXPECT_EQ(recipe.name, "dns");
  EXPECT_EQ(recipe.role, "dns");
  EXPECT_THAT(recipe.packages, ElementsAre("bind9"));
  EXPECT_EQ(recipe.memory_mib, 256);
  EXPECT_EQ(recipe.hostname, "dns1");
  EXPECT_EQ(recipe.address, "10.20.0.10");
  EXPECT_THAT(recipe.services, ElementsAre("named"));
  EXPECT_EQ(recipe.ready, (ReadyPorts{{53}, {53}}));
  EXPECT_THAT(recipe.credentials, ElementsAre(Credential{"ann", "ann", "p", "tests"}));
  EXPECT_THAT(recipe.layers, ElementsAre(fs::path("/recipes/dns")));
}

TEST(ImageRecipe, IsOfADebianGuestUnlessItSaysOtherwise) {
  EXPECT_EQ(parsed(dns()).system, GuestSystem{});
  auto json = dns();
  json["system"] = {{"family", "windows"}, {"version", "6.2.9200"}};
  EXPECT_EQ(parsed(json).system, (GuestSystem{GuestFamily::windows, "6.2.9200", "amd64"}));
}

TEST(ImageRecipe, ASystemThatIsNotKnownIsNamed) {
  auto json = dns();
  json["system"] = {{"family", "solaris"}, {"architecture", "sparc"}};
  EXPECT_THAT(complaint(json), AllOf(HasSubstr("/system/family: 'solaris' is not known"),
                                     HasSubstr("/system/architecture: 'sparc' is not known")));
  for (const auto* version : {"2012", "6.2.x", "6.", "6.2.9200.1.1"}) {
    json["system"] = {{"family", "windows"}, {"version", version}};
    EXPECT_THAT(complaint(json), HasSubstr("/system/version")) << version;
  }
  json["system"] = {{"family", "windows"}};
  EXPECT_THAT(complaint(json), HasSubstr("/system: 'version' is required"));
}

TEST(ImageRecipe, AnUnknownKeyNamesFileAndPointer) {
  auto json = dns();
  json["ready"]["sctp"] = {1};
  EXPECT_THAT(complaint(json), AllOf(HasSubstr("/recipes/dns/image.json"), HasSubstr("/ready/sctp")));
}

TEST(ImageRecipe, AllProblemsAreReportedAtOnce) {
  auto json = dns();
  json["memory_mib"] = 1;
  json["address"] = "10.20.0";
  json.erase("hostname");
  EXPECT_THAT(complaint(json), AllOf(HasSubstr("/memory_mib"), HasSubstr("/address: '10.20.0' is not an IPv4 address"),
                                     HasSubstr("'hostname' is required")));
}

TEST(ImageRecipe, APortOutOfRangeIsAProblemWithItsPlace) {
  auto json = dns();
  json["ready"]["tcp"] = {53, 70000};
  EXPECT_THAT(complaint(json), HasSubstr("/ready/tcp/1: must be a port number from 1 to 65535"));
}

TEST(ImageRecipe, APackageNameCannotCarryAnOption) {
  auto json = dns();
  json["packages"] = {"--force-yes"};
  EXPECT_THAT(complaint(json), HasSubstr("/packages/0: '--force-yes' is not a name"));
}

TEST(ImageRecipe, NothingInstalledIsAProblem) {
  auto json = dns();
  json["packages"] = Json::array();
  EXPECT_THAT(complaint(json), HasSubstr("/packages: needs at least one name"));
}

TEST(ImageRecipe, TwoCredentialsCannotShareAnId) {
  auto json = dns();
  json["credentials"].push_back(json["credentials"][0]);
  EXPECT_THAT(complaint(json), HasSubstr("/credentials/1/id: 'ann' is there twice"));
}

TEST(ImageRecipe, AVariantTakesOverWhatItDoesNotName) {
  const auto parent = parsed(dns());
  const Json json{{"schema", "patchlab/image-recipe/v1"}, {"extends", "dns"}, {"memory_mib", 512}};
  const auto variant = parse_recipe(json, "/recipes/dns-big/image.json", &parent);
  ASSERT_TRUE(variant.has_value()) << variant.error().message;
  EXPECT_EQ(variant->name, "dns-big");
  EXPECT_EQ(variant->role, "dns");
  EXPECT_EQ(variant->memory_mib, 512);
  EXPECT_EQ(variant->services, parent.services);
  EXPECT_THAT(variant->layers, ElementsAre(fs::path("/recipes/dns"), fs::path("/recipes/dns-big")));
}

TEST(ImageBase, ADocumentOfAnotherKindIsRefused) {
  auto json = Json::parse(base_json);
  json["schema"] = "patchlab/image-recipe/v1";
  const auto base = parse_base(json, "/recipes/common/base.json");
  ASSERT_FALSE(base.has_value());
  EXPECT_THAT(base.error().message, HasSubstr("/schema"));
}

class RecipeBookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder.write("common/base.json", base_json);
    folder.write("common/initramfs/init", "#!/bin/sh\n");
    folder.write("dns/image.json", dns_json);
    folder.write("dns/files/etc/named.conf", "options {};\n");
  }
  [[nodiscard]] std::string digest_of(const std::string& name, const std::string& packages = "p") const {
    const auto book = read_recipes(folder.path());
    if (!book) return book.error().message;
    const auto chosen = select_recipes(*book, {name});
    if (!chosen) return chosen.error().message;
    const auto base = base_digest(book->base, packages);
    if (!base) return base.error().message;
    return recipe_digest(chosen->front(), *base).value_or("no digest");
  }
  TemporaryFolder folder;
};

TEST_F(RecipeBookTest, FindsEveryRecipeByName) {
  folder.write("dns-big/image.json", R"({"schema": "patchlab/image-recipe/v1", "extends": "dns", "memory_mib": 512})");
  const auto book = read_recipes(folder.path());
  ASSERT_TRUE(book.has_value()) << book.error().message;
  ASSERT_EQ(book->recipes.size(), 2U);
  EXPECT_EQ(book->recipes[0].name, "dns");
  EXPECT_EQ(book->recipes[1].name, "dns-big");
}

TEST_F(RecipeBookTest, AnUnknownNameListsTheKnownOnes) {
  const auto book = read_recipes(folder.path());
  ASSERT_TRUE(book.has_value()) << book.error().message;
  const auto chosen = select_recipes(*book, {"dms"});
  ASSERT_FALSE(chosen.has_value());
  EXPECT_EQ(chosen.error().message, "there is no image recipe 'dms'");
  EXPECT_EQ(chosen.error().hint, "known recipes: dns");
}

TEST_F(RecipeBookTest, ExtendingNothingIsAnErrorWithItsPlace) {
  folder.write("x/image.json", R"({"schema": "patchlab/image-recipe/v1", "extends": "y"})");
  const auto book = read_recipes(folder.path());
  ASSERT_FALSE(book.has_value());
  EXPECT_THAT(book.error().message, HasSubstr("x/image.json: /extends: there is no recipe 'y'"));
}

TEST_F(RecipeBookTest, ACircleOfExtensionsIsAnError) {
  folder.write("x/image.json", R"({"schema": "patchlab/image-recipe/v1", "extends": "y"})");
  folder.write("y/image.json", R"({"schema": "patchlab/image-recipe/v1", "extends": "x"})");
  const auto book = read_recipes(folder.path());
  ASSERT_FALSE(book.has_value());
  EXPECT_THAT(book.error().message, HasSubstr("in a circle"));
}

TEST_F(RecipeBookTest, TheDigestIsTheSameForTheSameInput) { EXPECT_EQ(digest_of("dns"), digest_of("dns")); }

TEST_F(RecipeBookTest, TheDigestDependsOnEveryFile) {
  const auto before = digest_of("dns");
  folder.write("dns/files/etc/named.conf", "options { recursion no; };\n");
  EXPECT_NE(digest_of("dns"), before);
}

TEST_F(RecipeBookTest, TheDigestDependsOnWhatIsAProgram) {
  const auto script = folder.write("dns/setup", "true\n");
  const auto before = digest_of("dns");
  fs::permissions(script, fs::perms::owner_exec, fs::perm_options::add);
  EXPECT_NE(digest_of("dns"), before);
}

TEST_F(RecipeBookTest, TheDigestDependsOnTheBaseAndTheSuite) {
  const auto before = digest_of("dns");
  EXPECT_NE(digest_of("dns", "another package index"), before);
  folder.write("common/files/etc/inittab", "id:2:initdefault:\n");
  EXPECT_NE(digest_of("dns"), before);
}

TEST_F(RecipeBookTest, TheDigestDoesNotDependOnWhereTheRecipesAre) {
  const auto before = digest_of("dns");
  TemporaryFolder other;
  fs::copy(folder.path(), other.path(), fs::copy_options::recursive);
  const auto book = read_recipes(other.path());
  ASSERT_TRUE(book.has_value());
  EXPECT_EQ(recipe_digest(book->recipes.front(), *base_digest(book->base, "p")).value_or(""), before);
}

TEST(ShippedRecipes, AreValidAndComplete) {
  const auto book = read_recipes(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "images");
  ASSERT_TRUE(book.has_value()) << book.error().message;
  std::vector<std::string> names;
  for (const auto& recipe : book->recipes) names.push_back(recipe.name);
  EXPECT_THAT(names, ElementsAre("db", "dhcp", "directory", "dns", "file", "file-engineering", "mail", "print",
                                 "windows-stand-in", "windows-stand-in-accounts"));
}

}  // namespace
}  // namespace patchlab::lab::image
