// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/content/source.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/launch.hpp"
#include "runners/cell/protocol.hpp"

// Where the cells of a run are started when not here: a matter of the site, so in a file of its own and not in a
// scenario. See docs/adr/0031-an-executor-launches-cells.md.
namespace patchlab::runners::host {

// Where nodes get golden images from, and where they put them.
struct ImageContent {
  lab::content::SourceName source;
  std::filesystem::path images;  // absolute, a folder of each node
  bool operator==(const ImageContent&) const = default;
};

// {"schema": "patchlab/executor/v1", "kind": "slurm", "partition": "lab", "cpus": 2, "time_limit_minutes": 600,
//  "options": ["--constraint=kvm"], "content": "https://images.lab/content", "images": "/var/lib/patchlab/images"}
struct Executor {
  std::string partition;  // empty: Slurm's default
  std::uint32_t cpus = 2;
  std::optional<std::uint32_t> time_limit_minutes{};  // nothing: what a run may take, and a little more
  std::vector<std::string> options;                   // of srun, passed on as they are
  std::optional<ImageContent> content{};              // nothing: nodes see the images of this host
  bool operator==(const Executor&) const = default;
};
// A configuration error says all that is wrong with the file.
[[nodiscard]] Result<Executor> read_executor(const std::filesystem::path& file);

// What one cell is asked for.
struct CellRequest {
  std::uint32_t processors = 0;
  std::uint32_t memory_mib = 0;
  std::uint32_t time_limit_minutes = 0;
};
// Of its machines, with what QEMU needs beside the memory of each, and of the cell itself with its check workers; in
// MiB.
[[nodiscard]] std::uint32_t memory_of(const cell::CellJob& job);
// That memory, for as long as the run may take.
[[nodiscard]] CellRequest request_of(const Executor& executor, const cell::CellJob& job);

// A configuration error: jobs would be ended while the run may still go on.
[[nodiscard]] Result<void> check_time_limit(const Executor& executor, Milliseconds run_deadline);

// Whether jobs can be started from here at all.
[[nodiscard]] Result<void> check_slurm(ProcessRunner& processes);

// "patchlab-<run>-<department>": of all jobs, no other has that name.
[[nodiscard]] std::string job_name(const std::string& run, const std::string& department);

// `processes` and `clock` must outlive it.
[[nodiscard]] std::shared_ptr<cell::Launch> launch_by_slurm(const Executor& executor, const CellRequest& request,
                                                            const std::string& name, ProcessRunner& processes,
                                                            Clock& clock);

}  // namespace patchlab::runners::host
