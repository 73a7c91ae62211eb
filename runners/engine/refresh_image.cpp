// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/refresh_image.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/choice.hpp"
#include "runners/engine/cell_work.hpp"
#include "runners/engine/roles.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

Result<void> refuse_domain(const MachinePlan& machine) {
  if (!machine.golden.domain) return {};
  return configuration_error(
      fmt::format(
          "'{}' starts from the golden domain '{}', which is not refreshed here: it belongs to whoever made it, "
          "and patchlab never writes to it",
          machine.name, machine.golden.domain->domain),
      "start it without a network of production, install from 'patchlab deploy export', shut it down, and copy its "
      "dpkg status once more; the next run notices that it is another one");
}

Result<void> refuse_other_systems(const std::string& machine, const Golden& golden) {
  if (traits_of(golden.system.family).lists_packages) return {};
  return configuration_error(
      fmt::format("'{}' runs {}, of which no list of packages is kept: its image is not refreshed", machine,
                  traits_of(golden.system.family).title),
      "name the machines that are to be refreshed with --machine");
}

RefreshedMachine machine_of(const Plan& plan, const MachinePlan& machine) {
  RefreshedMachine refreshed{machine.name, *plan.goldens.at(key_of(machine.golden)).image, {}, {}};
  const auto& department = plan.departments.front();
  for (std::size_t i = 0; i < department.candidates.size(); ++i) {
    const auto& candidate = department.candidates[i];
    const auto install = candidate.installs.find(machine.name);
    if (install == candidate.installs.end()) {
      refreshed.skipped[candidate.id] = candidate.skipped_because;
      continue;
    }
    refreshed.candidates.push_back(i);
    for (const auto& package : install->second.packages) {
      const auto& files = plan.candidates[i].files;
      const auto file = std::ranges::find(files, package.file_name, &patches::CandidateFile::name);
      if (file != files.end()) refreshed.files.push_back(file->sha256);
    }
  }
  return refreshed;
}

class Refreshing {
 public:
  explicit Refreshing(const RefreshPlan& planned) : planned_(planned) {}

  Result<void> work(cell::CellClient& lab, const cell::CellJob& job) {
    PATCHLAB_ASSIGN(const auto wanted, job_for(job));
    PATCHLAB_ASSIGN(const auto refreshed, lab.refresh(job, wanted));
    if (refreshed.made.error) return *refreshed.made.error;
    if (!refreshed.baseline || refreshed.baseline->outcome != Outcome::pass) {
      auto error = refreshed.baseline && refreshed.baseline->error ? *refreshed.baseline->error
                                                                   : guest_error("it was not tried");
      return std::move(error).while_doing("starting the department from the new disks");
    }
    for (const auto& machine : planned_.machines) {
      if (machine.candidates.empty()) continue;
      const auto list = refreshed.dpkg_status.find(machine.machine);
      if (list == refreshed.dpkg_status.end())
        return Error{ErrorClass::bug, fmt::format("the cell said nothing of '{}'", machine.machine), {}};
      NewDisk disk{&machine, wanted.folder / (machine.machine + ".qcow2"), list->second};
      PATCHLAB_TRY(take(std::move(disk), refreshed.made));
    }
    return {};
  }
  [[nodiscard]] const std::vector<NewDisk>& disks() const { return disks_; }

 private:
  Result<cell::RefreshJob> job_for(const cell::CellJob& job) const {
    const auto& department = planned_.plan.departments.front();
    cell::RefreshJob wanted{{.id = job.department + "/refresh", .purpose = reports::Purpose::final}, {}};
    wanted.folder = job.evidence / "refreshed";
    std::vector<std::string> digests;
    for (const auto& candidate : planned_.plan.candidates) {
      wanted.trial.candidates.push_back(candidate.id);
      digests.push_back(candidate.digest);
    }
    wanted.trial.set_digest = reports::patch_set_digest(digests);
    for (const auto& machine : planned_.machines) {
      if (machine.candidates.empty()) continue;
      wanted.trial.machines.push_back(machine.machine);
      for (const auto index : machine.candidates)
        wanted.trial.installs[machine.machine].push_back(department.candidates[index].installs.at(machine.machine));
      PATCHLAB_ASSIGN(wanted.trial.media[machine.machine], department.medium(machine.machine, machine.candidates));
    }
    return wanted;
  }

