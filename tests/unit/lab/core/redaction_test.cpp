// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/redaction.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>

namespace patchlab {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string base64_of(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                                       static_cast<int>(bytes.size()))));
  return text;
}
std::string bytes_of(const std::string& base64) {
  std::string bytes(base64.size(), '\0');
  (void)EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  return bytes;
}

TEST(Redaction, TakesASecretOutWhereverItStands) {
  const Redactor redactor({"Rainy-Tuesday-41"});
  EXPECT_EQ(redactor.text("mount -o user=alice,password=Rainy-Tuesday-41,vers=3 Rainy-Tuesday-41"),
            "mount -o user=alice,password=[redacted],vers=3 [redacted]");
  EXPECT_EQ(redactor.text("Rainy-Tuesday-4"), "Rainy-Tuesday-4");
  EXPECT_EQ(redactor.text(std::string("\xff\0Rainy-Tuesday-41\0", 19)), std::string("\xff\0[redacted]\0", 13));
}

// SMTP's AUTH PLAIN puts any user name before it.
TEST(Redaction, TakesItOutOfBase64AtAnyAlignmentAndOfHexadecimalDigits) {
  for (const std::string secret :
       {"Rainy-Tuesday-41", "Quiet-Harbour-2", "12345678", "long enough for more than a line"}) {
    const Redactor redactor({secret});
    for (std::size_t before = 0; before < 7; ++before) {
      for (std::size_t after = 0; after < 4; ++after) {
        const auto sent = base64_of(std::string(before, 'u') + secret + std::string(after, 'x'));
        const auto text = redactor.text("AUTH PLAIN " + sent);
        EXPECT_THAT(text, HasSubstr("[redacted]")) << secret << " after " << before;
        // What is left of it does not give more than the characters at its edges.
        auto left = sent;
        const auto at = text.find(redacted);
        const auto end = text.size() - at - std::string(redacted).size();
        left = std::string(11, ' ') + left;
        for (std::size_t i = at; i < left.size() - end; ++i) left[i] = 'A';
        EXPECT_THAT(bytes_of(left.substr(11)), Not(HasSubstr(secret.substr(1, secret.size() - 2))));
      }
    }
    std::string hex;
    for (const char c : secret) hex += "0123456789ABCDEF"[c >> 4], hex += "0123456789ABCDEF"[c & 15];
    EXPECT_EQ(redactor.text("<" + hex + ">"), "<[redacted]>");
  }
}

TEST(Redaction, ReachesEveryStringOfAJsonAndNoNumber) {
  Json json = {{"a", {{"b", Json::array({"x hunter22 y", 4711, true, nullptr})}}}, {"hunter22", "hunter22"}};
  Redactor({"hunter22"}).apply(json);
  EXPECT_EQ(json,
            (Json{{"a", {{"b", Json::array({"x [redacted] y", 4711, true, nullptr})}}}, {"[redacted]", "[redacted]"}}));
}

// Else digests and names would be torn, and what is written down would not be what was seen.
TEST(Redaction, LeavesAloneWhatIsNoSecret) {
  EXPECT_EQ(Redactor({""}).text("a"), "a");
  EXPECT_EQ(Redactor({"abc"}).text("abc abc"), "abc abc");
  const Redactor shorter({"1234"});
  EXPECT_EQ(shorter.text("9f1234ab 1234 x1234 1234x (1234)"), "9f1234ab [redacted] x1234 1234x ([redacted])");
  const Redactor known({"finance", "Rainy-Tuesday-41"}, {"department", "finance/t1"});
  EXPECT_EQ(known.text("finance Rainy-Tuesday-41"), "finance [redacted]");
}

TEST(Redaction, TakesTheLongestFirst) {
  EXPECT_EQ(Redactor({"Rainy-Tue", "Rainy-Tuesday"}).text("Rainy-Tuesday Rainy-Tue"), "[redacted] [redacted]");
}

TEST(Redaction, FindsSecretsByTheNamesOfTheirKeys) {
  const Json json = {{"checks", Json::array({{{"with", {{"user", "alice"}, {"password", "a1"}}}},
                                             {{"with", {{"Admin_Passphrase", "b2"}, {"secrets", {"c3", "d4"}}}}}})}};
  EXPECT_THAT(secrets_in(json), UnorderedElementsAre("a1", "b2", "c3", "d4"));
  EXPECT_THAT(words_besides_secrets(json),
              ElementsAre("checks", "with", "password", "user", "alice", "with", "Admin_Passphrase", "secrets"));
}

TEST(Redaction, HidesWhatIsCalledASecretAndNothingElse) {
  Json json = {{"credentials", Json::array({{{"user", "ann"}, {"password", "p"}}})},
               {"Passphrase", "word"},
               {"secret", {"a", {{"b", "c"}, {"d", 1}}}},
               {"packages", {{"libsecret-1-0", "0.20"}}},
               {"checks", {{"mail/wrong-password", "pass"}}}};
  redact_named(json);
  EXPECT_EQ(json, (Json{{"credentials", Json::array({{{"user", "ann"}, {"password", redacted}}})},
                        {"Passphrase", redacted},
                        {"secret", {redacted, {{"b", redacted}, {"d", 1}}}},
                        {"packages", {{"libsecret-1-0", "0.20"}}},
                        {"checks", {{"mail/wrong-password", "pass"}}}}));
}

}  // namespace
}  // namespace patchlab
