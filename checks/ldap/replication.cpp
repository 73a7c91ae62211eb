// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ldap/replication.hpp"

#include <fmt/format.h>

#include <thread>

#include "checks/check_with.hpp"
#include "checks/kerberos/names.hpp"
#include "checks/ldap/arrival.hpp"
#include "checks/unique.hpp"
#include "lab/core/net/address.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::checks::ldap {
namespace {

constexpr Milliseconds between_looks{200};
constexpr Milliseconds to_clean_up{500};
constexpr int no_such_object = 32;

struct Parameters {
  Login login;
  std::string to;
  std::uint16_t to_port = 0;
  std::string to_server;
  std::string container;
  std::string object_class;
  std::string entry;
  std::string attribute;
  Milliseconds within{};

  [[nodiscard]] Arrival writer(const std::string& address) const { return {login, address, address}; }
  [[nodiscard]] Arrival reader(const std::string& controller) const {
    auto there = login;
    there.port = to_port;
    there.server = to_server;
    return {there, to, controller, "reader "};
  }
};

void read_change(JsonReader& reader, Parameters& with) {
  const auto a_name = not_empty("the name of an object, as CN=alice,DC=office,DC=example");
  const bool makes = reader.has("container");
  if (makes == reader.has("entry"))
    reader.problem("container", "either a 'container' in which an object is made, or an 'entry' that is changed");
  if (makes) with.container = reader.text("container", a_name);
  if (reader.has("entry")) with.entry = reader.text("entry", a_name);
  with.object_class = reader.text_or("object_class", "contact", a_name);
  with.attribute = reader.text_or("attribute", "description", a_name);
  if (makes && reader.has("attribute")) reader.problem("attribute", "is of an 'entry'");
  if (!makes && reader.has("object_class")) reader.problem("object_class", "is of an object in a 'container'");
}

Parameters read_replication(JsonReader& reader) {
  Parameters with;
  with.login = read_login(reader);
  with.to = reader.text("to", [](const std::string& text) {
    const auto address = net::Ipv4::parse(text);
    return address ? std::string() : address.error().message;
  });
  with.to_port = static_cast<std::uint16_t>(reader.integer_or("to_port", with.login.port, 1, 65535));
  with.to_server = reader.text_or("to_server", "", kerberos::why_no_host);
  if (!with.login.server.empty() && !reader.has("to_server"))
    reader.problem("to_server", "the name of the other server, as 'server' is that of the machine");
  read_change(reader, with);
  with.within = std::chrono::seconds(reader.integer_or("within_s", 10, 1, 3600));
  return with;
}

// What is changed at one server, and looked for at the other.
class Change {
 public:
  Change(const Parameters& with, Session& writer, Session& reader, TakenSteps& steps, const Deadline& deadline)
      : with_(with), writer_(writer), reader_(reader), steps_(steps), deadline_(deadline) {}

  void make() {
    // Nothing is written that could not be looked for and taken back. That the logins took so long is the servers'
    // doing.
    if (const auto left = deadline_.remaining(); left < with_.within + to_clean_up) {
      steps_.take("time", [&] {
        return Json{{"ok", false},
                    {"kind", "late"},
                    {"code", 0},
                    {"why", fmt::format("{} ms of the check's time are left behind both logins", left.count())}};
      });
      return;
    }
    if (!with_.entry.empty() && !steps_.take("read", [&] { return read_old(); })) return;
    if (!steps_.take("write", [&] { return write(); })) return;
    steps_.take("arrive", [&] { return arrive(); });
    steps_.take("clean up", [&] {
      return with_.entry.empty() ? writer_.remove(name_) : writer_.replace(name_, with_.attribute, old_);
    });
  }

 private:
  Json read_old() {
    auto seen = writer_.search({with_.entry, "base", "(objectClass=*)", {with_.attribute}});
    if (!seen.at("ok").get<bool>()) return seen;
    for (const auto& [name, values] : seen.at("entries").items())
      old_ = values.value(with_.attribute, std::vector<std::string>());
    return seen;
  }

  Json write() {
    Json entry;
    if (with_.entry.empty()) {
      name_ = fmt::format("CN={},{}", value_, with_.container);
      entry = writer_.add(name_, {{"objectClass", {with_.object_class}}, {"cn", {value_}}, {"description", {value_}}});
    } else {
      name_ = with_.entry;
      entry = writer_.replace(name_, with_.attribute, {value_});
    }
    entry["name"] = name_;
    entry["value"] = value_;
    return entry;
  }

