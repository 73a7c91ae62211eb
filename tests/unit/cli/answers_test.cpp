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

TEST(Answers, SayWhereEachCandidateGoesAndWhatARunTakes) {
  runners::Plan plan;
  plan.candidates.push_back({.id = "good"});
  plan.candidates.push_back({.id = "other"});
  for (const char* name : {"branch", "office", "spare"}) {
    auto& department = plan.departments.emplace_back();
    department.cell.department = name;
    auto& machine = department.cell.machines.emplace_back();
    machine.plan.name = "dns";
    machine.plan.memory_mib = 256;
    machine.plan.checks.resize(3);
    department.candidates.push_back({.id = "good"});
    if (std::string(name) != "spare") department.candidates[0].installs["dns"] = {};
    department.candidates.push_back({.id = "other", .skipped_because = "'x' is not installed"});
  }
  plan.not_tested.emplace_back("no updates");
  EXPECT_EQ(validate_text("s.json", plan),
            "s.json: fine: 3 departments, 3 machines, 9 checks, 2 candidates\n"
            "candidate good: on dns of branch; on dns of office\n"
            "candidate other: on no machine: 'x' is not installed (branch); 'x' is not installed (office); 'x' is not "
            "installed (spare)\n"
            "not tested: no updates\n"
            "a run takes at least 8 trials, and 768 MiB of memory for the machines\n");
  const auto json = validate_json("s.json", plan);
  EXPECT_EQ(json["applies"][1]["skipped_because"], "'x' is not installed");
  EXPECT_EQ(json["applies"][2]["machines"], Json({"dns"}));
  EXPECT_EQ(json["needs"], Json({{"machines", 3}, {"checks", 9}, {"trials", 8}, {"memory_mib", 768}}));
  expect_fits(json, "validate");
  plan.departments.resize(1);
  plan.departments[0].controls = 5;
  EXPECT_EQ(needs_of(plan).trials, 6U);
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
