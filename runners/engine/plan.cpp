// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/facts/folder.hpp"
#include "patches/apt/recipe_source.hpp"
#include "patches/candidate/deb_facts.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/medium/medium.hpp"
#include "patches/msu/servicing_package.hpp"
#include "patches/repack/recipe.hpp"
#include "patches/set/installed_change.hpp"
#include "patches/set/patch_set.hpp"
#include "runners/engine/definition.hpp"
#include "runners/engine/package_plan.hpp"
#include "runners/engine/roles.hpp"
#include "runners/engine/run.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;
using patches::Candidate;

bool wanted(const std::vector<std::string>& filter, const std::string& name) {
  return filter.empty() || std::ranges::count(filter, name) > 0;
}

Result<void> narrow(Plan& plan, const RunOptions& options) {
  std::set<std::string> departments, roles;
  for (const auto& department : plan.scenario.departments) {
    departments.insert(department.name);
    for (const auto& machine : department.machines) roles.insert(machine.role);
  }
  const auto check_filter = [](const char* option, const auto& filter, const std::set<std::string>& known) {
    return check_choice(option, filter, "is not in the scenario", {known.begin(), known.end()});
  };
  PATCHLAB_TRY(check_filter("--department", options.departments, departments));
  PATCHLAB_TRY(check_filter("--role", options.roles, roles));
  std::erase_if(plan.scenario.departments, [&](const auto& department) {
    if (wanted(options.departments, department.name)) return false;
    plan.not_tested.push_back(fmt::format("department '{}' was left out by --department", department.name));
    return true;
  });
  for (auto& department : plan.scenario.departments) {
    const auto kept = machines_for(department, options.roles);
    std::erase_if(department.machines, [&](const auto& machine) {
      if (kept.contains(machine.name)) return false;
      plan.not_tested.push_back(fmt::format("machine '{}/{}' was left out by --role", department.name, machine.name));
      return true;
    });
  }
  std::erase_if(plan.scenario.departments, [](const auto& department) { return department.machines.empty(); });
  return {};
}

// "engineering=finance": both are of the plan, and what is tested for another one is tested itself.
Result<void> check_carry(const Plan& plan, const RunOptions& options) {
  std::set<std::string> names, carried, tested;
  for (const auto& department : plan.scenario.departments) names.insert(department.name);
  for (const auto& word : options.carry) {
    const auto wrong = [&](const std::string& why) {
      return Error{ErrorClass::usage, fmt::format("--carry '{}': {}", word, why),
                   "name the department that is not to be tested, and the one that is: --carry engineering=finance"};
    };
    const auto [department, other] = carried_words(word);
    if (department.empty() || other.empty()) return wrong("is not DEPARTMENT=TESTED");
    for (const auto& name : {department, other}) {
      if (!names.contains(name)) return wrong(fmt::format("the run has no department '{}'", name));
    }
    if (!carried.insert(department).second) return wrong(fmt::format("'{}' is named twice", department));
    tested.insert(other);
  }
  for (const auto& name : carried) {
    if (tested.contains(name))
      return Error{
          ErrorClass::usage,
          fmt::format("--carry: '{}' is to be tested for another department, and not to be tested itself", name),
          "let each department be tested for the others, or not be tested, but not both"};
  }
  if (!options.carry.empty() && options.controls > 0)
    return Error{ErrorClass::usage, "--carry and --controls: without candidates there is no verdict to carry over",
                 "leave one of them out"};
  return {};
}

std::vector<patches::AptImage> apt_images(const Plan& plan) {
  std::vector<patches::AptImage> images;
  for (const auto& [key, golden] : plan.goldens) {
    if (!golden.dpkg_status.empty()) images.push_back({golden.name, golden.dpkg_status});
  }
  return images;
}

Error at(const Scenario& scenario, const std::string& pointer, Error error) {
  return std::move(error).while_doing(fmt::format("{}: {}", scenario.file.string(), pointer));
}

// Asked before each piece of work: planning many large candidates takes minutes, too.
Result<void> go_on(const std::stop_token& stop) {
  if (stop.stop_requested()) return Error{ErrorClass::cancelled, "cancelled while planning: nothing was started", {}};
  return {};
}

patches::ContentStore store_in(const HostTools& tools) { return patches::ContentStore(tools.cache / "store"); }

