// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runners/cell/protocol.hpp"

namespace patchlab::runners {

class BaselineStates;
class KeptControls;
class KeptConvictions;

// A candidate as one department sees it.
struct PlannedCandidate {
  std::string id;
  std::string digest;
  std::vector<std::size_t> prerequisites;            // indexes into the department's list, smaller than its own
  std::map<std::string, cell::InstallJob> installs;  // by machine; empty: it applies to nothing here
  std::string skipped_because;                       // when installs is empty
};

// Everything a department's part of the run needs, resolved.
struct DepartmentJob {
  cell::CellJob cell;
  std::vector<PlannedCandidate> candidates;  // in the order they are applied
  std::size_t controls = 0;                  // above 0: nothing but controls, see controls.hpp
  bool each_alone = false;                   // every candidate by itself, see each_alone.hpp; controls come before them
  Milliseconds expected{0};                  // it takes by itself, as far as it is foreseen; 0: nobody knows
  std::string tested_in{};                   // it is not tested, since this department is like it, see definition.hpp
  std::optional<Milliseconds> run_began{};   // its deadline counts from then; nothing: from when it is made
  BaselineStates* states = nullptr;          // baselines of earlier runs; null: none is taken, and none is kept
  KeptConvictions* convictions = nullptr;    // by earlier runs; null: none counts, and none is kept
  KeptControls* kept_controls = nullptr;     // of earlier runs; null: none is taken, and none is kept
  // The medium with these candidates' files for one machine.
  std::function<Result<std::filesystem::path>(const std::string& machine, const std::vector<std::size_t>& candidates)>
      medium;
};

}  // namespace patchlab::runners
