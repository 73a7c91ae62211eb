// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>

#include "lab/process/process.hpp"
#include "process/scan/scan.hpp"
#include "runners/scenario/scenario.hpp"

// What the golden machines of a scenario have, and what there is for them. No machine is started and no image built:
// the installed set of an image was noted when it was made, that of a Debian domain is a file that the scenario names,
// that of a Windows domain is in its recording. What there is for Windows is in feeds: process/scan/windows.hpp.
namespace patchlab::process {

struct SurveyRequest {
  std::filesystem::path cache;
  std::vector<std::string> departments;  // empty: all
  bool only_installed = false;           // nobody is asked what there is for them
  std::function<void(const std::string&)> progress;
  std::stop_token stop;
};

struct Survey {
  std::vector<ScannedMachine> machines;
  std::vector<NotKnown> not_known;
};

// Updates are those of the apt sources, all of them, whatever the scenario takes of them for a run; and the candidates
// that are files. Test candidates, which the lab makes itself, are nobody's updates and are left out. What cannot be
// known (an image that is not built, sources that do not answer) is in the answer; only what is wrong with the scenario
// is an error.
[[nodiscard]] Result<Survey> survey(const runners::Scenario& scenario, ProcessRunner& processes,
                                    const SurveyRequest& request);

}  // namespace patchlab::process
