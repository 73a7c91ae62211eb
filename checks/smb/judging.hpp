// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "checks/check.hpp"

namespace patchlab::checks::smb {

using Trouble = std::optional<Judgement>;

[[nodiscard]] Judgement failed(std::string reason, std::string expected, std::string observed);

// The entry of a step, null when it was never taken.
[[nodiscard]] const Json* find_step(const Observation& observation, const std::string& step);
// "write: EACCES Permission denied", "write: no answer within the deadline"
[[nodiscard]] std::string describe_step(const Json& entry);

// The step went well, or why not: reason "<step>-failed", for "connect" the reason of the network.
[[nodiscard]] Trouble judge_success(const Observation& observation, const std::string& step);
// Refused for lack of permission, not for any other reason. `got_in` is the reason when the step went well.
[[nodiscard]] Trouble judge_refusal(const Observation& observation, const std::string& step, const std::string& got_in);
[[nodiscard]] Trouble judge_known_files(const Observation& observation,
                                        const std::map<std::string, std::string>& files);

}  // namespace patchlab::checks::smb
