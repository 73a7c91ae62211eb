// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ldap/arrival.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks::ldap {
namespace {

// "reader " -> "reader-": reasons are words.
std::string word_of(std::string prefix) {
  std::ranges::replace(prefix, ' ', '-');
  return prefix;
}

bool get_tickets(const Arrival& arrival, Tickets& tickets, TakenSteps& steps) {
  const auto& login = arrival.login;
  if (!tickets) {
    kerberos::Realm realm;
    realm.address = arrival.controller;
    realm.port = login.kerberos_port;
    realm.name = login.realm;
    auto opened = kerberos::Session::open(realm, login.user);
    if (!opened) return steps.lab_error(opened.error()), false;
    kerberos::Proof proof;
    proof.password = login.password;
    if (!steps.take(arrival.prefix + "ticket", [&] { return (*opened)->get_ticket(proof); })) return false;
    if (const auto taken = (*opened)->be_the_process(); !taken) return steps.lab_error(taken.error()), false;
    tickets = std::move(*opened);
  }
  return steps.take(arrival.prefix + "service", [&] { return tickets->get_service("ldap/" + login.server); });
}

}  // namespace

bool arrive(const Arrival& arrival, Session& session, Tickets& tickets, TakenSteps& steps) {
  const auto& prefix = arrival.prefix;
  if (!steps.take(prefix + "connect", [&] { return session.connect(); })) return false;
  if (!steps.take(prefix + "tls", [&] { return session.secure(); })) return false;
  if (arrival.login.method != Method::simple && !get_tickets(arrival, tickets, steps)) return false;
  return steps.take(prefix + "bind", [&] { return session.bind(); });
}

std::optional<Judgement> judge_arrival(const Arrival& arrival, const Observation& seen, const std::string& expected) {
  const auto& prefix = arrival.prefix;
  const auto word = word_of(prefix);
  const auto server = fmt::format("{}:{}", arrival.address, arrival.login.port);
  const auto whole = fmt::format("{} at {}", described(arrival.login), server);
  if (const auto* entry = find_taken_step(seen, prefix + "connect");
      entry != nullptr && entry->value("kind", "") == "connect")
    return failed(word + entry->at("reason").get<std::string>(), server + " takes connections",
                  entry->value("why", ""));
  const auto judged = [&](const std::string& step, const std::string& reason) {
    return judge_taken_step(seen, prefix + step, word + reason, whole, true, word);
  };
  if (auto bad = judged("connect", "unreachable")) return bad;
  const auto* const tls = find_taken_step(seen, prefix + "tls");
  const bool doubted = tls != nullptr && tls->value("kind", "") == "certificate";
  if (auto bad = judged("tls", doubted ? "certificate-not-believed" : "tls-failed")) return bad;
  if (arrival.login.method != Method::simple) {
    // The first server's ticket is good for the second.
    if (find_taken_step(seen, prefix + "ticket") != nullptr || prefix.empty()) {
      if (auto bad = judged("ticket", "ticket-refused")) return bad;
    }
    if (auto bad = judged("service", "service-refused")) return bad;
  }
  if (expected == "success") return judged("bind", "bind-refused");
  const auto refusal = fmt::format("{}: refused, {}", whole, expected);
  if (auto bad = judge_taken_step(seen, prefix + "bind", word + "bind-granted", refusal, false, word)) return bad;
  const auto& entry = *find_taken_step(seen, prefix + "bind");
  if (entry.value("result", "") == expected) return std::nullopt;
  return failed(word + "refused-for-another-reason", refusal,
                fmt::format("{}: {}", entry.value("result", "no result"), entry.value("why", "")));
}

}  // namespace patchlab::checks::ldap
