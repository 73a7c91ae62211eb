// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// No test by itself: check-skips-script sees by it with what our test programs end.
#include <gtest/gtest.h>

TEST(Sometimes, Passes) {}
TEST(Sometimes, Skips) { GTEST_SKIP() << "sometimes & \"now\" is not installed"; }
TEST(Sometimes, Fails) { FAIL() << "as it should"; }
