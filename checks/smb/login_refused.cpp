// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/login_refused.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::smb {
namespace {

class LoginRefused final : public CheckWith<Account> {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.login-refused"; }
  [[nodiscard]] bool wants_a_refusal() const override { return true; }

 protected:
  Account read(JsonReader& reader) const override { return read_account(reader, Login::refused); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Account& account,
                                                 Milliseconds deadline) const override {
    auto stranger = account;
    if (!stranger.user.empty()) stranger.password = unique_text();
    // By copy: the steps may outlast this call.
    return observe_steps(target, stranger, deadline, [stranger](StepRecorder& recorder, Session& session) {
      take_list(recorder, session, "list", stranger.share);
    });
  }

  [[nodiscard]] Judgement judge_with(const Account& account, const Observation& observation) const override {
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
