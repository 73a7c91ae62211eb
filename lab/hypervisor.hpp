// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/time.hpp"

namespace patchlab::lab {

enum class Accelerator { kvm, tcg };

struct NicSpec {
  std::string mac;  // lower case, colons
  std::string tap;  // host-side device, made beforehand and owned by the QEMU user
  bool operator==(const NicSpec&) const = default;
};

// Everything that decides what a machine is. Its domain XML is a pure function of this value, and its digest is part of
// every baseline key.
struct MachineSpec {
  std::string name;              // unique in the cell, also the libvirt domain name
  std::string uuid;              // lower case
  std::filesystem::path disk;    // qcow2 overlay, writable, private to the machine
  std::filesystem::path kernel;  // direct boot; empty means firmware boot from the disk
  std::filesystem::path initrd;
  std::string kernel_arguments;
  std::uint32_t memory_mib = 256;
  std::uint32_t cpus = 1;
  Accelerator accelerator = Accelerator::tcg;
  // Of emulation, for guests that are booted directly: how fast their time stamp counter counts
  // (lab/libvirt/host_ticks). Nothing: they measure it themselves, and a busy host makes them measure wrongly.
  std::uint32_t tsc_mhz = 0;
  std::vector<NicSpec> nics;
  std::filesystem::path log;  // serial console output goes to this file (evidence); empty: none
  bool operator==(const MachineSpec&) const = default;
};

enum class MachineState { undefined, off, running, paused, crashed };

// What the product asks of a hypervisor, in its own words. Real: lab/libvirt; unit tests: a fake that keeps state.
// Thread rules: calls for different machines may run in parallel; calls for one machine are made one after another, but
// for the two about processor time, which may be made at any time.
class Hypervisor {
 public:
  virtual ~Hypervisor() = default;
  virtual Result<void> define(const MachineSpec& spec) = 0;
  virtual Result<void> start(const std::string& machine) = 0;
  // Ends the machine at once (like pulling the plug). Off already: success.
  virtual Result<void> power_off(const std::string& machine) = 0;
  virtual Result<void> undefine(const std::string& machine) = 0;
  virtual Result<MachineState> state(const std::string& machine) = 0;
  // Processor time of the host that the machine has used since it was started, to about 10 ms: how busy a guest is,
  // whatever runs in it.
  virtual Result<Milliseconds> processor_time(const std::string& machine) = 0;
  // How long so far, since it was started, the machine's processors had something to do and waited for one of the host;
  // the sum over all of them. Nothing: not known. What a guest does late because of that says nothing about the guest.
  [[nodiscard]] virtual std::optional<Milliseconds> waited_for_processor(const std::string& /*machine*/) {
    return std::nullopt;
  }
  virtual Result<void> pause(const std::string& machine) = 0;
  virtual Result<void> resume(const std::string& machine) = 0;
  // Disk and memory of a running or paused machine as one internal snapshot; the machine's run state stays what it was.
  virtual Result<void> take_snapshot(const std::string& machine, const std::string& snapshot) = 0;
  // The disk of this machine, which is off and was just defined, holds a snapshot that was taken of an equal machine on
  // another connection: from now on it is one of this machine's. Whether it is really there shows when it is reverted
  // to.
  virtual Result<void> adopt_snapshot(const std::string& machine, const std::string& snapshot) = 0;
  // Back to the snapshot, running.
  virtual Result<void> revert(const std::string& machine, const std::string& snapshot) = 0;
  virtual Result<void> delete_snapshot(const std::string& machine, const std::string& snapshot) = 0;
  // Puts an ISO 9660 image into the machine's CD drive; an empty path takes the medium out.
  virtual Result<void> change_medium(const std::string& machine, const std::filesystem::path& iso) = 0;
  // One guest agent command (JSON text) and its reply. `limit` is rounded up to whole seconds. What the agent refuses
  // is such a reply, or an Error of class guest with the agent's words; no other trouble has that class.
  virtual Result<std::string> agent_command(const std::string& machine, const std::string& command,
                                            Milliseconds limit) = 0;
};

}  // namespace patchlab::lab
