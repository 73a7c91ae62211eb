// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/guest_system.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace patchlab {
namespace {

// The numbers of "6.2.9200"; none when it is anything else.
std::vector<std::uint32_t> numbers_in(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('.', begin), text.size());
    const auto number = text.substr(begin, end - begin);
    const bool is_padded = number.size() > 1 && number.front() == '0';
    if (number.empty() || is_padded || number.size() > 9 ||
        number.find_first_not_of("0123456789") != std::string_view::npos)
      return {};
    numbers.push_back(0);
    (void)std::from_chars(number.data(), number.data() + number.size(), numbers.back());
    begin = end + 1;
  }
  return numbers;
}

bool is_version(std::string_view text) {
  const auto numbers = numbers_in(text);
  return numbers.size() >= 2 && numbers.size() <= 4;
}

}  // namespace

std::string why_not_supported(std::string_view windows_version) {
  const auto numbers = numbers_in(windows_version);
  if (numbers.size() < 2) return {};
  if (numbers[0] < 6 || (numbers[0] == 6 && numbers[1] < 2))
    return fmt::format("Windows {} is not supported: the oldest is Server 2012 (6.2.9200)", windows_version);
  // From the kernel of Windows 11 24H2 on.
  constexpr std::uint32_t first_without = 26100;
  const bool is_too_new = numbers[0] > 10 || (numbers[0] == 10 && numbers.size() > 2 && numbers[2] >= first_without);
  if (!is_too_new) return {};
  return fmt::format(
      "Windows {} (Server 2025 and later) is not supported yet: it has no wmic, its .msu files are WIM images, and its "
      "updates change the identities of optional features, so what is installed could not be told",
      windows_version);
}

const std::vector<FamilyTraits>& guest_families() {
  static const std::vector<FamilyTraits> families{
      {.family = GuestFamily::debian,
       .name = "debian",
       .title = "Debian",
       .lists_packages = true,
       .has_version = false,
       .offers_removal = false,
       .kinds = {"deb"}},
      {.family = GuestFamily::windows,
       .name = "windows",
       .title = "Windows",
       .lists_packages = false,
       .has_version = true,
       .offers_removal = true,
       .kinds = {"msu", "cab", "msi", "msp", "exe"}},
  };
  return families;
}

const FamilyTraits& traits_of(GuestFamily family) {
  const auto& families = guest_families();
  const auto row = std::ranges::find(families, family, &FamilyTraits::family);
  if (row == families.end()) throw std::logic_error("a guest family without a row");
  return *row;
}

const char* to_string(GuestFamily family) { return traits_of(family).name; }

std::optional<GuestFamily> guest_family_from(std::string_view word) {
  for (const auto& row : guest_families()) {
    if (word == row.name) return row.family;
  }
  return std::nullopt;
}

bool FamilyTraits::takes(std::string_view kind) const { return std::ranges::count(kinds, kind) > 0; }

void to_json(Json& json, const GuestSystem& system) {
  json = Json{{"family", to_string(system.family)}, {"architecture", system.architecture}};
  if (!system.version.empty()) json["version"] = system.version;
  if (!system.servicing_stack.empty()) json["servicing_stack"] = system.servicing_stack;
}

GuestSystem guest_system_from(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  GuestSystem system;
  JsonReader reader(json, pointer, problems);
  const auto word = reader.text("family", [](const std::string& name) {
    if (guest_family_from(name)) return std::string();
    std::vector<std::string> names;
    for (const auto& row : guest_families()) names.push_back(fmt::format("'{}'", row.name));
    return fmt::format("'{}' is not known; there are {}", name, fmt::join(names, " and "));
  });
  const auto family = guest_family_from(word);
  if (family) system.family = *family;
  if (family && traits_of(*family).has_version) {
    const auto* title = traits_of(*family).title;
    system.version = reader.text("version", [title](const std::string& version) {
      if (!is_version(version)) return fmt::format("'{}' is no {} version such as '6.2.9200'", version, title);
      return why_not_supported(version);
    });
    system.servicing_stack = reader.text_or("servicing_stack", "", [](const std::string& version) {
      return numbers_in(version).size() == 4
                 ? ""
                 : fmt::format("'{}' is no version of a servicing stack such as '10.0.14393.7692'", version);
    });
  } else if (!family) {
    // What else it says belongs to a family that nobody knows.
    for (const char* key : {"version", "servicing_stack"}) (void)reader.has(key);
  }
  system.architecture = reader.text_or("architecture", system.architecture, [](const std::string& name) {
    return name == "amd64" || name == "x86" || name == "arm64"
               ? ""
               : fmt::format("'{}' is not known; there are 'amd64', 'x86' and 'arm64'", name);
  });
  reader.finish();
  return system;
}

}  // namespace patchlab
