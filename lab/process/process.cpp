// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/process/process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "lab/process/launch.hpp"
#include "lab/process/line_splitter.hpp"

namespace patchlab {
namespace {
using Steady = std::chrono::steady_clock;
using process::Launched;

constexpr Milliseconds term_grace{2000};
// After the program has ended: how long something it left behind may go on holding our end of its pipes.
constexpr Milliseconds drain_grace{500};

// One run from start to end: a loop over the program's three pipes, its end, the time limit and the stop request.
class OneRun {
 public:
  OneRun(const ProcessSpec& spec, std::stop_token stop, Launched child)
      : spec_(spec),
        stop_(std::move(stop)),
        child_(std::move(child)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ProcessOutcome finish() {
    const process::SigpipeGuard no_sigpipe;
    const std::stop_callback on_stop(stop_, [this] {
      const std::uint64_t one = 1;
      static_cast<void>(!::write(wake_.get(), &one, sizeof one));
    });
    deadline_ = Steady::now() + spec_.time_limit;
    if (spec_.input.empty()) child_.input = FileDescriptor();
    while (!is_over()) step();
    if (lines_.pending()) lines_.flush(report_line());
    return outcome();
  }

 private:
  [[nodiscard]] bool is_over() const {
    if (!ended_) return false;
    return (!child_.output.valid() && !child_.errors.valid()) || Steady::now() >= deadline_;
  }

  void step() {
    std::array<pollfd, 5> watched{pollfd{ended_ ? -1 : child_.pidfd.get(), POLLIN, 0},
                                  pollfd{child_.output.get(), POLLIN, 0}, pollfd{child_.errors.get(), POLLIN, 0},
                                  pollfd{child_.input.get(), POLLOUT, 0},
                                  pollfd{asked_to_end_ || ended_ ? -1 : wake_.get(), POLLIN, 0}};
    const auto left = std::chrono::ceil<Milliseconds>(deadline_ - Steady::now());
    const auto capped = std::clamp(left, Milliseconds(0), Milliseconds(std::chrono::hours(1)));
    if (::poll(watched.data(), watched.size(), static_cast<int>(capped.count())) < 0) return;  // EINTR
    if (watched[1].revents != 0) read_into(child_.output, result_.output, false);
    if (watched[2].revents != 0) read_into(child_.errors, result_.errors, true);
    if (watched[3].revents != 0) feed();
    if (watched[0].revents != 0) note_end();
    if (watched[4].revents != 0 && !ended_) ask_to_end(true);
    if (!ended_ && Steady::now() >= deadline_) past_deadline();
  }

  void note_end() {
    ended_ = true;
    end_ = process::reap(child_);
    child_.input = FileDescriptor();
    deadline_ = Steady::now() + drain_grace;
  }

  void past_deadline() {
    if (!asked_to_end_) return ask_to_end(false);
    process::signal_group(child_, SIGKILL);
    deadline_ =
        Steady::time_point::max() - std::chrono::hours(1);  // SIGKILL cannot be ignored: only its end is awaited
  }

  void ask_to_end(bool cancelled) {
    asked_to_end_ = true;
    cancelled_ = cancelled;
    process::signal_group(child_, SIGTERM);
    deadline_ = Steady::now() + term_grace;
  }

  void read_into(FileDescriptor& file, std::string& kept, bool is_errors) {
    std::array<char, 1U << 16U> block;
    const auto count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      file = FileDescriptor();
      return;
    }
    const std::string_view piece(block.data(), static_cast<std::size_t>(count));
    kept.append(piece.substr(0, spec_.output_limit - std::min(spec_.output_limit, kept.size())));
    if (is_errors && spec_.on_error_line) lines_.add(piece, report_line());
  }

  void feed() {
    const auto count = ::write(child_.input.get(), spec_.input.data() + fed_, spec_.input.size() - fed_);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count > 0) fed_ += static_cast<std::size_t>(count);
    if (count < 0 || fed_ == spec_.input.size()) child_.input = FileDescriptor();
  }

