// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runners/forecast/course.hpp"

// How long cells take on hosts, by a simulation that asks nobody for anything: the same values give the same answer.
namespace patchlab::runners::forecast {

// A cell as a host sees it.
struct CellLoad {
  std::string name;              // of the department
  std::uint32_t processors = 0;  // that it alone has, where hosts give them out
  std::uint32_t slots = 0;       // it has there
  std::uint32_t memory_mib = 0;
  std::shared_ptr<const Course> course;
  std::vector<std::pair<std::string, std::uint64_t>> images{};  // that its host must have: digest and bytes
};

// Hosts that are all alike.
struct Hosts {
  std::size_t count = 1;
  std::uint32_t cores = 1;
  std::uint32_t memory_mib = 0;
  // How processors are shared. together: all cells begin at once and take turns in as many slots as the host has cores,
  // as `run` does on its own host. by_cell: a cell waits until a host has its processors free, and keeps them, as jobs
  // of an executor do.
  enum class Slots { together, by_cell };
  Slots slots = Slots::by_cell;
  std::optional<double>
      bytes_per_ms{};  // at which an image comes to a host, one after the other; nothing: all are there
};

struct Bound {
  std::int64_t work_ms = 0;    // what needs a processor slot, on all slots that there are
  std::int64_t memory_ms = 0;  // the memory of each cell for its shortest time, in the memory that there is
  std::int64_t chain_ms = 0;   // the longest row of steps that wait for each other, in one cell, with its images
  [[nodiscard]] std::int64_t ms() const;
};

struct PlacedCell {
  std::size_t host = 0;
  std::int64_t begin_ms = 0;  // it has its place
  std::int64_t ready_ms = 0;  // and its images are there
  std::int64_t end_ms = 0;
};

struct HostLoad {
  std::size_t cells = 0;
  std::int64_t busy_ms = 0;  // of its slots, added up
  std::uint32_t peak_memory_mib = 0;
  std::uint64_t image_bytes = 0;  // that came to it
  std::int64_t end_ms = 0;
  std::vector<double> load;  // of its cores, in equal parts of the whole time: 0 to 1
};

struct Forecast {
  std::int64_t makespan_ms = 0;
  Bound bound;
  std::vector<PlacedCell> cells;  // as they were given
  std::vector<HostLoad> hosts;
  std::size_t shared_trials = 0;  // that were answered by another cell
};

// Why cells can never run there: "'finance' asks for 4 processors, a host has 2"; empty: each of them can.
[[nodiscard]] std::string why_not(const std::vector<CellLoad>& cells, const Hosts& hosts);

// No schedule whatever is shorter.
[[nodiscard]] Bound lower_bound(const std::vector<CellLoad>& cells, const Hosts& hosts);

// In the order given, each cell goes to the first host with room for it, and a later one that fits passes one that does
// not, as jobs of Slurm do; which of several nodes Slurm takes is its own matter, and they are alike here. Steps that
// are ready take slots in the order in which they became so. Needs that why_not says nothing. `parts`: into how many
// parts the load of each host is divided.
[[nodiscard]] Forecast simulate(const std::vector<CellLoad>& cells, const Hosts& hosts, std::size_t parts = 60);

}  // namespace patchlab::runners::forecast
