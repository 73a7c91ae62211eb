// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "cli/feeds_argument.hpp"
#include "process/survey/survey.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// What is asked by the commands that begin with what is missing, and what is due when.
struct AssessmentArguments {
  std::filesystem::path scenario;
  FeedsArgument feeds;
  std::filesystem::path decisions;  // empty: named by nobody
  std::vector<std::string> departments;
  std::filesystem::path runs;         // whose failures are told beside what is missing; empty: not asked
  std::filesystem::path ca_bundle{};  // for the signature of Microsoft's catalogue; empty: it is not looked at
};
// The scenario, --feeds, --max-age, --decisions and --department.
void add_assessment_options(CLI::App& command, AssessmentArguments& arguments);

struct Assessment {
  std::vector<process::ScannedMachine> machines;
  process::Feeds feeds;
  process::DecisionTable table;
  process::ScanResult result;
};

// The one place that says which table decides: the policy in force in the stage, where it names one; else the command;
// else the shipped one.
struct ChosenTable {
  process::DecisionTable table;
  std::vector<process::NotKnown> not_known;  // what the policy of the stage says, where nobody can tell
};
// `named`: by the command; empty: by nobody. A configuration error, where the policy names another table, or one whose
// bytes nobody has.
[[nodiscard]] Result<ChosenTable> decision_table(const std::filesystem::path& named,
                                                 const std::filesystem::path& stage);
// What --due says, with commas: words of the table (process/acquire/due.hpp); empty: all.
[[nodiscard]] Result<std::set<std::string>> timelines_in(const std::string& due, const process::DecisionTable& table);
// What the golden machines have and what there is for them, told on standard error.
[[nodiscard]] Result<process::Survey> survey_of(const runners::Scenario& scenario,
                                                const std::vector<std::string>& departments);
// Looks at the golden machines and the feeds; notes when each vulnerability was named first.
[[nodiscard]] Result<Assessment> assess(const AssessmentArguments& arguments, const runners::Scenario& scenario,
                                        ChosenTable decisions);

}  // namespace patchlab::cli
