// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/sample_record.hpp"

namespace patchlab::tests {

// The sample's decisions, with a failure of the first department that was waived, in an emergency.
inline reports::Decisions waived_decisions(const reports::RunRecord& record) {
  auto decisions = sample_decisions(record);
  auto& decision = decisions.front();
  const reports::WaivedRecord waived{"mail/deliver", "fail",    "carol", {"bob"}, "2026-12-12T00:00:00.000Z",
                                     "known limit",  "CHG0043", 7};
  decision.waived = {waived};
  decision.requirements.push_back(
      {.code = "final-trial-failed",
       .about = {{"machine", "mail"}, {"check", "deliver"}},
       .subject = "finance/mail/deliver",
       .met = true,
       .text = "mail/deliver in after-install ended in fail",
       .waived = "waived by 'carol' until 2026-12-12T00:00:00.000Z (CHG0043): known limit"});
  decision.emergency = {"mail is exploited", "CHG0042", "2026-11-24T07:00:00.000Z"};
  return decisions;
}
inline constexpr const char* waived_text =
    "mail/deliver: fail, waived by 'carol' until 2026-12-12T00:00:00.000Z (CHG0043): known limit; approved by 'bob'";
inline constexpr const char* emergency_text =
    "emergency (CHG0042): mail is exploited: review by 2026-11-24T07:00:00.000Z";

}  // namespace patchlab::tests
