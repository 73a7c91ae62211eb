// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/guest/adapter.hpp"

namespace patchlab::lab::guest {

// A guest that is up, has nothing and does nothing: for tests that ask one or two questions of a guest of their own.
class QuietGuest : public GuestAdapter {
 public:
  Result<std::string> boot_id() override { return std::string(); }
  Result<bool> boot_complete() override { return true; }
  Result<InstalledSet> installed() override { return InstalledSet{}; }
  Result<InstallOutcome> apply(const std::vector<std::string>&, Milliseconds, std::stop_token) override {
    return InstallOutcome{};
  }
  Result<bool> reboot_required() override { return false; }
  Result<void> request_reboot() override { return {}; }
  Result<void> request_power_off() override { return {}; }
  Result<HostState> host_state(const std::vector<std::string>&) override { return HostState{}; }
  Result<std::map<std::string, std::string>> evidence() override { return std::map<std::string, std::string>{}; }
};

}  // namespace patchlab::lab::guest
