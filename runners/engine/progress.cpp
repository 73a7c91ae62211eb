// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>

#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::runners {
namespace {

double seconds(Milliseconds duration) { return std::chrono::duration<double>(duration).count(); }

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

Progress::Style Progress::style_for(int file_descriptor) {
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return ::isatty(file_descriptor) == 1 && !dumb ? Style::live : Style::lines;
}

Progress::Progress(Style style, Clock& clock) : style_(style), clock_(clock), origin_(clock.now()) {
  if (style_ != Style::live) return;
  ticker_ = std::jthread([this](const std::stop_token& stop) {
    std::mutex sleeping;
    std::condition_variable_any tick;
    std::unique_lock lock(sleeping);
    while (!tick.wait_for(lock, stop, Milliseconds(500), [] { return false; }) && !stop.stop_requested()) {
      const std::lock_guard drawing(mutex_);
      erase();
      draw();
    }
  });
}

Progress::~Progress() {
  if (ticker_.joinable()) {
    ticker_.request_stop();
    ticker_.join();
  }
  const std::lock_guard lock(mutex_);
  erase();
}

std::string Progress::stamp() const { return fmt::format("[{:6.1f} s]", seconds(clock_.now() - origin_)); }

void Progress::say(const std::string& line) {
  if (style_ == Style::none) return;
  const std::lock_guard lock(mutex_);
  erase();
  tell(fmt::format("{} {}\n", stamp(), printable(line)));
  draw();
}

void Progress::begin(const std::string& key, const std::string& what) {
  if (style_ == Style::none) return;
  const std::lock_guard lock(mutex_);
  activities_[key] = {printable(what), clock_.now()};
  if (style_ == Style::lines) tell(fmt::format("{} {}: {} ...\n", stamp(), printable(key), printable(what)));
}

void Progress::end(const std::string& key) {
  if (style_ == Style::none) return;
  const std::lock_guard lock(mutex_);
  const auto found = activities_.find(key);
  if (found == activities_.end()) return;
  if (style_ == Style::lines) {
    tell(fmt::format("{} {}: {} took {:.1f} s\n", stamp(), printable(key), found->second.what,
                     seconds(clock_.now() - found->second.since)));
  }
  activities_.erase(found);
}

void Progress::cell_event(const std::string& department, const Json& event) {
  const auto kind = event.value("event", "");
  if (kind != "begin" && kind != "timing") return;
  const auto machine = event.value("machine", "");
  const auto key = machine.empty() ? department : department + "/" + machine;
  if (kind == "timing") return end(key);
  const auto awaited = event.value("awaited", "");
  begin(key, event.value("phase", "") + (awaited.empty() ? "" : ", waiting for " + awaited));
}

void Progress::erase() {
  if (drawn_) tell(fmt::format("\r\033[K"));
  drawn_ = false;
}

// The one that has been going on longest comes first: that is the one a person wonders about.
void Progress::draw() {
  if (style_ != Style::live || activities_.empty()) return;
  std::vector<std::pair<Milliseconds, std::string>> oldest;
  for (const auto& [key, activity] : activities_) {
    oldest.emplace_back(activity.since, fmt::format("{} {} ({:.0f} s)", printable(key), activity.what,
                                                    seconds(clock_.now() - activity.since)));
  }
  std::ranges::sort(oldest);
  auto line = stamp();
  for (const auto& [since, text] : oldest) line += (line.size() == stamp().size() ? " " : " | ") + text;
  if (const auto width = terminal_width() - 1; line.size() > width)
    line = to_valid_utf8(line.substr(0, width - 3)) + "...";
  tell(fmt::format("{}", line));
  drawn_ = true;
}

}  // namespace patchlab::runners
