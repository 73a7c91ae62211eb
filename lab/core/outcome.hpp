// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace patchlab {

// How anything planned ended. Never merged: only a recorded `pass` promotes, and nothing executed is never `pass`.
enum class Outcome {
  pass,
  fail,         // the patch broke something
  error,        // the lab could not tell; an ErrorClass says whose trouble it is
  skipped,      // does not apply
  not_reached,  // planned, but the run ended before
};

[[nodiscard]] const char* to_string(Outcome outcome);
[[nodiscard]] std::optional<Outcome> outcome_from(const std::string& word);

// The outcome of a group. Precedence: error > fail > not-reached > skipped < pass, as in docs/glossary: an error
// anywhere means the group says nothing; skipped members do not spoil a pass; a group of only skips is skipped.
[[nodiscard]] Outcome combine(Outcome a, Outcome b);

}  // namespace patchlab
