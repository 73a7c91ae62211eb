// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"

namespace patchlab::promotion {

Result<bool> look_at_promotion(Proving& proving, const std::string& department, Story& story) {
  const auto& promotion = *story.promotion;
  story.when = *chain_time(proving.line(promotion.line).time);
  const auto bytes = proving.objects.get(promotion.statement);
  const auto statement = bytes ? read_statement(*bytes, fmt::format("the statement of line {}", promotion.line))
                               : Result<Statement>(bytes.error());
  if (!statement) {
    proving.broken(department, LinkKind::promotion, statement.error().message);
    return false;
  }
  story.statement = *statement;
  if (!statement->run || !statement->manifest || statement->subjects.front().name != department) {
    proving.broken(department, LinkKind::promotion,
                   fmt::format("line {} names no run and manifest of '{}'", promotion.line, department));
    return false;
  }
  // Who deploys takes the greater one for the newer: an older set must not come back under an older number.
  for (const auto& earlier : proving.chain.state.history.promotions()) {
    if (earlier.department == department && earlier.line < promotion.line && earlier.serial >= promotion.serial) {
      proving.broken(department, LinkKind::promotion,
                     fmt::format("the serial {} of line {} is not greater than that of line {}, which is {}",
                                 promotion.serial, promotion.line, earlier.line, earlier.serial));
      return false;
    }
  }
  PATCHLAB_ASSIGN(const auto of_lab, proving.signed_by_lab({promotion.line}));
  proving.add_signed(department, LinkKind::promotion, of_lab,
                     fmt::format("begun in line {}, done in line {}, serial {}", promotion.line, promotion.last_line,
                                 promotion.serial));
  return true;
}

bool look_at_manifest(Proving& proving, const std::string& department, Story& story) {
  const auto says = [&](const std::string& why) {
    proving.broken(department, LinkKind::manifest, why);
    return false;
  };
  const auto text = read_file(proving.version_of(department) / manifest_file_name, largest_document, Links::refuse);
  if (!text) return says(text.error().message);
  if (sha256(*text) != *story.statement.manifest)
    return says(fmt::format("is not the one that line {} promoted", story.promotion->line));
  const auto json = parse_json(*text, manifest_file_name, JsonTexts::any);
  const auto manifest = json ? manifest_from_json(*json, manifest_file_name) : Result<Manifest>(json.error());
  if (!manifest) return says(manifest.error().message);
  const auto named = [&](const char* key, const std::optional<std::string>& expected) {
    return !json->contains(key) || (expected && json->at(key) == *expected);
  };
  if (manifest->set != story.statement.subjects.front().sha256) return says("names another set than the promotion");
  if (manifest->serial != story.statement.serial) return says("has another serial than the promotion");
  if (!named("policy", story.statement.policy)) return says("names another policy than the promotion");
  if (!named("run_object", story.statement.run)) return says("names another record than the promotion");
  if (manifest->emergency != emergency_of(story.statement))
    return says("says something else of an emergency than the promotion");
  story.manifest = *manifest;
  proving.holds(department, LinkKind::manifest,
                fmt::format("that of line {}: set {}", story.promotion->line, manifest->set));
  return true;
}

}  // namespace patchlab::promotion
