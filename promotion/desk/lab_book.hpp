// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "promotion/chain/chain.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/stage/stage.hpp"
#include "promotion/statement/statement.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {

// Who writes for the lab, and with which key.
struct Scribe {
  std::string by = "patchlab";  // as in the list of signers; the key's name when something is signed
  std::string submitter{};      // who asked for a run; empty: not said
  // Signs bytes in a namespace: armoured SSHSIG; empty text: this kind is not signed. None: nothing is signed, and the
  // ledger is consistent with itself, not proven.
  using Sign = std::function<Result<std::string>(const std::string& name_space, const std::string& bytes)>;
  Sign sign{};
  Clock* clock = nullptr;    // of the lines; of a test, the system's when there is none
  BeforeStep before_step{};  // of a test
};

// "user@host" as the list of signers spells names: lower case, whatever else becomes '-'.
[[nodiscard]] std::string signer_name_of(const std::string& user, const std::string& host);
// Of whoever runs this process on this host.
[[nodiscard]] std::string whoever_calls();

// What the lab and the desk do, in the ledger of a stage: runs that begin and end, promotions and refusals. The form of
// each statement is in docs/evidence.md. Not for several threads; several processes may have one each.
class LabBook {
 public:
  // `old_ledger`: of an older version, beside the runs; the first line of a new ledger takes it over.
  LabBook(std::filesystem::path stage, std::filesystem::path old_ledger, Scribe scribe);

  // Before the first machine starts: `planned` has everything that is known then. The digest of the statement. An error
  // means that the run must not start: nobody would know of it.
  [[nodiscard]] Result<std::string> begin(const reports::RunRecord& planned, const std::string& policy,
                                          std::chrono::system_clock::time_point now);
  // The one end of it, whatever came of it; `run_json`: the bytes of its record.
  [[nodiscard]] Result<void> end(const std::string& begin, const reports::RunRecord& record,
                                 const std::string& run_json);

  // The same for runs of which somebody else tells: what the ledger knows before one begins, made ready for it ...
  struct BeforeRun {
    SeenLedger ledger;
    std::uint64_t attempt = 1;  // the number of this one with these sets
  };
  [[nodiscard]] Result<BeforeRun> before_run(const std::vector<StatementSubject>& subjects,
                                             std::chrono::system_clock::time_point now);
  // ... and the line of a statement that was examined. The head behind it. Refused when `unless` has a reason.
  struct Taken {
    std::string by;         // as the statement says
    std::string statement;  // bytes
    std::string signature;  // armoured; empty: not signed
  };
  [[nodiscard]] Result<ChainHead> take(ChainKind kind, const Taken& taken, std::vector<std::string> attachments = {},
                                       std::function<std::string(const ChainState&)> unless = {});

  // What a department's promotion rests on.
  struct Basis {
    std::string run;                     // digest of run_json
    std::string run_json;                // becomes an object of the ledger
    std::string policy;                  // digest
    std::string policy_text;             // the same; empty: nobody has it
    std::vector<std::string> decisions;  // digests of the statements of people that counted
    ChainHead seen;  // what it was decided on: a decision behind it means that it is to be made anew
  };
  // What came of journal(), as far as publishing knows it.
  struct Progress {
    std::string statement;  // bytes; empty: it has not begun
  };
  // The lines of one promotion; `progress` lives as long as the journal.
  [[nodiscard]] Journal journal(const Basis& basis, Progress& progress);
  // A refusal by the gate, or one before anything had begun. The same answer again, as it stands last for this run and
  // department, is not written: asking every five minutes would bury what happened.
  [[nodiscard]] Result<void> refused(const std::string& department, const std::string& set, const Basis& basis,
                                     const std::vector<std::string>& reasons);

  // The first line takes over an older ledger; policies that have begun are named. Nothing when there is nothing to do.
  [[nodiscard]] Result<void> prepare(std::chrono::system_clock::time_point now);
  // Writes down the head, when anything was written since.
  [[nodiscard]] Result<void> close();

  [[nodiscard]] Chain& chain() { return chain_; }
  // Sentences: what was repaired on the way.
  [[nodiscard]] std::vector<std::string>& notes() { return notes_; }

 private:
  [[nodiscard]] Result<void> add(ChainKind kind, const Statement& statement, std::vector<std::string> attachments = {},
                                 std::function<std::string(const ChainState&)> unless = {});
  [[nodiscard]] Result<void> append(Chain::Entry entry);
  [[nodiscard]] Result<std::string> signature_of(StatementKind kind, const std::string& bytes) const;

  std::filesystem::path stage_;
  std::filesystem::path old_ledger_;
  Scribe scribe_;
  Chain chain_;
  std::vector<std::string> notes_;
  bool wrote_ = false;
};

// "code: subject" of the text of a reason: what makes two refusals the same.
[[nodiscard]] std::string essence_of(const std::string& reason);

}  // namespace patchlab::promotion
