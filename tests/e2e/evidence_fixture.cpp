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
#include "reports/record/kept_files.hpp"
#include "tests/support/sample_record.hpp"

// evidence_fixture FOLDER: what a lab found, for tests/e2e/audit, which has no lab. For each kind of run a folder with
// run.json, manifest.json and the files of its set; in kept/ what such a run leaves as evidence, and in rests_on/ what
// of that the promotion of the set rests on.
namespace patchlab {
namespace {

namespace fs = std::filesystem;

// Both candidates together break what mail does: a set that only a waiver lets through.
reports::RunRecord failed_record() {
  tests::SampleRun run;
  run.add_candidate("dns-update", "DNS server update", "important", "apt", {"dns"});
  run.add_candidate("tidy", "Tidied package", "low", "repack", {"dns", "mail"});
  run.add_fault({{"tidy"}, "", "after-install", "mail", "deliver", "smtp-refused", "454 4.7.0 not available"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto batch = run.trial(reports::Purpose::batch, {"dns-update", "tidy"});
  run.verdict("dns-update", Outcome::pass, "passed as part of the exact set").trials = {batch};
  auto& tidy = run.verdict("tidy", Outcome::fail, "mail/deliver");
  tidy.trials = {batch};
  tidy.failed = {"mail/deliver"};
  run.end_department(run.trial(reports::Purpose::final, {"dns-update"}));
  return run.finish();
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
  auto named = record;
  named.digest = sha256(text);
  promotion::ManifestFacts facts{
      .published = "2026-11-28T08:30:00.000Z", .policy = std::string(64, 'b'), .run_object = sha256(text)};
  return write_file_atomically(folder / "manifest.json", pretty(promotion::manifest_json(named, decision, facts)));
}

int run(const fs::path& folder) {
  auto incomplete = tests::good_record();
  incomplete.complete = false;
  for (const auto& [name, record] :
       std::initializer_list<std::pair<const char*, reports::RunRecord>>{{"good", with_evidence(tests::good_record())},
                                                                         {"failed", with_evidence(failed_record())},
                                                                         {"incomplete", with_evidence(incomplete)},
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
