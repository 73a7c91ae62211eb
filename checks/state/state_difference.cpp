// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/state_difference.hpp"

namespace patchlab::checks::state {

void to_json(Json& json, const StateDifference& difference) {
  json = {
      {"kind", difference.kind}, {"item", difference.item}, {"before", difference.before}, {"after", difference.after}};
}

void from_json(const Json& json, StateDifference& difference) {
  difference = {json.value("kind", ""), json.value("item", ""), json.value("before", ""), json.value("after", "")};
}

}  // namespace patchlab::checks::state
