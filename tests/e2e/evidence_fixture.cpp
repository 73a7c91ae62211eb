// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/stage/manifest.hpp"
#include "reports/record/findings.hpp"
#include "reports/record/kept_files.hpp"
#include "tests/support/carried_record.hpp"
#include "tests/support/changed_record.hpp"
#include "tests/support/sample_record.hpp"

// evidence_fixture FOLDER: what a lab found, for tests/e2e/audit, which has no lab. For each kind of run a folder with
// run.json, manifest.json and the files of its set; in kept/ what such a run leaves as evidence, and in rests_on/ what
// of that the promotion of the set rests on; findings are the changes that somebody has to accept, as waivers name
// them.
namespace patchlab {
namespace {

namespace fs = std::filesystem;

// The trial of the set in which something failed, where the machine was not looked at any more.
reports::RunRecord unseen_record() {
  auto record = tests::held_back_record();
  for (auto& trial : record.departments.front().trials) {
    if (trial.purpose != reports::Purpose::batch) continue;
    auto& phase = *std::ranges::find_if(
        trial.phases, [](const auto& one) { return one.machine == "mail" && one.phase == "after-reboot-1"; });
    phase.outcome = Outcome::not_reached;
    phase.checks.clear();
  }
  return record;
}

// The same set was tried once more, by a search, which stopped: the trial that saw all is there as well.
reports::RunRecord seen_record() {
  auto record = tests::held_back_record();
  auto& trials = record.departments.front().trials;
  auto again =
      *reports::find_trial(unseen_record().departments.front(),
                           reports::trial_with_purpose(record.departments.front(), reports::Purpose::batch)->id);
  again.id = "finance/t9";
  again.evidence_folder = "evidence/finance/t9";
  again.purpose = reports::Purpose::search;
  trials.push_back(again);
  return record;
}

// The same was found in sales, and finance was not tested, since its machines are alike.
reports::RunRecord carried(const reports::RunRecord& tested) {
  auto record = tests::carried_record(tested);
  record.asked.carry = {"finance=sales"};
  record.departments[0].name = "sales";
  record.departments[1].name = "finance";
  record.departments[1].tested_in = "sales";
  return record;
}

const std::vector<std::string> promoted{"dns-update", "tidy"};

Result<void> write_kept(const fs::path& folder, const std::vector<reports::KeptFile>& files) {
  for (const auto& file : files) {
    PATCHLAB_TRY(create_folders((folder / file.name).parent_path()));
    PATCHLAB_TRY(write_file_atomically(folder / file.name, "what " + file.name + " said\n"));
  }
  return {};
}

reports::RunRecord with_evidence(reports::RunRecord record) {
  std::vector<reports::KeptFile> files{{.name = "events.jsonl"}, {.name = "finance.log"}};
  for (const auto& trial : record.departments.front().trials) {
    if (trial.evidence_folder.empty()) continue;
    for (const char* name : {"dmesg", "guest replies.txt"})
      files.push_back({.name = fmt::format("{}/mail/{}", trial.evidence_folder, name)});
  }
  for (auto& file : files) {
    const auto text = "what " + file.name + " said\n";
    file.bytes = text.size();
    file.sha256 = sha256(text);
  }
  std::ranges::sort(files, {}, &reports::KeptFile::name);
  record.evidence = std::move(files);
  return record;
}

Result<void> write(const fs::path& folder, const reports::RunRecord& record) {
  PATCHLAB_TRY(create_folders(folder / "kept"));
  PATCHLAB_TRY(create_folders(folder / "rests_on"));
  PATCHLAB_TRY(write_kept(folder / "kept", record.evidence.value_or(std::vector<reports::KeptFile>())));
  PATCHLAB_TRY(write_kept(folder / "rests_on", reports::evidence_of_set(record, "finance", promoted)));
  const auto text = pretty(Json(record));
  PATCHLAB_TRY(write_file_atomically(folder / "run.json", text));
  promotion::Decision decision;
  decision.department = "finance";
  decision.promotable = promoted;
  decision.trial = reports::trial_with_purpose(record.departments.front(), reports::Purpose::batch)->id;
  for (const auto& candidate : record.candidates) {
    for (const auto& file : candidate.files) {
      PATCHLAB_TRY(create_folders(folder / "files" / candidate.id));
      PATCHLAB_TRY(write_file_atomically(folder / "files" / candidate.id / file.name, "content of " + candidate.id));
    }
  }
  PATCHLAB_TRY(
      write_file_atomically(folder / "files/SHA256SUMS", promotion::sha256sums_of(record, decision.promotable)));
  std::string findings;
  for (const auto& finding : reports::findings_of_set(record.departments.front(), promoted)) {
    if (finding.difference.finding == checks::state::FindingClass::review)
      findings += finding.machine + " " + reports::finding_name(finding.difference) + "\n";
  }
  PATCHLAB_TRY(write_file_atomically(folder / "findings", findings));
  auto named = record;
  named.digest = sha256(text);
  promotion::ManifestFacts facts{
      .published = "2026-11-28T08:30:00.000Z", .policy = std::string(64, 'b'), .run_object = sha256(text)};
  return write_file_atomically(folder / "manifest.json", pretty(promotion::manifest_json(named, decision, facts)));
}

int run(const fs::path& folder) {
  auto incomplete = tests::good_record();
  incomplete.complete = false;
  for (const auto& [name, record] : std::initializer_list<std::pair<const char*, reports::RunRecord>>{
           {"good", with_evidence(tests::good_record())},
           {"failed", with_evidence(tests::held_back_record())},
           {"unseen", with_evidence(unseen_record())},
           {"seen", with_evidence(seen_record())},
           {"changed", with_evidence(tests::changed_record())},
           {"incomplete", with_evidence(incomplete)},
           {"carried", with_evidence(carried(tests::good_record()))},
           {"carried-failed", with_evidence(carried(tests::held_back_record()))},
           {"old", tests::good_record()}}) {
    if (const auto written = write(folder / name, record); !written) {
      std::cerr << written.error().message << '\n';
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace patchlab

int main(int argc, char** argv) { return argc == 2 ? patchlab::run(argv[1]) : 64; }
