// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/dialects.hpp"

#include <gmock/gmock.h>

#include <cerrno>

#include "checks/hex.hpp"
#include "checks/smb/negotiate.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::smb {
namespace {

// Replies written byte by byte after [MS-SMB2] 2.2.4.
std::string u16(unsigned value) { return {static_cast<char>(value & 0xFFU), static_cast<char>(value >> 8U)}; }

std::string smb2_reply(unsigned revision, unsigned security_mode) {
  return "\xfeSMB" + u16(64) + std::string(58, '\0') + u16(65) + u16(security_mode) + u16(revision) +
         std::string(58, '\0');
}
std::string smb2_refusal(const std::string& status) {
  return "\xfeSMB" + u16(64) + u16(0) + status + std::string(52, '\0') + u16(9) + std::string(7, '\0');
}
std::string smb1_reply(unsigned index) {
  return std::string("\xffSMB\x72") + std::string(27, '\0') + '\x11' + u16(index) + '\x03' + std::string(31, '\0');
}
const std::string not_supported = "\xbb" + std::string(2, '\0') + "\xc0";

Json replied(const std::string& bytes) { return {{"reply", to_hex(bytes)}}; }
Json closed() { return {{"trouble", "the server closed the connection"}}; }
Json broken(int saved_errno) { return {{"errno", saved_errno}, {"trouble", describe_errno(saved_errno)}}; }

// As Windows Server 2012 R2 with SMB 1 switched off.
Json seen() {
  return {{"dialects",
           {{"1", closed()},
            {"2.0.2", replied(smb2_reply(0x0202, 1))},
            {"2.1", replied(smb2_reply(0x0210, 1))},
            {"3.0", replied(smb2_reply(0x0300, 1))},
            {"3.0.2", replied(smb2_reply(0x0302, 1))},
            {"3.1.1", replied(smb2_refusal(not_supported))}}}};
}
Json expected() { return {{"dialects", {"2.0.2", "2.1", "3.0", "3.0.2"}}}; }

Judgement judged(const Json& observation, const Json& with = expected()) {
  return dialects_spoken().judge(with, observation);
}

TEST(SmbDialectsJudge, PassesTheExactSet) {
  EXPECT_EQ(judged(seen()).outcome, Outcome::pass) << judged(seen()).observed;
}

TEST(SmbDialectsJudge, FindsADialectTooManyAndOneTooFew) {
  auto old = seen();
  old["dialects"]["1"] = replied(smb1_reply(0));
  EXPECT_EQ(judged(old).reason, "dialect-spoken");
  EXPECT_EQ(judged(old).observed, "SMB 1: NT LM 0.12, signing not required");
  auto refused = seen();
  refused["dialects"]["3.0"] = replied(smb2_refusal(not_supported));
  EXPECT_EQ(judged(refused).reason, "dialect-refused");
  EXPECT_EQ(judged(refused).observed, "SMB 3.0: STATUS_NOT_SUPPORTED (0xc00000bb)");
  refused["dialects"]["3.0"] = closed();
  EXPECT_EQ(judged(refused).reason, "dialect-refused");
  refused["dialects"]["3.0"] = replied(smb2_reply(0x0210, 1));  // another one than was offered
  EXPECT_EQ(judged(refused).reason, "dialect-refused");
}

TEST(SmbDialectsJudge, RefusingOldOnesHasSeveralWays) {
  for (const auto& way : {replied(smb1_reply(0xffff)), broken(ECONNRESET), closed()}) {
    auto observation = seen();
    observation["dialects"]["1"] = way;
    EXPECT_EQ(judged(observation).outcome, Outcome::pass) << way.dump();
  }
}

TEST(SmbDialectsJudge, SilenceAndNoiseAreNoRefusal) {
  auto observation = seen();
  observation["dialects"]["1"] = broken(ETIMEDOUT);
  EXPECT_EQ(judged(observation).reason, "no-answer");
  observation["dialects"]["1"] = broken(ECONNREFUSED);
  EXPECT_EQ(judged(observation).reason, "connection-refused");
  observation["dialects"]["1"] = replied("220 mail.corp.example ESMTP");
  EXPECT_EQ(judged(observation).reason, "malformed-reply");
}

TEST(SmbDialectsJudge, ComparesSigning) {
  auto with = expected();
  with["signing"] = "required";
  EXPECT_EQ(judged(seen(), with).reason, "signing-differs");
  auto signing = seen();
  for (const auto& [name, revision] : {std::pair("2.0.2", 0x0202U), std::pair("2.1", 0x0210U),
                                       std::pair("3.0", 0x0300U), std::pair("3.0.2", 0x0302U)}) {
    signing["dialects"][name] = replied(smb2_reply(revision, 3));
  }
  EXPECT_EQ(judged(signing, with).outcome, Outcome::pass);
  with["signing"] = "not-required";
  EXPECT_EQ(judged(signing, with).reason, "signing-differs");
  EXPECT_EQ(judged(seen(), with).outcome, Outcome::pass);
}

// 3.1.1: contexts of integrity and, unless it is 0 bytes long, of encryption with this cipher.
std::string reply_of_311(const std::string& cipher) {
  auto message = "\xfeSMB" + u16(64) + std::string(58, '\0') + u16(65) + u16(1) + u16(0x0311) +
                 u16(cipher.empty() ? 1 : 2) + std::string(52, '\0') + u16(128) + u16(0);
  message += u16(1) + u16(38) + std::string(4, '\0') + std::string(38, 'i') + u16(0);
  if (!cipher.empty()) message += u16(2) + u16(4) + std::string(4, '\0') + u16(1) + cipher;
  return message;
}

TEST(SmbDialectsJudge, ComparesEncryption) {
  const auto encrypts = [](const std::string& message) {
    const auto reply = read_negotiate_reply({"3.1.1", 0x0311}, message);
    return reply && reply->encrypts;
  };
  EXPECT_TRUE(encrypts(reply_of_311(u16(2))));
  EXPECT_FALSE(encrypts(reply_of_311(u16(0)))) << "no cipher was chosen";
  EXPECT_FALSE(encrypts(reply_of_311({})));
  const auto whole = reply_of_311(u16(2));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(encrypts(whole.substr(0, size)));
  auto with = expected();
  with["encryption"] = "not-offered";
  EXPECT_EQ(judged(seen(), with).outcome, Outcome::pass);
  with["encryption"] = "offered";
  EXPECT_EQ(judged(seen(), with).reason, "encryption-differs");
  auto offering = seen();
  for (const auto& [name, revision] : {std::pair("3.0", 0x0300U), std::pair("3.0.2", 0x0302U)}) {
    auto message = smb2_reply(revision, 1);
    message[64 + 24] = '\x40';
    offering["dialects"][name] = replied(message);
  }
  EXPECT_EQ(judged(offering, with).outcome, Outcome::pass) << judged(offering, with).observed;
  EXPECT_EQ(dialects_spoken().expecting(expected(), offering)->at("encryption"), "offered");
}

TEST(SmbDialectsExpecting, WritesDownWhatIsSpokenAndSigned) {
  const auto learnt = dialects_spoken().expecting({{"dialects", {"3.1.1"}}}, seen());
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("dialects"), expected()["dialects"]);
  EXPECT_EQ(learnt->at("signing"), "not-required");
  auto silent = seen();
  for (auto& [name, entry] : silent["dialects"].items()) entry = closed();
  EXPECT_FALSE(dialects_spoken().expecting(expected(), silent));
}

