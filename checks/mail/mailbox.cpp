// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/mailbox.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "checks/check_with.hpp"
#include "checks/mail/message.hpp"
#include "checks/mail/parameters.hpp"
#include "checks/mail/server.hpp"
#include "checks/unique.hpp"
#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::array ways_to_find{"message-id", "flags", "subject", "text"};
constexpr const char* flags_given = R"(\Seen \Answered \Flagged)";
const std::vector<std::string> flags_expected{"\\ANSWERED", "\\FLAGGED", "\\SEEN"};
constexpr std::size_t longest_told = 200;
constexpr std::size_t most_done_with = 20;  // a memory is small

struct Parameters {
  Server server;
  std::string user;
  std::string password;
  std::string mailbox;
  std::vector<std::string> found_by;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.user = read_plain_text(reader, "user");
  with.password = read_plain_text(reader, "password");
  with.mailbox = reader.text_or("mailbox", "INBOX", why_not_one_line);
  with.server.imap_port = static_cast<std::uint16_t>(reader.integer_or("imap_port", 143, 1, 65535));
  with.server.imap_security = read_security(reader, "imap_tls", with.server.imap_port, 993);
  with.server.certificate = read_certificate(reader);
  with.found_by = {ways_to_find.begin(), ways_to_find.end()};
  if (reader.has("found_by")) {
    with.found_by = reader.texts_or_empty("found_by", [](const std::string& way) {
      return std::ranges::count(ways_to_find, way) == 1
                 ? ""
                 : fmt::format("must be of \"{}\"", fmt::join(ways_to_find, "\", \""));
    });
    if (with.found_by.empty()) reader.problem("found_by", "must name at least one");
  }
  return with;
}

// What is searched for, as people would write it.
std::string subject_of(const std::string& unique) { return "Grüße " + unique; }
std::string text_of(const std::string& unique) { return "Größere Prüfung " + unique; }

// A subject by RFC 2047, a name of a file by RFC 2231, a line of 998 bytes, a text in base64 and bytes that are none.
std::string odd_message(const std::string& unique, const std::string& id, const std::string& date) {
  const auto boundary = "patchlab-part-" + unique;
  std::string bytes;
  for (int i = 1; i < 256; ++i) bytes += static_cast<char>(i);
  return fmt::format(
      "Message-ID: {0}\r\n"
      "Date: {1}\r\n"
      "From: =?ISO-8859-1?Q?patchlab_Pr=FCfung?= <probe@outside.invalid>\r\n"
      "To: undisclosed-recipients:;\r\n"
      "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_{2}?=\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=\"{3}\"\r\n"
      "\r\n"
      "--{3}\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "\r\n"
      "{4}\r\n"
      "--{3}\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n"
      "\r\n"
      "{5}\r\n"
      "--{3}\r\n"
      "Content-Type: application/octet-stream\r\n"
      "Content-Disposition: attachment; filename*0*=UTF-8''Pr%C3%BC; filename*1*=fung.bin\r\n"
      "Content-Transfer-Encoding: base64\r\n"
      "\r\n"
      "{6}\r\n"
      "--{3}--\r\n",
      id, date, unique, boundary, base64(text_of(unique) + "\r\n"), std::string(998, 'x'), base64(bytes));
}

std::string message_id(const std::string& unique) { return fmt::format("<patchlab-{}@probe.invalid>", unique); }

// One session, whose stages are on record.
struct Session {
  Session(const Target& target, const Parameters& with, Deadline deadline) : imap(deadline, log) {
    is_open = imap.connect(target.address, with.server.imap_port, with.server.imap_security, with.server.certificate) &&
              imap.login(with.user, with.password) && imap.select(with.mailbox);
  }
  StageLog log;
  ImapClient imap;
  bool is_open = false;
};

std::optional<std::vector<std::string>> search(ImapClient& imap, const std::string& way, const std::string& unique) {
  if (way == "message-id") return imap.search(message_id(unique));
  if (way == "flags") return imap.search_for("FLAGGED ANSWERED HEADER Message-ID", message_id(unique));
  return way == "subject" ? imap.search_for("SUBJECT", subject_of(unique)) : imap.search_for("BODY", text_of(unique));
}