class CandidateLoader {
 public:
  CandidateLoader(Plan& plan, const RunOptions& options, const HostTools& tools, Progress& progress,
                  std::stop_token stop)
      : plan_(plan),
        narrowed_(!options.roles.empty() || !options.departments.empty()),
        progress_(progress),
        stop_(std::move(stop)),
        made_(tools.cache / "candidates"),
        store_(store_in(tools)),
        apt_(tools.processes, store_, {.folder = tools.cache / "apt"},
             [&](const std::string& line) { progress_.say("candidates: " + line); }) {}

  // Those that the command line names.
  Result<std::vector<Candidate>> added(const std::vector<fs::path>& paths) {
    std::vector<Candidate> candidates;
    for (const auto& path : paths) {
      PATCHLAB_TRY(go_on(stop_));
      const auto doing = fmt::format("--with '{}'", path.string());
      PATCHLAB_ASSIGN(const auto file, absolute_path(path).while_doing(doing));
      if (!is_there(file))
        return Error{ErrorClass::usage, doing + " is not there", "give a package, or the folder of a candidate"};
      PATCHLAB_ASSIGN(auto loaded, load({.kind = CandidateSourceKind::path, .path = file}).while_doing(doing));
      std::ranges::move(loaded, std::back_inserter(candidates));
    }
    return candidates;
  }

  Result<std::vector<Candidate>> load() { return load(plan_.scenario.candidates); }
  Result<std::vector<Candidate>> next_packages() { return load(plan_.scenario.next_packages); }

 private:
  // Every source is tried, so that all troubles are reported at once.
  Result<std::vector<Candidate>> load(const std::vector<CandidateSource>& sources) {
    std::string troubles;
    std::optional<Error> first;
    for (const auto& source : sources) {
      PATCHLAB_TRY(go_on(stop_));
      auto loaded = load(source);
      if (loaded) {
        for (auto& candidate : *loaded) {
          if (!came_along(candidate)) candidates_.push_back(std::move(candidate));
        }
        continue;
      }
      auto error = at(plan_.scenario, source.pointer, std::move(loaded).error());
      troubles += (troubles.empty() ? "" : "\n") + error.message;
      if (!first) first = std::move(error);
    }
    if (first) {
      first->message = troubles;
      return std::move(*first);
    }
    return std::exchange(candidates_, {});
  }

  Result<std::vector<Candidate>> load(const CandidateSource& source) {
    switch (source.kind) {
      case CandidateSourceKind::path: {
        PATCHLAB_ASSIGN(auto candidate, patches::load_candidate(source.path, store_));
        if (!source.sha256.empty() && (candidate.files.size() != 1 || candidate.files[0].sha256 != source.sha256)) {
          return configuration_error(fmt::format("'{}' has SHA-256 {}, the scenario expects {}", source.path.string(),
                                                 candidate.files.empty() ? "none" : candidate.files[0].sha256,
                                                 source.sha256));
        }
        if (candidate.kind == "exe" && candidate.switches.empty()) {
          return configuration_error(
              fmt::format("nothing says how '{}' installs without questions", source.path.string()),
              "put it into a folder with a candidate.json that holds \"switches\"");
        }
        plan_.sources[candidate.id] = source.path;
        return std::vector<Candidate>{std::move(candidate)};
      }
      case CandidateSourceKind::recipe: {
        PATCHLAB_ASSIGN(const auto recipe, patches::read_recipe(source.path));
        if (narrowed_ && !somebody_has(recipe.base_package)) {
          plan_.not_tested.push_back(fmt::format("candidate '{}' was left out: no machine that is left has '{}'",
                                                 recipe.identity.id, recipe.base_package));
          return std::vector<Candidate>{};
        }
        PATCHLAB_ASSIGN(auto candidate,
                        patches::candidate_from_recipe(source.path, apt_images(plan_), apt_, store_, made_, stop_));
        return std::vector<Candidate>{std::move(candidate)};
      }
      case CandidateSourceKind::apt: {
        patches::AptRequest request;
        request.packages = source.packages;
        if (source.limit > 0) request.limit = source.limit;
        request.security_only = source.security_only;
        request.as_named = source.as_named;
        PATCHLAB_ASSIGN(auto answer, apt_.candidates(apt_images(plan_), request, stop_));
        std::ranges::move(answer.notes, std::back_inserter(plan_.not_tested));
        return std::move(answer.candidates);
      }
    }
    return Error{ErrorClass::bug, "unknown kind of candidate source", {}};
  }