  [[nodiscard]] std::function<void(std::string)> report_line() const {
    return [this](const std::string& line) { spec_.on_error_line(line); };
  }

  ProcessOutcome outcome() {
    if (asked_to_end_) {
      result_.end = TimedOut{cancelled_};
    } else if (const auto* exited = std::get_if<Exited>(&end_)) {
      result_.end = *exited;
    } else {
      result_.end = std::get<Signalled>(end_);
    }
    return std::move(result_);
  }

  const ProcessSpec& spec_;
  std::stop_token stop_;
  Launched child_;
  FileDescriptor wake_;
  ProcessOutcome result_{};
  process::LineSplitter lines_;
  Steady::time_point deadline_;
  std::variant<Exited, Signalled> end_;
  std::size_t fed_ = 0;
  bool ended_ = false;
  bool asked_to_end_ = false;
  bool cancelled_ = false;
};

class HostProcesses final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token stop) override {
    const auto start = Steady::now();
    auto outcome = run_untimed(spec, std::move(stop));
    outcome.duration = std::chrono::duration_cast<Milliseconds>(Steady::now() - start);
    return outcome;
  }

 private:
  static ProcessOutcome run_untimed(const ProcessSpec& spec, std::stop_token stop) {
    if (stop.stop_requested()) return {TimedOut{true}, {}, {}, {}};
    auto child = process::launch(spec);
    if (!child) return {NotStarted{child.error().message}, {}, {}, {}};
    return OneRun(spec, std::move(stop), std::move(*child)).finish();
  }
};

std::string last_lines(const std::string& text, std::size_t bytes) {
  auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return {};
  auto kept = text.substr(0, end + 1);
  if (kept.size() <= bytes) return kept;
  kept.erase(0, kept.size() - bytes);
  const auto line = kept.find('\n');
  return fmt::format("...{}", line == std::string::npos ? kept : kept.substr(line + 1));
}

std::string command_text(const ProcessSpec& spec) {
  std::string text = spec.program;
  for (const auto& argument : spec.arguments) text += " " + argument;
  constexpr std::size_t most = 200;
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

ErrorClass class_of(const ProcessOutcome& outcome) {
  const auto* timed_out = std::get_if<TimedOut>(&outcome.end);
  if (timed_out == nullptr) return ErrorClass::infrastructure;
  return timed_out->cancelled ? ErrorClass::cancelled : ErrorClass::timeout;
}
}  // namespace

bool ProcessOutcome::succeeded() const {
  const auto* exited = std::get_if<Exited>(&end);
  return exited != nullptr && exited->code == 0;
}

std::string ProcessOutcome::describe() const {
  struct Describer {
    const ProcessOutcome& outcome;
    std::string operator()(const Exited& exited) const { return fmt::format("exit code {}", exited.code); }
    std::string operator()(const Signalled& signalled) const {
      return fmt::format("killed by signal {}", signalled.signal);
    }
    std::string operator()(const TimedOut& timed_out) const {
      const auto seconds = std::chrono::duration<double>(outcome.duration).count();
      return fmt::format("{} {:.1f} s", timed_out.cancelled ? "cancelled after" : "ran longer than", seconds);
    }
    std::string operator()(const NotStarted& not_started) const { return "could not be started: " + not_started.why; }
  };
  return std::visit(Describer{*this}, end);
}

ProcessRunner& host_processes() {
  static HostProcesses processes;
  return processes;
}

Result<std::string> run_for_output(ProcessRunner& runner, const ProcessSpec& spec, std::stop_token stop) {
  auto outcome = runner.run(spec, std::move(stop));
  if (outcome.succeeded()) return std::move(outcome.output);
  auto message = fmt::format("running '{}': {}", command_text(spec), outcome.describe());
  const auto said = last_lines(outcome.errors.empty() ? outcome.output : outcome.errors, 1000);
  if (!said.empty()) message += ": " + said;
  return Error{class_of(outcome), std::move(message), {}};
}

}  // namespace patchlab
