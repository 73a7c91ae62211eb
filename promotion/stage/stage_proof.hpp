// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "promotion/chain/chain.hpp"
#include "promotion/stage/stage.hpp"

// The stage and its ledger against each other: what lies there is what was promoted last, and what was promoted last
// lies there. Both may be anybody's; errors and problems name the place.
namespace patchlab::promotion {

struct StageProof {
  // With what the ledger says against them among their problems. None: there is a ledger, and nothing was promoted yet.
  std::vector<StageCheck> departments;
  std::optional<ChainReport> ledger;  // absent: the stage has none, and is consistent with itself, not proven
  [[nodiscard]] bool is_proven() const;
};
// An error when the ledger is broken, or does not continue `noted`: then nobody can say what was promoted.
[[nodiscard]] Result<StageProof> prove_stage(const std::filesystem::path& stage,
                                             const std::optional<ChainHead>& noted = std::nullopt);
// What of it is asked: `department` as it lies there, and is what was promoted last. Points into `proof`. An error says
// why there is none: nothing was ever promoted, not this one, or something else lies there.
[[nodiscard]] Result<const StageCheck*> promoted_department(const StageProof& proof, const ChainState& chain,
                                                            const std::filesystem::path& stage,
                                                            const std::string& department);

// Promotions that a crash interrupted, told apart by where the department's link leads now.
struct Interrupted {
  std::vector<std::string> finished;  // sentences: what was written down, as done or as given up; a line that was cut
  // The link leads neither to the version that was to be published nor to one that was before, or what lies there is
  // damaged: that is no crash, and somebody has to look. Nothing can be promoted to that department until then.
  struct Unclear {
    std::string department;
    std::string text;
  };
  std::vector<Unclear> unclear;
};
// Called before every promotion; takes the lock of the stage. Nothing of both when there was nothing to finish.
[[nodiscard]] Result<Interrupted> finish_interrupted(const std::filesystem::path& stage, Chain& chain);

}  // namespace patchlab::promotion
