// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/stage/stage_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/choice.hpp"
#include "lab/core/file_lock.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "promotion/chain/own_folder.hpp"
#include "promotion/stage/version_folder.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

using State = PromotionStory::State;

std::string text_of(const ChainState& state, const PromotionStory& story) {
  return fmt::format("line {} of the ledger ({})", story.line, state.lines[story.line - 1].time);
}

// What stands against a department that is whole in itself.
void compare(const ChainState& state, StageCheck& check) {
  const auto say = [&](const std::string& what) { check.problems.push_back(check.department + ": " + what); };
  const auto& promotions = state.history.promotions();
  const auto open = std::ranges::find_if(
      promotions, [&](const auto& story) { return story.is_open() && story.department == check.department; });
  if (open != promotions.end()) {
    return say(
        fmt::format("the promotion of {} was interrupted; the next 'patchlab promote' finishes it or gives it up",
                    text_of(state, *open)));
  }
  const auto* story = state.history.last_done(check.department);
  if (story == nullptr) return say("no promotion of it is in the ledger: it was published by other means");
  if (story->manifest != check.manifest_digest) {
    return say(fmt::format("is not what was promoted last: {} published the manifest {}, and {} lies here",
                           text_of(state, *story), story->manifest, check.manifest_digest));
  }
  if (story->serial != check.serial)
    say(fmt::format("has the serial {}, and {} says {}", check.serial, text_of(state, *story), story->serial));
}

void add_missing(const ChainState& state, std::vector<StageCheck>& departments) {
  std::set<std::string> named;
  for (const auto& check : departments) named.insert(check.department);
  for (const auto& story : state.history.promotions()) {
    if (story.state != State::done || !named.insert(story.department).second) continue;
    StageCheck check;
    check.department = story.department;
    check.problems.push_back(
        fmt::format("{}: was promoted by {}, and nothing of it is here", story.department, text_of(state, story)));
    departments.push_back(std::move(check));
  }
}

// The digest of the manifest that a department's link leads to; empty when nothing whole lies there.
std::string published_manifest(const fs::path& stage, const std::string& department) {
  std::error_code code;
  const auto link = stage / department;
  const auto target = fs::read_symlink(link, code);
  if (code || target.parent_path() != fs::path(".versions") / department) return {};
  const auto check = verify_version(stage / target);
  return check.problems.empty() ? check.manifest_digest : std::string();
}

// What this promotion was to replace; a stage of an older version may have something that the ledger does not know.
bool is_the_version_before(const fs::path& stage, const ChainState& state, const PromotionStory& story,
                           const std::string& here) {
  if (const auto* before = state.history.last_done(story.department)) return here == before->manifest;
  return !here.empty() || status_of(stage / story.department).type() == fs::file_type::not_found;
}

}  // namespace

bool StageProof::is_proven() const {
  return ledger && !departments.empty() &&
         std::ranges::all_of(departments, [](const auto& check) { return check.problems.empty(); });
}

Result<StageProof> prove_stage(const fs::path& stage, const std::optional<ChainHead>& noted) {
  StageProof proof;
  const Chain chain(stage / chain_folder_name);
  // A stage whose ledger was taken away is no stage without one, to whoever noted a head.
  if (chain.exists() || noted) {
    PATCHLAB_ASSIGN(proof.ledger, chain.verify(noted));
  }
  auto checks = verify_stage(stage);
  // Everything was taken away: the ledger knows what there was.
  if (!checks && !proof.ledger) return std::move(checks).error();
  if (checks) proof.departments = std::move(*checks);
  if (!proof.ledger) return proof;
  PATCHLAB_ASSIGN(const auto state, chain.read());
  for (auto& check : proof.departments) {
    if (check.problems.empty()) compare(state, check);
  }
  add_missing(state, proof.departments);
  return proof;
}

Result<const StageCheck*> promoted_department(const StageProof& proof, const ChainState& chain, const fs::path& stage,
                                              const std::string& department) {
  if (proof.departments.empty()) {
    return configuration_error(
        fmt::format("no department is published in '{}': there is nothing to prove", stage.string()),
        "promote a run first, or name another stage");
  }
  const auto found = std::ranges::find(proof.departments, department, &StageCheck::department);
  if (found == proof.departments.end() || chain.history.last_done(department) == nullptr) {
    std::vector<std::string> names;
    for (const auto& one : proof.departments) names.push_back(one.department);
    return unknown_choice("--department", department,
                          fmt::format("was never promoted in '{}'", printable(stage.string())), names);
  }
  if (!found->problems.empty())
    return configuration_error(fmt::format("cannot prove what lies there: {}", found->problems.front()),
                               "patchlab verify says more");
  return &*found;
}

Result<Interrupted> finish_interrupted(const fs::path& stage, Chain& chain) {
  Interrupted all;
  if (!chain.exists()) return all;
  PATCHLAB_TRY(make_own_folder(stage, Links::follow));
  PATCHLAB_ASSIGN(const auto lock,
                  FileLock::take(stage / ".lock", FileLock::Mode::exclusive, {.limit = stage_lock_patience}));
  PATCHLAB_ASSIGN(auto repaired, chain.repair());
  if (!repaired.empty()) all.finished.push_back(std::move(repaired));
  PATCHLAB_ASSIGN(const auto state, chain.read());
  for (const auto& story : state.history.promotions()) {
    if (!story.is_open()) continue;
    const auto append = [&](ChainKind kind) -> Result<void> {
      PATCHLAB_TRY(
          chain.append({.kind = kind, .by = state.lines[story.line - 1].by, .object = {}, .names = story.statement}));
      return {};
    };
    const auto where = fmt::format("{}: the promotion of line {}", printable(story.department), story.line);
    const auto here = published_manifest(stage, story.department);
    if (!story.manifest.empty() && here == story.manifest) {
      if (story.state == State::begun) PATCHLAB_TRY(append(ChainKind::promote_switched));
      PATCHLAB_TRY(append(ChainKind::promote_done));
      all.finished.push_back(where + " was interrupted after it had been published; it is whole, and done");
    } else if (is_the_version_before(stage, state, story, here)) {
      PATCHLAB_TRY(append(ChainKind::promote_refused));
      all.finished.push_back(where + " was interrupted before it was published, and is given up");
    } else {
      all.unclear.push_back(
          {story.department,
           fmt::format("{} was interrupted, and what is published is neither its version nor the one before: look who "
                       "changed '{}', and put back the version that 'patchlab verify' takes",
                       where, (stage / story.department).string())});
    }
  }
  return all;
}

}  // namespace patchlab::promotion
