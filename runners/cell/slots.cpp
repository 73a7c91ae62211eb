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
                  .interval = Milliseconds(10),
                  .last_seen = {},
                  .stop = stop};
  std::optional<Error> trouble;  // with every slot, the last one's: what cannot be locked never will be free
  PATCHLAB_TRY(wait_until(clock_, wait, [&] {
    std::size_t broken = 0;
    for (std::size_t i = 0; i < count_ && !slot; ++i) {
      auto tried = FileLock::try_take(folder_ / slot_name(i), FileLock::Mode::exclusive);
      if (tried) {
        slot = std::move(*tried);
      } else {
        ++broken;
        trouble = std::move(tried).error();
      }
    }
    return slot || broken == count_;
  }));
  if (slot) return std::move(*slot);
  return trouble.value_or(infrastructure_error("there are no slots")).while_doing("taking a processor slot");
}

}  // namespace patchlab::runners::cell
