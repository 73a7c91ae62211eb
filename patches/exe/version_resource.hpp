// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace patchlab::patches {

// Where a resource lies: an address relative to the image, not to the file.
struct ResourceData {
  std::uint32_t address = 0;
  std::uint32_t bytes = 0;
};

// Looks for the first version resource (type 16) in the bytes of a resource section. Damaged trees hold none: the
// resource is for people, and a program without one is still a program.
[[nodiscard]] std::optional<ResourceData> find_version_resource(std::string_view section);

// The strings of a VS_VERSIONINFO: "ProductName", "FileVersion" and so on, of the first language that has any.
[[nodiscard]] std::map<std::string, std::string> version_strings(std::string_view resource);

}  // namespace patchlab::patches
