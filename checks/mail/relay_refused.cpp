// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/relay_refused.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/mail/parameters.hpp"
#include "checks/mail/smtp_client.hpp"
#include "checks/mail/stage_judge.hpp"

namespace patchlab::checks::mail {
namespace {

struct Parameters {
  std::uint16_t smtp_port = 25;
  // RFC 2606: names below .invalid exist nowhere.
  std::string from = "probe@outside.invalid";
  std::string to = "victim@elsewhere.invalid";
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.smtp_port = static_cast<std::uint16_t>(reader.integer_or("smtp_port", 25, 1, 65535));
  if (reader.has("from")) parameters.from = read_mail_address(reader, "from");
  if (reader.has("to")) parameters.to = read_mail_address(reader, "to");
  return parameters;
}

const Json* stage_entry(const Json& stages, const std::string& stage) {
  for (const auto& entry : stages) {
    if (entry.is_object() && entry.value("stage", "") == stage) return &entry;
  }
  return nullptr;
}

std::string quoted(const Json& entry) {
  return fmt::format("{} answered {} {}", entry.value("stage", ""), entry.value("answer", ""),
                     entry.value("reply", ""));
}

Judgement judge_request(const Json& stages, const std::string& expected) {
  const auto* mail = stage_entry(stages, "mail");
  const auto* rcpt = stage_entry(stages, "rcpt");
  const auto* last = rcpt != nullptr ? rcpt : mail;
  if (last == nullptr) {
    return {Outcome::error, "observation-incomplete", expected, "the observation has neither MAIL nor RCPT"};
  }
  if (last->contains("trouble")) {
    return {Outcome::fail, "relay-no-answer", expected,
            fmt::format("{}: {}", last->value("stage", ""), last->value("reply", ""))};
  }
  const auto answer = last->value("answer", "");
  if (answer.starts_with('5')) return {Outcome::pass, "relay-refused", expected, quoted(*last)};
  if (answer.starts_with('4')) return {Outcome::fail, "relay-deferred", expected, quoted(*last)};
  if (answer.starts_with('2') && last == rcpt) return {Outcome::fail, "open-relay", expected, quoted(*last)};
  return {Outcome::fail, "relay-answer-unexpected", expected, quoted(*last)};
}

class RelayRefused final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "mail.relay-refused"; }
  bool wants_a_refusal() const override { return true; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    StageLog log;
    SmtpClient smtp(Deadline(limit), log);
    if (smtp.connect(target.address, with.smtp_port) && smtp.ehlo("ehlo") &&
        smtp.command("mail", fmt::format("MAIL FROM:<{}>", with.from), '2')) {
      smtp.command("rcpt", fmt::format("RCPT TO:<{}>", with.to), '2');
    }
    smtp.quit();
    return Json{{"smtp", {{"stages", log.entries()}, {"capabilities", smtp.capabilities()}}}};
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto stages = observation.value("smtp", Json::object()).value("stages", Json::array());
    if (auto bad = judge_stages("smtp", {{"connect", {}}, {"banner", {"220"}}, {"ehlo", {"250"}}}, stages)) return *bad;
    return judge_request(stages, fmt::format("mail from {} to {} refused with 5xx", with.from, with.to));
  }
};

}  // namespace

const Check& relay_refused() {
  static const RelayRefused check;
  return check;
}

}  // namespace patchlab::checks::mail
