// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/feeds_argument.hpp"
#include "lab/core/exit_code.hpp"
#include "runners/engine/run.hpp"
#include "runners/forecast/fleet.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// What `plan` is asked when it is to write a scenario: of what is due, or of one candidate that cannot wait.
struct TonightArguments {
  std::string due;
  std::filesystem::path scan;
  FeedsArgument feeds;
  std::filesystem::path decisions;
  std::string by;  // "06:00"
  double hours = 0;
  std::string emergency;
  std::filesystem::path output;
  std::filesystem::path runs;  // as `scan --runs`
  std::string history;         // place of the index; empty: in the folder of runs
  // An option of these, for messages; empty: none was given, and a plan says how long a run takes.
  [[nodiscard]] std::pair<std::string, std::string> given() const;
};
void add_tonight_options(CLI::App& command, TonightArguments& arguments);

// The rest of `plan`, as it plans and foresees any scenario.
struct TonightTools {
  std::function<Result<runners::Plan>(const runners::Scenario&, const runners::RunOptions&)> plan;
  std::function<Result<runners::forecast::FleetPlan>(const runners::Scenario&,
                                                     const std::vector<runners::DepartmentJob>&)>
      foresee;
};

// Makes a scenario of what is due now and writes it, whole or not at all; what an earlier plan wrote there is gone
// then.
ExitCode plan_tonight(const std::filesystem::path& scenario, const std::vector<std::string>& departments,
                      const TonightArguments& arguments, const TonightTools& tools, bool json);

}  // namespace patchlab::cli
