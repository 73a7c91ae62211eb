// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "found_run.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "people.hpp"
#include "program.hpp"
#include "tests/support/changed_record.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const Json policy_of_two = Json::parse(R"({
  "schema": "patchlab/policy/v1", "id": "production", "author": "owner@x",
  "valid_since": "2020-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z",
  "approvals": [{"count": 2, "not_by": ["submitter", "waiver-author", "policy-author"]}],
  "waivers": {"what": ["check"], "max_days": 30, "max_per_set": 2}})");

// From the waiver to what an auditor says, by the built program; only the run itself is a record that is there already.
// 'tidy' was held back in it: with it, mail/deliver fails after the installation, and not any more after the restart.
class Waiver : public ::testing::Test {
 protected:
  Waiver() : people_(folder_.path(), policy_of_two) {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
  }
  ~Waiver() override { ::unsetenv("PATCHLAB_CACHE"); }

  void found(const reports::RunRecord& record) const { make_found_run(folder_.path(), record); }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const {
    return patchlab(words, folder_.path());
  }
  [[nodiscard]] ProcessOutcome waive() const {
    auto words = waived_;
    words.insert(words.begin(), "waive");
    const auto until = rfc3339(std::chrono::system_clock::now() + std::chrono::hours(24));
    words.insert(words.end(), {"--until", until, "--reason", "known", "--ticket", "C-1", "--key", "carol"});
    return ask(words);
  }
  // With a waiver in it.
  void expect_as_its_schema_says(const std::string& name, const ProcessOutcome& said) const {
    EXPECT_THAT(said.output, HasSubstr("\"approved_by\"")) << said.errors;
    const auto schema = Json::parse(ask({"schema", name}).output);
    EXPECT_THAT(tests::SchemaValidator(schema).problems(Json::parse(said.output)), ::testing::IsEmpty()) << said.output;
  }
  [[nodiscard]] ProcessOutcome promote() const { return ask({"promote", "latest", "--sign-with", "lab"}); }

  const TemporaryFolder folder_;
  const People people_;
  const std::vector<std::string> set_{"latest", "--department", "finance", "--with", "tidy"};
  const std::vector<std::string> waived_{"latest", "--department", "finance",     "--with",
                                         "tidy",   "--what",       "mail/deliver"};
};

TEST_F(Waiver, LetsAHeldBackCandidateGoAlongAndIsProven) {
  found(tests::held_back_record());
  const auto before = promote();
  EXPECT_EQ(exit_code(before), 5);
  EXPECT_THAT(before.output, HasSubstr("approval-missing"));

  people_.waive("carol", waived_);
  EXPECT_EQ(exit_code(promote()), 5) << "nobody has approved";
  people_.approve("bob", set_);
  EXPECT_EQ(exit_code(promote()), 5) << "one of two has";
  people_.refused("bob", set_, "approval-not-distinct");
  people_.refused("alice", set_, "approval-not-distinct");
  people_.refused("carol", set_, "approval-not-distinct");
  EXPECT_THAT(ask({"queue"}).output, HasSubstr("dave@x"));
  people_.approve("dave", set_);
  expect_as_its_schema_says("queue", ask({"queue", "--json"}));
  const auto promoted = promote();
  EXPECT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  EXPECT_THAT(promoted.output, HasSubstr("mail/deliver waived by carol@x until "));
  EXPECT_TRUE(fs::exists(folder_.path() / "production/finance/tidy"));
  // Published already, and told once more.
  expect_as_its_schema_says("promote", ask({"promote", "latest", "--sign-with", "lab", "--json"}));
  const auto explained = ask({"explain", "tidy"});
  EXPECT_THAT(explained.output, HasSubstr("fail")) << "it keeps its outcome";
  EXPECT_THAT(explained.output, HasSubstr("waived by carol@x"));

  // Production is to take it no longer than the waiver holds.
  const auto handed = ask({"deploy", "export", "production", "--department", "finance", "--to", "files", "-o", "handed",
                           "--not-after", "2198-01-01T00:00:00Z", "--json"});
  ASSERT_EQ(exit_code(handed), 0) << handed.errors;
  const auto waiver = read_json_file(folder_.path() / "production/finance/manifest.json").value().at("waived").at(0);
  EXPECT_EQ(Json::parse(handed.output).at("not_after").get<std::string>().substr(0, 19),
            waiver.at("until").get<std::string>().substr(0, 19));

  const auto exported = people_.export_bundle("production", "finance");
  ASSERT_EQ(exit_code(exported), 0) << exported.output << exported.errors;
  people_.expect_proven();
  people_.expect_refuted_when_tampered(16);
}

