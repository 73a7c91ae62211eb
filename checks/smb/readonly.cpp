// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/readonly.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"

namespace patchlab::checks::smb {
namespace {

struct Parameters {
  Account account;
  std::map<std::string, std::string> known_files;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.account = read_account(reader);
  parameters.known_files = read_known_files(reader);
  return parameters;
}

class Readonly final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.readonly"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds deadline) const override {
    return observe_steps(target, parameters.account, deadline, [parameters](StepRecorder& recorder, Session& session) {
      const auto& share = parameters.account.share;
      if (!take_list(recorder, session, "list", share)) return;
      if (!take_known_files(recorder, session, share, parameters.known_files)) return;
      const auto file = share + "/" + random_file_name();
      const bool written = recorder.take("write", [&](Json&) { return session.write(file, "must be refused"); });
      if (written) recorder.take("clean up", [&](Json&) { return session.remove(file); });
    });
  }

  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
    if (auto trouble = judge_success(observation, "connect")) return *trouble;
    if (auto trouble = judge_success(observation, "list")) return *trouble;
    if (auto trouble = judge_known_files(observation, parameters.known_files)) return *trouble;
    if (auto trouble = judge_refusal(observation, "write", "read-only-share-is-writable")) return *trouble;
    const auto expected =
        fmt::format("{} reads '{}' and cannot write", parameters.account.user, parameters.account.share);
    return {Outcome::pass, "read-only", expected, describe_step(*find_step(observation, "write"))};
  }
};

}  // namespace

const Check& readonly() {
  static const Readonly instance;
  return instance;
}

}  // namespace patchlab::checks::smb
