// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "patches/candidate/candidate.hpp"
#include "patches/store/content_store.hpp"
#include "promotion/chain/history.hpp"
#include "promotion/deploy/deployed.hpp"
#include "promotion/deploy/handoff.hpp"

// What production really has of what was promoted, for those who make an image of production of it.
namespace patchlab::promotion {

struct InProduction {
  std::string candidate;
  // Machines of production that have all of it that they have a place for, by the line of the ledger that says so.
  std::map<std::string, std::uint64_t> machines;
  std::string why_not;  // a sentence; empty: it is in production
};
// Of each candidate of the promotion, in its order. It is in production when a machine says so and none says otherwise:
// what some still wait for, or have in another version, is not what production has. Only what was observed after the
// promotion, and compared with it, counts. Pure.
[[nodiscard]] std::vector<InProduction> in_production(const Handoff& handoff, const DeployedDepartment& department);

// The promoted packages as candidates, from the stage into the store; of other systems none is made. Digests are
// compared with the promoted ones. They apply to the roles on which they were tested.
[[nodiscard]] Result<std::vector<patches::Candidate>> promoted_candidates(const Handoff& handoff,
                                                                          const patches::ContentStore& store);

// What the ledger says of a promotion.
struct PromotionPlace {
  std::uint64_t line = 0;  // the last one that is about it
  // Serials of earlier promotions of the department that were taken back, by the serial of the last rollback that did,
  // whatever was promoted since. What was published again stands again.
  std::map<std::uint64_t, std::uint64_t> taken_back;
  std::map<std::string, std::uint64_t> promoted;  // digest of a candidate: the last serial that has it and stands
};
[[nodiscard]] Result<PromotionPlace> place_of(const std::filesystem::path& stage, const Handoff& handoff);
// Until that serial. Pure.
[[nodiscard]] std::map<std::uint64_t, std::uint64_t> taken_back_until(std::uint64_t serial,
                                                                      const std::string& department,
                                                                      const std::vector<PromotionStory>& stories);
// Serials of what was promoted in this department behind the run that `rollback` published again. Pure.
[[nodiscard]] std::set<std::uint64_t> taken_back_by(const PromotionStory& rollback,
                                                    const std::vector<PromotionStory>& stories);

}  // namespace patchlab::promotion