// Nobody can accept what nobody saw.
TEST_F(Waiver, DoesNotCoverAPhaseInWhichNobodyLooked) {
  auto record = tests::held_back_record();
  for (auto& trial : record.departments[0].trials) {
    if (trial.purpose != reports::Purpose::batch) continue;
    for (auto& phase : trial.phases) {
      if (phase.machine != "mail" || phase.phase != "after-reboot-1") continue;
      phase.outcome = Outcome::not_reached;
      phase.checks.clear();
    }
  }
  found(record);
  const auto refused = waive();
  EXPECT_EQ(exit_code(refused), 5) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("coverage-missing: "));
  EXPECT_THAT(refused.errors, HasSubstr("in after-reboot-1"));
  people_.refused("bob", set_, "coverage-missing");
}

// Of a set that no trial tried as exactly that, nothing can be waived; the way to such a trial is said.
TEST_F(Waiver, NeedsATrialOfExactlyThatSet) {
  auto record = tests::held_back_record();
  std::erase_if(record.departments[0].trials,
                [](const auto& trial) { return trial.purpose == reports::Purpose::batch; });
  for (auto& verdict : record.departments[0].verdicts) verdict.trials = {record.departments[0].final_trial};
  found(record);
  const auto refused = waive();
  EXPECT_EQ(exit_code(refused), 5);
  EXPECT_THAT(refused.errors, HasSubstr("no-final-trial: "));
  EXPECT_THAT(refused.errors, HasSubstr("run a scenario that has just these candidates"));
}

const Json policy_of_changes = Json::parse(R"({
  "schema": "patchlab/policy/v1", "id": "production", "author": "owner@x",
  "valid_since": "2020-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z",
  "approvals": [{"count": 1, "not_by": ["submitter", "waiver-author", "policy-author"]}],
  "waivers": {"what": ["review"], "max_days": 30, "max_per_set": 1}})");

// Everything passed, and two things changed that nothing explains: from what the queue says to what an auditor says.
class Acceptance : public ::testing::Test {
 protected:
  Acceptance() : people_(folder_.path(), policy_of_changes) {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
    make_found_run(folder_.path(), tests::changed_record());
  }
  ~Acceptance() override { ::unsetenv("PATCHLAB_CACHE"); }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const {
    return patchlab(words, folder_.path());
  }
  [[nodiscard]] ProcessOutcome promote() const { return ask({"promote", "latest", "--sign-with", "lab"}); }

  const TemporaryFolder folder_;
  const People people_;
  const std::vector<std::string> set_{"latest", "--department", "finance"};
};

TEST_F(Acceptance, OfEachChangeLetsTheSetPassAndIsProven) {
  people_.approve("bob", set_);
  const auto before = promote();
  EXPECT_EQ(exit_code(before), 5);
  EXPECT_THAT(before.output, HasSubstr("needs-decision: finance/mail/file /etc/part"));

  // What is to be accepted is what the queue says, word for word.
  const auto queue = Json::parse(ask({"queue", "--json"}).output);
  const auto& waiting = queue.at("waiting").at(0);
  EXPECT_EQ(waiting.at("waits_for"), Json({"carol@x"})) << "bob approved, and alice submitted";
  std::vector<std::string> accepted = set_;
  for (const auto& missing : waiting.at("missing")) {
    EXPECT_EQ(missing.at("code"), "needs-decision");
    const auto command = missing.at("command").get<std::string>();
    EXPECT_THAT(command, HasSubstr("patchlab waive "));
    const auto what = command.find("--what ") + 7;
    accepted.insert(accepted.end(), {"--what", command.substr(what, command.find(' ', what) - what)});
  }
  EXPECT_EQ(accepted.size(), set_.size() + 4);
  const auto markdown = ask({"report", "latest", "--format", "markdown"});
  EXPECT_THAT(markdown.output, HasSubstr("| fail | finding mail/review"));
  const auto other = accepted.back();
  auto edited = accepted;
  edited.back().back() = other.back() == '0' ? '1' : '0';
  edited.insert(edited.begin(), "waive");
  edited.insert(edited.end(), {"--until", "2199-01-01T00:00:00Z", "--reason", "x", "--ticket", "C", "--key", "carol"});
  const auto refused = ask(edited);
  EXPECT_EQ(exit_code(refused), 5) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("waiver-out-of-scope: ")) << "that is another content";
  people_.waive("carol", accepted);
  EXPECT_EQ(exit_code(promote()), 5) << "bob had approved before";
  EXPECT_THAT(ask({"explain", "tidy"}).output, HasSubstr("'carol@x' accepted it, and nobody else approved"));
  people_.approve("bob", set_);
  const auto promoted = promote();
  EXPECT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  EXPECT_THAT(promoted.output, HasSubstr(" accepted by carol@x until "));
  EXPECT_THAT(ask({"report", "latest", "--format", "tap"}).output, HasSubstr("# accepted: finance mail/review:file:"));

  const auto exported = people_.export_bundle("production", "finance");
  ASSERT_EQ(exit_code(exported), 0) << exported.output << exported.errors;
  people_.expect_proven();
  people_.expect_refuted_when_tampered(8);
}

}  // namespace
}  // namespace patchlab::e2e
