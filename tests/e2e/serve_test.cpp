// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "found_run.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/text.hpp"
#include "lab/web/server.hpp"
#include "people.hpp"
#include "process/page/answers.hpp"
#include "process/page/asked.hpp"
#include "program.hpp"
#include "served.hpp"
#include "tests/support/axe.hpp"
#include "tests/support/chromium.hpp"
#include "tests/support/history_folder.hpp"
#include "tests/support/page_audit.hpp"
#include "tests/support/page_facts.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/tcp_listener.hpp"

// The page in a real Chromium: once with facts of every kind and a real index, once served by the built program.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
namespace page = process::page;
using patchlab::testing::ask_axe;
using patchlab::testing::Chromium;
using patchlab::testing::page_audit;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Words = std::vector<std::string>;

// All pages, with what they show made by hand, and an index of runs and a ledger of files.
class PagesInBrowser : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!patchlab::testing::is_missing("chromium")) chromium_ = std::make_unique<Chromium>();
  }
  static void TearDownTestSuite() { chromium_.reset(); }
  void SetUp() override {
    if (chromium_ == nullptr) GTEST_SKIP() << "chromium is not installed";
    const auto good = tests::begun_at(tests::good_record(), "2026-11-28T22:00:00.000Z");
    const auto bad = tests::begun_at(tests::held_back_record(), "2026-11-29T22:00:00.000Z");
    run_ = bad.id;
    for (const auto& record : {good, bad}) {
      folder_.put(record);
      folder_.begin(record);
      folder_.end(record);
    }
    folder_.decide(promotion::StatementKind::approve, "bob@xavier.example", good);
    const auto promoted = folder_.promote(good);
    folder_.say_installed(promoted, {{"fin-dns1",
                                      "2026-11-29T08:00:00Z",
                                      {{"dns-update", "bind9", "1:9.18.49", "1:9.18.49",
                                        promotion::InstalledState::as_promoted, "2026-11-29T02:10:00Z"}}}});
    auto index = history::HistoryIndex::open(folder_.place(), folder_.sources());
    ASSERT_TRUE(index) << index.error().message;
    serve(tests::page_facts());
  }
  void TearDown() override { stop(); }

  void serve(page::Facts facts) {
    stop();
    facts_ = std::make_shared<const page::Facts>(std::move(facts));
    auto server = lab::web::Server::listen("127.0.0.1", 0);
    ASSERT_TRUE(server) << server.error().message;
    url_ = fmt::format("http://localhost:{}", server->port());
    thread_ = std::jthread([this, running = std::move(*server)](const std::stop_token& stop) mutable {
      const page::Answers answers({lab::web::read_origin(url_).value(), "", folder_.place()},
                                  [this] { return facts_; });
      running.run([&](const lab::web::WebRequest& request) { return answers.answer(request); }, stop,
                  lab::web::Server::Signals::ignore, [](const std::string& bug) { ADD_FAILURE() << bug; });
    });
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }
  void expect_readable(const std::string& path, const std::string& name) {
    chromium_->open(url_ + path);
    for (const unsigned width : {390U, 1280U}) {
      for (const char* scheme : {"light", "dark"}) {
        chromium_->width(width, scheme);
        EXPECT_EQ(chromium_->evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; }); 0"),
                  0);
        EXPECT_EQ(chromium_->evaluate(page_audit), Json::array()) << name << " at " << width << ", " << scheme;
        EXPECT_THAT(ask_axe(*chromium_, "serve: " + name, fmt::format("{} {}", width, scheme)), IsEmpty()) << name;
        EXPECT_EQ(chromium_->evaluate("document.querySelector('[style], style, script')"), Json()) << name;
        EXPECT_EQ(chromium_->evaluate("[...document.querySelectorAll('td > .label')].filter(one => "
                                      "one.getClientRects().length && !one.nextSibling.textContent.trim()).length"),
                  0)
            << name << " names what has no value, at " << width;
        if (const char* folder = std::getenv("PATCHLAB_PICTURES"))
          std::ofstream(fs::path(folder) / fmt::format("{}-{}-{}.b64", name, width, scheme)) << chromium_->picture();
      }
    }
    EXPECT_THAT(patchlab::testing::without_a_name(*chromium_), IsEmpty()) << name;
  }

  static inline std::unique_ptr<Chromium> chromium_;
  tests::HistoryFolder folder_;
  std::shared_ptr<const page::Facts> facts_;
  std::string url_;
  std::string run_;
  std::jthread thread_;
};

