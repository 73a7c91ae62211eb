// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lab/process/process.hpp"
#include "promotion/desk/desk.hpp"
#include "promotion/handover/handed_input.hpp"
#include "promotion/handover/message.hpp"
#include "promotion/trust/trust.hpp"

namespace patchlab::promotion {

// The desk's end of a hand-over: takes from a lab that a run begins or ended, and writes the line. Nothing that the lab
// says is believed: a statement is one that the desk would write itself from the same record, signed by who may by the
// list of signers in force; its place in the history, its number and its time are the desk's. No other kind of line can
// come this way. While it waits for the lab it holds no lock.
//
// Not for several threads; several processes may each have one.
class Taker {
 public:
  struct Places {
    std::filesystem::path stage;  // absolute
    std::filesystem::path runs;   // the desk's own, absolute: <runs>/<id>/run.json, and the ledger of older versions
  };
  // The desk's own store of tested files.
  struct Store {
    std::function<bool(const std::string& sha256)> has;
    // Moves a file in whose digest it compares.
    std::function<Result<void>(const std::filesystem::path& file, const std::string& sha256, std::uint64_t bytes)> add;
    std::filesystem::path incoming;  // folder for files that are not whole yet
  };
  // Writes reports beside the run.json.
  using Keep = std::function<Result<void>(const reports::RunRecord& record, const reports::Decisions& decisions)>;
  struct Setting {
    Places places;
    Scribe scribe;  // for the desk's own lines and heads
    LabToday lab;
    Store store;
    Keep keep{};
    bool promotes = false;  // what a run asks to be promoted, when the policy lets it
  };
  using Say = std::function<Result<void>(const std::string& line)>;

  Taker(Setting desk, ProcessRunner& processes);

  // One conversation. The error was told to the lab as well, as far as it listens; nothing was written then that is
  // not true.
  [[nodiscard]] Result<void> converse(HandedInput& input, const Say& say);

 private:
  [[nodiscard]] Result<void> take(HandedInput& input, const Say& say);
  [[nodiscard]] Result<void> begin(const BeginOffer& offer, HandedInput& input, const Say& say);
  [[nodiscard]] Result<void> end(const EndOffer& offer, HandedInput& input, const Say& say);
  // A file that is to come, and what it is for.
  struct Wanted {
    std::uint64_t bytes = 0;
    bool is_tested = false;
    std::vector<std::filesystem::path> evidence;  // where it lies in the folder of the run
  };
  using WantedFiles = std::map<std::string, Wanted>;  // by digest
  [[nodiscard]] WantedFiles wanted(const reports::RunRecord& record) const;
  [[nodiscard]] Result<void> receive_files(const WantedFiles& files, HandedInput& input,
                                           std::vector<std::string>& notes) const;
  [[nodiscard]] Result<void> keep_file(const std::filesystem::path& file, const std::string& sha256,
                                       const Wanted& what) const;
  [[nodiscard]] Settled settle(const reports::RunRecord& record, bool promote, std::vector<std::string> notes) const;
  [[nodiscard]] Result<std::string> signer(StatementKind kind, const KeyText& key) const;
  [[nodiscard]] Result<void> examine(const Statement& statement, const HandedStatement& handed,
                                     const std::string& by) const;
  [[nodiscard]] std::chrono::system_clock::time_point now() const;
  [[nodiscard]] Result<void> keep_record(const std::string& id, const std::string& run_json) const;
  [[nodiscard]] std::filesystem::path run_file(const std::string& id) const;
  [[nodiscard]] std::filesystem::path old_ledger() const;

  Setting desk_;
  ProcessRunner& processes_;
};

}  // namespace patchlab::promotion
