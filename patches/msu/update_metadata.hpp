// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::patches {

// The package.xml inside the WSUSSCAN.cab of an .msu: what Windows Update knows of the update. Ids are GUIDs of other
// updates and detection categories, not KB numbers; they are kept as stated.
struct UpdateMetadata {
  std::vector<std::string> update_ids;
  std::vector<std::string> prerequisites;  // each must hold; alternatives are written "a or b"
  std::vector<std::string> superseded_by;  // revision numbers
  bool operator==(const UpdateMetadata&) const = default;
};

[[nodiscard]] Result<UpdateMetadata> parse_update_metadata(std::string_view bytes, const std::string& name);

}  // namespace patchlab::patches
