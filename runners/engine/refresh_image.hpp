// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "runners/engine/run.hpp"

// Golden images into which candidates are put for good. Which candidates may be is for others to say; here they are put
// into clones inside the fence, and what comes of that is tried before anybody keeps it.
namespace patchlab::runners {

struct RefreshOptions {
  std::string department;             // empty: the only one
  std::vector<std::string> machines;  // empty: all of the department
  std::string program;                // the patchlab binary, for the cell and check workers
};

// One machine whose image is asked about.
struct RefreshedMachine {
  std::string machine;
  lab::image::GoldenImage parent;                // that it starts from now
  std::vector<std::size_t> candidates;           // of the plan, that are an update there; empty: nothing is
  std::vector<std::string> files;                // their SHA-256, in the order of installation
  std::map<std::string, std::string> skipped{};  // others of the plan, by id: why not
};

// The department alone, with the machines that are needed for those that were asked for. An Error (usage) when
// something named is not there, and one (configuration) for golden domains.
[[nodiscard]] Result<Scenario> scenario_to_refresh(const Scenario& scenario, const RefreshOptions& options);

struct RefreshPlan {
  Plan plan;  // of scenario_to_refresh
  std::vector<RefreshedMachine> machines;
};
// Also an Error (configuration) for guests of which no list of packages is kept.
[[nodiscard]] Result<RefreshPlan> plan_refresh(const Scenario& scenario,
                                               const std::vector<patches::Candidate>& candidates,
                                               const RefreshOptions& options, const HostTools& tools,
                                               Progress& progress, const std::stop_token& stop);

// What became of one machine: as it is kept by the caller of refresh_images.
struct NewDisk {
  const RefreshedMachine* machine = nullptr;
  std::filesystem::path disk;  // qcow2 that stands on nothing; may be moved
  std::string dpkg_status;
  std::map<std::string, std::string> not_taken{};  // by the guest: ids of candidates, with its reason
};

// Puts the candidates into clones of the machines that have some, shuts those down, and starts the department once more
// from the new disks: all of its checks must pass then, as in the baseline of a run. `keep` is called with all of them
// when they did and the fence held. An Error: nothing was kept.
[[nodiscard]] Result<void> refresh_images(const RefreshPlan& planned, const RefreshOptions& options,
                                          const HostTools& tools, Progress& progress, const std::stop_token& stop,
                                          const std::function<Result<void>(const std::vector<NewDisk>&)>& keep);

}  // namespace patchlab::runners
