// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/hypervisor.hpp"

namespace patchlab::test {

// The agent of one machine, spoken to in its own commands: for tests of what lies below lab/guest. The hypervisor must
// outlive it.
class AgentCommands {
 public:
  AgentCommands(lab::Hypervisor& hypervisor, std::string machine)
      : hypervisor_(hypervisor), machine_(std::move(machine)) {}

  [[nodiscard]] Result<std::string> ask(const std::string& command, Milliseconds limit = std::chrono::seconds(20)) {
    return hypervisor_.agent_command(machine_, command, limit);
  }
  // Waits until it does; false after 200 seconds.
  [[nodiscard]] bool answers() {
    return soon("the agent to answer", std::chrono::seconds(200),
                [&] { return ask(R"({"execute":"guest-ping"})", std::chrono::seconds(2)).has_value(); });
  }
  // Started, not waited for.
  [[nodiscard]] bool shell(const std::string& command) {
    return ask(R"({"execute":"guest-exec","arguments":{"path":"/bin/sh","arg":["-c",")" + command + R"("]}})")
        .has_value();
  }
  [[nodiscard]] bool has_file(const std::string& path) {
    return ask(R"({"execute":"guest-file-open","arguments":{"path":")" + path + R"("}})").has_value();
  }
  // Waits until it is there; false after a minute.
  [[nodiscard]] bool gets_file(const std::string& path) {
    return soon("a file in the guest", std::chrono::seconds(60), [&] { return has_file(path); });
  }

 private:
  static bool soon(const char* what, Milliseconds limit, const std::function<bool()>& done) {
    return wait_until(system_clock_source(), {what, limit, Milliseconds(50), {}, {}}, done).has_value();
  }

  lab::Hypervisor& hypervisor_;
  std::string machine_;
};

}  // namespace patchlab::test
