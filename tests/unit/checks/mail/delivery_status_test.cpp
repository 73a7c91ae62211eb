// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/delivery_status.hpp"

#include <gmock/gmock.h>

namespace patchlab::checks::mail {
namespace {

// Lines of a test, as they travel.
std::string as_sent(const std::string& text) {
  std::string sent;
  for (const char c : text) sent += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return sent;
}

// As Exchange writes it: quoted and unquoted parameters, folded, and a boundary inside that begins like the outer one.
const std::string report = as_sent(R"(From: postmaster@corp.example
Return-Path: <>
CONTENT-TYPE: Multipart/Report; report-type="Delivery-Status" ;
	charset=us-ascii; boundary=ab-c
Message-ID: <9@exchange>

what nobody reads
--ab-c
Content-Type: multipart/alternative; boundary="ab-c-d"

--ab-c-d
Content-Type: text/html

<p>no</p>
--ab-c-d--

--ab-c
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.corp.example
Received-From-MTA: dns;client

Final-Recipient: RFC822; Nobody@Elsewhere.example
Action: FAILED (so it is)
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 not
	found

Final-recipient: rfc822;second@elsewhere.example
Original-Recipient: rfc822; alias@corp.example
Action: delayed
Status: 4.4.1

--ab-c
Content-Type: text/rfc822-headers

Subject: x
Message-ID:
 <1@probe.invalid>
--ab-c--
--ab-c
Content-Type: text/behind-the-end

)");

TEST(DeliveryStatus, IsReadAsFarAsItIsSaid) {
  EXPECT_EQ(describe_report(report),
            Json::parse(R"({"type": "multipart/report", "report_type": "delivery-status", "return_path": "<>",
    "parts": ["multipart/alternative", "message/delivery-status", "text/rfc822-headers"],
    "recipients": [{"recipient": "Nobody@Elsewhere.example", "action": "failed", "status": "5.1.10"},
                   {"recipient": "second@elsewhere.example", "original": "alias@corp.example", "action": "delayed",
                    "status": "4.4.1"}],
    "returned_id": "<1@probe.invalid>"})"));
}

TEST(DeliveryStatus, OfAnotherMessageIsLittle) {
  EXPECT_EQ(describe_report(as_sent("Content-Type: text/plain\n\nhello\n")),
            Json({{"type", "text/plain"}, {"parts", Json::array()}}));
  EXPECT_EQ(describe_report(""), Json({{"parts", Json::array()}}));
  EXPECT_EQ(describe_report("\r\n--\r\n"), Json({{"parts", Json::array()}}));
}

TEST(DeliveryStatus, IsBoundedWhateverTheTextIs) {
  std::string many = as_sent("Content-Type: multipart/report; boundary=b\n\n");
  for (int i = 0; i < 1000; ++i)
    many += as_sent("--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\n") +
            as_sent("Final-Recipient: rfc822; ") + std::string(5000, 'a') + "\r\n\r\n";
  EXPECT_LT(describe_report(many).dump().size(), 100'000U);
  // Cut anywhere, it is read as far as it goes.
  for (std::size_t size = 0; size < report.size(); ++size)
    EXPECT_LE(describe_report(report.substr(0, size)).value("recipients", Json::array()).size(), 2U);
}

}  // namespace
}  // namespace patchlab::checks::mail
