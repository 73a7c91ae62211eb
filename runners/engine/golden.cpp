// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/golden.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "lab/core/shell_words.hpp"
#include "lab/image/builder.hpp"
#include "lab/image/versions.hpp"
#include "lab/libvirt/leftovers.hpp"
#include "lab/libvirt/ssh.hpp"
#include "lab/network/address.hpp"
#include "runners/host/remote_host.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

fs::path storage_of(const GoldenDomainRef& ref) {
  return ref.storage.empty() ? fs::path(lab::libvirt::default_storage) : ref.storage;
}

class DomainReader {
 public:
  DomainReader(ProcessRunner& runner, Progress& progress) : runner_(runner), progress_(progress) {}

  Result<Golden> read(const GoldenDomainRef& ref) {
    PATCHLAB_ASSIGN(auto host, host_of(ref.uri));
    Golden golden{.name = ref.domain,
                  .digest = {},
                  .system = ref.system,
                  .packages = {},
                  .dpkg_status = ref.dpkg_status,
                  .image = {},
                  .domain = GoldenDomain{ref, 0, {}, std::move(host)}};
    if (!ref.dpkg_status.empty()) {
      PATCHLAB_ASSIGN(const auto status, read_file(ref.dpkg_status));
      golden.packages = lab::image::parse_dpkg_status(status);
      if (golden.packages.empty())
        return configuration_error(fmt::format("'{}' lists no installed package", ref.dpkg_status.string()),
                                   "copy /var/lib/dpkg/status out of the guest");
    }
    const auto key = "domain " + golden.name;
    progress_.begin(key, "reading its disks for their digest");
    auto facts = golden.domain->host->look(ref.domain);
    progress_.end(key);
    if (!facts) return std::move(facts).error();
    golden.digest = std::move(facts->digest);
    golden.domain->memory_mib = facts->memory_mib;
    golden.domain->macs = std::move(facts->macs);
    return golden;
  }

 private:
  // Asked once for all domains there, also when it cannot be had.
  Result<std::shared_ptr<host::LibvirtHost>> host_of(const std::string& uri) {
    auto known = hosts_.find(uri);
    if (known == hosts_.end()) known = hosts_.emplace(uri, host::host_of_libvirt(uri, runner_)).first;
    return known->second;
  }

  ProcessRunner& runner_;
  Progress& progress_;
  std::map<std::string, Result<std::shared_ptr<host::LibvirtHost>>> hosts_;
};

// Each machine has its own versions, and those of machines that start from the same are one.
Result<void> provide_versions(Goldens& goldens, const std::map<fs::path, lab::image::GoldenImage>& built,
                              const fs::path& cache, Scenario& scenario) {
  for (auto& department : scenario.departments) {
    for (auto& machine : department.machines) {
      if (machine.golden.domain) continue;
      const auto& of_recipe = built.at(machine.golden.recipe);
      PATCHLAB_ASSIGN(auto image,
                      lab::image::image_for(cache, of_recipe, department.name, machine.name)
                          .while_doing(fmt::format("{}: {}/golden", scenario.file.string(), machine.pointer)));
      machine.golden.image = image.digest == of_recipe.digest ? std::string() : image.digest;
      const auto key = key_of(machine.golden);
      if (goldens.contains(key)) continue;
      Golden golden{image.name, image.contents, image.system, image.packages, image.dpkg_status, {}, {}};
      golden.image = std::move(image);
      goldens.emplace(key, std::move(golden));
    }
  }
  return {};
}

Result<void> provide_images(Goldens& goldens, Scenario& scenario, ProcessRunner& runner, Progress& progress,
                            const std::stop_token& stop) {
  std::set<fs::path> recipes;
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) {
      if (!machine.golden.domain) recipes.insert(machine.golden.recipe);
    }
  }
  std::map<fs::path, std::vector<std::string>> by_folder;
  for (const auto& recipe : recipes) by_folder[recipe.parent_path()].push_back(recipe.filename());
  std::map<fs::path, lab::image::GoldenImage> all;
  lab::image::BuildRequest request;
  for (const auto& [folder, names] : by_folder) {
    request.recipes = folder;
    request.names = names;
    request.progress = [&](const lab::image::BuildEvent& event) {
      progress.say(fmt::format("image {}: {}", event.image, event.text));
    };
    request.stop = stop;
    PATCHLAB_ASSIGN(auto images, lab::image::build(runner, request));
    for (auto& built : images) {
      const auto recipe = folder / built.image.name;
      all.emplace(recipe, std::move(built.image));
    }
  }
  return provide_versions(goldens, all, request.cache, scenario);
}

// Several troubles as one error: a line for each, and the next steps of all.
class Troubles {
 public:
  explicit Troubles(const Scenario& scenario) : scenario_(scenario) {}
  void add(const std::string& pointer, Error error) {
    lines_ += fmt::format("{}{}: {}: {}", lines_.empty() ? "" : "\n", scenario_.file.string(), pointer, error.message);
    if (!error.hint.empty() && hints_.find(error.hint) == std::string::npos)
      hints_ += (hints_.empty() ? "" : "; ") + error.hint;
    // A libvirt that cannot be reached says nothing about the scenario.
    if (!class_ || error.error_class == ErrorClass::configuration) class_ = error.error_class;
  }
  [[nodiscard]] Result<void> all() const {
    return class_ ? Result<void>(Error{*class_, lines_, hints_}) : Result<void>();
  }

