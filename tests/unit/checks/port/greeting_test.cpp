// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/greeting.hpp"

#include <gmock/gmock.h>

namespace patchlab::checks::port {
namespace {

TEST(Greeting, IsTextWhateverCame) {
  EXPECT_EQ(greeting_text("220-a\r\n220 b\r\n"), "220-a\n220 b");
  EXPECT_EQ(greeting_text(std::string_view("J\0\x80\r", 4)), "J\\x00\\x80\\x0d");
  EXPECT_EQ(greeting_text(""), "");
}

TEST(Greeting, MatchesAsAWholeButForTheGaps) {
  EXPECT_TRUE(is_greeting("220 a", "220 a"));
  EXPECT_FALSE(is_greeting("220 a", "220 a b"));
  EXPECT_FALSE(is_greeting("220 a", "220 a\n220 b"));
  EXPECT_TRUE(is_greeting("220 {any} b{any}", "220 a b"));
  EXPECT_TRUE(is_greeting("{any}", ""));
  EXPECT_FALSE(is_greeting("{any}x{any}x", "ax"));
  EXPECT_TRUE(is_greeting("{any}x{any}x", "axbx"));
  EXPECT_FALSE(is_greeting("220 {any}", "220 a\nb")) << "a gap does not reach beyond its line";
  EXPECT_FALSE(is_greeting("ab{any}ba", "aba")) << "both ends want the same letters";
  EXPECT_TRUE(is_greeting("", ""));
  EXPECT_FALSE(is_greeting("", "hello"));
}

TEST(Greeting, LastsWithoutWhatDiffers) {
  EXPECT_EQ(lasting_greeting("+OK <1.2@mail1>", "+OK <9.9@mail1>"), "+OK {any}");
  EXPECT_EQ(lasting_greeting("ready in 1 second", "ready in a few seconds now"), "ready in {any}");
  EXPECT_EQ(lasting_greeting("a 1 2 z", "a 3 z"), "a {any} z");
  EXPECT_EQ(lasting_greeting("one\ntwo", "one"), std::nullopt);
  EXPECT_EQ(lasting_greeting("1234", "5678"), std::nullopt) << "what is left would hold for any server";
  EXPECT_EQ(lasting_greeting("", ""), "");
}

TEST(Greeting, LastsWithoutVersions) {
  const auto alone = [](const std::string& text) { return lasting_greeting(text, text).value_or("none"); };
  EXPECT_EQ(alone("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"), "SSH-2.0-OpenSSH_{any}p{any} Debian-{any}+deb{any}u{any}");
  EXPECT_EQ(alone("220 (vsFTPd 3.0.3)"), "220 (vsFTPd {any})");
  EXPECT_EQ(alone("220 mail1.corp.example ESMTP Postfix (Debian/GNU)"),
            "220 mail1.corp.example ESMTP Postfix (Debian/GNU)");
  EXPECT_EQ(alone("220 10.20.0.14 FTP"), "220 10.20.0.14 FTP");
  EXPECT_EQ(alone("* OK [CAPABILITY IMAP4rev1 LITERAL+] Dovecot (Debian) ready."),
            "* OK [CAPABILITY IMAP4rev1 LITERAL+] Dovecot (Debian) ready.");
}

TEST(Greeting, LastsUntilTheNextDay) {
  const auto greeting = [](const std::string& day) { return "220 mx ESMTP Exim 4.96 " + day + " +0000"; };
  const auto lasting = lasting_greeting(greeting("Sun, 29 Nov 2026 10:00:00"), greeting("Sun, 29 Nov 2026 10:00:02"));
  EXPECT_EQ(lasting, "220 mx ESMTP Exim {any}");
  EXPECT_TRUE(is_greeting(*lasting, greeting("Tue, 1 Dec 2026 07:00:00")));
  EXPECT_EQ(lasting_greeting("day 2026-11-29 x", "day 2026-11-29 x"), "day {any} x");
}

}  // namespace
}  // namespace patchlab::checks::port
