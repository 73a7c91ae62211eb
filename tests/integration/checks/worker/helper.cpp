// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/worker.hpp"
#include "tests/integration/checks/worker/misbehaving_check.hpp"

int main() {
  using namespace patchlab::checks;
  static const MisbehavingCheck misbehaving;
  return check_worker_main(
      [](const std::string& kind) -> const Check* { return kind == misbehaving.kind() ? &misbehaving : nullptr; });
}
