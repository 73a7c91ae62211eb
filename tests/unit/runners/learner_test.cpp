// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/learner.hpp"

#include <gmock/gmock.h>

#include <mutex>

#include "runners/cell/cell.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_hypervisor.hpp"

namespace patchlab::runners::cell {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Workers that have seen a mail server: who relays as told, in turn, and takes every login.
class MailWorkers final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& process, std::stop_token) override {
    const std::lock_guard lock(mutex_);
    const auto request = Json::parse(process.input);
    requests.push_back(request);
    const auto kind = request.at("kind").get<std::string>();
    if (kind.starts_with("database.") && !lets_in) return observed(refusal());
    if (kind == "database.transaction") return observed(transaction());
    if (kind == "mail.relay-refused") {
      const auto port = request.at("parameters").at("smtp_port").get<int>();
      const auto& answers = relays[port];
      const auto asked = std::min(asked_[port]++, answers.size() - 1);
      return observed({{"smtp", {{"stages", relay(answers[asked])}}}});
    }
    return {Exited{1}, {}, "no such server", Milliseconds(5)};
  }

  std::map<int, std::vector<std::string>> relays;  // answers to RCPT, by port; the last is repeated
  std::vector<Json> requests;
  bool lets_in = true;  // into databases

 private:
  static ProcessOutcome observed(const Json& seen) {
    return {Exited{0}, Json{{"observation", seen}, {"took_ms", 5}}.dump(), {}, Milliseconds(5)};
  }
  static Json relay(const std::string& to_recipient) {
    const auto stage = [](const char* name, const std::string& text) {
      return Json{{"stage", name}, {"answer", text}};
    };
    return Json::array(
        {stage("connect", ""), stage("banner", "220"), stage("ehlo", "250"), stage("rcpt", to_recipient)});
  }
  static Json refusal() {
    return {
        {"steps",
         {{{"step", "connect"}, {"ok", false}, {"sqlstate", "08001"}, {"message", "permission denied for database"}}}}};
  }
  static Json transaction() {
    auto steps = Json::array();
    for (const char* step : {"connect", "create", "begin", "insert", "select", "rollback", "count", "drop"})
      steps.push_back({{"step", step}, {"ok", true}});
    return {{"steps", steps}, {"inserted", "note"}, {"seen", {"note"}}, {"rows_after_rollback", 0}};
  }
  std::mutex mutex_;
  std::map<int, std::size_t> asked_;
};

class LearnerTest : public ::testing::Test {
 protected:
  LearnerTest() {
    job_.department = "finance";
    job_.machines.emplace_back();
    job_.machines[0].plan.name = "mail";
    lab::MachineSpec spec;
    spec.name = "mail";
    (void)hypervisor_.define(spec);
    hypervisor_.on_agent([this](auto&, const auto& command) { return guest_.answer(command); });
    guest_.programs = [this](const auto&, const auto&, const std::string& script) {
      test::FakeAgent::Process process;
      process.exit_code = 127;
      for (const auto& [part, text] : says_) {
        if (script.find(part) == std::string::npos) continue;
        process.exit_code = 0;
        process.output = text;
      }
      return process;
    };
    (void)hypervisor_.start("mail");
    says_["/proc/net/tcp"] = "0: 00000000:0019 00000000:0000 0A\n1: 00000000:024B 00000000:0000 0A\n";
    says_["postconf"] = "mydestination = corp.example\n";
    workers_.relays = {{25, {"554"}}, {587, {"554"}}};
  }
  ~LearnerTest() override { std::filesystem::remove_all(folder_); }

  static std::filesystem::path new_folder() {
    std::string pattern = ::testing::TempDir() + "patchlab-learner-XXXXXX";
    return ::mkdtemp(pattern.data());
  }

  checks::learn::Learnt learn(const LearnJob::Wanted& wanted = {}) {
    cell::Guest guest(context_, job_.machines[0]);
    auto learnt = learn_checks(guest, wanted);
    EXPECT_TRUE(learnt) << learnt.error().message;
    return learnt ? std::move(*learnt) : checks::learn::Learnt();
  }
  static std::vector<std::string> ids(const checks::learn::Learnt& learnt) {
    std::vector<std::string> all;
    for (const auto& check : learnt.checks) all.push_back(check.spec.id);
    return all;
  }

  const std::filesystem::path folder_ = new_folder();
  test::FakeClock clock_;
  test::FakeHypervisor hypervisor_;
  test::FakeAgent guest_;
  MailWorkers workers_;
  CellJob job_;
  CellContext context_{hypervisor_, workers_, clock_, job_, Slots(folder_, 2, clock_), [](const Json&) {}, {}, "br"};
  std::map<std::string, std::string> says_;  // the guest, to scripts with this in them
};

