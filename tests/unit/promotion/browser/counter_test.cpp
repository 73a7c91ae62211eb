// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/browser/counter.hpp"

#include <gmock/gmock.h>

#include <regex>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "promotion/chain/chain.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/ssh_keys.hpp"

namespace patchlab::promotion::browser {
namespace {

using promotion::testing::SshKeys;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DeskCounter : public ::testing::Test {
 protected:
  Counter counter() {
    return Counter({.stage = stage_, .origin = origin_},
                   {[this] {
                      std::vector<std::string> ids;
                      for (const auto& [id, record] : runs_) ids.insert(ids.begin(), id);
                      return ids;
                    },
                    [this](const std::string& id) -> Result<reports::RunRecord> {
                      if (id == broken_) return configuration_error("run.json: is cut off <b>");
                      return runs_.at(id);
                    },
                    [this](const std::string&) -> Result<reports::Decisions> { return decisions_; }},
                   host_processes(), clock_);
  }
  std::string get(const std::string& target, unsigned status = 200) {
    const auto answer = counter().answer({"GET", target, {{"host", origin_.host}}, {}});
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.body;
  }
  std::string code(const std::string& target, const Json& body) {
    const auto answer =
        counter().answer({"POST",
                          target,
                          {{"host", origin_.host}, {"origin", origin_.text}, {"content-type", "application/json"}},
                          body.dump()});
    const auto json = Json::parse(answer.body);
    return answer.status == 200 ? std::string() : json.at("code").get<std::string>();
  }
  static Json draft(const std::string& kind, const std::string& reason = "because") {
    return {{"run", "r1"}, {"department", "finance"}, {"kind", kind}, {"by", "bob@x"}, {"reason", reason}};
  }
  // A line of somebody's decision on the page.
  void decision_state(reports::DecisionState state, const std::vector<std::string>& unmet) {
    reports::DecisionRecord decision;
    decision.department = "finance";
    decision.state = state;
    for (const auto& one : unmet) decision.requirements.push_back({one, {}, "finance", false, "text of " + one, {}});
    decisions_ = {decision};
  }

  SshKeys keys_;
  test::FakeClock clock_;
  const std::filesystem::path stage_ = keys_.folder() / "stage";
  const Origin origin_ = lab::web::read_origin("http://localhost:8443").value();
  std::map<std::string, reports::RunRecord> runs_{{"r1", tests::good_record()}};
  std::string broken_;
  reports::Decisions decisions_;
};

TEST_F(DeskCounter, ListsWhatWaitsFirstAndSaysWhatIsNotThere) {
  decision_state(reports::DecisionState::refused, {"approval-missing", "candidate-failed"});
  EXPECT_THAT(get("/"),
              AllOf(HasSubstr("waits for people"), HasSubstr("href=\"/set/r1/finance\""), HasSubstr("important")));
  decision_state(reports::DecisionState::refused, {"approval-missing", "stale"});
  EXPECT_THAT(get("/"), HasSubstr("not ready"));
  decision_state(reports::DecisionState::promotable, {});
  EXPECT_THAT(get("/"), HasSubstr("may be promoted"));
  // Of one department only the newest run; what cannot be read is said.
  runs_["r2"] = runs_["r1"];
  EXPECT_THAT(get("/"), AllOf(HasSubstr("/set/r2/finance"), Not(HasSubstr("/set/r1/finance"))));
  broken_ = "r2";
  EXPECT_THAT(get("/"), AllOf(HasSubstr("/set/r1/finance"),
                              HasSubstr("Run r2 is not on this list: run.json: is cut off &lt;b&gt;")));
  for (int i = 0; i < 20; ++i) runs_[fmt::format("s{}", i)] = runs_["r1"];
  EXPECT_THAT(get("/"), HasSubstr("The newest 12 of 22 runs were looked at."));
}

TEST_F(DeskCounter, SaysWhyThereIsNothingToShow) {
  EXPECT_THAT(get("/set/r9/finance", 404), HasSubstr("run-unknown"));
  EXPECT_THAT(get("/set/r1/sales", 404), HasSubstr("department-unknown"));
  broken_ = "r1";
  EXPECT_THAT(get("/set/r1/finance", 422), HasSubstr("run-unreadable"));
  broken_.clear();
  ASSERT_TRUE(create_folders(stage_ / chain_folder_name));
  ASSERT_TRUE(write_file_atomically(stage_ / chain_folder_name / "ledger.jsonl", "{}\n"));
  EXPECT_THAT(get("/set/r1/finance", 422), HasSubstr("ledger-unreadable"));
  EXPECT_EQ(code("/draft", draft("approve")), "ledger-unreadable");
}

TEST_F(DeskCounter, DraftsNothingThatWouldNotCount) {
  EXPECT_EQ(code("/draft", draft("approve")), "signer-unknown");
  EXPECT_EQ(code("/draft", draft("approve", "two\nlines")), "body-malformed");
  EXPECT_EQ(code("/draft", draft("approve", "")), "body-malformed");
  EXPECT_EQ(code("/draft", draft("approve", " blank at an end")), "body-malformed");
  runs_["r1"].departments.front().final_trial.clear();
  EXPECT_EQ(code("/draft", draft("approve")), "nothing-to-promote");
  EXPECT_THAT(get("/set/r1/finance"), HasSubstr("nothing to decide"));
  ASSERT_TRUE(create_folders(stage_ / chain_folder_name / "policy"));
  ASSERT_TRUE(write_file_atomically(stage_ / chain_folder_name / "policy" / "1.json", "{}"));
  EXPECT_EQ(code("/draft", draft("approve")), "policy-unreadable");
}

TEST_F(DeskCounter, DraftsAndTakesNothingWhileNobodyKnowsThePolicy) {
  const auto folder = stage_ / chain_folder_name / "policy";
  ASSERT_TRUE(create_folders(folder));
  const auto put = [&](const char* name, const std::string& id, const std::string& until) {
    auto policy =
        read_json_file(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios/policies/quickstart.json").value();
    policy["id"] = id;
    policy["valid_until"] = until;
    ASSERT_TRUE(write_file_atomically(folder / name, pretty(policy)));
  };
  // Of nobody, and signed by nobody: what is asked first is under which policy.
  Statement statement;
  statement.kind = StatementKind::approve;
  statement.by = "bob@x";
  statement.subjects = {{"finance", sha256("set")}};
  statement.run = sha256("run");
  statement.policy = sha256("policy");
  statement.ledger = SeenLedger{0, std::string(64, '0')};
  statement.reason = "because";
  const auto bytes = write_statement(statement).value();
  const Json decision{{"run", "r1"},
                      {"department", "finance"},
                      {"statement", bytes},
                      {"signature", keys_.sign("bob", "patchlab.approve.v1", bytes)}};
  put("1.json", "over", "2026-02-01T00:00:00Z");
  EXPECT_EQ(code("/draft", draft("approve")), "policy-not-in-force");
  EXPECT_EQ(code("/decision", decision), "policy-not-in-force");
  EXPECT_THAT(get("/set/r1/finance"), HasSubstr("Policy: ")) << "it can be read all the same";
  put("2.json", "one", "2027-01-01T00:00:00Z");
  EXPECT_EQ(code("/draft", draft("approve")), "signer-unknown");
  EXPECT_EQ(code("/decision", decision), "approval-of-other-run");
  put("3.json", "two", "2027-01-01T00:00:00Z");
  EXPECT_EQ(code("/draft", draft("approve")), "policy-ambiguous");
  EXPECT_EQ(code("/decision", decision), "policy-ambiguous");
}

TEST_F(DeskCounter, DraftsForKeysOfItsOwnPagesThatAreInForce) {
  // P-256 points of a browser's keys: where they lie on the curve is nobody's question before something is signed.
  const auto key = [](const std::string& application, char fill) {
    const auto text = [](const std::string& value) {
      return std::string(3, '\0') + static_cast<char>(value.size()) + value;
    };
    const auto blob = text("sk-ecdsa-sha2-nistp256@openssh.com") + text("nistp256") +
                      text("\x04" + std::string(64, fill)) + text(application);
    auto read = read_key_blob(blob);
    return std::get<PublicKey>(std::move(read));
  };
  const auto line = [&](const std::string& name, const std::string& options, const PublicKey& one) {
    return name + " namespaces=\"patchlab.approve.v1\"" + options + " " + to_string(one) + "\n";
  };
  DecisionBook book(stage_ / chain_folder_name, host_processes(), clock_);
  const auto root = read_public_key_file(keys_.line("root"), "root").value();
  ASSERT_TRUE(book.add_trust(
      line("bob@x", "", key("localhost", 'b')) + line("carol@x", "", key("desk.xavier.example", 'c')) +
          line("dave@x", ",valid-before=\"20260101Z\"", key("localhost", 'd')),
      "root", root, {},
      [&](const std::string& bytes) -> Result<std::string> { return keys_.sign("root", "patchlab.trust.v1", bytes); }));
  EXPECT_EQ(code("/draft", draft("approve")), "");
  EXPECT_EQ(code("/draft", draft("reject")), "namespace-not-allowed");
  auto other = draft("approve");
  other["by"] = "carol@x";
  EXPECT_EQ(code("/draft", other), "signer-unknown") << "her key is for pages of another host";
  other["by"] = "dave@x";
  EXPECT_EQ(code("/draft", other), "signer-not-in-force");
  const auto page = get("/set/r1/finance");
  EXPECT_THAT(page, AllOf(HasSubstr("<option value=\"bob@x\""), Not(HasSubstr("carol@x")), Not(HasSubstr("dave@x"))));
  EXPECT_EQ(book.chain().read()->lines.size(), 1U) << "a draft leaves nothing behind";
}

// A final trial that took over the results of another one failed where that one did.
TEST_F(DeskCounter, ShowsWhatFailedInTheResultsThatCount) {
  EXPECT_THAT(get("/set/r1/finance"), HasSubstr("Nothing failed. Nothing is waived."));
  auto& department = runs_["r1"].departments.front();
  auto last = *reports::find_trial(department, department.final_trial);
  last.reused_from = last.id;
  last.id = department.final_trial = "finance/t9";
  last.phases.clear();
  department.trials.push_back(last);
  EXPECT_THAT(get("/set/r1/finance"), HasSubstr("Nothing failed. Nothing is waived."));
  for (auto& trial : department.trials) {
    if (trial.id == last.reused_from) trial.phases.front().checks.front().outcome = Outcome::fail;
  }
  EXPECT_THAT(get("/set/r1/finance"), AllOf(HasSubstr("1 thing failed."), HasSubstr(": fail</li>")));
  department.trials.back().reused_from = "finance/t99";
  EXPECT_THAT(get("/set/r1/finance"), AllOf(HasSubstr("Nobody knows what failed."), HasSubstr("0 of 0 checks"),
                                            Not(HasSubstr("Nothing failed"))));
}

// A word that is none of ours counts as what it says: nobody knows how bad it is.
TEST_F(DeskCounter, EachCandidateCountsInWhyItMatters) {
  runs_["r1"].candidates[0].severity = "urgent";
  runs_["r1"].candidates[1].severity = "low";
  EXPECT_THAT(get("/set/r1/finance"), HasSubstr("1 low, 1 unknown"));
  runs_["r1"].candidates[1].severity.clear();
  EXPECT_THAT(get("/set/r1/finance"), HasSubstr("2 unknown"));
}

TEST_F(DeskCounter, CallsTheScenarioByItsTitle) {
  EXPECT_THAT(get("/"), HasSubstr(runs_["r1"].scenario_name));
  runs_["r1"].scenario_title = "The night shift";
  for (const char* target : {"/", "/set/r1/finance"}) EXPECT_THAT(get(target), HasSubstr("The night shift")) << target;
}

// Texts of a record come from packages and guests.
TEST_F(DeskCounter, NothingOfARecordActsOnThePage) {
  const std::string evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\xe2\x80\xae&amp;";
  auto& record = runs_["r1"];
  record.scenario_name = record.scenario_title = evil;
  record.not_tested = {evil};
  for (auto& candidate : record.candidates) {
    candidate.title = evil;
    candidate.severity = evil;
  }
  for (auto& department : record.departments) {
    for (auto& machine : department.machines) machine.golden = evil;
    for (auto& verdict : department.verdicts) verdict.reason = evil;
    for (auto& trial : department.trials) {
      for (auto& phase : trial.phases) {
        for (auto& check : phase.checks) {
          check.outcome = Outcome::fail;
          check.id = evil;
        }
        phase.not_observed = {evil};
      }
    }
  }
  decision_state(reports::DecisionState::refused, {evil});
  for (const char* target : {"/", "/set/r1/finance"}) {
    const auto page = get(target);
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;")) << target << ": it is shown";
    EXPECT_THAT(page, AllOf(Not(HasSubstr("<script>")), Not(HasSubstr("<img")), Not(HasSubstr("\x1b")),
                            Not(HasSubstr("\xe2\x80\xae"))))
        << target;
    EXPECT_FALSE(std::regex_search(page, std::regex("<[^>]* (on[a-z]+|style)="))) << target;
  }
}

}  // namespace
}  // namespace patchlab::promotion::browser
