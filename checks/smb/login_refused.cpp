// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/login_refused.hpp"

#include <fmt/format.h>

#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::smb {
namespace {

Account read(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  auto account = read_account(reader, Login::refused);
  reader.finish();
  return account;
}

Account read_valid(const Json& json) {
  std::vector<JsonProblem> ignored;  // validate() has reported them
  return read(json, "", ignored);
}

class LoginRefused final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.login-refused"; }

  void validate(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) const override {
    (void)read(json, pointer, problems);
  }

  [[nodiscard]] Result<Observation> observe(const Target& target, const Json& json,
                                            Milliseconds deadline) const override {
    auto account = read_valid(json);
    if (!account.user.empty()) account.password = unique_text();
    // By copy: the steps may outlast this call.
    return observe_steps(target, account, deadline, [account](StepRecorder& recorder, Session& session) {
      take_list(recorder, session, "list", account.share);
    });
  }

  [[nodiscard]] Judgement judge(const Json& json, const Observation& observation) const override {
    const auto account = read_valid(json);
    if (auto trouble = judge_success(observation, "connect")) return *trouble;
    const auto* const got_in = account.user.empty() ? "anonymous-got-in" : "wrong-password-accepted";
    if (auto trouble = judge_refusal(observation, "list", got_in)) return *trouble;
    return {Outcome::pass, "login-refused",
            account.user.empty()
                ? fmt::format("'{}' is refused to a session without a name", account.share)
                : fmt::format("'{}' is refused to {} with a wrong password", account.share, account.user),
            describe_step(*find_step(observation, "list"))};
  }
};

}  // namespace

const Check& login_refused() {
  static const LoginRefused instance;
  return instance;
}

}  // namespace patchlab::checks::smb
