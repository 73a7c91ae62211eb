// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lab/core/json.hpp"
#include "lab/process/child.hpp"

namespace patchlab::runners::talk {

// One end of a talk with a child process in JSON lines: numbered requests, one answer to each, events in between. Calls
// block until they are answered and may come from several threads. When the child ends, or sends what cannot be
// understood, every waiting and later call returns an infrastructure error that says so.
class Conversation {
 public:
  using OnEvent = std::function<void(const Json& event)>;
  struct Partner {
    std::string name;       // "the cell of department 'finance'", for that error
    std::string when_gone;  // its hint
    // For who knows more than that its process ended: what happened, when nobody asked it to; its message and its hint
    // are told then. Called from the thread that reads.
    std::function<Error(const ProcessOutcome& outcome)> what_happened{};
  };
  // `on_event` is called from a thread of the conversation's own; a Json::exception that it throws means an event that
  // cannot be understood.
  Conversation(ChildProcess child, Partner partner, OnEvent on_event);
  ~Conversation();  // kills a child that `end` was not called for
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // The "result" of the answer, or its "error". The request must be on its way within `limit`; the answer has no
  // deadline: a partner has one for every step, and its end ends the wait.
  [[nodiscard]] Result<Json> call(Json request, Milliseconds limit = std::chrono::seconds(10));
  // What has no answer. When it cannot be sent, calls will notice.
  void tell(const Json& message);
  // Ends the child's input and waits until it has ended; kills it after `patience`, and returns false then. Safe to
  // call again, from any thread.
  bool end(Milliseconds patience);

 private:
  void read();
  void take(const Json& message);
  [[nodiscard]] Error is_gone(const std::string& why) const;
  [[nodiscard]] Error how_it_ended(const std::string& why);

  ChildProcess child_;
  Partner partner_;
  OnEvent on_event_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<int, Result<Json>> answers_;
  int last_id_ = 0;
  std::optional<Error> gone_;
  std::mutex end_mutex_;
  std::atomic<bool> asked_to_end_ = false;
  std::jthread reader_;
};

}  // namespace patchlab::runners::talk
