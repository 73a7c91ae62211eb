// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/agent_loss.hpp"

#include <gtest/gtest.h>

namespace patchlab::lab::guest {
namespace {

TEST(AgentLoss, IsToldApartByWhatElseAnswers) {
  EXPECT_EQ(agent_loss({false, false, MachineState::running}), AgentLoss::guest_lost);
  EXPECT_EQ(agent_loss({false, true, MachineState::running}), AgentLoss::agent_lost);
  EXPECT_EQ(agent_loss({true, false, MachineState::running}), AgentLoss::none);
  EXPECT_EQ(agent_loss({false, true, MachineState::paused}), AgentLoss::paused);
  EXPECT_EQ(agent_loss({false, false, MachineState::off}), AgentLoss::machine_off);
  EXPECT_EQ(agent_loss({false, false, MachineState::undefined}), AgentLoss::machine_off);
  EXPECT_EQ(agent_loss({false, false, MachineState::crashed}), AgentLoss::guest_lost);
  EXPECT_STREQ(described(AgentLoss::agent_lost), "the guest agent died, the role still answers");
}

}  // namespace
}  // namespace patchlab::lab::guest
