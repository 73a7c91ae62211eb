// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/evidence.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/core/digest.hpp"

namespace patchlab::checks {
namespace {

struct Step {
  std::size_t text;  // longest text kept, bytes
  std::size_t list;  // most elements kept
};
constexpr std::array steps{Step{16384, 512}, Step{4096, 128}, Step{1024, 32}, Step{256, 8}};

std::size_t size_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace).size(); }

std::string shortened(const std::string& text, std::size_t limit) {
  return to_valid_utf8(std::string_view(text).substr(0, limit)) +
         fmt::format("... [{} bytes cut]", text.size() - limit);
}

void shorten(Json& json, const Step& step) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (text.size() > step.text) json = shortened(text, step.text);
    return;
  }
  if (json.is_array() && json.size() > step.list) {
    const auto cut = json.size() - step.list;
    json.erase(json.begin() + static_cast<std::ptrdiff_t>(step.list), json.end());
    json.push_back(fmt::format("... [{} elements cut]", cut));
  }
  if (json.is_structured()) {
    for (auto& member : json) shorten(member, step);
  }
}

}  // namespace

Json capped(Json observation, std::size_t limit) {
  for (const auto& step : steps) {
    if (size_of(observation) <= limit) return observation;
    shorten(observation, step);
  }
  if (size_of(observation) <= limit) return observation;
  // Very many keys: keep the beginning as text. Half the limit, because quotes double when escaped again.
  const auto text = observation.dump(-1, ' ', true, Json::error_handler_t::replace);
  return Json{{"truncated", true},
              {"sha256", sha256(text)},
              {"bytes", text.size()},
              {"beginning", text.substr(0, std::min(text.size(), limit / 2))}};
}

}  // namespace patchlab::checks
