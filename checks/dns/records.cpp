// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/records.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "checks/check_with.hpp"
#include "checks/dns/lookup.hpp"
#include "checks/dns/message.hpp"

namespace patchlab::checks::dns {
namespace {

constexpr std::size_t most_named = 20;  // of the questions with a wrong answer, for the reader

struct NameAndType {
  std::string name;
  std::string type;
  auto operator<=>(const NameAndType&) const = default;
};

// "www.corp.example. IN A 10.20.0.80"
NameAndType name_and_type(const std::string& canonical) {
  std::istringstream words(canonical);
  NameAndType both;
  std::string record_class;
  words >> both.name >> record_class >> both.type;
  return both;
}

}  // namespace

std::vector<Lookup> read_record_lookups(JsonReader& reader) {
  const auto lines = reader.texts_or_empty("records", why_no_record);
  const auto& given = reader.raw("records");
  if (given.is_null() && !reader.has("records"))
    reader.problem("records", "is required: a list of at least one, such as \"www.corp.example. A 10.20.0.80\"");
  else if (given.is_array() && given.empty())
    reader.problem("records", "must hold at least one record, such as \"www.corp.example. A 10.20.0.80\"");
  Lookup common;
  common.transport = "udp";
  common.expect_rcode = "NOERROR";
  common.udp_size = 1232;
  common.port = static_cast<std::uint16_t>(reader.integer_or("port", 53, 1, 65535));
  std::map<NameAndType, std::vector<std::string>> sets;
  for (const auto& line : lines) {
    if (const auto record = parse_record(line)) sets[name_and_type(record->text)].push_back(line);
  }
  std::vector<Lookup> lookups;
  for (const auto& [key, expect] : sets) {
    lookups.push_back(common);
    lookups.back().name = key.name;
    lookups.back().type = key.type;
    lookups.back().expect = expect;
  }
  return lookups;
}

namespace {

// One lookup per name, type and transport.
std::vector<Lookup> read_parameters(JsonReader& reader) {
  const auto over_one = read_record_lookups(reader);
  auto transports = reader.texts_or_empty("transports", why_no_transport);
  if (transports.empty()) transports = {"udp"};
  std::optional<bool> expect_aa;
  if (reader.has("expect_aa")) expect_aa = reader.boolean_or("expect_aa", false);
  std::vector<Lookup> lookups;
  for (const auto& transport : transports) {
    for (auto lookup : over_one) {
      lookup.transport = transport;
      lookup.expect_aa = expect_aa;
      lookups.push_back(std::move(lookup));
    }
  }
  return lookups;
}

// Whether each is of the name and type that were asked for: a list of records asks for no others.
bool are_all_of(const std::vector<std::string>& records, const Lookup& lookup) {
  return !records.empty() && std::ranges::all_of(records, [&](const auto& text) {
    const auto record = parse_record(text);
    return record && name_and_type(record->text) == NameAndType{lookup.name, lookup.type};
  });
}

class Records final : public CheckWith<std::vector<Lookup>> {
 public:
  [[nodiscard]] std::string kind() const override { return "dns.records"; }

 protected:
  std::vector<Lookup> read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const std::vector<Lookup>& lookups,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    auto seen = Json::array();
    for (const auto& lookup : lookups) {
      PATCHLAB_ASSIGN(auto one, ask(target, lookup, deadline));
      one["name"] = lookup.name;
      one["type"] = lookup.type;
      seen.push_back(std::move(one));
      if (!seen.back().contains("reply")) break;
    }
    return Json{{"lookups", std::move(seen)}};
  }

  [[nodiscard]] Judgement judge_with(const std::vector<Lookup>& lookups,
                                     const Observation& observation) const override {
    const auto& seen = observation.at("lookups");
    std::vector<std::string> wrong;
    std::optional<Judgement> first;
    for (std::size_t i = 0; i < lookups.size() && i < seen.size(); ++i) {
      auto judgement = judge_answer(lookups[i], seen[i]);
      if (judgement.outcome == Outcome::pass) continue;
      wrong.push_back(fmt::format("{} {} over {}", lookups[i].name, lookups[i].type, lookups[i].transport));
      if (!first) first = std::move(judgement);
    }
    if (!first && seen.size() < lookups.size()) {
      return {Outcome::error, "observation-incomplete", fmt::format("{} lookups", lookups.size()),
              fmt::format("{} lookups", seen.size())};
    }
    if (!first) {
      return {Outcome::pass, "as-expected", fmt::format("{} lookups answered as the list says", lookups.size()),
              "all of them"};
    }
    const auto count = wrong.size();
    if (count > most_named) wrong.resize(most_named);
    first->expected = fmt::format("{}: {}", wrong.front(), first->expected);
    first->observed = fmt::format("{}\n{} of {} lookups answered wrongly: {}{}", first->observed, count, lookups.size(),
                                  fmt::join(wrong, ", "), count > most_named ? ", ..." : "");
    return *first;
  }

  // What is asked for and not answered with records of its own (names below a delegation) is left out: no list of
  // records can say that.
  [[nodiscard]] Result<void> expect(const std::vector<Lookup>& lookups, Observation& observation,
                                    Json& json) const override {
    const auto seen = std::exchange(observation["lookups"], Json::array());
    std::map<NameAndType, std::vector<std::string>> answers;  // empty: left out
    bool all_authoritative = true;
    for (std::size_t i = 0; i < lookups.size(); ++i) {
      const auto& lookup = lookups[i];
      const auto asked = fmt::format("{} {} over {}", lookup.name, lookup.type, lookup.transport);
      if (i >= seen.size()) return Error{ErrorClass::check, fmt::format("{} was not looked up", asked), {}};
      PATCHLAB_ASSIGN(auto said, answered(lookup, seen[i]).while_doing(asked));
      const bool is_listed = said.rcode == "NOERROR" && are_all_of(said.records, lookup);
      if (!is_listed) said.records.clear();
      std::ranges::sort(said.records);
      const auto [known, is_new] = answers.try_emplace({lookup.name, lookup.type}, said.records);
      if (!is_new && known->second != said.records)
        return Error{ErrorClass::check, fmt::format("{} is answered otherwise than before", asked), {}};
      if (!is_listed) continue;
      all_authoritative = all_authoritative && said.is_authoritative;
      observation["lookups"].push_back(seen[i]);
    }
    json["records"] = Json::array();
    for (const auto& [key, records] : answers) {
      for (const auto& record : records) json["records"].push_back(record);
    }
    if (json["records"].empty()) return Error{ErrorClass::check, "the server answers none of them with records", {}};
    json["expect_aa"] = all_authoritative;
    return {};
  }
};

}  // namespace

const Check& records() {
  static const Records instance;
  return instance;
}

}  // namespace patchlab::checks::dns
