// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::checks::learn {

// One statement of BIND's configuration: `zone "corp.example" { type primary; };` is {"zone", "corp.example"} with a
// block of {"type", "primary"}.
struct NamedStatement {
  std::vector<std::string> words;
  std::vector<NamedStatement> block;
};

// As named-checkconf -p prints it, comments or not. An Error when brackets do not match, or stand too deep.
[[nodiscard]] Result<std::vector<NamedStatement>> parse_named_conf(std::string_view text);

struct NamedZone {
  std::string name;  // "corp.example", lower case, without the final dot; empty: the root
  std::string type;  // "primary", "secondary", "forward" ...; of older words the newer
  std::string file;
  std::string view;
};
struct NamedServer {
  std::string directory;
  std::vector<NamedZone> zones;  // of the class IN
};
[[nodiscard]] NamedServer named_server(const std::vector<NamedStatement>& statements);

}  // namespace patchlab::checks::learn
