// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Kerberos against MIT's own controller on loopback, with what updates of Windows took away taken away.
#include "checks/kerberos/ticket.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <thread>

#include "checks/deadline.hpp"
#include "checks/socket.hpp"
#include "lab/core/files.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/tcp_listener.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks::kerberos {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::uint16_t free_port() { return test::TcpListener().port(); }

// A realm of its own in a folder. No service of the host has anything to do with it.
class Controller {
 public:
  Controller() : port_(free_port()), password_port_(free_port()) {
    folder_.write("krb5.conf", fmt::format("[libdefaults]\n default_realm = OFFICE.EXAMPLE\n dns_lookup_kdc = false\n"
                                           "[logging]\n kdc = FILE:{0}/kdc.log\n admin_server = FILE:{0}/kadmind.log\n",
                                           at("")));
    folder_.write(
        "kdc.conf",
        fmt::format("[realms]\n OFFICE.EXAMPLE = {{\n  database_name = {0}/db\n  key_stash_file = {0}/stash\n"
                    "  acl_file = {0}/acl\n  kdc_listen = 127.0.0.1:{1}\n  kdc_tcp_listen = 127.0.0.1:{1}\n"
                    "  kpasswd_listen = 127.0.0.1:{2}\n  kadmind_listen = 127.0.0.1:{3}\n"
                    "  supported_enctypes = aes256-cts:normal aes128-cts:normal arcfour-hmac:normal\n"
                    "  pkinit_identity = FILE:{0}/dc1.pem,{0}/dc1.key\n  pkinit_anchors = FILE:{0}/ca.pem\n }}\n",
                    at(""), port_, password_port_, free_port()));
    folder_.write("acl", "");
    make_certificates();
    run("kdb5_util", {"create", "-s", "-P", "of-nobody", "-r", "OFFICE.EXAMPLE"});
    for (const char* user : {"-pw Quiet-1 lab-user", "-pw Quiet-1 alice", "-pw Quiet-1 -allow_tix retired",
                             "-pw Quiet-1 -e arcfour-hmac:normal of-old-type", "-pw Quiet-1 host/web1.office.example",
                             "-randkey cifs/file1.office.example", "+requires_preauth -nokey card"})
      admin(std::string("addprinc ") + user);
    start();
  }
  ~Controller() { stop_.request_stop(); }
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  void admin(const std::string& query) { run("kadmin.local", {"-r", "OFFICE.EXAMPLE", "-q", query}); }
  [[nodiscard]] Json as(const std::string& user) const {
    return {{"realm", "OFFICE.EXAMPLE"}, {"port", port_}, {"user", user}, {"password", "Quiet-1"}};
  }
  [[nodiscard]] Json by_card() const {
    const auto text = [&](const char* name) { return read_file(at(name)).value(); };
    return {{"realm", "OFFICE.EXAMPLE"},
            {"port", port_},
            {"user", "card"},
            {"certificate", text("card.pem")},
            {"certificate_secret", text("card.key")},
            {"authorities", text("ca.pem")},
            {"controller", "dc1.office.example"}};
  }
  [[nodiscard]] std::uint16_t password_port() const { return password_port_; }
  [[nodiscard]] std::string at(const std::string& name) const {
    return name.empty() ? folder_.path().string() : (folder_.path() / name).string();
  }

