// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/host_ticks.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <cmath>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

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

#if defined(__x86_64__)
// Plainly, once: wrong by as much as somebody else runs between two lines of it.
double counted_mhz() {
  const auto begin = std::chrono::steady_clock::now();
  const auto first = __rdtsc();
  auto end = begin;
  while (end - begin < std::chrono::milliseconds(5)) end = std::chrono::steady_clock::now();
  return static_cast<double>(__rdtsc() - first) / std::chrono::duration<double, std::micro>(end - begin).count();
}

TEST(HostTicks, AreThoseOfThisProcessor) {
  double nearest = 1;
  for (int attempt = 0; attempt < 20 && nearest > 0.005; ++attempt)
    nearest = std::min(nearest, std::abs(counted_mhz() / host_tsc_mhz() - 1));
  EXPECT_LT(nearest, 0.005);
}
#endif

}  // namespace
}  // namespace patchlab::lab::libvirt