  // An update of apt that another entry asks for, or needs, is there already.
  [[nodiscard]] bool came_along(const Candidate& candidate) const {
    return candidate.origin == patches::Origin::apt && std::ranges::any_of(candidates_, [&](const auto& other) {
             return other.origin == candidate.origin && other.id == candidate.id && other.digest == candidate.digest;
           });
  }

  [[nodiscard]] bool somebody_has(const std::string& package) const {
    return std::ranges::any_of(plan_.goldens, [&](const auto& golden) {
      return std::ranges::any_of(golden.second.packages,
                                 [&](const auto& installed) { return installed.first.starts_with(package + ":"); });
    });
  }

  Plan& plan_;
  bool narrowed_;
  Progress& progress_;
  std::stop_token stop_;
  fs::path made_;  // of recipes
  patches::ContentStore store_;
  patches::AptSource apt_;
  std::vector<Candidate> candidates_;
};

// What is installed behind a set, and on which machines.
struct NextPackages {
  std::vector<Candidate> candidates;
  PackagePlan packages;
};

Result<void> load_candidates(Plan& plan, const RunOptions& options, const std::set<std::string>& all_roles,
                             const HostTools& tools, Progress& progress, std::stop_token stop) {
  CandidateLoader loader(plan, options, tools, progress, stop);
  PATCHLAB_ASSIGN(auto candidates, loader.load());
  PATCHLAB_ASSIGN(auto added, loader.added(options.with));
  for (auto& candidate : added) {
    plan.with.push_back(candidate.id);
    candidates.push_back(std::move(candidate));
  }
  if (plan.scenario.planned) {
    // The plan says of each why, in its `not_tested`.
    const auto& left_out = plan.scenario.planned->left_out;
    std::erase_if(candidates, [&](const auto& candidate) { return std::ranges::count(left_out, candidate.id) > 0; });
  }
  std::set<std::string> ids;
  for (const auto& candidate : candidates) ids.insert(candidate.id);
  PATCHLAB_TRY(check_choice("--candidate", options.candidates, "is not in the scenario", {ids.begin(), ids.end()}));
  if (!options.candidates.empty()) {
    auto chosen = patches::with_prerequisites(candidates, options.candidates);
    for (const auto& candidate : candidates) {
      if (std::ranges::count(chosen, candidate.id, &Candidate::id) == 0) {
        plan.not_tested.push_back(fmt::format("candidate '{}' was left out by --candidate", candidate.id));
      }
    }
    candidates = std::move(chosen);
  }
  PATCHLAB_TRY(check_roles(candidates, all_roles));
  PATCHLAB_TRY(go_on(stop));
  if (options.each_alone) {
    plan.candidates = std::move(candidates);
    return {};
  }
  auto ordered = patches::ordered_set(candidates);
  if (!ordered) return at(plan.scenario, "/candidates", std::move(ordered).error());
  plan.candidates = std::move(ordered).value();
  return {};
}

// Of a scenario that was planned: what is not in it, and what is not to be had any more.
void note_planned(Plan& plan) {
  if (!plan.scenario.planned) return;
  const auto& planned = *plan.scenario.planned;
  plan.not_tested.insert(plan.not_tested.end(), planned.not_tested.begin(), planned.not_tested.end());
  for (const auto& id : planned.candidates) {
    const auto said = fmt::format("candidate '{}'", id);
    const bool is_told = std::ranges::any_of(plan.not_tested, [&](const auto& one) { return one.starts_with(said); });
    if (!is_told && std::ranges::count(plan.candidates, id, &Candidate::id) == 0)
      plan.not_tested.push_back(said + " was planned, and its source does not offer it any more");
  }
}

