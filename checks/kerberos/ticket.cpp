// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/kerberos/ticket.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/check_with.hpp"
#include "checks/kerberos/session.hpp"
#include "checks/socket.hpp"
#include "checks/unfinished.hpp"
#include "checks/unique.hpp"

namespace patchlab::checks::kerberos {
namespace {

struct Parameters {
  Realm realm;
  std::string user;
  Proof proof;
  std::string expect_enctype;
  std::string service;
  std::string for_user;
  bool refused = false;
};

// Goes into a configuration file of libkrb5: nothing that means something there.
std::string why_no_realm(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  return plain ? "" : "must be a realm's name of capitals, digits, '.' and '-'";
}
std::string why_no_enctype(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 60 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  return plain ? "" : fmt::format("'{}' is no type of encryption such as aes256-cts-hmac-sha1-96", name);
}
std::string why_no_host(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  return plain ? "" : "must be a host's name of letters, digits, '.' and '-'";
}
// Of this realm, always.
std::string why_no_principal(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 500 &&
                     std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && c != '@' && c != '\\'; });
  return plain ? "" : "must be a name such as lab-user or cifs/file1.office.example, without a realm";
}

void read_realm(JsonReader& reader, Realm& realm) {
  realm.name = reader.text("realm", why_no_realm);
  realm.port = static_cast<std::uint16_t>(reader.integer_or("port", 88, 1, 65535));
}

Parameters read_ticket(JsonReader& reader) {
  Parameters with;
  read_realm(reader, with.realm);
  with.user = reader.text("user", why_no_principal);
  const auto filled = not_empty("leave it out where it is not needed");
  auto& proof = with.proof;
  if (reader.has("password")) proof.password = reader.text("password", filled);
  if (reader.has("certificate")) proof.certificate = reader.text("certificate", filled);
  if (reader.has("certificate_secret")) proof.key = reader.text("certificate_secret", filled);
  if (reader.has("authorities")) proof.authorities = reader.text("authorities", filled);
  with.realm.controller = reader.text_or("controller", "", why_no_host);
  const int pieces = static_cast<int>(reader.has("certificate")) + static_cast<int>(reader.has("certificate_secret")) +
                     static_cast<int>(reader.has("authorities"));
  if (reader.has("password") ? pieces > 0 : pieces < 3)
    reader.problem("user", "logs in with a 'password', or with 'certificate', 'certificate_secret' and 'authorities'");
  with.realm.enctypes = reader.texts_or_empty("enctypes", why_no_enctype);
  with.expect_enctype = reader.text_or("expect_enctype", "", why_no_enctype);
  with.service = reader.text_or("service", "", why_no_principal);
  with.for_user = reader.text_or("for_user", "", why_no_principal);
  with.refused = reader.boolean_or("refused", false);
  if (with.refused && (!with.expect_enctype.empty() || !with.service.empty() || !with.for_user.empty()))
    reader.problem("refused", "leaves nothing else to look at: without a ticket there is no other one");
  return with;
}

struct Change {
  Realm realm;
  std::string user;
  std::string password;
};

Change read_change(JsonReader& reader) {
  Change with;
  read_realm(reader, with.realm);
  with.realm.password_port = static_cast<std::uint16_t>(reader.integer_or("password_port", 464, 1, 65535));
  with.user = reader.text("user", why_no_principal);
  with.password = reader.text("password", not_empty("that of the user"));
  return with;
}

// What was done, in order, on record as soon as it was.
class Recorder {
 public:
  explicit Recorder(Progress progress) : progress_(std::move(progress)) {
    progress_.record([](Observation& seen) { seen["steps"] = Json::array(); });
  }
  // Whether it went well.
  bool take(const std::string& step, const std::function<Json()>& work) {
    progress_.record([&](Observation& seen) { seen["now"] = step; });
    auto entry = work();
    const bool went_well = entry.at("ok").get<bool>();
    entry["step"] = step;
    progress_.record([&](Observation& seen) {
      seen["steps"].push_back(entry);
      seen.erase("now");
    });
    return went_well;
  }
  void lab_error(const Error& error) {
    progress_.record([&](Observation& seen) { seen["lab_error"] = error; });
  }

 private:
  Progress progress_;
};

template <class Work>
Result<Observation> observe_realm(const Target& target, Realm realm, const std::string& user, Milliseconds limit,
                                  Work work) {
  realm.address = target.address;
  const Deadline deadline(limit);
  PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, realm.port}, {}, deadline));
  const auto server = fmt::format("{}:{}", target.address, realm.port);
  // libkrb5 does not tell refused from silent.
  if (connection.saved_errno != 0)
    return Json{{"server", server},
                {"connect", reason_for_errno(connection.saved_errno)},
                {"why", describe_errno(connection.saved_errno)},
                {"steps", Json::array()}};
  auto seen = observe_within(deadline.remaining(), [=](Progress progress) {
    Recorder recorder(std::move(progress));
    const auto session = Session::open(realm, user);
    if (!session) return recorder.lab_error(session.error());
    work(**session, recorder);
  });
  if (seen.contains("lab_error")) return error_from_json(seen["lab_error"]);
  seen["server"] = server;
  return seen;
}

const Json* find_step(const Observation& seen, const std::string& step) {
  for (const auto& entry : seen.at("steps")) {
    if (entry.at("step") == step) return &entry;
  }
  return nullptr;
}

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

