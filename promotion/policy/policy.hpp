// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace patchlab::promotion {

enum class ControlTrial { required, if_present };
// Whether a set is promoted that failed and then passed: never, or when the control failed on the same facts without
// any patch.
enum class NotReproduced { refused, flaky_in_control };

// What a promotion needs, whatever the run and the day; the defaults are what patchlab asks when nobody says otherwise.
// What is true on the day of the question is Today (promotion/gate/today.hpp).
struct Policy {
  std::chrono::hours max_age{24 * 7};  // of the run's end
  ControlTrial control = ControlTrial::required;
  NotReproduced not_reproduced = NotReproduced::flaky_in_control;
  std::vector<std::string> fence_phases{"before", "during", "after"};
  std::vector<std::string> fence_probes{"arp", "ping", "dns", "tcp", "ipv6-nd"};  // each of them in each phase
  // Those that listen all the time, and need no control of their own: they hear its beacon. In each phase as well.
  std::vector<std::string> fence_watches{"watch"};
};

}  // namespace patchlab::promotion
