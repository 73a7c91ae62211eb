// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "promotion/chain/head.hpp"
#include "promotion/evidence/noted.hpp"
#include "promotion/signature/ssh_keygen.hpp"
#include "promotion/stage/stage.hpp"

// What a stage or a bundle says was promoted, proven from the bytes up: stage, manifest, ledger, run, record,
// decisions, policy, and the gate asked again on what was true then. Of what is proven nothing is believed: everything
// in it may be anybody's. Changes nothing.
namespace patchlab::promotion {

// One step of the way. The words (to_string) are stable API.
enum class LinkKind {
  stage,      // what lies there is what its manifest says, and what was promoted last
  manifest,   // it is the one that the ledger names
  ledger,     // whole, in order, and a story that can be
  head,       // signed by the lab; continues what was noted
  trust,      // who could sign what, by root keys
  promotion,  // begun, switched and done, signed by the lab
  run,        // it ended, was complete, and tested this set; signed by the lab
  record,     // its bytes, which say the same
  evidence,   // the files of the run
  decisions,  // of people
  policy,     // the very document that the promotion names, and it was in force
  gate,       // decides the same again
};
[[nodiscard]] const char* to_string(LinkKind kind);

enum class LinkState {
  holds,
  broken,    // what is there contradicts: a refutation
  missing,   // it is not there: nothing is refuted, and nothing proven
  not_kept,  // there is nothing of it to be asked
};
[[nodiscard]] const char* to_string(LinkState state);  // "ok", "broken", "not there", "not kept"

struct Link {
  std::string department;  // empty: of all
  LinkKind kind = LinkKind::stage;
  LinkState state = LinkState::missing;
  std::string text;  // for the reader: what was found, with the place
};

enum class Verdict {
  proven,      // every link holds, root keys and support from outside were given
  consistent,  // nothing contradicts, and something is missing
  refuted,
};
[[nodiscard]] const char* to_string(Verdict verdict);

struct Proof {
  bool of_bundle = false;
  std::vector<Link> links;              // in the order in which they were asked
  std::vector<StageCheck> departments;  // what lies there
  std::optional<ChainHead> head;        // of the ledger, when there is one that fits
  std::vector<std::string> notes;       // what an auditor should know, and what is no trouble
  [[nodiscard]] Verdict verdict() const;
};

struct ProofQuestion {
  // Text of the list of root keys, from elsewhere. Absent: those that the stage pins are asked, and nothing is proven.
  std::optional<std::string> roots;
  std::vector<NotedHead> noted;
  // Folder of runs, to look at the files that the run of a stage kept; not asked when the run is not there. A bundle
  // has those that matter itself.
  std::filesystem::path runs;
};

// A folder that is a bundle has ledger.jsonl and stage/ in it.
[[nodiscard]] bool is_bundle(const std::filesystem::path& folder);

// Of a stage, one department's folder in it, or a bundle. An error when it is none of these, or about the host.
[[nodiscard]] Result<Proof> prove(ProcessRunner& processes, const std::filesystem::path& folder,
                                  const ProofQuestion& question);

// An error (configuration) that quotes the first broken link, when there is one: what is refuted is not handed on in
// other words.
[[nodiscard]] Result<void> refuse_what_is_refuted(const Proof& proof);

}  // namespace patchlab::promotion
