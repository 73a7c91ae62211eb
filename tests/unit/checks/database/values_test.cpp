// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "checks/database/canonical_rows.hpp"

namespace patchlab::checks::database {
namespace {

TEST(CanonicalRow, JoinsByTabsAndMarksNull) {
  EXPECT_EQ(canonical_row({"1", std::nullopt, ""}), "1\t\\N\t\n");
  EXPECT_EQ(canonical_row({}), "\n");
}

TEST(CanonicalRow, EscapesLikeCopyInTextFormat) {
  EXPECT_EQ(canonical_row({"a\tb\nc\rd\\e\bf\fg\vh"}), "a\\tb\\nc\\rd\\\\e\\bf\\fg\\vh\n");
  EXPECT_EQ(canonical_row({"\\N"}), "\\\\N\n");
}

}  // namespace
}  // namespace patchlab::checks::database
