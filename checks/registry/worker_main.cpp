// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// patchlab-check-worker: what `patchlab check-worker` is, with nothing but the libraries of checks.
#include "checks/registry/registry.hpp"
#include "checks/worker.hpp"

int main() { return patchlab::checks::check_worker_main(patchlab::checks::find_check); }
