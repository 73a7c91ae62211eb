// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "reports/record/record.hpp"

// What a run found about one set of one department in the three words that other tools know (in-toto test-result v0.1).
// A pure function: it can say less than the record, and never more.
namespace patchlab::promotion {

enum class TestWord {
  passed,  // everything that was planned was done, and all of it passed at the first try
  warned,  // nothing failed, but something was skipped, flaky, not judged, lost, left out, or waived by people
  failed,  // something failed and nobody waived it, ended in an error, or was not done at all
};
[[nodiscard]] const char* to_string(TestWord word);  // "PASSED", "WARNED", "FAILED"

// Names of what was looked at: "after-install/mail/deliver", "mail/install:tidy", "fence", "run". Each once, in the
// worst of the three that was found of it.
struct TestResult {
  std::vector<std::string> passed;
  std::vector<std::string> warned;
  std::vector<std::string> failed;
  [[nodiscard]] TestWord word() const;
};

// What machines do not have to be looked at by is no part of what was planned: `not_tested` of the record says it.
// Of the trials of exactly these candidates and of those without any, of the whole department's fence, machines and
// flakes, and of the run. `waived`: "mail/deliver", "mail/state:service:postfix", as a signature has them.
[[nodiscard]] TestResult test_result_of(const reports::RunRecord& record, const std::string& department,
                                        const std::vector<std::string>& candidates,
                                        const std::set<std::string>& waived);

}  // namespace patchlab::promotion
