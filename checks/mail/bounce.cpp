// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/bounce.hpp"

#include <fmt/format.h>
#include <linux/capability.h>

#include "checks/check_with.hpp"
#include "checks/mail/delivery_status.hpp"
#include "checks/mail/parameters.hpp"
#include "checks/mail/refusing_server.hpp"
#include "checks/mail/submission.hpp"
#include "checks/unique.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::size_t sample_bytes = 16384;  // of what came back, for the reader
constexpr std::uint16_t first_free_port = 1024;

struct Parameters {
  Server server;
  std::string mailbox;
  Submission submission;  // `to` is empty: a new recipient at the client's address
  std::uint16_t listen_port = 25;
  bool client_refuses = true;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.server = read_server(reader);
  with.submission.user = read_plain_text(reader, "user");
  with.submission.password = read_plain_text(reader, "password");
  with.submission.from = read_mail_address(reader, "from");
  with.mailbox = reader.text_or("mailbox", "INBOX", why_not_one_line);
  const auto refused_by = reader.text_or("refused_by", "client", [](const std::string& word) {
    return word == "client" || word == "server" ? ""
                                                : fmt::format("must be \"client\" or \"server\", found \"{}\"", word);
  });
  with.client_refuses = refused_by != "server";
  if (!with.client_refuses || reader.has("to")) with.submission.to = read_mail_address(reader, "to");
  if (with.client_refuses)
    with.listen_port = static_cast<std::uint16_t>(reader.integer_or("listen_port", 25, 1, 65535));
  return with;
}

void collect(const Target& target, const Parameters& with, const std::string& unique, Deadline deadline,
             Json& observation) {
  StageLog log;
  ImapClient imap(deadline, log);
  auto& about = observation["imap"] = Json::object();
  int searches = 0;
  if (imap.connect(target.address, with.server.imap_port, with.server.imap_security, with.server.certificate) &&
      imap.login(with.submission.user, with.submission.password) && imap.select(with.mailbox)) {
    if (const auto found = await_message([&] { return imap.search_text(unique); }, deadline, searches)) {
      about["found"] = *found;
      if (!found->empty()) {
        const auto text = imap.fetch(found->front());
        if (text) {
          const auto [header, body] = split_message(*text);
          observation["returned"] = {{"header", to_valid_utf8(std::string_view(header).substr(0, sample_bytes))},
                                     {"body", to_valid_utf8(std::string_view(body).substr(0, sample_bytes))},
                                     {"report", describe_report(*text)}};
        }
        // All of them: one that is left would be found by nobody.
        bool removed = text.has_value();
        for (const auto& uid : *found) removed = removed && imap.remove(uid);
        if (removed) {
          if (const auto rest = imap.search_text(unique)) about["left_after_delete"] = rest->size();
        }
      }
    }
    imap.logout();
  }
  about["searches"] = searches;
  about["stages"] = log.entries();
  about["tls"] = imap.tls();
}

Json described(const RefusingServer& elsewhere) {
  auto refused = Json::array();
  for (const auto& refusal : elsewhere.refusals()) refused.push_back({{"from", refusal.from}, {"to", refusal.to}});
  return {{"connections", elsewhere.connections()},
          {"listened_ms", elsewhere.listened().count()},
          {"refused", std::move(refused)}};
}