 private:
  const Scenario& scenario_;
  std::string lines_;
  std::string hints_;
  std::optional<ErrorClass> class_;
};

// The clones of a department are on one network.
void check_macs(const DepartmentPlan& department, const Goldens& goldens, Troubles& troubles) {
  std::map<std::string, std::string> users;
  for (const auto& machine : department.machines) {
    const auto found = goldens.find(key_of(machine.golden));
    if (found == goldens.end() || !found->second.domain) continue;
    for (const auto& mac : found->second.domain->macs) {
      const auto [user, is_new] = users.emplace(mac, machine.name);
      if (is_new || user->second == machine.name) continue;
      troubles.add(machine.pointer + "/golden",
                   configuration_error(fmt::format("golden domain '{}' has the MAC {} that '{}' has too",
                                                   found->second.name, mac, user->second),
                                       "give one of them another MAC with 'virsh edit'"));
    }
  }
}

Result<void> provide_domains(Goldens& goldens, const Scenario& scenario, ProcessRunner& runner, Progress& progress,
                             const std::stop_token& stop) {
  DomainReader reader(runner, progress);
  Troubles troubles(scenario);
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) {
      if (!machine.golden.domain || goldens.contains(key_of(machine.golden))) continue;
      if (stop.stop_requested()) return Error{ErrorClass::cancelled, "cancelled while looking at golden domains", {}};
      auto golden = reader.read(*machine.golden.domain);
      if (golden)
        goldens.emplace(key_of(machine.golden), std::move(golden).value());
      else
        troubles.add(machine.pointer + "/golden", std::move(golden).error());
    }
    check_macs(department, goldens, troubles);
  }
  return troubles.all();
}

}  // namespace

std::string key_of(const GoldenRef& ref) {
  if (!ref.domain) return ref.recipe.string() + (ref.image.empty() ? "" : " " + ref.image);
  const auto& domain = *ref.domain;
  return Json{domain.uri, domain.domain, domain.system, domain.dpkg_status.string(), domain.storage.string()}.dump();
}

Result<Goldens> provide_goldens(Scenario& scenario, ProcessRunner& runner, Progress& progress, std::stop_token stop) {
  Goldens goldens;
  PATCHLAB_TRY(provide_domains(goldens, scenario, runner, progress, stop));  // the quicker one to fail
  PATCHLAB_TRY(provide_images(goldens, scenario, runner, progress, stop));
  return goldens;
}

cell::MachineJob machine_job(const MachinePlan& machine, const DepartmentPlan& department, const Golden& golden) {
  cell::MachineJob job;
  job.plan = machine;
  job.system = golden.system;
  job.golden_digest = golden.digest;
  for (const auto& [user, password] : machine.accounts) job.passwords.push_back(password);
  if (traits_of(golden.system.family).lists_packages) job.planned_with = golden.packages;
  if (golden.domain) {
    job.plan.memory_mib = golden.domain->memory_mib;
    job.golden_domain = golden.name;
    job.macs = golden.domain->macs;
    return job;
  }
  const auto& image = *golden.image;
  if (job.plan.memory_mib == 0) job.plan.memory_mib = static_cast<std::uint32_t>(image.memory_mib);
  if (job.plan.services.empty()) job.plan.services = image.services;
  if (job.plan.ready_tcp.empty()) job.plan.ready_tcp = image.ready.tcp;
  for (const auto& account : image.credentials) job.passwords.push_back(account.password);
  job.golden_disk = image.disk;
  job.kernel = image.kernel;
  job.initrd = image.initrd;
  const auto subnet = lab::network::Ipv4Subnet::parse(department.network.subnet);
  job.kernel_arguments = image.cmdline + " " +
                         lab::image::machine_words(machine.address, subnet ? subnet->prefix() : 24,
                                                   department.network.gateway, image.hostname);
  return job;
}

std::optional<cell::LibvirtPlace> libvirt_place(const DepartmentPlan& department) {
  const auto& domain = department.machines.front().golden.domain;
  if (!domain) return std::nullopt;
  return cell::LibvirtPlace{domain->uri, {}, storage_of(*domain)};
}

std::string clean_command(const std::string& uri, const fs::path& storage) {
  return shell_words({"patchlab", "lab", "clean", "--connect", uri, "--storage", storage.string()});
}

Result<void> verify(const Golden& golden) {
  if (golden.image) return lab::image::verify(*golden.image);
  PATCHLAB_ASSIGN(const auto digest, golden.domain->host->digest_of(golden.name));
  if (digest == golden.digest) return {};
  return configuration_error(
      fmt::format("golden domain '{}' has changed: its digest was {} and is {}", golden.name, golden.digest, digest),
      "run again: what was tested is not what is there now");
}

std::vector<std::string> leftovers_of_crashed_runs(const Goldens& goldens) {
  std::map<std::pair<std::string, fs::path>, host::LibvirtHost*> places;
  for (const auto& [key, golden] : goldens) {
    if (golden.domain) places[{golden.domain->ref.uri, storage_of(golden.domain->ref)}] = golden.domain->host.get();
  }
  std::vector<std::string> sentences;
  for (const auto& [place, host] : places) {
    const auto names = host->leftovers(place.second);
    if (!names || names->empty()) continue;  // preparing the cell meets the same trouble, and reports it
    sentences.push_back(fmt::format("left on '{}' by runs that crashed: {}; remove them with '{}'", place.first,
                                    fmt::join(*names, ", "), clean_command(place.first, place.second)));
  }
  return sentences;
}

}  // namespace patchlab::runners
