// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/core/result.hpp"
#include "process/schedule/units.hpp"

// Whether services that are about to be installed on this host could work: at night nobody sees that they cannot.
namespace patchlab::cli {

// The variables of the environment by which patchlab finds its things, as services are to have them; paths are
// absolute.
struct InstallersEnvironment {
  std::map<std::string, std::string> carried;
  std::vector<std::string> left;  // that are set here and that no service gets: who somebody is, and keys
};
[[nodiscard]] Result<InstallersEnvironment> installers_environment();

// An error (configuration) names the first thing that is missing, or that the services' user may not do, and the next
// step. Else what was not asked, sentences. `user` empty: whoever calls this.
[[nodiscard]] Result<std::vector<std::string>> check_services(const process::UnitValues& values);

}  // namespace patchlab::cli
