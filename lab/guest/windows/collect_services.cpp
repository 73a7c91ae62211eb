// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/text.hpp"
#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

#define SERVICES "HKLM\\SYSTEM\\CurrentControlSet\\Services"
using Reach = RegistryQuestion::Reach;
constexpr RegistryQuestion service_programs{"services-image", SERVICES, "ImagePath", Reach::tree, Absence::impossible};
constexpr RegistryQuestion service_accounts{"services-account", SERVICES, "ObjectName", Reach::tree,
                                            Absence::of_matches};
constexpr RegistryQuestion service_libraries{"services-library", SERVICES, "ServiceDll", Reach::tree,
                                             Absence::of_matches};
constexpr RegistryQuestion service_failures{"services-failure", SERVICES, "FailureCommand", Reach::tree,
                                            Absence::of_matches};
#undef SERVICES

// "...\Services\Dnscache\Parameters" -> "Dnscache"; empty: what lies deeper, where other things are called alike.
std::string service_of(const std::string& path) {
  constexpr std::string_view parent = "\\Services\\";
  const auto at = path.find(parent);
  if (at == std::string::npos) return {};
  auto name = path.substr(at + parent.size());
  const auto below = name.find('\\');
  if (below == std::string::npos) return name;
  return lower_case(name.substr(below)) == "\\parameters" ? name.substr(0, below) : std::string{};
}

// Drivers that Defender calls anew at each start of its engine, services made for one logon, and what .NET does by
// itself.
bool is_made_anew(std::string_view service) {
  const auto name = lower_case(service);
  const auto number = name.substr(name.rfind('_') + 1);
  return name.starts_with("mpksl") || (number.size() >= 4 && number.size() < name.size() &&
                                       number.find_first_not_of("0123456789abcdef") == std::string::npos);
}

Result<void> read_services(const Sections& found, Rows& rows) {
  std::map<std::string, std::map<std::string, std::string>> services;
  for (const auto* question : {&service_programs, &service_accounts, &service_libraries, &service_failures}) {
    PATCHLAB_ASSIGN(const auto keys, registry_answer(found, *question));
    for (const auto& key : keys) {
      const auto name = service_of(key.path);
      const auto value = key.values.find(question->value);
      // A service's own key says more than that of its parameters.
      if (!name.empty() && !is_made_anew(name) && value != key.values.end())
        services[name].try_emplace(question->value, value->second);
    }
  }
  for (const auto& [name, values] : services) {
    const auto of = [&, &known = values](const RegistryQuestion& question) {
      const auto value = known.find(question.value);
      return value == known.end() ? std::string{} : value->second;
    };
    auto text = fmt::format("as {}; runs {}", of(service_accounts).empty() ? "nobody" : of(service_accounts),
                            of(service_programs).empty() ? "nothing" : plain_command(of(service_programs)));
    if (!of(service_libraries).empty()) text += "; loads " + plain_command(of(service_libraries));
    if (!of(service_failures).empty()) text += "; on failure " + plain_command(of(service_failures));
    rows["service-setup"][name] = text;
  }
  return {};
}

}  // namespace

Collector service_collector() {
  return {"services",
          {"service-setup"},
          {service_programs, service_accounts, service_libraries, service_failures},
          {},
          read_services};
}

}  // namespace patchlab::lab::guest::windows
