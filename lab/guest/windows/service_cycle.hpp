// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guest/windows/replies.hpp"

// What has to be known of a service before it is stopped. Pure.
namespace patchlab::lab::guest::windows {

// Not empty, 256 characters at most, and none that the service manager or a command line takes for something else: no
// control characters, quotes or slashes.
[[nodiscard]] bool is_service_name(std::string_view name);

// "HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\DNS" -> "DNS"; empty: what lies deeper, or elsewhere.
[[nodiscard]] std::string service_in(const std::string& path);

// The services that run and need `service`, each before those that it needs itself: the service manager stops none that
// another needs which runs. `needs`: keys of services with their DependOnService. Groups are not followed.
[[nodiscard]] std::vector<std::string> running_dependents(const std::string& service,
                                                          const std::vector<RegistryKey>& needs,
                                                          const std::map<std::string, ServiceStatus>& states);

// Nothing: there is no such service. Names do not differ by case.
[[nodiscard]] const ServiceStatus* status_of(const std::map<std::string, ServiceStatus>& states,
                                             const std::string& service);

}  // namespace patchlab::lab::guest::windows
