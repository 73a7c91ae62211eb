// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "lab/core/json.hpp"

namespace patchlab::checks {

inline constexpr std::size_t evidence_limit = 64U << 10U;  // bytes of JSON text

// An observation small enough for a record: long texts and lists are shortened step by step, each saying how much was
// cut. The judge always sees the whole observation; only what is kept for the reader is capped.
[[nodiscard]] Json capped(Json observation, std::size_t limit = evidence_limit);

}  // namespace patchlab::checks
