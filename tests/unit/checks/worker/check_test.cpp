// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/registry/registry.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "lab/core/files.hpp"

namespace patchlab::checks {
namespace {

CheckTry tried(Outcome outcome) { return {outcome, Milliseconds(40), {}, {}, {}}; }

TEST(CheckResult, CountsItsTriesTheOnlyOneToo) {
  CheckResult once;
  once.outcome = Outcome::fail;
  EXPECT_EQ(count_tries(once, Outcome::fail), 1U);
  EXPECT_EQ(count_tries(once, Outcome::pass), 0U);
  CheckResult often;
  often.outcome = Outcome::pass;
  often.tries = {tried(Outcome::error), tried(Outcome::pass), tried(Outcome::pass)};
  EXPECT_EQ(count_tries(often, Outcome::pass), 2U);
  EXPECT_EQ(count_tries(often, Outcome::error), 1U);
}

TEST(CheckResult, IsFlakyWhenItFailedAndPassedOnTheSameState) {
  CheckResult result;
  result.outcome = Outcome::pass;
  EXPECT_FALSE(is_flaky(result));
  result.tries = {tried(Outcome::fail), tried(Outcome::pass)};
  EXPECT_TRUE(is_flaky(result));
  result.tries = {tried(Outcome::error), tried(Outcome::pass)};
  EXPECT_FALSE(is_flaky(result)) << "that was the lab's trouble";
  result.outcome = Outcome::fail;
  result.reason = "slower";
  result.tries = {tried(Outcome::pass), tried(Outcome::pass)};
  EXPECT_FALSE(is_flaky(result)) << "it passes, too slowly";
}

TEST(Registry, IsSortedWithoutDoublesAndFindsEachKind) {
  const auto& checks = all_checks();
  ASSERT_FALSE(checks.empty());
  for (std::size_t i = 0; i < checks.size(); ++i) {
    EXPECT_EQ(find_check(checks[i]->kind()), checks[i]);
    if (i > 0) {
      EXPECT_LT(checks[i - 1]->kind(), checks[i]->kind());
    }
  }
  EXPECT_EQ(find_check("no.such"), nullptr);
}

TEST(Registry, EveryKindReportsUnknownKeys) {
  for (const auto* check : all_checks()) {
    std::vector<JsonProblem> problems;
    check->validate(Json{{"nobody knows this", 1}}, "/with", problems);
    EXPECT_TRUE(std::any_of(problems.begin(), problems.end(), [](const JsonProblem& problem) {
      return problem.pointer == "/with/nobody knows this";
    })) << check->kind();
  }
}

TEST(Registry, NoKindObservesWithParametersThatAreWrong) {
  for (const auto* check : all_checks()) {
    const auto seen = check->observe(Target{}, Json{{"nobody knows this", 1}}, Milliseconds(10));
    ASSERT_FALSE(seen) << check->kind();
    EXPECT_EQ(seen.error().error_class, ErrorClass::configuration) << check->kind();
  }
}

// The keys that a kind reads, as it tells somebody who used another one.
std::set<std::string> keys_of(const Check& check) {
  std::vector<JsonProblem> problems;
  check.validate(Json{{"nobody knows this", 1}}, "", problems);
  const std::string before = "unknown key; allowed here: ";
  for (const auto& problem : problems) {
    if (!problem.message.starts_with(before)) continue;
    std::istringstream words(problem.message.substr(before.size()));
    std::set<std::string> keys;
    for (std::string word; words >> word;) keys.insert(word.ends_with(',') ? word.substr(0, word.size() - 1) : word);
    return keys;
  }
  return {};
}

TEST(Registry, TheSchemaOfScenariosKnowsEveryKindAndItsKeys) {
  const auto schema = read_json_file(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios/scenario.schema.json");
  ASSERT_TRUE(schema) << schema.error().message;
  const auto& definitions = schema->at("$defs");
  const auto& check = definitions.at("check");
  std::vector<std::string> kinds;
  for (const auto* one : all_checks()) {
    kinds.push_back(one->kind());
    std::set<std::string> keys;
    for (const auto& [key, value] : definitions.at("with-" + one->kind()).at("properties").items()) keys.insert(key);
    EXPECT_EQ(keys, keys_of(*one)) << one->kind();
  }
  EXPECT_EQ(check.at("properties").at("kind").at("enum"), Json(kinds));
  const auto& rules = check.at("allOf");
  ASSERT_EQ(rules.size(), kinds.size() + 1);
  // The last one: which checks cannot say how much slower they may become.
  std::vector<std::string> refusing;
  for (const auto* one : all_checks()) {
    if (one->wants_a_refusal()) refusing.push_back(one->kind());
  }
  EXPECT_EQ(rules.back().at("if").at("properties").at("kind").at("enum"), Json(refusing));
}

TEST(Registry, TheManualNamesEveryKindAndItsKeys) {
  const auto manual = read_file(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "docs/scenario-format.md");
  ASSERT_TRUE(manual) << manual.error().message;
  for (const auto* one : all_checks()) {
    EXPECT_NE(manual->find(one->kind()), std::string::npos) << one->kind();
    for (const auto& key : keys_of(*one)) EXPECT_NE(manual->find("`" + key + "`"), std::string::npos) << key;
  }
}

}  // namespace
}  // namespace patchlab::checks
