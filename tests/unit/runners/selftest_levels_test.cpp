// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/levels.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "runners/selftest/matrix.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

FaultResult seen(const std::string& id, Found found, Expected expected = Expected::fail) {
  return {.id = id, .role = expected == Expected::clean ? "clean" : "dns", .expected = expected, .found = found};
}

SelftestResult result_with(std::vector<FaultResult> faults) {
  SelftestResult result;
  result.faults = std::move(faults);
  return result;
}

const Levels levels{{"dns", {.found = {"a", "b", "c"}, .missed = {"d"}}}};

ExitCode code(const SelftestResult& result) { return exit_code_for(result, compared_with(levels, result)); }

TEST(DetectionLevels, ARoleThatFindsLessOfTheSameFaultsIsBelowItsLevelAndSaysWhich) {
  const auto result = result_with({seen("a", Found::failed), seen("b", Found::review), seen("d", Found::passed)});
  const auto comparison = compared_with(levels, result);
  ASSERT_EQ(comparison.roles.size(), 1U);
  EXPECT_EQ(comparison.roles[0],
            (RoleLevel{.role = "dns", .compared = 3, .recorded = 2, .found = 1, .lost = {"b"}, .gained = {}}));
  EXPECT_THAT(sentences_of(comparison),
              ElementsAre("below its level: dns found 1 of 3 faults, 2 were found before; found "
                          "before and missed now: b"));
  EXPECT_EQ(code(result), ExitCode::candidate_fails);
}

TEST(DetectionLevels, WhatWasMissedBeforeMayBeMissedAgain) {
  const auto result = result_with({seen("a", Found::failed), seen("d", Found::passed)});
  EXPECT_EQ(exit_code_for(result), ExitCode::candidate_fails);
  EXPECT_EQ(code(result), ExitCode::ok);
  EXPECT_THAT(sentences_of(compared_with(levels, result)),
              ElementsAre("level of dns: 1 of 2 faults found, as recorded"));
}

TEST(DetectionLevels, OneForAnotherIsTheSameLevelAndIsSaid) {
  const auto result = result_with({seen("a", Found::passed), seen("d", Found::failed)});
  EXPECT_EQ(code(result), ExitCode::ok);
  EXPECT_THAT(sentences_of(compared_with(levels, result)).front(),
              HasSubstr("found before and missed now: a; found for the first time: d"));
}

TEST(DetectionLevels, ASampleIsHeldAgainstTheFaultsThatItDrew) {
  EXPECT_EQ(code(result_with({seen("a", Found::failed)})), ExitCode::ok);
  EXPECT_EQ(code(result_with({seen("a", Found::passed)})), ExitCode::candidate_fails);
}

TEST(DetectionLevels, WhatTellsNothingIsNeitherFoundNorLost) {
  const auto lost = result_with({seen("a", Found::failed), seen("b", Found::lab_error)});
  EXPECT_EQ(code(lost), ExitCode::error);
  EXPECT_THAT(compared_with(levels, lost).roles[0].lost, IsEmpty());
  EXPECT_THAT(sentences_of(compared_with(levels, lost)).back(), HasSubstr("nothing is known of it: b"));
  EXPECT_EQ(code(result_with({seen("a", Found::failed), seen("b", Found::not_made)})), ExitCode::not_tested);
  EXPECT_EQ(code(result_with({seen("b", Found::not_run)})), ExitCode::not_tested);
}

TEST(DetectionLevels, OfWhatNothingIsRecordedNothingIsCompared) {
  const auto fresh = result_with({seen("new", Found::passed)});
  EXPECT_THAT(sentences_of(compared_with(levels, fresh)),
              ElementsAre("level of dns: nothing of it could be compared", "no level is recorded of new"));
  EXPECT_EQ(code(fresh), ExitCode::not_tested) << "nothing compared is no success";
  EXPECT_EQ(code(result_with({seen("new", Found::passed), seen("a", Found::failed)})), ExitCode::ok);
}

TEST(DetectionLevels, ACleanCandidateOrAControlThatFailsIsNeverWithinALevel) {
  EXPECT_EQ(code(result_with({seen("x", Found::passed, Expected::clean)})), ExitCode::ok);
  EXPECT_EQ(code(result_with({seen("a", Found::failed), seen("x", Found::failed, Expected::clean)})),
            ExitCode::candidate_fails);
  auto result = result_with({seen("a", Found::failed)});
  result.controls = {.judged = 2, .failed = 1};
  EXPECT_EQ(code(result), ExitCode::candidate_fails);
}

TEST(DetectionLevels, AsJsonFitTheSchemaOfTheResult) {
  const auto result = result_with({});
  auto json = selftest_json(result);
  json["schema"] = "patchlab/selftest/v1";
  json["levels"] = levels_json(compared_with(levels, result_with({seen("a", Found::passed)})));
  const auto schema = read_json_file(std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/selftest.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty());
  EXPECT_TRUE(json["levels"]["roles"][0]["below"]);
}

TEST(DetectionLevels, AreReadStrictly) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "levels.json";
  const auto read = [&](const std::string& text) {
    EXPECT_TRUE(write_file_atomically(file, text));
    const auto read = read_levels(file);
    return read ? std::string("good") : read.error().message;
  };
  EXPECT_EQ(read(R"({"schema": "patchlab/levels/v1", "roles": {"dns": {"found": ["a"], "missed": []}}})"), "good");
  EXPECT_EQ(seconds_of(*read_levels(file)), (std::map<std::string, std::int64_t>{}));
  EXPECT_EQ(read(R"({"schema": "patchlab/levels/v1", "roles": {"dns": {"seconds": {"a": 12}}}})"), "good");
  EXPECT_EQ(seconds_of(*read_levels(file)), (std::map<std::string, std::int64_t>{{"a", 12}}));
  EXPECT_THAT(read(R"({"schema": "patchlab/levels/v1", "roles": {"dns": {"seconds": {"a": "x"}}}})"),
              HasSubstr("/roles/dns/seconds/a"));
  EXPECT_THAT(read(R"({"schema": "patchlab/levels/v2", "roles": {}})"), HasSubstr("must be 'patchlab/levels/v1'"));
  EXPECT_THAT(read(R"({"schema": "patchlab/levels/v1", "roles": {"dns": {"fond": []}}})"), HasSubstr("fond"));
  EXPECT_THAT(read(R"({"schema": "patchlab/levels/v1", "roles": {"dns": {"found": ["a"], "missed": ["a"]}}})"),
              HasSubstr("'a' cannot be found and missed"));
}

}  // namespace
}  // namespace patchlab::runners
