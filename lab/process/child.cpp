// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "lab/process/launch.hpp"
#include "lab/process/line_splitter.hpp"

namespace patchlab {
namespace {
using Steady = std::chrono::steady_clock;
constexpr std::size_t errors_kept = 16U << 10U;
// As in a run: how long something the child left behind may hold its pipes open.
constexpr Milliseconds drain_grace{500};

int poll_milliseconds(Steady::time_point until) {
  const auto left = std::chrono::ceil<Milliseconds>(until - Steady::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}
}  // namespace

// Shared by the owner and the service thread. `mutex_` guards everything except `child_`, whose pipes for reading
// belong to the thread, and `input_mutex_`, which keeps lines whole.
class ChildProcess::State {
 public:
  Result<void> start(const ProcessSpec& spec, const std::filesystem::path& error_log) {
    if (!error_log.empty()) {
      log_ = FileDescriptor(::open(error_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
      if (!log_.valid()) return errno_error("opening '" + error_log.string() + "'", errno);
    }
    on_error_line_ = spec.on_error_line;
    service_ = std::thread([this, spec] { serve(spec); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return started_; });
    if (!start_error_) return {};
    lock.unlock();
    service_.join();
    return *start_error_;
  }

  ~State() {
    if (!service_.joinable()) return;
    send_signal(SIGKILL);
    service_.join();
  }

  [[nodiscard]] pid_t pid() const { return child_.pid; }

  Result<void> write_line(std::string_view line, Milliseconds limit) {
    const std::lock_guard whole_lines(input_mutex_);
    if (!child_.input.valid())
      return infrastructure_error(fmt::format("the input of process {} is closed", child_.pid));
    const process::SigpipeGuard no_sigpipe;
    const auto text = std::string(line) + "\n";
    const auto deadline = Steady::now() + limit;
    for (std::size_t written = 0; written < text.size();) {
      const auto count = ::write(child_.input.get(), text.data() + written, text.size() - written);
      if (count > 0) written += static_cast<std::size_t>(count);
      if (count >= 0 || errno == EINTR) continue;
      if (errno != EAGAIN) return errno_error(fmt::format("writing to process {}", child_.pid), errno);
      pollfd room{child_.input.get(), POLLOUT, 0};
      if (::poll(&room, 1, poll_milliseconds(deadline)) == 0) {
        return timeout_error(fmt::format("process {} did not read its input", child_.pid));
      }
    }
    return {};
  }

  void close_input() {
    const std::lock_guard whole_lines(input_mutex_);
    child_.input = FileDescriptor();
  }

  Result<std::optional<std::string>> read_line(Milliseconds limit, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !lines_.empty() || output_over_; };
    if (!changed_.wait_for(lock, stop, limit, ready)) {
      if (stop.stop_requested()) return Error{ErrorClass::cancelled, "cancelled while waiting for a line", {}};
      return timeout_error(fmt::format("process {} wrote no line within {:.1f} s", child_.pid,
                                       std::chrono::duration<double>(limit).count()));
    }
    if (lines_.empty()) return std::optional<std::string>();
    std::optional<std::string> line(std::move(lines_.front()));
    lines_.pop_front();
    return line;
  }

  [[nodiscard]] bool running() const {
    const std::lock_guard lock(mutex_);
    return !end_;
  }

  void send_signal(int signal) {
    const std::lock_guard lock(mutex_);  // held by the thread while it reaps, so the process id is still the child's
    if (!end_) process::signal_group(child_, signal);
  }

  ProcessOutcome wait(Milliseconds limit) {
    std::unique_lock lock(mutex_);
    ProcessOutcome outcome{TimedOut{}, {}, {}, limit};
    if (changed_.wait_for(lock, limit, [this] { return end_ && output_over_; })) {
      outcome.duration = duration_;
      if (const auto* exited = std::get_if<Exited>(&*end_)) outcome.end = *exited;
      if (const auto* signalled = std::get_if<Signalled>(&*end_)) outcome.end = *signalled;
    }
    outcome.errors = errors_;
    return outcome;
  }

 private:
  // The whole life of the service thread. The child is started here because it dies with the thread that started it.
  void serve(const ProcessSpec& spec) {
    const auto start = Steady::now();
    auto launched = process::launch(spec);
    {
      const std::lock_guard lock(mutex_);
      started_ = true;
      if (launched) child_ = std::move(*launched);
      if (!launched) start_error_ = launched.error();
    }
    changed_.notify_all();
    if (start_error_) return;
    while (!over()) step(start);
    finish_streams();
  }

  [[nodiscard]] bool over() const {
    if (!reaped_) return false;
    return (!child_.output.valid() && !child_.errors.valid()) || Steady::now() >= drain_until_;
  }

  void step(Steady::time_point start) {
    std::array<pollfd, 3> watched{pollfd{reaped_ ? -1 : child_.pidfd.get(), POLLIN, 0},
                                  pollfd{child_.output.get(), POLLIN, 0}, pollfd{child_.errors.get(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), reaped_ ? poll_milliseconds(drain_until_) : -1) < 0) return;  // EINTR
    if (watched[1].revents != 0) read_output();
    if (watched[2].revents != 0) read_errors();
    if (watched[0].revents != 0) note_end(start);
  }

  // Empty when nothing could be read; the descriptor is closed at the end of the stream.
  static std::string_view read_block(FileDescriptor& file, std::array<char, 1U << 16U>& block) {
    const auto count = ::read(file.get(), block.data(), block.size());
    if (count > 0) return {block.data(), static_cast<std::size_t>(count)};
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) file = FileDescriptor();
    return {};
  }

