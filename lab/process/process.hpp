// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "lab/core/time.hpp"

namespace patchlab {

// A host program to run, as a value. There is never a shell: an argument with spaces is just an argument.
struct ProcessSpec {
  std::string program;  // found in PATH when it has no slash
  std::vector<std::string> arguments;
  std::map<std::string, std::string> extra_environment;  // on top of ours
  std::filesystem::path working_folder;                  // ours when empty
  std::string input;                                     // written to its standard input, then closed
  Milliseconds time_limit{std::chrono::minutes(10)};
  std::size_t output_limit = 16U << 20U;  // bytes kept of each stream; the rest is read and dropped
  // Linux capabilities (numbers of capabilities(7)) kept across exec for a non-root user, by ambient set.
  std::vector<int> ambient_capabilities;
  std::vector<int> capabilities_if_held;  // likewise, those of them that we have
  // Whose files it makes: by default those of a tool, whose modes may travel on in an archive (umask 022); else only
  // we may read them (077). What patchlab makes itself is always the latter: see cli/application.cpp.
  bool private_files = false;
  // A session without terminal: who would ask a person there fails at once instead of being stopped until the limit.
  bool own_session = false;
  // Called with each complete line of standard error as it comes (progress); from the calling thread.
  std::function<void(const std::string&)> on_error_line;
  bool operator==(const ProcessSpec& other) const {
    return program == other.program && arguments == other.arguments && extra_environment == other.extra_environment &&
           working_folder == other.working_folder && input == other.input;
  }
};

struct Exited {
  int code = 0;
};
struct Signalled {
  int signal = 0;
};
// Passed its limit (or was cancelled): asked with SIGTERM, then killed. The whole process group is ended.
struct TimedOut {
  bool cancelled = false;
};
struct NotStarted {
  std::string why;
};

struct ProcessOutcome {
  std::variant<Exited, Signalled, TimedOut, NotStarted> end;
  std::string output;
  std::string errors;
  Milliseconds duration{};

  [[nodiscard]] bool succeeded() const;
  // "exit code 1", "killed by signal 9", "ran longer than 10.0 s", "could not be started: ..."
  [[nodiscard]] std::string describe() const;
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  virtual ProcessOutcome run(const ProcessSpec& spec, std::stop_token stop = {}) = 0;
};

// Runs for real; safe to call from several threads at once.
[[nodiscard]] ProcessRunner& host_processes();

// Runs and turns anything but exit 0 into an error quoting the command and the last lines it wrote.
[[nodiscard]] Result<std::string> run_for_output(ProcessRunner& runner, const ProcessSpec& spec,
                                                 std::stop_token stop = {});

}  // namespace patchlab
