// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "checks/learn/learn.hpp"
#include "lab/core/net/address.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

using net::Ipv4;

constexpr std::size_t most_subnets = 10;
constexpr std::size_t most_reservations = 10;
constexpr std::chrono::seconds dhcp_patience{20};

// What clients may be told besides mask, routers, names and times, which every client asks for (RFC 2132, 3397, 3442).
constexpr int further_options[]{2, 4, 7, 9, 26, 28, 33, 42, 43, 44, 46, 66, 67, 69, 70, 119, 121, 150, 252};

const Json* member(const Json& json, const char* key, bool (Json::*is)() const noexcept) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && ((*found).*is)() ? &*found : nullptr;
}
std::vector<Json> objects_in(const Json& json, const char* key) {
  std::vector<Json> objects;
  if (const auto* list = member(json, key, &Json::is_array)) {
    std::ranges::copy_if(*list, std::back_inserter(objects), [](const Json& one) { return one.is_object(); });
  }
  return objects;
}
std::string text_of(const Json& json, const char* key) {
  const auto* text = member(json, key, &Json::is_string);
  return text == nullptr ? std::string() : text->get<std::string>();
}

struct Range {
  Ipv4 from;
  Ipv4 to;
};

// "10.20.0.100 - 10.20.0.199", or "10.20.0.128/25".
std::optional<Range> range_in(const std::string& pool) {
  if (const auto slash = pool.find('/'); slash != std::string::npos) {
    const auto from = Ipv4::parse(std::string(trimmed(std::string_view(pool).substr(0, slash))));
    const auto bits = trimmed(std::string_view(pool).substr(slash + 1));
    if (!from || bits.size() != 2 || bits < "16" || bits > "32") return std::nullopt;
    const auto prefix = (bits[0] - '0') * 10 + (bits[1] - '0');
    const auto size = std::uint32_t{1} << static_cast<unsigned>(32 - prefix);
    return Range{*from, Ipv4(from->value() | (size - 1))};
  }
  const auto dash = pool.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto from = Ipv4::parse(std::string(trimmed(std::string_view(pool).substr(0, dash))));
  const auto to = Ipv4::parse(std::string(trimmed(std::string_view(pool).substr(dash + 1))));
  if (!from || !to || *to < *from) return std::nullopt;
  return Range{*from, *to};
}

// What the server says of itself that clients notice only after a while.
struct Serving {
  bool is_authoritative = false;
  bool keeps_leases = true;  // Kea's default
};
Serving serving_of(const Json& server) {
  Serving serving;
  if (const auto* said = member(server, "authoritative", &Json::is_boolean))
    serving.is_authoritative = said->get<bool>();
  if (const auto* leases = member(server, "lease-database", &Json::is_object)) {
    if (const auto* said = member(*leases, "persist", &Json::is_boolean)) serving.keeps_leases = said->get<bool>();
  }
  return serving;
}

Json lease(const Range& range) {
  Json options = Json::object();
  for (const int code : further_options) options[std::to_string(code)] = "00";
  return {{"pool", {{"from", range.from.text()}, {"to", range.to.text()}}}, {"options", std::move(options)}};
}

class Dhcp final : public Protocol {
 public:
  std::vector<Question> questions(const Answers& /*answers*/) const override {
    return {{"kea", "exec cat /etc/kea/kea-dhcp4.conf", {}}};
  }

  Drafts drafts(const Machine& /*machine*/, const Answers& answers) const override {
    Drafts drafts;
    const auto* answer = answer_to(answers, "kea");
    if (answer == nullptr) return drafts;
    const auto json = json_in(without_comments(answer->output, JsonComments::of_kea));
    const auto* server = member(json, "Dhcp4", &Json::is_object);
    if (server == nullptr) {
      drafts.not_learnt.emplace_back(
          "DHCP: /etc/kea/kea-dhcp4.conf is not understood (files that it includes are not read)");
      return drafts;
    }
    auto subnets = objects_in(*server, "subnet4");
    for (const auto& shared : objects_in(*server, "shared-networks"))
      std::ranges::move(objects_in(shared, "subnet4"), std::back_inserter(subnets));
    if (subnets.size() > most_subnets) {
      drafts.not_learnt.push_back(
          fmt::format("DHCP: {} of {} subnets are looked at, no more", most_subnets, subnets.size()));
      subnets.resize(most_subnets);
    }
    add_leases(serving_of(*server), subnets, drafts);
    for (const auto& subnet : subnets) add_reservations(subnet, drafts);
    return drafts;
  }

