// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// TLS against OpenSSL's own server end, in versions and with certificates as they may be.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "checks/port/offered.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::port {
namespace {

struct Server {
  int least = TLS1_2_VERSION;
  int most = TLS1_3_VERSION;
  int days_left = 30;
  // Lines to say and to wait for in turn, before the handshake; an empty line at the end of the clear text.
  std::vector<std::string> says{};
};

class TlsServer {
 public:
  explicit TlsServer(Server server)
      : server_(std::move(server)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    make_context();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), raw, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        if (wait_readable(listener_.get(), Deadline(Milliseconds(20)))) serve();
      }
    });
  }
  ~TlsServer() {
    thread_ = {};
    SSL_CTX_free(context_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void make_context() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_time_adj_ex(X509_getm_notAfter(certificate), server_.days_left, 3600, nullptr);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("mail1.corp.example"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                "DNS:mail1.corp.example,IP:10.20.0.14,DNS:imap.corp.example");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_cipher_list(context_, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context_, server_.least);
    SSL_CTX_set_max_proto_version(context_, server_.most);
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  void serve() {
    const FileDescriptor client(::accept(listener_.get(), nullptr, nullptr));
    const Deadline patience(std::chrono::seconds(5));
    for (std::size_t i = 0; i < server_.says.size(); ++i) {
      if (send_all(client.get(), server_.says[i] + "\r\n", patience) != 0) return;
      if (i + 1 == server_.says.size()) break;
      for (char c = 0; c != '\n';) {
        if (!wait_readable(client.get(), patience) || ::recv(client.get(), &c, 1, 0) != 1) return;
      }
    }
    SSL* session = SSL_new(context_);
    SSL_set_fd(session, client.get());
    (void)SSL_accept(session);
    SSL_free(session);
  }

  Server server_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  SSL_CTX* context_ = nullptr;
  std::jthread thread_;
};

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

Judgement judged(const Json& with) {
  const auto seen = tls_offered().observe(loopback, with, std::chrono::seconds(10));
  return seen ? tls_offered().judge(with, *seen) : Judgement{Outcome::error, seen.error().message, {}, {}};
}
Judgement judged(Server server, Json with) {
  const TlsServer running(std::move(server));
  with["port"] = running.port();
  return judged(with);
}
const Json new_ones{{"versions", {"1.2", "1.3"}}};

TEST(TlsOffered, IsExactlyTheVersionsThatAreSpoken) {
  EXPECT_EQ(judged({}, new_ones).outcome, Outcome::pass) << judged({}, new_ones).observed;
  const auto old = judged({TLS1_VERSION, TLS1_3_VERSION}, new_ones);
  EXPECT_EQ(old.reason, "version-offered");
  EXPECT_THAT(old.observed, testing::HasSubstr("TLS 1.0"));
  EXPECT_EQ(judged({TLS1_2_VERSION, TLS1_2_VERSION}, new_ones).reason, "version-refused");
  EXPECT_EQ(judged({TLS1_3_VERSION, TLS1_3_VERSION}, {{"versions", {"1.3"}}}).outcome, Outcome::pass);
  EXPECT_EQ(judged({TLS1_1_VERSION, TLS1_2_VERSION}, {{"versions", {"1.1", "1.2"}}}).outcome, Outcome::pass);
}

TEST(TlsOffered, LooksAtTheCertificate) {
  const TlsServer server({});
  auto with = new_ones;
  with.update({{"port", server.port()},
               {"subject", "CN=mail1.corp.example"},
               {"issuer", "CN=mail1.corp.example"},
               {"names", {"DNS:mail1.corp.example", "DNS:imap.corp.example", "IP:10.20.0.14"}},
               {"days_left", 30}});
  EXPECT_EQ(judged(with).outcome, Outcome::pass) << judged(with).reason << judged(with).observed;
  const auto reason_with = [&](const Json& other) {
    auto changed = with;
    changed.update(other);
    return judged(changed).reason;
  };
  EXPECT_EQ(reason_with({{"subject", "CN=mail2.corp.example"}}), "subject-differs");
  EXPECT_EQ(reason_with({{"issuer", "CN=Somebody"}}), "issuer-differs");
  EXPECT_EQ(reason_with({{"names", {"DNS:mail1.corp.example"}}}), "names-differ");
  EXPECT_EQ(reason_with({{"days_left", 31}}), "too-few-days-left");
  EXPECT_EQ(reason_with({{"sha256", std::string(64, '0')}}), "certificate-differs");
  EXPECT_EQ(reason_with({{"key_sha256", std::string(64, '0')}}), "key-differs");
  const auto over = judged({TLS1_2_VERSION, TLS1_3_VERSION, -2}, {{"versions", {"1.2", "1.3"}}, {"days_left", 0}});
  EXPECT_EQ(over.reason, "too-few-days-left");
}

TEST(TlsOffered, IsLearntWhole) {
  const TlsServer server({});
  const Json draft{{"port", server.port()}, {"versions", {"1.3"}}};
  const auto seen = tls_offered().observe(loopback, draft, std::chrono::seconds(10));
  ASSERT_TRUE(seen);
  const auto learnt = tls_offered().expecting(draft, *seen);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("versions"), Json({"1.2", "1.3"}));
  EXPECT_EQ(learnt->at("subject"), "CN=mail1.corp.example");
  EXPECT_EQ(learnt->at("names").size(), 3U);
  EXPECT_EQ(judged(*learnt).outcome, Outcome::pass);
  const TlsServer another({});
  auto elsewhere = *learnt;
  elsewhere["port"] = another.port();
  EXPECT_EQ(judged(elsewhere).reason, "certificate-differs");
}