TEST_F(PagesInBrowser, CanBeReadByEverybodyAtBothWidths) {
  expect_readable("/", "today");
  EXPECT_GT(chromium_->evaluate("document.querySelectorAll('#monday .word').length"), 1) << "options stay whole";
  EXPECT_THAT(chromium_->text_of("#steps"),
              AllOf(HasSubstr("2 updates missing on 2 machines"), HasSubstr("1 of 2 differ")));
  expect_readable("/runs", "runs");
  expect_readable("/run/" + run_, "run");
  EXPECT_THAT(chromium_->text_of("#verdicts"), HasSubstr("breaks mail/deliver"));
  EXPECT_THAT(chromium_->text_of("#changes"), HasSubstr("Since run"));
  expect_readable("/candidates", "candidates");
  expect_readable("/candidate/dns-update", "candidate");
  expect_readable("/departments", "departments");
  expect_readable("/department/finance", "department");
  expect_readable("/reports", "reports");
  expect_readable("/compliance", "compliance");
  expect_readable("/nothing", "nothing");
  EXPECT_EQ(chromium_->text_of("h1"), "There is no such page");
}

TEST_F(PagesInBrowser, TellTheStoryOfAPatchFromTheFeedToTheMachineOnOneScreen) {
  chromium_->width(1280);
  chromium_->open(url_ + "/candidate/dns-update");
  const auto text = chromium_->text_of("#story");
  std::size_t last = 0;
  for (const char* part : {"1 detect", "CVE-2026-1234", "3 acquire", "4 test", "approve by bob@xavier.example",
                           "promote-done", "5 deploy", "finance/fin-dns1: bind9 as-promoted", "6 maintain"}) {
    const auto at = text.find(part, last);
    EXPECT_NE(at, std::string::npos) << part << " in " << text;
    if (at != std::string::npos) last = at;
  }
  const auto height = chromium_->evaluate("document.querySelector('#story').getBoundingClientRect().height");
  EXPECT_LT(height.get<double>(), 1200) << "a story that must be scrolled is read by nobody";
}

TEST_F(PagesInBrowser, AreReadableWhenNothingIsKnown) {
  serve(tests::nothing_known());
  expect_readable("/", "unknown-today");
  EXPECT_THAT(chromium_->text_of("main"),
              AllOf(HasSubstr("6 things are not known"), Not(HasSubstr("nothing missing"))));
  expect_readable("/compliance", "unknown-compliance");
  expect_readable("/runs", "unknown-runs");
}

// The built program, over a run that has just ended, with signatures.
const Json one_person = Json::parse(R"({
  "schema": "patchlab/policy/v1", "id": "production", "author": "owner@x",
  "valid_since": "2020-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z",
  "approvals": [{"count": 1, "not_by": ["submitter", "policy-author"]}]})");

