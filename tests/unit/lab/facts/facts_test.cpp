// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/facts/facts.hpp"

#include <gmock/gmock.h>

#include "lab/core/utf16.hpp"
#include "tests/support/facts.hpp"

namespace patchlab::lab::facts {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::string& text) {
  const auto facts = read_facts(text, "dns.json");
  return facts ? "none" : facts.error().message;
}

TEST(Facts, AreReadAsTheyAreWritten) {
  const auto facts = read_facts(tests::small_facts(), "dns.json");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->family, GuestFamily::debian);
  EXPECT_EQ(facts->machine, "dns1.corp.example");
  EXPECT_EQ(facts->observed, "2026-11-28T22:00:00Z");
  EXPECT_EQ(facts->release.at("kernel"), "6.1.0-28-amd64");
  EXPECT_EQ(facts->packages.at("bind9:amd64"), "1:9.18.33-1~deb12u2");
  EXPECT_THAT(facts->services, ElementsAre("named", "ssh"));
  EXPECT_THAT(facts->ports.at("udp 53"), ElementsAre("loopback", "own"));
  EXPECT_EQ(facts->files.at("/etc/bind/named.conf").compared, std::string(64, '2'));
  EXPECT_THAT(facts->files.at("/etc/bind/rndc.key").not_read, HasSubstr("key"));
  EXPECT_TRUE(facts->not_known.empty());
}

// As PowerShell writes what it prints into a file.
TEST(Facts, AreReadInUtf16WithTheirByteOrderMark) {
  auto text = tests::facts_text("{\"not_known\":\"ports\",\"why\":\"no rights\"}\n");
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  std::string bytes = "\xFF\xFE";
  for (const auto unit : to_utf16(crlf)) {
    bytes += static_cast<char>(unit & 0xFFU);
    bytes += static_cast<char>(unit >> 8U);
  }
  const auto facts = read_facts(bytes, "dc.json");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->not_known.at(Part::ports), "no rights");
  EXPECT_THAT(error_of(bytes + "x"), HasSubstr("cut off within a letter"));
  EXPECT_TRUE(read_facts("\xEF\xBB\xBF" + text, "dc.json"));
}

// A shorter machine would look more like another short one.
TEST(Facts, ThatWereCutOffAnywhereAreNoFacts) {
  const auto whole = tests::small_facts();
  for (std::size_t size = 0; size < whole.size(); size += size + 40 < whole.size() ? 23 : 1)
    ASSERT_FALSE(read_facts(whole.substr(0, size), "x")) << size;
  auto line_less = whole;
  const auto at = line_less.find("{\"service\":\"ssh\"}\n");
  line_less.erase(at, line_less.find('\n', at) + 1 - at);
  EXPECT_THAT(error_of(line_less), HasSubstr("/end: says 14 lines, and there are 13"));
  EXPECT_THAT(error_of(whole + "{\"service\":\"x\"}\n"), HasSubstr("dns.json:16: stands behind the end"));
}

TEST(Facts, ThatAreNotUnderstoodNameTheLine) {
  const auto with = [](const std::string& line) { return error_of(tests::facts_text(line + "\n")); };
  EXPECT_THAT(with("{}"), HasSubstr("dns.json:2: /: is none of"));
  EXPECT_THAT(with("[]"), HasSubstr("dns.json:2: is no object"));
  EXPECT_THAT(with("{\"service\":\"x\",\"state\":\"on\"}"), HasSubstr("/state"));
  EXPECT_THAT(with("{\"service\":\"x\"}\n{\"service\":\"x\"}"), HasSubstr("dns.json:3: /service: 'x' is there twice"));
  EXPECT_THAT(with("{\"service\":\"\"}"), HasSubstr("must not be empty"));
  EXPECT_THAT(with("{\"service\":\"a\\u202eb\"}"), HasSubstr("cannot be printed"));
  EXPECT_THAT(with("{\"service\":\"" + std::string(1001, 'x') + "\"}"), HasSubstr("longer than 1000 bytes"));
  EXPECT_THAT(with("{\"service\":\"" + std::string(5000, 'x') + "\"}"), HasSubstr("longer than 4096 bytes"));
  EXPECT_THAT(with("{\"port\":0,\"protocol\":\"tcp\",\"scope\":\"any\"}"), HasSubstr("/port"));
  EXPECT_THAT(with("{\"port\":53,\"protocol\":\"sctp\",\"scope\":\"any\"}"), HasSubstr("/protocol"));
  EXPECT_THAT(with("{\"port\":53,\"protocol\":\"tcp\",\"scope\":\"10.0.0.1\"}"), HasSubstr("/scope"));
  EXPECT_THAT(with("{\"not_known\":\"weather\",\"why\":\"x\"}"), HasSubstr("/not_known"));
  EXPECT_THAT(with("{\"file\":\"/a\",\"of\":\"b\",\"sha256\":\"\",\"compared\":\"\"}"), HasSubstr("/compared"));
  EXPECT_THAT(
      with("{\"file\":\"/a\",\"of\":\"b\",\"not_read\":\"a key\",\"compared\":\"" + std::string(64, '1') + "\"}"),
      HasSubstr("/compared"));
  EXPECT_THAT(error_of(tests::facts_text("", "../etc")), HasSubstr("/machine"));
  EXPECT_THAT(error_of(tests::facts_text("", "dns1", "yesterday")), HasSubstr("/observed"));
  EXPECT_THAT(error_of("{\"schema\":\"patchlab/facts/v2\"}\n"), HasSubstr("must be \"patchlab/facts/v1\""));
  EXPECT_THAT(error_of(std::string(most_bytes + 1, '\n')), HasSubstr("larger than 4 MiB"));
}

// A machine without a package is none.
TEST(Facts, WithoutAPackageDoNotKnowThePackages) {
  const auto facts = read_facts(tests::facts_text(""), "x");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_TRUE(facts->not_known.contains(Part::packages));
  EXPECT_TRUE(facts->not_known.contains(Part::release));
}

TEST(Facts, OfAMachineThatWasNotStartedAreItsPackagesAlone) {
  const auto facts = facts_of_installed({{"bind9:amd64", "1"}}, "it was not started");
  EXPECT_FALSE(facts.not_known.contains(Part::packages));
  for (const auto part : {Part::release, Part::configuration, Part::services, Part::ports})
    EXPECT_EQ(facts.not_known.at(part), "it was not started");
  EXPECT_EQ(facts_of_installed({}, "why").not_known.at(Part::packages), "why");
}

}  // namespace
}  // namespace patchlab::lab::facts
