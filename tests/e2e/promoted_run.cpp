// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promoted_run.hpp"

#include <gmock/gmock.h>

#include "lab/core/paths.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/stage/stage.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::e2e {

namespace fs = std::filesystem;

void make_promoted_run(const fs::path& folder) {
  const auto record = tests::good_record();
  const auto runs = folder / "runs";
  ASSERT_TRUE(create_folders(runs / record.id));
  ASSERT_TRUE(reports::write_run_record(record, runs / record.id / reports::run_file_name));
  ASSERT_TRUE(promotion::Ledger(runs / "ledger.jsonl").append(promotion::ledger_entries(record, record.finished)));
  ASSERT_TRUE(create_folders(folder / "store"));
  for (const auto& candidate : record.candidates) {
    for (const auto& file : candidate.files)
      ASSERT_TRUE(write_file_atomically(folder / "store" / file.sha256, "content of " + candidate.id));
  }
  promotion::Today today;
  using namespace std::chrono;
  today.now = sys_days{year{2026} / 11 / 22} + hours{7};
  const auto published =
      promotion::publish(record, promotion::decide(record, "finance", {}, today),
                         [&](const std::string& sha256) -> Result<fs::path> { return folder / "store" / sha256; },
                         {.stage = folder / "production", .now = "2026-11-22T06:20:00.000Z", .before_step = {}});
  ASSERT_TRUE(published) << published.error().message;
}

}  // namespace patchlab::e2e
