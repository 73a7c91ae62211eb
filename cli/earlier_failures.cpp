// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/earlier_failures.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "history/archive/run_archive.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::cli {
namespace {

constexpr std::size_t most_runs = 20;

std::vector<std::string> roles_of(const reports::DepartmentRecord& department, const reports::VerdictRecord& verdict) {
  std::vector<std::string> roles;
  for (const auto& machine : department.machines) {
    if (std::ranges::count(verdict.machines, machine.name) > 0 && std::ranges::count(roles, machine.role) == 0)
      roles.push_back(machine.role);
  }
  return roles;
}

}  // namespace

std::vector<process::EarlierFailure> failures_in(const std::vector<reports::RunRecord>& newest_first) {
  std::vector<process::EarlierFailure> failures;
  std::set<std::pair<std::string, std::set<std::string>>> decided;  // department, bytes: by a newer run
  for (const auto& record : newest_first) {
    for (const auto& department : record.departments) {
      for (const auto& verdict : department.verdicts) {
        if (verdict.outcome != Outcome::pass && verdict.outcome != Outcome::fail) continue;
        const auto candidate = std::ranges::find(record.candidates, verdict.candidate, &reports::CandidateRecord::id);
        if (candidate == record.candidates.end()) continue;
        process::EarlierFailure failure{
            department.name, verdict.candidate, record.id, record.started.substr(0, 10), {}, {}, verdict.failed, {},
            verdict.reason};
        for (const auto& file : candidate->files) failure.sha256.insert(file.sha256);
        if (failure.sha256.empty() || !decided.emplace(department.name, failure.sha256).second) continue;
        if (verdict.outcome == Outcome::pass) continue;
        failure.roles = roles_of(department, verdict);
        std::ranges::copy_if(verdict.group, std::back_inserter(failure.with),
                             [&](const auto& other) { return other != verdict.candidate; });
        failures.push_back(std::move(failure));
      }
    }
  }
  return failures;
}

EarlierFailures earlier_failures(const std::filesystem::path& runs) {
  const history::RunArchive archive(runs);
  EarlierFailures found;
  std::vector<reports::RunRecord> records;
  for (const auto& id : archive.list()) {
    if (records.size() == most_runs) break;
    if (auto record = archive.read(id))
      records.push_back(std::move(*record));
    else
      found.not_known.push_back({"what failed in run " + printable(id), printable(record.error().message)});
  }
  found.failures = failures_in(records);
  return found;
}

}  // namespace patchlab::cli