 private:
  ProcessSpec spec(const std::string& program, std::vector<std::string> arguments) const {
    ProcessSpec made;
    made.program = program;
    made.arguments = std::move(arguments);
    made.working_folder = folder_.path();
    made.extra_environment = {{"KRB5_CONFIG", at("krb5.conf")},
                              {"KRB5_KDC_PROFILE", at("kdc.conf")},
                              {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
    return made;
  }
  void run(const std::string& program, std::vector<std::string> arguments) const {
    const auto output = run_for_output(host_processes(), spec(program, std::move(arguments)));
    if (!output) throw std::runtime_error(output.error().message);
  }
  // As MIT's documentation has them for PKINIT.
  void make_certificates() {
    folder_.write("extensions",
                  "[dc]\nbasicConstraints = CA:FALSE\nkeyUsage = digitalSignature, keyEncipherment, keyAgreement\n"
                  "extendedKeyUsage = 1.3.6.1.5.2.3.5\nsubjectAltName = DNS:dc1.office.example\n"
                  "[card]\nbasicConstraints = CA:FALSE\nkeyUsage = digitalSignature, keyEncipherment, keyAgreement\n"
                  "extendedKeyUsage = 1.3.6.1.5.2.3.4\nsubjectAltName = otherName:1.3.6.1.5.2.2;SEQUENCE:name\n"
                  "[name]\nrealm = EXP:0, GeneralString:OFFICE.EXAMPLE\nprincipal = EXP:1, SEQUENCE:principal\n"
                  "[principal]\ntype = EXP:0, INTEGER:1\nstring = EXP:1, SEQUENCE:strings\n"
                  "[strings]\nfirst = GeneralString:card\n");
    run("openssl", {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days",
                    "2", "-subj", "/CN=Office CA"});
    for (const auto& [name, section] : {std::pair{"dc1", "dc"}, {"card", "card"}}) {
      const std::string base = name;
      run("openssl", {"req", "-newkey", "rsa:2048", "-nodes", "-keyout", base + ".key", "-out", base + ".csr", "-subj",
                      "/CN=" + base});
      run("openssl", {"x509", "-req", "-in", base + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "2", "-extfile", "extensions", "-extensions", section, "-out", base + ".pem"});
    }
  }
  void start() {
    threads_.emplace_back([this] { (void)host_processes().run(spec("krb5kdc", {"-n"}), stop_.get_token()); });
    threads_.emplace_back([this] { (void)host_processes().run(spec("kadmind", {"-nofork"}), stop_.get_token()); });
    const Deadline patience(std::chrono::seconds(20));
    for (const auto port : {port_, password_port_}) {
      while (!patience.passed()) {
        const auto connection = connect_tcp({"127.0.0.1", port}, {}, patience);
        if (connection && connection->saved_errno == 0) break;
      }
    }
  }

  test::TemporaryFolder folder_;
  std::uint16_t port_;
  std::uint16_t password_port_;
  std::stop_source stop_;
  std::vector<std::jthread> threads_;
};

const Target loopback{"127.0.0.1", "127.0.0.1", "lo"};

// One controller for all: it takes seconds to make.
class Kerberos : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* program : {"/usr/sbin/krb5kdc", "/usr/sbin/kadmind"}) {
      if (!fs::exists(program)) return;
    }
    controller_.emplace();
  }
  static void TearDownTestSuite() { controller_.reset(); }
  void SetUp() override {
    if (!controller_) GTEST_SKIP() << "krb5-kdc and krb5-admin-server are not installed";
  }
  static Judgement judged(const Check& check, const Json& with, Milliseconds limit = std::chrono::seconds(20)) {
    const auto seen = check.observe(loopback, with, limit);
    if (!seen) return {Outcome::error, seen.error().message, {}, {}};
    EXPECT_EQ(seen->dump().find("Quiet-1"), std::string::npos) << "the password would go on record";
    return check.judge(with, *seen);
  }
  static Judgement judged(Json with, const Json& more = Json::object()) {
    with.update(more);
    return judged(ticket(), with);
  }
  static inline std::optional<Controller> controller_;
};

TEST_F(Kerberos, GrantsATicketAndOneForAServiceWithIt) {
  const auto seen = judged(controller_->as("lab-user"), {{"service", "cifs/file1.office.example"}});
  EXPECT_EQ(seen.outcome, Outcome::pass) << seen.reason << seen.observed;
  EXPECT_THAT(seen.observed, HasSubstr("aes256-cts-hmac-sha1-96"));
}

TEST_F(Kerberos, RefusesAWrongPasswordAndAnAccountThatIsRetired) {
  auto wrong = controller_->as("lab-user");
  wrong["password"] = "Loud-2";
  EXPECT_EQ(judged(wrong).reason, "ticket-refused");
  EXPECT_EQ(judged(wrong, {{"refused", true}}).outcome, Outcome::pass);
  EXPECT_EQ(judged(controller_->as("retired")).reason, "ticket-refused");
  EXPECT_EQ(judged(controller_->as("lab-user"), {{"refused", true}}).reason, "ticket-granted");
}

// As an update did with accounts that have types of their own.
TEST_F(Kerberos, RefusesAnAccountWithoutAKeyOfTheTypeThatIsOffered) {
  const auto old = controller_->as("of-old-type");
  EXPECT_EQ(judged(old).outcome, Outcome::pass) << judged(old).observed;
  const auto aes = judged(old, {{"enctypes", {"aes256-cts-hmac-sha1-96"}}});
  EXPECT_EQ(aes.reason, "ticket-refused");
  const auto other = judged(controller_->as("lab-user"), {{"expect_enctype", "aes128-cts-hmac-sha1-96"}});
  EXPECT_EQ(other.reason, "enctype-differs");
}

TEST_F(Kerberos, RefusesAServiceThatIsNotThere) {
  const auto seen = judged(controller_->as("lab-user"), {{"service", "cifs/file2.office.example"}});
  EXPECT_EQ(seen.reason, "service-refused") << seen.observed;
}

