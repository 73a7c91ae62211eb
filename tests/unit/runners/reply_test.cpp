// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/talk/reply.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <vector>

namespace patchlab::runners::talk {
namespace {

// Whoever looks may end the process instead: then nothing of the message has left it.
TEST(Reply, LooksBeforeEachMessageLeaves) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  const FileDescriptor out(::dup(STDOUT_FILENO));
  std::cout.flush();
  ::dup2(pipe->write.get(), STDOUT_FILENO);
  std::vector<bool> had_left;
  {
    Reply reply;
    reply.look_first([&] {
      pollfd arrived{pipe->read.get(), POLLIN, 0};
      had_left.push_back(::poll(&arrived, 1, 0) != 0);
    });
    for (int number = 0; number < 2; ++number) {
      reply.send({{"id", number}});
      std::array<char, 64> message{};
      EXPECT_GT(::read(pipe->read.get(), message.data(), message.size()), 0);
    }
  }
  ::dup2(out.get(), STDOUT_FILENO);
  EXPECT_EQ(had_left, std::vector<bool>(2, false));
}

}  // namespace
}  // namespace patchlab::runners::talk