// What the guest must know of a candidate's files to take them away again.
std::vector<lab::guest::InstalledPackage> removable(const std::vector<patches::CandidateFile>& files) {
  std::vector<lab::guest::InstalledPackage> packages;
  for (const auto& file : files) {
    lab::guest::InstalledPackage package{.file_name = file.name};
    if (file.windows) {
      const auto& facts = *file.windows;
      package.kb = facts.kb;
      for (const auto& identity : facts.packages) {
        if (std::ranges::count(facts.permanent_packages, identity) == 0) package.packages.push_back(identity);
      }
      package.patch_code = facts.patch_code;
      package.product_code = facts.product_code;
      if (package.product_code.empty() && facts.target_products.size() == 1)
        package.product_code = facts.target_products[0];
      package.permanent = facts.removable == "no";
    }
    packages.push_back(std::move(package));
  }
  return packages;
}

// What fulfils the prerequisites of a candidate in this department: the candidates that are named or that apt wants
// before it, and on the machines where they are replaced by ones that supersede them, those.
std::vector<std::size_t> prerequisites_here(const std::vector<Candidate>& candidates, const PackagePlan& packages,
                                            const std::vector<PlannedCandidate>& planned, std::size_t index) {
  std::set<std::string> ids(candidates[index].prerequisites.begin(), candidates[index].prerequisites.end());
  if (const auto found = packages.needs.find(candidates[index].id); found != packages.needs.end())
    ids.insert(found->second.begin(), found->second.end());
  std::set<std::size_t> needed;
  for (const auto& id : ids) {
    for (const auto* provider : patches::providers_of(candidates, id)) {
      const auto place = static_cast<std::size_t>(provider - candidates.data());
      const bool shares_a_machine = std::ranges::any_of(planned[index].installs, [&](const auto& install) {
        return planned[place].installs.contains(install.first);
      });
      if (place < index && (provider->id == id || shares_a_machine)) needed.insert(place);
    }
  }
  return {needed.begin(), needed.end()};
}

// What the adapter must know of files that are installed on a Windows machine.
void tell_windows(const Candidate& candidate, const std::vector<patches::CandidateFile>& files,
                  cell::MachineJob& machine) {
  for (const auto& file : files) {
    if (!file.windows) continue;
    machine.parts.insert(file.windows->parts.begin(), file.windows->parts.end());
    if (!file.windows->replaces.empty()) machine.replaces[file.name] = file.windows->replaces;
    if (candidate.kind != "exe") continue;
    const auto& codes = candidate.exit_codes;
    machine.setups[file.name] = {
        candidate.switches, {codes.success.begin(), codes.success.end()}, {codes.restart.begin(), codes.restart.end()}};
  }
}

// What the candidate's packages bring, from the bytes that are tested; each file is read once.
Result<void> tell_debian(const Candidate& candidate, const std::vector<patches::CandidateFile>& files,
                         const patches::ContentStore& store, std::map<std::string, ShippedPackage>& known,
                         cell::MachineJob& machine) {
  if (machine.system.family != GuestFamily::debian) return {};
  for (const auto& file : files) {
    auto found = known.find(file.sha256);
    if (found == known.end()) {
      PATCHLAB_ASSIGN(const auto path, store.verified_path(file.sha256));
      PATCHLAB_ASSIGN(auto shipped, patches::DebFacts(store).shipped(path, file.package));
      found = known.emplace(file.sha256, std::move(shipped)).first;
    }
    machine.shipped[candidate.id].push_back(found->second);
  }
  return {};
}

// A servicing stack of the set is a prerequisite where a machine needs it: where its owner does not say that it has a
// new enough one.
void add_servicing_stacks(const Plan& plan, const DepartmentPlan& department, std::size_t index, DepartmentJob& job) {
  const auto& candidate = plan.candidates[index];
  const auto lacks_it = [&](const auto& machine) {
    if (!job.candidates[index].installs.contains(machine.name)) return false;
    const auto& stack = plan.goldens.at(key_of(machine.golden)).system.servicing_stack;
    return std::ranges::any_of(candidate.files, [&](const auto& file) {
      return file.windows && patches::is_newer_version(file.windows->needs_servicing_stack, stack);
    });
  };
  if (std::ranges::none_of(department.machines, lacks_it)) return;
  for (const auto& id : patches::servicing_stacks_for(plan.candidates, candidate)) {
    const auto place =
        static_cast<std::size_t>(std::ranges::find(plan.candidates, id, &Candidate::id) - plan.candidates.begin());
    auto& needed = job.candidates[index].prerequisites;
    if (place < index && !job.candidates[place].installs.empty() && std::ranges::count(needed, place) == 0)
      needed.push_back(place);
  }
}

