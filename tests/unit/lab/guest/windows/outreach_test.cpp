// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/outreach.hpp"

#include <gmock/gmock.h>

#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Outreach two_ways() {
  return {.tries = {{Outreach::Kind::ping, "192.0.2.1", 0, "\x08\x01"}, {Outreach::Kind::tcp, "192.0.2.2", 22, {}}},
          .frames = {"\x01\xff"},
          .address = "10.20.0.10",
          .mac = "52:54:00:14:00:0a",
          .known = {"52:54:00:14:00:0a"},
          .listen = Milliseconds(600)};
}
const std::string reply =
    "reach T1\nadapter 12 10.20.0.10\ntry 1 unsent AccessDenied\ntry 0 answered answered\n"
    "neighbour 12 10.20.0.250 525400140bfa\nneighbour 15 fe80::1 0200deadbeef\nend\n";

TEST(WindowsOutreach, HandsOverWhatIsToBeTried) {
  const auto script = outreach_script(two_ways(), "T1");
  EXPECT_THAT(script, HasSubstr("$asked = @'\r\ntoken T1\r\nown 10.20.0.10\r\nlisten 2100\r\n"
                                "try 0 ping 192.0.2.1 0 0801\r\ntry 1 tcp 192.0.2.2 22 \r\n'@\r\n"));
  // Nothing but ASCII, which no code page changes, and no line without its end.
  EXPECT_TRUE(std::ranges::all_of(script, [](char c) { return c == '\r' || c == '\n' || (c >= ' ' && c <= '~'); }));
}

TEST(WindowsOutreach, ReadsWhatCameOfIt) {
  for (const auto* mark : {"", "\xEF\xBB\xBF"}) {
    const auto seen = outreach_seen(mark + reply, 0, two_ways(), "T1");
    ASSERT_TRUE(seen) << seen.error().message;
    EXPECT_TRUE(seen->tries.at(0).answered);
    EXPECT_FALSE(seen->tries.at(1).sent);
    EXPECT_EQ(seen->tries.at(1).words, "AccessDenied");
    EXPECT_THAT(seen->devices, ElementsAre("adapter 12"));
    ASSERT_TRUE(seen->neighbours);
    ASSERT_THAT(*seen->neighbours, SizeIs(2));
    EXPECT_EQ(seen->neighbours->at(1).device, "adapter 15");
    EXPECT_EQ(seen->neighbours->at(1).mac, "02:00:de:ad:be:ef");
    EXPECT_NE(seen->no_frames, "");
  }
}

// No PowerShell, one that an administrator forbids, one that does nothing, the answer to another question: nothing was
// tried, and the record will say so.
TEST(WindowsOutreach, WithoutTheMarkNothingWasSent) {
  for (const auto& said : {std::string(), std::string("The system cannot find the path specified.\r\n"),
                           std::string("Das System kann den angegebenen Pfad nicht finden.\r\n"),
                           std::string("new-object : Cannot create type. Only core types are supported\r\n"),
                           "reach T0" + reply.substr(8), "x" + reply}) {
    const auto seen = outreach_seen(said, 3, two_ways(), "T1");
    ASSERT_TRUE(seen) << said;
    EXPECT_THAT(seen->no_frames, HasSubstr("PowerShell did not do it: it ended with 3"));
    EXPECT_FALSE(seen->neighbours);
    for (const auto& end : seen->tries) EXPECT_FALSE(end.sent || end.answered) << said;
  }
}

TEST(WindowsOutreach, AScriptThatGaveUpSentNothing) {
  const auto seen =
      outreach_seen("reach T1\nadapter 12 10.20.0.10\nnone ManagementException\nend\n", 0, two_ways(), "T1");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->no_frames, "ManagementException");
  EXPECT_FALSE(seen->neighbours);
  for (const auto& end : seen->tries) EXPECT_FALSE(end.sent);
}

// An answer that lost any of its lines, or holds any line twice or one that nobody understands, is no observation.
TEST(WindowsOutreach, IsReadAsAWholeOrNotAtAll) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < reply.size();) {
    const auto end = reply.find('\n', at);
    lines.push_back(reply.substr(at, end + 1 - at));
    at = end + 1;
  }
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::string shorter;
    std::string longer;
    for (std::size_t j = 0; j < lines.size(); ++j) {
      if (j != i) shorter += lines[j];
      longer += lines[j];
      if (j == i) longer += "odd line\n";
    }
    // Who was not met was not met.
    EXPECT_EQ(bool{outreach_seen(shorter, 0, two_ways(), "T1")}, lines[i].starts_with("neighbour")) << lines[i];
    EXPECT_FALSE(outreach_seen(longer, 0, two_ways(), "T1")) << lines[i];
  }
  for (const auto* odd : {"try 2 silent", "try 0 silent", "try x silent", "try 0", "try 0 perhaps", "adapter",
                          "adapter x", "neighbour 12 10.0.0.1", "neighbour 12 10.0.0.1 52-54-00", "none",
                          "neighbour x 10.0.0.1 525400140bfa", "try 0 silent \xfc", "end of it", "reach T1", ""}) {
    auto with = reply;
    EXPECT_FALSE(outreach_seen(with.insert(9, std::string(odd) + "\n"), 0, two_ways(), "T1")) << odd;
  }
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
