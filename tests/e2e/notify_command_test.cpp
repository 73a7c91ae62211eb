// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <thread>

#include "found_run.hpp"
#include "killed.hpp"
#include "lab/core/file_lock.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "people.hpp"
#include "program.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/receivers.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/tcp_listener.hpp"

// `patchlab notify` by the built program, told to real servers.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::http_answer;
using test::HttpReceiver;
using test::HttpRequest;
using test::SmtpReceiver;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Words = std::vector<std::string>;

class NotifyCommand : public ::testing::Test {
 protected:
  NotifyCommand() : people_(folder_.path(), one_person()) {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    for (const char* name : {"PATCHLAB_RUNS", "PATCHLAB_NOTIFY", "MONITOR_INVOCATION_ID"}) ::unsetenv(name);
    fs::create_directories(folder_.path() / "cache");
    fs::permissions(folder_.path() / "cache", fs::perms::owner_all);
    fs::create_directories(folder_.path() / "runs");
    shell("echo \"whsec_$(openssl rand -base64 32)\" >secret && chmod 600 secret");
  }
  ~NotifyCommand() override {
    for (const char* name : {"PATCHLAB_CACHE", "MONITOR_INVOCATION_ID", "MONITOR_SERVICE_RESULT", "MONITOR_EXIT_CODE",
                             "MONITOR_EXIT_STATUS"})
      ::unsetenv(name);
  }

  [[nodiscard]] static Json webhook(std::uint16_t port) {
    return {{"name", "siem"},
            {"kind", "webhook"},
            {"url", fmt::format("http://127.0.0.1:{}/hook", port)},
            {"secret_file", "secret"},
            {"timeout_s", 5}};
  }
  [[nodiscard]] static Json mail(std::uint16_t port, int digest_minutes = 0) {
    return {{"name", "people"},         {"kind", "mail"},
            {"server", "127.0.0.1"},    {"port", port},
            {"security", "none"},       {"from", "lab@example.org"},
            {"to", {"qa@example.org"}}, {"digest_minutes", digest_minutes}};
  }
  void configure(const std::vector<Json>& receivers) const {
    folder_.write("notify.json", Json{{"schema", "patchlab/notify/v1"},
                                      {"source", "/xavier.example/lab1"},
                                      {"outbox", "outbox"},
                                      {"look_at", {{"stage", "production"}, {"runs", "runs"}, {"night", false}}},
                                      {"receivers", Json(receivers)},
                                      {"retry", {{"first_s", 1}, {"most_s", 1}}}}
                                     .dump());
  }
  [[nodiscard]] ProcessOutcome notify(Words more = {}) const {
    more.insert(more.begin(), {"notify", "--config", "notify.json"});
    return patchlab(more, folder_.path());
  }
  void expect_quiet() const {
    const auto outcome = notify();
    ASSERT_EQ(exit_code(outcome), 0) << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr("nothing is new"));
  }
  std::string shell(const std::string& command) const {
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", command};
    spec.working_folder = folder_.path();
    const auto outcome = host_processes().run(spec);
    EXPECT_TRUE(outcome.succeeded()) << command << ": " << outcome.errors;
    return outcome.output;
  }
  static std::vector<std::string> types(const std::vector<HttpRequest>& requests) {
    std::vector<std::string> all;
    for (const auto& one : requests) all.push_back(Json::parse(one.body).at("type"));
    return all;
  }

  const TemporaryFolder folder_;
  const People people_;
};

