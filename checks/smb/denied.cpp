// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/denied.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"

namespace patchlab::checks::smb {
namespace {

struct Parameters {
  Account account;
  std::string allowed_share;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.account = read_account(reader);
  parameters.allowed_share = reader.text_or("allowed_share", "", [&parameters](const std::string& share) {
    return share == parameters.account.share && !share.empty() ? "must be another share than 'share'"
                                                               : why_no_share(share);
  });
  return parameters;
}

class Denied final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.denied"; }
  [[nodiscard]] bool wants_a_refusal() const override { return true; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds deadline) const override {
    return observe_steps(target, parameters.account, deadline, [parameters](StepRecorder& recorder, Session& session) {
      const auto& allowed = parameters.allowed_share;
      if (!allowed.empty() && !take_list(recorder, session, "list allowed share", allowed)) return;
      take_list(recorder, session, "list", parameters.account.share);
    });
  }

  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
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
