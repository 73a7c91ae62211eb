// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "promotion/stage/stage.hpp"

namespace patchlab::promotion {

Promotion promote(const reports::RunRecord& record, const std::string& department, const Policy& policy,
                  const Today& today, const FileSource& source, const PublishOptions& options) {
  const auto decision = decide(record, department, policy, today);
  Promotion promotion;
  promotion.record.outcome = reports::PromotionOutcome::refused;
  promotion.record.stage = (options.stage / department).string();
  promotion.record.reasons = decision.reasons();
  if (!decision.promotes()) return promotion;
  auto published = publish(record, decision, source, options);
  if (!published) {
    const bool refused = published.error().error_class == ErrorClass::configuration;
    const auto* code = refused ? to_string(ReasonCode::digest_mismatch) : "publish-failed";
    promotion.record.reasons.insert(promotion.record.reasons.begin(),
                                    fmt::format("{}: {}: {}", code, department, published.error().message));
    promotion.exit_code = refused ? ExitCode::policy : ExitCode::cannot_create;
    return promotion;
  }
  promotion.record.outcome = reports::PromotionOutcome::promoted;
  promotion.record.manifest_digest = published->manifest_digest;
  promotion.record.candidates = published->candidates;
  promotion.exit_code = ExitCode::ok;
  return promotion;
}

}  // namespace patchlab::promotion