TEST_F(NotifyCommand, TellsWhatIsNewOnceByWebhookAndMail) {
  const HttpReceiver hook;
  const SmtpReceiver mailer;
  configure({webhook(hook.port()), mail(mailer.port())});
  ASSERT_NO_FATAL_FAILURE(expect_quiet());
  make_found_run(folder_.path(), tests::good_record());

  const auto told = notify({"--json"});
  ASSERT_EQ(exit_code(told), 0) << told.output << told.errors;
  const auto said = Json::parse(told.output);
  const auto schema = fs::path(PATCHLAB_SOURCE_DIR) / "cli/schemas/notified.schema.json";
  EXPECT_THAT(tests::SchemaValidator(read_json_file(schema).value()).problems(said), IsEmpty()) << told.output;
  EXPECT_THAT(said.at("events"), SizeIs(2));
  ASSERT_THAT(types(hook.requests()), UnorderedElementsAre("patchlab.verdict-ready.v1", "patchlab.approval-wanted.v1"));

  // As a receiver would: with the secret, and openssl.
  for (const auto& request : hook.requests()) {
    const auto event = Json::parse(request.body);
    EXPECT_EQ(request.headers.at("content-type"), "application/cloudevents+json; charset=UTF-8");
    EXPECT_EQ(request.headers.at("webhook-id"), event.at("id"));
    EXPECT_EQ(event.at("source"), "/xavier.example/lab1");
    folder_.write("signed", fmt::format("{}.{}.{}", request.headers.at("webhook-id"),
                                        request.headers.at("webhook-timestamp"), request.body));
    const auto signature = shell(
        "key=$(sed s/whsec_// secret | base64 -d | od -An -v -tx1 | tr -d ' \\n') && openssl dgst -sha256 -mac HMAC "
        "-macopt hexkey:$key -binary signed | base64 -w0");
    EXPECT_EQ(request.headers.at("webhook-signature"), "v1," + signature);
    const auto age = std::chrono::system_clock::now() - std::chrono::system_clock::time_point(std::chrono::seconds(
                                                            std::stoll(request.headers.at("webhook-timestamp"))));
    EXPECT_LT(age, 5min);
    EXPECT_GT(age, -1min);
  }
  ASSERT_THAT(mailer.mails(), SizeIs(1));
  const auto text = test::body_of_mail(mailer.mails().at(0).text);
  EXPECT_THAT(text, AllOf(HasSubstr("1 approval wanted, 1 verdict"), HasSubstr("bob@x"),
                          HasSubstr("patchlab approve " + tests::good_record().id)));

  ASSERT_NO_FATAL_FAILURE(expect_quiet());
  people_.approve("bob", {tests::good_record().id, "--department", "finance"});
  const auto approved = notify();
  EXPECT_EQ(exit_code(approved), 0) << approved.errors;
  EXPECT_THAT(approved.output, HasSubstr("nothing is missing but that somebody promotes it"));
  ASSERT_EQ(exit_code(patchlab({"promote", "latest", "--sign-with", "lab"}, folder_.path())), 0);
  ASSERT_NO_FATAL_FAILURE(expect_quiet());
  EXPECT_THAT(hook.requests(), SizeIs(3));
  EXPECT_THAT(mailer.mails(), SizeIs(2));
}

TEST_F(NotifyCommand, TellsNobodyOfVerdictsFromBeforeTheFirstLook) {
  make_found_run(folder_.path(), tests::good_record());
  const HttpReceiver hook;
  configure({webhook(hook.port())});
  const auto first = notify({"--dry-run"});
  EXPECT_EQ(exit_code(first), 0) << first.errors;
  EXPECT_THAT(first.output, AllOf(HasSubstr("patchlab.approval-wanted.v1"), HasSubstr("1 that came about before")));
  EXPECT_FALSE(is_there(folder_.path() / "outbox")) << "a dry run changes nothing";
  EXPECT_THAT(hook.requests(), IsEmpty());
  ASSERT_EQ(exit_code(notify()), 0);
  EXPECT_THAT(types(hook.requests()), ElementsAre("patchlab.approval-wanted.v1")) << "which still is so";
  ASSERT_NO_FATAL_FAILURE(expect_quiet());
}