std::optional<Judgement> judge_connection(const Observation& seen) {
  if (!seen.contains("connect")) return std::nullopt;
  return failed(seen.at("connect").get<std::string>(), "a controller that takes connections", seen.value("why", ""));
}

// Nothing when it went as it should; `reason` when the controller said something else.
std::optional<Judgement> judge_step(const Observation& seen, const std::string& step, const std::string& reason,
                                    const std::string& expected, bool granted = true) {
  const auto* entry = find_step(seen, step);
  if (entry == nullptr) return failed("no-answer", expected, fmt::format("{}: no answer within the deadline", step));
  const bool ok = entry->at("ok").get<bool>();
  if (ok && granted) return std::nullopt;
  if (ok) return failed(reason, expected, step + ": it was granted");
  const auto kind = entry->at("kind").get<std::string>();
  const auto observed = fmt::format("{}: {} ({})", step, entry->value("why", ""), entry->at("code").dump());
  if (kind == "ours") return Judgement{Outcome::error, "lab", expected, observed};
  if (kind == "unreachable") return failed("no-answer", expected, observed);
  if (kind == "malformed") return failed("malformed-reply", expected, observed);
  return granted ? std::optional(failed(reason, expected, observed)) : std::nullopt;
}

class Ticket final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "kerberos.ticket"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_ticket(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    return observe_realm(target, with.realm, with.user, limit, [with](Session& session, Recorder& recorder) {
      if (!recorder.take("ticket", [&] { return session.get_ticket(with.proof); })) return;
      if (!with.service.empty()) recorder.take("service", [&] { return session.get_service(with.service); });
      if (!with.for_user.empty()) recorder.take("for user", [&] { return session.get_for(with.for_user); });
    });
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    if (auto bad = judge_connection(seen)) return *bad;
    const auto who = fmt::format("'{}' of {}", with.user, with.realm.name);
    if (with.refused) {
      if (auto bad = judge_step(seen, "ticket", "ticket-granted", "no ticket for " + who, false)) return *bad;
      const auto& entry = *find_step(seen, "ticket");
      return {Outcome::pass, "refused", "no ticket for " + who, entry.value("why", "")};
    }
    if (auto bad = judge_step(seen, "ticket", "ticket-refused", "a ticket for " + who)) return *bad;
    const auto enctype = find_step(seen, "ticket")->value("enctype", "");
    if (!with.expect_enctype.empty() && enctype != with.expect_enctype)
      return failed("enctype-differs", fmt::format("a ticket for {} with {}", who, with.expect_enctype), enctype);
    if (!with.service.empty()) {
      if (auto bad = judge_step(seen, "service", "service-refused", fmt::format("a ticket for '{}'", with.service)))
        return *bad;
    }
    if (!with.for_user.empty()) {
      if (auto bad = judge_step(seen, "for user", "for-user-refused",
                                fmt::format("a ticket in the name of '{}'", with.for_user)))
        return *bad;
    }
    return {Outcome::pass, "granted", "a ticket for " + who, fmt::format("all that was asked for, with {}", enctype)};
  }

  [[nodiscard]] Result<void> expect(const Parameters& with, Observation& seen, Json& json) const override {
    const auto* entry = seen.contains("steps") ? find_step(seen, "ticket") : nullptr;
    if (entry == nullptr || with.refused || !entry->at("ok").get<bool>()) return {};
    json["expect_enctype"] = entry->at("enctype");
    return {};
  }
};

class Password final : public CheckWith<Change> {
 public:
  [[nodiscard]] std::string kind() const override { return "kerberos.password"; }

 protected:
  [[nodiscard]] Change read(JsonReader& reader) const override { return read_change(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Change& with,
                                                 Milliseconds limit) const override {
    // Of all kinds of characters, and with nothing of the user's name in it.
    const auto other = "Xq7-" + unique_text();
    return observe_realm(target, with.realm, with.user, limit, [with, other](Session& session, Recorder& recorder) {
      const auto proof = [](const std::string& password) {
        Proof made;
        made.password = password;
        return made;
      };
      if (!recorder.take("change", [&] { return session.change_password(with.password, other); })) return;
      recorder.take("new ticket", [&] { return session.get_ticket(proof(other)); });
      recorder.take("old ticket", [&] { return session.get_ticket(proof(with.password)); });
      recorder.take("change back", [&] { return session.change_password(other, with.password); });
      recorder.take("ticket", [&] { return session.get_ticket(proof(with.password)); });
    });
  }

  [[nodiscard]] Judgement judge_with(const Change& with, const Observation& seen) const override {
    if (auto bad = judge_connection(seen)) return *bad;
    const auto who = fmt::format("'{}' of {}", with.user, with.realm.name);
    const auto with_new = "a ticket for " + who + " with the new password";
    if (auto bad = judge_step(seen, "change", "change-refused", who + " changes the password")) return *bad;
    if (auto bad = judge_step(seen, "new ticket", "new-password-refused", with_new)) return *bad;
    if (auto bad = judge_step(seen, "old ticket", "old-password-granted", "no ticket with the old password", false))
      return *bad;
    if (auto bad = judge_step(seen, "change back", "change-back-refused", who + " changes the password back"))
      return *bad;
    if (auto bad = judge_step(seen, "ticket", "password-refused", "a ticket for " + who)) return *bad;
    return {Outcome::pass, "changed", who + " changes the password, and back", "so it was"};
  }
};

}  // namespace

const Check& ticket() {
  static const Ticket instance;
  return instance;
}
const Check& password() {
  static const Password instance;
  return instance;
}

}  // namespace patchlab::checks::kerberos
