// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runners/forecast/course.hpp"
#include "runners/forecast/durations.hpp"
#include "runners/forecast/foresight.hpp"

namespace patchlab::runners::forecast {

// A time that went into a course, and who says it.
struct SaidTime {
  std::string machine;  // empty: of the whole department
  StepKind kind = StepKind::checks;
  std::string candidate;  // of an installation
  Time time;
};

struct CellCourse {
  Course course;
  std::vector<SaidTime> times;  // each once, in the order of machines
};

// What the cell of this department does, in the order in which runners/cell does it: what begins together, where all
// machines wait for each other, what needs a slot and what does not. `kept_baseline`: its machines go on from a
// baseline that an earlier run saved.
[[nodiscard]] CellCourse course_of(const ForeseenDepartment& department, const std::string& name,
                                   const Durations& durations, bool kept_baseline);

}  // namespace patchlab::runners::forecast
