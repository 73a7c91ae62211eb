// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "checks/learn/learn.hpp"
#include "checks/learn/named_conf.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr std::size_t most_zones = 50;
constexpr std::size_t most_records = 5000;      // of a zone
constexpr std::size_t most_in_one_check = 250;  // two questions each, in one deadline
constexpr std::size_t most_chains = 10;         // of a zone
constexpr std::size_t most_under_load = 20;     // names of a zone
constexpr std::chrono::seconds quick{10};
constexpr std::chrono::seconds many{60};

// BIND's own tool writes a zone as it is served, one record a line, names written out. What it would complain of is
// none of our business, and it must ask no other server.
constexpr const char* zone_script = R"(cd "$3" 2>/dev/null
for format in text raw; do
  named-compilezone -j -i none -k ignore -m ignore -n ignore -r ignore -M ignore -S ignore -T ignore \
    -f $format -F text -s full -o - "$1" "$2" && exit 0
done
exit 1)";

std::string zone_question(const NamedZone& zone) { return "zone " + zone.view + "/" + zone.name; }
bool is_served(const NamedZone& zone) {
  return (zone.type == "primary" || zone.type == "secondary" || zone.type == "mirror") && !zone.file.empty();
}

struct Record {
  std::string owner;
  std::string type;
  std::string text;
};

// "corp.example.   3600 IN MX   10 mail1.corp.example."; of other lines nothing.
std::optional<Record> record_in(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (words.size() < 4) {
    const auto begin = line.find_first_not_of(" \t\r", at);
    if (begin == std::string_view::npos) return std::nullopt;
    const auto end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    at = end;
  }
  const auto data = trimmed(line.substr(at));
  const bool is_number = words[1].find_first_not_of("0123456789") == std::string_view::npos;
  if (words[0].starts_with(';') || !words[0].ends_with('.') || !is_number || words[2] != "IN" || data.empty())
    return std::nullopt;
  return Record{lower_case(words[0]), std::string(words[3]),
                fmt::format("{} {} {} {}", words[0], words[1], words[3], data)};
}

// Signatures change by themselves.
bool is_of_dnssec(const std::string& type) {
  return type == "RRSIG" || type == "NSEC" || type == "NSEC3" || type == "NSEC3PARAM";
}

Json query(const std::string& name, const std::string& type, const std::string& transport) {
  return {{"name", name}, {"type", type}, {"transport", transport}};
}

class Zone {
 public:
  Zone(const NamedZone& zone, Drafts& drafts)
      : zone_(zone), label_(zone.name.empty() ? "root" : zone.name), drafts_(drafts) {}

  void draft(const Answers& answers) {
    if (zone_.type == "hint" || zone_.type == "in-view") return;
    if (!is_served(zone_)) {
      return leave_out("", fmt::format("it is of the type {}{}", zone_.type,
                                       zone_.file.empty() ? ", and its records are in no file" : ""));
    }
    const auto found = answers.find(zone_question(zone_));
    if (found == answers.end()) return leave_out("", "it was not asked for");
    if (found->second.exit_code != 0)
      return leave_out("", "named-compilezone cannot read it: " + complaint(found->second));
    read(found->second.output);
    add_records();
    add_chains();
    add_truncation();
    add_load();
    add_refusals();
  }

 private:
  void leave_out(const std::string& what, const std::string& why) {
    drafts_.not_learnt.push_back(fmt::format("zone {}{}: {}", label_, what, why));
  }

  void read(std::string_view text) {
    std::size_t records = 0;
    std::size_t others = 0;
    for (const auto line : split(text, '\n')) {
      const auto record = record_in(line);
      if (!record) {
        others += trimmed(line).empty() || line.starts_with(';') ? 0U : 1U;
        continue;
      }
      if (is_of_dnssec(record->type)) {
        signed_ = true;
        continue;
      }
      if (++records > most_records) continue;
      sets_[record->type][record->owner].push_back(record->text);
    }
    if (signed_) leave_out(" signatures", "RRSIG and NSEC change by themselves");
    if (others > 0) leave_out("", fmt::format("{} lines of it are not understood", others));
    if (records > most_records)
      leave_out("", fmt::format("{} of {} records are asked for, no more", most_records, records));
  }