  void read_output() {
    std::array<char, 1U << 16U> block;
    output_splitter_.add(read_block(child_.output, block), [this](std::string line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(std::move(line));
    });
    changed_.notify_all();
  }

  void read_errors() {
    std::array<char, 1U << 16U> block;
    const auto piece = read_block(child_.errors, block);
    if (log_.valid()) static_cast<void>(!::write(log_.get(), piece.data(), piece.size()));
    {
      const std::lock_guard lock(mutex_);
      errors_ += piece;
      if (errors_.size() > errors_kept) errors_.erase(0, errors_.size() - errors_kept);
    }
    error_splitter_.add(piece, [this](const std::string& line) { report(line); });
  }

  void report(const std::string& line) const {
    if (on_error_line_) on_error_line_(line);
  }

  void note_end(Steady::time_point start) {
    {
      const std::lock_guard lock(mutex_);
      end_ = process::reap(child_);
      duration_ = std::chrono::duration_cast<Milliseconds>(Steady::now() - start);
    }
    reaped_ = true;
    drain_until_ = Steady::now() + drain_grace;
  }

  void finish_streams() {
    if (error_splitter_.pending()) error_splitter_.flush([this](const std::string& line) { report(line); });
    {
      const std::lock_guard lock(mutex_);
      if (output_splitter_.pending())
        output_splitter_.flush([this](std::string line) { lines_.push_back(std::move(line)); });
      output_over_ = true;
    }
    changed_.notify_all();
  }

  process::Launched child_;
  FileDescriptor log_;
  std::function<void(const std::string&)> on_error_line_;
  process::LineSplitter output_splitter_;
  process::LineSplitter error_splitter_;
  bool reaped_ = false;
  Steady::time_point drain_until_;

  mutable std::mutex mutex_;
  std::mutex input_mutex_;
  std::condition_variable_any changed_;
  bool started_ = false;
  std::optional<Error> start_error_;
  std::deque<std::string> lines_;
  bool output_over_ = false;
  std::string errors_;
  std::optional<std::variant<Exited, Signalled>> end_;
  Milliseconds duration_{};
  std::thread service_;
};

ChildProcess::ChildProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}
ChildProcess::~ChildProcess() = default;
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&&) noexcept = default;

Result<ChildProcess> ChildProcess::start(const ProcessSpec& spec, const std::filesystem::path& error_log) {
  auto state = std::make_shared<State>();
  if (auto started = state->start(spec, error_log); !started) {
    return std::move(started).while_doing("starting '" + spec.program + "'").error();
  }
  return ChildProcess(std::move(state));
}

pid_t ChildProcess::pid() const { return state_->pid(); }
Result<void> ChildProcess::write_line(std::string_view line, Milliseconds limit) {
  return state_->write_line(line, limit);
}
void ChildProcess::close_input() { state_->close_input(); }
Result<std::optional<std::string>> ChildProcess::read_line(Milliseconds limit, std::stop_token stop) {
  return state_->read_line(limit, stop);
}
bool ChildProcess::running() const { return state_->running(); }
void ChildProcess::send_signal(int signal) { state_->send_signal(signal); }
ProcessOutcome ChildProcess::wait(Milliseconds limit) { return state_->wait(limit); }

}  // namespace patchlab