TEST_F(LearnerTest, KeepsWhatHoldsTwice) {
  const auto learnt = learn();
  EXPECT_THAT(ids(learnt), ElementsAre("relay-refused-25", "relay-refused-587"));
  const auto asked = std::ranges::count(workers_.requests, "mail.relay-refused",
                                        [](const Json& request) { return request.at("kind").get<std::string>(); });
  EXPECT_EQ(asked, 4) << "each is asked twice";
}

TEST_F(LearnerTest, LeavesOutWhatDoesNotWorkAndSaysWhy) {
  workers_.relays[25] = {"250"};
  const auto learnt = learn();
  EXPECT_THAT(ids(learnt), ElementsAre("relay-refused-587"));
  EXPECT_THAT(learnt.left_out, Contains(AllOf(HasSubstr("port 25: no relaying"), HasSubstr("open-relay"))));
}

TEST_F(LearnerTest, LeavesOutWhatDoesNotHoldASecondTime) {
  workers_.relays[587] = {"554", "250"};
  const auto learnt = learn();
  EXPECT_THAT(ids(learnt), ElementsAre("relay-refused-25"));
  EXPECT_THAT(learnt.left_out, Contains(AllOf(HasSubstr("did not hold a second time"), HasSubstr("open-relay"))));
}

TEST_F(LearnerTest, NeverWritesAPasswordDown) {
  says_["psql"] = "{\"database\": \"corp\"}\n";
  const auto learnt = learn({{{"app", "Copper-Kettle-63"}}, {}});
  ASSERT_THAT(ids(learnt), Contains("corp-app-transaction"));
  const auto text = checks::learn::learnt_file({}, learnt);
  EXPECT_EQ(text.find("Copper-Kettle-63"), std::string::npos) << text;
  EXPECT_THAT(text, HasSubstr("\"account\": \"app\""));
  const auto asked = std::ranges::find(workers_.requests, "database.transaction",
                                       [](const Json& request) { return request.at("kind").get<std::string>(); });
  ASSERT_NE(asked, workers_.requests.end());
  EXPECT_EQ(asked->at("parameters").at("password"), "Copper-Kettle-63");
}

TEST_F(LearnerTest, ThatSomebodyMayNotIsLearntInPlaceOfWhatDoesNotWork) {
  says_["psql"] = "{\"database\": \"corp\"}\n";
  const LearnJob::Wanted wanted{{{"app", "Copper-Kettle-63"}}, {}};
  EXPECT_THAT(ids(learn(wanted)), AllOf(Contains("corp-app-transaction"), Not(Contains("corp-app-not-let-in"))));
  workers_.lets_in = false;
  const auto learnt = learn(wanted);
  EXPECT_THAT(ids(learnt), AllOf(Contains("corp-app-not-let-in"), Not(Contains("corp-app-transaction"))));
  EXPECT_THAT(learnt.left_out, Not(Contains(HasSubstr("roll a transaction back")))) << "it is told by the check";
}

TEST_F(LearnerTest, TriesNothingThatRestsOnWhatDidNotWork) {
  says_["/proc/net/tcp"] += "2: 00000000:008F 00000000:0000 0A\n";
  says_["postconf"] += "message_size_limit = 10240000\n";
  const auto learnt = learn({{{"bob", "Quiet-Harbour-29"}}, {}});
  EXPECT_THAT(learnt.left_out, Contains(HasSubstr("a message for bob@corp.example")));
  EXPECT_THAT(learnt.left_out, Not(Contains(HasSubstr("a message of 1000000 bytes"))));
  for (const auto& request : workers_.requests) EXPECT_FALSE(request.at("parameters").contains("bytes")) << request;
}

TEST_F(LearnerTest, GivesNoNameTwice) {
  EXPECT_THAT(ids(learn({{}, {"relay-refused-25"}})), ElementsAre("relay-refused-25-2", "relay-refused-587"));
}

TEST_F(LearnerTest, AGuestThatIsNotAskedIsSaidToBeThat) {
  job_.machines[0].system.family = GuestFamily::windows;
  const auto learnt = learn();
  EXPECT_THAT(learnt.checks, IsEmpty());
  EXPECT_THAT(learnt.left_out, ElementsAre(HasSubstr("only Debian guests")));
}

TEST_F(LearnerTest, AGuestThatDoesNotAnswerIsAnError) {
  hypervisor_.on_agent([](auto&, const auto&) -> Result<std::string> { return timeout_error("no answer"); });
  cell::Guest guest(context_, job_.machines[0]);
  EXPECT_FALSE(learn_checks(guest, {}));
}

TEST(LearnJobOfACell, TravelsAsItIs) {
  const LearnJob job{{{"db", {{{"app", "x"}}, {"a", "b"}}}}};
  EXPECT_EQ(learn_job_from_json(Json(job)).machines, job.machines);
}

}  // namespace
}  // namespace patchlab::runners::cell
