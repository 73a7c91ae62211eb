// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/guest/adapter.hpp"
#include "lab/guest/windows/commands.hpp"
#include "lab/guest/windows/replies.hpp"

namespace patchlab::lab::guest::windows {

// The Windows sibling of GuestAgent::run_detached. A command script is uploaded, started without pipes (an installer's
// child that inherits one would keep it open for ever) and watched through the files it writes, so that it survives a
// lost reply and a restart of the agent. `token` in the exit code's file tells this job's end from an earlier one's.
// One job at a time in one guest.

// job.cmd: runs `lines` with UTF-8 as code page and their output in output_file(token), then writes token and exit
// code.
[[nodiscard]] std::string job_script(const std::vector<std::string>& lines, const std::string& token);
// Path in the guest. The name is of this job alone.
[[nodiscard]] std::string output_file(const std::string& token);
// The exit code, or that the lines could not be run at all (infrastructure). Nothing while that is not there in full,
// or belongs to another job.
[[nodiscard]] std::optional<Result<std::uint32_t>> finished_with(std::string_view code_file, const std::string& token);

// What a job.cmd asks for, as whatever stands in for a guest reads it. An Error: it is none of job_script().
struct JobScript {
  std::string token;
  std::string output;              // the file that its lines print into
  std::vector<std::string> lines;  // of its work
};
[[nodiscard]] Result<JobScript> read_job_script(const std::string& script);
// Carries its work out as cmd.exe would: `run` has the lines that are commands, adds what they print, and returns their
// exit codes as cmd.exe prints them. Returns that of the last.
[[nodiscard]] std::int64_t carry_out(const JobScript& script, std::string& output,
                                     const std::function<std::int64_t(const std::string& line)>& run);
[[nodiscard]] std::string code_file(const std::string& token, std::int64_t exit_code);

// Lines that bracket a command for `sections` (replies.hpp).
void add_section(std::vector<std::string>& lines, const std::string& mark, const std::string& name,
                 const std::string& command);

// A timeout of what only prepares a job: the laboratory's trouble. An installer's own timeout counts against the patch.
[[nodiscard]] Error not_late(Error error);

struct JobResult {
  std::uint32_t exit_code = 0;
  std::string output;  // both streams; UTF-8, but for JobLimits::raw
};

struct JobLimits {
  Milliseconds deadline{};
  std::size_t output = 8U << 20U;  // bytes; more is an error, unless `only_tail`
  bool only_tail = false;          // the last 256 KiB are enough
  bool raw = false;                // the output as it is, in whatever code page
};

// Runs jobs in one guest. Not for several threads at once.
class JobRunner {
 public:
  // `boot_id` is asked after the agent was silent: a guest that restarted under a job never finishes it.
  JobRunner(GuestAgent agent, Clock& clock, std::function<Result<std::string>()> boot_id)
      : agent_(std::move(agent)), clock_(clock), boot_id_(std::move(boot_id)) {}

  // `what` names the job in messages. A timeout is the job's own: trouble before it runs has another class. At the
  // deadline and when cancelled, the job's processes are ended. A guest that restarted is a guest error, the deadline a
  // timeout that quotes what was printed last.
  [[nodiscard]] Result<JobResult> run(const std::vector<std::string>& lines, const std::string& what,
                                      const JobLimits& limits, const std::stop_token& stop = {});

 private:
  [[nodiscard]] Result<void> upload(const std::string& script);
  [[nodiscard]] Result<std::int64_t> start(const std::string& script);
  [[nodiscard]] Result<JobResult> result_of(std::uint32_t exit_code, const std::string& token, const std::string& what,
                                            const JobLimits& limits);
  [[nodiscard]] Result<std::string> output(const std::string& token, const JobLimits& limits);
  void end_processes(std::int64_t pid);

  GuestAgent agent_;
  Clock& clock_;
  std::function<Result<std::string>()> boot_id_;
  unsigned int jobs_ = 0;
};

}  // namespace patchlab::lab::guest::windows
