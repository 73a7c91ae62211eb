// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/agent_loss.hpp"

namespace patchlab::lab::guest {

AgentLoss agent_loss(const SilenceFacts& facts) {
  if (facts.agent_answers) return AgentLoss::none;
  switch (facts.machine) {
    case MachineState::undefined:
    case MachineState::off: return AgentLoss::machine_off;
    case MachineState::crashed: return AgentLoss::guest_lost;
    case MachineState::paused: return AgentLoss::paused;
    case MachineState::running: break;
  }
  return facts.role_answers ? AgentLoss::agent_lost : AgentLoss::guest_lost;
}

const char* described(AgentLoss loss) {
  switch (loss) {
    case AgentLoss::none: return "the guest agent answers";
    case AgentLoss::paused: return "the machine stands still";
    case AgentLoss::agent_lost: return "the guest agent died, the role still answers";
    case AgentLoss::machine_off: return "the machine is off";
    case AgentLoss::guest_lost: return "neither the guest agent nor the role answers";
  }
  return "?";
}

}  // namespace patchlab::lab::guest