 private:
  // A client is in one of the subnets: the first whose pool it gets an address from.
  static void add_leases(const Serving& serving, const std::vector<Json>& subnets, Drafts& drafts) {
    Draft direct{
        "lease",
        {},
        "a client gets a lease with these options, renews it, asks for it by broadcast and as after a restart (what "
        "stands in \"further\"), and gives it back; others have theirs, keep one over restarts (\"kept\"), come from "
        "another "
        "network, decline an address, or ask by way of a relay agent"};
    Draft broadcast{"lease-broadcast", {}, "the same for a client that wants broadcast answers"};
    for (const auto& subnet : subnets) {
      std::optional<Range> all;
      std::uint64_t size = 0;
      for (const auto& pool : objects_in(subnet, "pools")) {
        const auto range = range_in(text_of(pool, "pool"));
        if (!range) {
          drafts.not_learnt.push_back(fmt::format("DHCP: the pool '{}' is not understood", text_of(pool, "pool")));
          continue;
        }
        size += std::uint64_t{range->to.value()} - range->from.value() + 1;
        all = all ? Range{std::min(all->from, range->from), std::max(all->to, range->to)} : *range;
      }
      if (!all) continue;
      auto with = lease(*all);
      // Leases of checks that run side by side all come from the pool.
      if (size >= 40) with["neighbours"] = 8;
      // A server need not answer all that a client may ask. What is tried is what it says of itself, and what it should
      // do; one that falls short of that still has its lease looked at.
      auto asks_more = with;
      asks_more["further"] = {"rebind", "init-reboot", "inform"};
      auto with_others = asks_more;
      with_others["relayed"] = true;
      with_others["wrong_network"] = serving.is_authoritative ? "refused" : "ignored";
      if (serving.keeps_leases) with_others["kept"] = true;
      if (serving.keeps_leases && size >= 40) with_others["declined"] = true;
      direct.ways.push_back(way("dhcp.lease", std::move(with_others), dhcp_patience));
      direct.ways.push_back(way("dhcp.lease", std::move(asks_more), dhcp_patience));
      direct.ways.push_back(way("dhcp.lease", with, dhcp_patience));
      with.erase("neighbours");
      with["broadcast"] = true;
      broadcast.ways.push_back(way("dhcp.lease", std::move(with), dhcp_patience));
    }
    if (direct.ways.empty()) {
      drafts.not_learnt.emplace_back("DHCP: no subnet has a pool");
      return;
    }
    drafts.checks.push_back(std::move(direct));
    drafts.checks.push_back(std::move(broadcast));
  }

  static void add_reservations(const Json& subnet, Drafts& drafts) {
    const auto reservations = objects_in(subnet, "reservations");
    std::size_t count = 0;
    for (const auto& reservation : reservations) {
      const auto address = Ipv4::parse(text_of(reservation, "ip-address"));
      const auto mac = net::MacAddress::parse(text_of(reservation, "hw-address"));
      if (!address || !mac) {
        drafts.not_learnt.emplace_back("DHCP: a reservation that is not of a MAC and an address");
        continue;
      }
      if (++count > most_reservations) continue;
      auto with = lease({*address, *address});
      with["mac"] = mac->text();
      drafts.checks.push_back({"reservation-" + address->text(),
                               {way("dhcp.lease", std::move(with), dhcp_patience)},
                               fmt::format("the reservation of {} for {}", address->text(), mac->text())});
    }
    if (count > most_reservations)
      drafts.not_learnt.push_back(
          fmt::format("DHCP: {} of {} reservations are tried, no more", most_reservations, count));
  }
};

}  // namespace

const Protocol& dhcp() {
  static const Dhcp instance;
  return instance;
}

}  // namespace patchlab::checks::learn
