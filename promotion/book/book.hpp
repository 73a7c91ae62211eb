// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "lab/core/time.hpp"
#include "promotion/approval/decisions.hpp"
#include "promotion/chain/chain.hpp"

namespace patchlab::promotion {

// What a decision is about.
struct DecisionTarget {
  std::string department;
  std::string run;     // digest of the run object
  std::string set;     // digest of the department's SHA256SUMS
  std::string policy;  // digest of the policy in force
};

// People's decisions in the ledger of a stage: drafted, checked, added, read. Who wants to change one writes another.
// Not for several threads; several processes may have one each.
class DecisionBook {
 public:
  // `folder`: <stage>/.ledger
  DecisionBook(std::filesystem::path folder, ProcessRunner& processes, Clock& clock)
      : chain_(std::move(folder), Chain::Options{.clock = &clock}), processes_(processes), clock_(clock) {}

  // A ledger that was read, and fits; empty when there is none.
  struct Contents {
    ChainState chain;
    Trust trust;
    // Of people, in the order of the ledger. Signatures are verified of those that concern the department's run or set;
    // the others are not in here.
    std::vector<LedgerStatement> statements;
    std::vector<std::string> submitters;  // of the run, as the lab recorded
  };
  // `sets`: digests of other sets of the run, of which statements are wanted as well.
  [[nodiscard]] Result<Contents> read(const DecisionTarget& target, const std::vector<std::string>& sets = {}) const;
  // Everything of read() as a question, for decisions_about.
  [[nodiscard]] static DecisionQuestion question(const DecisionTarget& target, const Contents& contents,
                                                 std::vector<Failure> failures, Moment now);
  [[nodiscard]] static Decisions decisions(const DecisionQuestion& question, const Contents& contents);

  // The statement with what the ledger and the target say filled in: subject, run, policy, newest line.
  [[nodiscard]] static Statement draft(StatementKind kind, const std::string& by, const DecisionTarget& target,
                                       const Contents& contents);
  // What would become of a statement if this key signed it and the ledger got it now; nothing when it would count.
  // Asked before somebody touches their key for nothing.
  [[nodiscard]] static std::optional<NotCounted> would_not_count(const Statement& statement, const PublicKey& key,
                                                                 const DecisionQuestion& question,
                                                                 const Contents& contents);

  // Appends a signed statement. Refused (configuration), with the reason code in front, when it would not count as what
  // it says for want of a good signature: unreadable, edited, signer unknown or not in force, namespace, other history.
  [[nodiscard]] Result<Chain::Appended> add(const std::string& bytes, const std::string& signature);

  // --- who may sign
  [[nodiscard]] Result<Trust> trust() const;
  // Text of the pinned root keys of this stage; empty when there are none yet.
  [[nodiscard]] Result<std::string> roots() const;
  // Signs with the private half of a root key; called twice, for the file and for the statement that names it.
  using Sign = std::function<Result<std::string>(const std::string& bytes)>;
  // Puts the next version in force. `root` becomes the pinned key of a stage that has none. `text` in whatever spelling
  // people write it; its canonical form is what is signed. Returns the version.
  [[nodiscard]] Result<TrustVersion> add_trust(const std::string& text, const std::string& root_name,
                                               const PublicKey& root, const std::string& reason, const Sign& sign);

  [[nodiscard]] const Chain& chain() const { return chain_; }

 private:
  [[nodiscard]] Result<Trust> trust_of(const ChainState& state) const;
  [[nodiscard]] Result<TrustVersion> version_of(const ChainLine& line, std::uint64_t number,
                                                const std::string& roots) const;
  [[nodiscard]] std::filesystem::path roots_file() const { return chain_.folder() / "trust" / "roots"; }

  Chain chain_;
  ProcessRunner& processes_;
  Clock& clock_;
};

}  // namespace patchlab::promotion
