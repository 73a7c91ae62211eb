// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/run_statements.hpp"

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/exit_code.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/stage/manifest.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/run_exit_code.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::size_t most_candidates = 800;  // more do not fit into a statement
constexpr std::size_t most_failed = 1000;
constexpr std::size_t longest_text = 250;  // bytes; twice as many when all of them are quotes

std::vector<std::string> planned_set(const reports::DepartmentRecord& department) {
  std::vector<std::string> ids;
  for (const auto& verdict : department.verdicts) ids.push_back(verdict.candidate);
  return ids;
}

// In the order that statements have.
template <class SetOf>
std::vector<StatementSubject> subjects_of(const reports::RunRecord& record, SetOf set_of) {
  std::vector<StatementSubject> subjects;
  for (const auto& department : record.departments)
    subjects.push_back(
        {department.name, sha256(sha256sums_of(record, set_of(*reports::as_tested(record, department))))});
  std::ranges::sort(subjects, {}, &StatementSubject::name);
  return subjects;
}

// What failed of the sets that the statement of a run names, each "department/machine/check"; nothing when that is more
// than a statement can hold, and then nobody can prove anything by it.
std::optional<std::vector<std::string>> failed_in(const reports::RunRecord& record) {
  std::set<std::string> failed;
  std::size_t bytes = 0;
  for (const auto& its : record.departments) {
    const auto seen = reports::as_tested(record, its);
    const auto& department = *seen;
    const auto* final_trial = reports::find_trial(department, department.final_trial);
    const auto* trial = final_trial == nullptr ? nullptr : reports::facts_of(department, *final_trial);
    if (trial == nullptr) continue;
    auto keys = reports::failure_signature(*trial);
    if (trial->error) keys.emplace_back("error");
    for (const auto& phase : trial->phases) {
      if (phase.error) keys.push_back(reports::check_key(phase.machine, "error"));
      for (const auto& check : phase.checks) {
        if (check.error || check.outcome != Outcome::pass) keys.push_back(reports::check_key(phase.machine, check.id));
      }
    }
    for (const auto& key : keys) {
      const auto text = department.name + "/" + key;
      if (!is_plain_text(text, 4000)) return std::nullopt;
      bytes += 2 * text.size() + 4;
      failed.insert(text);
    }
  }
  if (failed.size() > most_failed || bytes > longest_statement / 2) return std::nullopt;
  return std::vector<std::string>(failed.begin(), failed.end());
}

std::set<std::string> candidates_of(const reports::RunRecord& record) {
  std::set<std::string> candidates;
  for (const auto& candidate : record.candidates) {
    if (is_sha256(candidate.digest)) candidates.insert(candidate.digest);
  }
  return candidates;
}

std::string result_of(const reports::RunRecord& record) {
  if (record.error && record.error->error_class == ErrorClass::cancelled) return "cancelled";
  const auto code = reports::exit_code_for(record);
  return std::ranges::find(exit_codes, code, &ExitCodeMeaning::code)->word;
}

}  // namespace

// What a statement can hold of a text that may be anybody's.
std::string statable(const std::string& text, const std::string& otherwise) {
  auto one = printable(text);
  if (one.size() > longest_text) {
    auto end = longest_text - 3;
    while (end > 0 && (static_cast<unsigned char>(one[end]) & 0xc0U) == 0x80) --end;
    one = one.substr(0, end) + "...";
  }
  one = std::string(trimmed(one));
  return is_plain_text(one, longest_text) ? one : otherwise;
}

SeenLedger seen(const ChainHead& head) { return {head.size, head.hash}; }

std::vector<StatementSubject> planned_subjects(const reports::RunRecord& planned) {
  return subjects_of(planned, planned_set);
}

std::vector<std::string> asked_of(const reports::AskedRecord& asked) {
  std::vector<std::string> all;
  const auto add = [&](const char* option, const std::vector<std::string>& values) {
    for (const auto& value : values) all.push_back(statable(fmt::format("{} {}", option, value), option));
  };
  add("--department", asked.departments);
  add("--role", asked.roles);
  add("--candidate", asked.candidates);
  add("--with", asked.with);
  add("--carry", asked.carry);
  if (asked.controls > 0) all.push_back(fmt::format("--controls {}", asked.controls));
  return all;
}

Statement begin_statement(const reports::RunRecord& planned, const BeginVoice& voice) {
  Statement statement;
  statement.kind = StatementKind::begin;
  statement.by = voice.by;
  statement.subjects = planned_subjects(planned);
  if (is_sha256(voice.policy)) statement.policy = voice.policy;
  statement.ledger = voice.ledger;
  statement.id = planned.id;
  if (!voice.submitter.empty()) statement.submitter = voice.submitter;
  if (is_sha256(planned.scenario_digest)) statement.scenario = planned.scenario_digest;
  const auto candidates = candidates_of(planned);
  if (candidates.size() <= most_candidates)
    statement.candidates = std::vector<std::string>(candidates.begin(), candidates.end());
  statement.attempt = voice.attempt;
  if (auto asked = asked_of(planned.asked); !asked.empty()) statement.asked = std::move(asked);
  return statement;
}

Result<Statement> end_statement(const reports::RunRecord& record, const std::string& run_json, const std::string& begun,
                                const std::string& by, const SeenLedger& ledger) {
  PATCHLAB_ASSIGN(const auto beginning, read_statement(begun, "the statement with which the run began"));
  Statement statement;
  statement.kind = StatementKind::run;
  statement.by = by;
  statement.subjects = subjects_of(record, tested_set);
  statement.run = sha256(run_json);
  statement.ledger = ledger;
  statement.id = record.id;
  statement.begin = sha256(begun);
  statement.submitter = beginning.submitter;
  statement.scenario = beginning.scenario;
  statement.complete = record.complete;
  statement.result = result_of(record);
  statement.failed = failed_in(record);
  statement.attempt = beginning.attempt;
  return statement;
}

std::string why_not_of_this_run(const reports::RunRecord& record, const Statement& begun) {
  if (record.id != begun.id) return fmt::format("it is of run '{}'", printable(record.id));
  const auto scenario = is_sha256(record.scenario_digest) ? record.scenario_digest : std::string();
  if (scenario != begun.scenario.value_or("")) return "it is of another scenario than the run that began";
  if (asked_of(record.asked) != begun.asked.value_or(std::vector<std::string>()))
    return "it was narrowed otherwise than the run that began";
  for (const auto& department : record.departments) {
    if (std::ranges::count(begun.subjects, department.name, &StatementSubject::name) == 0)
      return fmt::format("the run that began had no department '{}'", printable(department.name));
  }
  for (const auto& candidate : candidates_of(record)) {
    if (begun.candidates && std::ranges::count(*begun.candidates, candidate) == 0)
      return fmt::format("the run that began had no candidate with the digest {}", candidate);
  }
  return {};
}

std::map<std::string, std::uint64_t> tested_files(const reports::RunRecord& record) {
  std::map<std::string, std::uint64_t> files;
  for (const auto& department : record.departments) {
    for (const auto& id : tested_set(department)) {
      const auto candidate = std::ranges::find(record.candidates, id, &reports::CandidateRecord::id);
      if (candidate == record.candidates.end()) continue;
      for (const auto& file : candidate->files) {
        if (is_sha256(file.sha256)) files[file.sha256] = static_cast<std::uint64_t>(file.bytes);
      }
    }
  }
  return files;
}

}  // namespace patchlab::promotion