// Nothing: a stage went wrong, which the log says.
std::optional<Json> look(ImapClient& imap, const Parameters& with, const std::string& unique) {
  Json seen{{"uid_validity", to_valid_utf8(imap.uid_validity())}, {"found", Json::object()}};
  std::string uid;
  auto ways = with.found_by;
  ways.insert(ways.begin(), "message-id");
  for (const auto& way : ways) {
    const auto found = search(imap, way, unique);
    if (!found) return std::nullopt;
    seen["found"][way] = *found;
    if (uid.empty() && found->size() == 1) uid = found->front();
  }
  if (uid.empty()) return seen;
  const auto flags = imap.flags(uid);
  const auto text = flags ? imap.fetch(uid) : std::nullopt;
  if (!text) return std::nullopt;
  seen.update({{"flags", *flags}, {"sha256", sha256(*text)}});
  return seen;
}

// What this check left in an earlier phase.
struct Kept {
  std::string unique;
  std::string uid;
  std::string uid_validity;
  std::string digest;
  std::vector<std::string> done_with;  // messages that may still be there, and which no try will look for
};
std::optional<Kept> kept_in(const Json& memory) {
  if (!memory.is_object()) return std::nullopt;
  return Kept{memory.value("unique", ""), memory.value("uid", ""), memory.value("uid_validity", ""),
              memory.value("sha256", ""), memory.value("done_with", std::vector<std::string>())};
}

Json memory_of(const Kept& kept) {
  const auto& names = kept.done_with;
  const auto newest = static_cast<std::ptrdiff_t>(std::min(names.size(), most_done_with));
  return {{"unique", kept.unique},
          {"uid", kept.uid},
          {"uid_validity", kept.uid_validity},
          {"sha256", kept.digest},
          {"done_with", std::vector<std::string>(names.end() - newest, names.end())}};
}

bool look_at_kept(ImapClient& imap, const Parameters& with, const Kept& kept, Json& observation) {
  auto& about = observation["kept"] = {{"message_id", message_id(kept.unique)},
                                       {"uid", kept.uid},
                                       {"uid_validity", kept.uid_validity},
                                       {"sha256", kept.digest}};
  const auto now = look(imap, with, kept.unique);
  if (now) about["now"] = *now;
  return now.has_value();
}

// Whether it is sure that it is gone, or that it stays; else a stage went wrong, which the log says.
bool remove(ImapClient& imap, const std::string& unique, Json& observation) {
  const auto found = imap.search(message_id(unique));
  if (!found) return false;
  if (found->empty()) return true;  // an earlier try did, and lost its connection
  for (const auto& uid : *found) {
    if (!imap.remove(uid)) return false;
  }
  const auto rest = imap.search(message_id(unique));
  if (rest) observation["left_after_delete"] = observation.value("left_after_delete", std::size_t{0}) + rest->size();
  return rest.has_value();
}

