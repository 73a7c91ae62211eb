// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/waivers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lab/core/time.hpp"

namespace patchlab::promotion {
namespace {

bool is_never_waived(const std::string& word) {
  return std::ranges::find(never_waived, word) != std::end(never_waived);
}

JudgedWaiver judge(const WaiverRule& rule, const WaiverGiven& waiver, std::uint32_t taken, PolicyTime now) {
  const auto refused = [&](WaiverRefusal refusal, std::string text) {
    return JudgedWaiver{waiver, refusal, fmt::format("'{}': {}", waiver.key, text)};
  };
  if (is_never_waived(waiver.what) || rule.never.contains(waiver.key) || rule.never.contains(waiver.what))
    return refused(WaiverRefusal::never, "can never be waived");
  if (waiver.original != Outcome::fail)
    return refused(WaiverRefusal::nothing_observed,
                   fmt::format("ended in {}: only a failure can be waived", to_string(waiver.original)));
  const auto what = waivable_from(waiver.what);
  if (!what || !rule.what.contains(*what))
    return refused(WaiverRefusal::not_waivable, fmt::format("the policy lets no {} be waived", waiver.what));
  if (waiver.until <= now)
    return refused(WaiverRefusal::expired, fmt::format("the waiver was valid until {}", rfc3339(waiver.until)));
  if (waiver.until > waiver.signed_at + rule.max_days)
    return refused(WaiverRefusal::too_long,
                   fmt::format("the waiver is valid until {}, the policy takes {} days at most", rfc3339(waiver.until),
                               rule.max_days.count()));
  if (taken >= rule.max_per_set)
    return refused(WaiverRefusal::too_many, fmt::format("the policy takes {} in a set at most", rule.max_per_set));
  return {waiver, WaiverRefusal::none, {}};
}

}  // namespace

const char* to_string(WaiverRefusal refusal) {
  switch (refusal) {
    case WaiverRefusal::none: return "";
    case WaiverRefusal::nothing_observed: return "waiver-of-no-failure";
    case WaiverRefusal::never: return "waiver-forbidden";
    case WaiverRefusal::not_waivable: return "waiver-not-in-policy";
    case WaiverRefusal::expired: return "waiver-expired";
    case WaiverRefusal::too_long: return "waiver-too-long";
    case WaiverRefusal::too_many: return "waivers-too-many";
  }
  return "unknown";
}

std::vector<JudgedWaiver> judge_waivers(const Policy& policy, const std::vector<WaiverGiven>& waivers, PolicyTime now) {
  std::vector<JudgedWaiver> judged;
  std::uint32_t taken = 0;
  for (const auto& waiver : waivers) {
    judged.push_back(judge(policy.waivers, waiver, taken, now));
    if (judged.back().refusal == WaiverRefusal::none) ++taken;
  }
  return judged;
}

}  // namespace patchlab::promotion
