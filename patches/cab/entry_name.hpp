// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace patchlab::patches {

// Why a name in a cabinet must not be unpacked on Windows: it leaves the folder, names a drive or stream, or holds
// control characters. Empty for a good name. We never write under such names ourselves, but the guest's own tools
// would.
[[nodiscard]] std::string dangerous_name(std::string_view name);

}  // namespace patchlab::patches
