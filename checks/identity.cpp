// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/identity.hpp"

#include "lab/core/digest.hpp"

namespace patchlab::checks {

Json as_planned(const CheckSpec& spec) {
  Json planned{{"kind", spec.kind},
               {"with", spec.parameters},
               {"deadline_ms", spec.deadline.count()},
               {"slower_ms", spec.slower ? Json(spec.slower->count()) : Json()}};
  if (spec.program) planned["program"] = {{"name", spec.program->name}, {"sha256", spec.program->sha256}};
  return planned;
}

// Keys are sorted, and spaces, escapes and numbers have one form: equal values are equal bytes.
std::string check_digest(const CheckSpec& spec) {
  return sha256(as_planned(spec).dump(-1, ' ', true, Json::error_handler_t::replace));
}

}  // namespace patchlab::checks
