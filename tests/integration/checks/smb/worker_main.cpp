// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/registry/registry.hpp"
#include "checks/worker.hpp"

int main() { return patchlab::checks::check_worker_main(patchlab::checks::find_check); }
