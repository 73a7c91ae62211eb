// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/there.hpp"

#include <fmt/format.h>

#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/pipe.hpp"
#include "runners/host/remote_host.hpp"

namespace patchlab::cli {

ExitCode do_there(const lab::libvirt::SshDestination& destination, const std::vector<std::string>& arguments) {
  const auto outcome = runners::host::run_patchlab_there(destination, arguments, host_processes());
  if (!outcome) return report(outcome.error());
  write_out(printable_lines(outcome->output));
  tell(fmt::format("{}", printable_lines(outcome->errors)));
  return static_cast<ExitCode>(std::get<Exited>(outcome->end).code);
}

}  // namespace patchlab::cli