TEST_F(Kerberos, GrantsAServiceATicketInTheNameOfAUser) {
  const auto web = controller_->as("host/web1.office.example");
  const auto seen = judged(web, {{"for_user", "alice"}});
  EXPECT_EQ(seen.outcome, Outcome::pass) << seen.reason << seen.observed;
  EXPECT_EQ(judged(web, {{"for_user", "nobody-of-that-name"}}).reason, "for-user-refused");
  controller_->admin("modprinc -allow_svr host/web1.office.example");
  EXPECT_EQ(judged(web, {{"for_user", "alice"}}).reason, "for-user-refused");
  controller_->admin("modprinc +allow_svr host/web1.office.example");
}

TEST_F(Kerberos, GrantsATicketByCertificateUntilThatIsNotBelievedAnyMore) {
  if (!fs::exists("/usr/lib/x86_64-linux-gnu/krb5/plugins/preauth/pkinit.so"))
    GTEST_SKIP() << "krb5-pkinit is not installed";
  const auto card = controller_->by_card();
  const auto seen = judged(card, {{"service", "cifs/file1.office.example"}});
  EXPECT_EQ(seen.outcome, Outcome::pass) << seen.reason << seen.observed;
  auto of_another = card;
  of_another["user"] = "alice";
  EXPECT_EQ(judged(of_another).reason, "ticket-refused");
  controller_->admin("modprinc -allow_tix card");
  EXPECT_EQ(judged(card).reason, "ticket-refused");
  controller_->admin("modprinc +allow_tix card");
}

TEST_F(Kerberos, LetsAUserChangeThePasswordUnlessAPolicyForbidsIt) {
  auto with = controller_->as("alice");
  with["password_port"] = controller_->password_port();
  const auto seen = judged(password(), with);
  EXPECT_EQ(seen.outcome, Outcome::pass) << seen.reason << seen.observed;
  EXPECT_EQ(judged(password(), with).outcome, Outcome::pass) << "the password is what it was";
  controller_->admin("addpol -minlife 1day lasting");
  controller_->admin("modprinc -policy lasting alice");
  EXPECT_EQ(judged(password(), with).reason, "change-refused");
  controller_->admin("modprinc -clearpolicy alice");
  with["password_port"] = 1;
  const auto gone = judged(password(), with, std::chrono::seconds(4));
  EXPECT_EQ(gone.outcome, Outcome::fail) << gone.reason << gone.observed;
}

TEST_F(Kerberos, IsLearntWithItsType) {
  const auto with = controller_->as("lab-user");
  const auto seen = ticket().observe(loopback, with, std::chrono::seconds(20));
  ASSERT_TRUE(seen);
  const auto learnt = ticket().expecting(with, *seen);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("expect_enctype"), "aes256-cts-hmac-sha1-96");
}

TEST(KerberosParameters, AreStrict) {
  const auto refused = [](const Json& with) {
    std::vector<JsonProblem> problems;
    ticket().validate(with, "", problems);
    return !problems.empty();
  };
  const Json good{{"realm", "A.EXAMPLE"}, {"user", "bob"}, {"password", "x"}};
  EXPECT_FALSE(refused(good));
  for (const auto& more : std::vector<Json>{{{"realm", "a.example"}},
                                            {{"realm", "A\n[plugins]"}},
                                            {{"user", "bob@B.EXAMPLE"}},
                                            {{"user", "b b"}},
                                            {{"certificate", "x"}},
                                            {{"enctypes", {"AES"}}},
                                            {{"service", "cifs/a@B"}},
                                            {{"refused", true}, {"service", "cifs/a"}}}) {
    auto with = good;
    with.update(more);
    EXPECT_TRUE(refused(with)) << with.dump();
  }
  EXPECT_TRUE(refused({{"realm", "A.EXAMPLE"}, {"user", "bob"}}));
  EXPECT_TRUE(refused({{"realm", "A.EXAMPLE"}, {"user", "bob"}, {"certificate", "x"}}));
}

TEST(KerberosParameters, NobodyListensIsAFailure) {
  const Json with{{"realm", "A.EXAMPLE"}, {"port", 1}, {"user", "bob"}, {"password", "x"}};
  for (const auto* check : {&ticket(), &password()}) {
    const auto seen = check->observe(loopback, with, std::chrono::seconds(5));
    ASSERT_TRUE(seen);
    EXPECT_EQ(check->judge(with, *seen).reason, "connection-refused");
  }
}

}  // namespace
}  // namespace patchlab::checks::kerberos
