// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/stage/stage.hpp"

namespace patchlab::promotion {

Promotion promote(const reports::RunRecord& record, const std::string& department, const Policy& policy,
                  const Today& today, const FileSource& source, const PublishOptions& options) {
  Promotion promotion{decide(record, department, policy, today), {}, ExitCode::policy};
  auto& decision = promotion.decision;
  promotion.record.outcome = reports::PromotionOutcome::refused;
  promotion.record.stage = (options.stage / department).string();
  promotion.record.reasons = decision.reasons();
  promotion.exit_code = exit_code_of(decision);
  if (!decision.promotes()) return promotion;
  auto published = publish(record, decision, source, options);
  if (!published) {
    const bool refused = published.error().error_class == ErrorClass::configuration;
    const auto code = refused ? ReasonCode::digest_mismatch : ReasonCode::publish_failed;
    refuse(decision, {code, {.department = department}, false, published.error().message, command_for(code, record)});
    promotion.record.reasons = decision.reasons();
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
