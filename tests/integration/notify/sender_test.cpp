// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "lab/process/process.hpp"
#include "process/notify/digest_mail.hpp"
#include "process/notify/sender.hpp"
#include "tests/support/hostile_server.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/receivers.hpp"
#include "tests/support/tcp_listener.hpp"
#include "tests/support/temporary_folder.hpp"

// libcurl as it is used, against real servers.
namespace patchlab::process {
namespace {

using namespace std::chrono_literals;
using test::http_answer;
using test::HttpReceiver;
using test::HttpRequest;
using test::ServerKey;
using test::SmtpReceiver;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Kind = Sent::Kind;

HttpPost post_to(const std::string& url) {
  HttpPost post;
  post.url = url;
  post.headers = {{"Content-Type", "application/cloudevents+json; charset=UTF-8"}, {"webhook-id", "an-id"}};
  post.body = R"({"specversion":"1.0"})";
  post.patience = 2s;
  return post;
}
Sent send(const HttpPost& post) { return curl_sender({})->post(post); }

// A key for localhost that nobody knows but who is given its certificate.
class Keys : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::is_missing("openssl")) GTEST_SKIP() << "openssl is not installed";
    key_ = make("localhost", "IP:127.0.0.1,DNS:localhost");
  }
  [[nodiscard]] ServerKey make(const std::string& name, const std::string& names) const {
    ServerKey key{(folder_.path() / (name + ".pem")).string(), (folder_.path() / (name + ".key")).string()};
    ProcessSpec spec;
    spec.program = "openssl";
    spec.arguments = {
        "req",   "-x509", "-newkey",      "ec",          "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2",     "-subj",        "/CN=" + name, "-addext",  "subjectAltName=" + names,      "-keyout",
        key.key, "-out",  key.certificate};
    const auto made = host_processes().run(spec);
    EXPECT_TRUE(made.succeeded()) << made.errors;
    return key;
  }
  const test::TemporaryFolder folder_;
  ServerKey key_;
};

TEST(WebhookSender, PostsTheBytesAndTheHeaders) {
  const HttpReceiver receiver;
  EXPECT_EQ(send(post_to(receiver.url())).kind, Kind::delivered);
  ASSERT_THAT(receiver.requests(), SizeIs(1));
  const auto request = receiver.requests().at(0);
  EXPECT_EQ(request.line, "POST /hook HTTP/1.1");
  EXPECT_EQ(request.body, R"({"specversion":"1.0"})");
  EXPECT_EQ(request.headers.at("content-type"), "application/cloudevents+json; charset=UTF-8");
  EXPECT_EQ(request.headers.at("webhook-id"), "an-id");
  EXPECT_FALSE(request.headers.contains("expect"));
}

TEST(WebhookSender, FollowsNoRedirect) {
  const HttpReceiver elsewhere;
  const HttpReceiver receiver(
      [&](const HttpRequest&) { return http_answer(307, "Location: " + elsewhere.url() + "\r\n"); });
  const auto sent = send(post_to(receiver.url()));
  EXPECT_EQ(sent.kind, Kind::failed);
  EXPECT_THAT(sent.why, HasSubstr("307, and redirects are not followed"));
  EXPECT_THAT(elsewhere.requests(), IsEmpty());
}

TEST(WebhookSender, SaysWhatTheReceiverSays) {
  int status = 500;
  std::string more;
  const HttpReceiver receiver(
      [&](const HttpRequest&) { return http_answer(status, more, "no\x1b[2J room\r\nat all"); });
  auto sent = send(post_to(receiver.url()));
  EXPECT_EQ(sent.kind, Kind::failed);
  EXPECT_EQ(sent.why, "it answers 500 ('no\\x1b[2J room\\r\\nat all')");
  status = 503;
  more = "Retry-After: 120\r\n";
  EXPECT_EQ(send(post_to(receiver.url())).retry_after, 120s);
  status = 422;
  EXPECT_EQ(send(post_to(receiver.url())).kind, Kind::refused);
  status = 410;
  sent = send(post_to(receiver.url()));
  EXPECT_EQ(sent.kind, Kind::failed);
  EXPECT_THAT(sent.why, HasSubstr("gone for good"));
}

