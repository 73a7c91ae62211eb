// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/facts/likeness.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "lab/core/digest.hpp"

namespace patchlab::lab::facts {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

// "1 configuration file", "3 packages".
std::string counted(std::uint64_t count, Part part) {
  const char* what = "";
  switch (part) {
    case Part::release: what = count == 1 ? "fact of the system" : "facts of the system"; break;
    case Part::packages: what = count == 1 ? "package" : "packages"; break;
    case Part::configuration: what = count == 1 ? "configuration file" : "configuration files"; break;
    case Part::services: what = count == 1 ? "service" : "services"; break;
    case Part::ports: what = count == 1 ? "port" : "ports"; break;
  }
  return fmt::format("{} {}", count, what);
}

template <class Read>
void each_of(JsonReader& reader, const char* key, std::vector<JsonProblem>& problems, Read read) {
  const auto& list = reader.raw(key);
  if (list.is_null()) return;
  if (!list.is_array()) return reader.problem(key, fmt::format("must be a list, found {}", list.type_name()));
  for (std::size_t i = 0; i < list.size(); ++i) {
    JsonReader item(list[i], fmt::format("{}/{}", reader.at(key), i), problems);
    read(item);
    item.finish();
  }
}

Part part_of(JsonReader& reader) {
  const auto word = reader.text("part");
  const auto part = part_from(word);
  if (!part && !word.empty())
    reader.problem("part", fmt::format("'{}' is not one of: release, packages, configuration, services, ports", word));
  return part.value_or(Part::release);
}

void look_at_digest(JsonReader& reader, const char* key, const std::string& digest) {
  if (!digest.empty() && !is_sha256(digest)) reader.problem(key, "must be a SHA-256 in lower-case hex");
}

}  // namespace

const char* to_string(Part part) {
  switch (part) {
    case Part::release: return "release";
    case Part::packages: return "packages";
    case Part::configuration: return "configuration";
    case Part::services: return "services";
    case Part::ports: return "ports";
  }
  return "release";
}

std::optional<Part> part_from(std::string_view word) {
  for (const auto part : all_parts) {
    if (word == to_string(part)) return part;
  }
  return std::nullopt;
}

const char* to_string(LikenessState state) {
  switch (state) {
    case LikenessState::unknown: return "unknown";
    case LikenessState::differs: return "differs";
    case LikenessState::alike: return "alike";
  }
  return "unknown";
}

const PartLikeness* Likeness::part(Part wanted) const {
  const auto found = std::ranges::find(parts, wanted, &PartLikeness::part);
  return found == parts.end() ? nullptr : &*found;
}

LikenessState Likeness::state() const {
  const auto is_known = [&](Part wanted) {
    const auto* found = part(wanted);
    return found != nullptr && found->not_known.empty();
  };
  if (!not_known.empty() || facts.empty() || !std::ranges::all_of(all_parts, is_known)) return LikenessState::unknown;
  const auto differs = [](const PartLikeness& one) { return one.differing() > 0; };
  return std::ranges::any_of(parts, differs) || !differences.empty() ? LikenessState::differs : LikenessState::alike;
}

std::string sentence_of(const Likeness& likeness) {
  if (!likeness.not_known.empty())
    return fmt::format("how like production it is, is not known: {}", likeness.not_known);
  std::vector<std::string> differing;
  std::vector<std::string> unknown;
  std::uint64_t own = 0;
  for (const auto& one : likeness.parts) {
    own += one.own_values;
    if (one.differing() > 0) {
      differing.push_back(counted(one.differing(), one.part));
      if (one.of_role > 0 && one.of_role < one.differing())
        differing.back() += fmt::format(" ({} of the role)", one.of_role);
    }
    if (!one.not_known.empty()) unknown.push_back(fmt::format("{} ({})", to_string(one.part), one.not_known));
  }
  const auto whom = fmt::format("'{}' as of {}", likeness.production, likeness.observed);
  auto text = differing.empty() ? fmt::format("like {} in all that was compared", whom)
                                : fmt::format("not like {}: {}", whom, fmt::join(differing, ", "));
  if (own > 0)
    text += fmt::format("; the same but for comments, own names and addresses: {}", counted(own, Part::configuration));
  if (!unknown.empty()) text += fmt::format("; not known: {}", fmt::join(unknown, "; "));
  return text;
}

