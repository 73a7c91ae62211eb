// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>

namespace patchlab {

// The chance to see at most `seen` events in `tries` independent tries of this probability.
inline double at_most(std::size_t seen, std::size_t tries, double probability) {
  if (seen >= tries || probability <= 0) return 1;
  if (probability >= 1) return 0;
  double sum = 0;
  for (std::size_t i = 0; i <= seen; ++i) {
    const auto n = static_cast<double>(tries);
    const auto k = static_cast<double>(i);
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(probability) +
                    (n - k) * std::log1p(-probability));
  }
  return sum;
}

// The greatest probability per try under which so few events would still be seen with a chance of `doubt` (Clopper and
// Pearson, one-sided, exact). 0.05: with 95 % confidence it is not greater. Without any try it is 1: nothing is known.
inline double upper_bound(std::size_t seen, std::size_t tries, double doubt = 0.05) {
  if (seen >= tries) return 1;
  double low = 0;
  double high = 1;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (at_most(seen, tries, middle) > doubt ? low : high) = middle;
  }
  return high;
}

}  // namespace patchlab
