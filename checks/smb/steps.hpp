// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "checks/check.hpp"
#include "checks/smb/parameters.hpp"
#include "checks/smb/session.hpp"
#include "checks/unfinished.hpp"

namespace patchlab::checks::smb {

// Records the steps of an SMB check as it takes them:
//   "steps"  [{"step": "write", "ms", "errno", "error": "EACCES Permission denied", and what a step adds}]; a step that
//   has not ended has no "errno" "lab_error"  trouble on our side; the observation is not judged
class StepRecorder {
 public:
  explicit StepRecorder(Progress progress) : progress_(std::move(progress)) {}
  // Takes one step; `action` returns 0 or an errno and may add to the step's entry. True when it went well.
  bool take(const std::string& step, const std::function<int(Json& entry)>& action);
  void lab_error(const Error& error);

 private:
  Progress progress_;
};

using Steps = std::function<void(StepRecorder&, Session&)>;
// Opens another session of the same user; trouble on our side is recorded.
using AnotherSession = std::function<std::optional<Session>(StepRecorder&, Encryption)>;
using StepsOfTwo = std::function<void(StepRecorder&, Session&, const AnotherSession&)>;
// Connects by TCP first (libsmbclient would hide why it cannot), opens the session and takes the steps, all within the
// deadline.
[[nodiscard]] Result<Observation> observe_steps(const Target& target, const Account& account, Milliseconds deadline,
                                                const Steps& steps);
[[nodiscard]] Result<Observation> observe_steps_of_two(const Target& target, const Account& account,
                                                       Milliseconds deadline, const StepsOfTwo& steps);

// "patchlab-1a2b3c4d": unlike anything else in the share.
[[nodiscard]] std::string random_file_name();
[[nodiscard]] std::string random_content(std::size_t size);

// Steps that several checks take. Paths are as in Session.
bool take_list(StepRecorder& recorder, Session& session, const std::string& step, const std::string& folder);
bool take_known_files(StepRecorder& recorder, Session& session, const std::string& share,
                      const std::map<std::string, std::string>& files);

}  // namespace patchlab::checks::smb
