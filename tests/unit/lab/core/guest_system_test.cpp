// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/guest_system.hpp"

#include <gmock/gmock.h>

namespace patchlab {
namespace {

TEST(GuestFamilies, HaveARowEachThatTheirNameLeadsTo) {
  for (const auto family : {GuestFamily::debian, GuestFamily::windows}) {
    EXPECT_EQ(traits_of(family).family, family);
    EXPECT_EQ(guest_family_from(to_string(family)), family);
    EXPECT_FALSE(traits_of(family).kinds.empty());
  }
  EXPECT_EQ(guest_families().size(), 2U);
}

TEST(GuestFamilies, ShareNoKindOfPackage) {
  for (const auto& one : guest_families()) {
    for (const auto& other : guest_families()) {
      for (const auto kind : one.kinds) EXPECT_EQ(other.takes(kind), one.family == other.family) << kind;
    }
    EXPECT_FALSE(one.takes("rpm"));
  }
}

TEST(GuestFamilies, DoNotTakeInAnUnknownOne) {
  for (const auto* word : {"", "suse", "Windows", "window"}) EXPECT_FALSE(guest_family_from(word)) << word;
  std::vector<JsonProblem> problems;
  (void)guest_system_from({{"family", "suse"}}, "/system", problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].pointer, "/system/family");
  EXPECT_EQ(problems[0].message, "'suse' is not known; there are 'debian' and 'windows'");
}

}  // namespace
}  // namespace patchlab
