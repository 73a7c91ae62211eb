// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/guest/adapter.hpp"
#include "lab/guest/agent_session.hpp"

// GuestAgent::run_detached: a job that outlives its agent and is watched through the files it writes.
namespace patchlab::lab::guest {
namespace {
using namespace std::chrono_literals;

constexpr std::size_t output_limit = 256U << 10U;

// One word for a shell, whatever is in it.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'')
      word += "'\\''";
    else
      word += c;
  }
  return word + "'";
}

// After `folder=` and `job=` lines. The job leaves the agent's session and pipes, and under systemd its control group,
// so that it survives a restart of the agent that it may cause itself. Its text goes into a file, because systemd
// would expand ${...} in an argument.
constexpr const char* launch_script = R"(umask 077; rm -rf "$folder"; mkdir -p "$folder" || exit 90
printf '%s\n' "$job" >"$folder/job" || exit 90
body='cd "$1" || exit 90; (. ./job) >out 2>&1 </dev/null; echo $? >code.new; mv code.new code'
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  exec systemd-run --quiet --collect --no-block sh -c "$body" job "$folder"
fi
setsid sh -c "$body" job "$folder" >/dev/null 2>&1 </dev/null &
)";

// One detached job as it is seen from outside: by its files.
class Job {
 public:
  Job(GuestAgent& agent, std::string folder) : agent_(agent), folder_(std::move(folder)) {}

  // Nothing while it runs.
  Result<std::optional<std::uint32_t>> exit_code() {
    PATCHLAB_ASSIGN(const bool ended, agent_.exists(folder_ + "/code"));
    if (ended) {
      PATCHLAB_ASSIGN(const auto text, agent_.read_file(folder_ + "/code", 64));
      const auto end = text.find_first_not_of("0123456789");
      if (text.empty() || end == 0 || end != text.size() - 1)
        return guest_error(
            fmt::format("exit code '{}' of a job in '{}' is no number", shortened(text), agent_.machine()));
      return std::optional{static_cast<std::uint32_t>(std::stoul(text.substr(0, std::min<std::size_t>(end, 9))))};
    }
    return std::optional<std::uint32_t>{};
  }

  // The folder lives on a file system in memory: once seen and then gone means that the guest restarted under the job.
  Result<bool> has_vanished() {
    PATCHLAB_ASSIGN(const bool there, agent_.exists(folder_ + "/out"));
    const bool vanished = seen_ && !there;
    seen_ = seen_ || there;
    return vanished;
  }

  Result<std::string> output() { return agent_.read_tail(folder_ + "/out", output_limit); }

 private:
  GuestAgent& agent_;
  std::string folder_;
  bool seen_ = false;
};

std::string last_printed(Job& job) {
  const auto output = job.output();
  if (!output) return "its output could not be read: " + output.error().message;
  if (output->empty()) return "it printed nothing";
  constexpr std::size_t quoted = 300;
  const auto tail = output->size() > quoted ? output->substr(output->size() - quoted) : *output;
  return fmt::format("last printed: '{}'", shortened(tail, quoted));
}
}  // namespace

Result<GuestProcess> GuestAgent::run_detached(const std::string& shell_command, Milliseconds deadline,
                                              std::stop_token stop) {
  const auto command = shortened(shell_command);
  // The name must be new in this guest even when the laboratory's process is: its clock joins the counter.
  const auto stamp = std::chrono::duration_cast<Milliseconds>(session_->clock().wall().time_since_epoch()).count();
  const auto folder = fmt::format("/run/patchlab/job-{}-{}", stamp, session_->next_job());
  Pace pace(session_->clock(), deadline);
  const auto launch = fmt::format("folder={}\njob={}\n{}", quoted(folder), quoted(shell_command), launch_script);
  const auto pid = session_->execute(shell_with(launch, {}), pace.limit());
  if (!pid) return Error{pid.error()}.while_doing(fmt::format("starting '{}'", command));

  Job job(*this, folder);
  // The launcher ends at once. Its result may be lost without harm; only a clear refusal is the end.
  Pace launch_pace(session_->clock(), pace.limit());
  const auto launched = session_->wait_for(pid.value(), "launch " + command, launch_pace, stop);
  if (launched && launched->exit_code != 0) {
    return guest_error(
        fmt::format("'{}' could not be started in '{}': {}", command, machine(), shortened(launched->errors, 200)));
  }
  if (!launched && launched.error().error_class == ErrorClass::cancelled) return launched.error();

  constexpr Milliseconds look_for_restart_every = 2s;
  auto next_look = session_->clock().now();
  std::string trouble;
  for (;;) {
    auto code = job.exit_code();
    if (code && *code) {
      PATCHLAB_ASSIGN(auto output, job.output());
      return GuestProcess{**code, false, std::move(output), {}};
    }
    trouble = code ? std::string{} : code.error().message;
    if (code && session_->clock().now() >= next_look) {
      next_look = session_->clock().now() + look_for_restart_every;
      const auto vanished = job.has_vanished();
      if (vanished && *vanished) return guest_error(fmt::format("'{}' restarted while '{}' ran", machine(), command));
    }
    if (stop.stop_requested()) {
      return Error{ErrorClass::cancelled, fmt::format("cancelled while '{}' ran in '{}'", command, machine()), {}};
    }
    if (pace.is_over()) {
      auto late = timeout_error(fmt::format("'{}' in '{}' did not end within {:.1f} s; {}", command, machine(),
                                            std::chrono::duration<double>(deadline).count(),
                                            trouble.empty() ? last_printed(job) : "last trouble: " + trouble));
      // It may have ended, and nobody could see it.
      return trouble.empty() ? late : observer_trouble(std::move(late));
    }
    pace.pause();
  }
}

}  // namespace patchlab::lab::guest
