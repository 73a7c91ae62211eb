// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lab/facts/compare.hpp"

namespace patchlab::lab::facts {

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

}  // namespace patchlab::lab::facts
