// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <fstream>

#include "lab/core/paths.hpp"
#include "lab/process/child.hpp"
#include "program.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "served.hpp"
#include "tests/support/axe.hpp"
#include "tests/support/chromium.hpp"
#include "tests/support/page_audit.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/security_key_signatures.hpp"

// The desk in a browser: the built program, a real Chromium, a security key that DevTools simulates, and stock
// ssh-keygen, which has the last word.
namespace patchlab::e2e {
namespace {

using patchlab::testing::ask_axe;
using patchlab::testing::Chromium;
using patchlab::testing::page_audit;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

class Desk : public Served {
 public:
  explicit Desk(const fs::path& folder)
      : Served(folder, {"desk", "serve", "--listen", "127.0.0.1:0", "--stage", "production", "--runs", "runs"}) {}
};

class DeskInBrowser : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!patchlab::testing::is_missing("chromium")) chromium_ = std::make_unique<Chromium>();
  }
  static void TearDownTestSuite() { chromium_.reset(); }
  void SetUp() override {
    if (chromium_ == nullptr) GTEST_SKIP() << "chromium is not installed";
    for (const char* name : {"root", "mallory", "carol"}) {
      ASSERT_EQ(exit_code(run("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name})), 0);
    }
    put_run("r1", tests::good_record());
    desk_ = std::make_unique<Desk>(folder_.path());
    chromium_->plug_in_a_key();
    chromium_->width(1280);
  }
  void put_run(const std::string& id, const reports::RunRecord& record) const {
    fs::create_directories(folder_.path() / "runs" / id);
    ASSERT_TRUE(reports::write_run_record(record, folder_.path() / "runs" / id / "run.json"));
  }
  ProcessOutcome run(const std::string& program, const std::vector<std::string>& words, const fs::path& folder = {},
                     const std::string& input = {}) const {
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = words;
    spec.working_folder = folder.empty() ? folder_.path() : folder;
    spec.input = input;
    return host_processes().run(spec);
  }
  void ask(const std::vector<std::string>& words) const {
    const auto outcome = patchlab(words, folder_.path());
    ASSERT_EQ(exit_code(outcome), 0) << outcome.errors;
  }
  // In the browser; the line for the list of signers.
  std::string enrol(const std::string& name) {
    chromium_->open(desk_->url() + "/enrol");
    chromium_->fill("#name", name);
    chromium_->click("#enrol button");
    chromium_->await(
        "!document.querySelector('#made').hidden || document.querySelector('#answer').className === 'bad'");
    return chromium_->text_of("#line");
  }
  // Bob by a key of the browser, carol by a file.
  void trust_bob_and_carol() {
    folder_.write("bob.pub", enrol("bob@xavier.example") + "\n");
    ask({"trust", "add", "signers", "bob@xavier.example", "--key", "bob.pub", "--may", "approve,reject,withdraw"});
    ask({"trust", "add", "signers", "carol@xavier.example", "--key", "carol.pub", "--may", "approve,reject"});
    ask({"trust", "sign", "signers", "--root", "root"});
  }
  // Up to what is to be signed.
  void draft(const std::string& run, const std::string& kind, const std::string& reason = "read the report") {
    chromium_->open(desk_->url() + "/set/" + run + "/finance");
    chromium_->fill("#by", "bob@xavier.example");
    chromium_->fill("#reason", reason);
    chromium_->click("button[data-kind=" + kind + "]");
    chromium_->await("!document.querySelector('#read').hidden || document.querySelector('#answer').innerText !== ''");
  }
  std::string sign() {
    chromium_->click("#sign");
    chromium_->await("['good', 'bad'].includes(document.querySelector('#answer').className)");
    return chromium_->text_of("#answer");
  }
  // What the page would send, kept from being sent.
  Json signed_and_kept() {
    chromium_->evaluate(
        "window.real = fetch; window.fetch = (path, ...more) => { if (path !== '/decision') return real(path, ...more);"
        " window.kept = more[0].body; return Promise.reject(new Error('kept')); }; 0");
    EXPECT_THAT(sign(), HasSubstr("see whether something was added")) << "nobody knows what became of it";
    return Json::parse(chromium_->evaluate("window.kept").get<std::string>());
  }
  [[nodiscard]] std::vector<Json> lines() const {
    std::vector<Json> all;
    std::istringstream text(read_file(folder_.path() / "production/.ledger/ledger.jsonl").value_or(""));
    for (std::string line; std::getline(text, line);) all.push_back(Json::parse(line));
    return all;
  }

  static inline std::unique_ptr<Chromium> chromium_;
  const TemporaryFolder folder_;
  std::unique_ptr<Desk> desk_;
};

TEST_F(DeskInBrowser, WhatIsApprovedThereIsProvenByStockSshKeygen) {
  trust_bob_and_carol();
  draft("r1", "approve", "read the report; \"fine\" <b>");
  const auto shown = chromium_->evaluate("document.querySelector('#statement').textContent").get<std::string>();
  EXPECT_THAT(shown, AllOf(StartsWith("{\"_type\":\"https://in-toto.io/Statement/v1\""),
                           HasSubstr("\"kind\":\"approve\""), HasSubstr("\\\"fine\\\" <b>")));
  EXPECT_THAT(lines(), ::testing::SizeIs(1)) << "nothing is added before it is signed";
  EXPECT_THAT(sign(), HasSubstr("Line 2 of the ledger: 'approve' by 'bob@xavier.example'."));

  // An auditor's folder: the list of signers, the statement, the signature, and no patchlab.
  const auto added = lines().at(1);
  ASSERT_EQ(added["kind"], "approve");
  const TemporaryFolder auditor;
  const auto object = folder_.path() / "production/.ledger/objects" / added["object"].get<std::string>();
  fs::copy_file(object, auditor.path() / "statement");
  fs::copy_file(object.string() + ".sig", auditor.path() / "statement.sig");
  fs::copy_file(folder_.path() / "production/.ledger/trust/1/allowed_signers", auditor.path() / "allowed_signers");
  const auto statement = read_file(auditor.path() / "statement").value();
  EXPECT_EQ(statement, shown) << "the bytes that were shown are the bytes that were signed";
  const auto verify = [&](const std::string& who, const std::string& name_space, const std::string& bytes) {
    return exit_code(run("env",
                         {"-i", "ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", who, "-n", name_space,
                          "-s", "statement.sig"},
                         auditor.path(), bytes));
  };
  EXPECT_EQ(verify("bob@xavier.example", "patchlab.approve.v1", statement), 0);
  EXPECT_NE(verify("carol@xavier.example", "patchlab.approve.v1", statement), 0);
  EXPECT_NE(verify("bob@xavier.example", "patchlab.reject.v1", statement), 0);
  auto edited = statement;
  edited.replace(edited.find("read"), 1, "R");
  EXPECT_NE(verify("bob@xavier.example", "patchlab.approve.v1", edited), 0);

  // What was decided stands on the page, and the same person is not asked for a touch in vain.
  chromium_->open(desk_->url() + "/set/r1/finance");
  EXPECT_THAT(chromium_->text_of("#decided"), HasSubstr("Approved by bob@xavier.example"));
  draft("r1", "approve");
  EXPECT_THAT(chromium_->text_of("#answer"), HasSubstr("approval-not-distinct: "));
  draft("r1", "reject", "on second thought");
  EXPECT_THAT(sign(), HasSubstr("Line 3 of the ledger: 'reject'"));
  chromium_->open(desk_->url() + "/set/r1/finance");
  EXPECT_THAT(chromium_->text_of("#decided"), HasSubstr("Rejected by bob@xavier.example"));
  EXPECT_EQ(lines().size(), 3U);
}

// The policy wants a security key that asked for a PIN; an approval with a file is one, and does not do.
TEST_F(DeskInBrowser, WhatThePolicyAsksForCanBeGivenThere) {
  const auto record = tests::good_record();
  ASSERT_TRUE(promotion::Ledger(folder_.path() / "runs" / "ledger.jsonl")
                  .append(promotion::ledger_entries(record, record.finished)));
  auto policy = read_json_file(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/policies/quickstart.json").value();
  policy["id"] = "with-a-key";
  policy["run"]["max_age_hours"] = 8784;
  policy["approvals"] = Json::array({Json{{"count", 1}, {"security_key", "verified"}}});
  const auto place = folder_.path() / "production/.ledger/policy";
  fs::create_directories(place);
  ASSERT_TRUE(write_file_atomically(place / "1.json", pretty(policy)));
  trust_bob_and_carol();
  const auto missing = [&] {
    chromium_->open(desk_->url() + "/set/r1/finance");
    return chromium_->text_of("#missing");
  };
  EXPECT_THAT(missing(), HasSubstr("approval-missing"));
  ask({"approve", "runs/r1", "--department", "finance", "--reason", "with a file", "--key", "carol"});
  EXPECT_THAT(missing(), HasSubstr("approval-missing"));
  EXPECT_THAT(chromium_->text_of("#decided"), HasSubstr("Approved by carol@xavier.example"));
  draft("r1", "approve");
  EXPECT_THAT(sign(), HasSubstr("'approve' by 'bob@xavier.example'"));
  EXPECT_THAT(missing(), Not(HasSubstr("approval-missing")));
}

TEST_F(DeskInBrowser, RefusesASignatureOfAnythingElse) {
  put_run("r2", [] {
    auto other = tests::good_record();
    other.id = "2026-11-23T060250Z-7f3a92";
    return other;
  }());
  trust_bob_and_carol();
  draft("r1", "approve");
  const auto good = signed_and_kept();
  const auto with = [&](const char* key, const std::string& value) {
    auto changed = good;
    changed[key] = value;
    return changed.dump();
  };
  const auto statement = good["statement"].get<std::string>();
  const auto instead = [&](const std::string& what, const std::string& by) {
    auto text = statement;
    text.replace(text.find(what), what.size(), by);
    return text;
  };
  const auto code = [&](const std::string& body) { return desk_->post("/decision", body).code(); };

  EXPECT_EQ(code(with("statement", instead("read", "Read"))), "statement-edited");
  EXPECT_EQ(code(with("statement", instead("approve\",\"by", "reject\",\"by"))), "statement-unreadable");
  EXPECT_EQ(code(with("statement", " " + statement)), "statement-unreadable");
  EXPECT_EQ(code(with("statement", instead("bob@", "carol@"))), "signer-differs");
  EXPECT_EQ(code(with("run", "r2")), "approval-of-other-run");
  EXPECT_EQ(code(with("run", "r3")), "run-unknown");
  EXPECT_EQ(code(with("department", "sales")), "department-unknown");
  EXPECT_EQ(code(with("signature", "")), "unsigned");
  EXPECT_EQ(code(with("signature", good["signature"].get<std::string>() + " ")), "unsigned");

  // By somebody who is on no list, with a key that is a file and with one of a browser.
  folder_.write("s", statement);
  ASSERT_EQ(exit_code(run("ssh-keygen", {"-q", "-Y", "sign", "-f", "mallory", "-n", "patchlab.approve.v1", "s"})), 0);
  EXPECT_EQ(code(with("signature", read_file(folder_.path() / "s.sig").value())), "signer-unknown");
  for (const auto& made : promotion::testing::security_key_signatures) {
    const auto expected = !made.touched       ? "security-key-not-touched"
                          : *made.origin != 0 ? "origin-differs"
                                              : "signer-unknown";
    EXPECT_EQ(code(with("signature", made.signature)), expected) << made.name;
  }
  // For another set of the same run, and under another policy.
  const auto other_set = patchlab({"decide", "--print", "approve", "r2", "--department", "finance", "--reason", "x",
                                   "--by", "carol@xavier.example"},
                                  folder_.path());
  ASSERT_EQ(exit_code(other_set), 0) << other_set.errors;
  auto forged = other_set.output;
  const auto digest = [](const std::string& text, const char* key) {
    return Json::parse(text)["predicate"][key].get<std::string>();
  };
  const auto replace = [](std::string& text, const std::string& what, const std::string& by) {
    text.replace(text.find(what), what.size(), by);
  };
  replace(forged, digest(forged, "run"), digest(statement, "run"));
  replace(forged, Json::parse(forged)["subject"][0]["digest"]["sha256"], std::string(64, '7'));
  folder_.write("f", forged);
  fs::remove(folder_.path() / "f.sig");
  ASSERT_EQ(exit_code(run("ssh-keygen", {"-q", "-Y", "sign", "-f", "carol", "-n", "patchlab.approve.v1", "f"})), 0);
  EXPECT_EQ(code(Json{{"run", "r1"},
                      {"department", "finance"},
                      {"statement", forged},
                      {"signature", read_file(folder_.path() / "f.sig").value()}}
                     .dump()),
            "approval-of-other-set");

  // Signed on a page of somebody else of the same host: the key takes it for the same place.
  Desk elsewhere(folder_.path());
  chromium_->open(elsewhere.url() + "/set/r1/finance");
  chromium_->fill("#by", "bob@xavier.example");
  chromium_->fill("#reason", "elsewhere");
  chromium_->click("button[data-kind=approve]");
  chromium_->await("!document.querySelector('#read').hidden");
  EXPECT_EQ(code(signed_and_kept().dump()), "origin-differs");

  EXPECT_EQ(lines().size(), 1U) << "nothing of all that is in the ledger";
  EXPECT_EQ(desk_->post("/decision", good.dump()).status, 200U);
  EXPECT_EQ(code(good.dump()), "approval-not-distinct") << "the same once more";
  EXPECT_EQ(lines().size(), 2U);
  fs::create_directories(folder_.path() / "production/.ledger/policy");
  auto policy = read_file(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/policies/quickstart.json").value();
  replace(policy, "\"id\": \"quickstart\"", "\"id\": \"another\"");
  ASSERT_TRUE(write_file_atomically(folder_.path() / "production/.ledger/policy/1.json", policy));
  EXPECT_EQ(code(good.dump()), "approval-of-other-policy");
}

TEST_F(DeskInBrowser, AsksNobodyWhoseKeyDoesNotFit) {
  chromium_->open(desk_->url() + "/set/r1/finance");
  EXPECT_THAT(chromium_->text_of("#do"), HasSubstr("Nobody has a security key for pages of localhost"));
  trust_bob_and_carol();
  chromium_->plug_in_a_key();
  ASSERT_THAT(enrol("mallory@xavier.example"), StartsWith("sk-ecdsa-sha2-nistp256@openssh.com "));
  draft("r1", "approve");
  EXPECT_THAT(sign(), HasSubstr("is not the one that the list of signers has for you"));
  chromium_->plug_in_a_key(false);
  EXPECT_THAT(sign(), HasSubstr("Nothing was signed: "));
  EXPECT_EQ(lines().size(), 1U);
  EXPECT_EQ(desk_
                ->post("/draft", Json{{"run", "r1"},
                                      {"department", "finance"},
                                      {"kind", "approve"},
                                      {"by", "carol@xavier.example"},
                                      {"reason", "x"}}
                                     .dump())
                .code(),
            "signer-unknown")
      << "her key is a file";
}

// A desk that drafts something else than what the person chose, or than the page is about.
TEST_F(DeskInBrowser, ShowsNoStatementThatIsNotWhatWasAskedFor) {
  trust_bob_and_carol();
  for (const char* change :
       {"s.predicate.kind = 'reject'", "s.predicate.by = 'carol@xavier.example'", "s.predicate.reason = 'all is well'",
        "s.predicate.run = '7'.repeat(64)", "s.predicate.policy = '7'.repeat(64)",
        "s.subject[0].digest.sha256 = '7'.repeat(64)", "s.subject[0].name = 'sales'", "s.subject.push(s.subject[0])"}) {
    chromium_->open(desk_->url() + "/set/r1/finance");
    chromium_->evaluate(
        std::string("window.real = fetch; window.fetch = async (...asked) => { const reply = await "
                    "real(...asked); const draft = await reply.json(); const s = JSON.parse(draft.statement); ") +
        change + "; draft.statement = JSON.stringify(s) + '\\n'; return {ok: true, json: async () => draft}; }; 0");
    chromium_->fill("#by", "bob@xavier.example");
    chromium_->fill("#reason", "read the report");
    chromium_->click("button[data-kind=approve]");
    chromium_->await("document.querySelector('#answer').innerText !== '' || !document.querySelector('#read').hidden");
    EXPECT_THAT(chromium_->text_of("#answer"), HasSubstr("something changed since this page was loaded")) << change;
    EXPECT_EQ(chromium_->evaluate("document.querySelector('#read').hidden"), true) << change;
  }
}

TEST_F(DeskInBrowser, AnswersToItsNameAndItsPagesOnly) {
  EXPECT_EQ(desk_->get("/").status, 200U);
  const auto page = desk_->get("/set/r1/finance");
  EXPECT_EQ(page.status, 200U);
  EXPECT_THAT(page.headers.at("Content-Security-Policy"),
              AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("unsafe"))));
  EXPECT_EQ(page.headers.count("Set-Cookie"), 0U);
  for (const char* host : {"evil.example", "127.0.0.1", "localhost", "localhost:1", "LOCALHOST.evil.example", " "})
    EXPECT_EQ(desk_->get("/", host).status, 421U) << host;
  const auto body = Json{{"run", "r1"}}.dump();
  for (const char* origin : {"https://evil.example", "null", "http://localhost", "http://127.0.0.1:8443", ""})
    EXPECT_EQ(desk_->post("/decision", body, origin).code(), "origin-not-ours") << origin;
  EXPECT_EQ(desk_->post("/decision", body).code(), "body-malformed");
  EXPECT_EQ(desk_->post("/decision", std::string(10U << 20U, ' ')).status, 413U);
  EXPECT_EQ(desk_->post("/", "{}").status, 405U);
  EXPECT_EQ(desk_->get("/decision").status, 405U);
  for (const char* path : {"/nothing", "/set/r1/sales", "/set/../r1/finance", "/set/r1%2f/finance", "/set/runs/finance",
                           "http://localhost/", "*"})
    EXPECT_EQ(desk_->get(path).status, 404U) << path;
  // The browser itself, on a page of another place of this very host.
  Desk elsewhere(folder_.path());
  chromium_->open(elsewhere.url() + "/");
  chromium_->call("Page.setBypassCSP", {{"enabled", true}});
  chromium_->open(elsewhere.url() + "/");
  const auto tried = chromium_->evaluate("fetch('" + desk_->url() +
                                         "/decision', {method: 'POST', headers: {'Content-Type': 'application/json'}, "
                                         "body: '{}'}).then(reply => 'read ' + reply.status, error => 'refused')");
  EXPECT_EQ(tried, "refused");
  const auto framed = chromium_->evaluate(
      "new Promise(done => { const frame = document.createElement('iframe'); frame.src = '" + desk_->url() +
      "/'; frame.onload = () => done(frame.contentDocument === null ? 'closed' : 'open'); document.body.append(frame); "
      "})");
  EXPECT_EQ(framed, "closed");
  chromium_->call("Page.setBypassCSP", {{"enabled", false}});
  EXPECT_FALSE(fs::exists(folder_.path() / "production/.ledger/ledger.jsonl"));
}

TEST_F(DeskInBrowser, SlowAndSilentOnesHoldUpNobody) {
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 300; ++i) idle.push_back(desk_->connect());
  EXPECT_EQ(desk_->get("/desk.css").status, 200U);
  auto slow = desk_->connect();
  boost::asio::write(slow, boost::asio::buffer(std::string("GET / HTTP/1.1\r\nHost: ")));
  EXPECT_EQ(desk_->get("/desk.css").status, 200U);
  for (const std::string& garbage :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), std::string("GET / HTTP/9.9\r\n\r\n"),
        "GET / HTTP/1.1\r\n" + std::string(100000, 'x') + ": y\r\n\r\n",
        std::string("POST /draft HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST /draft HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
        std::string("POST /draft HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")}) {
    auto socket = desk_->connect();
    boost::beast::error_code ignored;
    boost::asio::write(socket, boost::asio::buffer(garbage), ignored);
    EXPECT_EQ(desk_->get("/desk.css").status, 200U);
  }
  desk_->child().send_signal(SIGTERM);
  const auto end = desk_->child().wait(std::chrono::seconds(10));
  EXPECT_TRUE(end.succeeded()) << end.describe() << end.errors;
}

