// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::state {

inline constexpr const char* log_kind = "error-log";

// One difference between the host state before and after: kind is service, listener, address, fact, error-log,
// installed; effect: installed, and something else runs. Beside them stand agent, boot, rollback and restart.
struct StateDifference {
  std::string kind;
  std::string item;
  std::string before;  // empty: was not there
  std::string after;   // empty: is gone
  bool operator==(const StateDifference&) const = default;
};
void to_json(Json& json, const StateDifference& difference);
void from_json(const Json& json, StateDifference& difference);

}  // namespace patchlab::checks::state