// Nobody is waited for longer than its time, nothing is kept of what it sends without an end, nothing is taken for an
// answer that is none.
TEST(WebhookSender, IsHeldUpByNoHostileServer) {
  using test::Hostility;
  for (const auto hostility : {Hostility::silent, Hostility::closing, Hostility::random, Hostility::truncated,
                               Hostility::endless, Hostility::slow}) {
    const test::HostileServer server(hostility, "HTTP/1.1 500 Never\r\nContent-Type: text/plain\r\n\r\n");
    auto post = post_to("http://127.0.0.1:" + std::to_string(server.port()) + "/");
    post.patience = 1s;
    const auto begun = std::chrono::steady_clock::now();
    const auto sent = send(post);
    EXPECT_EQ(sent.kind, Kind::failed) << static_cast<int>(hostility);
    EXPECT_THAT(sent.why, Not(IsEmpty()));
    EXPECT_LT(sent.why.size(), 600U);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s) << static_cast<int>(hostility);
  }
}

// The status is the answer, whatever comes behind it.
TEST(WebhookSender, TakesAStatusFromWhoeverNeverEnds) {
  const test::HostileServer server(test::Hostility::endless, "HTTP/1.1 200 Well\r\nContent-Type: text/plain\r\n\r\n");
  EXPECT_EQ(send(post_to("http://127.0.0.1:" + std::to_string(server.port()) + "/")).kind, Kind::delivered);
}

TEST(WebhookSender, FailsWhereNobodyListens) {
  std::uint16_t port = 0;
  {
    const test::TcpListener listener;
    port = listener.port();
  }
  const auto sent = send(post_to("http://127.0.0.1:" + std::to_string(port) + "/"));
  EXPECT_EQ(sent.kind, Kind::failed);
  EXPECT_THAT(sent.why, HasSubstr("onnect"));
}

// A service of systemd has none, a shell may.
TEST(WebhookSender, AsksNoProxyOfTheEnvironment) {
  const HttpReceiver proxy, receiver;
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  ::setenv("all_proxy", proxy.url("").c_str(), 1);
  EXPECT_EQ(send(post_to(receiver.url())).kind, Kind::delivered);
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_THAT(proxy.requests(), IsEmpty());
  auto post = post_to("http://siem.example.org/in");
  post.proxy = proxy.url("");
  EXPECT_EQ(send(post).kind, Kind::delivered);
  EXPECT_EQ(proxy.requests().at(0).line, "POST http://siem.example.org/in HTTP/1.1");
}

TEST(WebhookSender, IsInterrupted) {
  const test::HostileServer server(test::Hostility::silent, "");
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  auto post = post_to("http://127.0.0.1:" + std::to_string(server.port()) + "/");
  post.patience = 60s;
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(curl_sender(stop.get_token())->post(post).kind, Kind::failed);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
}

TEST_F(Keys, AreVerified) {
  const HttpReceiver receiver([](const HttpRequest&) { return http_answer(204); }, 0, key_);
  auto post = post_to(receiver.url());
  const auto unknown = send(post);
  EXPECT_EQ(unknown.kind, Kind::failed);
  EXPECT_THAT(unknown.why, HasSubstr("certificate"));
  post.ca = key_.certificate;
  const auto known = send(post);
  EXPECT_EQ(known.kind, Kind::delivered) << known.why;
  EXPECT_THAT(receiver.requests(), SizeIs(1)) << "who was not known got nothing";
  const auto other = make("other", "DNS:other.example.org");
  const HttpReceiver stranger([](const HttpRequest&) { return http_answer(204); }, 0, other);
  post = post_to(stranger.url());
  post.ca = other.certificate;
  EXPECT_EQ(send(post).kind, Kind::failed) << "of another name";
  EXPECT_THAT(stranger.requests(), IsEmpty());
}

// --- mail
MailPost mail_to(const SmtpReceiver& receiver) {
  MailPost mail;
  mail.mailbox.server = "127.0.0.1";
  mail.mailbox.port = receiver.port();
  mail.mailbox.security = Mailbox::Security::none;
  mail.mailbox.from = "lab@example.org";
  mail.mailbox.to = {"qa@example.org", "ops@example.org"};
  mail.text = "Subject: x\r\n\r\n.\r\n..two\r\nend\r\n";
  mail.patience = 2s;
  return mail;
}
Sent send(const MailPost& mail) { return curl_sender({})->mail(mail); }

TEST(MailSender, SendsToAllOfThem) {
  const SmtpReceiver receiver;
  const auto sent = send(mail_to(receiver));
  EXPECT_EQ(sent.kind, Kind::delivered) << sent.why;
  ASSERT_THAT(receiver.mails(), SizeIs(1));
  const auto mail = receiver.mails().at(0);
  EXPECT_THAT(mail.commands,
              AllOf(::testing::Contains(HasSubstr("MAIL FROM:<lab@example.org>")),
                    ::testing::Contains("RCPT TO:<qa@example.org>"), ::testing::Contains("RCPT TO:<ops@example.org>")));
  EXPECT_EQ(mail.text, "Subject: x\r\n\r\n..\r\n...two\r\nend\r\n") << "a dot at the begin of a line ends nothing";
}

