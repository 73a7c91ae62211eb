// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "lab/guest/adapter.hpp"
#include "lab/guest/recording/questions.hpp"
#include "lab/guest/recording/recording.hpp"

namespace patchlab::lab::guest::recording {

struct RecordLimits {
  Milliseconds program = std::chrono::minutes(5);  // of one that the agent starts itself
  Milliseconds job = std::chrono::minutes(20);     // dism's first start on a full disk takes its time
  std::size_t bytes = 32U << 20U;                  // of one reply
  std::size_t log_tail = 512U << 10U;              // of a log: what the adapter reads of it at most
};

// What is about to be asked, and which of how many it is.
using Told = std::function<void(const Asked& asked, std::size_t number, std::size_t all)>;

// Sends each once, one after another, and keeps the bytes that come back. A command that was refused, did not end in
// time or whose reply could not be had has a reply that says so; an Error is only that the guest gives no answer any
// more, or a stop. Refuses to send what acts.
[[nodiscard]] Result<std::vector<Reply>> ask_all(GuestAgent agent, Clock& clock, const std::vector<Asked>& questions,
                                                 const RecordLimits& limits, const std::stop_token& stop,
                                                 const Told& told = {});

}  // namespace patchlab::lab::guest::recording
