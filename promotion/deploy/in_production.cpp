// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/in_production.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "patches/deb/deb_file.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"

namespace patchlab::promotion {
namespace {

// Of one machine and one candidate: what of it speaks for it, and what against it.
struct Standing {
  bool has_it = false;
  std::string against;
};

Standing standing_on(const MachineReport& machine, const std::string& candidate) {
  Standing standing;
  for (const auto& row : machine.rows) {
    if (row.candidate != candidate) continue;
    switch (row.state) {
      case InstalledState::as_promoted: standing.has_it = true; break;
      case InstalledState::older:
      case InstalledState::newer:
      case InstalledState::other_bytes:
      case InstalledState::failed:
      case InstalledState::not_reported:
        standing.against = fmt::format("'{}' says of {}: {}{}", machine.machine, row.name, to_string(row.state),
                                       row.found.empty() ? "" : " (" + row.found + ")");
        break;
      case InstalledState::not_installed:
      case InstalledState::not_for_it: break;
    }
  }
  return standing;
}

}  // namespace

std::vector<InProduction> in_production(const Handoff& handoff, const DeployedDepartment& department) {
  std::vector<InProduction> all;
  const auto reported = std::ranges::count_if(department.machines, &DeployedMachine::has_reported);
  for (const auto& candidate : handoff.candidates) {
    InProduction one{candidate.id, {}, {}};
    for (const auto& machine : department.machines) {
      if (!machine.has_reported()) continue;
      const auto standing = standing_on(machine.report, candidate.id);
      if (!standing.against.empty() && one.why_not.empty()) one.why_not = standing.against;
      if (standing.has_it && standing.against.empty()) one.machines[machine.report.machine] = machine.line;
    }
    if (one.why_not.empty() && one.machines.empty()) {
      one.why_not = reported == 0 ? "no machine has reported since it was promoted"
                                  : fmt::format("none of {} machines that reported has it", reported);
    }
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::vector<patches::Candidate>> promoted_candidates(const Handoff& handoff,
                                                            const patches::ContentStore& store) {
  std::vector<patches::Candidate> candidates;
  for (const auto& promoted : handoff.candidates) {
    if (promoted.kind != "deb") continue;
    patches::Candidate candidate;
    candidate.id = promoted.id;
    candidate.title = promoted.title;
    candidate.kind = promoted.kind;
    candidate.digest = promoted.digest;
    candidate.roles = promoted.roles;
    for (const auto& file : promoted.files) {
      PATCHLAB_TRY(store.add_file(handoff.folder / file.path(), {file.sha256, file.bytes}));
      PATCHLAB_ASSIGN(const auto path, store.verified_path(file.sha256));
      PATCHLAB_ASSIGN(const auto deb, patches::inspect_deb(path));
      auto taken = patches::candidate_file(deb);
      taken.name = file.name;
      candidate.files.push_back(std::move(taken));
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

std::set<std::uint64_t> taken_back_by(const PromotionStory& rollback, const std::vector<PromotionStory>& stories) {
  std::set<std::uint64_t> between;
  if (!rollback.is_rollback) return between;
  std::uint64_t again = 0;
  for (const auto& story : stories) {
    if (story.department != rollback.department || story.state != PromotionStory::State::done ||
        story.serial >= rollback.serial)
      continue;
    between.insert(story.serial);
    if (story.run == rollback.run) again = std::max(again, story.serial);
  }
  between.erase(between.begin(), between.upper_bound(again));
  return between;
}

std::map<std::uint64_t, std::uint64_t> taken_back_until(std::uint64_t serial, const std::string& department,
                                                        const std::vector<PromotionStory>& stories) {
  std::map<std::uint64_t, std::uint64_t> taken_back;
  for (const auto& story : stories) {
    if (story.department != department || story.state != PromotionStory::State::done || story.serial > serial) continue;
    for (const auto one : taken_back_by(story, stories)) taken_back[one] = story.serial;
    for (const auto& again : stories) {
      if (again.department == department && again.run == story.run && again.serial <= story.serial)
        taken_back.erase(again.serial);
    }
  }
  return taken_back;
}

Result<PromotionPlace> place_of(const std::filesystem::path& stage, const Handoff& handoff) {
  PATCHLAB_ASSIGN(const auto state, Chain(stage / chain_folder_name).read());
  const auto& stories = state.history.promotions();
  const auto story = std::ranges::find(stories, handoff.promotion, &PromotionStory::statement);
  if (story == stories.end())
    return configuration_error(
        fmt::format("the ledger of '{}' does not know promotion {}", stage.string(), handoff.promotion));
  PromotionPlace place{story->last_line, taken_back_until(handoff.serial, handoff.department, stories), {}};
  for (const auto& one : stories) {
    if (one.department != handoff.department || one.state != PromotionStory::State::done ||
        one.serial > handoff.serial || place.taken_back.contains(one.serial))
      continue;
    PATCHLAB_ASSIGN(const auto text, Chain(stage / chain_folder_name).objects().get(one.manifest));
    PATCHLAB_ASSIGN(const auto json, parse_json(text, one.manifest));
    PATCHLAB_ASSIGN(const auto manifest, manifest_from_json(json, one.manifest));
    for (const auto& digest : manifest.candidate_digests)
      place.promoted[digest] = std::max(place.promoted[digest], one.serial);
  }
  return place;
}

}  // namespace patchlab::promotion