// A source that was looked at before there was anything in it: all that comes is new.
TEST_F(NotifyCommand, TellsWhatComesFirstIntoASourceThatWasNotThere) {
  const HttpReceiver hook;
  folder_.write("notify.json", Json{{"schema", "patchlab/notify/v1"},
                                    {"source", "/lab1"},
                                    {"outbox", "outbox"},
                                    {"look_at", {{"runs", "runs"}, {"scan", "scan.json"}}},
                                    {"receivers", {webhook(hook.port())}}}
                                   .dump());
  fs::remove(folder_.path() / "runs");
  EXPECT_EQ(exit_code(notify()), 2) << "neither is there";
  fs::create_directories(folder_.path() / "runs");
  make_found_run(folder_.path(), tests::good_record());
  folder_.write("scan.json", Json{{"schema", "patchlab/scan/v1"},
                                  {"today", rfc3339(std::chrono::system_clock::now()).substr(0, 10)},
                                  {"whole", true},
                                  {"rows",
                                   {{{"department", "finance"},
                                     {"machine", "dns1"},
                                     {"item", "apt-bind9-2"},
                                     {"status", "missing"},
                                     {"offered", "bind9 2"}}}}}
                                 .dump());
  EXPECT_EQ(exit_code(notify()), 0);
  EXPECT_THAT(types(hook.requests()),
              AllOf(Contains("patchlab.verdict-ready.v1"), Contains("patchlab.patch-available.v1")));
}

// More of what was there is no news, and more than one look holds is.
TEST_F(NotifyCommand, TellsOfEachRunSinceTheFirstLookAndOfNoneBefore) {
  const HttpReceiver hook;
  const auto look_at = [&](int newest) {
    folder_.write("notify.json", Json{{"schema", "patchlab/notify/v1"},
                                      {"source", "/lab1"},
                                      {"outbox", "outbox"},
                                      {"look_at", {{"runs", "runs"}, {"newest_runs", newest}}},
                                      {"receivers", {webhook(hook.port())}}}
                                     .dump());
  };
  make_found_run(folder_.path(), tests::good_record());
  const auto add = [&](const std::string& id) {
    shell(
        fmt::format("cp -a runs/{0} runs/{1} && sed -i 's/{0}/{1}/g' runs/{1}/run.json", tests::good_record().id, id));
  };
  for (const char* id : {"2090-01-01T000000Z-000001", "2090-01-02T000000Z-000001"}) add(id);
  look_at(1);
  ASSERT_EQ(exit_code(notify()), 0);
  look_at(5);
  ASSERT_EQ(exit_code(notify()), 0);
  EXPECT_THAT(hook.requests(), IsEmpty());
  look_at(1);
  for (const char* id : {"2090-01-03T000000Z-000001", "2090-01-04T000000Z-000001", "2090-01-05T000000Z-000001"})
    add(id);
  shell("mkdir runs/2090-01-01T000000Z-000002 && echo {} >runs/2090-01-01T000000Z-000002/events.jsonl");
  ASSERT_EQ(exit_code(notify()), 0);
  EXPECT_THAT(types(hook.requests()), AllOf(SizeIs(3), Each("patchlab.verdict-ready.v1")));
  shell(fmt::format("cp -a runs/{0}/. runs/{1} && sed -i 's/{0}/{1}/g' runs/{1}/run.json", tests::good_record().id,
                    "2090-01-01T000000Z-000002"));
  ASSERT_EQ(exit_code(notify()), 0);
  EXPECT_THAT(types(hook.requests()), AllOf(SizeIs(4), Each("patchlab.verdict-ready.v1"))) << "it was a long one";
}

TEST_F(NotifyCommand, SaysWhoWasRefusedAMailAndTellsTheOthers) {
  const SmtpReceiver mailer({{"RCPT TO:<gone", "550 nobody of that name"}});
  auto people = mail(mailer.port());
  people["to"] = {"qa@example.org", "gone@example.org"};
  configure({people});
  const auto refused = notify({"--failed-unit", "x.service"});
  EXPECT_EQ(exit_code(refused), 2) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("people: 1 delivered"));
  EXPECT_THAT(refused.errors, HasSubstr("people: 'gone@example.org' was refused: 550 nobody of that name"));
  ASSERT_THAT(mailer.mails(), SizeIs(1));
  (void)notify();
  ASSERT_THAT(mailer.mails(), SizeIs(2));
  EXPECT_THAT(test::body_of_mail(mailer.mails().at(1).text),
              HasSubstr("'gone@example.org' of the receiver 'people' gets no mail, others do"));
  (void)notify();
  EXPECT_THAT(mailer.mails(), SizeIs(2)) << "it is told once";
}

