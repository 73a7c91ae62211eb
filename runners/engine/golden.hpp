// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/image/golden_image.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/protocol.hpp"
#include "runners/engine/progress.hpp"
#include "runners/host/libvirt_host.hpp"
#include "runners/scenario/scenario.hpp"

// The golden machines that a scenario names, whatever keeps them: stand-in images in the cache, or domains of a
// libvirt.
namespace patchlab::runners {

struct GoldenDomain {
  GoldenDomainRef ref;
  std::uint32_t memory_mib = 0;
  std::vector<std::string> macs;
  // Where it is. From before the digest was taken, no QEMU writes to the disks as long as this lives.
  std::shared_ptr<host::LibvirtHost> host;
};

// One golden machine as planning and the record need it.
struct Golden {
  std::string name;    // of the recipe or the domain
  std::string digest;  // of everything that a clone starts from
  GuestSystem system;
  InstalledSet packages;              // "bind9:amd64" -> version; empty where the system has no such list
  std::filesystem::path dpkg_status;  // where that is from; empty likewise
  std::optional<lab::image::GoldenImage> image;
  std::optional<GoldenDomain> domain;  // one of the two
};
using Goldens = std::map<std::string, Golden>;  // by key_of

[[nodiscard]] std::string key_of(const GoldenRef& ref);

// Builds the images that are missing, and looks at the domains: whether each can be cloned, and its memory saved;
// nothing is changed on their libvirt. Reads all disks, for the digests. What is wrong with the domains comes back as
// one configuration error, each at its place in the scenario. Machines that start from a later version of their image
// get it named (GoldenRef::image).
[[nodiscard]] Result<Goldens> provide_goldens(Scenario& scenario, ProcessRunner& runner, Progress& progress,
                                              std::stop_token stop);

// What the cell needs to know of a machine.
[[nodiscard]] cell::MachineJob machine_job(const MachinePlan& machine, const DepartmentPlan& department,
                                           const Golden& golden);
// Where the clones of a department go when its machines are domains; nullopt when they are images. The run's id is not
// known yet.
[[nodiscard]] std::optional<cell::LibvirtPlace> libvirt_place(const DepartmentPlan& department);

// The command for people that removes what runs left on a libvirt and in a storage folder.
[[nodiscard]] std::string clean_command(const std::string& uri, const std::filesystem::path& storage);

// Reads everything again and compares it with the digest.
[[nodiscard]] Result<void> verify(const Golden& golden);

// Sentences about what crashed runs have left on the libvirts and in the storage folders of these; they are left alone.
[[nodiscard]] std::vector<std::string> leftovers_of_crashed_runs(const Goldens& goldens);

}  // namespace patchlab::runners
