// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/carried.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

class Comparing {
 public:
  Comparing(const RunRecord& record, const DepartmentRecord& here, Carrying& found)
      : record_(record), here_(here), found_(found) {}

  void run() {
    const auto count = [&](const std::string& name) {
      return std::ranges::count(record_.departments, name, &DepartmentRecord::name);
    };
    if (here_.tested_in == here_.name || count(here_.tested_in) != 1 || count(here_.name) != 1)
      return obstacle({}, fmt::format("the record has no other department '{}' that was tested", here_.tested_in));
    const auto& there = *std::ranges::find(record_.departments, here_.tested_in, &DepartmentRecord::name);
    if (!there.tested_in.empty())
      obstacle({}, fmt::format("'{}' was not tested itself, but in '{}'", there.name, there.tested_in));
    look_at_own_results();
    if (here_.phases != there.phases) obstacle({}, fmt::format("'{}' was planned with other phases", there.name));
    if (here_.machines.empty()) obstacle({}, "no machine was planned");
    look_at_machines(there);
    look_at_candidates(there);
  }

 private:
  void obstacle(const std::string& machine, std::string text) {
    found_.obstacles.push_back({machine, std::move(text)});
  }

  // Whatever they are: who was tested is judged by that.
  void look_at_own_results() {
    if (here_.error) obstacle({}, "it ended with an error of its own: " + here_.error->message);
    if (here_.outcome != Outcome::not_reached || !here_.trials.empty() || !here_.flaky.empty() ||
        !here_.final_trial.empty() || !here_.fence.attempts.empty() || !here_.fence.troubles.empty())
      obstacle({}, "it has results of its own, and these stand");
    for (const auto& verdict : here_.verdicts) {
      if (verdict.outcome != Outcome::not_reached)
        obstacle({}, fmt::format("it has a verdict of its own on {} ({}), and that stands", verdict.candidate,
                                 to_string(verdict.outcome)));
    }
  }

  void look_at_machines(const DepartmentRecord& there) {
    std::set<std::string> names;
    for (const auto& machine : here_.machines) {
      const auto before = found_.obstacles.size();
      if (!names.insert(machine.name).second) obstacle(machine.name, "is in the record twice");
      const auto count = std::ranges::count(there.machines, machine.name, &MachineRecord::name);
      if (count == 1)
        compare(machine, *find_machine(there, machine.name), there.name);
      else
        obstacle(machine.name, fmt::format("'{}' has {} machines of this name", there.name, count));
      if (found_.obstacles.size() == before)
        found_.alike.push_back({machine.name, machine.golden_digest, machine.definition_digest});
    }
    for (const auto& machine : there.machines) {
      if (find_machine(here_, machine.name) == nullptr)
        obstacle({}, fmt::format("'{}' was tested with a machine '{}', which is not here", there.name, machine.name));
    }
  }

  // What people can name first: the digest of the definition holds most of it once more.
  void compare(const MachineRecord& here, const MachineRecord& there, const std::string& department) {
    const auto differs = [&](const char* what) {
      obstacle(here.name, fmt::format("{} differs from that of {}/{}", what, department, there.name));
    };
    const auto same_digest = [&](const std::string& one, const std::string& other, const char* what) {
      if (!is_sha256(one) || !is_sha256(other))
        obstacle(here.name,
                 fmt::format("nobody knows {} here or of {}/{}: a digest is missing", what, department, there.name));
      else if (one != other)
        differs(what);
    };
    if (here.role.empty() || here.role != there.role) differs("its role");
    if (here.address.empty() || here.address != there.address) differs("its address");
    if (here.memory_mib != there.memory_mib) differs("its memory");
    if (here.golden_at != there.golden_at) differs("the host of its golden machine");
    same_digest(here.golden_digest, there.golden_digest, "its golden machine");
    if (here.golden_digest_after != there.golden_digest_after) differs("its golden machine after the run");
    same_digest(here.state_digest, there.state_digest, "what is looked at of its state");
    if (here.checks != there.checks || here.check_digests.size() != here.checks.size() ||
        here.check_digests != there.check_digests)
      differs("the list of its checks and their digests");
    same_digest(here.definition_digest, there.definition_digest,
                "its definition (configuration, network, policy of the trial, files of the candidates)");
  }

  // Where a candidate goes is decided machine by machine; the same here as there, or it is another set.
  void look_at_candidates(const DepartmentRecord& there) {
    for (const auto& candidate : record_.candidates) {
      const auto* one = find_verdict(here_, candidate.id);
      const auto* other = find_verdict(there, candidate.id);
      if (one == nullptr || other == nullptr) {
        obstacle({}, fmt::format("candidate {} was not planned in both", candidate.id));
        continue;
      }
      if (std::set(one->machines.begin(), one->machines.end()) !=
          std::set(other->machines.begin(), other->machines.end()))
        obstacle({}, fmt::format("candidate {} is for {{{}}} here, and for {{{}}} in '{}'", candidate.id,
                                 fmt::join(one->machines, ", "), fmt::join(other->machines, ", "), there.name));
    }
  }

  const RunRecord& record_;
  const DepartmentRecord& here_;
  Carrying& found_;
};

}  // namespace

Carrying carrying_of(const RunRecord& record, const std::string& department) {
  Carrying carrying;
  const auto here = std::ranges::find(record.departments, department, &DepartmentRecord::name);
  if (here == record.departments.end() || here->tested_in.empty()) return carrying;
  carrying.tested_in = here->tested_in;
  Comparing(record, *here, carrying).run();
  return carrying;
}

std::string sentence_of(const Carrying& carrying, const std::string& run) {
  constexpr std::size_t shown = 12;
  std::vector<std::string> pairs;
  for (const auto& one : carrying.alike)
    pairs.push_back(fmt::format("{} (golden {}, definition {})", one.machine, one.golden_digest.substr(0, shown),
                                one.definition_digest.substr(0, shown)));
  return fmt::format("tested in '{}'{}, and not here; alike there and here: {}", carrying.tested_in,
                     run.empty() ? "" : " of run " + run,
                     pairs.empty() ? "no machine" : fmt::format("{}", fmt::join(pairs, ", ")));
}

Json carrying_json(const Carrying& carrying, const std::string& run) {
  Json machines = Json::array();
  for (const auto& one : carrying.alike) {
    machines.push_back(
        {{"machine", one.machine}, {"golden_digest", one.golden_digest}, {"definition_digest", one.definition_digest}});
  }
  return {{"department", carrying.tested_in}, {"run", run}, {"machines", std::move(machines)}};
}

std::shared_ptr<const DepartmentRecord> as_tested(const RunRecord& record, const DepartmentRecord& department) {
  if (!carrying_of(record, department.name).is_carried())
    return {std::shared_ptr<const DepartmentRecord>(), &department};  // the record's, and owned by nobody here
  auto seen = std::make_shared<DepartmentRecord>(
      *std::ranges::find(record.departments, department.tested_in, &DepartmentRecord::name));
  seen->name = department.name;
  seen->machines = department.machines;
  seen->phases = department.phases;
  seen->tested_in = department.tested_in;
  return seen;
}

std::shared_ptr<const DepartmentRecord> find_as_tested(const RunRecord& record, const std::string& name) {
  const auto found = std::ranges::find(record.departments, name, &DepartmentRecord::name);
  return found == record.departments.end() ? nullptr : as_tested(record, *found);
}

}  // namespace patchlab::reports
