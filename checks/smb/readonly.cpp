// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/readonly.hpp"

#include <fmt/format.h>

#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"

namespace patchlab::checks::smb {
namespace {

struct Parameters {
  Account account;
  std::map<std::string, std::string> known_files;
};

Parameters read(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Parameters parameters;
  parameters.account = read_account(reader);
  parameters.known_files = read_known_files(reader);
  reader.finish();
  return parameters;
}

Parameters read_valid(const Json& json) {
  std::vector<JsonProblem> ignored;  // validate() has reported them
  return read(json, "", ignored);
}

class Readonly final : public Check {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.readonly"; }

  void validate(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) const override {
    (void)read(json, pointer, problems);
  }

  [[nodiscard]] Result<Observation> observe(const Target& target, const Json& json,
                                            Milliseconds deadline) const override {
    const auto parameters = read_valid(json);
    return observe_steps(target, parameters.account, deadline, [parameters](StepRecorder& recorder, Session& session) {
      const auto& share = parameters.account.share;
      if (!take_list(recorder, session, "list", share)) return;
      if (!take_known_files(recorder, session, share, parameters.known_files)) return;
      const auto file = share + "/" + random_file_name();
      const bool written = recorder.take("write", [&](Json&) { return session.write(file, "must be refused"); });
      if (written) recorder.take("clean up", [&](Json&) { return session.remove(file); });
    });
  }

  [[nodiscard]] Judgement judge(const Json& json, const Observation& observation) const override {
    const auto parameters = read_valid(json);
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
