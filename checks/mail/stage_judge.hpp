// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/check.hpp"

namespace patchlab::checks::mail {

struct ExpectedStage {
  std::string stage;
  std::vector<std::string> answers;  // any of them is right; empty: the stage has no answer of its own, it just happens
};

// The first stage that did not go as expected, as a failure "<protocol>-<stage>-<how>", where how is
//   timeout      no answer until the deadline      failed       connection or TLS trouble
//   refused      5xx, NO, BAD, -ERR                   deferred     4xx
//   not-offered  capability missing                unexpected   any other answer
// Nothing when all went well. Trouble of the lab, and a stage missing from the log although none before it went wrong:
// an error.
[[nodiscard]] std::optional<Judgement> judge_stages(const std::string& protocol,
                                                    const std::vector<ExpectedStage>& expected, const Json& log);

}  // namespace patchlab::checks::mail
