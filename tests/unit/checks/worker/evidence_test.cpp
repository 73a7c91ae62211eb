// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/evidence.hpp"

#include <gmock/gmock.h>

#include <string>

namespace patchlab::checks {
namespace {

TEST(Evidence, IsKeptWholeWhenSmall) {
  const Json small{{"reply", "0a14"}, {"list", {1, 2, 3}}};
  EXPECT_EQ(capped(small), small);
}

TEST(Evidence, ShortensLongTextsAndSaysByHowMuch) {
  const auto kept = capped(Json{{"log", std::string(200000, 'x')}, {"name", "short"}});
  EXPECT_LE(kept.dump().size(), evidence_limit);
  EXPECT_EQ(kept["name"], "short");
  EXPECT_THAT(kept["log"].get<std::string>(), testing::EndsWith("... [183616 bytes cut]"));
}

TEST(Evidence, ShortensLongLists) {
  const auto kept = capped(Json{{"frames", std::vector<std::string>(5000, std::string(100, 'f'))}});
  EXPECT_LE(kept.dump().size(), evidence_limit);
  EXPECT_EQ(kept["frames"].back(), "... [4488 elements cut]");
}

TEST(Evidence, OfVeryManyKeysIsItsBeginning) {
  Json wide;
  for (int i = 0; i < 20000; ++i) wide[std::to_string(i)] = i;
  const auto kept = capped(wide);
  EXPECT_LE(kept.dump().size(), evidence_limit);
  EXPECT_EQ(kept["truncated"], true);
  EXPECT_EQ(kept["sha256"].get<std::string>().size(), 64U);
}

TEST(Evidence, SurvivesBytesThatAreNotText) {
  const auto kept = capped(Json{{"bytes", std::string(100000, '\xC3')}});
  EXPECT_NO_THROW((void)kept.dump());
}

}  // namespace
}  // namespace patchlab::checks