TEST_F(NotifyCommand, LooksAfterAnotherOneHasLooked) {
  const HttpReceiver hook;
  configure({webhook(hook.port())});
  ASSERT_EQ(exit_code(notify()), 0);
  std::optional<FileLock> other(
      FileLock::take(folder_.path() / "outbox/lock", FileLock::Mode::exclusive, FileLock::at_once()).value());
  ProcessOutcome outcome;
  {
    const std::jthread waits([&] { outcome = notify(); });
    std::this_thread::sleep_for(1s);
    make_found_run(folder_.path(), tests::good_record());
    other.reset();
  }
  EXPECT_EQ(exit_code(outcome), 0) << outcome.output << outcome.errors;
  EXPECT_THAT(types(hook.requests()), Contains("patchlab.verdict-ready.v1")) << "what came while it waited";
}

TEST_F(NotifyCommand, LosesNothingWithItsState) {
  const HttpReceiver hook;
  configure({webhook(hook.port())});
  ASSERT_EQ(exit_code(notify()), 0);
  make_found_run(folder_.path(), tests::good_record());
  ASSERT_EQ(exit_code(notify()), 0);
  auto record = tests::good_record();
  record.id = "20991128-220002-1a2b";
  fs::copy(folder_.path() / "runs" / tests::good_record().id, folder_.path() / "runs" / record.id,
           fs::copy_options::recursive);
  shell("sed -i 's/" + tests::good_record().id + "/" + record.id + "/g' runs/" + record.id + "/run.json");
  const auto told = types(hook.requests()).size();
  shell("echo >outbox/state.json");
  const auto damaged = notify();
  EXPECT_EQ(exit_code(damaged), 73);
  EXPECT_THAT(damaged.errors, AllOf(HasSubstr("outbox/state.json"), HasSubstr("hint: what is told and what waits")));
  shell("mv outbox/state.json .");
  ASSERT_EQ(exit_code(notify()), 0);
  auto since = types(hook.requests());
  since.erase(since.begin(), since.begin() + static_cast<std::ptrdiff_t>(told));
  EXPECT_EQ(std::ranges::count(since, "patchlab.verdict-ready.v1"), 1) << "the verdict of since, and no other";
}

TEST_F(NotifyCommand, LosesNothingToReceiversThatAreDead) {
  std::uint16_t port = 0, mail_port = 0;
  {
    const test::TcpListener listener, another;
    port = listener.port();
    mail_port = another.port();
  }
  configure({webhook(port), mail(mail_port)});
  EXPECT_EQ(exit_code(notify()), 0) << "there is nothing to tell";
  make_found_run(folder_.path(), tests::good_record());
  for (int round = 0; round < 3; ++round) {
    const auto dead = notify();
    EXPECT_EQ(exit_code(dead), 75) << dead.output << dead.errors;
    EXPECT_THAT(dead.output,
                AllOf(HasSubstr("siem: 2 wait: "), HasSubstr("people: 2 wait: "), HasSubstr(", next at ")));
    if (round < 2) std::this_thread::sleep_for(1100ms);
  }
  const HttpReceiver hook([](const HttpRequest&) { return http_answer(200); }, port);
  ProcessOutcome last;
  for (int tries = 0; tries < 40 && hook.requests().size() < 2; ++tries) {
    std::this_thread::sleep_for(100ms);
    last = notify();
  }
  EXPECT_THAT(types(hook.requests()), ElementsAre("patchlab.verdict-ready.v1", "patchlab.approval-wanted.v1"))
      << last.output;
  EXPECT_EQ(exit_code(last), 75) << "the mail still waits: " << last.output;
}

