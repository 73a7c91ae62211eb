// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "lab/core/time.hpp"
#include "lab/process/process.hpp"

namespace patchlab {

// A host program that lives as long as its owner and talks in lines: how `patchlab run` holds a cell. A thread of its
// own starts it, reads its output all the time (so that it never blocks on a full pipe) and reaps it. All members may
// be called from any thread. Of the spec, `input`, `time_limit` and `output_limit` are not used; `on_error_line` is
// called from the child's thread.
class ChildProcess {
 public:
  // `error_log`: its standard error is appended there as well; empty: nowhere.
  [[nodiscard]] static Result<ChildProcess> start(const ProcessSpec& spec, const std::filesystem::path& error_log = {});
  ~ChildProcess();  // kills the group when it still runs, and reaps
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;

  [[nodiscard]] pid_t pid() const;
  // Appends the line end. A child that does not read for `limit` is a timeout error, one that is gone an infrastructure
  // error.
  [[nodiscard]] Result<void> write_line(std::string_view line, Milliseconds limit = std::chrono::seconds(10));
  // Its standard input ends; a well-behaved child then finishes by itself.
  void close_input();
  // The next line of standard output; nullopt when there will be no more. Timeout and cancelled are errors and lose
  // nothing.
  [[nodiscard]] Result<std::optional<std::string>> read_line(Milliseconds limit, std::stop_token stop = {});
  [[nodiscard]] bool running() const;
  // To the whole group: SIGTERM asks, SIGKILL ends. Nothing happens when it is gone already.
  void send_signal(int signal);
  // How it ended (Exited or Signalled), or TimedOut when it still runs after `limit`. `errors` holds the last 16 KiB it
  // wrote there.
  [[nodiscard]] ProcessOutcome wait(Milliseconds limit);

 private:
  class State;
  explicit ChildProcess(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace patchlab
