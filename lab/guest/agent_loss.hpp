// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/hypervisor.hpp"

namespace patchlab::lab::guest {

// The agent is silent, or not: which of these, from facts that others gathered.
enum class AgentLoss {
  none,         // it answers
  paused,       // nothing can answer
  agent_lost,   // the role still answers: the control channel alone died, a finding about the patch
  machine_off,  // nothing runs: the guest went down
  guest_lost,   // neither agent nor role answers
};
struct SilenceFacts {
  bool agent_answers = false;
  bool role_answers = false;  // any of the role's own checks or ports, asked after the agent
  MachineState machine = MachineState::running;
};
[[nodiscard]] AgentLoss agent_loss(const SilenceFacts& facts);
// For people: "the guest agent died, the role still answers".
[[nodiscard]] const char* described(AgentLoss loss);

}  // namespace patchlab::lab::guest
