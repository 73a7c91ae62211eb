// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/kerberos/ticket.hpp"

#include <fmt/format.h>

#include "checks/check_with.hpp"
#include "checks/kerberos/names.hpp"
#include "checks/kerberos/session.hpp"
#include "checks/socket.hpp"
#include "checks/taken_steps.hpp"
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
    TakenSteps recorder(std::move(progress));
    const auto session = Session::open(realm, user);
    if (!session) return recorder.lab_error(session.error());
    work(**session, recorder);
  });
  if (seen.contains("lab_error")) return error_from_json(seen["lab_error"]);
  seen["server"] = server;
  return seen;
}

std::optional<Judgement> judge_connection(const Observation& seen) {
  if (!seen.contains("connect")) return std::nullopt;
  return failed(seen.at("connect").get<std::string>(), "a controller that takes connections", seen.value("why", ""));
}

class Ticket final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "kerberos.ticket"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_ticket(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    return observe_realm(target, with.realm, with.user, limit, [with](Session& session, TakenSteps& recorder) {
      if (!recorder.take("ticket", [&] { return session.get_ticket(with.proof); })) return;
      if (!with.service.empty()) recorder.take("service", [&] { return session.get_service(with.service); });
      if (!with.for_user.empty()) recorder.take("for user", [&] { return session.get_for(with.for_user); });
    });
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    if (auto bad = judge_connection(seen)) return *bad;
    const auto who = fmt::format("'{}' of {}", with.user, with.realm.name);
    if (with.refused) {
      if (auto bad = judge_taken_step(seen, "ticket", "ticket-granted", "no ticket for " + who, false)) return *bad;
      const auto& entry = *find_taken_step(seen, "ticket");
      return {Outcome::pass, "refused", "no ticket for " + who, entry.value("why", "")};
    }
    if (auto bad = judge_taken_step(seen, "ticket", "ticket-refused", "a ticket for " + who)) return *bad;
    const auto enctype = find_taken_step(seen, "ticket")->value("enctype", "");
    if (!with.expect_enctype.empty() && enctype != with.expect_enctype)
      return failed("enctype-differs", fmt::format("a ticket for {} with {}", who, with.expect_enctype), enctype);
    if (!with.service.empty()) {
      if (auto bad =
              judge_taken_step(seen, "service", "service-refused", fmt::format("a ticket for '{}'", with.service)))
        return *bad;
    }
    if (!with.for_user.empty()) {
      if (auto bad = judge_taken_step(seen, "for user", "for-user-refused",
                                      fmt::format("a ticket in the name of '{}'", with.for_user)))
        return *bad;
    }
    return {Outcome::pass, "granted", "a ticket for " + who, fmt::format("all that was asked for, with {}", enctype)};
  }

  [[nodiscard]] Result<void> expect(const Parameters& with, Observation& seen, Json& json) const override {
    const auto* entry = seen.contains("steps") ? find_taken_step(seen, "ticket") : nullptr;
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
    return observe_realm(target, with.realm, with.user, limit, [with, other](Session& session, TakenSteps& recorder) {
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
    if (auto bad = judge_taken_step(seen, "change", "change-refused", who + " changes the password")) return *bad;
    if (auto bad = judge_taken_step(seen, "new ticket", "new-password-refused", with_new)) return *bad;
    if (auto bad =
            judge_taken_step(seen, "old ticket", "old-password-granted", "no ticket with the old password", false))
      return *bad;
    if (auto bad = judge_taken_step(seen, "change back", "change-back-refused", who + " changes the password back"))
      return *bad;
    if (auto bad = judge_taken_step(seen, "ticket", "password-refused", "a ticket for " + who)) return *bad;
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