Json by(const std::string& starttls) { return {{"versions", {"1.2", "1.3"}}, {"starttls", starttls}}; }
Server saying(std::vector<std::string> lines) { return {TLS1_2_VERSION, TLS1_3_VERSION, 30, std::move(lines)}; }

TEST(TlsOffered, IsAskedForInTheWordsOfTheProtocol) {
  EXPECT_EQ(judged(saying({"220 hello", "250-mail1\r\n250-PIPELINING\r\n250 STARTTLS", "220 go"}), by("smtp")).outcome,
            Outcome::pass);
  EXPECT_EQ(judged(saying({"* OK ready", "* CAPABILITY IMAP4\r\nt1 OK go"}), by("imap")).outcome, Outcome::pass);
  EXPECT_EQ(judged(saying({"+OK ready", "+OK go"}), by("pop3")).outcome, Outcome::pass);
}

TEST(TlsOffered, SaysWhyItDoesNotComeToThat) {
  EXPECT_EQ(judged(saying({"220 hello", "250 PIPELINING"}), by("smtp")).reason, "starttls-not-offered");
  EXPECT_EQ(judged(saying({"220 hello", "250-mail1\r\n250 STARTTLS", "454 later"}), by("smtp")).reason,
            "starttls-refused");
  EXPECT_EQ(judged(saying({"220 hello", "250-mail1\r\n250 STARTTLS", "220 go\r\n250 ok"}), by("smtp")).reason,
            "text-before-tls");
  EXPECT_EQ(judged(saying({"* BYE"}), by("imap")).reason, "starttls-refused");
  EXPECT_EQ(judged(saying({"* OK ready", "t1 NO"}), by("imap")).reason, "starttls-refused");
  EXPECT_EQ(judged(saying({"+OK", "-ERR"}), by("pop3")).reason, "starttls-refused");
  EXPECT_EQ(judged(saying({"hello"}), by("pop3")).reason, "malformed-reply");
}

// A server without TLS must not pass for one that refuses versions.
TEST(TlsOffered, PlainTextIsNoRefusal) {
  EXPECT_EQ(judged(saying({"220 hello"}), {{"versions", {"1.2", "1.3"}}}).reason, "malformed-tls");
}

TEST(TlsOffered, RefusesParametersThatAskForNothing) {
  const auto problems_of = [](const Json& with) {
    std::vector<JsonProblem> problems;
    tls_offered().validate(with, "/with", problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    return pointers;
  };
  EXPECT_THAT(problems_of({{"port", 25}, {"versions", Json::array()}}), testing::ElementsAre("/with/versions"));
  EXPECT_THAT(problems_of({{"port", 25}, {"versions", {"1.4"}}}), testing::ElementsAre("/with/versions/0"));
  EXPECT_EQ(problems_of({{"port", 25}}).size(), 1U);
  EXPECT_EQ(problems_of({{"port", 25}, {"versions", {"1.2"}}, {"starttls", "ftp"}, {"sha256", "x"}}).size(), 2U);
}

}  // namespace
}  // namespace patchlab::checks::port
