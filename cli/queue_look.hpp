// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/desk_argument.hpp"
#include "promotion/desk/queue.hpp"
#include "promotion/desk/reviews.hpp"

// What waits for people, at the desk of a stage.
namespace patchlab::cli {

struct QueueQuestion {
  DeskArguments desk;
  std::string department;  // empty: all
  std::string by;          // a person; empty: all
  std::size_t runs = 20;   // so many of the newest are looked at
};

// What was looked at, the newest run first, and what came of it by department.
struct Queue {
  std::vector<std::string> runs;
  std::vector<promotion::Waiting> waiting;
  std::vector<promotion::Review> reviews;  // of emergency promotions, that are open
  std::vector<std::string> notes;
  std::set<std::string> departments;  // of all runs that were looked at
};

[[nodiscard]] Result<Queue> queue_of(const QueueQuestion& question);

}  // namespace patchlab::cli
