// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/slots.hpp"

#include <fmt/format.h>

#include <optional>

namespace patchlab::runners::cell {

std::string slot_name(std::size_t number) { return fmt::format("slot-{}", number); }

Result<FileLock> Slots::acquire(std::stop_token stop) const {
  std::optional<FileLock> slot;
  const Wait wait{.awaited = "a free processor slot",
                  .deadline = std::chrono::hours(24),
                  .interval = Milliseconds(50),
                  .last_seen = {},
                  .stop = stop};
  PATCHLAB_TRY(wait_until(clock_, wait, [&] {
    for (std::size_t i = 0; i < count_; ++i) {
      auto taken = FileLock::take(folder_ / slot_name(i), FileLock::Mode::exclusive, FileLock::at_once());
      if (taken) {
        slot = std::move(taken).value();
        return true;
      }
    }
    return false;
  }));
  return std::move(*slot);
}

}  // namespace patchlab::runners::cell