TEST_F(DeskInBrowser, PagesCanBeReadByEverybody) {
  trust_bob_and_carol();
  const auto check = [&](const std::string& what) {
    for (const unsigned width : {390U, 1280U}) {
      for (const char* scheme : {"light", "dark"}) {
        chromium_->width(width, scheme);
        EXPECT_EQ(chromium_->evaluate(page_audit), Json::array()) << what << " at " << width << ", " << scheme;
        EXPECT_THAT(ask_axe(*chromium_, "desk: " + what, fmt::format("{} {}", width, scheme)), IsEmpty()) << what;
        EXPECT_EQ(chromium_->evaluate("document.querySelector('[style], style, script:not([src])')"), Json()) << what;
        if (const char* folder = std::getenv("PATCHLAB_PICTURES"))
          std::ofstream(fs::path(folder) / fmt::format("{}-{}-{}.b64", what, width, scheme)) << chromium_->picture();
      }
    }
    EXPECT_THAT(patchlab::testing::without_a_name(*chromium_), IsEmpty()) << what;
  };
  chromium_->open(desk_->url() + "/");
  check("list");
  chromium_->open(desk_->url() + "/enrol");
  check("enrol");
  chromium_->open(desk_->url() + "/set/r1/finance");
  check("set");
  draft("r1", "approve");
  check("statement");
  EXPECT_EQ(chromium_->evaluate("document.activeElement.id"), "signed-title");
  sign();
  check("signed");
  chromium_->open(desk_->url() + "/nothing");
  EXPECT_EQ(chromium_->text_of("h1"), "There is no such page");
}

