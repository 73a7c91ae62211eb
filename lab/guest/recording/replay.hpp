// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "lab/guest/recording/recording.hpp"
#include "lab/guest/windows/job.hpp"
#include "lab/hypervisor.hpp"

namespace patchlab::lab::guest::recording {

// A machine that is only a recording: behind a GuestAgent it says what was recorded, byte for byte and through the same
// pipes, files and jobs. It changes by nothing. A command that was not recorded is refused by its name, and never
// answered with an empty success: to a line of a job, exit_code_of_nothing is the answer. Used by one thread at a time.
class RecordedGuest final : public Hypervisor {
 public:
  static constexpr std::uint32_t exit_code_of_nothing = 0xE0504C52;  // no program of Windows ends with it

  explicit RecordedGuest(const Recording& recording);

  // What was asked and is not in the recording, or is there without a reply: sorted, each once.
  [[nodiscard]] const std::set<std::string>& missing() const { return missing_; }

  Result<std::string> agent_command(const std::string& machine, const std::string& command,
                                    Milliseconds limit) override;
  Result<MachineState> state(const std::string& /*machine*/) override { return MachineState::running; }
  Result<void> define(const MachineSpec& spec) override;
  Result<void> start(const std::string& machine) override;
  Result<void> power_off(const std::string& machine) override;
  Result<void> undefine(const std::string& machine) override;
  Result<Milliseconds> processor_time(const std::string& machine) override;
  Result<void> pause(const std::string& machine) override;
  Result<void> resume(const std::string& machine) override;
  Result<void> take_snapshot(const std::string& machine, const std::string& snapshot) override;
  Result<void> adopt_snapshot(const std::string& machine, const std::string& snapshot) override;
  Result<void> revert(const std::string& machine, const std::string& snapshot) override;
  Result<void> delete_snapshot(const std::string& machine, const std::string& snapshot) override;
  Result<void> change_medium(const std::string& machine, const std::filesystem::path& iso) override;

 private:
  struct Handle {
    std::string path;
    std::size_t position = 0;
  };
  struct Ended {
    std::uint32_t exit_code = 0;
    std::string output;
    std::string errors;
  };

  [[nodiscard]] std::string answer(const std::string& name, const Json& arguments);
  [[nodiscard]] std::string execute(const Json& arguments);
  [[nodiscard]] std::string open(const std::string& path, const std::string& mode);
  [[nodiscard]] std::string with_handle(const std::string& name, const Json& arguments);
  [[nodiscard]] Result<void> start_job();
  [[nodiscard]] std::int64_t run_line(const std::string& line, std::string& output);
  [[nodiscard]] std::string not_recorded(const std::string& line, const Reply* reply);

  std::map<std::string, Reply> agents_;    // by the agent's command
  std::map<std::string, Reply> programs_;  // by the program and its arguments
  std::map<std::string, Reply> jobs_;      // by the line, without where it saves to
  std::map<std::string, std::string> files_;
  std::map<std::int64_t, Handle> handles_;
  std::map<std::int64_t, Ended> ended_;
  std::set<std::string> missing_;
  std::int64_t last_ = 100;
};

// Time that passes only when somebody waits: a recording needs none.
class StillClock final : public Clock {
 public:
  explicit StillClock(std::chrono::system_clock::time_point start) : start_(start) {}
  [[nodiscard]] Milliseconds now() const override { return now_; }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return start_ + now_; }
  void pause(Milliseconds duration) override { now_ += duration; }

 private:
  std::chrono::system_clock::time_point start_;
  Milliseconds now_{0};
};

}  // namespace patchlab::lab::guest::recording
