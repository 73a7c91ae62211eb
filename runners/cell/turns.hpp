// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <thread>

#include "lab/core/file_lock.hpp"
#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

class Turns;

// A processor slot and a machine that runs, until it is gone.
class Turn {
 public:
  Turn(Turns& turns, FileLock slot) : turns_(&turns), slot_(std::move(slot)) {}
  Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), slot_(std::move(other.slot_)) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn();
  // What only waits needs no slot, but a machine that goes on running.
  void release_slot() { slot_.reset(); }
  [[nodiscard]] Result<void> take_slot_again();

 private:
  Turns* turns_;
  std::optional<FileLock> slot_;
};

// When a machine runs and when it stands still: a dozen idle guests cost more than a processor under emulation, and
// what they take is missing where the work is. So one that nobody depends on, and that depends on nobody, is paused
// when it has no turn.
class Turns {
 public:
  explicit Turns(Guest& guest);
  // Waits for a slot. The machine goes on running if it stood still.
  [[nodiscard]] Result<Turn> take();
  // It was started or reverted.
  void runs() { resting_ = false; }
  // For what needs no slot; `rest` follows it.
  [[nodiscard]] Result<void> wake();
  void rest();

 private:
  friend class Turn;
  Guest& guest_;
  bool may_rest_;
  bool resting_ = false;
};

// Sees from a thread of its own, in real time, until it is gone, whether the guest has done nothing for a while:
// `quiet` is called then, and again with each look that finds it so. A client that waits for an answer that never comes
// needs no processor, and others do.
class IdleWatch {
 public:
  // What kept it quiet: that it had nothing to do; or nobody can tell whether it only waited for a processor.
  enum class Because { idle, unknown };
  IdleWatch(Guest& guest, std::function<void(Because)> quiet);

 private:
  std::jthread thread_;
};

}  // namespace patchlab::runners::cell