// With SIGKILL before and half-way through the calls that change files.
TEST_F(NotifyCommand, TellsEverythingWhereverItIsKilled) {
  if (const auto why = why_no_watching(); !why.empty()) GTEST_SKIP() << why;
  const HttpReceiver hook;
  const SmtpReceiver mailer;
  configure({webhook(hook.port()), mail(mailer.port())});
  ASSERT_EQ(exit_code(notify()), 0);
  make_found_run(folder_.path(), tests::good_record());
  shell("cp -a outbox before");
  const Words words{"notify", "--config", "notify.json"};
  const auto whole = watch(PATCHLAB_PROGRAM, words, folder_.path());
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  ASSERT_THAT(hook.requests(), SizeIs(2));
  for (const auto& point : points_of(whole.calls)) {
    shell("rm -rf outbox && cp -a before outbox");
    const auto told = hook.requests().size();
    const auto mails = mailer.mails().size();
    const auto watched = watch(PATCHLAB_PROGRAM, words, folder_.path(), &point);
    const auto step = fmt::format("killed at {} of {}: {}", point.call, whole.calls.size(),
                                  watched.calls.empty() ? "" : watched.calls.back());
    const auto next = notify();
    EXPECT_EQ(exit_code(next), 0) << step << next.output << next.errors;
    // Each of them, and each by one id, whichever call sent it.
    std::map<std::string, std::string> seen;
    const auto requests = hook.requests();
    for (std::size_t i = told; i < requests.size(); ++i)
      seen[requests[i].headers.at("webhook-id")] = Json::parse(requests[i].body).at("type");
    std::vector<std::string> kinds;
    for (const auto& [id, type] : seen) kinds.push_back(type);
    EXPECT_THAT(kinds, UnorderedElementsAre("patchlab.verdict-ready.v1", "patchlab.approval-wanted.v1"))
        << step << ": the same events, at least once";
    EXPECT_LE(requests.size() - told, 3U) << step << ": only the one that was under way is sent again";
    std::string text;
    for (std::size_t i = mails; i < mailer.mails().size(); ++i) text += test::body_of_mail(mailer.mails()[i].text);
    for (const auto& [id, type] : seen) EXPECT_THAT(text, HasSubstr(id)) << step;
    const auto quiet = notify();
    EXPECT_THAT(quiet.output, AllOf(HasSubstr("nothing is new"), HasSubstr("siem: 0 delivered"))) << step;
    EXPECT_THAT(entries_of(folder_.path() / "outbox/waiting").value(), IsEmpty()) << step;
    if (HasFailure()) FAIL() << step;
  }
}

TEST_F(NotifyCommand, OfTwoAtOnceTellsEachEventOnce) {
  const HttpReceiver hook([](const HttpRequest&) {
    std::this_thread::sleep_for(200ms);
    return http_answer(200);
  });
  configure({webhook(hook.port())});
  ASSERT_EQ(exit_code(notify()), 0);
  make_found_run(folder_.path(), tests::good_record());
  std::vector<int> codes(3, -1);
  {
    std::vector<std::jthread> both;
    for (auto& code : codes) both.emplace_back([&] { code = exit_code(notify()); });
  }
  // Who waited in vain for another one says so, and has told nothing.
  EXPECT_THAT(codes, Each(AnyOf(0, 75)));
  EXPECT_THAT(codes, Contains(0));
  EXPECT_THAT(hook.requests(), SizeIs(2));
}

TEST_F(NotifyCommand, SaysWhatItCannotLookAtAndTellsIt) {
  const HttpReceiver hook;
  configure({webhook(hook.port())});
  ASSERT_EQ(exit_code(notify()), 0);
  make_found_run(folder_.path(), tests::good_record());
  shell("mv runs/" + tests::good_record().id + "/run.json kept && echo '{' >runs/" + tests::good_record().id +
        "/run.json");
  const auto broken = notify();
  EXPECT_EQ(exit_code(broken), 2) << broken.output << broken.errors;
  EXPECT_THAT(broken.errors, HasSubstr("warning: runs: run " + tests::good_record().id));
  EXPECT_THAT(types(hook.requests()), Contains("patchlab.lab-broken.v1"))
      << "who hears of it by mail does not read this";
  shell("mv kept runs/" + tests::good_record().id + "/run.json");
  const auto well = notify();
  EXPECT_EQ(exit_code(well), 0) << well.errors;
  EXPECT_THAT(types(hook.requests()), Contains("patchlab.verdict-ready.v1"));
}

