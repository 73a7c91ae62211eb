// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/digest.hpp"
#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

using Reach = RegistryQuestion::Reach;
#define CONTROL "HKLM\\SYSTEM\\CurrentControlSet\\Control\\"
#define SERVICES "HKLM\\SYSTEM\\CurrentControlSet\\Services\\"
#define POLICIES "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"

constexpr RegistryQuestion providers{"security-providers", CONTROL "SecurityProviders", "", Reach::tree};
constexpr RegistryQuestion smb_server{"smb-server", SERVICES "LanmanServer\\Parameters", ""};
constexpr RegistryQuestion smb_client{"smb-client", SERVICES "LanmanWorkstation\\Parameters", ""};
// What is started is asked for in the same key, by another collector.
constexpr RegistryQuestion lsa_values_key{"lsa", CONTROL "Lsa", "", Reach::key, Absence::impossible};
constexpr std::array<const char*, 12> lsa_values{"LmCompatibilityLevel",
                                                 "RestrictAnonymous",
                                                 "RestrictAnonymousSAM",
                                                 "EveryoneIncludesAnonymous",
                                                 "NoLMHash",
                                                 "RunAsPPL",
                                                 "LimitBlankPasswordUse",
                                                 "ForceGuest",
                                                 "DisableRestrictedAdmin",
                                                 "DisableDomainCreds",
                                                 "SCENoApplyLegacyAuditPolicy",
                                                 "CrashOnAuditFail"};
// One value each, in keys that hold texts for people as well.
constexpr std::array<RegistryQuestion, 6> single_settings{
    {{"EnableLUA", POLICIES, "EnableLUA"},
     {"LocalAccountTokenFilterPolicy", POLICIES, "LocalAccountTokenFilterPolicy"},
     {"ConsentPromptBehaviorAdmin", POLICIES, "ConsentPromptBehaviorAdmin"},
     {"AutoAdminLogon", "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon", "AutoAdminLogon"},
     {"fDenyTSConnections", CONTROL "Terminal Server", "fDenyTSConnections"},
     {"UserAuthentication", CONTROL "Terminal Server\\WinStations\\RDP-Tcp", "UserAuthentication"}}};
constexpr RegistryQuestion audit_policy{"audit-policy", "HKLM\\SECURITY\\Policy\\PolAdtEv", ""};
#undef CONTROL
#undef SERVICES
#undef POLICIES

Result<void> read_protocols(const Sections& found, Rows& rows) {
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, providers));
  constexpr std::string_view root = "\\SecurityProviders";
  for (const auto& key : keys) {
    const auto at = key.path.find(root);
    if (at == std::string::npos) return guest_error(fmt::format("'{}' is no security provider", key.path));
    auto place = key.path.substr(at + root.size());
    for (const std::string_view common : {"\\SCHANNEL\\Protocols", "\\SCHANNEL", ""}) {
      if (!place.starts_with(common)) continue;
      place.erase(0, common.size());
      break;
    }
    for (const auto& [name, data] : key.values)
      rows["protocol"][(place.empty() ? "" : place.substr(1) + " ") + name] = data;
  }
  return {};
}

Result<void> read_sharing(const Sections& found, Rows& rows) {
  for (const auto& [question, side] : {std::pair{smb_server, "server"}, {smb_client, "client"}}) {
    PATCHLAB_ASSIGN(const auto keys, registry_answer(found, question));
    for (const auto& key : keys) {
      for (const auto& [name, data] : key.values) {
        if (name != "Guid") rows["smb-setting"][fmt::format("{} {}", side, name)] = data;  // of this start
      }
    }
  }
  return {};
}

Result<void> read_settings(const Sections& found, Rows& rows) {
  PATCHLAB_TRY(read_protocols(found, rows));
  PATCHLAB_TRY(read_sharing(found, rows));
  auto& settings = rows["security-setting"];
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, lsa_values_key));
  for (const auto& key : keys) {
    for (const auto* name : lsa_values) {
      const auto value = key.values.find(name);
      if (value != key.values.end()) settings[name] = value->second;
    }
  }
  for (const auto& one : single_settings) {
    PATCHLAB_ASSIGN(const auto of_one, registry_answer(found, one));
    for (const auto& key : of_one) {
      const auto value = key.values.find(one.value);
      if (value != key.values.end()) settings[one.section] = value->second;
    }
  }
  PATCHLAB_ASSIGN(const auto audited, registry_answer(found, audit_policy));
  for (const auto& key : audited) {
    for (const auto& [name, data] : key.values) settings["what is audited"] = sha256(data);
  }
  return {};
}

std::vector<RegistryQuestion> setting_questions() {
  std::vector<RegistryQuestion> all{providers, smb_server, smb_client, audit_policy};
  all.insert(all.end(), single_settings.begin(), single_settings.end());
  return all;
}

}  // namespace

Collector setting_collector() {
  return {"settings", {"protocol", "smb-setting", "security-setting"}, setting_questions(), {}, read_settings};
}

}  // namespace patchlab::lab::guest::windows
