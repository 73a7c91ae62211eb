// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/login_refused.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checks/check_with.hpp"
#include "checks/mail/parameters.hpp"
#include "checks/mail/server.hpp"
#include "checks/mail/smtp_client.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::mail {
namespace {

struct Parameters {
  Server server;
  std::string user;
  bool tls_required = true;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = read_server(reader);
  parameters.user = read_plain_text(reader, "user");
  parameters.tls_required = reader.boolean_or("tls_required", true);
  return parameters;
}

bool asks_imap_in_clear(const Parameters& with) {
  return with.tls_required && with.server.imap_security != ImapSecurity::implicit;
}

Json try_smtp(const Target& target, const Parameters& with, const std::string& password, Deadline deadline) {
  StageLog log;
  SmtpClient smtp(deadline, log);
  Json seen;
  if (smtp.connect(target.address, with.server.smtp_port) && smtp.ehlo("ehlo")) {
    seen["offered_in_clear"] = smtp.capabilities();
    if (smtp.secure(with.server.certificate)) smtp.authenticate(with.user, password);
  }
  smtp.quit();
  seen["stages"] = log.entries();
  return seen;
}

Json try_imap(const Target& target, const Parameters& with, const std::string& password, Deadline deadline) {
  StageLog log;
  ImapClient imap(deadline, log);
  if (imap.connect(target.address, with.server.imap_port, with.server.imap_security, with.server.certificate)) {
    imap.login(with.user, password);
    imap.logout();
  }
  return {{"stages", log.entries()}};
}

Json ask_imap_in_clear(const Target& target, const Parameters& with, Deadline deadline) {
  StageLog log;
  ImapClient imap(deadline, log);
  Json seen;
  if (imap.connect(target.address, with.server.imap_port, ImapSecurity::none, with.server.certificate)) {
    if (const auto offered = imap.capabilities()) seen["offered_in_clear"] = *offered;
    imap.logout();
  }
  seen["stages"] = log.entries();
  return seen;
}

std::string reply_of(const Json& seen, const std::string& stage) {
  for (const auto& entry : seen.value("stages", Json::array())) {
    if (entry.value("stage", "") == stage) return entry.value("answer", "") + " " + entry.value("reply", "");
  }
  return {};
}

// `trouble` is what judge_stages says of a login that went well; a refusal is what is wanted here.
std::optional<Judgement> judge_login(const std::string& protocol, const std::string& stage, const std::string& good,
                                     const Json& seen, const std::string& expected) {
  const auto trouble = judge_stages(protocol, {{stage, {good}}}, seen.value("stages", Json()));
  const auto observed = reply_of(seen, stage);
  if (!trouble)
    return Judgement{Outcome::fail, "wrong-password-accepted", expected, protocol + " answered " + observed};
  if (trouble->reason == fmt::format("{}-{}-refused", protocol, stage)) return std::nullopt;
  if (trouble->reason == fmt::format("{}-{}-deferred", protocol, stage)) {
    return Judgement{Outcome::fail, "login-deferred", expected, protocol + " answered " + observed};
  }
  return trouble;
}

std::optional<Judgement> judge_clear_smtp(const Json& smtp) {
  for (const auto& capability : smtp.value("offered_in_clear", std::vector<std::string>{})) {
    if (!capability.starts_with("AUTH")) continue;
    return Judgement{Outcome::fail, "login-in-clear-offered", "SMTP offers no AUTH before TLS",
                     "it offers " + capability};
  }
  return std::nullopt;
}

std::optional<Judgement> judge_clear_imap(const Json& imap) {
  if (auto bad = judge_stages("imap", {{"connect", {}}, {"greeting", {"OK"}}, {"capability", {"OK"}}},
                              imap.value("stages", Json()))) {
    return bad;
  }
  const auto offered = imap.value("offered_in_clear", std::vector<std::string>{});
  if (std::find(offered.begin(), offered.end(), "LOGINDISABLED") != offered.end()) return std::nullopt;
  return Judgement{Outcome::fail, "login-in-clear-offered", "IMAP says LOGINDISABLED before TLS",
                   fmt::format("it offers {}", fmt::join(offered, " "))};
}

class LoginRefused final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "mail.login-refused"; }
  bool wants_a_refusal() const override { return true; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    const Deadline deadline(limit);
    const auto password = unique_text();
    Json observation{{"smtp", try_smtp(target, with, password, deadline)},
                     {"imap", try_imap(target, with, password, deadline)}};
    if (asks_imap_in_clear(with)) observation["imap_in_clear"] = ask_imap_in_clear(target, with, deadline);
    return observation;
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto expected = fmt::format("a wrong password of '{}' is refused", with.user);
    const auto smtp = observation.value("smtp", Json::object());
    if (auto bad = judge_stages("smtp", smtp_stages_before_auth(), smtp.value("stages", Json()))) return *bad;
    if (auto bad = judge_login("smtp", "auth", "235", smtp, expected)) return *bad;
    const auto imap = observation.value("imap", Json::object());
    if (auto bad =
            judge_stages("imap", imap_stages_before_login(with.server.imap_security), imap.value("stages", Json()))) {
      return *bad;
    }
    if (auto bad = judge_login("imap", "login", "OK", imap, expected)) return *bad;
    if (with.tls_required) {
      if (auto bad = judge_clear_smtp(smtp)) return *bad;
    }
    if (asks_imap_in_clear(with)) {
      if (auto bad = judge_clear_imap(observation.value("imap_in_clear", Json::object()))) return *bad;
    }
    return {Outcome::pass, "login-refused", expected,
            fmt::format("SMTP {}; IMAP {}", reply_of(smtp, "auth"), reply_of(imap, "login"))};
  }
};

}  // namespace

const Check& login_refused() {
  static const LoginRefused check;
  return check;
}

}  // namespace patchlab::checks::mail
