// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/host_state.hpp"
#include "lab/guest/windows/commands.hpp"
#include "lab/guest/windows/replies.hpp"

// From replies to the canonical, comparable state. Pure.
namespace patchlab::lab::guest::windows {

// What is asked beside one job: programs that write differently into a file than into a pipe, and the agent itself.
struct StateReplies {
  Sections job;                        // of state_questions()
  std::string services;                // Command::service_states
  std::string adapters;                // Command::adapters
  Json interfaces;                     // Command::interfaces
  std::vector<std::string> paths;      // whose access rights were asked for
  std::vector<std::string> acl_files;  // bytes of icacls' file per path; empty where the path is not there
};

struct Question {
  std::string section;
  std::string line;
};
// An event log whose errors count. One that is a role's is there only where the role is: where the scenario names one
// of `services`, or the role by one of `roles`, it must be. Every Windows has one that names neither.
struct WatchedLog {
  std::string name;
  std::vector<std::string> services;
  std::vector<std::string> roles;
};
[[nodiscard]] const std::vector<WatchedLog>& watched_logs();
// "running", "stopped", "failed", "starting", "stopping" or "paused".
[[nodiscard]] std::string state_word(const ServiceStatus& status);
// Folders whose access rights count on every machine. Of each only its own rights, not those of what lies in it.
[[nodiscard]] const std::vector<std::string>& watched_paths();
// "C:\Shares\Finance": a path that can stand between double quotes on a command line.
[[nodiscard]] bool is_watchable_path(std::string_view path);
[[nodiscard]] std::vector<Question> state_questions(const std::vector<std::string>& paths);

// services: those that start by themselves, and `asked`; listeners; addresses per MAC; error_kinds: "System: provider
// 7031" per log; facts: start types, drivers, network adapters with hidden ones, their settings, firewall profiles,
// categories of networks, access rights.
[[nodiscard]] Result<HostState> host_state_from(const StateReplies& replies, const std::vector<std::string>& asked,
                                                const std::string& role = {});

}  // namespace patchlab::lab::guest::windows
