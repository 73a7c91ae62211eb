// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/answers.hpp"

#include <gmock/gmock.h>

#include "tests/support/json_schema.hpp"

namespace patchlab::cli {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

void expect_fits(Json json, const std::string& name) {
  json["schema"] = "patchlab/" + name + "/v1";
  const auto file = std::string(PATCHLAB_SOURCE_DIR) + "/cli/schemas/" + name + ".schema.json";
  const auto schema = read_json_file(file).value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), IsEmpty()) << json.dump(1);
  json["unheard-of"] = 1;
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), Not(IsEmpty()));
}

lab::image::GoldenImage some_image() {
  lab::image::GoldenImage image;
  image.name = "dns";
  image.role = "dns";
  image.digest = std::string(64, 'a');
  image.contents = std::string(64, 'b');
  return image;
}

TEST(Answers, SayOfEachImageWhetherItHadToBeBuilt) {
  const auto json =
      image_build_json({{some_image(), true, Milliseconds(3)}, {some_image(), false, Milliseconds(71234)}});
  EXPECT_EQ(json["images"][0]["was_there"], true);
  EXPECT_EQ(json["images"][0]["took_ms"], 0);
  EXPECT_EQ(json["images"][1]["was_there"], false);
  EXPECT_EQ(json["images"][1]["took_ms"], 71234);
  expect_fits(json, "image-build");
}

TEST(Answers, SayOfEachImageWhatHasChanged) {
  const auto json = image_verify_json({{some_image(), ""}, {some_image(), "'kernel' is writable"}});
  EXPECT_EQ(json["images"][0]["intact"], true);
  EXPECT_EQ(json["images"][1]["intact"], false);
  EXPECT_EQ(json["images"][1]["problem"], "'kernel' is writable");
  expect_fits(json, "image-verify");
}

TEST(Answers, SayWhetherAScenarioIsInOrderAndTestsAnything) {
  runners::Plan plan;
  plan.candidates.push_back({.id = "good"});
  plan.departments.emplace_back().cell.department = "office";
  plan.departments[0].candidates.push_back({.id = "good", .skipped_because = "'x' is not installed"});
  plan.not_tested.emplace_back("no updates");
  auto json = validate_json("s.json", plan);
  EXPECT_EQ(json["fine"], true);
  EXPECT_EQ(json["departments"], Json({"office"}));
  EXPECT_EQ(json["candidates"], Json({"good"}));
  EXPECT_EQ(json["not_tested"], Json({"no updates"}));
  EXPECT_EQ(json["anything_applies"], false);
  expect_fits(json, "validate");

  plan.departments[0].candidates[0].installs["dns"] = {};
  EXPECT_EQ(validate_json("s.json", plan)["anything_applies"], true);
  plan.departments[0].candidates.clear();
  EXPECT_EQ(validate_json("s.json", plan)["anything_applies"], false);
  plan.departments[0].controls = 1;
  EXPECT_EQ(validate_json("s.json", plan)["anything_applies"], true);

  json = validate_json("s.json", configuration_error("s.json: /a: one\ns.json: /b: two", "mend it"));
  EXPECT_EQ(json["fine"], false);
  EXPECT_EQ(json["problems"], Json({"s.json: /a: one", "s.json: /b: two"}));
  expect_fits(json, "validate");
}

}  // namespace
}  // namespace patchlab::cli
