// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/image/builder.hpp"
#include "runners/engine/run.hpp"
#include "runners/forecast/fleet.hpp"

// What commands print with --json, but for the schema's name: made of values, and held against cli/schemas by tests.
namespace patchlab::cli {

// patchlab/image-build/v1: every image that was asked for, as it is now.
[[nodiscard]] Json image_build_json(const std::vector<lab::image::BuiltImage>& built);

// patchlab/image-verify/v1: an image, and what has changed in it.
struct VerifiedImage {
  lab::image::GoldenImage image;
  std::string problem;  // empty: it is as it was built
};
[[nodiscard]] Json image_verify_json(const std::vector<VerifiedImage>& images);

// patchlab/validate/v1: of a scenario that is in order, and of one that is not, by the lines of its error.
[[nodiscard]] Json validate_json(const std::string& file, const runners::Plan& plan);
[[nodiscard]] Json validate_json(const std::string& file, const Error& error);

// What `validate` tells of a scenario that is in order: where each candidate goes, or why it goes nowhere, and what a
// run will take at least.
[[nodiscard]] std::string validate_text(const std::string& file, const runners::Plan& plan);

// What a run of a plan cannot do without.
struct Needs {
  std::size_t machines = 0;
  std::size_t checks = 0;      // of all machines
  std::size_t trials = 0;      // a baseline and a control in each department, and its whole set once
  std::size_t memory_mib = 0;  // for the machines of all departments, which run at the same time
  bool operator==(const Needs&) const = default;
};
[[nodiscard]] Needs needs_of(const runners::Plan& plan);

// Whether there is anything to test: a candidate for a machine, or controls.
[[nodiscard]] bool anything_applies(const runners::Plan& plan);

// The answer of --dry-run: who would be tested with what, and how long that takes, as far as it can be foreseen.
[[nodiscard]] Json plan_answer_json(const runners::Plan& plan,
                                    const std::optional<runners::forecast::FleetPlan>& foreseen);
void say_plan(const runners::Plan& plan, bool as_json,
              const std::optional<runners::forecast::FleetPlan>& foreseen = std::nullopt);

}  // namespace patchlab::cli