TEST(MailSender, SaysWhatTheServerSays) {
  for (const auto& [begin, answer] : test::SmtpAnswers{
           {"MAIL", "451 later"}, {"RCPT", "550 nobody of that name"}, {"DATA", "554 no"}, {".", "552 too much"}}) {
    const SmtpReceiver receiver({{begin, answer}});
    const auto sent = send(mail_to(receiver));
    EXPECT_EQ(sent.kind, Kind::failed) << begin;
    EXPECT_THAT(sent.why, HasSubstr(answer.substr(0, 3))) << begin;
    EXPECT_THAT(receiver.mails(), IsEmpty()) << begin;
  }
}

TEST(MailSender, SendsToOthersWhenOneIsRefusedAndSaysWhich) {
  for (const auto& [answer, is_for_good] :
       {std::pair{"550 5.1.1 nobody of\tthat name", true}, std::pair{"450-wait\r\n450 a little", false}}) {
    const SmtpReceiver receiver({{"RCPT TO:<qa", answer}});
    const auto sent = send(mail_to(receiver));
    EXPECT_EQ(sent.kind, Kind::delivered) << sent.why;
    ASSERT_THAT(sent.refused, SizeIs(1));
    EXPECT_EQ(sent.refused[0].address, "qa@example.org");
    EXPECT_EQ(sent.refused[0].is_for_good, is_for_good);
    EXPECT_THAT(sent.refused[0].answer,
                AllOf(HasSubstr(is_for_good ? "550 5.1.1 nobody" : "450 a little"), Not(HasSubstr("\t"))));
    EXPECT_THAT(receiver.mails(), SizeIs(1));
  }
  const SmtpReceiver none({{"RCPT", "550 nobody"}});
  EXPECT_THAT(send(mail_to(none)).refused, SizeIs(2));
}

TEST(MailSender, SendsNothingInTheClearThatIsToBeHidden) {
  const SmtpReceiver receiver;  // does not offer STARTTLS: as somebody in between would make it look
  auto mail = mail_to(receiver);
  mail.mailbox.security = Mailbox::Security::starttls;
  mail.mailbox.user = "lab";
  mail.password = "Rainy-Tuesday-41";
  EXPECT_EQ(send(mail).kind, Kind::failed);
  for (const auto& command : receiver.commands())
    EXPECT_THAT(command, Not(AnyOf(HasSubstr("AUTH"), HasSubstr("MAIL")))) << command;
}

TEST(MailSender, IsHeldUpByNoHostileServer) {
  using test::Hostility;
  for (const auto hostility : {Hostility::silent, Hostility::closing, Hostility::random, Hostility::truncated,
                               Hostility::endless, Hostility::slow}) {
    const test::HostileServer server(hostility, "220 here\r\n");
    MailPost mail;
    mail.mailbox.server = "127.0.0.1";
    mail.mailbox.port = server.port();
    mail.mailbox.security = Mailbox::Security::none;
    mail.mailbox.from = "lab@example.org";
    mail.mailbox.to = {"qa@example.org"};
    mail.text = "Subject: x\r\n\r\nx\r\n";
    mail.patience = 1s;
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(send(mail).kind, Kind::failed) << static_cast<int>(hostility);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s) << static_cast<int>(hostility);
  }
}

TEST_F(Keys, AreVerifiedOfMailServersToo) {
  const SmtpReceiver receiver({}, 0, key_);
  auto mail = mail_to(receiver);
  mail.mailbox.security = Mailbox::Security::starttls;
  mail.mailbox.user = "lab";
  mail.password = "Rainy-Tuesday-41";
  EXPECT_EQ(send(mail).kind, Kind::failed);
  EXPECT_THAT(receiver.mails(), IsEmpty());
  mail.mailbox.ca = key_.certificate;
  const auto sent = send(mail);
  EXPECT_EQ(sent.kind, Kind::delivered) << sent.why;
  ASSERT_THAT(receiver.mails(), SizeIs(1));
  // Behind STARTTLS: base64 of "\0lab\0Rainy-Tuesday-41".
  EXPECT_THAT(receiver.mails().at(0).commands, ::testing::Contains("AGxhYgBSYWlueS1UdWVzZGF5LTQx\r\n"));
}

}  // namespace
}  // namespace patchlab::process
