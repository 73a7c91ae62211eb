// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <thread>

#include "checks/check_with.hpp"
#include "checks/mail/message.hpp"
#include "checks/mail/mime.hpp"
#include "checks/mail/parameters.hpp"
#include "checks/mail/pop3_client.hpp"
#include "checks/mail/server.hpp"
#include "checks/mail/submission.hpp"
#include "checks/unique.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::int64_t most_bytes = 16 << 20;
constexpr std::size_t sample_bytes = 16384;  // of a fetched body, for the reader; it is compared by digest

struct Parameters {
  Server server;
  std::string mailbox;
  Submission submission;
  std::size_t bytes = 0;
  bool exact = true;
  std::map<std::string, std::string> adds;  // header fields of the server's own
  bool by_pop3 = false;
  std::uint16_t pop3_port = 110;
  ImapSecurity pop3_security = ImapSecurity::starttls;
};

std::string read_word(JsonReader& reader, const std::string& key, const std::string& usual, const std::string& other) {
  return reader.text_or(key, usual, [&](const std::string& word) {
    return word == usual || word == other ? ""
                                          : fmt::format("must be \"{}\" or \"{}\", found \"{}\"", usual, other, word);
  });
}

std::map<std::string, std::string> read_adds(JsonReader& reader) {
  std::map<std::string, std::string> adds;
  if (!reader.has("adds")) return adds;
  const auto& raw = reader.raw("adds");
  if (!raw.is_object() || raw.empty()) {
    reader.problem("adds", "must be an object of header fields and their values, at least one");
    return adds;
  }
  for (const auto& [name, value] : raw.items()) {
    const bool is_name = !name.empty() && name.size() <= 76 &&
                         std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != ':'; });
    if (!is_name || !value.is_string() || !why_not_one_line(value.get<std::string>()).empty())
      reader.problem("adds",
                     fmt::format("'{}' must be the name of a header field, and its value one line of text", name));
    else
      adds[name] = value.get<std::string>();
  }
  return adds;
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.server = read_server(reader);
  auto& submission = parameters.submission;
  submission.user = read_plain_text(reader, "user");
  submission.password = read_plain_text(reader, "password");
  parameters.mailbox = reader.text_or("mailbox", "INBOX", why_not_one_line);
  submission.from = read_mail_address(reader, "from");
  submission.to = read_mail_address(reader, "to");
  parameters.bytes = static_cast<std::size_t>(reader.integer_or("bytes", 0, 0, most_bytes));
  parameters.exact = reader.boolean_or("exact", true);
  parameters.adds = read_adds(reader);
  submission.login = reader.boolean_or("smtp_login", true);
  submission.tls = read_word(reader, "smtp_tls", "starttls", "none") == "starttls";
  if (submission.login && !submission.tls)
    reader.problem("smtp_tls", "no password goes over the wire in clear: say \"smtp_login\": false");
  parameters.by_pop3 = read_word(reader, "read_by", "imap", "pop3") == "pop3";
  parameters.pop3_port = static_cast<std::uint16_t>(reader.integer_or("pop3_port", 110, 1, 65535));
  parameters.pop3_security = read_security(reader, "pop3_tls", parameters.pop3_port, 995);
  return parameters;
}

// Offset of the first byte that differs, or -1.
std::int64_t first_difference(const std::string& a, const std::string& b) {
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return ends.first == a.end() && ends.second == b.end() ? -1 : ends.first - a.begin();
}

std::string around(const std::string& text, std::int64_t offset) {
  const auto start = std::max<std::int64_t>(0, offset - 20);
  return to_valid_utf8(std::string_view(text).substr(std::min(text.size(), static_cast<std::size_t>(start)), 60));
}

// The first and the last line of a message's text, which no other has.
std::vector<std::string> lines_of_the_ends(const Message& message) {
  const auto first = message.body.substr(0, message.body.find("\r\n"));
  const auto from = message.body.find("last line ");
  return {first, message.body.substr(from, message.body.find("\r\n", from) - from)};
}

Json describe_fetched(const Message& sent, const std::string& text) {
  const auto [header, body] = split_message(text);
  Json fetched{{"bytes", text.size()},
               {"header", to_valid_utf8(header)},
               {"body", to_valid_utf8(std::string_view(body).substr(0, sample_bytes))},
               {"body_bytes", body.size()},
               {"body_sha256", sha256(body)}};
  const auto readable = readable_text(text);
  fetched["has_text"] = std::ranges::all_of(
      lines_of_the_ends(sent), [&](const std::string& line) { return readable.find(line) != std::string::npos; });
  if (const auto offset = first_difference(sent.body, body); offset >= 0) {
    fetched["first_difference"] = {
        {"offset", offset}, {"sent", around(sent.body, offset)}, {"fetched", around(body, offset)}};
  }
  return fetched;
}

