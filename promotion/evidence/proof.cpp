// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proof.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/paths.hpp"
#include "promotion/evidence/proving.hpp"
#include "promotion/stage/manifest.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

Result<void> look_at_department(Proving& proving, const StageCheck& check) {
  Story story;
  const auto& department = check.department;
  story.promotion = proving.chain.state.history.last_done(department);
  if (story.promotion == nullptr || !check.problems.empty()) return {};  // said of the stage
  PATCHLAB_ASSIGN(const bool is_known, look_at_promotion(proving, department, story));
  if (!is_known) return {};
  if (!look_at_manifest(proving, department, story)) return {};
  PATCHLAB_TRY(look_at_run(proving, department, story));
  look_at_record(proving, department, story);
  PATCHLAB_TRY(look_at_policy(proving, department, story));
  PATCHLAB_TRY(look_at_decisions(proving, department, story));
  PATCHLAB_TRY(look_at_reviews(proving, department, story));
  look_at_gate(proving, department, story);
  return {};
}

Result<Proof> prove_all(Proving proving, const std::string& only) {
  PATCHLAB_TRY(proving.proof.of_bundle ? look_at_bundle(proving) : look_at_stage(proving));
  if (!only.empty()) {
    std::erase_if(proving.proof.departments, [&](const auto& check) { return check.department != only; });
    std::erase_if(proving.proof.links,
                  [&](const auto& link) { return !link.department.empty() && link.department != only; });
  }
  if (!proving.is_read) return std::move(proving.proof);
  PATCHLAB_TRY(look_at_trust(proving));
  PATCHLAB_TRY(look_at_every_line(proving));
  PATCHLAB_TRY(look_at_deployed(proving));
  for (const auto& check : proving.proof.departments) {
    PATCHLAB_TRY(look_at_department(proving, check));
  }
  look_at_evidence_of_bundle(proving);
  PATCHLAB_TRY(look_at_head(proving));
  return std::move(proving.proof);
}

}  // namespace

const char* to_string(LinkKind kind) {
  switch (kind) {
    case LinkKind::stage: return "stage";
    case LinkKind::manifest: return "manifest";
    case LinkKind::ledger: return "ledger";
    case LinkKind::head: return "head";
    case LinkKind::trust: return "trust";
    case LinkKind::promotion: return "promotion";
    case LinkKind::run: return "run";
    case LinkKind::record: return "record";
    case LinkKind::evidence: return "evidence";
    case LinkKind::decisions: return "decisions";
    case LinkKind::policy: return "policy";
    case LinkKind::gate: return "gate";
  }
  return "";
}

const char* to_string(LinkState state) {
  switch (state) {
    case LinkState::holds: return "ok";
    case LinkState::broken: return "broken";
    case LinkState::missing: return "not there";
    case LinkState::not_kept: return "not kept";
  }
  return "";
}

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::proven: return "proven";
    case Verdict::consistent: return "consistent with itself, not proven";
    case Verdict::refuted: return "refuted";
  }
  return "";
}

Verdict Proof::verdict() const {
  const auto any = [&](LinkState state) { return std::ranges::count(links, state, &Link::state) > 0; };
  if (any(LinkState::broken)) return Verdict::refuted;
  if (departments.empty() || any(LinkState::missing)) return Verdict::consistent;
  // Proven is said only of what was asked: each link of each department.
  for (const auto& check : departments) {
    for (const auto kind : {LinkKind::stage, LinkKind::manifest, LinkKind::promotion, LinkKind::run, LinkKind::record,
                            LinkKind::decisions, LinkKind::policy, LinkKind::gate}) {
      const auto is_it = [&](const Link& link) {
        return link.department == check.department && link.kind == kind && link.state == LinkState::holds;
      };
      if (std::ranges::none_of(links, is_it)) return Verdict::consistent;
    }
  }
  for (const auto kind : {LinkKind::ledger, LinkKind::trust, LinkKind::head}) {
    if (std::ranges::none_of(links,
                             [&](const Link& link) { return link.kind == kind && link.state == LinkState::holds; }))
      return Verdict::consistent;
  }
  return Verdict::proven;
}

Result<void> refuse_what_is_refuted(const Proof& proof) {
  const auto broken = std::ranges::find(proof.links, LinkState::broken, &Link::state);
  if (broken == proof.links.end()) return {};
  return configuration_error(fmt::format("{}: {}", to_string(broken->kind), broken->text), "patchlab verify says more");
}

bool is_bundle(const fs::path& folder) {
  return is_there(folder / chain_file_name) && !is_there(folder / ".versions") && !is_there(folder / "lock");
}

Result<Proof> prove(ProcessRunner& processes, const fs::path& folder, const ProofQuestion& question) {
  if (is_bundle(folder)) return prove_all(Proving(processes, folder, true, question), {});
  const auto path = folder.has_filename() ? folder : folder.parent_path();
  // "production/finance": one department of a stage, and "production/.ledger".
  if (path.filename() == chain_folder_name)
    return prove_all(Proving(processes, path.parent_path(), false, question), {});
  if (is_there(path / manifest_file_name) && is_folder(path.parent_path() / ".versions"))
    return prove_all(Proving(processes, path.parent_path(), false, question), path.filename().string());
  return prove_all(Proving(processes, folder, false, question), {});
}

}  // namespace patchlab::promotion
