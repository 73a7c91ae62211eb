// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "process/page/facts.hpp"

namespace patchlab::cli {

// The newest facts, looked at again and again by a thread of its own: signatures are verified for some of them, which
// takes longer than anybody waits for a page.
//
// What was seen last is no knowledge of now when a look failed since, or none has ended for too long: then nothing is
// known (page::out_of_date), until one succeeds.
class Lookout {
 public:
  struct Patience {
    std::chrono::milliseconds every = std::chrono::seconds(60);  // between the end of a look and the next one
    std::chrono::milliseconds most = std::chrono::minutes(5);  // of a look and what is between two: no facts are older
    std::chrono::milliseconds end = std::chrono::seconds(3);   // for a look that is under way when this ends
  };
  using Look = std::function<process::page::Facts()>;  // what it throws is a bug
  // Looks once in the calling thread. `on_bug` is called by the other one. A look that does not end is left to itself
  // when this does: what both call must be there until the process ends.
  Lookout(Look look, Patience patience, std::function<void(const std::string&)> on_bug);
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  // From any thread, at any time.
  [[nodiscard]] std::shared_ptr<const process::page::Facts> facts() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace patchlab::cli