TEST(SmbDialects, ReportsWrongParameters) {
  std::vector<JsonProblem> problems;
  dialects_spoken().validate(Json{{"dialects", {"2.1", "4"}}, {"signing", "maybe"}}, "/with", problems);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].message, "'4' is none of 1, 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1");
  EXPECT_EQ(problems[1].pointer, "/with/signing");
  problems.clear();
  dialects_spoken().validate(Json::object(), "/with", problems);
  EXPECT_EQ(problems.size(), 1U);
}

TEST(SmbNegotiate, RequestsHaveTheirFieldsInPlace) {
  const std::string random(48, 'r');
  const auto one = negotiate_request(dialects().front(), random);
  EXPECT_EQ(one.substr(32), std::string("\0\x0c\0\x02NT LM 0.12\0", 15));
  const auto two = negotiate_request({"2.1", 0x0210}, random);
  EXPECT_EQ(two.size(), 64U + 36 + 2);
  EXPECT_EQ(to_hex(two.substr(100)), "1002");
  const auto three = negotiate_request({"3.1.1", 0x0311}, random);
  EXPECT_EQ(to_hex(three.substr(64 + 28, 8)), "6800000002000000");  // two contexts from 104 on
  EXPECT_EQ(to_hex(three.substr(104, 14)), "0100260000000000010020000100");
  EXPECT_EQ(to_hex(three.substr(152)), "02000a000000000004000200010004000300");  // the next multiple of 8
}

TEST(SmbNegotiate, ShortRepliesAreNone) {
  for (std::size_t size = 0; size < 72; ++size) {
    EXPECT_FALSE(read_negotiate_reply({"2.1", 0x0210}, smb2_reply(0x0210, 1).substr(0, size)));
  }
  for (std::size_t size = 0; size < 35; ++size) {
    EXPECT_FALSE(read_negotiate_reply(dialects().front(), smb1_reply(0).substr(0, size)));
  }
}

}  // namespace
}  // namespace patchlab::checks::smb
