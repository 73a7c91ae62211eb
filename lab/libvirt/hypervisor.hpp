// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lab/hypervisor.hpp"
#include "lab/libvirt/marks.hpp"

namespace patchlab::lab::libvirt {

class Session;

// Machines on one libvirt connection. Safe for several threads; see lab/hypervisor.hpp for the rules.
class LibvirtHypervisor final : public Hypervisor {
 public:
  // Any libvirt URI, for example "test:///default" or "qemu:///system".
  [[nodiscard]] static Result<std::unique_ptr<LibvirtHypervisor>> open(const std::string& uri);
  // libvirt's QEMU driver inside this process, with all its files below `root`: no daemon, no root. To be called inside
  // a cell (lab/network/namespace.hpp). One per process, since libvirt's drivers are one per process. `root` must be
  // absolute and at most 30 characters long, such as network::cell_folder_inside: libvirt puts sockets below it
  // (unix(7): 107 bytes).
  [[nodiscard]] static Result<std::unique_ptr<LibvirtHypervisor>> open_embedded(const std::filesystem::path& root);
  // On a connection that is shared with others, whose domains are named `name_prefix` and the machine's name.
  [[nodiscard]] static std::unique_ptr<LibvirtHypervisor> on(std::shared_ptr<Session> session, std::string name_prefix);
  ~LibvirtHypervisor() override;

  Result<void> define(const MachineSpec& spec) override;
  Result<void> start(const std::string& machine) override;
  Result<void> power_off(const std::string& machine) override;
  Result<void> undefine(const std::string& machine) override;
  Result<MachineState> state(const std::string& machine) override;
  Result<Milliseconds> processor_time(const std::string& machine) override;
  [[nodiscard]] std::optional<Milliseconds> waited_for_processor(const std::string& machine) override;
  Result<void> pause(const std::string& machine) override;
  Result<void> resume(const std::string& machine) override;
  Result<void> take_snapshot(const std::string& machine, const std::string& snapshot) override;
  Result<void> adopt_snapshot(const std::string& machine, const std::string& snapshot) override;
  Result<void> revert(const std::string& machine, const std::string& snapshot) override;
  Result<void> delete_snapshot(const std::string& machine, const std::string& snapshot) override;
  Result<void> change_medium(const std::string& machine, const std::filesystem::path& iso) override;
  Result<std::string> agent_command(const std::string& machine, const std::string& command,
                                    Milliseconds limit) override;

  // For the record: "9.0.0".
  [[nodiscard]] static std::string library_version();
  // When the machine was stopped because the host failed it (no space, I/O error), says so; else an empty text. A
  // machine in this state answers nothing: callers ask before they blame a guest that has gone silent.
  [[nodiscard]] std::string host_trouble(const std::string& machine) const;
  // What is in the machine now and does not belong in a clone; see clone_xml.hpp.
  [[nodiscard]] Result<std::vector<std::string>> ways_out(const std::string& machine, const Mark& mark) const;

 private:
  struct State;
  explicit LibvirtHypervisor(std::unique_ptr<State> state);
  [[nodiscard]] bool revert_in_place(const std::string& machine, const std::string& snapshot);
  [[nodiscard]] Result<void> revert_by_jobs(const std::string& machine, const std::string& snapshot);
  [[nodiscard]] Result<void> delete_by_jobs(const std::string& machine, const std::string& snapshot);
  // A new QEMU, with nothing in its drives, that runs nothing yet.
  [[nodiscard]] Result<void> start_empty(const std::string& machine);
  std::unique_ptr<State> state_;
};

}  // namespace patchlab::lab::libvirt
