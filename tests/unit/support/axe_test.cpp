// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/axe.hpp"

#include <gmock/gmock.h>

namespace patchlab::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Json all_well() {
  auto said = Json::parse(R"({"axe": "4", "violations": [], "incomplete": [], "inapplicable": ["video-caption"]})");
  for (int i = 0; i < 10; ++i) said["passes"].push_back(fmt::format("rule-{}", i));
  return said;
}
const Json one_node = Json::parse(R"([{"html": "<p>", "why": "bgImage"}])");

TEST(Axe, IsContentWhenRulesPassAndNoneIsLeft) { EXPECT_THAT(axe_problems(all_well()), IsEmpty()); }

TEST(Axe, WhatItCannotTellIsNoPass) {
  auto said = all_well();
  said["incomplete"].push_back({{"id", "color-contrast"}, {"nodes", one_node}});
  EXPECT_THAT(axe_problems(said), ElementsAre("nobody has answered 'color-contrast: bgImage': <p>"));
  said["violations"].push_back({{"id", "region"}, {"nodes", one_node}});
  EXPECT_THAT(axe_problems(said), ElementsAre("violates region: <p>", StartsWith("nobody has answered")));
}

TEST(Axe, AnAnswerWithoutRulesIsNoPass) {
  auto said = all_well();
  said["passes"].erase(0);
  EXPECT_THAT(axe_problems(said), ElementsAre("hardly any rule could be asked"));
  EXPECT_THAT(axe_problems("thrown: axe is not defined"), ElementsAre(StartsWith("axe says nothing: \"thrown")));
}

}  // namespace
}  // namespace patchlab::testing
