// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Judged from captured observations; how servers are observed is tests/integration/checks/mail.
#include <gmock/gmock.h>

#include "checks/mail/bounce.hpp"

namespace patchlab::checks::mail {
namespace {
using testing::HasSubstr;

Json entry(const std::string& name, const std::string& answer) {
  return {{"stage", name}, {"answer", answer}, {"reply", "text"}, {"ms", 1}};
}

Json bounced() {
  return {{"sent", {{"message_id", "<1@x>"}, {"to", "Nobody@[10.20.0.250]"}}},
          {"smtp",
           {{"stages",
             {entry("connect", ""), entry("banner", "220"), entry("ehlo", "250"), entry("starttls", "220"),
              entry("tls", ""), entry("ehlo-tls", "250"), entry("auth", "235"), entry("mail", "250"),
              entry("rcpt", "250"), entry("data", "354"), entry("message", "250")}}}},
          {"imap",
           {{"found", {"7"}},
            {"searches", 2},
            {"left_after_delete", 0},
            {"stages",
             {entry("connect", ""), entry("greeting", "OK"), entry("starttls", "OK"), entry("tls", ""),
              entry("login", "OK"), entry("select", "OK"), entry("fetch", "OK"), entry("delete", "OK"),
              entry("expunge", "OK")}}}},
          {"elsewhere",
           {{"connections", 1},
            {"listened_ms", 9000},
            {"refused", {{{"from", "<a@x> SIZE=9"}, {"to", "<nobody@[10.20.0.250]> ORCPT=x"}}}}}},
          {"returned",
           {{"report",
             {{"type", "multipart/report"},
              {"report_type", "delivery-status"},
              {"return_path", "<>"},
              {"parts", {"text/plain", "message/delivery-status", "message/rfc822"}},
              {"recipients", {{{"recipient", "nobody@[10.20.0.250]"}, {"action", "failed"}, {"status", "5.1.1"}}}},
              {"returned_id", "<1@x>"}}}}}};
}

const Json asked{{"user", "u"}, {"password", "p"}, {"from", "a@x"}};
Judgement opinion_of(const Json& observation) { return bounce().judge(asked, observation); }
// With another value of the report, or without it.
std::string reason_with(const std::string& key, const Json& value) {
  auto observation = bounced();
  auto& report = observation["returned"]["report"];
  if (value.is_null())
    report.erase(key);
  else
    report[key] = value;
  const auto judgement = opinion_of(observation);
  EXPECT_TRUE(judgement.outcome != Outcome::error) << judgement.reason;
  return judgement.reason;
}

TEST(MailBounceJudge, PassesAReportOfThisMessage) {
  EXPECT_EQ(opinion_of(bounced()).outcome, Outcome::pass) << opinion_of(bounced()).observed;
  EXPECT_EQ(reason_with("return_path", nullptr), "returned") << "not every server writes it";
  EXPECT_EQ(reason_with("return_path", "<MAILER-DAEMON>"), "returned") << "so Postfix hands it to a program (pipe(8))";
  EXPECT_EQ(reason_with("return_path", "<mailer-daemon>"), "returned");
  EXPECT_EQ(
      reason_with(
          "recipients",
          {{{"recipient", "a@b"}, {"action", "delayed"}},
           {{"recipient", "x@y"}, {"original", "nobody@[10.20.0.250]"}, {"action", "failed"}, {"status", "5.4.4"}}}),
      "returned");
}

TEST(MailBounceJudge, FailsWhatIsNone) {
  EXPECT_EQ(reason_with("return_path", "<postmaster@x>"), "bounce-has-a-sender");
  EXPECT_EQ(reason_with("return_path", "<MAILER-DAEMON@x>"), "bounce-has-a-sender");
  EXPECT_EQ(reason_with("type", "multipart/mixed"), "bounce-is-no-report");
  EXPECT_EQ(reason_with("report_type", nullptr), "bounce-is-no-report");
  EXPECT_EQ(reason_with("recipients", nullptr), "bounce-is-no-report");
  EXPECT_EQ(reason_with("recipients", Json::array()), "bounce-of-another-recipient");
  EXPECT_EQ(reason_with("recipients", {{{"recipient", "b@x"}, {"action", "failed"}, {"status", "5.1.1"}}}),
            "bounce-of-another-recipient");
  EXPECT_EQ(reason_with("recipients", {{{"recipient", "nobody@[10.20.0.250]"}, {"action", "delayed"}}}),
            "bounce-without-failure");
  EXPECT_EQ(
      reason_with("recipients", {{{"recipient", "nobody@[10.20.0.250]"}, {"action", "failed"}, {"status", "4.4.1"}}}),
      "bounce-without-failure");
  EXPECT_EQ(reason_with("returned_id", "<2@x>"), "bounce-without-message");
  EXPECT_EQ(reason_with("returned_id", nullptr), "bounce-without-message");
}

TEST(MailBounceJudge, SaysWhereItWasLost) {
  auto lost = bounced();
  lost["imap"]["found"] = Json::array();
  lost["imap"]["stages"].erase(6);
  lost.erase("returned");
  EXPECT_EQ(opinion_of(lost).reason, "no-bounce");
  EXPECT_THAT(opinion_of(lost).observed, HasSubstr("refused where it was for; not there after 2 searches"));
  lost["elsewhere"]["refused"][0]["to"] = "<another@[10.20.0.250]>";
  EXPECT_EQ(opinion_of(lost).reason, "not-handed-on") << "that was the message of an earlier try";
  EXPECT_THAT(opinion_of(lost).observed, HasSubstr("1 connections in 9000 ms, none for this recipient"));
}

TEST(MailBounceJudge, NeverPassesWhatWasNotSeen) {
  auto none = bounced();
  none.erase("imap");
  EXPECT_EQ(opinion_of(none).reason, "observation-incomplete");
  auto twice = bounced();
  twice["imap"]["found"] = {"7", "8"};
  EXPECT_EQ(opinion_of(twice).reason, "bounced-more-than-once");
  auto kept = bounced();
  kept["imap"]["left_after_delete"] = 1;
  EXPECT_EQ(opinion_of(kept).reason, "not-deleted");
  kept["imap"].erase("left_after_delete");
  EXPECT_EQ(opinion_of(kept).reason, "observation-incomplete") << "nobody looked";
  kept["imap"]["stages"].push_back(entry("search", "NO"));
  EXPECT_EQ(opinion_of(kept).reason, "imap-search-refused");
  auto refused = bounced();
  refused["smtp"]["stages"][8] = entry("rcpt", "554");
  EXPECT_EQ(opinion_of(refused).reason, "smtp-rcpt-refused");
}

}  // namespace
}  // namespace patchlab::checks::mail
