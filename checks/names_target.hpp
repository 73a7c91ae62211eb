// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks {

// Of a kind of check whose library must find machines by their names: a Check that is this as well.
class NamesTarget {
 public:
  virtual ~NamesTarget() = default;
  // Names, of letters, digits, '.' and '-', and the IPv4 address of each, of a target with this `address`: they are in
  // /etc/hosts of the worker process, and no other name can be looked up there. Empty: with these parameters, which are
  // valid, none is needed.
  [[nodiscard]] virtual std::map<std::string, std::string> names(const Json& parameters,
                                                                 const std::string& address) const = 0;
};

}  // namespace patchlab::checks
