// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

namespace patchlab::runners {

// Tells a person what is going on, on standard error: on a terminal one status line that says what is under way and for
// how long, else a plain line for each thing that begins or ends. Called from any thread.
class Progress {
 public:
  enum class Style { none, lines, live };
  // live on a terminal (unless TERM=dumb), lines elsewhere.
  [[nodiscard]] static Style style_for(int file_descriptor);

  explicit Progress(Style style, Clock& clock = system_clock_source());
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A sentence that stays: "finance: batch of 9 candidates: fail (mail/delivery, db/golden)".
  void say(const std::string& line);
  // Something that takes time; `key` identifies it for `end`.
  void begin(const std::string& key, const std::string& what);
  void end(const std::string& key);
  // A cell's begin/timing event.
  void cell_event(const std::string& department, const Json& event);

 private:
  struct Activity {
    std::string what;
    Milliseconds since;
  };
  void draw();   // with the mutex held
  void erase();  // with the mutex held
  [[nodiscard]] std::string stamp() const;

  Style style_;
  Clock& clock_;
  Milliseconds origin_;
  std::mutex mutex_;
  std::map<std::string, Activity> activities_;
  bool drawn_ = false;
  std::jthread ticker_;
};

}  // namespace patchlab::runners
