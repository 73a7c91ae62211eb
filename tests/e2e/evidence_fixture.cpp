// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iostream>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/stage/manifest.hpp"
#include "tests/support/sample_record.hpp"

// evidence_fixture FOLDER: what a lab found, for tests/e2e/audit, which has no lab. For each kind of run a folder with
// run.json, manifest.json and the files of its set.
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

Result<void> write(const fs::path& folder, const reports::RunRecord& record) {
  PATCHLAB_TRY(create_folders(folder));
  const auto text = pretty(Json(record));
  PATCHLAB_TRY(write_file_atomically(folder / "run.json", text));
  promotion::Decision decision;
  decision.department = "finance";
  decision.promotable = {"dns-update", "tidy"};
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
  for (const auto& [name, record] : std::initializer_list<std::pair<const char*, reports::RunRecord>>{
           {"good", tests::good_record()}, {"failed", failed_record()}, {"incomplete", incomplete}}) {
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
