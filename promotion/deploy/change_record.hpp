// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "promotion/deploy/deployed.hpp"

// One promotion as the change that it is to those who manage changes: what, why, how risky, tested how, approved by
// whom, when, how to go back, what came of it. Everything is from the ledger and what it names by digest, but for what
// is given besides: the scan that says why, and the window.
namespace patchlab::promotion {

struct ChangeItem {
  std::string id;
  std::string title;
  std::string severity;
  std::string kind;
  std::string digest;
  std::vector<std::string> machines;  // of the lab, on which it was tested
  std::vector<std::string> files;     // their SHA-256
  std::string removal;                // how taking it away went in the run, a sentence; empty: nobody tried
  std::vector<std::string> why;       // of the scan, a sentence for each machine
};
struct ChangeApproval {
  std::string by;
  std::string time;  // RFC 3339
  std::uint64_t line = 0;
  std::string reason;
  std::string ticket;
};
struct ChangeWaiver {
  std::string key;
  std::string by;
  std::string approved_by;
  std::string until;
  std::string reason;
  std::string ticket;
};
// What a calendar says of it.
struct ChangeWindow {
  bool emergency_lane = false;  // at once
  std::string name;             // of the next window
  std::string opens;            // RFC 3339
  std::string closes;
  bool open_now = false;
  std::string why;  // there is neither, a sentence
};

enum class ChangeState {
  promoted,          // no machine has reported on it
  partly_installed,  // some have it, of others it is not known
  installed,         // all that ever reported in the department have it
  differs,           // some machine has something else
  rejected,
  superseded,  // another one is promoted in its department
};
[[nodiscard]] const char* to_string(ChangeState state);

struct ChangeRecord {
  std::string stage;  // its folder
  std::string department;
  std::uint64_t serial = 0;
  ChangeState state = ChangeState::promoted;
  std::string rejected;      // by whom and why
  std::string requested_by;  // who asked for the run; empty: not said
  // Those that were named, in the order of the ledger: by approvals, waivers, the emergency, whoever installed.
  std::vector<std::string> tickets;
  std::vector<ChangeItem> items;
  // Of the risk, facts and no word that sums them up.
  std::string worst_severity;
  std::string emergency;      // why it could not wait; empty: it could
  std::string rollback;       // why an older run went over a newer one; empty: it did not
  std::uint64_t attempt = 0;  // of these candidates to pass
  std::vector<ChangeWaiver> waivers;
  std::vector<std::string> held_back;  // "bad-mail: check-failed: ..."
  // Tested.
  std::string run;
  std::string record;  // its digest: the evidence
  std::string started;
  std::string finished;
  std::string scenario;
  std::string trial;
  std::vector<std::string> phases;
  std::vector<std::string> machines;  // of the lab
  std::size_t checks = 0;             // planned on them
  std::string carried{};  // that another department was tested instead, and which machines are alike; empty: none was
  bool signed_by_lab = false;
  std::vector<ChangeApproval> approvals;  // none: the policy, or its emergency lane, asks for none
  std::vector<std::string> approved_by;   // people whose approvals count, each once (approvers.hpp)
  std::string policy;                     // its digest
  // Promoted.
  std::string promoted;  // RFC 3339
  std::string promoted_by;
  std::string promotion;  // digest of the statement
  std::string set;
  std::uint64_t line = 0;
  std::optional<ChangeWindow> window;  // nothing: no calendar was given
  // Back out.
  std::uint64_t before = 0;  // serial that was published before, and nobody rejected; 0: there is none
  std::string before_run;
  std::uint64_t rejected_before = 0;  // behind that, the newest serial that somebody rejected since; 0: none
  // What machines said of it, the last of each.
  std::vector<DeployedMachine> results;

  [[nodiscard]] std::string id() const;  // "finance-3"
};

// Of every promotion that was done, in the order of the ledger. An error (configuration) when the ledger or what it
// names cannot be read.
[[nodiscard]] Result<std::vector<ChangeRecord>> changes_of_stage(ProcessRunner& processes,
                                                                 const std::filesystem::path& stage);

// Says of each which one was published before it; in the order of the ledger. Pure.
void add_what_was_before(std::vector<ChangeRecord>& changes);

// Adds to each item why it is wanted, from what `patchlab scan --json` printed; how many items it knows. An error
// (configuration) when it is not that.
[[nodiscard]] Result<std::size_t> add_reasons(ChangeRecord& change, const Json& scan, const std::string& file_name);

// Why it waits for no window, a sentence; empty: it does.
[[nodiscard]] std::string waits_for_none(const ChangeRecord& change);

// Pure.
[[nodiscard]] Json change_json(const ChangeRecord& change);
[[nodiscard]] std::string change_text(const ChangeRecord& change);
[[nodiscard]] std::string change_csv(const std::vector<ChangeRecord>& changes);
// An RFC 5322 message, with CRLF, quoted-printable: nothing in it can become a header. An error (usage) for an address
// that is none.
struct MailFrame {
  std::string from;
  std::string to;
  std::chrono::system_clock::time_point date;
};
[[nodiscard]] Result<std::string> change_mail(const ChangeRecord& change, const MailFrame& frame);

}  // namespace patchlab::promotion
