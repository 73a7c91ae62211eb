// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/denied.hpp"

#include <fmt/format.h>

#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"

namespace patchlab::checks::smb {
namespace {

struct Parameters {
  Account account;
  std::string allowed_share;
};

Parameters read(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Parameters parameters;
  parameters.account = read_account(reader);
  parameters.allowed_share = reader.text_or("allowed_share", "");
  if (!parameters.allowed_share.empty() && parameters.allowed_share == parameters.account.share) {
    reader.problem("allowed_share", "must be another share than 'share'");
  }
  reader.finish();
  return parameters;
}

Parameters read_valid(const Json& json) {
  std::vector<JsonProblem> ignored;  // validate() has reported them
  return read(json, "", ignored);
}

class Denied final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.denied"; }

  void validate(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) const override {
    (void)read(json, pointer, problems);
  }

  [[nodiscard]] Result<Observation> observe(const Target& target, const Json& json,
                                            Milliseconds deadline) const override {
    const auto parameters = read_valid(json);
    return observe_steps(target, parameters.account, deadline, [parameters](StepRecorder& recorder, Session& session) {
      const auto& allowed = parameters.allowed_share;
      if (!allowed.empty() && !take_list(recorder, session, "list allowed share", allowed)) return;
      take_list(recorder, session, "list", parameters.account.share);
    });
  }

  [[nodiscard]] Judgement judge(const Json& json, const Observation& observation) const override {
    const auto parameters = read_valid(json);
    if (auto trouble = judge_success(observation, "connect")) return *trouble;
    if (!parameters.allowed_share.empty()) {
      if (auto trouble = judge_success(observation, "list allowed share")) return *trouble;
    }
    if (auto trouble = judge_refusal(observation, "list", "denied-user-got-in")) return *trouble;
    const auto refused = fmt::format("{} is denied '{}'", parameters.account.user, parameters.account.share);
    return {Outcome::pass, "denied", refused, describe_step(*find_step(observation, "list"))};
  }
};

}  // namespace

const Check& denied() {
  static const Denied instance;
  return instance;
}

}  // namespace patchlab::checks::smb