TEST_F(NotifyCommand, TellsOfAUnitThatFailed) {
  const HttpReceiver hook;
  configure({webhook(hook.port())});
  ::setenv("MONITOR_INVOCATION_ID", "0123456789abcdef", 1);
  ::setenv("MONITOR_SERVICE_RESULT", "exit-code", 1);
  ::setenv("MONITOR_EXIT_CODE", "exited", 1);
  ::setenv("MONITOR_EXIT_STATUS", "7", 1);
  for (int times = 0; times < 2; ++times)
    ASSERT_EQ(exit_code(notify({"--failed-unit", "patchlab-nightly.service"})), 0);
  ASSERT_THAT(hook.requests(), SizeIs(1)) << "it failed once";
  EXPECT_EQ(Json::parse(hook.requests().at(0).body).at("data").at("says"),
            "the unit patchlab-nightly.service failed: exit-code, exited 7");
  ::setenv("MONITOR_INVOCATION_ID", "fedcba9876543210", 1);
  ASSERT_EQ(exit_code(notify({"--failed-unit", "patchlab-nightly.service"})), 0);
  EXPECT_THAT(hook.requests(), SizeIs(2));
}

TEST_F(NotifyCommand, TellsOfAUnitThatFailedAlsoWhenSomebodyElseWasAtItTooLong) {
  const HttpReceiver hook;
  configure({webhook(hook.port())});
  ASSERT_EQ(exit_code(notify()), 0);
  {
    const auto other =
        FileLock::take(folder_.path() / "outbox/lock", FileLock::Mode::exclusive, FileLock::at_once()).value();
    ProcessSpec late;
    late.program = "timeout";
    late.arguments = {"-s",          "TERM",          "1",        PATCHLAB_PROGRAM, "notify", "--config",
                      "notify.json", "--failed-unit", "x.service"};
    late.working_folder = folder_.path();
    EXPECT_EQ(exit_code(host_processes().run(late)), 124);
  }
  EXPECT_THAT(hook.requests(), IsEmpty());
  ASSERT_EQ(exit_code(notify()), 0);
  ASSERT_THAT(hook.requests(), SizeIs(1));
  EXPECT_EQ(Json::parse(hook.requests().at(0).body).at("data").at("says"), "the unit x.service failed");
  ASSERT_EQ(exit_code(notify()), 0);
  EXPECT_THAT(hook.requests(), SizeIs(1)) << "once";
}

TEST_F(NotifyCommand, ForgetsWhoIsConfiguredNoMoreOnlyWhenItIsTold) {
  std::uint16_t port = 0;
  {
    const test::TcpListener listener;
    port = listener.port();
  }
  const HttpReceiver hook;
  auto old = webhook(port);
  old["name"] = "old";
  configure({webhook(hook.port()), old});
  EXPECT_EQ(exit_code(notify({"--failed-unit", "x.service"})), 75);
  configure({webhook(hook.port())});
  const auto stranger = notify();
  EXPECT_EQ(exit_code(stranger), 75) << stranger.output;
  EXPECT_THAT(stranger.output, HasSubstr("old: 1 wait: the configuration does not name it"));
  const auto typo = notify({"--forget", "odl"});
  EXPECT_EQ(exit_code(typo), 64);
  EXPECT_THAT(typo.errors, HasSubstr("there are: old"));
  EXPECT_EQ(exit_code(notify({"--forget", "siem"})), 64) << "it is configured";
  EXPECT_EQ(exit_code(notify({"--forget", "old"})), 0);
}

TEST_F(NotifyCommand, SaysWhatIsWrongWithItsFiles) {
  configure({webhook(9)});
  shell("chmod 644 secret");
  const auto open = notify({"--failed-unit", "x.service"});
  EXPECT_EQ(exit_code(open), 75) << open.errors;
  EXPECT_THAT(open.output, HasSubstr("others than its owner may open it"));
  EXPECT_THAT(open.output + open.errors, Not(HasSubstr("whsec_")));
  shell("sed -i 's/\"source\"/\"sauce\"/' notify.json");
  const auto wrong = notify();
  EXPECT_EQ(exit_code(wrong), 78);
  EXPECT_THAT(wrong.errors, AllOf(HasSubstr("notify.json: /: 'source' is required"),
                                  HasSubstr("/sauce: unknown key; allowed here: ")));
  configure({webhook(9)});
  shell("rm -rf outbox && echo x >outbox");
  EXPECT_EQ(exit_code(notify()), 73);
}

}  // namespace
}  // namespace patchlab::e2e
