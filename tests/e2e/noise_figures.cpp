// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/noise_figures.hpp"

#include <cstdio>

// noise_figures RUN.JSON...: what tests/e2e/noise prints. Ends with 0 when there was no false alarm, 1 when there was
// one, and 2 when nothing can be said.
int main(int argc, char** argv) {
  using namespace patchlab;
  test::NoiseFigures figures;
  for (int i = 1; i < argc; ++i) {
    const auto record = reports::read_run_record(argv[i]);
    if (!record) {
      fmt::print(stderr, "noise: error: {}\n", record.error().message);
      return 2;
    }
    test::add(figures, *record);
  }
  fmt::print("{}", test::told(figures));
  if (!figures.clean()) return 1;
  return figures.controls == 0 ? 2 : 0;
}
