// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/host_share.hpp"

#include <fmt/format.h>

namespace patchlab::runners::cell {
namespace {

// Without a processor for so long between two looks, and for longer than with one: services end each other by then.
constexpr Milliseconds starving = std::chrono::seconds(10);

}  // namespace

std::optional<HostShare::Share> HostShare::since_last_phase() {
  const auto used = guest_.context.hypervisor.processor_time(guest_.name());
  const auto waited = guest_.context.hypervisor.waited_for_processor(guest_.name());
  if (!used || !waited) {
    so_far_.reset();
    return std::nullopt;
  }
  const Share now{*used, *waited};
  const auto before = std::exchange(so_far_, now);
  if (!before) return std::nullopt;
  // A QEMU process that is new counts from its start.
  if (now.used < before->used || now.waited < before->waited) return now;
  return Share{now.used - before->used, now.waited - before->waited};
}

void HostShare::excuse_log_of_starved(reports::PhaseRecord& record) {
  const auto share = since_last_phase();
  if (record.outcome != Outcome::fail || !share || share->waited < starving || share->waited < share->used) return;
  const bool log_alone =
      std::ranges::all_of(record.differences,
                          [](const auto& one) { return one.kind == checks::state::log_kind || !one.is_failure(); }) &&
      std::ranges::none_of(record.checks, [](const auto& check) { return check.outcome == Outcome::fail; });
  if (!log_alone) return;
  record.error = infrastructure_error(
      fmt::format(
          "the host was too busy for what '{}' logged to mean anything: its guest had a processor for {} ms and "
          "waited {} ms for one",
          guest_.name(), share->used.count(), share->waited.count()),
      "run fewer things beside the lab, or fewer departments at a time");
  record.outcome = Outcome::error;
}

}  // namespace patchlab::runners::cell
