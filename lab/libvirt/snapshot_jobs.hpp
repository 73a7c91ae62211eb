// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

namespace patchlab::lab::libvirt {

// Disks and memory of a machine as internal snapshots, by QEMU's own jobs (snapshot-save, -load and -delete, since QEMU
// 6.0: https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html). For machines whose firmware is in flash: the file
// with its variables can hold no snapshot, so libvirt makes none of such a machine, while the jobs are told which disks
// take part. The flash need not: what is in it is also in the machine's memory, and QEMU writes it to the file when a
// machine whose memory was loaded runs on. libvirt does not know these snapshots.
//
// Holds no state; used by one thread at a time for one machine, whose QEMU must be there. Errors are of the
// infrastructure, or timeouts, and do not name the machine.
class SnapshotJobs {
 public:
  // Hands QEMU one QMP command and returns its reply, both JSON texts.
  using Monitor = std::function<Result<std::string>(const std::string& command)>;
  SnapshotJobs(Monitor monitor, Clock& clock) : monitor_(std::move(monitor)), clock_(clock) {}

  [[nodiscard]] Result<bool> has(const std::string& snapshot) const;
  // The machine's run state stays what it was. Drives must be empty: a medium is no part of a snapshot, and QEMU takes
  // the one that is in the drive when the snapshot is loaded for the one that was there when it was taken.
  [[nodiscard]] Result<void> save(const std::string& snapshot) const;
  [[nodiscard]] Result<void> load(const std::string& snapshot) const;
  [[nodiscard]] Result<void> remove(const std::string& snapshot) const;

 private:
  struct Disks {
    std::vector<std::string> nodes;      // that are written, without the flash; the first holds the memory
    std::vector<std::string> snapshots;  // in that first one
    std::string medium;                  // a drive that is not empty
  };
  [[nodiscard]] Result<Json> ask(const char* command, Json arguments = Json::object()) const;
  [[nodiscard]] Result<Disks> disks() const;
  [[nodiscard]] Result<void> with_memory(const char* command, const std::string& snapshot, const Disks& disks) const;
  [[nodiscard]] Result<void> run(const char* command, Json arguments) const;
  [[nodiscard]] Result<void> await(const char* command) const;
  Monitor monitor_;
  Clock& clock_;
};

}  // namespace patchlab::lab::libvirt