class ServeCommand : public ::testing::Test {
 protected:
  ServeCommand() : people_(folder_.path(), one_person) {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
    ::unsetenv("PATCHLAB_HISTORY");
    make_found_run(folder_.path(), tests::good_record());
  }
  ~ServeCommand() override { ::unsetenv("PATCHLAB_CACHE"); }
  Words words(const Words& more = {}) const {
    Words all{"serve", "--listen", "127.0.0.1:0"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string body(Served& served, const std::string& path, unsigned status = 200) const {
    const auto reply = served.get(path);
    EXPECT_EQ(reply.status, status) << path << ": " << reply.body;
    return reply.body;
  }

  // The sample run with packages that dpkg takes; of these machines can say that they have them.
  void find_packages(const std::string& run) const {
    auto record = tests::good_record();
    record.id = run;
    std::map<std::string, std::string> bytes;
    for (const auto& [id, package, version] : std::initializer_list<std::array<const char*, 3>>{
             {"dns-update", "bind9x", "1:9.18+patchlab1"}, {"tidy", "tidy", "2.0"}}) {
      fs::create_directories(folder_.path() / id / "DEBIAN");
      folder_.write(std::string(id) + "/DEBIAN/control",
                    fmt::format("Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: nobody <n@example>\n"
                                "Description: none\n",
                                package, version));
      ProcessSpec spec;
      spec.program = "dpkg-deb";
      spec.arguments = {"--root-owner-group", "-b", id, std::string(id) + ".deb"};
      spec.working_folder = folder_.path();
      ASSERT_EQ(exit_code(host_processes().run(spec)), 0);
      bytes[id] = read_file(folder_.path() / (std::string(id) + ".deb")).value();
      const auto candidate = std::ranges::find(record.candidates, std::string(id), &reports::CandidateRecord::id);
      candidate->files = {{candidate->files.front().name, sha256(bytes[id]), bytes[id].size()}};
    }
    make_found_run(folder_.path(), record, bytes);
  }
  void done(const Words& words) const {
    const auto outcome = patchlab(words, folder_.path());
    ASSERT_EQ(exit_code(outcome), 0) << outcome.output << outcome.errors;
  }

  const TemporaryFolder folder_;
  People people_;
};

// The whole way by the built program: approved, promoted, said by machines, and a scan that lacks something else.
TEST_F(ServeCommand, ShowsThePatchOnItsWayToTheMachine) {
  const std::string run = "2099-run";
  ASSERT_NO_FATAL_FAILURE(find_packages(run));
  people_.approve("bob", {run, "--department", "finance"});
  done({"promote", run, "--sign-with", "lab"});
  const auto record = [&](const std::string& machine, const std::string& tidy) {
    folder_.write(machine, "bind9x\t1:9.18+patchlab1\tii \ndpkg\t1.21\tii \ntidy\t" + tidy + "\tii \n");
    done({"deploy", "record", "production", machine, "--department", "finance", "--machine", machine});
  };
  ASSERT_NO_FATAL_FAILURE(record("dns1", "2.0"));
  ASSERT_NO_FATAL_FAILURE(record("mail1", "1.0"));
  Served served(folder_.path(), words());
  const auto department = body(served, "/department/finance");
  EXPECT_THAT(department, AllOf(HasSubstr("1 of 2 differ"), HasSubstr("tidy: older, has 1.0, promoted 2.0")));
  EXPECT_THAT(department, HasSubstr("Serial 1 of run <a href=\"/run/2099-run\">"));
  const auto tidy = body(served, "/candidate/tidy");
  EXPECT_THAT(tidy, AllOf(HasSubstr("approve by bob@x"), HasSubstr("promote-done by lab@x, serial 1"),
                          HasSubstr("differs on 1 machine"), HasSubstr("finance/dns1: tidy as-promoted, has 2.0"),
                          HasSubstr("finance/mail1: tidy older, has 1.0")));
  EXPECT_THAT(body(served, "/candidate/dns-update"), HasSubstr("2 of 2 have it"));
  EXPECT_THAT(body(served, "/"), HasSubstr("1 of 2 differ"));
}

TEST_F(ServeCommand, ShowsWhatWaitsAndOnlyShows) {
  const auto before = read_file(folder_.path() / "production/.ledger/ledger.jsonl").value();
  Served served(folder_.path(), words());
  const auto today = body(served, "/");
  EXPECT_THAT(today, AllOf(HasSubstr("approval-missing"), HasSubstr("<span>patchlab</span> <span>approve</span>"),
                           HasSubstr("bob@x")));
  EXPECT_THAT(today, AllOf(HasSubstr("no file of &#39;patchlab scan --output FILE&#39; was named with --scan"),
                           Not(HasSubstr("nothing missing"))));
  EXPECT_THAT(today, HasSubstr("feeds of the lab: none in")) << "that there are none is no good sign";
  const auto id = tests::good_record().id;
  EXPECT_THAT(body(served, "/runs"), HasSubstr("/run/" + id));
  EXPECT_THAT(body(served, "/run/" + id), HasSubstr("DNS server update"));
  EXPECT_THAT(body(served, "/candidates"), HasSubstr("/candidate/dns-update"));
  EXPECT_THAT(body(served, "/candidate/dns-update"), HasSubstr("passes in 1 department"));
  EXPECT_THAT(body(served, "/department/finance"), HasSubstr("What is missing"));
  EXPECT_THAT(body(served, "/compliance"), HasSubstr("PCI DSS 4.0.1"));
  body(served, "/run/nosuch", 404);
  body(served, "/candidate/nosuch", 404);
  body(served, "/department/nosuch", 404);
  body(served, "/download/nosuch.csv", 404);
  EXPECT_THAT(body(served, "/download/missing.csv", 503), HasSubstr("not-known"));
  EXPECT_EQ(served.post("/", "{}").status, 405U);
  EXPECT_EQ(served.post("/", "{}").headers.at("Allow"), "GET");
  EXPECT_EQ(served.get("/", "evil.example").status, 421U);
  const auto reply = served.get("/");
  EXPECT_EQ(reply.headers.count("Set-Cookie"), 0U);
  EXPECT_THAT(reply.headers.at("Content-Security-Policy"),
              AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("script-src")), Not(HasSubstr("unsafe"))));
  const auto file = served.get("/download/success.csv");
  EXPECT_EQ(file.status, 200U);
  EXPECT_THAT(file.headers.at("Content-Disposition"), HasSubstr("attachment; filename=\"patchlab-success-"));
  EXPECT_THAT(file.body, HasSubstr("finance,dns-update,1,0,0,0,1.0000"));
  served.child().send_signal(SIGTERM);
  const auto end = served.child().wait(std::chrono::seconds(20));
  EXPECT_TRUE(end.succeeded()) << end.describe() << end.errors;
  EXPECT_EQ(read_file(folder_.path() / "production/.ledger/ledger.jsonl").value(), before);
}

