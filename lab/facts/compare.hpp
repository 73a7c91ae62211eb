// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/facts/facts.hpp"

namespace patchlab::lab::facts {

// What of a machine belongs to a role; docs/process/likeness.md has the table.
struct RoleParts {
  const char* role;
  std::vector<const char*> packages;  // patterns of shells for names without architecture: "bind9*"
  std::vector<const char*> of;        // ConfigurationFile::of
};
[[nodiscard]] const std::vector<RoleParts>& role_parts();

// Pure. `role` as the scenario has it; of a role that the table does not name everything belongs to it, since nobody
// can tell. What either of the two could not tell is not compared, and said.
[[nodiscard]] Likeness compare(const std::string& role, const Facts& golden, const Facts& production);
// Of a machine of which there are no facts.
[[nodiscard]] Likeness unknown_likeness(std::string why);

// Facts of one machine of production, as they lie in a folder.
struct GivenFacts {
  Facts facts;
  std::string sha256;  // of the file
  std::string text;    // its bytes
};
// Of one machine of the lab: its facts against those that were given for it.
[[nodiscard]] Likeness likeness_of(const std::string& role, const Facts& golden,
                                   const std::optional<GivenFacts>& production, const std::string& expected_file);

}  // namespace patchlab::lab::facts
