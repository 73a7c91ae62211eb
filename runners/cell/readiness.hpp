// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// Waits until a machine that was started is ready for checks, and until it has nothing to do. Needs a machine that runs
// and no processor slot.
class Readiness {
 public:
  explicit Readiness(Guest& guest) : guest_(guest) {}
  enum class After { baseline, patch };
  // Until the role's ports answer. At the baseline the full ready_timeout is granted and the time it took is
  // remembered. Later a multiple of it is enough, and less when the guest has nothing more to do: a service that a
  // patch killed must not cost a minute in every probe of the search.
  [[nodiscard]] Result<void> wait(const std::string& trial, After after);
  // What `wait` finds at a baseline that was booted. One that was not has to be told it.
  [[nodiscard]] Milliseconds usual() const { return usual_; }
  void set_usual(Milliseconds usual) { usual_ = usual; }
  // Whether it has nothing to do any more, or the trouble with seeing that.
  [[nodiscard]] Result<bool> settle(const std::string& trial);

 private:
  Guest& guest_;
  Milliseconds usual_{0};  // from start-up complete to ports answering, at the baseline
};

}  // namespace patchlab::runners::cell