  // One check for each type; a large one in several, and a set of one name is never cut.
  void add_records() {
    for (const auto& [type, owners] : sets_) {
      std::vector<Json> parts{Json::array()};
      for (const auto& [owner, records] : owners) {
        if (!parts.back().empty() && parts.back().size() + records.size() > most_in_one_check)
          parts.push_back(Json::array());
        for (const auto& record : records) parts.back().push_back(record);
      }
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto count = parts[i].size();
        const auto part = parts.size() > 1 ? fmt::format(", part {} of {}", i + 1, parts.size()) : std::string();
        drafts_.checks.push_back({check_id(type),
                                  {way("dns.records", {{"records", parts[i]}, {"transports", {"udp", "tcp"}}},
                                       count > 30 ? many : 2 * quick)},
                                  fmt::format("zone {}: {} {} record{}{}, with TTL, over both transports", label_,
                                              count, type, count == 1 ? "" : "s", part)});
      }
    }
  }

  // What a client asks for, and is led to.
  void add_chains() {
    const auto aliases = sets_.find("CNAME");
    if (aliases == sets_.end()) return;
    std::size_t count = 0;
    for (const auto& [owner, records] : aliases->second) {
      if (owner.starts_with('*')) continue;
      if (++count > most_chains) continue;
      for (const std::string transport : {"udp", "tcp"}) {
        drafts_.checks.push_back({check_id(owner.substr(0, owner.find('.')) + "-chain-" + transport),
                                  {way("dns.query", query(owner, "A", transport), quick)},
                                  fmt::format("zone {}: where {} leads to, over {}", label_, owner, transport)});
      }
    }
    if (count > most_chains) leave_out(" aliases", fmt::format("{} of {} are followed, no more", most_chains, count));
  }

  // The largest answer, when it surely does not fit into the 512 bytes of a client without EDNS0.
  void add_truncation() {
    const std::pair<const std::string, std::vector<std::string>>* largest = nullptr;
    std::string type;
    std::size_t size = 0;
    for (const auto& [of_type, owners] : sets_) {
      for (const auto& set : owners) {
        std::size_t bytes = 0;
        for (const auto& record : set.second) bytes += record.size() - std::min(record.size(), set.first.size());
        if (bytes <= size || set.first.starts_with('*')) continue;
        largest = &set;
        type = of_type;
        size = bytes;
      }
    }
    constexpr std::size_t surely_too_large = 1000;  // as text, of which the wire needs half at least
    if (largest == nullptr || size < surely_too_large) return;
    auto with = query(largest->first, type, "udp");
    with.update({{"udp_size", 0}, {"expect_truncated", true}});
    drafts_.checks.push_back({check_id("too-large"),
                              {way("dns.query", std::move(with), quick)},
                              fmt::format("zone {}: {} {} does not fit into 512 bytes, and is whole over TCP", label_,
                                          largest->first, type)});
  }

  // Of each zone a few addresses, as clients ask most for them.
  void add_load() {
    const auto addresses = sets_.find("A");
    if (addresses == sets_.end()) return;
    auto records = Json::array();
    for (const auto& [owner, set] : addresses->second) {
      if (owner.starts_with('*') || records.size() >= most_under_load) continue;
      for (const auto& record : set) records.push_back(record);
    }
    if (records.empty()) return;
    drafts_.checks.push_back({check_id("load"),
                              {way("dns.load", {{"records", records}}, many)},
                              fmt::format("zone {}: 100 questions in five seconds, and none is lost", label_)});
  }

  void add_refusals() {
    const auto name = zone_.name.empty() ? std::string("no-such-name.") : "no-such-name." + zone_.name + ".";
    for (const std::string transport : {"udp", "tcp"}) {
      drafts_.checks.push_back({check_id("no-such-name-" + transport),
                                {way("dns.query", query(name, "A", transport), quick)},
                                fmt::format("zone {}: a name that it does not have, over {}", label_, transport)});
    }
    const auto zone = zone_.name + ".";
    drafts_.checks.push_back(
        {check_id("transfer"),
         {way("dns.query", query(zone, "AXFR", "tcp"), quick),
          way("dns.transfer", {{"zone", zone}, {"records", 1}, {"sha256", std::string(64, '0')}}, 2 * quick)},
         fmt::format("zone {}: a transfer to a client is refused, or is this", label_)});
    drafts_.checks.push_back({check_id("update"),
                              {way("dns.update", {{"zone", zone}}, quick)},
                              fmt::format("zone {}: a client may not change it", label_)});
  }

  [[nodiscard]] std::string check_id(const std::string& what) const {
    // The longer part is the zone's, and what tells the checks apart must not be cut off.
    const auto end = check_name("x-" + what).substr(2);
    auto begin = check_name(label_);
    const auto room = std::size_t{31} - std::min<std::size_t>(end.size() + 1, 20);
    if (begin.size() > room) begin.resize(room);
    return check_name(begin + "-" + end);
  }

  const NamedZone& zone_;
  std::string label_;
  Drafts& drafts_;
  bool signed_ = false;
  std::map<std::string, std::map<std::string, std::vector<std::string>>> sets_;  // by type, by owner
};

