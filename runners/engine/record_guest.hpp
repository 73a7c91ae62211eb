// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>

#include "runners/cell/guest_replies.hpp"
#include "runners/engine/host_tools.hpp"
#include "runners/engine/progress.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::runners {

struct RecordGuestOptions {
  GoldenDomainRef domain;
  // Of the clone: in the fence nobody else has one, so it matters only where the guest has another, and then only to
  // who reads the record of the fence.
  std::string address;  // "10.20.0.10/24"; empty: any
  std::string program;  // the patchlab binary
};

// A scenario of that machine alone, which nothing is tested in.
[[nodiscard]] Result<Scenario> scenario_of(const RecordGuestOptions& options);

// Starts a clone of the domain in a fence, asks it everything that only asks, and throws the clone away.
[[nodiscard]] Result<cell::GuestReplies> record_guest(const RecordGuestOptions& options, const HostTools& tools,
                                                      Progress& progress, const std::stop_token& stop);

}  // namespace patchlab::runners
