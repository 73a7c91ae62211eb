// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "promotion/gate/gate.hpp"
#include "promotion/stage/stage.hpp"

namespace patchlab::promotion {

// What the desk asks of the lab, whoever knows where things lie there. Each may take as long as reading a disk takes.
struct LabToday {
  // The golden machine and the candidate as they are now; nothing: it was not asked, and that is said.
  std::function<std::optional<Seen>(const reports::MachineRecord&)> golden;
  std::function<std::optional<Seen>(const reports::CandidateRecord&)> candidate;
  FileSource file;  // the tested bytes
};

// Where what was found is decided on. It knows a record and never how it came about; what is true now it asks anew each
// time: the lab, the ledger, the stage. So whoever shows a decision shows the same one that a promotion follows.
//
// Not for several threads; several processes may have one each: stage and ledger are locked while they are written.
class Desk {
 public:
  struct Places {
    std::filesystem::path stage;   // absolute
    std::filesystem::path ledger;  // the file
  };
  Desk(Places places, Policy policy, LabToday lab, std::chrono::system_clock::time_point now)
      : places_(std::move(places)), policy_(std::move(policy)), lab_(std::move(lab)), now_(now) {}

  [[nodiscard]] Today today(const reports::RunRecord& record) const;

  struct Promotions {
    std::vector<Promotion> departments;  // in the record's order
    ExitCode exit_code = ExitCode::ok;   // the last that is not ok
    std::optional<Error> ledger;         // trouble with writing down what came of it
  };
  // Publishes what may be published of these departments (empty: all of the record), and tells the ledger what came of
  // each, refusals included. A run that the ledger does not know leaves no trace in it: that would make it known.
  [[nodiscard]] Promotions promote(const reports::RunRecord& record, const std::vector<std::string>& departments) const;

 private:
  [[nodiscard]] std::map<std::string, PublishedRun> published(const reports::RunRecord& record) const;
  Places places_;
  Policy policy_;
  LabToday lab_;
  std::chrono::system_clock::time_point now_;
};

}  // namespace patchlab::promotion
