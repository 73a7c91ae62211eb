// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/options.hpp"

#include <gmock/gmock.h>

namespace patchlab::checks::dhcp {
namespace {

std::string bytes_for(const std::string& name, const Json& value) {
  const auto kind = option_kind(name);
  return kind ? option_bytes(*kind, value).value_or("invalid") : "unknown";
}

TEST(DhcpOption, BecomesBytes) {
  EXPECT_EQ(bytes_for("subnet-mask", "255.255.255.0"), std::string("\xff\xff\xff\0", 4));
  EXPECT_EQ(bytes_for("domain-name-servers", {"10.20.0.10", "10.20.0.9"}),
            std::string("\x0a\x14\0\x0a\x0a\x14\0\x09", 8));
  EXPECT_EQ(bytes_for("domain-name", "corp.example"), "corp.example");
  EXPECT_EQ(bytes_for("dhcp-lease-time", 600), std::string("\0\0\x02\x58", 4));
  EXPECT_EQ(bytes_for("interface-mtu", 1500), std::string("\x05\xdc", 2));
  EXPECT_EQ(bytes_for("43", "0a0B"), "\x0a\x0b");
}

TEST(DhcpOption, OfTheWrongFormIsRefused) {
  EXPECT_EQ(bytes_for("subnet-mask", "255.255.255"), "invalid");
  EXPECT_EQ(bytes_for("routers", "10.20.0.1"), "invalid");
  EXPECT_EQ(bytes_for("routers", Json::array()), "invalid");
  EXPECT_EQ(bytes_for("dhcp-lease-time", -1), "invalid");
  EXPECT_EQ(bytes_for("interface-mtu", 65536), "invalid");
  EXPECT_EQ(bytes_for("domain-name", 5), "invalid");
  EXPECT_EQ(bytes_for("43", "xyz"), "invalid");
  EXPECT_EQ(bytes_for("router", "10.20.0.1"), "unknown");
  EXPECT_EQ(bytes_for("0", ""), "unknown");
  EXPECT_EQ(bytes_for("255", ""), "unknown");
  EXPECT_EQ(bytes_for("4x", ""), "unknown");
}

TEST(DhcpOption, IsWrittenAsAScenarioSaysIt) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, Json>>{{"subnet-mask", "255.255.255.0"},
                                                                             {"routers", {"10.20.0.1", "10.20.0.2"}},
                                                                             {"domain-name", "corp.example"},
                                                                             {"dhcp-lease-time", 600},
                                                                             {"interface-mtu", 1500},
                                                                             {"43", "0a0b"}}) {
    const auto written = written_option(option_kind(name)->code, bytes_for(name, value));
    EXPECT_EQ(written.name, name);
    EXPECT_EQ(written.value, value) << name;
  }
  const auto odd = written_option(6, "abc");
  EXPECT_EQ(odd.name, "6") << "of another form than its name says";
  EXPECT_EQ(odd.value, "616263");
}

TEST(DhcpOption, IsReadable) {
  EXPECT_EQ(option_text(6, std::string("\x0a\x14\0\x0a\x0a\x14\0\x09", 8)),
            "domain-name-servers 10.20.0.10, 10.20.0.9");
  EXPECT_EQ(option_text(51, std::string("\0\0\x02\x58", 4)), "dhcp-lease-time 600 s");
  EXPECT_EQ(option_text(15, "corp.example"), "domain-name \"corp.example\"");
  EXPECT_EQ(option_text(43, "\x0a"), "option 43 0a");
  EXPECT_EQ(option_text(6, "abc"), "domain-name-servers 616263") << "a wrong length shows its bytes";
}

}  // namespace
}  // namespace patchlab::checks::dhcp
