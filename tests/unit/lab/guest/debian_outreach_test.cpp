// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_outreach.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::guest::debian {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Outreach two_tries() {
  return {.tries = {{Outreach::Kind::ping, "192.0.2.1", 0, "\x08\x01"}, {Outreach::Kind::tcp, "192.0.2.2", 22, {}}},
          .frames = {"\x01\xff"},
          .address = "10.20.0.10",
          .mac = "52:54:00:14:00:0a",
          .known = {"52:54:00:14:00:0a"},
          .listen = Milliseconds(600)};
}
const std::string whole =
    "try 1 unsent operation not permitted\ntry 0 answered answered\nheard eth0 00ff\nsent eth0 1\nleft 7 2\nend\n";

TEST(DebianOutreach, HandsOverWhatIsToBeTried) {
  EXPECT_THAT(outreach_script(two_tries()),
              ::testing::EndsWith("<<'INPUT'\nown 10.20.0.10 52:54:00:14:00:0a\nlisten 600\nknown 52540014000a\n"
                                  "clients 02706c\n"
                                  "try 0 ping 192.0.2.1 0 0801\ntry 1 tcp 192.0.2.2 22 \nframe 01ff\nINPUT\n"));
}

TEST(DebianOutreach, ReadsWhatCameOfIt) {
  const auto seen = outreach_seen(whole, two_tries());
  ASSERT_TRUE(seen) << seen.error().message;
  EXPECT_TRUE(seen->tries.at(0).answered);
  EXPECT_FALSE(seen->tries.at(1).sent);
  EXPECT_EQ(seen->tries.at(1).words, "operation not permitted");
  EXPECT_THAT(seen->devices, ElementsAre("eth0"));
  EXPECT_EQ(seen->heard.at(0).bytes, std::string("\0\xff", 2));
  EXPECT_EQ(seen->of_clients, 7U);
  EXPECT_EQ(seen->more, 2U);
}

TEST(DebianOutreach, SaysThatThereIsNoPerl) {
  const auto seen = outreach_seen("none\nend\n", two_tries());
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->no_frames, "there is no perl");
  for (const auto& end : seen->tries) EXPECT_FALSE(end.sent);
}

// An answer that lost any of its lines, or holds any line twice or one that nobody understands, is no observation.
TEST(DebianOutreach, IsReadAsAWholeOrNotAtAll) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < whole.size();) {
    const auto end = whole.find('\n', at);
    lines.push_back(whole.substr(at, end + 1 - at));
    at = end + 1;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string shorter;
    std::string longer;
    for (std::size_t j = 0; j < lines.size(); ++j) {
      if (j != i) shorter += lines[j];
      longer += lines[j];
      if (j == i) longer += "odd line\n";
    }
    // A frame that was not heard was not heard.
    EXPECT_EQ(bool{outreach_seen(shorter, two_tries())}, lines[i].starts_with("heard")) << lines[i];
    EXPECT_FALSE(outreach_seen(longer, two_tries())) << lines[i];
  }
  for (const auto* odd :
       {"try 2 silent\n", "try 0 silent\n", "try x silent\n", "try 0\n", "try 0 perhaps\n", "sent eth0 0\n",
        "sent eth0\n", "heard eth0 0\n", "heard eth0 zz\n", "left 7 2\n", "left 7\n", "left x 2\n", "\n"})
    EXPECT_FALSE(outreach_seen(odd + whole, two_tries())) << odd;
}

}  // namespace
}  // namespace patchlab::lab::guest::debian
