// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

using Reach = RegistryQuestion::Reach;
#define WINDOWS "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\"
#define NT "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\"
#define WOW "HKLM\\SOFTWARE\\Wow6432Node\\Microsoft\\Windows\\CurrentVersion\\"
#define CONTROL "HKLM\\SYSTEM\\CurrentControlSet\\Control\\"

// Every value of such a key is something that is started.
constexpr std::array<RegistryQuestion, 5> start_lists{{{"run", WINDOWS "Run", ""},
                                                       {"run-once", WINDOWS "RunOnce", ""},
                                                       {"run-32", WOW "Run", ""},
                                                       {"run-once-32", WOW "RunOnce", ""},
                                                       {"run-policy", WINDOWS "Policies\\Explorer\\Run", ""}}};
// One value each.
constexpr std::array<RegistryQuestion, 4> started_by_one{{{"logon-shell", NT "Winlogon", "Shell"},
                                                          {"logon-userinit", NT "Winlogon", "Userinit"},
                                                          {"library-of-all", NT "Windows", "AppInit_DLLs"},
                                                          {"boot-execute", CONTROL "Session Manager", "BootExecute"}}};
// A value in one of many keys, whose name counts.
constexpr std::array<RegistryQuestion, 2> started_by_name{
    {{"debugger", NT "Image File Execution Options", "Debugger", Reach::tree, Absence::of_matches},
     {"print-monitor", CONTROL "Print\\Monitors", "Driver", Reach::tree, Absence::of_matches}}};
// Libraries that the security subsystem loads.
constexpr RegistryQuestion lsa_libraries_key{"lsa", CONTROL "Lsa", "", Reach::key, Absence::impossible};
constexpr std::array<const char*, 3> lsa_libraries{"Authentication Packages", "Notification Packages",
                                                   "Security Packages"};
#undef WINDOWS
#undef NT
#undef WOW
#undef CONTROL

// What asks for a restart is no program.
bool is_no_program(const std::string& name) { return name == "DVDRebootSignal"; }

Result<void> read_autostart(const Sections& found, Rows& rows) {
  auto& started = rows["autostart"];
  for (const auto& list : start_lists) {
    PATCHLAB_ASSIGN(const auto keys, registry_answer(found, list));
    for (const auto& key : keys) {
      for (const auto& [name, data] : key.values) {
        if (!is_no_program(name)) started[fmt::format("{}: {}", list.section, name)] = plain_command(data);
      }
    }
  }
  for (const auto& one : started_by_one) {
    PATCHLAB_ASSIGN(const auto keys, registry_answer(found, one));
    for (const auto& key : keys) {
      const auto value = key.values.find(one.value);
      if (value != key.values.end() && !value->second.empty()) started[one.section] = plain_command(value->second);
    }
  }
  for (const auto& one : started_by_name) {
    PATCHLAB_ASSIGN(const auto keys, registry_answer(found, one));
    for (const auto& key : keys) {
      const auto value = key.values.find(one.value);
      if (value != key.values.end())
        started[fmt::format("{}: {}", one.section, key.name())] = plain_command(value->second);
    }
  }
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, lsa_libraries_key));
  for (const auto& key : keys) {
    for (const auto* name : lsa_libraries) {
      const auto value = key.values.find(name);
      if (value != key.values.end()) started[fmt::format("lsa: {}", name)] = value->second;
    }
  }
  return {};
}

std::vector<RegistryQuestion> autostart_questions() {
  std::vector<RegistryQuestion> all(start_lists.begin(), start_lists.end());
  all.insert(all.end(), started_by_one.begin(), started_by_one.end());
  all.insert(all.end(), started_by_name.begin(), started_by_name.end());
  all.push_back(lsa_libraries_key);
  return all;
}

}  // namespace

Collector autostart_collector() { return {"autostart", {"autostart"}, autostart_questions(), {}, read_autostart}; }

}  // namespace patchlab::lab::guest::windows
