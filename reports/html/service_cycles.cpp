// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports::html {
namespace {

std::string seconds_of(const std::vector<std::int64_t>& times) {
  if (times.empty()) return "";
  const auto [least, most] = std::ranges::minmax(times);
  const auto in_seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1000; };
  return least == most ? fmt::format("{:.1f} s", in_seconds(least))
                       : fmt::format("{:.1f} to {:.1f} s", in_seconds(least), in_seconds(most));
}

void write_row(Page& page, const PhaseRecord& phase, const CycledService& service) {
  const auto& all = *phase.service_cycles;
  page.element("tr", {}, [&] {
    page.element("th", {{"scope", "row"}}, phase.machine);
    page.element("td", {}, service.name);
    auto times =
        service.why_not.empty() ? fmt::format("{} of {}", service.done, all.planned) : "not asked: " + service.why_not;
    if (!service.with.empty()) times += fmt::format(", with {}", fmt::join(service.with, ", "));
    page.element("td", {}, times);
    page.element("td", {}, seconds_of(service.stop_ms));
    page.element("td", {}, seconds_of(service.start_ms));
    page.element("td", {}, fmt::format("{}, {} failed", all.asked, all.failed));
  });
}

}  // namespace

void write_service_cycles(Page& page, const DepartmentRecord& department) {
  // A control tells at least how long they take.
  const auto* trial = trial_to_tell_of(department, [](const auto& phase) { return phase.service_cycles.has_value(); });
  if (trial == nullptr) return;
  page.element("div", {{"class", "lookup"}}, [&] {
    page.element("h3", {}, "Services stopped and started");
    page.element("p", {{"class", "muted"}},
                 "Each service that the role names, in " + trial->id +
                     ". Checks are asked meanwhile, and may fail; those that decide are asked behind it.");
    table(page, "plain", "services stopped in " + department.name,
          {"Machine", "Service", "Stopped and started", "Stops", "Starts", "Checks meanwhile"}, [&] {
            for (const auto& phase : trial->phases) {
              if (!phase.service_cycles) continue;
              for (const auto& service : phase.service_cycles->services) write_row(page, phase, service);
            }
          });
  });
}

void write_next_package(Page& page, const DepartmentRecord& department) {
  const auto* trial = trial_to_tell_of(department, [](const auto& phase) { return phase.next_package.has_value(); });
  if (trial == nullptr) return;
  page.element("div", {{"class", "lookup"}}, [&] {
    page.element("h3", {}, "Another package behind the set");
    page.element("p", {{"class", "muted"}}, "Whether the next patch could still be installed, in " + trial->id + ".");
    table(page, "plain", "package behind the set in " + department.name, {"Machine", "Package", "Found"}, [&] {
      for (const auto& phase : trial->phases) {
        if (!phase.next_package) continue;
        const auto& next = *phase.next_package;
        page.element("tr", {}, [&] {
          page.element("th", {{"scope", "row"}}, phase.machine);
          page.element("td", {}, next.install ? next.install->candidate : "");
          page.element("td", {},
                       next.install ? fmt::format("{} in {:.1f} s", next.install->end,
                                                  static_cast<double>(next.install->duration_ms) / 1000)
                                    : "not asked: " + next.why_not);
        });
      }
    });
  });
}

}  // namespace patchlab::reports::html
