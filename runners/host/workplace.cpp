// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/workplace.hpp"

#include <algorithm>

#include "runners/cell/protocol.hpp"

namespace patchlab::runners::host {

void to_json(Json& json, const Workplace& place) {
  json = {{"program", place.program},
          {"root", place.root.string()},
          {"evidence", place.evidence.string()},
          {"media", place.media.string()},
          {"slots", place.slots.string()},
          {"slot_count", place.slot_count},
          {"facts", cell::host_facts_json(place.facts)},
          {"now_ms", place.now.count()}};
}

Workplace workplace_from_json(const Json& json) {
  Workplace place;
  place.program = json.at("program");
  place.root = json.at("root").get<std::string>();
  place.evidence = json.at("evidence").get<std::string>();
  place.media = json.at("media").get<std::string>();
  place.slots = json.at("slots").get<std::string>();
  place.slot_count = json.at("slot_count");
  place.facts = cell::host_facts_from_json(json.at("facts"));
  place.now = Milliseconds(json.at("now_ms").get<std::int64_t>());
  return place;
}

bool stays_below(const std::filesystem::path& path) {
  return !path.empty() && path.is_relative() && path.native().find('\0') == std::string::npos &&
         std::ranges::none_of(path, [](const auto& part) { return part == ".." || part == "." || part.empty(); });
}

}  // namespace patchlab::runners::host
