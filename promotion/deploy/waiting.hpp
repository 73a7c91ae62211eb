// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "promotion/deploy/deployed.hpp"
#include "reports/record/record.hpp"

// What is promoted and not yet in production, and how long it will take there.
namespace patchlab::promotion {

// As the run measured it, on one machine of the lab.
struct MachineTime {
  std::string machine;
  std::chrono::milliseconds install{0};  // of all of its candidates
  std::chrono::milliseconds restart{0};  // the longest one
  [[nodiscard]] std::chrono::milliseconds all() const { return install + restart; }
};
struct MeasuredTimes {
  std::vector<MachineTime> machines;  // that get something
  std::string unknown;                // why nobody can tell; empty: it is known
  std::string accelerator;            // of the lab: without KVM all takes longer than in production
  [[nodiscard]] std::chrono::milliseconds side_by_side() const;
  [[nodiscard]] std::chrono::milliseconds one_after_another() const;
};
// Of the trial that ran exactly what was promoted; one whose answer was taken over was measured where it ran. Pure.
[[nodiscard]] MeasuredTimes measured_times(const reports::RunRecord& record, const std::string& department);

struct WaitingDepartment {
  std::string department;
  std::uint64_t serial = 0;
  std::string run;         // id
  std::string promoted;    // RFC 3339
  bool emergency = false;  // it was promoted through the emergency lane
  std::vector<std::string> approved_by;
  std::string rejected;  // since; then nothing of it is exported
  // That have reported before, and not that they have what is promoted now.
  std::vector<std::string> machines;
  bool nobody_reported = false;
  MeasuredTimes times;
  [[nodiscard]] bool waits() const { return nobody_reported || !machines.empty(); }
};
// Of every department in which something was promoted, whether it waits or not.
[[nodiscard]] Result<std::vector<WaitingDepartment>> waiting_of_stage(ProcessRunner& processes,
                                                                      const std::filesystem::path& stage);

}  // namespace patchlab::promotion