Judgement failure(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

Judgement judge_nothing(const Parameters& with, const Json& observation) {
  const auto to = observation.at("sent").value("to", "");
  const auto expected = fmt::format("what {} cannot get comes back to {}", to, with.submission.from);
  const auto searches = observation.at("imap").value("searches", 0);
  if (!with.client_refuses) return failure("no-bounce", expected, fmt::format("not there after {} searches", searches));
  const auto elsewhere = observation.value("elsewhere", Json::object());
  const auto refused = elsewhere.value("refused", Json::array());
  const bool was_refused = std::any_of(refused.begin(), refused.end(),
                                       [&](const Json& one) { return names_recipient(one.value("to", ""), to); });
  if (was_refused)
    return failure("no-bounce", expected,
                   fmt::format("refused where it was for; not there after {} searches", searches));
  return failure("not-handed-on",
                 fmt::format("the server brings the message to port {} of where {} is", with.listen_port, to),
                 fmt::format("{} connections in {} ms, none for this recipient; nothing came back either",
                             elsewhere.value("connections", 0), elsewhere.value("listened_ms", 0)));
}

// Postfix writes the second for a program that takes the mail in (pipe(8), flag R). A real sender has a domain.
bool is_null_path(const std::string& path) { return path == "<>" || lower_case(path) == "<mailer-daemon>"; }

std::optional<Judgement> judge_report(const Json& sent, const Json& report) {
  const auto to = lower_case(sent.value("to", ""));
  // RFC 5321 section 4.5.5: what reports has no sender, so that nothing is reported of it in turn.
  if (const auto path = report.value("return_path", "<>"); !is_null_path(path))
    return failure("bounce-has-a-sender", "Return-Path: <>", path);
  if (report.value("type", "") != "multipart/report" || report.value("report_type", "") != "delivery-status" ||
      !report.contains("recipients"))
    return failure("bounce-is-no-report", "multipart/report of delivery-status, with a part of that",
                   fmt::format("{}, {}, parts {}", report.value("type", "no type"),
                               report.value("report_type", "no type of report"), report.at("parts").dump()));
  const auto& recipients = report.at("recipients");
  const auto ours = std::find_if(recipients.begin(), recipients.end(), [&](const Json& one) {
    return lower_case(one.value("recipient", "")) == to || lower_case(one.value("original", "")) == to;
  });
  if (ours == recipients.end()) return failure("bounce-of-another-recipient", "a report of " + to, recipients.dump());
  if (ours->value("action", "") != "failed" || !ours->value("status", "").starts_with("5."))
    return failure("bounce-without-failure", "Action: failed, Status: 5.x.x",
                   fmt::format("Action: {}, Status: {}", ours->value("action", "none"), ours->value("status", "none")));
  const auto id = sent.value("message_id", "");
  if (report.value("returned_id", "") != id)
    return failure("bounce-without-message", "it says which message: Message-ID " + id,
                   report.contains("returned_id") ? report.at("returned_id").get<std::string>() : "none");
  return std::nullopt;
}

class Bounce final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "mail.bounce"; }
  std::vector<int> capabilities(const Json& parameters) const override {
    const bool listens = parameters.value("refused_by", "client") == "client";
    if (!listens || parameters.value("listen_port", 25) >= first_free_port) return {};
    return {CAP_NET_BIND_SERVICE};
  }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    const Deadline deadline(limit);
    const auto unique = unique_text();
    auto submission = with.submission;
    if (submission.to.empty()) submission.to = fmt::format("patchlab-{}@[{}]", unique, target.client_address);
    std::unique_ptr<RefusingServer> elsewhere;
    if (with.client_refuses) {
      // Machines of one department have one address for their clients, and wait for each other's port.
      PATCHLAB_ASSIGN(elsewhere,
                      RefusingServer::listen(target.client_address, with.listen_port, deadline.within(limit / 2),
                                             RefusingServer::Work{submission.to, limit / 3}));
    }
    const auto message = probe_message(unique, submission.from, submission.to, message_date(std::time(nullptr)));
    Json observation;
    observation["sent"] = {{"message_id", message.id}, {"to", submission.to}};
    StageLog log;
    SmtpClient smtp(deadline, log);
    const bool accepted = submit(smtp, target.address, with.server, submission, message);
    smtp.quit();
    observation["smtp"] = {{"stages", log.entries()}, {"capabilities", smtp.capabilities()}, {"tls", smtp.tls()}};
    if (accepted) collect(target, with, unique, deadline, observation);
    if (elsewhere) observation["elsewhere"] = described(*elsewhere);
    return observation;
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto stages_of = [&](const char* protocol) {
      return observation.value(protocol, Json::object()).value("stages", Json());
    };
    if (auto bad = judge_stages("smtp", submission_stages(with.submission), stages_of("smtp"))) return *bad;
    const auto stages = stages_of("imap");
    if (auto bad = judge_stages("imap", mailbox_stages(with.server.imap_security), stages)) return *bad;
    const auto& imap = observation.at("imap");
    if (!imap.contains("found")) return *judge_stages("imap", {{"search", {"OK"}}}, stages);
    const auto count = imap.at("found").size();
    if (count == 0) return judge_nothing(with, observation);
    if (auto bad = judge_stages("imap", {{"fetch", {"OK"}}}, stages)) return *bad;
    const auto report = observation.at("returned").at("report");
    if (auto bad = judge_report(observation.at("sent"), report)) return *bad;
    if (count > 1) return failure("bounced-more-than-once", "one report", fmt::format("there {} times", count));
    if (auto bad = judge_stages("imap", {{"delete", {"OK"}}, {"expunge", {"OK"}}}, stages)) return *bad;
    if (!imap.contains("left_after_delete")) return *judge_stages("imap", {{"search", {"OK"}}}, stages);
    if (imap.at("left_after_delete") != 0)
      return failure("not-deleted", "the report is gone after EXPUNGE", "it can still be found");
    return {Outcome::pass, "returned", fmt::format("what cannot be delivered comes back to {}", with.submission.from),
            fmt::format("a report of the failure, after {} searches", imap.value("searches", 0))};
  }
};

}  // namespace

const Check& bounce() {
  static const Bounce check;
  return check;
}

}  // namespace patchlab::checks::mail
