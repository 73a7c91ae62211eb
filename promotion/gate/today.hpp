// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace patchlab::promotion {

// What the ledger says today of a run that ended earlier; see promotion/ledger/standing.hpp.
struct Standing {
  bool recorded = false;  // it holds this run with the digest of this very record
  std::string otherwise;  // why not, for the reader
  // By department and candidate digest: the later run in which that candidate failed there.
  std::map<std::string, std::map<std::string, std::string>> failed_later;
};

// What is true when somebody asks whether a run may be promoted: everything that can have changed since it ended.
struct Today {
  std::chrono::system_clock::time_point now;  // injected
  // Where the caller knows it: golden digest by "department/machine", candidate digest by id. An entry that differs
  // from the record makes the run stale.
  std::map<std::string, std::string> goldens;
  std::map<std::string, std::string> candidates;
  // Absent only while the run itself promotes: its ledger entries tell what came of that, so they are written after it.
  std::optional<Standing> standing;
};

}  // namespace patchlab::promotion