std::vector<PackagePlace> package_places(const Plan& plan) {
  std::vector<PackagePlace> places;
  for (const auto& department : plan.scenario.departments) {
    for (const auto& machine : department.machines) {
      const auto key = key_of(machine.golden);
      places.push_back({department.name, machine.name, machine.role, key, &plan.goldens.at(key)});
    }
  }
  return places;
}

Result<NextPackages> load_next_packages(Plan& plan, const RunOptions& options, const HostTools& tools,
                                        Progress& progress, const std::stop_token& stop) {
  NextPackages next;
  if (!plan.scenario.trial.next_package) return next;
  CandidateLoader loader(plan, options, tools, progress, stop);
  PATCHLAB_ASSIGN(auto candidates, loader.next_packages());
  for (const auto& candidate : candidates) {
    if (std::ranges::count(plan.candidates, candidate.id, &Candidate::id) > 0)
      return at(plan.scenario, "/next_packages",
                configuration_error(fmt::format("'{}' is a candidate: it cannot come behind itself", candidate.id),
                                    "name a small package that changes nothing of the role"));
  }
  if (candidates.empty()) return next;
  PATCHLAB_ASSIGN(next.packages, plan_packages(std::move(candidates), package_places(plan), tools.solvers,
                                               patches::control_from(store_in(tools)), stop));
  next.candidates = next.packages.candidates;
  return next;
}

// The first that the machine takes; its files. Else why it takes none.
std::vector<patches::CandidateFile> add_next_package(const NextPackages& next, const std::string& department,
                                                     const Golden& image, cell::MachineJob& job) {
  const auto planned = next.packages.machines.find({department, job.plan.name});
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < next.candidates.size() && planned != next.packages.machines.end(); ++i) {
    const auto& candidate = next.candidates[i];
    const auto& part = planned->second.candidates[i];
    const auto held = next.packages.held_back.find({department, candidate.id});
    const auto& unmet = planned->second.unmet;
    if (!part.applies() || held != next.packages.held_back.end() || !unmet.empty()) {
      reasons.push_back(fmt::format("'{}': {}", candidate.id,
                                    held != next.packages.held_back.end() ? held->second
                                    : !part.applies()                     ? part.skipped
                                                                          : unmet.front()));
      continue;
    }
    job.next_package = cell::InstallJob{.candidate = candidate.id,
                                        .digest = candidate.digest,
                                        .packages = removable(part.files),
                                        .expected = patches::expected_changes(image.packages, part.files),
                                        .says_what_it_changes = patches::say_what_they_change(part.files)};
    tell_windows(candidate, part.files, job);
    return part.files;
  }
  job.why_no_next_package =
      reasons.empty() ? "the scenario has none that can be had here" : fmt::format("{}", fmt::join(reasons, "; "));
  return {};
}

