// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/host_ticks.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <thread>

namespace patchlab::lab::libvirt {
#if defined(__x86_64__)
namespace {

std::int64_t raw_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Moment {
  std::int64_t ticks = 0;
  std::int64_t nanoseconds = 0;
};

// Both at once: of some attempts the one between whose ends the least time passed.
Moment now() {
  Moment best;
  auto shortest = std::numeric_limits<std::int64_t>::max();
  for (int attempt = 0; attempt < 64; ++attempt) {
    const auto before = raw_nanoseconds();
    const auto ticks = static_cast<std::int64_t>(__rdtsc());
    const auto after = raw_nanoseconds();
    if (after - before >= shortest) continue;
    shortest = after - before;
    best = {ticks, before + (after - before) / 2};
  }
  return best;
}

}  // namespace

std::uint32_t measured_tsc_mhz() {
  const auto begin = now();
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // longer makes it only better
  const auto end = now();
  if (end.nanoseconds <= begin.nanoseconds || end.ticks <= begin.ticks) return 0;
  return static_cast<std::uint32_t>(std::lround(1000.0 * static_cast<double>(end.ticks - begin.ticks) /
                                                static_cast<double>(end.nanoseconds - begin.nanoseconds)));
}
#else
std::uint32_t measured_tsc_mhz() { return 0; }
#endif

std::uint32_t host_tsc_mhz() {
  static const auto measured = measured_tsc_mhz();
  return measured;
}

}  // namespace patchlab::lab::libvirt
