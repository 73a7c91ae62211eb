// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/rings_argument.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"

namespace patchlab::cli {
namespace {

using namespace promotion;

std::string which_machines(const HandoffRing& ring) {
  if (!ring.is_rest()) return listed(ring.machines);
  return ring.others.empty() ? "all machines" : "all machines but " + listed(ring.others);
}

std::string hours_before_the_next(const RingStanding& standing) {
  return standing.hours.count() == 0 ? "" : fmt::format(", {} hours pass before the next ring", standing.hours.count());
}

}  // namespace

void add_rings_option(CLI::App& command, std::filesystem::path& file) {
  command.add_option("--rings", file, "file that says which machines of a department come first (schema rings)")
      ->envname("PATCHLAB_RINGS");
}

ExitCode put_into_ring(const std::filesystem::path& rings, const std::string& ring, const std::filesystem::path& stage,
                       Handoff& handoff) {
  if (rings.empty())
    return ring.empty() ? ExitCode::ok
                        : report(usage_error("--ring needs --rings FILE", "the file says which machines are in it"));
  const auto read = read_rings(rings);
  if (!read) return report_input(read.error(), ExitCode::bad_data);
  const auto its = read->departments.find(handoff.department);
  if (its == read->departments.end()) {
    if (ring.empty()) return ExitCode::ok;
    return report(usage_error(fmt::format("'{}' has no rings in '{}'", handoff.department, rings.string()),
                              "without --ring it is handed over as a whole"));
  }
  std::vector<std::string> names;
  for (const auto& one : its->second) names.push_back(one.name);
  if (ring.empty())
    return report(usage_error(fmt::format("'{}' is handed over ring by ring: {}", handoff.department, listed(names)),
                              "choose one by --ring"));
  const auto index = find_ring(its->second, ring);
  if (!index) {
    const auto is_one = check_choice("--ring", {ring}, fmt::format("is no ring of '{}'", handoff.department), names);
    return is_one ? ExitCode::usage : report(is_one.error());
  }
  const auto told = told_of_stage(host_processes(), stage);
  if (!told) return report_input(told.error(), ExitCode::bad_data);
  const RingQuestion question{.department = handoff.department,
                              .serial = handoff.serial,
                              .emergency = handoff.emergency,
                              .signed_reports = read->signed_reports,
                              .none_passes = read->none_passes,
                              .now = system_clock_source().wall(),
                              .last_line = handoff.head.size};  // the ledger that the export names
  auto taken = take_ring(its->second, *index, question, *told, read->sha256);
  if (!taken) return report(taken.error(), ExitCode::policy);
  handoff.ring = std::move(*taken);
  return ExitCode::ok;
}

void say_ring(const Handoff& handoff, ExportTo to) {
  if (!handoff.ring) return;
  const auto& ring = *handoff.ring;
  say("  ring {} of {}, {}: {}{}\n", ring.number, ring.of, ring.name, which_machines(ring),
      handoff.emergency && ring.number > 1 ? "; an emergency waits for no hours" : "");
  if (to == ExportTo::wsus || to == ExportTo::files)
    say("  nothing in it keeps other machines from taking it: that is for the tool that installs it\n");
}

std::vector<RingStanding> rings_of(const Rings& rings, const DeployedDepartment& department,
                                   const std::vector<DeployedMachine>& told) {
  const auto its = rings.departments.find(department.department);
  if (its == rings.departments.end()) return {};
  return standing_of(its->second,
                     {.department = department.department,
                      .serial = department.serial,
                      .emergency = department.emergency,
                      .signed_reports = rings.signed_reports,
                      .none_passes = rings.none_passes,
                      .now = system_clock_source().wall()},
                     told);
}

void say_rings(const std::vector<RingStanding>& standings) {
  for (const auto& standing : standings) {
    const auto have = std::ranges::count_if(standing.machines, [](const auto& one) { return one.since.has_value(); });
    say("  ring {} ({}): {} of {} machines{} have it{}; {}\n", standing.number, standing.name, have,
        standing.machines.size(), standing.is_rest ? " that ever reported" : "", hours_before_the_next(standing),
        standing.waits.empty() ? "it may take it" : "it waits:");
    for (const auto& reason : standing.waits) say("    {}\n", reason);
    for (const auto& machine : standing.machines) {
      if (standing.waits.empty() && !machine.why_not.empty()) say("    '{}' {}\n", machine.name, machine.why_not);
    }
    for (const auto& early : standing.early) say("    too early: {}\n", early);
  }
}

}  // namespace patchlab::cli