void fetch_and_remove(ImapClient& imap, const Message& message, const std::string& uid, Json& observation) {
  const auto text = imap.fetch(uid);
  if (text) observation["fetched"] = describe_fetched(message, *text);
  if (!text || !imap.remove(uid)) return;
  if (const auto rest = imap.search(message.id)) observation["imap"]["left_after_delete"] = rest->size();
}

void collect(const Target& target, const Parameters& with, const Message& message, Deadline deadline,
             Json& observation) {
  StageLog log;
  ImapClient imap(deadline, log);
  auto& about = observation["imap"] = Json::object();
  int searches = 0;
  if (imap.connect(target.address, with.server.imap_port, with.server.imap_security, with.server.certificate) &&
      imap.login(with.submission.user, with.submission.password) && imap.select(with.mailbox)) {
    if (const auto found = await_message([&] { return imap.search(message.id); }, deadline, searches)) {
      about["found"] = *found;
      if (!found->empty()) fetch_and_remove(imap, message, found->front(), observation);
    }
    imap.logout();
  }
  about["searches"] = searches;
  about["stages"] = log.entries();
  about["tls"] = imap.tls();
}

// Each look is a session of its own: one shows the mailbox as it was when it began. What is on record is the last one.
struct PopSession {
  PopSession(const Target& target, const Parameters& with, Deadline deadline) : pop3(deadline, log) {
    is_open = pop3.connect(target.address, with.pop3_port, with.pop3_security, with.server.certificate) &&
              pop3.login(with.submission.user, with.submission.password);
  }
  StageLog log;
  Pop3Client pop3;
  bool is_open = false;
};

std::unique_ptr<PopSession> await_in_pop3(const Target& target, const Parameters& with, const std::string& message_id,
                                          const Deadline& deadline, Json& about) {
  const auto give_up = deadline.within(deadline.remaining() * 4 / 5);
  for (int searches = 1;; ++searches) {
    auto session = std::make_unique<PopSession>(target, with, deadline);
    about["searches"] = searches;
    if (!session->is_open) return session;
    const auto found = session->pop3.find(message_id);
    if (found) about["found"] = *found;
    if (!found || !found->empty() || give_up.passed()) return session;
    session->pop3.quit();
    std::this_thread::sleep_for(std::min(Milliseconds(200), give_up.remaining()));
  }
}

void collect_by_pop3(const Target& target, const Parameters& with, const Message& message, Deadline deadline,
                     Json& observation) {
  auto& about = observation["pop3"] = Json::object();
  const auto session = await_in_pop3(target, with, message.id, deadline, about);
  const auto found = about.value("found", Json::array());
  if (session->is_open && !found.empty()) {
    const auto number = found.front().get<std::size_t>();
    const auto text = session->pop3.fetch(number);
    if (text) observation["fetched"] = describe_fetched(message, *text);
    if (text && session->pop3.remove(number) && session->pop3.quit()) {
      PopSession again(target, with, deadline);
      if (again.is_open) {
        if (const auto rest = again.pop3.find(message.id)) about["left_after_delete"] = rest->size();
        again.pop3.quit();
      }
      about["stages_after_delete"] = again.log.entries();
    }
  }
  about["stages"] = session->log.entries();
  about["tls"] = session->pop3.tls();
}

