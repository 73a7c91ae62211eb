// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "promotion/approval/decisions.hpp"
#include "promotion/chain/objects.hpp"
#include "promotion/evidence/bundle_chain.hpp"
#include "promotion/evidence/past_reviews.hpp"
#include "promotion/evidence/proof.hpp"
#include "promotion/gate/people.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/statement/statement.hpp"
#include "promotion/trust/trust.hpp"
#include "reports/record/record.hpp"

// The parts of prove(): what is known while links are asked one after another, and one function per link, in a file of
// its name. Each says what it found (holds, broken, missing) and leaves to the next what that rests on. An Error is
// about the host, never about what is looked at.
namespace patchlab::promotion {

inline constexpr std::uintmax_t largest_document = 64U << 20U;
inline constexpr const char* head_namespace = "patchlab.head.v1";

// What is asked of one department, as far as it is known.
struct Story {
  const PromotionStory* promotion = nullptr;
  Statement statement;         // of the promotion
  Moment when;                 // it began
  std::uint64_t run_line = 0;  // 0: not found
  std::uint64_t begin_line = 0;
  std::string tested;  // digest of the set that the run ended with; another one may be promoted if it was tried too
  std::vector<std::string> submitters;
  std::optional<reports::RunRecord> record;
  std::optional<Manifest> manifest;
  std::optional<Policy> policy;
  std::vector<PolicyOfLedger> policies;  // all that were put in force before
  std::vector<PastReview> reviews;       // of emergency promotions before
  Decisions decisions;
  PeopleOn people;
};

// Of the whole stage or bundle.
class Proving {
 public:
  Proving(ProcessRunner& its_processes, std::filesystem::path its_folder, bool of_bundle,
          const ProofQuestion& its_question);

  ProcessRunner& processes;
  const std::filesystem::path folder;
  const std::filesystem::path ledger;
  const ObjectFolder objects;
  const ProofQuestion& question;
  Proof proof;
  bool is_read = false;  // the ledger
  BundleChain chain;
  std::optional<Trust> trust;
  std::vector<reports::KeptFile> evidence;  // that a bundle must hold
  bool supported = true;                    // somebody approved in each department that was looked at

  void add(const std::string& department, LinkKind kind, LinkState state, std::string text) {
    proof.links.push_back({department, kind, state, std::move(text)});
  }
  void holds(const std::string& department, LinkKind kind, std::string text) {
    add(department, kind, LinkState::holds, std::move(text));
  }
  void broken(const std::string& department, LinkKind kind, std::string text) {
    add(department, kind, LinkState::broken, std::move(text));
  }
  void missing(const std::string& department, LinkKind kind, std::string text) {
    add(department, kind, LinkState::missing, std::move(text));
  }

  [[nodiscard]] const std::vector<ChainLine>& lines() const { return chain.state.lines; }
  [[nodiscard]] const ChainLine& line(std::uint64_t seq) const { return lines()[seq - 1]; }
  [[nodiscard]] bool lacks(std::uint64_t seq) const { return chain.lacks[seq - 1]; }
  [[nodiscard]] bool fits(const ChainHead& head) const;

  // What a link says of lines of the lab: broken before missing before signed.
  struct OfLab {
    LinkState state = LinkState::holds;
    std::string why;
  };
  [[nodiscard]] Result<OfLab> signed_by_lab(const std::vector<std::uint64_t>& numbers) const;
  void add_signed(const std::string& department, LinkKind kind, const OfLab& of_lab, const std::string& text);

  [[nodiscard]] std::filesystem::path version_of(const std::string& department) const;
  [[nodiscard]] Result<reports::RunRecord> record_of(const std::string& digest) const;
  // The policies that lines before `end` put in force; `why` says what is not as it should be with one.
  [[nodiscard]] Result<std::vector<PolicyOfLedger>> documents_before(std::uint64_t end, std::string& why) const;
  // The promotion of the same department that was done before it; null: none.
  [[nodiscard]] const PromotionStory* before(const PromotionStory& promotion) const;
};

[[nodiscard]] std::optional<EmergencyUse> emergency_of(const Statement& statement);

// What lies there, and the ledger as a whole.
[[nodiscard]] Result<void> look_at_stage(Proving& proving);
[[nodiscard]] Result<void> look_at_bundle(Proving& proving);
// Who could sign what. Of each line, also of those that no promotion rests on, such as refusals: a forged one is a
// forged ledger.
[[nodiscard]] Result<void> look_at_trust(Proving& proving);
[[nodiscard]] Result<void> look_at_every_line(Proving& proving);
[[nodiscard]] Result<void> look_at_deployed(Proving& proving);
// Of one department, in this order. False: nothing that follows can be asked.
[[nodiscard]] Result<bool> look_at_promotion(Proving& proving, const std::string& department, Story& story);
[[nodiscard]] bool look_at_manifest(Proving& proving, const std::string& department, Story& story);
[[nodiscard]] Result<void> look_at_run(Proving& proving, const std::string& department, Story& story);
void look_at_record(Proving& proving, const std::string& department, Story& story);  // and the files of the run
[[nodiscard]] Result<void> look_at_policy(Proving& proving, const std::string& department, Story& story);
[[nodiscard]] Result<void> look_at_decisions(Proving& proving, const std::string& department, Story& story);
[[nodiscard]] Result<void> look_at_reviews(Proving& proving, const std::string& department, Story& story);
void look_at_gate(Proving& proving, const std::string& department, const Story& story);
// Of all departments together.
void look_at_evidence_of_bundle(Proving& proving);
[[nodiscard]] Result<void> look_at_head(Proving& proving);

}  // namespace patchlab::promotion
