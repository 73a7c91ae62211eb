// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "promotion/chain/head.hpp"

namespace patchlab::promotion {

inline constexpr const char* witness_namespace = "patchlab.witness.v1";

// What somebody writes down of a ledger who keeps it honest from another machine: its head, if it continues the one
// that was written down before. Needs the lines alone, of a stage, of a copy of its .ledger, or of a ledger.jsonl. A
// last line that is not whole yet is not there yet. An error (configuration) when a line does not follow the one
// before, when there is none, or when what was seen before was cut off or changed.
[[nodiscard]] Result<HeadNote> witness(const std::filesystem::path& from, const std::optional<HeadNote>& last,
                                       std::chrono::system_clock::time_point now);

}  // namespace patchlab::promotion
