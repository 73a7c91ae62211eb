// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/record_guest.hpp"

#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/net/address.hpp"
#include "lab/core/text.hpp"
#include "runners/engine/cell_work.hpp"

namespace patchlab::runners {
namespace {

constexpr const char* usual_address = "10.254.254.10/24";

}  // namespace

Result<Scenario> scenario_of(const RecordGuestOptions& options) {
  const auto text = options.address.empty() ? std::string(usual_address) : options.address;
  const auto slash = text.find('/');
  const auto address = net::Ipv4::parse(text.substr(0, slash));
  const auto bits = slash == std::string::npos ? std::string_view{} : std::string_view(text).substr(slash + 1);
  if (!address || bits != "24") {
    return usage_error(fmt::format("'{}' is no address with its network, such as 10.20.0.10/24", text),
                       "the network of a recording is always a /24");
  }
  const auto net = text.substr(0, text.rfind('.') + 1);
  const auto other = [&](int first) {
    return fmt::format("{}{}", net, text.substr(0, slash) == fmt::format("{}{}", net, first) ? first - 1 : first);
  };
  MachinePlan machine;
  machine.name = "windows";
  machine.role = "recorded";
  machine.golden.domain = options.domain;
  // A job must say one, and a recording compares it with nothing: it is what is to be found out.
  machine.golden.domain->system = {GuestFamily::windows, "10.0", "amd64", {}};
  machine.address = text.substr(0, slash);
  machine.pointer = "--domain";
  Scenario scenario;
  scenario.name = "recording";
  scenario.title = "a recording";
  scenario.file = "patchlab guest record";
  scenario.digest = sha256(options.domain.uri + " " + options.domain.domain);
  scenario.trial = default_trial(GuestFamily::windows);
  scenario.departments = {{"recording", {net + "0/24", other(2), other(250)}, {std::move(machine)}, "--domain"}};
  return scenario;
}

Result<cell::GuestReplies> record_guest(const RecordGuestOptions& options, const HostTools& tools, Progress& progress,
                                        const std::stop_token& stop) {
  PATCHLAB_ASSIGN(const auto scenario, scenario_of(options));
  cell::GuestReplies replies;
  const CellWork work{"record", [&](cell::CellClient& lab, const cell::CellJob& job) -> Result<void> {
                        PATCHLAB_ASSIGN(replies, lab.record(job));
                        return {};
                      }};
  PATCHLAB_TRY(work_in_cell(scenario, work, {options.program, {}}, tools, progress, stop));
  return replies;
}

}  // namespace patchlab::runners
