// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scale_world.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"

namespace patchlab::runners::tests {
namespace {

constexpr std::array roles{"dns", "dhcp", "file", "mail", "db", "print", "web", "proxy", "build", "time"};

std::string name_of(std::size_t machine) {
  return machine < roles.size() ? roles[machine] : fmt::format("{}-{}", roles[machine % roles.size()], machine);
}
std::string patch_id(std::size_t patch) { return fmt::format("patch-{:04}", patch); }

bool applies(const ScaleWorld& world, std::size_t patch, std::size_t machine) {
  return patch % world.machines == machine || (world.family == GuestFamily::windows && patch == 0);
}

}  // namespace

std::vector<DepartmentJob> departments_of(const ScaleWorld& world) {
  const bool windows = world.family == GuestFamily::windows;
  std::vector<PlannedCandidate> candidates;
  for (std::size_t patch = 0; patch < world.patches; ++patch) {
    PlannedCandidate candidate{.id = patch_id(patch), .digest = sha256(patch_id(patch)), .skipped_because = {}};
    for (std::size_t machine = 0; machine < world.machines; ++machine) {
      if (!applies(world, patch, machine)) continue;
      candidate.installs[name_of(machine)] = {.candidate = candidate.id,
                                              .digest = candidate.digest,
                                              .packages = {{.file_name = candidate.id + (windows ? ".msu" : ".deb")}},
                                              .expected = {}};
    }
    candidates.push_back(std::move(candidate));
  }
  std::vector<DepartmentJob> jobs;
  for (std::size_t i = 0; i < world.departments; ++i) {
    DepartmentJob job;
    job.cell.department = fmt::format("department-{:04}", i + 1);
    job.cell.network.subnet = "10.20.0.0/24";
    job.cell.policy.stability = std::chrono::seconds(30);
    job.cell.policy.rehearse_removal = false;
    for (std::size_t machine = 0; machine < world.machines; ++machine) {
      cell::MachineJob one;
      one.plan.name = one.plan.role = name_of(machine);
      one.plan.address = fmt::format("10.20.0.{}", 10 + machine);
      one.plan.memory_mib = windows ? 4096 : 320;
      one.system.family = world.family;
      one.golden_digest = sha256(world.all_differ ? fmt::format("{} {}", one.plan.name, i) : one.plan.name);
      job.cell.machines.push_back(std::move(one));
    }
    job.candidates = candidates;
    jobs.push_back(std::move(job));
  }
  return jobs;
}

reports::RunRecord record_of(const ScaleWorld& world) {
  reports::RunRecord record;
  record.id = "assumed";
  reports::DepartmentRecord department{.name = "elsewhere"};
  reports::TrialRecord batch{.id = "elsewhere/t02", .purpose = reports::Purpose::batch, .outcome = Outcome::pass};
  for (std::size_t machine = 0; machine < world.machines; ++machine)
    department.machines.push_back({.name = name_of(machine), .role = name_of(machine)});
  for (std::size_t patch = 0; patch < world.patches; ++patch) {
    record.candidates.push_back({.id = patch_id(patch), .digest = sha256(patch_id(patch))});
    for (std::size_t machine = 0; machine < world.machines && world.family == GuestFamily::windows; ++machine) {
      if (!applies(world, patch, machine)) continue;
      batch.installs.push_back({.machine = name_of(machine),
                                .candidate = patch_id(patch),
                                .outcome = Outcome::pass,
                                .log = {},
                                .duration_ms = patch == 0 ? 1'500'000 : 60'000,
                                .installed_in = {}});
    }
  }
  department.trials.push_back(std::move(batch));
  record.departments.push_back(std::move(department));
  return record;
}

}  // namespace patchlab::runners::tests
