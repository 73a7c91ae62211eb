// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guest/adapter.hpp"

namespace patchlab::lab::guest {

// A single command answers within milliseconds; under emulation, with the host's processors busy, within seconds.
inline constexpr Milliseconds agent_command_limit = std::chrono::seconds(10);
// Replies above some megabytes are lost by libvirt or wedge the channel for good; base64 adds a third.
inline constexpr std::size_t agent_block_size = 256U << 10U;

// For messages: one line, valid text, not too long.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t limit = 80);

// Polling that starts eager (most commands take some 100 ms) and relaxes: every question costs the guest processor
// time.
class Pace {
 public:
  Pace(Clock& clock, Milliseconds deadline) : clock_(clock), start_(clock.now()), deadline_(deadline) {}
  [[nodiscard]] Milliseconds left() const { return std::max(Milliseconds{0}, deadline_ - (clock_.now() - start_)); }
  [[nodiscard]] bool is_over() const { return left() == Milliseconds{0}; }
  // For one agent command on the way.
  [[nodiscard]] Milliseconds limit() const {
    return std::clamp(left(), Milliseconds{std::chrono::seconds(1)}, agent_command_limit);
  }
  void pause();

 private:
  Clock& clock_;
  Milliseconds start_;
  Milliseconds deadline_;
  Milliseconds interval_{20};
};

// What an agent says to one command: its "return" value, or that it refuses. Everything else (no answer, garbage) is an
// Error.
struct AgentReply {
  Json value;
  std::string refusal;  // empty: accepted
  [[nodiscard]] bool refused() const { return !refusal.empty(); }
  [[nodiscard]] bool says_missing() const;
};

// qemu-ga's protocol with one machine, one command at a time; GuestAgent is its face. Safe to use from several threads.
class AgentSession {
 public:
  AgentSession(Hypervisor& hypervisor, std::string machine, Clock& clock)
      : hypervisor_(hypervisor), machine_(std::move(machine)), clock_(clock) {}
  [[nodiscard]] const std::string& machine() const { return machine_; }
  [[nodiscard]] Clock& clock() const { return clock_; }

  [[nodiscard]] Result<AgentReply> ask(const char* command, Json arguments, Milliseconds limit);
  // No reply to a ping within `limit`: not even a refusal, or one that is not understood. A hypervisor that is in
  // trouble looks the same.
  [[nodiscard]] bool is_silent(Milliseconds limit);
  // For commands whose refusal is simply an error.
  [[nodiscard]] Result<Json> ask_for_value(const char* command, Json arguments, Milliseconds limit);

  // guest-exec with these arguments; the process id.
  [[nodiscard]] Result<std::int64_t> execute(const Json& arguments, Milliseconds limit);
  // Waits for a process of the agent. An agent that does not answer, or answers nonsense, is asked again until the
  // deadline.
  [[nodiscard]] Result<GuestProcess> wait_for(std::int64_t pid, const std::string& command, Pace& pace,
                                              const std::stop_token& stop);

  // Nothing when the file does not exist.
  [[nodiscard]] Result<std::optional<std::int64_t>> open(const std::string& path, const char* mode);
  [[nodiscard]] Result<std::int64_t> open_existing(const std::string& path, const char* mode);
  [[nodiscard]] Result<std::string> read_to_end(std::int64_t handle, std::size_t limit);
  // `whence` as in guest-file-seek: 0, 1, 2 for start, current, end. The new position.
  [[nodiscard]] Result<std::int64_t> seek(std::int64_t handle, std::int64_t offset, int whence);
  [[nodiscard]] Result<void> write_all(std::int64_t handle, std::string_view bytes);

  // Keeps what the guest said, so that it can be shown when it was not understood: of each command or file the latest,
  // cut in the middle when it is long.
  void remember(const std::string& what, std::string_view bytes);
  [[nodiscard]] std::string recent_replies();

  // Distinguishes the detached jobs of one session.
  [[nodiscard]] unsigned int next_job() { return jobs_++; }

 private:
  [[nodiscard]] Result<GuestProcess> process_from(const Json& status) const;

  Hypervisor& hypervisor_;
  std::string machine_;
  Clock& clock_;
  std::mutex one_command_;
  std::mutex replies_mutex_;
  std::deque<std::pair<std::string, std::string>> replies_;  // oldest first
  std::atomic<unsigned int> jobs_{0};
};

// A file opened by the agent. Handles leak in the agent until it restarts, so they are closed on every path.
class OpenGuestFile {
 public:
  // A negative handle stands for no file.
  OpenGuestFile(AgentSession& session, std::int64_t handle) : session_(session), handle_(handle) {}
  OpenGuestFile(const OpenGuestFile&) = delete;
  OpenGuestFile& operator=(const OpenGuestFile&) = delete;
  ~OpenGuestFile();

 private:
  AgentSession& session_;
  std::int64_t handle_;
};

// Arguments of guest-exec for a script that `sh` reads from standard input (see GuestAgent::run_script).
[[nodiscard]] Json shell_with(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace patchlab::lab::guest
