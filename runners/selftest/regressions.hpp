// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "runners/scenario/scenario.hpp"

// Regressions that updates of Windows really brought, and what of the lab would tell each. What would is data
// (scenarios/faults/windows.json); what there is of it is asked of the program itself, and whether a department does it
// by default of a scenario. So a means that is not there, or that nothing tries, cannot count.
namespace patchlab::runners {

// A way in which a trial tells damage, and by what the program says that there is such a way.
enum class MeansKind {
  check,  // a kind of check in the registry
  state,  // something that a Windows guest is asked for and compared by: windows_state_means()
  step,   // something that a trial does: trial_steps()
};
struct RegressionMeans {
  MeansKind kind = MeansKind::check;
  std::string name;
  std::string check;  // of `check`, and of the step "slower": "file1/projects", a check of the department that tells it
  std::string needs;  // what the department does not have or do by default; empty: nothing
  std::vector<std::string> tried_by;  // names of tests: "SambaTest.StrangersAreRefused"
};
// "check smb.access"
[[nodiscard]] std::string name_of(const RegressionMeans& means);

struct Regression {
  std::string id;         // A01
  std::string update;     // "KB5009624 (2012 R2), 2022-01-11"
  std::string broke;      // as a client sees it
  std::string condition;  // what the golden machines must have, or it does not happen on them; empty: nothing
  std::vector<RegressionMeans> means;
  std::string missing;  // where no means is tried: what would be needed, or why it cannot be
};

struct Regressions {
  std::filesystem::path scenario;
  std::string department;
  std::vector<Regression> rows;
  std::map<std::string, std::string> tests;  // test -> the file that it is in
};
// All problems in one error.
[[nodiscard]] Result<Regressions> read_regressions(const std::filesystem::path& file);

// What a Windows guest is compared by, as a difference of state names it: its kind, and of a fact how it begins.
[[nodiscard]] std::vector<std::string> windows_state_means();

struct TrialStep {
  const char* name;
  const char* what;
  bool (*is_done)(const TrialPolicy& policy);
};
[[nodiscard]] const std::vector<TrialStep>& trial_steps();

enum class Standing { by_default, by_policy, untried, missing };
[[nodiscard]] const char* to_string(Standing standing);

// Where a test tries its means, by the folder that it is in.
[[nodiscard]] std::string place_of(const std::string& test_file);

struct RegressionResult {
  Regression row;
  Standing standing = Standing::missing;
  std::vector<RegressionMeans> by;  // those that make it so
  std::vector<std::string> places;  // in which they are tried
};
// An error when the file names a check that the department does not have, or of another kind. A means whose kind is not
// there is missing, and no error: it may be the next to be built.
[[nodiscard]] Result<std::vector<RegressionResult>> judge(const Regressions& regressions, const Scenario& scenario);

struct RegressionSummary {
  std::size_t rows = 0;
  std::size_t by_default = 0;
  std::size_t conditional = 0;  // of by_default, those whose golden machine must have something particular
  std::size_t by_policy = 0;
  std::size_t untried = 0;
  std::size_t missing = 0;
  [[nodiscard]] std::size_t tried() const { return by_default + by_policy; }
};
[[nodiscard]] RegressionSummary summary_of(const std::vector<RegressionResult>& results);

// patchlab/regressions/v1, without the schema's name.
[[nodiscard]] Json regressions_json(const std::vector<RegressionResult>& results);
[[nodiscard]] std::string regressions_text(const std::vector<RegressionResult>& results);
// A table for docs/windows-regressions.md.
[[nodiscard]] std::string regressions_markdown(const std::vector<RegressionResult>& results);

}  // namespace patchlab::runners
