// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/desk/desk.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {

namespace fs = std::filesystem;

// A desk over a stage and runs in a folder of its own, and a lab in which everything is as it was.
class DeskTest : public ::testing::Test {
 protected:
  static fs::path new_folder() {
    std::string pattern = ::testing::TempDir() + "patchlab-desk-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  DeskTest() {
    ::chmod(root_.c_str(), 0755);
    EXPECT_TRUE(create_folders(root_ / "store"));
    for (const auto& candidate : record_.candidates) {
      for (const auto& file : candidate.files)
        EXPECT_TRUE(write_file_atomically(root_ / "store" / file.sha256, "content of " + candidate.id));
    }
    lab_.golden = [](const std::string&, const reports::MachineRecord& machine) {
      return Seen{machine.golden_digest, {}};
    };
    lab_.candidate = [](const reports::CandidateRecord& candidate) { return Seen{candidate.digest, {}}; };
    lab_.file = [this](const std::string& sha256) -> Result<fs::path> { return root_ / "store" / sha256; };
  }
  ~DeskTest() override { static_cast<void>(remove_tree(root_)); }

  [[nodiscard]] Desk desk() const {
    using namespace std::chrono;
    return {{.stage = root_ / "stage", .ledger = root_ / "ledger.jsonl"},
            quickstart_policy(),
            lab_,
            sys_days{year{2026} / 11 / 22} + hours{7},
            {.by = "lab@x", .submitter = "alice@x", .clock = &clock_}};
  }
  void write_down(const reports::RunRecord& record) {
    ASSERT_TRUE(Ledger(root_ / "ledger.jsonl").append(ledger_entries(record, record.finished)));
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> kinds;
    for (const auto& entry : Ledger(root_ / "ledger.jsonl").read().value()) kinds.push_back(entry.kind);
    return kinds;
  }

  [[nodiscard]] Chain chain() const { return Chain(root_ / "stage" / chain_folder_name, {.clock = &clock_}); }
  [[nodiscard]] LabBook book() const {
    return {root_ / "stage", root_ / "ledger.jsonl", {.by = "lab@x", .submitter = "alice@x", .clock = &clock_}};
  }
  // The kinds of the stage's ledger.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> words;
    const auto state = chain().read();
    EXPECT_TRUE(state) << state.error().message;
    for (const auto& line : state.value_or({}).lines) words.emplace_back(to_string(line.kind));
    return words;
  }
  // What the newest line is about.
  [[nodiscard]] Statement last() const {
    const auto lines = chain().read().value().lines;
    return read_statement(chain().objects().get(lines.back().object).value(), "last").value();
  }
  [[nodiscard]] std::vector<std::string> problems() const {
    const auto proof = prove_stage(root_ / "stage");
    if (!proof) return {proof.error().message};
    EXPECT_TRUE(proof->ledger);
    std::vector<std::string> all;
    for (const auto& check : proof->departments) all.insert(all.end(), check.problems.begin(), check.problems.end());
    return all;
  }

  mutable test::FakeClock clock_;
  fs::path root_ = new_folder();
  reports::RunRecord record_ = tests::good_record();
  LabToday lab_;
};

}  // namespace patchlab::promotion
