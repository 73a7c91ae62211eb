// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "promotion/desk/lab_book.hpp"
#include "promotion/desk/reviews.hpp"
#include "promotion/desk/shown.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/stage/stage.hpp"

namespace patchlab::promotion {

// What the desk asks of the lab, whoever knows where things lie there. Each may take as long as reading a disk takes.
struct LabToday {
  // The golden machine, of a department, and the candidate as they are now; nothing: it was not asked, and that is
  // said.
  std::function<std::optional<Seen>(const std::string& department, const reports::MachineRecord&)> golden;
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
    std::filesystem::path ledger;  // the file of older versions, beside the runs
    // Of the run that is asked about: what it kept is compared with its record. Empty: it is not looked at.
    std::filesystem::path run{};
  };
  Desk(Places places, Policy policy, LabToday lab, std::chrono::system_clock::time_point now, Scribe scribe = {})
      : places_(std::move(places)),
        policy_(std::move(policy)),
        lab_(std::move(lab)),
        now_(now),
        scribe_(std::move(scribe)) {}

  [[nodiscard]] Today today(const reports::RunRecord& record) const;

  // What stands for and against each department of the record, as of now. Changes nothing.
  [[nodiscard]] reports::Decisions decisions(const reports::RunRecord& record) const;

  // Puts a run that has ended into the ledger. Its run.json must be on disk: the entries name its bytes.
  [[nodiscard]] Result<void> write_down(const reports::RunRecord& record) const;

  // What the end of `patchlab run` asks for. A run that cannot be written down is not promoted, and that is trouble of
  // the lab: without the ledger nobody could prove later what was done.
  enum class Ask { promote, nothing };
  struct Settled {
    reports::Decisions decisions;
    ExitCode exit_code = ExitCode::ok;
    std::optional<Error> trouble;  // with the ledger
    std::vector<std::string> finished{};
  };
  // `begun`: the statement with which the run began in the stage's ledger; empty: it was not told of it. `file`: the
  // run.json.
  [[nodiscard]] Settled settle(const reports::RunRecord& record, Ask ask, const std::string& begun = {},
                               const std::filesystem::path& file = {}) const;

  struct Promotions {
    std::vector<Promotion> departments;  // in the record's order
    reports::Decisions decisions;        // the same, as everybody shows them
    ExitCode exit_code = ExitCode::ok;   // the last that is not ok; only_skips where nothing applies anywhere
    std::optional<Error> ledger;         // trouble with writing down what came of it
    std::vector<std::string> finished;   // sentences: what a crash had left, and what became of it
  };
  struct Wish {
    std::filesystem::path file{};  // the record's run.json, for the ledger; empty: the record was made, and not read
    // Why an older run is to go over the newer one that is published. Empty: that is refused. Lifts nothing else.
    std::string rollback{};
    // Why this cannot wait for the approvals and windows that are asked otherwise, and its ticket. Empty: it can. Not
    // together with a rollback.
    EmergencyUse emergency{};
  };
  // Publishes what may be published of these departments (empty: all of the record), and tells the ledger what it is
  // about to do before it does it, and what came of each, refusals included; first it finishes what a crash
  // interrupted. A run that the ledger does not know leaves no trace in it: that would make it known.
  [[nodiscard]] Promotions promote(const reports::RunRecord& record, const std::vector<std::string>& departments,
                                   const Wish& wish) const;
  [[nodiscard]] Promotions promote(const reports::RunRecord& record,
                                   const std::vector<std::string>& departments) const {
    return promote(record, departments, Wish{});
  }

 private:
  class Promoting;
  [[nodiscard]] Standing standing(const reports::RunRecord& record) const;
  void add_emergencies(Today& today, const reports::RunRecord& record) const;
  [[nodiscard]] Result<void> end_of(const reports::RunRecord& record, const std::string& begun,
                                    const std::filesystem::path& file) const;
  [[nodiscard]] reports::DecisionRecord shown_after(const Promotion& promotion, const reports::RunRecord& record,
                                                    const Today& today) const;
  [[nodiscard]] std::map<std::string, PublishedRun> published(const reports::RunRecord& record) const;
  Places places_;
  Policy policy_;
  LabToday lab_;
  std::chrono::system_clock::time_point now_;
  Scribe scribe_;
};

}  // namespace patchlab::promotion
