// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/changes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/record/queries.hpp"
#include "reports/record/summary.hpp"

namespace patchlab::reports {
namespace {

const DepartmentRecord* same_department(const RunRecord& record, const std::string& name) {
  const auto found = std::ranges::find(record.departments, name, &DepartmentRecord::name);
  return found == record.departments.end() ? nullptr : &*found;
}

Outcome outcome_in(const DepartmentRecord* department, const std::string& candidate) {
  const auto* verdict = department == nullptr ? nullptr : find_verdict(*department, candidate);
  return verdict == nullptr ? Outcome::not_reached : verdict->outcome;
}

bool is_flaky_in(const DepartmentRecord* department, const std::string& fact) {
  return department != nullptr && std::ranges::count(department->flaky, fact, &FlakyRecord::fact) > 0;
}

// Names in their order, each with the departments that it was added for.
class Places {
 public:
  void add(const std::string& name, const std::string& department) {
    auto same = std::ranges::find(all_, name, &Place::name);
    if (same == all_.end()) same = all_.insert(all_.end(), {name, {}});
    if (std::ranges::count(same->departments, department) == 0) same->departments.push_back(department);
  }
  [[nodiscard]] std::vector<std::string> texts(std::size_t departments) const {
    std::vector<std::string> all;
    for (const auto& [name, where] : all_)
      all.push_back(fmt::format("{} in {}", name, departments_text(where, departments)));
    return all;
  }

 private:
  struct Place {
    std::string name;
    std::vector<std::string> departments;
  };
  std::vector<Place> all_;
};

std::string some(const std::vector<std::string>& texts) {
  constexpr std::size_t most = 3;
  const auto shown = std::min(texts.size(), most);
  auto text = fmt::format("{}", fmt::join(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (texts.size() > most) text += fmt::format(" and {} more", texts.size() - most);
  return text;
}

}  // namespace

RunChanges changes_since(const RunRecord& before, const RunRecord& now) {
  Places fresh;
  Places known;
  Places mended;
  Places flaky;
  Places still_flaky;
  for (const auto& department : now.departments) {
    const auto* then = same_department(before, department.name);
    for (const auto& verdict : department.verdicts) {
      const bool failed = outcome_in(then, verdict.candidate) == Outcome::fail;
      if (verdict.outcome == Outcome::fail)
        (failed ? known : fresh).add(verdict.candidate, department.name);
      else if (verdict.outcome == Outcome::pass && failed)
        mended.add(verdict.candidate, department.name);
    }
    for (const auto& one : department.flaky)
      (is_flaky_in(then, one.fact) ? still_flaky : flaky).add(one.fact, department.name);
  }
  const auto count = now.departments.size();
  return {before.id,           before.finished,    fresh.texts(count),      known.texts(count),
          mended.texts(count), flaky.texts(count), still_flaky.texts(count)};
}

std::string to_string(const RunChanges& changes) {
  if (changes.since.empty()) return {};
  std::vector<std::string> parts;
  const auto say = [&](const char* what, const std::vector<std::string>& texts) {
    if (!texts.empty()) parts.push_back(fmt::format("{}: {}", what, some(texts)));
  };
  say("fails anew", changes.fresh);
  say("fails as before", changes.known);
  say("passes again", changes.mended);
  say("flaky anew", changes.flaky);
  say("flaky as before", changes.still_flaky);
  return fmt::format("since run {} ({}): {}", changes.since, changes.finished.substr(0, 10),
                     parts.empty() ? "no failure then, none now" : fmt::format("{}", fmt::join(parts, "; ")));
}

}  // namespace patchlab::reports