TEST_F(ServeCommand, LooksAgainAndShowsWhatIsNew) {
  folder_.write("scan.json", "{}");
  Served served(folder_.path(), words({"--refresh", "1", "--scan", "scan.json"}));
  EXPECT_THAT(body(served, "/"), HasSubstr("is not what &#39;patchlab scan --output&#39; writes"));
  people_.approve("bob", {tests::good_record().id, "--department", "finance"});
  const auto waited = wait_until(system_clock_source(),
                                 {.awaited = "the approval on the page",
                                  .deadline = std::chrono::seconds(60),
                                  .interval = Milliseconds(200),
                                  .last_seen = [] { return std::string(); }},
                                 [&] { return body(served, "/").find("may be promoted") != std::string::npos; });
  EXPECT_TRUE(waited) << waited.error().message;
  EXPECT_THAT(body(served, "/candidate/dns-update"), HasSubstr("approve by bob@x"));
}

TEST_F(ServeCommand, AnswersWhomTheProxyNamesAlone) {
  Served served(folder_.path(), words({"--sign-in", "X-Remote-User"}));
  const auto nobody = served.get("/");
  EXPECT_EQ(nobody.status, 401U);
  EXPECT_THAT(nobody.body, Not(HasSubstr(folder_.path().string())));
  EXPECT_EQ(served.get("/page.css").status, 200U);
  namespace http = boost::beast::http;
  http::request<http::string_body> request{http::verb::get, "/", 11};
  request.set(http::field::host, "localhost:" + served.port());
  request.insert("X-Remote-User", "bob@x");
  const auto bob = served.send(request);
  EXPECT_EQ(bob.status, 200U);
  EXPECT_THAT(bob.body, AllOf(HasSubstr("signed in as bob@x"), HasSubstr("waits for you")));
  request.insert("X-Remote-User", "carol@x");
  EXPECT_EQ(served.send(request).status, 401U) << "one of the two is the client's own";
}

// The reverse proxy of docs/process/page.md, in a real nginx, word for word but for its places.
class ServeBehindNginx : public ServeCommand {
 protected:
  static constexpr const char* nginx = "/usr/sbin/nginx";
  static constexpr const char* name = "patches.xavier.example";

