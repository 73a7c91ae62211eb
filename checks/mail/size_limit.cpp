// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/size_limit.hpp"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

#include "checks/check_with.hpp"
#include "checks/mail/message.hpp"
#include "checks/mail/parameters.hpp"
#include "checks/mail/server.hpp"
#include "checks/mail/smtp_client.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::int64_t largest_limit = std::int64_t{1} << 40;
constexpr std::int64_t largest_sent = 64 << 20;

struct Parameters {
  std::int64_t limit = 0;
  std::string from;
  std::string to;
  std::uint16_t smtp_port = 25;
  Certificate certificate = Certificate::any;
  std::string user;
  std::string password;
  bool send = false;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.limit = reader.integer("limit", 1, largest_limit);
  with.from = read_mail_address(reader, "from");
  with.to = read_mail_address(reader, "to");
  with.smtp_port = static_cast<std::uint16_t>(reader.integer_or("smtp_port", 25, 1, 65535));
  with.certificate = read_certificate(reader);
  if (reader.has("user") || reader.has("password")) {
    with.user = read_plain_text(reader, "user");
    with.password = read_plain_text(reader, "password");
  }
  with.send = reader.boolean_or("send", false);
  if (with.send && with.limit > largest_sent)
    reader.problem("send", fmt::format("a message is sent up to a limit of {} bytes", largest_sent));
  return with;
}

std::optional<std::int64_t> announced(const SmtpClient& smtp) {
  constexpr std::string_view word = "SIZE ";
  for (const auto& capability : smtp.capabilities()) {
    if (!capability.starts_with(word)) continue;
    std::int64_t size = 0;
    const auto* end = capability.data() + capability.size();
    const auto parsed = std::from_chars(capability.data() + word.size(), end, size);
    if (parsed.ec == std::errc() && parsed.ptr == end) return size;
  }
  return std::nullopt;
}

// A message of more than the limit, of which nothing is said before it comes.
void send_too_much(SmtpClient& smtp, const Parameters& with) {
  const auto message = probe_message(unique_text(), with.from, with.to, message_date(std::time(nullptr)),
                                     static_cast<std::size_t>(with.limit) + 1);
  if (smtp.command("mail", fmt::format("MAIL FROM:<{}>", with.from), '2') &&
      smtp.command("rcpt", fmt::format("RCPT TO:<{}>", with.to), '2') && smtp.command("data", "DATA", '3'))
    smtp.send_data(as_smtp_data(message.text()));
}

std::vector<ExpectedStage> stages_before(const Parameters& with) {
  if (with.user.empty()) return {{"connect", {}}, {"banner", {"220"}}, {"ehlo", {"250"}}};
  auto stages = smtp_stages_before_auth();
  stages.push_back({"auth", {"235"}});
  return stages;
}

// A refusal for good of what is too large.
std::optional<Judgement> judge_refusal(const std::string& stage, const std::string& expected, const Json& stages) {
  const auto trouble = judge_stages("smtp", {{stage, {"250"}}}, stages);
  if (!trouble) return Judgement{Outcome::fail, "too-large-accepted", expected, "the server takes it"};
  if (trouble->reason == fmt::format("smtp-{}-refused", stage)) return std::nullopt;
  if (trouble->reason == fmt::format("smtp-{}-deferred", stage))
    return Judgement{Outcome::fail, "too-large-deferred", expected, trouble->observed};
  if (trouble->reason == fmt::format("smtp-{}-unexpected", stage))
    return Judgement{Outcome::fail, "too-large-unexpected", expected, trouble->observed};
  return trouble;
}

class SizeLimit final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "mail.size-limit"; }
  bool wants_a_refusal() const override { return true; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    StageLog log;
    SmtpClient smtp(Deadline(limit), log);
    Json observation;
    bool is_ready = smtp.connect(target.address, with.smtp_port) && smtp.ehlo("ehlo");
    if (is_ready && !with.user.empty())
      is_ready = smtp.secure(with.certificate) && smtp.authenticate(with.user, with.password);
    if (is_ready) {
      const auto size = announced(smtp);
      if (size) observation["announced"] = *size;
      // At what is announced now: a limit that is another is told as that, and this stays true.
      const auto most = size.value_or(with.limit);
      const auto ask = [&](const std::string& stage, std::int64_t bytes) {
        return smtp.command(stage, fmt::format("MAIL FROM:<{}> SIZE={}", with.from, bytes), '2');
      };
      if (ask("under", most)) smtp.command("rset", "RSET", '2');
      if (ask("over", most + 1)) smtp.command("rset-over", "RSET", '2');
      if (with.send) send_too_much(smtp, with);
    }
    smtp.quit();
    observation["smtp"] = {{"stages", log.entries()}, {"capabilities", smtp.capabilities()}, {"tls", smtp.tls()}};
    return observation;
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto stages = observation.at("smtp").at("stages");
    if (auto bad = judge_stages("smtp", stages_before(with), stages)) return *bad;
    const auto expected = fmt::format("a limit of {} bytes", with.limit);
    if (!observation.contains("announced"))
      return {Outcome::fail, "no-limit-announced", expected, "the answer to EHLO has no SIZE with a number"};
    if (observation.at("announced") != with.limit)
      return {Outcome::fail, "limit-differs", expected,
              fmt::format("SIZE {}", observation.at("announced").get<std::int64_t>())};
    if (auto bad = judge_stages("smtp", {{"under", {"250"}}}, stages)) return *bad;
    if (auto bad = judge_refusal("over", "a message that is said to be a byte larger is refused with 5xx", stages))
      return *bad;
    if (with.send) {
      if (auto bad = judge_stages("smtp", {{"mail", {"250"}}, {"rcpt", {"250", "251"}}, {"data", {"354"}}}, stages))
        return *bad;
      if (auto bad = judge_refusal("message", "a message that is larger is refused with 5xx", stages)) return *bad;
    }
    return {Outcome::pass, "as-announced", expected, "announced, taken at that, refused above"};
  }

  Result<void> expect(const Parameters& /*with*/, Observation& observation, Json& json) const override {
    if (observation.contains("announced") && observation.at("announced") != 0) {
      json["limit"] = observation.at("announced");
    } else if (observation.contains("announced")) {
      return Error{ErrorClass::check, "the server announces that it has no limit", {}};
    }
    return {};
  }
};

}  // namespace

const Check& size_limit() {
  static const SizeLimit check;
  return check;
}

}  // namespace patchlab::checks::mail