void to_json(Json& json, const Likeness& likeness) {
  json = {{"state", to_string(likeness.state())},
          {"production", likeness.production},
          {"facts", likeness.facts},
          {"observed", likeness.observed},
          {"not_known", likeness.not_known},
          {"golden_configuration", likeness.golden_configuration},
          {"production_configuration", likeness.production_configuration},
          {"parts", Json::array()},
          {"differences", Json::array()}};
  for (const auto& one : likeness.parts) {
    json["parts"].push_back({{"part", to_string(one.part)},
                             {"not_known", one.not_known},
                             {"same", one.same},
                             {"own_values", one.own_values},
                             {"only_golden", one.only_golden},
                             {"only_production", one.only_production},
                             {"other", one.other},
                             {"of_role", one.of_role}});
  }
  for (const auto& one : likeness.differences) {
    json["differences"].push_back({{"part", to_string(one.part)},
                                   {"name", one.name},
                                   {"golden", one.golden},
                                   {"production", one.production},
                                   {"of_role", one.of_role}});
  }
}

Likeness likeness_from_json(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Likeness likeness;
  const auto state = reader.text("state");
  likeness.production = reader.text_or("production", "");
  likeness.facts = reader.text_or("facts", "");
  look_at_digest(reader, "facts", likeness.facts);
  likeness.observed = reader.text_or("observed", "");
  likeness.not_known = reader.text_or("not_known", "");
  likeness.golden_configuration = reader.text_or("golden_configuration", "");
  look_at_digest(reader, "golden_configuration", likeness.golden_configuration);
  likeness.production_configuration = reader.text_or("production_configuration", "");
  look_at_digest(reader, "production_configuration", likeness.production_configuration);
  each_of(reader, "parts", problems, [&](JsonReader& item) {
    PartLikeness one;
    one.part = part_of(item);
    one.not_known = item.text_or("not_known", "");
    const auto count = [&](const char* key) { return static_cast<std::uint64_t>(item.integer(key, 0, most / 4)); };
    one.same = count("same");
    one.own_values = count("own_values");
    one.only_golden = count("only_golden");
    one.only_production = count("only_production");
    one.other = count("other");
    one.of_role = count("of_role");
    if (one.own_values > one.same) item.problem("own_values", "are more than what is the same");
    if (one.of_role > one.differing()) item.problem("of_role", "are more than what differs");
    if (!likeness.parts.empty() && likeness.parts.back().part >= one.part)
      item.problem("part", "must be in order, each part once");
    likeness.parts.push_back(std::move(one));
  });
  each_of(reader, "differences", problems, [&](JsonReader& item) {
    Difference one;
    one.part = part_of(item);
    one.name = item.text("name");
    one.golden = item.text_or("golden", "");
    one.production = item.text_or("production", "");
    one.of_role = item.boolean_or("of_role", false);
    likeness.differences.push_back(std::move(one));
  });
  // All of them are there, or the first of many.
  std::uint64_t differing = 0;
  for (const auto& one : likeness.parts) {
    differing += one.differing();
    const auto named = std::ranges::count(likeness.differences, one.part, &Difference::part);
    if (static_cast<std::uint64_t>(named) > one.differing())
      reader.problem("differences", fmt::format("name more {} than differ", to_string(one.part)));
  }
  if (likeness.differences.size() != std::min<std::uint64_t>(differing, most_differences))
    reader.problem("differences", "are not as many as the parts say");
  // Nobody reads "alike" in what does not add up to it.
  if (reader.raw("state").is_string() && state != to_string(likeness.state()))
    reader.problem("state",
                   fmt::format("is '{}', and what is beside it says '{}'", state, to_string(likeness.state())));
  reader.finish();
  return likeness;
}

}  // namespace patchlab::lab::facts
