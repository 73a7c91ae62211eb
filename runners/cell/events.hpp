// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

namespace patchlab::runners::cell {

// Where a cell tells what it is doing; called from any of its threads.
using EventSink = std::function<void(const Json& event)>;

// One timed step: announces its begin (with what is awaited) and, when it goes out of scope, its duration. start_ms is
// on the host's monotonic clock, which parent and cells share; the parent makes it relative to the run.
class TimedStep {
 public:
  TimedStep(const EventSink& sink, Clock& clock, std::string machine, std::string trial, std::string phase,
            std::string awaited = {})
      : sink_(sink),
        clock_(clock),
        machine_(std::move(machine)),
        trial_(std::move(trial)),
        phase_(std::move(phase)),
        start_(clock.now()) {
    Json event{{"event", "begin"}, {"machine", machine_}, {"trial", trial_}, {"phase", phase_}};
    if (!awaited.empty()) event["awaited"] = std::move(awaited);
    sink_(event);
  }
  TimedStep(const TimedStep&) = delete;
  TimedStep& operator=(const TimedStep&) = delete;
  ~TimedStep() {
    sink_({{"event", "timing"},
           {"machine", machine_},
           {"trial", trial_},
           {"phase", phase_},
           {"start_ms", start_.count()},
           {"duration_ms", (clock_.now() - start_).count()}});
  }

 private:
  const EventSink& sink_;
  Clock& clock_;
  std::string machine_;
  std::string trial_;
  std::string phase_;
  Milliseconds start_;
};

}  // namespace patchlab::runners::cell
