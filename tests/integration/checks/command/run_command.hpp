// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "checks/command/command.hpp"
#include "checks/run.hpp"
#include "lab/core/digest.hpp"

// A program as a check, in a worker that confines itself as in the product. Who includes it defines
// COMMAND_CHECK_WORKER and waits for the target command_check_worker.
namespace patchlab::checks::plugins {

inline CheckResult run_program(CheckProgram program, Json parameters, const std::string& address = "127.0.0.1",
                               Milliseconds deadline = std::chrono::seconds(20)) {
  parameters["program"] = program.name;
  CheckWorkers workers;
  workers.program = COMMAND_CHECK_WORKER;
  workers.find = [](const std::string&) { return &command(); };
  CheckSpec spec{"program", "command", std::move(parameters), deadline, {}, std::move(program)};
  return run_check(host_processes(), workers, {spec, Target{address, "127.0.0.1", "lo", "mail", "mail-server"}});
}

inline CheckResult run_script(const std::string& text, Json parameters = Json::object(),
                              Milliseconds deadline = std::chrono::seconds(20)) {
  const auto bytes = "#!/bin/sh\n" + text + "\n";
  return run_program({"script.sh", sha256(bytes), bytes}, std::move(parameters), "127.0.0.1", deadline);
}

inline std::filesystem::path plugin_file(const std::string& name) { return "/usr/lib/nagios/plugins/" + name; }
inline bool has_plugin(const std::string& name) { return std::filesystem::exists(plugin_file(name)); }

// A plugin of the packages monitoring-plugins-basic and -standard, as it is.
inline CheckResult run_plugin(const std::string& name, const std::vector<std::string>& arguments, std::uint16_t port,
                              const std::string& address = "127.0.0.1") {
  auto program = read_check_program(plugin_file(name));
  if (!program) return {"program", "command", Outcome::error, "no-plugin", {}, program.error().message};
  return run_program(std::move(*program), {{"arguments", arguments}, {"port", port}}, address);
}

}  // namespace patchlab::checks::plugins
