// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/command/command.hpp"
#include "checks/worker.hpp"

int main() {
  using namespace patchlab::checks;
  return check_worker_main(
      [](const std::string& kind) -> const Check* { return kind == command().kind() ? &command() : nullptr; });
}
