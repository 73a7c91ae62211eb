// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace patchlab::runners::forecast {

// What one cell has to do, as steps of which some wait for others: a value, made once and simulated as often as asked.
class Course {
 public:
  using Index = std::uint32_t;
  struct Step {
    std::int64_t ms = 0;
    bool takes_slot = false;  // one of the processor slots of its cell or host, while it lasts
  };
  // A trial that answers the same question wherever it is asked: of all cells that get there, one runs it, and the
  // others wait for its end and go on. `begin` is a step that all others of it wait for, `end` one that waits for all.
  struct Shared {
    Index begin = 0;
    Index end = 0;
    std::string key;
  };

  // Each of `after` is a step that was added before. The index of the new one.
  Index add(Step step, std::span<const Index> after);
  void share(Shared trial) { shared_.push_back(std::move(trial)); }
  // No step is added any more; what waits for a step is known from here on.
  void finish();

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  [[nodiscard]] const std::vector<Shared>& shared() const { return shared_; }           // in the order of their steps
  [[nodiscard]] std::uint32_t waits_for(Index step) const { return waits_for_[step]; }  // how many others
  [[nodiscard]] std::span<const Index> before(Index step) const;                        // those that wait for it
  [[nodiscard]] const Shared* shared_from(Index begin) const;                           // null: none begins there

  // Of steps that take a slot, one after the other.
  [[nodiscard]] std::int64_t work_ms() const;
  // The longest row of steps that wait for each other, which no number of processors makes shorter. Of the trials in
  // `leave_out` (by index into shared()) nothing counts.
  [[nodiscard]] std::int64_t chain_ms(const std::vector<bool>& leave_out = {}) const;

 private:
  std::vector<Step> steps_;
  std::vector<Shared> shared_;
  std::vector<std::uint32_t> waits_for_;
  std::vector<std::pair<Index, Index>> edges_;  // until finish()
  std::vector<Index> first_, next_;             // afterwards: of step i, next_[first_[i]] to next_[first_[i + 1]]
};

}  // namespace patchlab::runners::forecast
