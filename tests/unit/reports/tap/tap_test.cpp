// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/tap/tap.hpp"

#include <gmock/gmock.h>

#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using testing::EndsWith;

const std::string not_tested = "# not tested: Windows guests: all machines of this scenario are stand-ins\n";

TEST(Tap, SaysOneLinePerVerdict) {
  auto record = tests::good_record();
  record.candidates.push_back(record.candidates[0]);
  record.candidates[2].id = "late";
  record.departments[0].verdicts[1].outcome = Outcome::fail;
  record.departments[0].verdicts[1].reason = "breaks #1 of two\nthings";
  EXPECT_EQ(tap_lines(record),
            "TAP version 14\n1..3\nok 1 - finance dns-update\nnot ok 2 - finance tidy: breaks \\#1 of two\\\\nthings\n"
            "not ok 3 - finance late: not reached: no verdict\n" +
                not_tested);
}

TEST(Tap, TellsTheDecisionAsAComment) {
  const auto record = tests::good_record();
  auto decisions = tests::sample_decisions(record);
  decisions[0].state = DecisionState::refused;
  decisions[0].requirements.push_back({"stale", {}, "finance/dns", false, "is\nanother one", ""});
  EXPECT_EQ(tap_lines(record, decisions),
            "TAP version 14\n1..2\nok 1 - finance dns-update\nok 2 - finance tidy\n"
            "# finance: refused as of 2026-11-22T06:20:31.000Z\n# finance: stale: finance/dns: is\\\\nanother one\n" +
                not_tested);
}

TEST(Tap, KeepsLabErrorsAndSkipsApart) {
  auto record = tests::good_record();
  record.departments[0].verdicts[0].outcome = Outcome::error;
  record.departments[0].verdicts[0].reason = "silent agent";
  record.departments[0].verdicts[1].outcome = Outcome::skipped;
  record.departments[0].verdicts[1].reason = "not installed";
  EXPECT_EQ(tap_lines(record),
            "TAP version 14\n1..2\nnot ok 1 - finance dns-update: lab error: silent agent\nok 2 - finance tidy # SKIP "
            "not installed\n" +
                not_tested);
}

TEST(Tap, BailsOutWhenThereIsNothingToSay) {
  EXPECT_EQ(tap_lines(RunRecord{}), "TAP version 14\nBail out! nothing was tested\n");
  auto record = tests::good_record();
  record.complete = false;
  EXPECT_THAT(tap_lines(record), EndsWith("Bail out! the run was interrupted before its end\n"));
}

}  // namespace
}  // namespace patchlab::reports
