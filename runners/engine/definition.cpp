// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/definition.hpp"

#include <algorithm>

#include "lab/core/digest.hpp"

namespace patchlab::runners {
namespace {

// Places on the host: what lies there is in the golden digest. Others' checks decide nothing, and passwords are named
// so that they are kept nowhere: what checks do with them is in the checks.
constexpr const char* of_no_matter[] = {"golden_disk", "kernel", "initrd", "beside", "passwords"};

}  // namespace

std::string definition_digest(const Json& cell, std::size_t machine) {
  auto definition = cell.at("machines").at(machine);
  for (const auto* name : of_no_matter) definition.erase(name);
  const Json inputs{{"machine", std::move(definition)}, {"network", cell.at("network")}, {"policy", cell.at("policy")}};
  return sha256(inputs.dump(-1, ' ', true, Json::error_handler_t::replace));
}

std::pair<std::string, std::string> carried_words(const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) return {};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

void note_definition(const DepartmentJob& job, reports::DepartmentRecord& planned) {
  const Json cell = job.cell;
  for (std::size_t i = 0; i < planned.machines.size(); ++i)
    planned.machines[i].definition_digest = definition_digest(cell, i);
  for (const auto& candidate : job.candidates) {
    const auto verdict = std::ranges::find(planned.verdicts, candidate.id, &reports::VerdictRecord::candidate);
    if (verdict == planned.verdicts.end()) continue;
    for (const auto& [machine, install] : candidate.installs) verdict->machines.push_back(machine);
  }
}

}  // namespace patchlab::runners
