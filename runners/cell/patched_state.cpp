// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/patched_state.hpp"

#include <stdexcept>

#include "lab/core/digest.hpp"
#include "runners/cell/protocol.hpp"

namespace patchlab::runners::cell {
namespace {

using checks::state::Restart;

constexpr const char* restart_done = "done";
constexpr const char* restart_outstanding = "outstanding";

Json expectation_json(const Expectation& expected) {
  return {{"installed", expected.installed},
          {"boot_id", expected.boot_id},
          {"restart", expected.restart == Restart::done ? restart_done : restart_outstanding}};
}

Expectation expectation_from(const Json& json) {
  const auto word = json.at("restart").get<std::string>();
  if (word != restart_done && word != restart_outstanding)
    throw std::runtime_error("a restart is neither done nor outstanding");
  return {json.at("installed").get<InstalledSet>(), json.at("boot_id").get<std::string>(),
          word == restart_done ? Restart::done : Restart::outstanding};
}

PatchedState state_from(const Json& json, const std::string& machine) {
  PatchedState state;
  state.digests = json.at("digests").get<std::vector<std::string>>();
  state.jobs = json.at("jobs").get<std::vector<std::string>>();
  for (const auto& item : json.at("installs")) {
    auto install = reports::install_record_from_json(item);
    if (!install) throw std::runtime_error(install.error().message);
    if (install->machine != machine || install->outcome != Outcome::pass || install->installed_in.empty())
      throw std::runtime_error("an installation is of another machine, or did not pass");
    state.installs.push_back(std::move(*install));
  }
  state.expected = expectation_from(json.at("expected"));
  state.baseline = expectation_from(json.at("baseline"));
  state.since = json.at("since").get<std::string>();
  if (state.digests.empty() || state.jobs.size() != state.digests.size() ||
      state.installs.size() != state.digests.size() || !parse_rfc3339(state.since))
    throw std::runtime_error("a state does not say what it holds");
  return state;
}

}  // namespace

void to_json(Json& json, const PatchedState& state) {
  json = {{"digests", state.digests},
          {"jobs", state.jobs},
          {"installs", state.installs},
          {"expected", expectation_json(state.expected)},
          {"baseline", expectation_json(state.baseline)},
          {"since", state.since}};
}

Result<PatchedStates> patched_states_from_json(const Json& json) {
  try {
    PatchedStates all;
    if (!json.is_object()) throw std::runtime_error("no object");
    for (const auto& [machine, states] : json.items()) {
      if (!states.is_array()) throw std::runtime_error("no list of states");
      for (const auto& state : states) all[machine].push_back(state_from(state, machine));
    }
    return all;
  } catch (const std::exception& unlike) {
    return Error{
        ErrorClass::bug, std::string("states with candidates installed have another shape: ") + unlike.what(), {}};
  }
}

std::string identity_of(const InstallJob& job, const MachineJob& machine) {
  TrialJob trial;
  trial.installs[machine.plan.name] = {job};
  Json inputs{{"install", Json(trial).at("installs").at(machine.plan.name).at(0)}};
  for (const auto& file : job.file_names()) {
    if (const auto setup = machine.setups.find(file); setup != machine.setups.end()) {
      const auto& habits = setup->second;
      inputs["setups"][file] = {habits.switches, habits.success, habits.restart};
    }
    if (const auto rows = machine.replaces.find(file); rows != machine.replaces.end())
      inputs["replaces"][file] = rows->second;
  }
  return sha256(inputs.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace patchlab::runners::cell