Result<DepartmentJob> department_job(const Plan& plan, const PackagePlan& packages, const NextPackages& next,
                                     const DepartmentPlan& department, const HostTools& tools) {
  const auto store = store_in(tools);
  DepartmentJob job;
  job.cell.department = department.name;
  job.cell.network = department.network;
  job.cell.policy = plan.scenario.trial;
  for (const auto& candidate : plan.candidates) {
    job.candidates.push_back({.id = candidate.id, .digest = candidate.digest});
  }
  std::map<std::string, std::map<std::size_t, std::vector<patches::CandidateFile>>> files;
  std::map<std::string, std::vector<patches::CandidateFile>> behind;
  std::map<std::string, ShippedPackage> shipped;
  for (const auto& machine : department.machines) {
    const auto& image = plan.goldens.at(key_of(machine.golden));
    job.cell.machines.push_back(machine_job(machine, department, image));
    if (job.cell.policy.next_package)
      behind[machine.name] = add_next_package(next, department.name, image, job.cell.machines.back());
    const auto& planned = packages.machines.at({department.name, machine.name});
    if (!planned.unmet.empty()) {
      return configuration_error(fmt::format("the candidates cannot be installed on '{}/{}': {}", department.name,
                                             machine.name, fmt::join(planned.unmet, "; ")),
                                 "add the candidate that brings the needed version, or leave this one out");
    }
    for (std::size_t i = 0; i < planned.candidates.size(); ++i) {
      const auto& part = planned.candidates[i];
      if (!part.applies()) {
        job.candidates[i].skipped_because = part.skipped;
        continue;
      }
      cell::InstallJob install{.candidate = part.candidate,
                               .digest = plan.candidates[i].digest,
                               .packages = removable(part.files),
                               .expected = patches::expected_changes(image.packages, part.files),
                               .says_what_it_changes = patches::say_what_they_change(part.files)};
      tell_windows(plan.candidates[i], part.files, job.cell.machines.back());
      PATCHLAB_TRY(tell_debian(plan.candidates[i], part.files, store, shipped, job.cell.machines.back()));
      job.candidates[i].installs[machine.name] = std::move(install);
      files[machine.name][i] = part.files;
    }
  }
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    job.candidates[i].prerequisites = prerequisites_here(plan.candidates, packages, job.candidates, i);
    add_servicing_stacks(plan, department, i, job);
  }
  job.medium = [files = std::move(files), behind = std::move(behind), store, media = tools.cache / "media",
                &processes = tools.processes](const std::string& machine,
                                              const std::vector<std::size_t>& candidates) -> Result<fs::path> {
    std::vector<patches::CandidateFile> together;
    for (const auto index : candidates) {
      const auto& part = files.at(machine).at(index);
      together.insert(together.end(), part.begin(), part.end());
    }
    if (const auto next = behind.find(machine); next != behind.end())
      together.insert(together.end(), next->second.begin(), next->second.end());
    return patches::build_medium(processes, store, patches::medium_files(together), media);
  };
  return job;
}

// One for each department, with the plan's candidates as they would be one set; puts those into their final order.
Result<std::vector<DepartmentJob>> department_jobs(Plan& plan, const NextPackages& next, const RunOptions& options,
                                                   const HostTools& tools, const std::stop_token& stop) {
  std::vector<DepartmentJob> jobs;
  PATCHLAB_TRY(go_on(stop));
  PATCHLAB_ASSIGN(auto packages, plan_packages(std::move(plan.candidates), package_places(plan), tools.solvers,
                                               patches::control_from(store_in(tools)), stop));
  plan.candidates = std::move(packages.candidates);
  for (const auto& [place, reason] : packages.held_back) {
    plan.not_tested.push_back(
        fmt::format("candidate '{}' is held back in department '{}': {}", place.second, place.first, reason));
  }
  for (const auto& department : plan.scenario.departments) {
    PATCHLAB_TRY(go_on(stop));
    auto job = department_job(plan, packages, next, department, tools);
    if (!job) return at(plan.scenario, department.pointer, std::move(job).error());
    job->cell.libvirt = libvirt_place(department);
    job->controls = options.controls;
    job->each_alone = options.each_alone;
    jobs.push_back(std::move(job).value());
  }
  return jobs;
}

// A candidate that was planned by itself joins those of its department.
void add_alone(DepartmentJob& department, DepartmentJob one) {
  department.candidates.push_back(std::move(one.candidates.at(0)));
  for (std::size_t i = 0; i < one.cell.machines.size(); ++i) {
    auto& machine = department.cell.machines[i];
    machine.shipped.merge(one.cell.machines[i].shipped);
    machine.parts.merge(one.cell.machines[i].parts);
    machine.replaces.merge(one.cell.machines[i].replaces);
    machine.setups.merge(one.cell.machines[i].setups);
  }
}