class Dns final : public Protocol {
 public:
  std::vector<Question> questions(const Answers& answers) const override {
    std::vector<Question> questions{
        {"named", "command -v named-checkconf >/dev/null || exit 127\nexec named-checkconf -px", {}}};
    const auto server = server_in(answers);
    for (std::size_t i = 0; server && i < std::min(server->zones.size(), most_zones); ++i) {
      const auto& zone = server->zones[i];
      if (!is_served(zone)) continue;
      questions.push_back({zone_question(zone), zone_script, {zone.name + ".", zone.file, server->directory}});
    }
    return questions;
  }

  Drafts drafts(const Machine& /*machine*/, const Answers& answers) const override {
    Drafts drafts;
    const auto found = answers.find("named");
    const bool has_named = found != answers.end() && found->second.exit_code != 127;
    const auto server = server_in(answers);
    if (has_named && !server)
      drafts.not_learnt.push_back("DNS: named-checkconf does not understand the configuration: " +
                                  complaint(found->second));
    if (!has_named && open_tcp_ports(answers).contains(53))
      drafts.not_learnt.emplace_back("DNS: port 53 is open, and only BIND says which zones it has");
    if (!server) return drafts;
    for (std::size_t i = 0; i < std::min(server->zones.size(), most_zones); ++i)
      Zone(server->zones[i], drafts).draft(answers);
    if (server->zones.size() > most_zones) {
      drafts.not_learnt.push_back(
          fmt::format("DNS: {} of {} zones are looked at, no more", most_zones, server->zones.size()));
    }
    drafts.checks.push_back({"outside-name",
                             {way("dns.query", query("www.outside.invalid.", "A", "udp"), 2 * quick)},
                             "what a client is told of a name that is no zone of this server"});
    return drafts;
  }

 private:
  [[nodiscard]] static std::optional<NamedServer> server_in(const Answers& answers) {
    const auto* answer = answer_to(answers, "named");
    if (answer == nullptr) return std::nullopt;
    const auto statements = parse_named_conf(answer->output);
    if (!statements) return std::nullopt;
    return named_server(*statements);
  }
};

}  // namespace

const Protocol& dns() {
  static const Dns instance;
  return instance;
}

}  // namespace patchlab::checks::learn
