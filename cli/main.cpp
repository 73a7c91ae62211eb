// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>

#include "cli/application.hpp"

int main(int argc, char** argv) {
  try {
    return patchlab::cli::run_application(argc, argv);
  } catch (const std::exception& bug) {
    std::fprintf(
        stderr, "patchlab: internal error: %s\npatchlab: hint: this is a bug, please report it with the command line\n",
        bug.what());
    return 2;
  }
}