// They are never in one set: each is planned as if there were no other, and several may bring the same package.
Result<void> plan_each_alone(Plan& plan, const NextPackages& next, const RunOptions& options, const HostTools& tools,
                             const std::stop_token& stop) {
  const auto candidates = std::exchange(plan.candidates, {});
  for (const auto& candidate : candidates) {
    if (!candidate.prerequisites.empty())
      return configuration_error(
          fmt::format("candidate '{}' has prerequisites: it cannot be tested alone", candidate.id));
  }
  PATCHLAB_ASSIGN(plan.departments, department_jobs(plan, next, options, tools, stop));
  using Medium = decltype(DepartmentJob::medium);
  std::vector<std::vector<Medium>> media(plan.departments.size());
  for (const auto& candidate : candidates) {
    plan.candidates = {candidate};
    PATCHLAB_ASSIGN(auto jobs, department_jobs(plan, next, options, tools, stop));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      media[i].push_back(std::move(jobs[i].medium));
      add_alone(plan.departments[i], std::move(jobs[i]));
    }
  }
  for (std::size_t i = 0; i < media.size(); ++i) {
    plan.departments[i].medium = [alone = std::move(media[i]), none = plan.departments[i].medium](
                                     const std::string& machine,
                                     const std::vector<std::size_t>& set) -> Result<fs::path> {
      if (set.empty()) return none(machine, {});
      if (set.size() != 1) return Error{ErrorClass::bug, "candidates that were planned alone are in one set", {}};
      return alone.at(set[0])(machine, {0});
    };
  }
  plan.candidates = candidates;
  plan.not_tested.emplace_back("every candidate was tested alone, and no set that could be promoted");
  return {};
}

}  // namespace

namespace {

// A file that cannot be read is a mistake that nobody should find in the morning.
Result<void> read_facts_of_production(Plan& plan, const Scenario& scenario, const RunOptions& options,
                                      const HostTools& tools) {
  const auto& folder = plan.facts_folder = options.facts.empty() ? scenario.facts : options.facts;
  if (folder.empty()) return {};
  std::vector<std::pair<std::string, std::string>> machines;
  plan.facts.emplace();
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) {
      machines.emplace_back(department.name, machine.name);
      PATCHLAB_ASSIGN(auto given, lab::facts::given_facts(folder, department.name, machine.name, tools.clock.wall()));
      if (given) plan.facts->emplace(department.name + "/" + machine.name, std::move(*given));
    }
  }
  // Those of other machines may lie there, too: a plan for the night has a part of a scenario.
  const auto strangers = lab::facts::strangers_in(folder, machines);
  return strangers ? Result<void>() : Result<void>(strangers.error());
}

}  // namespace

Result<Plan> make_plan(const Scenario& scenario, const RunOptions& options, const HostTools& tools, Progress& progress,
                       std::stop_token stop) {
  Plan plan;
  plan.scenario = scenario;
  plan.executor = options.executor;
  plan.carry = options.carry;
  if (plan.executor) {
    PATCHLAB_TRY(host::check_time_limit(*plan.executor, scenario.trial.run_deadline));
    PATCHLAB_TRY(host::check_slurm(tools.processes));
  }
  PATCHLAB_TRY(narrow(plan, options));
  PATCHLAB_TRY(check_carry(plan, options));
  PATCHLAB_ASSIGN(plan.goldens, tools.goldens(plan.scenario, progress, stop));
  std::set<std::string> roles;  // of all machines, also of those that were left out by an option
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) roles.insert(machine.role);
  }
  if (scenario.planned) roles.insert(scenario.planned->roles.begin(), scenario.planned->roles.end());
  if (!options.instead && (options.controls == 0 || options.each_alone)) {
    PATCHLAB_TRY(load_candidates(plan, options, roles, tools, progress, stop));
    note_planned(plan);
  } else if (!options.instead) {
    plan.not_tested.emplace_back("the candidates were left out by --controls");
  } else {
    PATCHLAB_ASSIGN(plan.candidates, patches::ordered_set(options.given));
  }
  if (options.instead) plan.scenario.trial.next_package = false;
  PATCHLAB_ASSIGN(const auto next, load_next_packages(plan, options, tools, progress, stop));
  if (options.each_alone) {
    PATCHLAB_TRY(plan_each_alone(plan, next, options, tools, stop));
  } else {
    PATCHLAB_ASSIGN(plan.departments, department_jobs(plan, next, options, tools, stop));
  }
  PATCHLAB_TRY(read_facts_of_production(plan, scenario, options, tools));
  carry_over(plan);
  return plan;
}

