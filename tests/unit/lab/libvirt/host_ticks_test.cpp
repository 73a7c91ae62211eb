// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/host_ticks.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::libvirt {
namespace {

TEST(HostTicks, AreFoundAlikeEachTime) {
#if !defined(__x86_64__)
  EXPECT_EQ(host_tsc_mhz(), 0U);
#else
  EXPECT_GT(host_tsc_mhz(), 500U);
  EXPECT_LT(host_tsc_mhz(), 10'000U);
  // A guest's kernel drops what differs by more than 1 % from what it finds out later.
  EXPECT_NEAR(measured_tsc_mhz(), host_tsc_mhz(), host_tsc_mhz() / 200.0);
#endif
}

}  // namespace
}  // namespace patchlab::lab::libvirt
