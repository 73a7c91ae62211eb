// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/memo_key.hpp"

#include "lab/core/digest.hpp"

namespace patchlab::runners {
namespace {

// Names, and places on the host; and how the baseline came about, which passed tonight's checks either way.
constexpr const char* of_the_department[] = {"department",     "evidence",      "slots",         "slot_count", "host",
                                             "worker_program", "kept_baseline", "keep_installs", "facts"};
// The set digest and the installations say what is in it; the medium is made of these files.
constexpr const char* of_the_trial[] = {"id", "media"};

}  // namespace

std::string memo_key(const Json& cell, const Json& trial) {
  Json inputs{{"cell", cell}, {"trial", trial}};
  for (const auto* name : of_the_department) inputs["cell"].erase(name);
  if (inputs["cell"].contains("libvirt")) inputs["cell"]["libvirt"].erase("run");
  for (const auto* name : of_the_trial) inputs["trial"].erase(name);
  auto& machines = inputs["cell"]["machines"];
  Json taking_part = Json::array();
  for (const auto& machine : machines) {
    for (const auto& name : trial.at("machines")) {
      if (machine.at("name") == name) taking_part.push_back(machine);
    }
  }
  machines = std::move(taking_part);
  return sha256(inputs.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace patchlab::runners
