// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/encryption.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "checks/check_with.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"

namespace patchlab::checks::smb {
namespace {

struct Parameters {
  Account account;
  bool required = false;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.account = read_account(reader);
  parameters.required = reader.text_or("encryption", "not-required", [](const std::string& word) {
    return word == "required" || word == "not-required"
               ? ""
               : fmt::format("must be \"required\" or \"not-required\", found \"{}\"", word);
  }) == "required";
  return parameters;
}

class EncryptionSeen final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.encryption"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds deadline) const override {
    const auto share = parameters.account.share;
    return observe_steps_of_two(target, parameters.account, deadline,
                                [share](StepRecorder& recorder, Session& session, const AnotherSession& another) {
                                  if (!take_list(recorder, session, "list", share)) return;
                                  auto plain = another(recorder, Encryption::never);
                                  if (plain) take_list(recorder, *plain, "list plain", share);
                                });
  }

  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
    for (const char* step : {"connect", "list"}) {
      if (auto trouble = judge_success(observation, step)) return *trouble;
    }
    const auto expected = parameters.required ? std::string("a client without encryption is refused")
                                              : std::string("a client without encryption gets in");
    if (parameters.required) {
      if (auto trouble = judge_refusal(observation, "list plain", "plain-accepted")) return *trouble;
    } else if (auto trouble = judge_success(observation, "list plain")) {
      if (trouble->reason == "list-plain-failed" && is_refused(observation)) trouble->reason = "plain-refused";
      return *trouble;
    }
    return {Outcome::pass, "as-expected", expected, describe_step(*find_step(observation, "list plain"))};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*parameters*/, Observation& observation,
                                    Json& json) const override {
    json["encryption"] = is_refused(observation) ? "required" : "not-required";
    return {};
  }

 private:
  static bool is_refused(const Observation& observation) {
    return find_step(observation, "list plain") != nullptr && !judge_refusal(observation, "list plain", "got-in");
  }
};

}  // namespace

const Check& encryption() {
  static const EncryptionSeen instance;
  return instance;
}

}  // namespace patchlab::checks::smb
