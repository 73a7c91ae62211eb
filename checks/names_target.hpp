// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks {

// Of a kind of check whose library must find the target by a name: a Check that is this as well.
class NamesTarget {
 public:
  virtual ~NamesTarget() = default;
  // The name, of letters, digits, '.' and '-': it is in /etc/hosts of the worker process with the target's address, and
  // no other name can be looked up there. Empty: with these parameters, which are valid, none is needed.
  [[nodiscard]] virtual std::string name_of_target(const Json& parameters) const = 0;
};

}  // namespace patchlab::checks
