// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What a scenario names has schemas too: image.json, base.json, recipe.json, candidate.json. They and the program agree
// about every mistake.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "lab/core/files.hpp"
#include "lab/image/recipe.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/repack/recipe.hpp"
#include "tests/support/json_mistakes.hpp"
#include "tests/support/json_schema.hpp"

namespace patchlab::runners {
namespace {

using ::testing::IsEmpty;

namespace fs = std::filesystem;

class RecipeSchema : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-recipes-XXXXXX";
    folder_ = ::mkdtemp(name);
    ASSERT_TRUE(write_file_atomically(folder_ / "postinst.sh", "x"));
  }
  void TearDown() override { fs::remove_all(folder_); }

  // What is said, "pointer: message" each; nothing: it is taken.
  using Program = std::function<std::vector<std::string>(const Json&)>;

  static std::vector<std::string> lines_of(const Error& error, const fs::path& file) {
    std::vector<std::string> lines;
    std::istringstream stream(error.message);
    const auto head = file.string() + ": ";
    for (std::string line; std::getline(stream, line);) {
      EXPECT_TRUE(line.starts_with(head)) << line;
      lines.push_back(line.substr(std::min(head.size(), line.size())));
    }
    return lines;
  }

  // `files` says what is about other files, which no schema can know.
  static void expect_agreement(const std::string& schema_name, const std::vector<Json>& right, const Program& program,
                               const std::vector<std::string>& files = {}) {
    const auto schema =
        read_json_file(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / (schema_name + ".schema.json")).value();
    tests::SchemaValidator validator(schema);
    const auto about_files = [&](const std::string& problem) {
      return std::ranges::any_of(files, [&](const auto& part) { return problem.find(part) != std::string::npos; });
    };
    std::size_t mistakes = 0;
    std::map<std::string, std::string> seen;
    for (const auto& json : right) {
      EXPECT_THAT(validator.problems(json), IsEmpty()) << json.dump();
      auto said = program(json);
      std::erase_if(said, about_files);
      EXPECT_THAT(said, IsEmpty()) << json.dump();
      const auto before = seen;
      tests::collect_places(
          json, "", "", [](const std::string&) { return false; }, seen);
      for (const auto& [sort, at] : seen) {
        if (before.contains(sort)) continue;
        tests::with_each_mistake(json, at, [&](const Json& wrong, const std::string& what) {
          ++mistakes;
          auto problems = program(wrong);
          std::erase_if(problems, about_files);
          EXPECT_EQ(problems.empty(), validator.problems(wrong).empty())
              << what << "\n"
              << fmt::format("{}", fmt::join(problems, "\n"));
          std::set<std::string> places;
          for (const auto& problem : problems) {
            const auto place = problem.substr(0, problem.find(": "));
            EXPECT_TRUE(place == "/" || wrong.contains(Json::json_pointer(place))) << what << ": " << problem;
            EXPECT_TRUE(places.insert(problem).second) << what << " is said twice: " << problem;
          }
        });
      }
    }
    EXPECT_GT(mistakes, 20U);
  }

  static std::vector<Json> shipped(const std::string& below, const std::string& name) {
    std::vector<Json> found;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / below)) {
      if (entry.path().filename() == name) found.push_back(read_json_file(entry.path()).value());
    }
    EXPECT_THAT(found, Not(IsEmpty())) << name;
    return found;
  }

  fs::path folder_;
};

TEST_F(RecipeSchema, OfAnImageAgreesWithTheProgram) {
  const fs::path file = "/recipes/dns/image.json";
  const lab::image::Recipe parent;
  auto right = shipped("images", "image.json");
  right.push_back(Json::parse(R"({"$schema": "x", "schema": "patchlab/image-recipe/v1", "extends": "dns",
    "ready": {"tcp": [53], "udp": [53]},
    "credentials": [{"id": "ann", "user": "ann", "password": "", "purpose": "mail"}]})"));
  expect_agreement("image-recipe", right, [&](const Json& json) {
    const auto recipe = lab::image::parse_recipe(json, file, json.contains("extends") ? &parent : nullptr);
    return recipe ? std::vector<std::string>() : lines_of(recipe.error(), file);
  });
}

TEST_F(RecipeSchema, OfTheBaseAgreesWithTheProgram) {
  const fs::path file = "/recipes/common/base.json";
  expect_agreement("image-base", shipped("images", "base.json"), [&](const Json& json) {
    const auto base = lab::image::parse_base(json, file);
    return base ? std::vector<std::string>() : lines_of(base.error(), file);
  });
}

TEST_F(RecipeSchema, OfATestCandidateAgreesWithTheProgram) {
  auto right = shipped("candidates", "recipe.json");
  right.push_back(Json::parse(R"({"$schema": "x", "id": "all", "title": "All", "severity": "low", "kind": "deb",
    "base": {"package": "postfix"}, "version_suffix": "+a1", "remove": ["usr/x"],
    "replace": [{"path": "etc/a", "find": "b", "with": ""}], "append": [{"path": "etc/a", "text": "b"}],
    "scripts": [{"script": "postinst", "at": "end", "from": "postinst.sh"}],
    "prerequisites": ["a"], "supersedes": ["b"], "roles": ["dns"]})"));
  const auto file = folder_ / "recipe.json";
  expect_agreement("candidate-recipe", right,
                   [&](const Json& json) {
                     std::ofstream(file) << json.dump();
                     const auto recipe = patches::read_recipe(folder_);
                     return recipe ? std::vector<std::string>() : lines_of(recipe.error(), file);
                   },
                   {"opening '"});
}

TEST_F(RecipeSchema, OfACandidateAgreesWithTheProgram) {
  auto right = shipped("windows-stand-in", "candidate.json");
  right.push_back(Json::parse(R"({"$schema": "x", "id": "all", "title": "All", "severity": "low", "kind": "exe",
    "files": [{"name": "x.exe", "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}],
    "switches": "/q /norestart", "exit_codes": {"success": [17025], "restart": [17022, "0x800f0840"]},
    "prerequisites": ["a"], "supersedes": ["b"], "roles": ["dns"]})"));
  right.push_back(Json::parse(R"({"id": "deb", "title": "All"})"));
  const auto file = folder_ / "candidate.json";
  const patches::ContentStore store(folder_ / "store");
  expect_agreement("candidate-file", right,
                   [&](const Json& json) {
                     std::ofstream(file) << json.dump();
                     const auto candidate = patches::load_candidate(folder_, store);
                     return candidate ? std::vector<std::string>() : lines_of(candidate.error(), file);
                   },
                   {"opening '", "file in the candidate's folder\n", "no *."});
}

}  // namespace
}  // namespace patchlab::runners
