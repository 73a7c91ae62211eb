// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "found_run.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/web/server.hpp"
#include "people.hpp"
#include "process/page/answers.hpp"
#include "process/page/asked.hpp"
#include "program.hpp"
#include "served.hpp"
#include "tests/support/chromium.hpp"
#include "tests/support/history_folder.hpp"
#include "tests/support/page_audit.hpp"
#include "tests/support/page_facts.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"

// The page in a real Chromium: once with facts of every kind and a real index, once served by the built program.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
namespace page = process::page;
using patchlab::testing::Chromium;
using patchlab::testing::page_audit;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
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
        EXPECT_EQ(chromium_->evaluate("document.querySelector('[style], style, script')"), Json()) << name;
        if (const char* folder = std::getenv("PATCHLAB_PICTURES"))
          std::ofstream(fs::path(folder) / fmt::format("{}-{}-{}.b64", name, width, scheme)) << chromium_->picture();
      }
    }
    EXPECT_THAT(patchlab::testing::without_a_name(*chromium_), IsEmpty()) << name;
    // For tests/e2e/axe, which asks the original about files.
    if (const char* folder = std::getenv("PATCHLAB_PICTURES")) {
      auto html = chromium_->evaluate("document.documentElement.outerHTML").get<std::string>();
      const std::string link = "<link rel=\"stylesheet\" href=\"/page.css\">";
      if (const auto at = html.find(link); at != std::string::npos)
        html.replace(at, link.size(), "<link rel=\"stylesheet\" href=\"page.css\">");
      std::ofstream(fs::path(folder) / (name + ".html")) << "<!DOCTYPE html>\n" << html;
      fs::copy_file(fs::path(PATCHLAB_SOURCE_DIR) / "process/page/page.css", fs::path(folder) / "page.css",
                    fs::copy_options::overwrite_existing);
    }
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
