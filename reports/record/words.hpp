// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "lab/core/json.hpp"

// Words of a record that somebody decides by. A word that is not one of these is refused when a record is read.
namespace patchlab::reports {

// What a trial was run for.
enum class Purpose {
  baseline,  // no patch yet; by the cell, when it begins
  control,   // no patch, the same restarts
  batch,     // all candidates that apply
  search,    // part of them, to find out which ones break it
  confirm,   // those that are to be named, alone and from the baseline
  final,     // exactly what is to be promoted
  removal,   // what passed is taken away again
};
[[nodiscard]] const char* to_string(Purpose purpose);
[[nodiscard]] std::optional<Purpose> purpose_from(const std::string& word);
void to_json(Json& json, Purpose purpose);

enum class PromotionOutcome {
  none,           // nobody has decided yet; written as ""
  promoted,       // published
  refused,        // the policy is not satisfied, or it could not be published
  not_attempted,  // the run was told not to, or was narrowed
};
[[nodiscard]] const char* to_string(PromotionOutcome outcome);
[[nodiscard]] std::optional<PromotionOutcome> promotion_outcome_from(const std::string& word);
void to_json(Json& json, PromotionOutcome outcome);

// Where a fact was seen failing and passing with nothing changed in between.
enum class FlakeKind {
  in_control,      // without any patch: the lab itself is flaky there
  in_search,       // in a set that was only tried to find out; what was named was proven besides
  not_reproduced,  // in the set that was to be promoted: nobody knows why it failed
};
[[nodiscard]] const char* to_string(FlakeKind kind);
[[nodiscard]] std::optional<FlakeKind> flake_kind_from(const std::string& word);
void to_json(Json& json, FlakeKind kind);

}  // namespace patchlab::reports
