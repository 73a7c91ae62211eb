// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// How much of the host's processors a guest was given, from phase to phase.
class HostShare {
 public:
  explicit HostShare(const Guest& guest) : guest_(guest) {}
  // What comes next is another phase.
  void phase_is_over() { (void)since_last_phase(); }
  // The same, at the end of a phase that was looked at. Services that get no processor for many seconds log that they,
  // or others, took too long, and end each other: such a phase that failed by its log alone is trouble of the lab. What
  // is broken logs the same when the trial is tried again on a host with room.
  void excuse_log_of_starved(reports::PhaseRecord& record);

 private:
  // What the host gave its processor, and what it took it; nothing: not known.
  struct Share {
    Milliseconds used{0};
    Milliseconds waited{0};
  };
  [[nodiscard]] std::optional<Share> since_last_phase();

  const Guest& guest_;
  std::optional<Share> so_far_;  // of this QEMU process, when the last phase was over
};

}  // namespace patchlab::runners::cell
