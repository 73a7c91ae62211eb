// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/guest/recording/recording.hpp"
#include "lab/guest/windows/windows_adapter.hpp"

namespace patchlab::lab::guest::recording {

// One thing that the adapter was asked for.
struct Step {
  std::string name;     // "installed"
  std::string trouble;  // why it was not understood; empty: it was
  bool operator==(const Step&) const = default;
};

// What the adapter understood of a recording. A part whose step has trouble is empty and says nothing.
struct Understanding {
  std::vector<Step> steps;
  windows::NtKernel kernel;
  std::string boot_id;
  bool start_up_complete = false;
  windows::InstalledViews views;
  InstalledSet installed;
  windows::PendingRestart restart;
  HostState state;                                // with the rows of collectors
  std::map<std::string, std::string> unreadable;  // kind of rows -> why
  std::vector<std::string> evidence;              // names of texts
  std::optional<Usage> used_up;                   // nothing: the machine could not say it
  std::vector<std::string> missing;               // commands that were asked and not recorded
  [[nodiscard]] bool is_whole() const;
};

// Runs the adapter for Windows against the recording, with nothing declared about the machine.
[[nodiscard]] Understanding understanding_of(const Recording& recording);

// Without what changes from call to call: schema cli/schemas/guest-replay.schema.json.
[[nodiscard]] Json understanding_json(const Recording& recording, const Understanding& understood);

}  // namespace patchlab::lab::guest::recording
