// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
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
// Below `folder` as DEPARTMENT/MACHINE.json, by the names of a scenario; nothing: it is not there. An error
// (configuration): it is there and cannot be read, or was collected more than a day after `now`: the clock of one of
// the two is wrong, and nobody could say how old it is.
[[nodiscard]] Result<std::optional<GivenFacts>> given_facts(const std::filesystem::path& folder,
                                                            const std::string& department, const std::string& machine,
                                                            std::chrono::system_clock::time_point now);
// Files below `folder` that are of none of these machines ("finance/dns.json"), by name. An error: there is no such
// folder.
[[nodiscard]] Result<std::vector<std::string>> strangers_in(
    const std::filesystem::path& folder, const std::vector<std::pair<std::string, std::string>>& machines);

// Of one machine of the lab: its facts against those that were given for it.
[[nodiscard]] Likeness likeness_of(const std::string& role, const Facts& golden,
                                   const std::optional<GivenFacts>& production, const std::string& expected_file);

}  // namespace patchlab::lab::facts
