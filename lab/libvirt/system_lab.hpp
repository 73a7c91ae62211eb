// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/libvirt/clone_xml.hpp"
#include "lab/libvirt/golden_domain.hpp"
#include "lab/libvirt/hypervisor.hpp"
#include "lab/libvirt/leftovers.hpp"

namespace patchlab::lab::libvirt {

// Refuses a URI of another host (https://libvirt.org/uri.html): overlays, copies and digests are made on the files of
// this one.
[[nodiscard]] Result<void> check_is_local(const std::string& uri);

// Where the sockets of a libvirt of this host are looked for: what a process with a root of its own needs to see.
[[nodiscard]] std::vector<std::filesystem::path> socket_places(const std::string& uri);

// A cell of machines cloned from domains of a system libvirt: one isolated network, one folder, any number of clones.
// What it defines carries its mark and goes when it goes; after a crash `patchlab lab clean` finds it. See
// docs/system-libvirt.md. Used by one thread, except `hypervisor()`, for which the rules of lab/hypervisor.hpp hold.
class SystemLab {
 public:
  struct Place {
    std::string uri = "qemu:///system";
    std::string run;                                  // run id
    std::string cell;                                 // department
    std::filesystem::path storage = default_storage;  // absolute; must be readable for QEMU's user
  };
  // The folder of the cell's files.
  [[nodiscard]] static std::filesystem::path folder_of(const Place& place);
  // The mark of one of its machines.
  [[nodiscard]] static Mark mark_of_machine(const Place& place, const std::string& machine);
  // The machines of a cell that another process has opened, and removes: only started, saved and asked here.
  [[nodiscard]] static Result<std::unique_ptr<LibvirtHypervisor>> machines_of(const Place& place);
  // Makes the cell's folder, defines and starts its network, and closes the bridge of that to the host, which needs
  // root.
  [[nodiscard]] static Result<std::unique_ptr<SystemLab>> open(const Place& place, ProcessRunner& runner);
  ~SystemLab();  // as remove(), without a word

  // Defines a clone of a domain, off, as `machine`: its files are made first; when something fails they go with the
  // cell.
  [[nodiscard]] Result<ClonePlan> clone(const std::string& golden, const std::string& machine);
  // What a golden domain is now; see GoldenIdentity for what that costs.
  [[nodiscard]] Result<GoldenIdentity> identity_of(const std::string& golden);
  // The cell's machines, by their names in the cell.
  [[nodiscard]] LibvirtHypervisor& hypervisor() { return *hypervisor_; }
  // The bridge of the cell's network, for ports of checks and probes: Netlink::attach.
  [[nodiscard]] std::string bridge() const;
  // Ends and removes everything of this cell; then only the destructor may be called.
  [[nodiscard]] Result<void> remove();

 private:
  SystemLab(std::shared_ptr<Session> session, CellFolder folder, ProcessRunner& runner);
  [[nodiscard]] Result<void> start_network();
  [[nodiscard]] Result<void> define(const ClonePlan& plan);
  std::shared_ptr<Session> session_;
  CellFolder folder_;
  ProcessRunner& runner_;
  std::unique_ptr<LibvirtHypervisor> hypervisor_;
  bool removed_ = false;
};

}  // namespace patchlab::lab::libvirt
