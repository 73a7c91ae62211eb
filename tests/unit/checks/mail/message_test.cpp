// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::checks::mail {
namespace {
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(SmtpData, DoublesLeadingDotsAndEndsWithTheLoneDot) {
  EXPECT_EQ(as_smtp_data(".a\r\n.\r\n..b\r\nc.d\r\n"), "..a\r\n..\r\n...b\r\nc.d\r\n.\r\n");
}

TEST(SmtpData, EndsTheLastLineFirst) { EXPECT_EQ(as_smtp_data("a"), "a\r\n.\r\n"); }

TEST(ProbeMessage, HasWhatMailSystemsGetWrong) {
  const auto message = probe_message("0123", "a@x", "b@y", "some date");
  EXPECT_EQ(message.id, "<patchlab-0123@probe.invalid>");
  EXPECT_THAT(message.text(), HasSubstr("Message-ID: <patchlab-0123@probe.invalid>\r\n"));
  EXPECT_THAT(message.text(), HasSubstr("\r\n\r\nprobe 0123\r\n"));
  EXPECT_THAT(message.body, HasSubstr("\r\n.\r\n"));
  EXPECT_THAT(message.body, HasSubstr("Gr\xc3\xbc\xc3\x9f"));
  EXPECT_EQ(split_message(message.text()).body, message.body);
}

TEST(MessageDate, FollowsRfc5322) { EXPECT_EQ(message_date(1795327370), "Sun, 22 Nov 2026 06:02:50 +0000"); }

TEST(SplitMessage, KnowsMessagesWithoutBodyOrHeader) {
  EXPECT_EQ(split_message("A: b\r\n").header, "A: b\r\n");
  EXPECT_EQ(split_message("A: b\r\n").body, "");
  EXPECT_EQ(split_message("\r\nbody").body, "body");
}

TEST(HeaderFields, UnfoldLowerAndKeepTheFirst) {
  EXPECT_THAT(header_fields("Subject: one\r\n two\r\nX-A:b \r\nsubject: again\r\nnonsense\r\n"),
              UnorderedElementsAre(Pair("subject", "one two"), Pair("x-a", "b")));
}

}  // namespace
}  // namespace patchlab::checks::mail
