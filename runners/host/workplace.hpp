// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"
#include "lab/network/host_facts.hpp"

namespace patchlab::runners::host {

// Where a cell of a run works on another host: what the host agent makes for it, and knows of that host. All paths are
// there.
struct Workplace {
  std::string program;             // the patchlab that runs there
  std::filesystem::path root;      // the cell's folder
  std::filesystem::path evidence;  // what the cell saves goes below it
  std::filesystem::path media;     // ISOs of trials are brought to it
  std::filesystem::path slots;     // shared by all cells of all runs on that host
  std::size_t slot_count = 2;
  lab::network::HostFacts facts;
  Milliseconds now{0};  // its monotonic clock
  bool operator==(const Workplace&) const = default;
};
void to_json(Json& json, const Workplace& place);
[[nodiscard]] Workplace workplace_from_json(const Json& json);  // throws Json::exception: a bug, or a wrong answer

// Whether a relative path stays below the folder it is put behind: names of files that another host sends.
[[nodiscard]] bool stays_below(const std::filesystem::path& path);

}  // namespace patchlab::runners::host
