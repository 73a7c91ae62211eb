// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/replaced_products.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace patchlab {
namespace {

std::array<std::uint32_t, 3> compared_numbers(std::string_view version) {
  std::array<std::uint32_t, 3> numbers{};
  for (auto& number : numbers) {
    const auto dot = std::min(version.find('.'), version.size());
    (void)std::from_chars(version.data(), version.data() + dot, number);
    version.remove_prefix(std::min(dot + 1, version.size()));
  }
  return numbers;
}

}  // namespace

bool ReplacedProducts::covers(const std::string& version, const std::string& language) const {
  const auto found = compared_numbers(version);
  if (!from.empty()) {
    const auto lowest = compared_numbers(from);
    if (found < lowest || (found == lowest && !from_included)) return false;
  }
  if (!to.empty()) {
    const auto highest = compared_numbers(to);
    if (found > highest || (found == highest && !to_included)) return false;
  }
  if (languages.empty() || language.empty()) return true;
  const bool named = std::find(languages.begin(), languages.end(), language) != languages.end();
  return named != languages_excluded;
}

void to_json(Json& json, const ReplacedProducts& products) {
  json = Json{{"upgrade_code", products.upgrade_code},
              {"from", products.from},
              {"from_included", products.from_included},
              {"to", products.to},
              {"to_included", products.to_included},
              {"languages", products.languages},
              {"languages_excluded", products.languages_excluded}};
}

ReplacedProducts replaced_products_from(const Json& json, const std::string& pointer,
                                        std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  ReplacedProducts products;
  products.upgrade_code = reader.text("upgrade_code");
  products.from = reader.text_or("from", "");
  products.from_included = reader.boolean_or("from_included", false);
  products.to = reader.text_or("to", "");
  products.to_included = reader.boolean_or("to_included", false);
  products.languages = reader.texts_or_empty("languages");
  products.languages_excluded = reader.boolean_or("languages_excluded", false);
  reader.finish();
  return products;
}

}  // namespace patchlab
