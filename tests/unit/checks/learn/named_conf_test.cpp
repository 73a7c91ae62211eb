// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/learn/named_conf.hpp"

#include <gmock/gmock.h>

namespace patchlab::checks::learn {
namespace {

NamedServer server_of(std::string_view text) {
  const auto statements = parse_named_conf(text);
  EXPECT_TRUE(statements) << statements.error().message;
  return statements ? named_server(*statements) : NamedServer();
}

TEST(NamedConf, SaysWhichZonesThereAre) {
  const auto server = server_of(R"(
options {
	directory "/var/cache/bind"; // as Debian has it
	listen-on { any; };
	allow-transfer { none; };
};
/* zones */
zone "Corp.Example." { type master; file "/etc/bind/db.corp"; };
zone "old.example" IN { type slave; masters { 10.0.0.1; 10.0.0.2 port 5353; }; file "old"; };
zone "bind" chaos { type primary; file "x"; }; # not of the Internet
view "inside" {
	match-clients { any; };
	zone "away.example" { type forward; forwarders { 10.0.0.9; }; };
};
)");
  EXPECT_EQ(server.directory, "/var/cache/bind");
  ASSERT_EQ(server.zones.size(), 3U);
  EXPECT_EQ(server.zones[0].name, "corp.example");
  EXPECT_EQ(server.zones[0].type, "primary");
  EXPECT_EQ(server.zones[0].file, "/etc/bind/db.corp");
  EXPECT_EQ(server.zones[1].type, "secondary");
  EXPECT_EQ(server.zones[2].view, "inside");
  EXPECT_EQ(server.zones[2].type, "forward");
}

TEST(NamedConf, TakesTextInQuotesAsItIs) {
  const auto server = server_of(R"(zone "a" { file "we;ird } \" name"; type primary; };)");
  ASSERT_EQ(server.zones.size(), 1U);
  EXPECT_EQ(server.zones[0].file, "we;ird } \" name");
}

TEST(NamedConf, WhatIsNoConfigurationIsAnError) {
  for (const std::string text : {"zone \"a\" {", "}", "a { b; }; }"}) EXPECT_FALSE(parse_named_conf(text)) << text;
  EXPECT_FALSE(parse_named_conf(std::string(100'000, '{')));
  for (const std::string text : {"", "\"", "/*", "//", "zone", "zone {};", "zone \"x\";", ";;;"})
    EXPECT_TRUE(parse_named_conf(text)) << text;
}

}  // namespace
}  // namespace patchlab::checks::learn