  void SetUp() override {
    for (const char* program : {nginx, "openssl"}) {
      if (patchlab::testing::is_missing(program)) GTEST_SKIP() << program << " is not installed";
    }
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             fmt::format("/CN={}", name), "-addext", fmt::format("subjectAltName=DNS:{}", name), "-keyout",
             "patches.key", "-out", "patches.pem"});
    // Authorities of one name with keys of their own. All people have one key: nothing but the certificate is at stake.
    for (const char* authority : {"people-ca", "other-ca"})
      openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
               "/CN=people", "-keyout", std::string(authority) + ".key", "-out", std::string(authority) + ".pem"});
    openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "person.key"});
    folder_.write("index", "");
    folder_.write("ca.cnf",
                  "[ca]\ndefault_ca = people\n[people]\nnew_certs_dir = .\ndatabase = index\nrand_serial = yes\n"
                  "unique_subject = no\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = supplied\n"
                  "organizationName = optional\norganizationalUnitName = optional\n");
    const auto ours = test::TcpListener().port();
    port_ = test::TcpListener().port();
    served_.emplace(folder_.path(), Words{"serve", "--listen", fmt::format("127.0.0.1:{}", ours), "--origin",
                                          fmt::format("https://{}", name), "--sign-in", "X-Remote-User"});
    ASSERT_NO_FATAL_FAILURE(start_nginx(ours));
  }

  void openssl(const Words& words) const {
    ProcessSpec spec;
    spec.program = "openssl";
    spec.arguments = words;
    spec.working_folder = folder_.path();
    const auto outcome = host_processes().run(spec);
    ASSERT_TRUE(outcome.succeeded()) << outcome.errors;
  }
  // The options of openssl's client for a certificate: whose, from whom, and when it holds.
  [[nodiscard]] Words certificate(const std::string& subject, const std::string& authority = "people-ca",
                                  const char* begin = "20200101000000Z", const char* end = "20990101000000Z") {
    const auto file = fmt::format("person-{}", ++people_made_);
    openssl({"req", "-new", "-key", "person.key", "-subj", subject, "-out", file + ".csr"});
    openssl({"ca", "-batch", "-config", "ca.cnf", "-cert", authority + ".pem", "-keyfile", authority + ".key",
             "-preserveDN", "-notext", "-startdate", begin, "-enddate", end, "-in", file + ".csr", "-out",
             file + ".pem"});
    return {"-cert", file + ".pem", "-key", "person.key"};
  }
  // What comes back over TLS, by openssl's own client, which wants to know whom it talks to.
  [[nodiscard]] std::string ask(const Words& certificate, const std::string& more = {}) const {
    ProcessSpec spec;
    spec.program = "openssl";
    spec.arguments = {"s_client",
                      "-quiet",
                      "-connect",
                      fmt::format("127.0.0.1:{}", port_),
                      "-CAfile",
                      "patches.pem",
                      "-verify_return_error",
                      "-verify_hostname",
                      name,
                      "-servername",
                      name};
    spec.arguments.insert(spec.arguments.end(), certificate.begin(), certificate.end());
    spec.working_folder = folder_.path();
    spec.input = fmt::format("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n", name, more);
    spec.time_limit = std::chrono::seconds(60);
    return host_processes().run(spec).output;
  }

 private:
  void start_nginx(std::uint16_t behind) {
    std::string server;
    const auto document = read_file(fs::path(PATCHLAB_SOURCE_DIR) / "docs/process/page.md").value();
    const auto begin = document.find("\n    map $ssl_client_s_dn ") + 1;
    for (const auto line : split(std::string_view(document).substr(begin), '\n')) {
      if (!line.starts_with("    ")) break;
      server += std::string(line) + "\n";
    }
    const auto put = [&](const std::string& what, const std::string& instead) {
      const auto at = server.find(what);
      ASSERT_NE(at, std::string::npos) << what << " in " << server;
      server.replace(at, what.size(), instead);
    };
    for (const char* file : {"patches.pem", "patches.key", "people-ca.pem"})
      put(std::string("/etc/ssl/") + file, (folder_.path() / file).string());
    put("listen 443 ssl", fmt::format("listen 127.0.0.1:{} ssl", port_));
    put("http://127.0.0.1:8444", fmt::format("http://127.0.0.1:{}", behind));
    std::string temporary;
    for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      temporary += fmt::format("{}_temp_path {}/nginx-{};\n", what, folder_.path().string(), what);
    folder_.write("nginx.conf", fmt::format("daemon off;\nmaster_process off;\npid {}/nginx.pid;\nevents {{}}\n"
                                            "http {{\naccess_log off;\n{}{}}}\n",
                                            folder_.path().string(), temporary, server));
    ProcessSpec spec;
    spec.program = nginx;
    spec.arguments = {"-p", folder_.path().string(), "-c", "nginx.conf", "-e", "stderr"};
    auto started = ChildProcess::start(spec, folder_.path() / "nginx.log");
    ASSERT_TRUE(started) << started.error().message;
    nginx_.emplace(std::move(*started));
    const auto waited = wait_until(system_clock_source(),
                                   {.awaited = "nginx",
                                    .deadline = std::chrono::seconds(60),
                                    .interval = Milliseconds(20),
                                    .last_seen = [&] { return read_file(folder_.path() / "nginx.log").value_or(""); }},
                                   [&] { return ask({}).starts_with("HTTP/1.1 "); });
    ASSERT_TRUE(waited) << waited.error().message;
  }

  std::optional<Served> served_;
  std::optional<ChildProcess> nginx_;
  std::uint16_t port_ = 0;
  int people_made_ = 0;
};

