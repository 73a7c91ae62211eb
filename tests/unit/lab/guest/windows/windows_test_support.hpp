// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/guest/windows/windows_adapter.hpp"
#include "tests/support/fake_hypervisor.hpp"
#include "tests/support/fake_windows.hpp"

namespace patchlab::lab::guest::windows {

// A running fake Windows machine and the adapter for it.
class WindowsTest : public testing::Test {
 protected:
  WindowsTest() {
    MachineSpec spec;
    spec.name = "srv";
    (void)hypervisor.define(spec);
    (void)hypervisor.start("srv");
    hypervisor.on_agent([this](auto&, const auto& command) { return windows.answer(command); });
  }
  // Brings a file on the medium; what its installer does is for the caller to say.
  test::FakeWindows::Installer& candidate(const std::string& file) {
    windows.medium.insert("D:" + file);
    return windows.installers[file];
  }
  [[nodiscard]] std::ptrdiff_t times_run(const std::string& part) const {
    return std::count_if(windows.lines.begin(), windows.lines.end(),
                         [&](const auto& line) { return line.find(part) != std::string::npos; });
  }

  test::FakeClock clock;
  test::FakeHypervisor hypervisor;
  test::FakeWindows windows{clock};
  GuestAgent agent{hypervisor, "srv", clock};
  WindowsOptions options{.setups = {{"setup.exe", {.switches = "/q /norestart"}}}, .version = "6.2.9200"};
  std::unique_ptr<WindowsGuest> adapter = windows_adapter(agent, clock, options);
};

}  // namespace patchlab::lab::guest::windows
