// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// Whose trouble it is that something of a guest was not seen.
class ObserverTrouble {
 public:
  explicit ObserverTrouble(Guest& guest) : guest_(guest) {}
  // A machine that QEMU lost says nothing about a patch. A guest that gives no answer at all may have been broken by
  // the patch or have lost its agent by chance: one look cannot tell. One that answers, but not so that it can be used,
  // shows trouble of whoever asks. Waits up to 20 s for any answer.
  [[nodiscard]] Error unobserved(Error error);
  // Of a machine that restarts it is known already whether it was seen not to come back, or gave no answer; one that is
  // off then may have switched itself off, and another trial shows whether it does so again.
  [[nodiscard]] Error missed_restart(Error error);
  // What the guest said before the latest trouble, and is told once; empty: there was none.
  [[nodiscard]] std::string take_replies() { return std::exchange(replies_, {}); }
  void forget() { replies_.clear(); }

 private:
  [[nodiscard]] bool is_silent();

  Guest& guest_;
  std::string replies_;
};

}  // namespace patchlab::runners::cell
