// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "process/page/facts.hpp"

// How each department stands in each step of the process. Pure. What nobody knows stands for nothing that is well.
namespace patchlab::process::page {

enum class Step { detect, assess, acquire, test, decide, deploy, maintain };
inline constexpr std::array<Step, 7> all_steps{Step::detect, Step::assess, Step::acquire, Step::test,
                                               Step::decide, Step::deploy, Step::maintain};
// "1 detect"; between testing and deploying people decide, which has no number of its own.
[[nodiscard]] const char* to_string(Step step);
// "detect"
[[nodiscard]] const char* word_of(Step step);
// The question that it answers, as docs/process/README.md has it.
[[nodiscard]] const char* question_of(Step step);

enum class Tone { good, waits, bad, unknown, plain };
struct Standing {
  Tone tone = Tone::unknown;
  std::string says;    // "3 missing on 2 machines"
  std::string more{};  // what qualifies it; may be empty
  std::string link{};  // of our own pages; empty: none
  bool operator==(const Standing&) const = default;
};

[[nodiscard]] Standing standing_of(const Facts& facts, const std::string& department, Step step);

// What the scan says of a department, summed up.
struct Missing {
  std::size_t updates = 0;  // different ones that are missing, those that are known to be bad among them
  std::size_t known_bad = 0;
  std::size_t machines = 0;
  std::size_t open = 0;     // vulnerabilities of what is installed, for which there is no fix
  std::size_t unknown = 0;  // rows of which nobody knows
  std::size_t exploited = 0;
  std::size_t overdue = 0;
  std::string next_due;  // a day that is not over; empty: none
};
// It lacks what is offered: nobody installs what is known to be bad, and it is open all the same.
[[nodiscard]] bool is_lacking(const ScannedItem& item);
[[nodiscard]] Missing missing_in(const Facts& facts, const std::string& department);

}  // namespace patchlab::process::page
