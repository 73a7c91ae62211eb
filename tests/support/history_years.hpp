// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>

#include "history/index/index.hpp"
#include "history/index/write.hpp"
#include "lab/core/paths.hpp"
#include "tests/support/history_folder.hpp"

// Many years of nights: two departments of six roles, nine candidates, other ones each month, some flaky checks, times
// that vary, and of every night an end in the ledger, an approval and a promotion.
namespace patchlab::tests {

inline std::size_t wanted_runs() {
  const char* text = std::getenv("PATCHLAB_HISTORY_RUNS");
  return text == nullptr ? 300 : static_cast<std::size_t>(std::strtoul(text, nullptr, 10));
}

// Ten years, round and round.
inline reports::RunRecord night(const reports::RunRecord& sample, std::size_t number) {
  auto record = sample;
  const auto month = number * 120 / wanted_runs();
  record.started = fmt::format("{}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z", 2020 + month / 12, month % 12 + 1,
                               number % 28 + 1, number / 28 % 24, number / 672 % 60, number / 40320 % 60);
  record.id = fmt::format("{}-{:06}", record.started.substr(0, 10), number);
  std::map<std::string, std::string> names;
  for (auto& candidate : record.candidates) {
    auto& name = names[candidate.id];
    name = fmt::format("{}-{}", candidate.id, month);
    candidate.id = name;
  }
  for (auto& department : record.departments) {
    for (auto& verdict : department.verdicts) verdict.candidate = names.at(verdict.candidate);
    for (auto& trial : department.trials) {
      for (auto& candidate : trial.candidates) candidate = names.at(candidate);
      for (std::size_t i = 0; i < trial.installs.size(); ++i) {
        trial.installs[i].candidate = names.at(trial.installs[i].candidate);
        trial.installs[i].duration_ms = static_cast<std::int64_t>(2000 + (number * 7919 + i * 104729) % 90000);
      }
      auto& check = trial.phases[number % trial.phases.size()].checks.front();
      if (number % 9 == 0) check.tries = {{Outcome::fail, Milliseconds(10)}, {Outcome::pass, Milliseconds(10)}};
    }
  }
  for (auto& timing : record.timings)
    timing.duration_ms =
        static_cast<std::int64_t>(1000 + (number * 7919 + static_cast<std::size_t>(timing.start_ms)) % 60000);
  return record;
}

inline history::LedgerEvent line(std::uint64_t seq, promotion::ChainKind kind, const reports::RunRecord& record) {
  history::LedgerEvent event;
  event.seq = seq;
  event.time = record.started;
  event.kind = to_string(kind);
  event.by = "lab@xavier.example";
  event.object = sha256(fmt::format("object {}", seq));
  event.run_id = record.id;
  const auto begin = sha256("begin of " + record.id);
  if (kind == promotion::ChainKind::begin) {
    event.object = begin;
    return event;
  }
  event.run = record.file_digest;
  if (kind == promotion::ChainKind::run) {
    event.about = begin;
    return event;
  }
  const auto& department = record.departments.front();
  event.department = department.name;
  event.set =
      sha256(promotion::sha256sums_of(record, reports::find_trial(department, department.final_trial)->candidates));
  event.serial = seq;
  return event;
}

// Made once, by what writes the real one, in one transaction.
class Years {
 public:
  Years() {
    std::string pattern = (std::filesystem::temp_directory_path() / "patchlab-history-bench-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(folder_ / "runs");
    // An index of nothing, and then rows that no file is behind.
    index_ =
        std::make_unique<history::HistoryIndex>(history::HistoryIndex::open(history::place_of_file(folder_ / "index"),
                                                                            {folder_ / "runs", folder_ / "stage", "0"})
                                                    .value());
    auto sample = rich_record();
    for (auto& department : sample.departments) {
      department.fence.attempts.clear();
      for (auto& trial : department.trials) {
        for (auto& phase : trial.phases) {
          // What an index does not look at.
          for (auto& check : phase.checks) check.evidence = nullptr, check.expected.clear(), check.observed.clear();
        }
      }
    }
    auto writing = database().begin(history::Database::Access::write);
    history::Writer writer(database());
    std::uint64_t seq = 0;
    for (std::size_t i = 0; i < wanted_runs(); ++i) {
      auto record = night(sample, i);
      record.file_digest = sha256(record.id);
      for (const auto kind : {promotion::ChainKind::begin, promotion::ChainKind::run, promotion::ChainKind::approve,
                              promotion::ChainKind::promote_begun, promotion::ChainKind::promote_done})
        if (!writer.add(line(++seq, kind, record))) std::abort();
      if (!writer.add(record)) std::abort();
      last_ = record.candidates.front().id;
      last_run_ = record.id;
    }
    if (!writing->commit()) std::abort();
  }
  ~Years() {
    index_.reset();
    static_cast<void>(remove_tree(folder_));
  }
  history::Database& database() { return index_->database(); }
  [[nodiscard]] history::HistoryPlace place() const { return history::place_of_file(folder_ / "index"); }
  [[nodiscard]] const std::string& last_candidate() const { return last_; }
  [[nodiscard]] const std::string& last_run() const { return last_run_; }

  static Years& all() {
    static Years years;
    return years;
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<history::HistoryIndex> index_;
  std::string last_;
  std::string last_run_;
};

}  // namespace patchlab::tests