  // What is on the disk is what was to be there, and nothing else.
  Result<void> take(NewDisk disk, const reports::TrialRecord& made) {
    const auto& machine = *disk.machine;
    const auto& department = planned_.plan.departments.front();
    auto expected = machine.parent.packages;
    for (const auto index : machine.candidates) {
      const auto& candidate = department.candidates[index];
      const auto install = std::ranges::find_if(made.installs, [&](const auto& one) {
        return one.machine == machine.machine && one.candidate == candidate.id;
      });
      if (install == made.installs.end())
        return Error{ErrorClass::bug, fmt::format("the cell said nothing of '{}'", candidate.id), {}};
      if (install->outcome == Outcome::skipped) {
        disk.not_taken[candidate.id] = install->end;
        continue;
      }
      for (const auto& [package, version] : candidate.installs.at(machine.machine).expected) {
        if (version.empty())
          expected.erase(package);
        else
          expected[package] = version;
      }
    }
    const auto found = lab::image::parse_dpkg_status(disk.dpkg_status);
    if (found != expected) {
      std::vector<std::string> other;
      for (const auto& [package, version] : found) {
        const auto known = expected.find(package);
        if (known == expected.end() || known->second != version) other.push_back(package + " " + version);
      }
      for (const auto& [package, version] : expected) {
        if (!found.contains(package)) other.push_back("no " + package);
      }
      return guest_error(fmt::format("on '{}' other packages are installed than were to be: {}", machine.machine,
                                     fmt::join(other, ", ")));
    }
    disks_.push_back(std::move(disk));
    return {};
  }

  const RefreshPlan& planned_;
  std::vector<NewDisk> disks_;
};

}  // namespace

Result<Scenario> scenario_to_refresh(const Scenario& scenario, const RefreshOptions& options) {
  PATCHLAB_ASSIGN(auto department, one_department(scenario, options.department, "images are refreshed"));
  std::vector<std::string> names;
  for (const auto& machine : department.machines) names.push_back(machine.name);
  PATCHLAB_TRY(
      check_choice("--machine", options.machines, fmt::format("is not in department '{}'", department.name), names));
  const auto wanted = options.machines.empty() ? names : options.machines;
  const auto needed = with_dependencies(department, wanted);
  std::erase_if(department.machines, [&](const auto& machine) { return !needed.contains(machine.name); });
  for (const auto& machine : department.machines) PATCHLAB_TRY(refuse_domain(machine));
  auto narrowed = scenario;
  narrowed.departments = {std::move(department)};
  narrowed.candidates.clear();
  return narrowed;
}

Result<RefreshPlan> plan_refresh(const Scenario& scenario, const std::vector<patches::Candidate>& candidates,
                                 const RefreshOptions& options, const HostTools& tools, Progress& progress,
                                 const std::stop_token& stop) {
  PATCHLAB_ASSIGN(const auto narrowed, scenario_to_refresh(scenario, options));
  RunOptions run{.program = options.program};
  run.instead = [](const auto&, auto&, const auto&) { return reports::DepartmentRecord(); };
  run.given = candidates;
  RefreshPlan planned;
  PATCHLAB_ASSIGN(planned.plan, make_plan(narrowed, run, tools, progress, stop));
  for (const auto& machine : planned.plan.scenario.departments.front().machines) {
    if (!options.machines.empty() && std::ranges::count(options.machines, machine.name) == 0) continue;
    PATCHLAB_TRY(refuse_other_systems(machine.name, planned.plan.goldens.at(key_of(machine.golden))));
    planned.machines.push_back(machine_of(planned.plan, machine));
  }
  return planned;
}

Result<void> refresh_images(const RefreshPlan& planned, const RefreshOptions& options, const HostTools& tools,
                            Progress& progress, const std::stop_token& stop,
                            const std::function<Result<void>(const std::vector<NewDisk>&)>& keep) {
  Refreshing refreshing(planned);
  const CellWork work{"refresh",
                      [&](cell::CellClient& lab, const cell::CellJob& job) { return refreshing.work(lab, job); },
                      [&] { return keep(refreshing.disks()); }};
  return work_by_plan(planned.plan, work, {options.program, {}}, tools, progress, stop);
}

}  // namespace patchlab::runners
