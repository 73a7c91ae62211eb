// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::dns {

// Kind "dns.load": several questions a second for a while, each over UDP and once; every one is answered, rightly.
// Parameters:
//   records      as those of "dns.records": what is asked for, in turn, and answered
//   per_second   (20), up to 500
//   seconds      (5), up to 300; the check's timeout must leave time for late answers
//   port         (53)
// Observation: {"asked", "answered", "wrong", "lost", "seen_wrong": [{"question", "reason", "observed"}], "seen_lost":
// [question], "elapsed_ms", "slowest_ms", and "errno" when the server's port is closed}. Reasons of failure:
// answers-lost, answers-wrong, and those of reason_for_errno(). A deadline that comes before all are asked is an error.
[[nodiscard]] const Check& load();

}  // namespace patchlab::checks::dns