Json plan_json(const Plan& plan) {
  Json candidates = Json::array();
  for (const auto& candidate : plan.candidates)
    candidates.push_back({{"id", candidate.id}, {"digest", candidate.digest}});
  Json departments = Json::array();
  for (const auto& department : plan.departments) {
    Json machines = Json::array();
    for (const auto& machine : department.cell.machines) {
      Json checks = Json::array();
      for (const auto& check : machine.plan.checks) checks.push_back(check.id);
      machines.push_back({{"machine", machine.plan.name},
                          {"role", machine.plan.role},
                          {"address", machine.plan.address},
                          {"memory_mib", machine.plan.memory_mib},
                          {"checks", checks},
                          {"golden", machine.golden_digest}});
    }
    Json planned = Json::array();
    for (const auto& candidate : department.candidates) {
      Json where = Json::array();
      for (const auto& [machine, install] : candidate.installs) where.push_back(machine);
      planned.push_back({{"id", candidate.id}, {"machines", where}, {"skipped_because", candidate.skipped_because}});
    }
    departments.push_back({{"department", department.cell.department},
                           {"subnet", department.cell.network.subnet},
                           {"machines", machines},
                           {"candidates", planned}});
    if (!department.tested_in.empty()) departments.back()["tested_in"] = department.tested_in;
    if (plan.executor && !department.cell.libvirt) {
      const auto request = host::request_of(*plan.executor, department.cell);
      departments.back()["job"] = {{"processors", request.processors},
                                   {"memory_mib", request.memory_mib},
                                   {"time_limit_minutes", request.time_limit_minutes}};
    }
  }
  return {{"scenario", plan.scenario.name},
          {"candidates", candidates},
          {"departments", departments},
          {"trial", plan.scenario.trial},
          {"not_tested", plan.not_tested}};
}

std::string describe(const Plan& plan) {
  const auto& scenario = plan.scenario;
  const bool has_title = !scenario.title.empty() && scenario.title != scenario.name;
  std::string text =
      printable_format("scenario {}{}: {} candidates, {} departments\n", scenario.name,
                       has_title ? " (" + scenario.title + ")" : "", plan.candidates.size(), plan.departments.size());
  for (const auto& department : plan.departments) {
    text +=
        printable_format("\ndepartment {} ({}), fence {}\n", department.cell.department,
                         fmt::format("{} machines", department.cell.machines.size()), department.cell.network.subnet);
    for (const auto& machine : department.cell.machines) {
      text +=
          printable_format("  {:<10} {:<15} {} MiB, {} checks, golden {}\n", machine.plan.name, machine.plan.address,
                           machine.plan.memory_mib, machine.plan.checks.size(), machine.golden_digest.substr(0, 12));
    }
    if (plan.executor && department.cell.libvirt)
      text += "  no Slurm job: its machines are clones on a libvirt, and are where that is\n";
    if (plan.executor && !department.cell.libvirt) {
      const auto request = host::request_of(*plan.executor, department.cell);
      text += printable_format("  Slurm job of {} processors and {} MiB for {} minutes{}\n", request.processors,
                               request.memory_mib, request.time_limit_minutes,
                               plan.executor->partition.empty() ? "" : ", partition " + plan.executor->partition);
    }
    for (const auto& candidate : department.candidates) {
      std::vector<std::string> machines;
      for (const auto& [machine, install] : candidate.installs) machines.push_back(machine);
      text += machines.empty()
                  ? printable_format("  candidate {}: skipped, {}\n", candidate.id, candidate.skipped_because)
                  : printable_format("  candidate {}: on {}\n", candidate.id, listed(machines));
    }
  }
  for (const auto& sentence : plan.carried) text += "\n" + printable(sentence) + "\n";
  const auto& policy = scenario.trial;
  text += printable_format(
      "\nper department: baseline, control, the whole batch; when it fails, the culprits, then the exact rest; each "
      "trial with {} warm and {} cold reboots; "
      "looked at once more after {} s{}\n",
      policy.warm_reboots, policy.cold_reboots, policy.stability.count() / 1000,
      (policy.service_cycles > 0
           ? fmt::format(", and after {} stops and starts of each service of a role", policy.service_cycles)
           : "") +
          (policy.next_package ? ", and with another package behind the set" : "") +
          (policy.clock.empty() ? "" : ", and after each move of the clocks: " + listed(policy.clock)));
  for (const auto& sentence : plan.not_tested) text += "not tested: " + printable(sentence) + "\n";
  return text;
}

std::vector<std::size_t> begin_order(const std::vector<DepartmentJob>& departments) {
  std::vector<std::size_t> order(departments.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return departments[i].expected; });
  return order;
}

}  // namespace patchlab::runners
