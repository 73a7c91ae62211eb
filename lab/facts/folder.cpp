// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/facts/folder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"

namespace patchlab::lab::facts {

namespace fs = std::filesystem;

Result<std::optional<GivenFacts>> given_facts(const fs::path& folder, const std::string& department,
                                              const std::string& machine, std::chrono::system_clock::time_point now) {
  const auto file = folder / department / (machine + ".json");
  if (!is_there(file)) return std::optional<GivenFacts>();
  PATCHLAB_ASSIGN(auto text, read_file(file, most_bytes));
  PATCHLAB_ASSIGN(auto facts, read_facts(text, file.string()));
  const auto observed = parse_rfc3339(facts.observed);
  if (!observed || *observed > now + std::chrono::days(1))
    return configuration_error(
        fmt::format("'{}' was collected at {}, which is in the future", file.string(), facts.observed),
        "compare the clock of the machine with that of this host, and collect it again");
  auto digest = sha256(text);
  return std::optional(GivenFacts{std::move(facts), std::move(digest), std::move(text)});
}

Result<std::vector<std::string>> strangers_in(const fs::path& folder,
                                              const std::vector<std::pair<std::string, std::string>>& machines) {
  if (!is_folder(folder))
    return configuration_error(fmt::format("'{}' is no folder", folder.string()),
                               "a folder with DEPARTMENT/MACHINE.json for each machine of the scenario");
  PATCHLAB_ASSIGN(const auto entries, entries_below(folder));
  std::vector<std::string> strangers;
  for (const auto& entry : entries) {
    if (!is_file(entry)) continue;
    const auto name = entry.lexically_relative(folder).string();
    const bool is_known = std::ranges::any_of(machines, [&](const auto& machine) {
      return name == fmt::format("{}/{}.json", machine.first, machine.second);
    });
    if (!is_known) strangers.push_back(name);
  }
  std::ranges::sort(strangers);
  return strangers;
}

}  // namespace patchlab::lab::facts
