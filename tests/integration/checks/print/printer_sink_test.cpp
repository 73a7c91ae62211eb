// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/printer_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "checks/socket.hpp"
#include "tests/integration/checks/print/fake_print_server.hpp"

namespace patchlab::checks::print {
namespace {
using ::testing::ElementsAre;

// Sends, ends its half, and waits until the sink closes the other.
void send_whole(std::uint16_t port, const std::string& bytes) {
  const Deadline deadline(std::chrono::seconds(5));
  const auto connection = connect_tcp({"127.0.0.1", port}, {}, deadline);
  ASSERT_TRUE(connection);
  ASSERT_EQ(connection->saved_errno, 0);
  ASSERT_EQ(send_all(connection->socket.get(), bytes, deadline), 0);
  ::shutdown(connection->socket.get(), SHUT_WR);
  ASSERT_TRUE(wait_readable(connection->socket.get(), deadline));
  char c = 0;
  ASSERT_EQ(::recv(connection->socket.get(), &c, 1, 0), 0);
}

TEST(PrinterSink, KeepsConnectionsApartAndClosesWhenTheSenderIsDone) {
  const auto port = testing::free_port();
  const auto sink = PrinterSink::listen("127.0.0.1", port);
  ASSERT_TRUE(sink);
  send_whole(port, "first");
  send_whole(port, std::string(300'000, 'x'));
  EXPECT_THAT((*sink)->received(), ElementsAre("first", std::string(300'000, 'x')));
}

TEST(PrinterSink, KeepsNoMoreThanItsLimit) {
  const auto port = testing::free_port();
  const auto sink = PrinterSink::listen("127.0.0.1", port);
  ASSERT_TRUE(sink);
  send_whole(port, std::string(PrinterSink::most_bytes_kept + 1000, 'x'));
  EXPECT_EQ((*sink)->received().front().size(), PrinterSink::most_bytes_kept);
}

}  // namespace
}  // namespace patchlab::checks::print
