// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/host_state.hpp"

namespace patchlab {

void to_json(Json& json, const HostState& state) {
  json = {{"services", state.services},
          {"listeners", state.listeners},
          {"addresses", state.addresses},
          {"error_kinds", state.error_kinds},
          {"facts", state.facts},
          {"rows", state.rows},
          {"absent_sources", state.absent_sources}};
}

}  // namespace patchlab
