// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/adapter.hpp"

#include <fmt/format.h>

namespace patchlab::lab::guest {

const char* to_string(InstallEnd end) {
  switch (end) {
    case InstallEnd::installed: return "installed";
    case InstallEnd::reboot_needed: return "installed, reboot needed";
    case InstallEnd::reboot_started: return "reboot started";
    case InstallEnd::already_installed: return "already installed";
    case InstallEnd::not_applicable: return "not applicable";
    case InstallEnd::retry: return "retry";
    case InstallEnd::failed: return "failed";
    case InstallEnd::lab_trouble: return "lab trouble";
    case InstallEnd::restart_first: return "a restart must come first";
    case InstallEnd::needs_other: return "another update must come first";
    case InstallEnd::not_entitled: return "no entitlement here";
  }
  return "?";
}

bool is_success(InstallEnd end) {
  return end == InstallEnd::installed || end == InstallEnd::reboot_needed || end == InstallEnd::reboot_started ||
         end == InstallEnd::already_installed;
}

Error observer_trouble(Error error) {
  if (error.error_class == ErrorClass::guest || error.error_class == ErrorClass::timeout)
    error.error_class = ErrorClass::infrastructure;
  return error;
}

Result<std::vector<std::string>> GuestAdapter::undone_by_restart(const InstalledSet&) {
  return std::vector<std::string>{};
}

Result<NotInEffect> GuestAdapter::not_in_effect(const InstalledSet&) { return NotInEffect{}; }

std::string GuestAdapter::why_not_here(const InstalledSet&) const { return {}; }

Result<std::optional<GuestView>> GuestAdapter::view(Look, const std::vector<std::string>&) {
  return std::optional<GuestView>();
}
Result<std::optional<HostState>> GuestAdapter::servers() { return std::optional<HostState>(); }
Result<std::map<std::string, std::string>> GuestAdapter::digests(const std::vector<std::string>&) {
  return std::map<std::string, std::string>{};
}
Result<std::map<std::string, std::string>> GuestAdapter::texts(const std::vector<std::string>&) {
  return std::map<std::string, std::string>{};
}

Result<OutreachSeen> GuestAdapter::reach_out(const Outreach& wanted) {
  const std::string why = "guests of this kind have no means for it";
  OutreachSeen seen;
  seen.tries.assign(wanted.tries.size(), {.sent = false, .answered = false, .words = why});
  seen.no_frames = why;
  return seen;
}

const char* to_string(ServiceAction action) {
  switch (action) {
    case ServiceAction::stop: return "stop";
    case ServiceAction::start: return "start";
  }
  return "?";
}

Result<ServiceCycle> GuestAdapter::before_cycling(const std::string&) {
  return ServiceCycle{.why_not = "services of guests of this kind are not stopped"};
}
Result<ServiceChange> GuestAdapter::change_service(const std::string& service, ServiceAction action, Milliseconds,
                                                   std::stop_token) {
  return configuration_error(fmt::format("'{}' cannot be asked to {} here", service, to_string(action)));
}

std::string GuestAdapter::why_no_uninstall(const InstalledPackage&) const {
  return "uninstalling is not offered for this kind of guest";
}

Result<InstallOutcome> GuestAdapter::uninstall(const InstalledPackage& package, Milliseconds, std::stop_token) {
  return configuration_error(fmt::format("'{}': {}", package.file_name, why_no_uninstall(package)));
}

}  // namespace patchlab::lab::guest
