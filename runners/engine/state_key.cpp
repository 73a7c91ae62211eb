// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/state_key.hpp"

#include "lab/core/digest.hpp"

namespace patchlab::runners {
namespace {

// Names, and places on the host. Of the department's name nothing in a machine is made.
constexpr const char* no_matter_in_job[] = {"department",     "evidence",      "slots",         "slot_count", "host",
                                            "worker_program", "kept_baseline", "keep_installs", "facts"};
// Places: what lies there is in the golden digest. What is asked beside the checks decides nothing. The rest is of
// tonight's candidates, of which none is installed yet.
constexpr const char* no_matter_in_machine[] = {"golden_disk", "kernel",   "initrd",  "beside",
                                                "setups",      "replaces", "shipped", "parts"};

}  // namespace

std::string state_key(const Json& cell, const std::string& made_by) {
  auto inputs = cell;
  for (const auto* name : no_matter_in_job) inputs.erase(name);
  for (auto& machine : inputs["machines"]) {
    for (const auto* name : no_matter_in_machine) machine.erase(name);
  }
  return sha256(made_by + "\n" + inputs.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace patchlab::runners