TEST_F(ServeBehindNginx, PeopleAreWhoTheirCertificateNames) {
  const auto bob = certificate("/O=Xavier/CN=bob@x");
  const auto seen = AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("signed in as bob@x"), HasSubstr("waits for you"));
  EXPECT_THAT(ask(bob), seen);
  EXPECT_THAT(ask(bob, "X-Remote-User: carol@x\r\n"), seen) << "what a client says of itself does not come through";
  // A name elsewhere in the certificate is none.
  EXPECT_THAT(ask(certificate("/OU=CN=bob@x/CN=mallory@x")), HasSubstr("signed in as mallory@x"));
  for (const char* subject : {"/CN=mallory@x/OU=CN=bob@x", "/CN=mallory@x/OU=,CN=bob@x", "/CN=bob@x\\,CN=carol@x"})
    EXPECT_THAT(ask(certificate(subject)), AllOf(StartsWith("HTTP/1.1 401 "), Not(HasSubstr("signed in as"))))
        << subject;
}

TEST_F(ServeBehindNginx, NobodyComesInWithoutACertificateThatHolds) {
  const auto refused = [](const char* why) {
    return AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr(why), Not(HasSubstr("patchlab")));
  };
  EXPECT_THAT(ask(certificate("/CN=bob@x")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask({}), refused("No required SSL certificate was sent"));
  EXPECT_THAT(ask({}, "X-Remote-User: bob@x\r\n"), refused("No required SSL certificate was sent"));
  const auto bad = "The SSL certificate error";
  EXPECT_THAT(ask(certificate("/CN=bob@x", "other-ca")), refused(bad)) << "of an authority that has the same name";
  EXPECT_THAT(ask(certificate("/CN=bob@x", "people-ca", "20200101000000Z", "20200102000000Z")), refused(bad));
  EXPECT_THAT(ask(certificate("/CN=bob@x", "people-ca", "20980101000000Z")), refused(bad)) << "of tomorrow";
}

TEST_F(ServeCommand, RefusesToBeReachedByOthersOrSignedInByBrowsers) {
  const auto refused = [&](const Words& more, const std::string& why) {
    Words all{"serve"};
    all.insert(all.end(), more.begin(), more.end());
    const auto outcome = patchlab(all, folder_.path());
    EXPECT_EQ(exit_code(outcome), 64) << outcome.output;
    EXPECT_THAT(outcome.errors, HasSubstr(why));
  };
  refused({"--listen", "0.0.0.0:0"}, "is not this host alone");
  refused({"--listen", "[::]:0"}, "is not this host alone");
  refused({"--listen", "nowhere"}, "is no place to listen on");
  refused({"--listen", "127.0.0.1:0", "--sign-in", "Cookie"}, "is no header field that only a reverse proxy sets");
  refused({"--listen", "127.0.0.1:0", "--origin", "ftp://x"}, "is no origin");
  refused({"--listen", "127.0.0.1:0", "--history", "mysql://x"}, "--history");
}

}  // namespace
}  // namespace patchlab::e2e
