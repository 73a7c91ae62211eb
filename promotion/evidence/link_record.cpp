// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/stage/manifest.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/kept_files.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

// A bundle has what the promotion rests on; the run's own folder has everything.
void look_at_evidence(Proving& proving, const std::string& department, const reports::RunRecord& record,
                      const std::vector<std::string>& candidates) {
  if (!record.evidence)
    return proving.add(department, LinkKind::evidence, LinkState::not_kept,
                       "the record has no digests of the files that the run kept: logs and screens are not proven");
  if (proving.proof.of_bundle) {
    auto files = reports::evidence_of_set(record, department, candidates);
    proving.holds(department, LinkKind::evidence,
                  files.empty() ? std::string("the run kept no file of the trials of this set")
                                : fmt::format("{} files of the trials of this set, named by the record", files.size()));
    std::ranges::move(files, std::back_inserter(proving.evidence));
    return;
  }
  const auto folder = proving.question.runs / record.id;
  const bool is_name = reports::is_kept_name(record.id) && record.id.find('/') == std::string::npos;
  if (proving.question.runs.empty() || !is_name || status_of(folder).type() == fs::file_type::not_found)
    return proving.add(
        department, LinkKind::evidence, LinkState::not_kept,
        fmt::format("the {} files that the record names were not looked at: '{}' is not there (--runs FOLDER)",
                    record.evidence->size(), folder.string()));
  auto problems = reports::kept_file_problems(folder, *record.evidence);
  const auto text = read_file(folder / reports::run_file_name, largest_document, Links::refuse);
  if (!text) {
    problems.push_back(text.error().message);
  } else if (sha256(*text) != record.digest) {
    problems.push_back(fmt::format("'{}' is not the record that the ledger has", reports::run_file_name));
  }
  for (const auto& problem : problems)
    proving.broken(department, LinkKind::evidence, fmt::format("in '{}': {}", folder.string(), problem));
  if (problems.empty())
    proving.holds(department, LinkKind::evidence,
                  fmt::format("{} files in '{}', as the record names them", record.evidence->size(), folder.string()));
}

}  // namespace

void look_at_record(Proving& proving, const std::string& department, Story& story) {
  const auto says = [&](const std::string& why) { proving.broken(department, LinkKind::record, why); };
  auto record = proving.record_of(*story.statement.run);
  if (!record) {
    if (!proving.objects.has(*story.statement.run) && story.run_line == 0)
      return proving.missing(department, LinkKind::record, "the ledger does not have the record of its run");
    return says(record.error().message);
  }
  const auto found = reports::find_as_tested(*record, department);
  if (found == nullptr) return says("has no department of this name");
  const auto carrying = reports::carrying_of(*record, department);
  const auto carried = carrying.is_carried() ? reports::carrying_json(carrying, record->id) : Json();
  if (!record->complete) return says("says that the run was not complete");
  const auto& manifest = *story.manifest;
  if (manifest.run != record->id) return says("is of another run than the manifest");
  if (sha256(sha256sums_of(*record, manifest.candidates)) != manifest.set)
    return says("has other files of these candidates than the manifest");
  auto set = manifest.candidates;
  std::ranges::sort(set);
  const bool fits = story.tested.empty() || story.tested == sha256(sha256sums_of(*record, tested_set(*found)));
  if (!fits || std::ranges::count(tested_sets(*found), set) == 0)
    return says(fmt::format("the run of line {} tested another set", story.run_line));
  if (manifest.carried != carried) return says("says something else of where this was tested than the manifest");
  proving.holds(department, LinkKind::record, fmt::format("run {}, {}", printable(record->id), *story.statement.run));
  if (carrying.is_carried())
    proving.proof.notes.push_back(
        fmt::format("'{}' was {}", department, printable(reports::sentence_of(carrying, record->id))));
  look_at_evidence(proving, department, *record, manifest.candidates);
  story.record = std::move(*record);
}

// What a bundle holds of all departments together, and nothing else.
void look_at_evidence_of_bundle(Proving& proving) {
  if (!proving.proof.of_bundle) return;
  for (const auto& problem : reports::kept_file_problems(proving.folder, proving.evidence))
    proving.broken({}, LinkKind::evidence, problem);
}

}  // namespace patchlab::promotion
