// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/waivers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/time.hpp"

namespace patchlab::promotion {
namespace {

std::string sentence(const WaiverGiven& waiver, const std::string& text) {
  return fmt::format("'{}' waived '{}': {}", waiver.by, waiver.key, text);
}

// What does not depend on the day: a waiver that is refused here never took a place.
JudgedWaiver judge(const WaiverRule& rule, const WaiverGiven& waiver) {
  const auto refused = [&](WaiverRefusal refusal, const std::string& text) {
    return JudgedWaiver{waiver, refusal, sentence(waiver, text)};
  };
  const auto fact = waiver.key.substr(waiver.key.find('/') + 1);
  if (is_never_waived(waiver.what) || is_never_waived(fact) || rule.never.contains(waiver.key) ||
      rule.never.contains(waiver.what))
    return refused(WaiverRefusal::never, "that can never be waived");
  if (waiver.original != Outcome::fail)
    return refused(WaiverRefusal::nothing_observed,
                   fmt::format("it ended in {}, and only a failure can be waived", to_string(waiver.original)));
  const auto what = waivable_from(waiver.what);
  if (!what || !rule.what.contains(*what))
    return refused(WaiverRefusal::not_waivable, fmt::format("the policy lets no {} be waived", waiver.what));
  if (waiver.until > waiver.signed_at + rule.max_days)
    return refused(WaiverRefusal::too_long, fmt::format("until {}, and the policy takes {} days at most",
                                                        rfc3339(waiver.until), rule.max_days.count()));
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
    case WaiverRefusal::withdrawn: return "withdrawn";
  }
  return "unknown";
}

bool is_never_waived(std::string_view name) {
  return std::ranges::any_of(never_waived, [&](const std::string_view word) {
    return name.starts_with(word) &&
           (name.size() == word.size() || name[word.size()] == '/' || name[word.size()] == ':');
  });
}

std::vector<JudgedWaiver> judge_waivers(const Policy& policy, const std::vector<WaiverGiven>& waivers, PolicyTime now) {
  std::vector<JudgedWaiver> judged;
  std::set<std::string> taken;
  for (const auto& waiver : waivers) {
    auto& one = judged.emplace_back(judge(policy.waivers, waiver));
    const auto refuse = [&](WaiverRefusal refusal, const std::string& text) {
      one.refusal = refusal;
      one.text = sentence(waiver, text);
    };
    if (one.refusal != WaiverRefusal::none) continue;
    // A change that failed nobody takes no failure's place.
    const bool is_failure = waiver.what != to_string(Waivable::review);
    if (is_failure && !taken.contains(waiver.key) && taken.size() >= policy.waivers.max_per_set)
      refuse(WaiverRefusal::too_many, fmt::format("the policy takes {} in a set at most", policy.waivers.max_per_set));
    else if (is_failure)
      taken.insert(waiver.key);
    if (waiver.withdrawn)
      refuse(WaiverRefusal::withdrawn, "and withdrew that");
    else if (waiver.until <= now)
      refuse(WaiverRefusal::expired, fmt::format("that was valid until {}", rfc3339(waiver.until)));
  }
  return judged;
}

}  // namespace patchlab::promotion