TEST_F(DeskInBrowser, PagesNeedNoScriptsToBeRead) {
  trust_bob_and_carol();
  chromium_->width(390);
  chromium_->call("Emulation.setScriptExecutionDisabled", {{"value", true}});
  chromium_->open(desk_->url() + "/");
  EXPECT_THAT(chromium_->text_of("main"), HasSubstr("finance: 2 patches"));
  chromium_->open(desk_->url() + "/set/r1/finance");
  const auto text = chromium_->text_of("main");
  std::size_t last = 0;
  for (const char* heading : {"What\n", "Why it matters", "Where it was tested", "What differs", "What is waived",
                              "Who decided so far", "What is missing", "What to do"}) {
    const auto at = text.find(heading, last);
    EXPECT_NE(at, std::string::npos) << heading;
    if (at != std::string::npos) last = at;
  }
  EXPECT_THAT(text,
              AllOf(HasSubstr("DNS server update"), HasSubstr("patchlab approve r1 --department finance --stage ")));
  EXPECT_THAT(text, Not(HasSubstr("You are")));
  EXPECT_EQ(chromium_->evaluate("document.documentElement.scrollWidth"), 390);
  chromium_->call("Emulation.setScriptExecutionDisabled", {{"value", false}});
}

}  // namespace
}  // namespace patchlab::e2e
