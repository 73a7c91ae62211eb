// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ldap/locator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "checks/check_with.hpp"
#include "checks/datagrams.hpp"
#include "checks/hex.hpp"
#include "checks/kerberos/names.hpp"
#include "checks/ldap/netlogon.hpp"
#include "checks/taken_steps.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::ldap {
namespace {

struct Expected {
  const char* key;
  std::string Located::*value;
  const char* reason;
};
constexpr std::array<Expected, 5> what_may_be_expected{
    {{"host", &Located::host, "host-differs"},
     {"forest", &Located::forest, "forest-differs"},
     {"netbios_domain", &Located::netbios_domain, "netbios-domain-differs"},
     {"netbios_name", &Located::netbios_name, "netbios-name-differs"},
     {"site", &Located::site, "site-differs"}}};

struct Parameters {
  std::string domain;
  std::uint16_t port = 389;
  std::map<std::string, std::string> expected;  // by key
  std::vector<std::string> flags;
};

bool same_name(const std::string& a, const std::string& b) { return upper_case(a) == upper_case(b); }

std::optional<Located> located(const Observation& seen) {
  const auto bytes = from_hex(seen.at("netlogon").get<std::string>());
  return bytes ? located_in(*bytes) : std::nullopt;
}

class Locator final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "ldap.locator"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override {
    Parameters with;
    with.domain = reader.text("domain", kerberos::why_no_host);
    with.port = static_cast<std::uint16_t>(reader.integer_or("port", 389, 1, 65535));
    for (const auto& one : what_may_be_expected) {
      if (reader.has(one.key))
        with.expected[one.key] = reader.text(one.key, not_empty("leave it out where any will do"));
    }
    with.flags = reader.texts_or_empty("flags", [](const std::string& name) {
      return is_controller_flag(name) ? std::string()
                                      : fmt::format("'{}' is no flag of a controller, such as kdc or writable", name);
    });
    return with;
  }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    int last = 0;
    // What cannot be made is told by what cannot be sent: nothing in it is of the server.
    PATCHLAB_ASSIGN(const auto first, locator_request(1, with.domain));
    Json netlogon;
    bool answered = false;
    DatagramQuestion question{{target.address, with.port}, target.client_address, {}, {}};
    question.request = [&] { return locator_request(++last, with.domain).value_or(first); };
    question.takes = [&](std::string_view datagram) {
      const auto reply = locator_reply_in(datagram);
      if (!reply || reply->id > last) return false;
      answered = true;
      if (reply->netlogon) netlogon = to_hex(*reply->netlogon);
      return true;
    };
    PATCHLAB_ASSIGN(auto seen, ask_by_datagrams(question, Deadline(limit)));
    if (answered) seen["netlogon"] = netlogon;
    return seen;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    const auto expected = fmt::format("a controller of {}", with.domain);
    if (auto bad = judge_datagrams(seen, expected)) return *bad;
    if (seen.at("netlogon").is_null())
      return failed("not-of-the-domain", expected, "the server says that it has nothing to do with the domain");
    const auto said = located(seen);
    if (!said) return failed("malformed-reply", expected, "netlogon " + seen.at("netlogon").get<std::string>());
    if (!same_name(said->domain, with.domain))
      return failed("domain-differs", expected, "a controller of " + printable(said->domain));
    for (const auto& one : what_may_be_expected) {
      const auto wanted = with.expected.find(one.key);
      if (wanted == with.expected.end() || same_name((*said).*(one.value), wanted->second)) continue;
      return failed(one.reason, fmt::format("{} {}", one.key, wanted->second),
                    fmt::format("{} {}", one.key, printable((*said).*(one.value))));
    }
    for (const auto& flag : with.flags) {
      if (std::ranges::find(said->flags, flag) == said->flags.end())
        return failed("flag-missing", fmt::format("{} with {}", expected, flag), listed(said->flags));
    }
    return {Outcome::pass, "found", expected, fmt::format("{}: {}", printable(said->host), listed(said->flags))};
  }

  // Which controller is the closest, or the one with that role, is not for ever.
  [[nodiscard]] Result<void> expect(const Parameters&, Observation& seen, Json& json) const override {
    if (!seen.contains("netlogon") || seen.at("netlogon").is_null()) return {};
    const auto said = located(seen);
    if (!said) return {};
    for (const auto& one : what_may_be_expected) {
      if (!((*said).*(one.value)).empty()) json[one.key] = printable((*said).*(one.value));
    }
    json["flags"] = Json::array();
    for (const auto& flag : said->flags) {
      if (flag != "pdc" && flag != "closest") json["flags"].push_back(flag);
    }
    return {};
  }
};

}  // namespace

const Check& locator() {
  static const Locator instance;
  return instance;
}

}  // namespace patchlab::checks::ldap
