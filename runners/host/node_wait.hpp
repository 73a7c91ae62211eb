// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "runners/cell/client.hpp"

namespace patchlab::runners::host {

struct NodeWait {
  Clock& clock;
  Milliseconds began;  // by that clock: when the run did
  Milliseconds limit;  // of the whole run
  std::function<void(const std::string& sentence)> tell;
};

// Waits until a cell that an executor starts runs somewhere and says where; tells what it waits for, whenever that
// changes. One that runs nowhere when the limit is over is ended: an infrastructure error with the last that was known.
[[nodiscard]] Result<cell::Place> await_place(cell::CellClient& cell, const cell::Launch& launch,
                                              const cell::PlaceQuestion& question, const NodeWait& wait);

}  // namespace patchlab::runners::host