Judgement failure(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

std::optional<Judgement> judge_seen(const Parameters& with, const std::string& when, const std::string& digest,
                                    const Json& seen) {
  const auto& found = seen.at("found");
  const auto ids = found.at("message-id").get<std::vector<std::string>>();
  if (ids.empty()) return failure(when + "not-kept", "the message is in the mailbox", "it is not there");
  if (ids.size() > 1)
    return failure(when + "found-more-than-once", "one message", fmt::format("there {} times", ids.size()));
  for (const auto& way : with.found_by) {
    const auto uids = found.at(way).get<std::vector<std::string>>();
    if (uids != ids)
      return failure(when + "not-found-by-" + way, fmt::format("a search finds message {}", ids.front()),
                     uids.empty() ? "nothing" : fmt::format("{}", fmt::join(uids, ", ")).substr(0, longest_told));
  }
  const auto flags = seen.at("flags").get<std::vector<std::string>>();
  if (flags != flags_expected)
    return failure(when + "flags-differ", fmt::format("{}", fmt::join(flags_expected, " ")),
                   fmt::format("{}", fmt::join(flags, " ")).substr(0, longest_told));
  if (seen.at("sha256") != digest)
    return failure(when + "message-altered", "SHA-256 " + digest, seen.at("sha256").get<std::string>());
  return std::nullopt;
}

std::optional<Judgement> judge_kept(const Parameters& with, const Json& kept, const Json& stages) {
  if (!kept.contains("now"))
    return judge_stages("imap", {{"search", {"OK"}}}, stages);  // what went wrong has the first entry, see below
  const auto& now = kept.at("now");
  if (auto bad = judge_seen(with, "over-restart-", kept.value("sha256", ""), now)) return bad;
  const auto uid = now.at("found").at("message-id").front().get<std::string>();
  if (now.at("uid_validity") != kept.at("uid_validity") || uid != kept.at("uid"))
    return failure("uids-are-new",
                   fmt::format("message {} of UIDVALIDITY {}", kept.value("uid", ""), kept.value("uid_validity", "")),
                   fmt::format("message {} of UIDVALIDITY {}", uid, now.value("uid_validity", "")));
  return std::nullopt;
}

// Looks for what an earlier try kept, then for what this one sent. Deleted is only what no memory names: whether the
// answer of this try arrives is not known here, and if it is lost, the next try has the same memory as this one. So
// what was kept before stays until a try is asked that remembers the newer one. What is not as it was left is asked for
// again.
void revisit(ImapClient& imap, const Parameters& with, const std::optional<Kept>& before, Kept sent,
             Json& observation) {
  if (before) {
    auto still = *before;
    still.done_with.push_back(sent.unique);
    observation["memory"] = memory_of(still);
    if (!look_at_kept(imap, with, *before, observation)) return;
  }
  const auto again = look(imap, with, sent.unique);
  if (!again) return;
  observation["again"] = *again;
  const auto found = again->at("found").at("message-id").get<std::vector<std::string>>();
  const bool is_certain = found.size() == 1 && !again->value("uid_validity", "").empty();
  const bool is_as_kept = !before || !judge_kept(with, observation.at("kept"), Json::array());
  const bool takes_over = is_certain && is_as_kept;
  if (!takes_over && !before) return;
  auto done_with = before ? before->done_with : std::vector<std::string>();
  if (takes_over) {
    sent.uid = found.front();
    sent.uid_validity = again->at("uid_validity").get<std::string>();
  } else {
    done_with.push_back(sent.unique);
  }
  auto next = takes_over ? sent : *before;
  while (!done_with.empty() && remove(imap, done_with.back(), observation)) done_with.pop_back();
  next.done_with = std::move(done_with);
  if (takes_over && before) next.done_with.push_back(before->unique);
  observation["memory"] = memory_of(next);
}

// The first stage that did not go well.
std::optional<Judgement> judge_trouble(const Json& stages) {
  for (const auto& entry : stages) {
    const auto stage = entry.value("stage", "");
    const bool answers = stage != "connect" && stage != "tls" && stage != "logout";
    if (stage == "logout") continue;
    if (auto bad =
            judge_stages("imap", {{stage, answers ? std::vector<std::string>{"OK"} : std::vector<std::string>{}}},
                         Json::array({entry})))
      return bad;
  }
  return std::nullopt;
}

class Mailbox final : public CheckWith<Parameters> {
 public:
  std::string kind() const override { return "mail.mailbox"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  Result<Observation> observe_with(const Target& target, const Parameters& with, Milliseconds limit) const override {
    const Deadline deadline(limit);
    const auto unique = unique_text();
    const auto message = odd_message(unique, message_id(unique), message_date(std::time(nullptr)));
    Json observation{{"sent", {{"message_id", message_id(unique)}, {"sha256", sha256(message)}}}};
    auto stages = Json::array();
    const auto take = [&](const Session& session) {
      for (const auto& entry : session.log.entries()) stages.push_back(entry);
      observation["imap"] = {{"stages", stages}, {"tls", session.imap.tls()}};
    };
    {
      Session first(target, with, deadline);
      const bool is_there = first.is_open && first.imap.append(with.mailbox, flags_given, message);
      first.imap.logout();
      take(first);
      if (!is_there) return observation;
    }
    Session second(target, with, deadline);
    if (second.is_open)
      revisit(second.imap, with, kept_in(target.memory), Kept{unique, {}, {}, sha256(message), {}}, observation);
    second.imap.logout();
    take(second);
    return observation;
  }

  Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto stages = observation.value("imap", Json::object()).value("stages", Json::array());
    if (auto bad = judge_trouble(stages)) return *bad;
    if (!observation.contains("again"))
      return {Outcome::error, "observation-incomplete", "a second session", "the observation has none"};
    const auto digest = observation.at("sent").value("sha256", "");
    if (auto bad = judge_seen(with, "", digest, observation.at("again"))) return *bad;
    if (observation.contains("kept")) {
      if (auto bad = judge_kept(with, observation.at("kept"), stages)) return *bad;
    }
    if (observation.value("left_after_delete", 0) != 0)
      return failure("not-deleted", "a message is gone after EXPUNGE", "it can still be found");
    const bool has_compared = observation.contains("kept");
    return {Outcome::pass, "kept", "what a client left is there in its next session",
            has_compared ? "it is, and so is what an earlier phase left"
                         : "it is; it stays, to be looked for after a restart"};
  }
};

}  // namespace

const Check& mailbox() {
  static const Mailbox check;
  return check;
}

}  // namespace patchlab::checks::mail
