// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/guest_system.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab {
namespace {

// "6.2", "6.2.9200": two to four numbers.
bool is_version(std::string_view text) {
  std::size_t numbers = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('.', begin), text.size());
    const auto number = text.substr(begin, end - begin);
    if (number.empty() || number.size() > 9 || number.find_first_not_of("0123456789") != std::string_view::npos)
      return false;
    ++numbers;
    begin = end + 1;
  }
  return numbers >= 2 && numbers <= 4;
}

}  // namespace

const char* to_string(GuestFamily family) { return family == GuestFamily::windows ? "windows" : "debian"; }

void to_json(Json& json, const GuestSystem& system) {
  json = Json{{"family", to_string(system.family)}, {"architecture", system.architecture}};
  if (!system.version.empty()) json["version"] = system.version;
}

GuestSystem guest_system_from(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  GuestSystem system;
  JsonReader reader(json, pointer, problems);
  const auto family = reader.text("family");
  if (family == "windows") {
    system.family = GuestFamily::windows;
    system.version = reader.text("version");
    if (!system.version.empty() && !is_version(system.version))
      reader.problem("version", fmt::format("'{}' is no Windows version such as '6.2.9200'", system.version));
  } else if (!family.empty() && family != "debian") {
    reader.problem("family", fmt::format("'{}' is not known; there are 'debian' and 'windows'", family));
  }
  system.architecture = reader.text_or("architecture", system.architecture);
  if (system.architecture != "amd64" && system.architecture != "x86" && system.architecture != "arm64")
    reader.problem("architecture",
                   fmt::format("'{}' is not known; there are 'amd64', 'x86' and 'arm64'", system.architecture));
  reader.finish();
  return system;
}

}  // namespace patchlab
