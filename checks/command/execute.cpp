// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/command/execute.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <thread>

#include "checks/command/output.hpp"
#include "lab/core/files.hpp"
#include "lab/process/confinement.hpp"
#include "lab/process/process.hpp"

namespace patchlab::checks::command_kind {
namespace {

// Of one program and what it starts. Memory of its own, not what a language's run time only reserves.
constexpr rlim_t most_processes = 128;  // of this user in this user namespace, other checks included
constexpr rlim_t most_memory = rlim_t{1} << 30U;
constexpr rlim_t largest_file = rlim_t{16} << 20U;
// How long somebody who was started may still take to end once the program has.
constexpr Milliseconds patience{1000};

void limit_what_it_takes() {
  const auto limit = [](auto what, rlim_t most) {
    const rlimit both{most, most};
    ::setrlimit(what, &both);
  };
  limit(RLIMIT_NPROC, most_processes);
  limit(RLIMIT_DATA, most_memory);
  limit(RLIMIT_FSIZE, largest_file);
  // When the host has no memory left, this goes and not a machine.
  const FileDescriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file.valid()) static_cast<void>(!::write(file.get(), "1000", 4));
}

// Whether somebody whom the program had started was still there when it ended: those are ours then (subreaper).
bool left_processes() {
  const auto until = std::chrono::steady_clock::now() + patience;
  bool was_killed = false;  // with the program's group
  while (true) {
    int status = 0;
    const auto child = ::waitpid(-1, &status, WNOHANG);
    if (child < 0) return was_killed;
    if (child > 0) {
      was_killed = was_killed || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
      continue;
    }
    if (std::chrono::steady_clock::now() >= until) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

constexpr std::array variables{std::pair{"address", "PATCHLAB_ADDRESS"},
                               std::pair{"client", "PATCHLAB_CLIENT"},
                               std::pair{"deadline_ms", "PATCHLAB_DEADLINE_MS"},
                               std::pair{"deadline_s", "PATCHLAB_DEADLINE_S"},
                               std::pair{"interface", "PATCHLAB_INTERFACE"},
                               std::pair{"machine", "PATCHLAB_MACHINE"},
                               std::pair{"port", "PATCHLAB_PORT"},
                               std::pair{"role", "PATCHLAB_ROLE"}};

std::map<std::string, std::string> environment_for(const std::map<std::string, std::string>& facts) {
  std::map<std::string, std::string> environment{
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}};
  for (const auto& [fact, variable] : variables) {
    if (const auto found = facts.find(fact); found != facts.end()) environment[variable] = found->second;
  }
  return environment;
}

std::pair<const char*, int> end_of(const ProcessOutcome& outcome) {
  if (outcome.output.size() >= most_output || outcome.errors.size() >= most_output) return {"flood", 0};
  if (const auto* exited = std::get_if<Exited>(&outcome.end)) return {"exit", exited->code};
  if (const auto* signalled = std::get_if<Signalled>(&outcome.end)) return {"signal", signalled->signal};
  return {std::holds_alternative<TimedOut>(outcome.end) ? "deadline" : "not-started", 0};
}

}  // namespace

Result<Observation> execute(const Target& target, const Parameters& parameters, Milliseconds deadline) {
  PATCHLAB_ASSIGN(const auto program, process::brought_program());
  const auto facts = facts_for(target, parameters, deadline);
  ProcessSpec spec;
  spec.program = program;
  for (const auto& argument : parameters.arguments) spec.arguments.push_back(filled_in(argument, facts));
  spec.extra_environment = environment_for(facts);
  spec.time_limit = deadline;
  spec.output_limit = most_output;
  spec.own_session = true;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  limit_what_it_takes();
  const auto outcome = host_processes().run(spec);
  auto [end, code] = end_of(outcome);
  if (std::string(end) == "exit" && left_processes()) end = "left-processes";
  Observation observation{{"program", program.filename().string()},
                          {"end", end},
                          {"code", code},
                          {"output", to_valid_utf8(outcome.output)},
                          {"errors", to_valid_utf8(outcome.errors)},
                          {"performance", performance_in(outcome.output)}};
  if (const auto* never = std::get_if<NotStarted>(&outcome.end)) observation["why"] = to_valid_utf8(never->why);
  return observation;
}

}  // namespace patchlab::checks::command_kind
