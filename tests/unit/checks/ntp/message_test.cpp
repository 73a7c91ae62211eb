// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ntp/message.hpp"

#include <gtest/gtest.h>

#include "checks/hex.hpp"
#include "checks/ntp/query.hpp"

namespace patchlab::checks::ntp {
namespace {

// The example of RFC 5905's era table: 1970-01-01 is second 2208988800 of era 0; era 1 begins 2036-02-07 06:28:16.
TEST(NtpTimestamps, CountFrom1900AndRollOver) {
  EXPECT_EQ(timestamp_of(0), 2208988800ULL << 32U);
  EXPECT_EQ(timestamp_of(500000000) & 0xFFFFFFFFU, 0x80000000U);
  EXPECT_EQ(timestamp_of(2085978496000000000) >> 32U, 0U);
  const auto before = timestamp_of(2085978495000000000);
  const auto after = timestamp_of(2085978496250000000);
  EXPECT_DOUBLE_EQ(milliseconds_between(before, after), 1250.0);
  EXPECT_DOUBLE_EQ(milliseconds_between(after, before), -1250.0);
}

TEST(NtpRequests, HaveOnlyAVersionAModeAndACookie) {
  const auto bytes = request(4, 0x0102030405060708);
  EXPECT_EQ(to_hex(bytes), "23" + std::string(78, '0') + "0102030405060708");
  EXPECT_EQ(to_hex(request(3, 0)).substr(0, 2), "1b");
}

// As chrony 4.3 said it, with `local stratum 5`.
TEST(NtpReplies, AreReadByTheirFields) {
  const auto bytes = from_hex(
      "240500e600000000000000007f7f0101eeb7cddc16f347cb"
      "0102030405060708eeb7cddd9c502c6feeb7cddd9c744d28");
  ASSERT_TRUE(bytes);
  ASSERT_EQ(bytes->size(), 48U);
  const auto reply = reply_in(*bytes);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->leap, 0);
  EXPECT_EQ(reply->version, 4);
  EXPECT_EQ(reply->stratum, 5);
  EXPECT_EQ(reply->reference, "7f7f0101");
  EXPECT_EQ(reply->origin, 0x0102030405060708U);
  EXPECT_NEAR(milliseconds_between(reply->received, reply->transmitted), 0.55, 0.01);
  EXPECT_FALSE(reply_in(bytes->substr(0, 47)));
  auto of_a_client = *bytes;
  of_a_client[0] = 0x23;
  EXPECT_FALSE(reply_in(of_a_client));
}

Judgement judged(Json reply, const Json& with = Json::object()) {
  Json whole{{"leap", 0},
             {"version", 4},
             {"stratum", 3},
             {"reference", "0a1e000a"},
             {"root_delay_ms", 1.0},
             {"root_dispersion_ms", 1.0},
             {"offset_ms", 40.0},
             {"delay_ms", 20.0}};
  whole.update(reply);
  return query().judge(
      with, {{"server", "10.30.0.10:123"}, {"requests", 1}, {"errno", 0}, {"strays", Json::array()}, {"reply", whole}});
}

TEST(NtpQueryJudge, TakesATimeOfAClockThatIsSynchronised) {
  EXPECT_EQ(judged({{"stratum", 3}}).outcome, Outcome::pass);
  EXPECT_EQ(judged({{"leap", 3}}).reason, "not-synchronised");
  EXPECT_EQ(judged({{"stratum", 16}}).reason, "not-synchronised");
  EXPECT_EQ(judged({{"stratum", 4}}, {{"max_stratum", 3}}).reason, "stratum-too-high");
  const auto kiss = judged({{"stratum", 0}, {"leap", 3}, {"reference", "DENY"}});
  EXPECT_EQ(kiss.reason, "kiss-o'-death");
  EXPECT_EQ(kiss.outcome, Outcome::fail);
}

// Half of the time that it took is nobody's fault.
TEST(NtpQueryJudge, BoundsTheOffsetBeyondHalfOfTheDelay) {
  EXPECT_EQ(judged({{"offset_ms", 40.0}}, {{"offset_ms", 30}}).outcome, Outcome::pass);
  EXPECT_EQ(judged({{"offset_ms", -41.0}}, {{"offset_ms", 30}}).reason, "offset-too-large");
  EXPECT_EQ(judged({{"offset_ms", 3000000.0}}).outcome, Outcome::pass);
}

}  // namespace
}  // namespace patchlab::checks::ntp
