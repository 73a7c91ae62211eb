// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/binomial_bound.hpp"

namespace patchlab::test {

using patchlab::at_most;
using patchlab::upper_bound;

}  // namespace patchlab::test
