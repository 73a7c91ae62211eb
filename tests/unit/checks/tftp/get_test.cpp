// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/tftp/get.hpp"

#include <gmock/gmock.h>

#include "checks/tftp/packet.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::tftp {
namespace {

using namespace std::string_literals;

TEST(TftpPackets, AreWrittenAsTheRfcSays) {
  EXPECT_EQ(read_request("a", {{"blksize", "1456"}}), "\0\1a\0octet\0blksize\0001456\0"s);
  EXPECT_EQ(acknowledgement(258), "\0\4\1\2"s);
  EXPECT_EQ(error_packet(5, "no"), "\0\5\0\5no\0"s);
}

TEST(TftpPackets, AreReadStrictly) {
  const auto data = packet_from("\0\3\1\2xyz"s);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->number, 258);
  EXPECT_EQ(data->data, "xyz");
  const auto error = packet_from("\0\5\0\1not\7there\0rest"s);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Packet::Kind::error);
  EXPECT_EQ(error->number, 1);
  EXPECT_EQ(error->message.find('\7'), std::string::npos);
  const auto options = packet_from("\0\6BlkSize\0008\0tsize\00012\0"s);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->options, (Options{{"blksize", "8"}, {"tsize", "12"}}));
  for (const auto& bad : {""s, "\0"s, "\0\3"s, "\0\3\0"s, "\0\1a\0octet\0"s, "\0\4\0\1"s, "\1\3\0\1"s, "\0\6a"s,
                          "\0\6a\0b"s, "\0\6a\0b\0A\0c\0"s, "\0\6\0b\0"s})
    EXPECT_FALSE(packet_from(bad)) << ::testing::PrintToString(bad);
}

class TftpJudge : public ::testing::Test {
 protected:
  static Json with(Json more = Json::object()) {
    Json made{{"file", "boot.bin"}, {"blksize", 1456}, {"windowsize", 4}};
    made.update(more);
    return made;
  }
  static Json seen(Json more = Json::object()) {
    Json made{{"ended", "whole"},      {"blocks", 3},
              {"bytes", 3000},         {"resent", 0},
              {"sha256", sha256("x")}, {"granted", {{"blksize", 1456}, {"windowsize", 4}, {"tsize", 3000}}}};
    made.update(more);
    return made;
  }
  static std::string reason(const Json& parameters, const Json& observation) {
    return get().judge(parameters, observation).reason;
  }
};

TEST_F(TftpJudge, PassesOnAWholeFileWithTheOptionsThatWereAskedFor) {
  EXPECT_EQ(get().judge(with({{"sha256", sha256("x")}}), seen()).outcome, Outcome::pass);
}

TEST_F(TftpJudge, TellsEachWayInWhichItIsNot) {
  EXPECT_EQ(reason(with(), seen({{"ended", "cut-off"}, {"why", "nothing came"}})), "transfer-cut-off");
  EXPECT_EQ(reason(with(), seen({{"ended", "refused"}, {"why", "error 1: no"}})), "file-refused");
  EXPECT_EQ(reason(with(), seen({{"ended", "no-answer"}})), "no-answer");
  EXPECT_EQ(reason(with(), seen({{"ended", "malformed"}})), "malformed-packet");
  EXPECT_EQ(reason(with(), seen({{"ended", "too-large"}})), "too-large");
  EXPECT_EQ(reason(with(), seen({{"ended", "network"}, {"errno", ECONNREFUSED}})), "connection-refused");
  EXPECT_EQ(reason(with(), seen({{"granted", {{"blksize", 1456}}}})), "option-refused");
  EXPECT_EQ(reason(with(), seen({{"granted", {{"blksize", 1456}, {"windowsize", 1}}}})), "option-differs");
  EXPECT_EQ(reason(with(), seen({{"bytes", 2999}})), "size-differs");
  EXPECT_EQ(reason(with({{"sha256", sha256("y")}}), seen()), "content-differs");
  EXPECT_EQ(reason(with({{"tsize", false}}), seen({{"bytes", 2999}})), "as-expected");
}

TEST_F(TftpJudge, LearnsWhatTheServerMakesOfIt) {
  const auto learnt = get().expecting(with(), seen({{"granted", {{"blksize", 1024}, {"tsize", 3000}}}}));
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(*learnt, (Json{{"file", "boot.bin"}, {"blksize", 1024}, {"sha256", sha256("x")}}));
  EXPECT_FALSE(get().expecting(with(), seen({{"ended", "cut-off"}, {"why", "nothing came"}})));
}

TEST_F(TftpJudge, RefusesParametersThatCannotBe) {
  const auto refused = [](const Json& parameters) {
    std::vector<JsonProblem> problems;
    get().validate(parameters, "", problems);
    return !problems.empty();
  };
  EXPECT_FALSE(refused(with()));
  for (const auto& more : std::vector<Json>{{{"file", ""}},
                                            {{"file", "a\nb"}},
                                            {{"blksize", 7}},
                                            {{"blksize", 65465}},
                                            {{"windowsize", 0}},
                                            {{"windowsize", 65}},
                                            {{"sha256", "x"}},
                                            {{"mode", "netascii"}}})
    EXPECT_TRUE(refused(with(more))) << more.dump();
}

}  // namespace
}  // namespace patchlab::checks::tftp