  // That it is not there yet is no trouble until the time is over.
  Json arrive() {
    const auto attribute = with_.entry.empty() ? std::string("description") : with_.attribute;
    const auto give_up = deadline_.within(with_.within);
    while (true) {
      auto seen = reader_.search({name_, "base", "(objectClass=*)", {attribute}});
      const bool answered = seen.at("ok").get<bool>();
      if (!answered && seen.value("code", 0) != no_such_object) return seen;
      if (answered && has_value(seen, attribute)) return {{"ok", true}, {"ms", give_up.elapsed().count()}};
      if (give_up.passed())
        return {{"ok", false},
                {"kind", "absent"},
                {"code", 0},
                {"why", answered ? "it still has another value there" : "it is not there"}};
      std::this_thread::sleep_for(std::min(between_looks, give_up.remaining()));
    }
  }
  [[nodiscard]] bool has_value(const Json& seen, const std::string& attribute) const {
    for (const auto& [name, values] : seen.at("entries").items()) {
      if (values.value(attribute, std::vector<std::string>()) == std::vector<std::string>{value_}) return true;
    }
    return false;
  }

  const Parameters& with_;
  Session& writer_;
  Session& reader_;
  TakenSteps& steps_;
  const Deadline& deadline_;
  std::string name_;
  std::string value_ = "patchlab-" + unique_text();
  std::vector<std::string> old_;
};

std::optional<Judgement> judge_change(const Parameters& with, const Observation& seen) {
  const auto expected = fmt::format("a change at {} is read at {} within {} s", seen.value("server", ""),
                                    seen.value("reader", ""), with.within.count() / 1000);
  if (find_taken_step(seen, "time") != nullptr) return judge_taken_step(seen, "time", "logins-late", expected);
  if (!with.entry.empty()) {
    if (auto bad = judge_taken_step(seen, "read", "read-refused", expected)) return bad;
  }
  if (auto bad = judge_taken_step(seen, "write", "write-refused", expected)) return bad;
  auto arrived = judge_taken_step(seen, "arrive", "reader-search-refused", expected, true, "reader-");
  if (const auto* entry = find_taken_step(seen, "arrive");
      arrived && entry != nullptr && entry->value("kind", "") == "absent")
    arrived->reason = "not-replicated";
  auto cleaned = judge_taken_step(seen, "clean up", "clean-up-refused", "what was changed is taken back");
  if (arrived && cleaned) arrived->observed += "; " + cleaned->observed;
  return arrived ? arrived : cleaned;
}

class Replication final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "ldap.replication"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_replication(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    if (limit < with.within + to_clean_up)
      return configuration_error(
          fmt::format("the check has {} ms, and replication may take {} s", limit.count(), with.within.count() / 1000),
          "give the check a 'timeout_s' that is longer than 'within_s' and what both logins take");
    const Deadline deadline(limit);
    auto seen = observe_within(limit, [=](Progress progress) {
      TakenSteps steps(std::move(progress));
      Tickets tickets;
      const auto there = with.reader(target.address);
      Session writer(target.address, target.client_address, with.login, deadline);
      Session reader(with.to, target.client_address, there.login, deadline);
      if (ldap::arrive(with.writer(target.address), writer, tickets, steps) &&
          ldap::arrive(there, reader, tickets, steps))
        Change(with, writer, reader, steps, deadline).make();
    });
    if (seen.contains("lab_error")) return error_from_json(seen["lab_error"]);
    seen["server"] = fmt::format("{}:{}", target.address, with.login.port);
    seen["reader"] = fmt::format("{}:{}", with.to, with.to_port);
    return seen;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    const auto server = seen.value("server", "");
    const auto address = server.substr(0, server.find(':'));
    if (auto bad = judge_arrival(with.writer(address), seen)) return *bad;
    if (auto bad = judge_arrival(with.reader(address), seen)) return *bad;
    if (auto bad = judge_change(with, seen)) return *bad;
    return {Outcome::pass, "replicated", fmt::format("a change at {} is read at {}", server, seen.value("reader", "")),
            fmt::format("after {} ms", find_taken_step(seen, "arrive")->value("ms", 0))};
  }
};

}  // namespace

const Check& replication() {
  static const Replication instance;
  return instance;
}

}  // namespace patchlab::checks::ldap
