// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using namespace std::chrono_literals;

constexpr const char* script_path = "C:\\patchlab\\job.cmd";
constexpr const char* code_path = "C:\\patchlab\\job.code";
constexpr std::size_t tail_size = 256U << 10U;
constexpr const char* not_run = "not-run";  // in place of an exit code
}  // namespace

Error not_late(Error error) {
  if (error.error_class == ErrorClass::timeout) error.error_class = ErrorClass::infrastructure;
  return error;
}

std::string output_file(const std::string& token) { return "C:\\patchlab\\" + token + ".out"; }

std::string job_script(const std::vector<std::string>& lines, const std::string& token) {
  // What an earlier job's installer left behind may still hold that job's output: this one's has a name of its own, and
  // the old ones go as far as they can. cmd.exe runs nothing whose output it cannot open, and says 1, as installers do:
  // the code is only what :work has set.
  // In a command script cmd.exe waits for programs with windows too (wusa). The exit code's line names its file first:
  // a digit right before '>' would be taken for a stream. It is tried again while the file, empty at the start, stays
  // empty: the agent looks into it all the time, and opens it without sharing.
  std::string script = fmt::format(
      "@echo off\r\n"
      "chcp 65001 >nul\r\n"
      "del /f /q {0} 2>nul\r\n"
      "set code={1}\r\n"
      "call :work >{2} 2>&1 <nul\r\n"
      ":report\r\n"
      ">{3} echo {4} %code%\r\n"
      "for %%f in ({3}) do if %%~zf==0 goto report\r\n"
      "exit /b 0\r\n"
      ":work\r\n",
      output_file("patchlab-*"), not_run, output_file(token), code_path, token);
  for (const auto& line : lines) script += line + "\r\n";
  return script + "set code=%errorlevel%\r\nexit /b 0\r\n";
}

std::optional<Result<std::uint32_t>> finished_with(std::string_view code_file, const std::string& token) {
  if (!code_file.ends_with('\n') || !code_file.starts_with(token + " ")) return std::nullopt;
  const auto word = trimmed(code_file.substr(token.size()), " \r\n");
  if (word == not_run) return infrastructure_error(fmt::format("cmd could not write to '{}'", output_file(token)));
  const auto code = exit_code_in(word);
  return code ? std::optional<Result<std::uint32_t>>(*code) : std::nullopt;
}

Result<JobScript> read_job_script(const std::string& script) {
  const auto trouble = [](const std::string& line) {
    return guest_error(fmt::format("this is no job of the adapter: '{}'", shortened(line)));
  };
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < script.size();) {
    const auto end = script.find("\r\n", at);
    if (end == std::string::npos) return trouble(script.substr(at));
    lines.push_back(script.substr(at, end - at));
    at = end + 2;
  }
  constexpr std::string_view call = "call :work >";
  constexpr std::string_view streams = " 2>&1 <nul";
  constexpr std::string_view work = ":work";
  const auto called = std::ranges::find_if(lines, [&](const auto& line) { return line.starts_with(call); });
  const auto begin = std::ranges::find(lines, work);
  if (called == lines.end() || begin == lines.end() || !called->ends_with(streams)) return trouble(shortened(script));
  JobScript job;
  job.output = called->substr(call.size(), called->size() - call.size() - streams.size());
  job.token = job.output.substr(job.output.rfind('\\') + 1);
  job.token = job.token.substr(0, job.token.rfind('.'));
  job.lines.assign(begin + 1, lines.end());
  if (job.lines.size() < 2) return trouble(lines.back());
  job.lines.resize(job.lines.size() - 2);
  // All around the work must be exactly what is always there.
  if (job_script(job.lines, job.token) != script) return trouble(lines.front());
  return job;
}

std::int64_t carry_out(const JobScript& script, std::string& output,
                       const std::function<std::int64_t(const std::string&)>& run) {
  constexpr std::string_view echo = "echo ";
  constexpr std::string_view variable = "%result%";
  std::int64_t level = 0;
  std::int64_t result = 0;
  for (const auto& line : script.lines) {
    if (line == "set result=%errorlevel%") {
      result = level;
    } else if (line == "echo.") {
      output += "\r\n";
    } else if (line.starts_with(echo)) {
      auto text = line.substr(echo.size());
      if (const auto at = text.find(variable); at != std::string::npos)
        text.replace(at, variable.size(), fmt::format("{}", result));
      output += text + "\r\n";
    } else {
      level = run(line);
    }
  }
  return level;
}

std::string code_file(const std::string& token, std::int64_t exit_code) {
  return fmt::format("{} {}\r\n", token, exit_code);
}

