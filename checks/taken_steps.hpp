// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "checks/check.hpp"
#include "checks/unfinished.hpp"

namespace patchlab::checks {

// For observers that say of each step how it went:
//   {"ok": true, ...}
//   {"ok": false, "kind": K, "code": N, "why": "..."}, where K is "ours" (trouble of this host), "unreachable" (nobody
//   answered in time), "closed" (the server ended the connection), "malformed" (it said what cannot be read), or
//   another word: it said no.
// They are on record as soon as they are over, in order, under "steps"; while one is under way, its name is under
// "now".
class TakenSteps {
 public:
  explicit TakenSteps(Progress progress);
  // Whether it went well.
  bool take(const std::string& step, const std::function<Json()>& work);
  // Trouble on our side; the observation is not judged.
  void lab_error(const Error& error);

 private:
  Progress progress_;
};

[[nodiscard]] const Json* find_taken_step(const Observation& seen, const std::string& step);
[[nodiscard]] Judgement failed(std::string reason, std::string expected, std::string observed);
// Nothing when it went as it should; else a failure with `reason` when the server said something else than it should,
// and "no-answer", "connection-closed" or "malformed-reply" when it said nothing that counts. `prefix` comes before
// these three. A step that was ours is an error.
[[nodiscard]] std::optional<Judgement> judge_taken_step(const Observation& seen, const std::string& step,
                                                        const std::string& reason, const std::string& expected,
                                                        bool granted = true, const std::string& prefix = {});

}  // namespace patchlab::checks
