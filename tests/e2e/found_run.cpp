// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "found_run.hpp"

#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "patches/store/content_store.hpp"
#include "promotion/desk/lab_book.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/signature/ssh_keygen.hpp"

namespace patchlab::e2e {

void make_found_run(const std::filesystem::path& folder, reports::RunRecord record,
                    const std::map<std::string, std::string>& bytes) {
  const auto now = std::chrono::system_clock::now();
  record.started = rfc3339(now - std::chrono::minutes(30));
  record.finished = rfc3339(now - std::chrono::seconds(1));
  for (auto& department : record.departments) {
    for (auto& machine : department.machines) machine.golden_at.clear();  // there is no lab here
  }
  const patches::ContentStore store(folder / "cache/store");
  for (const auto& candidate : record.candidates) {
    const auto given = bytes.find(candidate.id);
    ASSERT_TRUE(store.add_bytes(given == bytes.end() ? "content of " + candidate.id : given->second, "sample"));
  }
  const auto file = folder / "runs" / record.id / reports::run_file_name;
  ASSERT_TRUE(create_folders(file.parent_path()));
  ASSERT_TRUE(reports::write_run_record(record, file));
  promotion::Scribe scribe{.by = "lab@x", .submitter = "alice@x"};
  scribe.sign = [&](const std::string& name_space, const std::string& bytes) -> Result<std::string> {
    return promotion::make_signature(host_processes(), folder / "lab", name_space, bytes);
  };
  const auto ledger = folder / "runs/ledger.jsonl";
  promotion::LabBook book(folder / "production", ledger, scribe);
  const auto begun = book.begin(record, sha256(read_file(folder / "policy.json").value()), now);
  ASSERT_TRUE(begun) << begun.error().message;
  ASSERT_TRUE(book.end(*begun, record, read_file(file).value()));
  ASSERT_TRUE(promotion::Ledger(ledger).append(promotion::ledger_entries(record, rfc3339(now))));
}

}  // namespace patchlab::e2e