void add_section(std::vector<std::string>& lines, const std::string& mark, const std::string& name,
                 const std::string& command) {
  lines.push_back(fmt::format("echo {} begin {}", mark, name));
  lines.push_back(command);
  lines.push_back("set result=%errorlevel%");
  lines.push_back("echo.");
  lines.push_back(fmt::format("echo {} end {} %result%", mark, name));
}

Result<void> JobRunner::upload(const std::string& script) {
  // An empty code file first: the agent's words for a file that is not there are translated, an empty one's are not.
  const auto write = [&]() -> Result<void> {
    PATCHLAB_TRY(agent_.write_file(code_path, {}));
    return agent_.write_file(script_path, script);
  };
  auto written = write();
  if (written) return written;
  // A fresh or reverted guest has no such folder yet. Whether it has one now, the second try shows.
  const auto line = program_line_of(Command::make_folder);
  PATCHLAB_TRY(agent_.run(line.program, line.arguments, 60s));
  return write();
}

Result<std::int64_t> JobRunner::start(const std::string& script) {
  PATCHLAB_TRY(upload(script));
  const auto line = program_line_of(Command::run_job);
  return agent_.start(line.program, line.arguments);
}

Result<std::string> JobRunner::output(const std::string& token, const JobLimits& limits) {
  const auto path = output_file(token);
  PATCHLAB_ASSIGN(const auto bytes,
                  limits.only_tail ? agent_.read_tail(path, tail_size) : agent_.read_file(path, limits.output));
  if (limits.raw) return bytes;
  return limits.only_tail ? to_valid_utf8(bytes) : text_of(bytes);
}

void JobRunner::end_processes(std::int64_t pid) {
  const auto line = program_line_of(Command::kill_job, {{"pid", fmt::format("{}", pid)}});
  // Best effort: the job was given up already, and a guest that does not answer cannot be helped.
  (void)agent_.run(line.program, line.arguments, 10s);
}

Result<JobResult> JobRunner::result_of(std::uint32_t exit_code, const std::string& token, const std::string& what,
                                       const JobLimits& limits) {
  auto printed = output(token, limits);
  if (printed) return JobResult{exit_code, std::move(*printed)};
  // A child that inherited the file may still hold it; an installer's exit code counts all the same.
  if (limits.only_tail) {
    return JobResult{exit_code, fmt::format("(its output could not be read: {})", printed.error().message)};
  }
  return std::move(printed).error().while_doing(what);
}

Result<JobResult> JobRunner::run(const std::vector<std::string>& lines, const std::string& what,
                                 const JobLimits& limits, const std::stop_token& stop) {
  Pace pace(clock_, limits.deadline);
  const auto stamp = std::chrono::duration_cast<Milliseconds>(clock_.wall().time_since_epoch()).count();
  const auto token = fmt::format("patchlab-{}-{}", stamp, ++jobs_);
  // What goes wrong before the job runs is never the job's own lateness.
  const auto boot = boot_id_();
  if (!boot) return not_late(boot.error());
  const auto pid = start(job_script(lines, token));
  if (!pid) return not_late(pid.error());

  std::string trouble;
  for (;;) {
    const auto code = agent_.read_file(code_path, 256);
    if (code) {
      if (auto ended = finished_with(*code, token)) {
        PATCHLAB_ASSIGN(const auto exit_code, std::move(*ended).while_doing(what + " in '" + agent_.machine() + "'"));
        return result_of(exit_code, token, what, limits);
      }
      if (!trouble.empty()) {
        // It was silent for a while, or the file was in use: perhaps the guest restarted.
        const auto now = boot_id_();
        if (now && *now != *boot) {
          return guest_error(fmt::format("'{}' restarted while '{}' ran", agent_.machine(), what));
        }
        trouble = now ? std::string{} : now.error().message;
      }
    } else {
      trouble = code.error().message;
    }
    if (stop.stop_requested()) {
      end_processes(*pid);
      return Error{ErrorClass::cancelled, fmt::format("cancelled while '{}' ran in '{}'", what, agent_.machine()), {}};
    }
    if (pace.is_over()) {
      const auto printed = output(token, {limits.deadline, limits.output, true});
      end_processes(*pid);
      constexpr std::size_t quoted = 300;
      std::string last = "it printed nothing that could be read";
      if (printed && !printed->empty()) {
        last = fmt::format("last printed: '{}'",
                           shortened(printed->substr(printed->size() - std::min(quoted, printed->size())), quoted));
      }
      auto late = timeout_error(fmt::format("'{}' in '{}' did not end within {:.1f} s; {}", what, agent_.machine(),
                                            std::chrono::duration<double>(limits.deadline).count(),
                                            trouble.empty() ? last : "last trouble: " + trouble));
      // It may have ended, and nobody could see it.
      return trouble.empty() ? late : not_late(std::move(late));
    }
    pace.pause();
  }
}

}  // namespace patchlab::lab::guest::windows