Judgement failure(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

std::vector<ExpectedStage> pop3_stages(ImapSecurity security) {
  auto stages = pop3_stages_before_login(security);
  stages.insert(stages.end(), {{"user", {"+OK"}}, {"pass", {"+OK"}}, {"list", {"+OK"}}});
  return stages;
}

std::optional<Judgement> judge_found(const std::string& protocol, const ExpectedStage& search, const Json& imap) {
  if (!imap.contains("found")) return judge_stages(protocol, {search}, imap.value("stages", Json()));
  const auto count = imap.at("found").size();
  if (count == 1) return std::nullopt;
  const auto expected = "the accepted message is in the mailbox once";
  if (count == 0) {
    return failure("not-delivered", expected, fmt::format("not there after {} searches", imap.value("searches", 0)));
  }
  return failure("delivered-more-than-once", expected, fmt::format("there {} times", count));
}

// A server that writes messages anew keeps what a reader knows them by.
bool is_looked_at(const Parameters& with, const std::string& header) {
  return with.exact || header == "Message-ID" || header == "Subject";
}

std::optional<Judgement> judge_added(const Parameters& with, const std::map<std::string, std::string>& fields) {
  for (const auto& [name, value] : with.adds) {
    const auto found = fields.find(lower_case(name));
    if (found != fields.end() && found->second == value) continue;
    return failure("header-not-added", fmt::format("{}: {}", name, value),
                   found == fields.end() ? "there is none" : fmt::format("{}: {}", name, found->second));
  }
  return std::nullopt;
}

std::optional<Judgement> judge_content(const Parameters& with, const Json& sent, const Json& fetched) {
  if (!with.exact && !fetched.value("has_text", false))
    return failure("body-altered", "a text with the first and the last line of what was sent",
                   fmt::format("{} bytes without them", fetched.value("body_bytes", 0)));
  if (with.exact && sent.value("body_sha256", "") != fetched.value("body_sha256", "?")) {
    std::string observed = fmt::format("{} bytes", fetched.value("body_bytes", 0));
    if (const auto difference = fetched.value("first_difference", Json()); difference.is_object()) {
      observed += fmt::format(", from offset {} on: '{}' instead of '{}'", difference.value("offset", 0),
                              difference.value("fetched", ""), difference.value("sent", ""));
    }
    return failure("body-altered", fmt::format("the body as sent ({} bytes)", sent.value("body_bytes", 0)), observed);
  }
  const auto fields = header_fields(fetched.value("header", ""));
  const auto headers = sent.value("headers", Json::object());
  for (const auto& [name, value] : headers.items()) {
    if (!is_looked_at(with, name)) continue;
    const auto key = header_fields(name + ": x").begin()->first;
    const auto found = fields.find(key);
    if (found != fields.end() && found->second == value.get<std::string>()) continue;
    return failure("header-altered", fmt::format("{}: {}", name, value.get<std::string>()),
                   found == fields.end() ? "this header is gone" : fmt::format("{}: {}", name, found->second));
  }
  return judge_added(with, fields);
}

class Delivery final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "mail.delivery"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    const Deadline deadline(limit);
    const auto message = probe_message(unique_text(), with.submission.from, with.submission.to,
                                       message_date(std::time(nullptr)), with.bytes);
    Json observation;
    observation["sent"] = {{"message_id", message.id},
                           {"headers", message.headers},
                           {"body_bytes", message.body.size()},
                           {"body_sha256", sha256(message.body)}};
    StageLog log;
    SmtpClient smtp(deadline, log);
    const bool accepted = submit(smtp, target.address, with.server, with.submission, message);
    smtp.quit();
    observation["smtp"] = {{"stages", log.entries()}, {"capabilities", smtp.capabilities()}, {"tls", smtp.tls()}};
    if (accepted) (with.by_pop3 ? collect_by_pop3 : collect)(target, with, message, deadline, observation);
    return observation;
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto smtp = observation.value("smtp", Json::object());
    if (auto bad = judge_stages("smtp", submission_stages(with.submission), smtp.value("stages", Json()))) return *bad;
    const std::string protocol = with.by_pop3 ? "pop3" : "imap";
    const auto box = observation.value(protocol, Json::object());
    const auto stages = box.value("stages", Json());
    const auto trouble = [&](const std::vector<ExpectedStage>& expected) {
      return judge_stages(protocol, expected, stages);
    };
    if (auto bad = trouble(with.by_pop3 ? pop3_stages(with.pop3_security) : mailbox_stages(with.server.imap_security)))
      return *bad;
    if (auto bad =
            judge_found(protocol, with.by_pop3 ? ExpectedStage{"top", {"+OK"}} : ExpectedStage{"search", {"OK"}}, box))
      return *bad;
    if (auto bad = trouble(with.by_pop3 ? std::vector<ExpectedStage>{{"retr", {"+OK"}}}
                                        : std::vector<ExpectedStage>{{"fetch", {"OK"}}}))
      return *bad;
    if (!observation.contains("fetched") && with.by_pop3) return *trouble({{"retr-text", {"+OK"}}});
    const auto sent = observation.value("sent", Json::object());
    if (auto bad = judge_content(with, sent, observation.value("fetched", Json::object()))) return *bad;
    if (auto bad = trouble(with.by_pop3 ? std::vector<ExpectedStage>{{"dele", {"+OK"}}, {"quit", {"+OK"}}}
                                        : std::vector<ExpectedStage>{{"delete", {"OK"}}, {"expunge", {"OK"}}}))
      return *bad;
    if (!box.contains("left_after_delete")) {
      if (!with.by_pop3) return *trouble({{"search", {"OK"}}});
      auto looking = pop3_stages(with.pop3_security);
      looking.push_back({"top", {"+OK"}});
      return *judge_stages(protocol, looking, box.value("stages_after_delete", Json()));
    }
    if (box.at("left_after_delete") != 0) {
      return failure("not-deleted",
                     with.by_pop3 ? "the message is gone after DELE and QUIT" : "the message is gone after EXPUNGE",
                     "it can still be found");
    }
    return {
        Outcome::pass, "delivered",
        with.exact ? "message accepted, delivered once, unaltered" : "message accepted, delivered once, with its text",
        fmt::format("body of {} bytes came back {} after {} searches", sent.value("body_bytes", 0),
                    with.exact ? "identical" : "with its text", box.value("searches", 0))};
  }
};

}  // namespace

const Check& delivery() {
  static const Delivery check;
  return check;
}

}  // namespace patchlab::checks::mail
