// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/outcome.hpp"
#include "promotion/policy/policy.hpp"

// Which waivers a policy takes: pure. Who may waive, and whether somebody else has seen it, is judged by whoever reads
// the statements; here it is only what, for how long, and how much of it in one set.
namespace patchlab::promotion {

// "fence", "fence/dns", "error": what a waiver can never name, whatever it says of the outcome.
[[nodiscard]] bool is_never_waived(std::string_view name);

// One fact that somebody waived, as it stands in the ledger.
struct WaiverGiven {
  std::string by;
  std::string key;                    // as in a signature: "mail/large-delivery"
  std::string what;                   // "check", "state", ...; a word that is no Waivable is never taken
  Outcome original = Outcome::error;  // of the fact; only a failure can be waived
  PolicyTime signed_at;               // of the ledger's line
  PolicyTime until;                   // from then on it does not count
  // Withdrawn: it excuses nothing, and keeps its place among those that a policy takes, so that taking one back never
  // lets another one count.
  bool withdrawn = false;
  bool operator==(const WaiverGiven&) const = default;
};

enum class WaiverRefusal {
  none,
  nothing_observed,  // the fact is no failure: there is nothing that one could accept
  never,             // what can never be waived, or the policy says never
  not_waivable,      // the policy does not let this kind be waived
  expired,
  too_long,
  too_many,  // in this set; those before it in the ledger count
  withdrawn,
};
[[nodiscard]] const char* to_string(WaiverRefusal refusal);  // "waiver-expired"; empty for none

struct JudgedWaiver {
  WaiverGiven waiver;
  WaiverRefusal refusal = WaiverRefusal::none;
  std::string text;  // for the reader; empty for none
};
// One for each, in the given order, which is that of the ledger. What the policy never took does not count against the
// number; what is over or was withdrawn does, and the same failure again is one.
[[nodiscard]] std::vector<JudgedWaiver> judge_waivers(const Policy& policy, const std::vector<WaiverGiven>& waivers,
                                                      PolicyTime now);

}  // namespace patchlab::promotion
