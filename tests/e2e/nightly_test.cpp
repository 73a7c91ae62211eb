// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/redaction.hpp"
#include "people.hpp"
#include "program.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

// The main job, whole: two departments of six real machines, real packages, as shipped.
class Nightly : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_not_ = why_no_lab();
    if (!why_not_.empty()) return;
    folder_ = std::make_unique<TemporaryFolder>();
    const auto scenario = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "xavier-nightly.json";
    // What passed needs nobody; what was waived needs two.
    people_ = std::make_unique<People>(folder_->path(), policy());
    outcome_ = patchlab({"run", scenario.string(), "--runs", "runs", "--sign-with", "lab", "--by", "alice@x"},
                        folder_->path(), std::chrono::minutes(50));
    std::error_code code;
    for (const auto& run : fs::directory_iterator(folder_->path() / "runs", code)) {
      if (run.is_directory()) run_ = run.path();
    }
    if (auto record = reports::read_run_record(run_ / reports::run_file_name)) record_ = std::move(record).value();
  }
  static void TearDownTestSuite() {
    people_.reset();
    folder_.reset();
  }
  // The shipped example, at any time and by people with keys that are files.
  static Json policy() {
    auto policy = read_json_file(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/policies/production.json").value();
    for (const char* key : {"$schema", "windows", "emergency", "decisions"}) policy.erase(key);
    policy["author"] = "owner@x";
    policy["valid_until"] = "2199-01-01T00:00:00Z";
    policy["run"].erase("tool_versions");
    policy["approvals"] =
        Json{{{"count", 2}, {"when", {{"waived", true}}}, {"not_by", {"submitter", "waiver-author", "policy-author"}}}};
    policy["waivers"]["max_per_set"] = 100;
    // Who accepts a change that nothing explains is tried in waiver_test; here the next test looks that there is none.
    policy["findings"] = Json{{"review", "shown"}};
    return policy;
  }

  static const reports::DepartmentRecord& department(const std::string& name) {
    return *std::ranges::find(record_->departments, name, &reports::DepartmentRecord::name);
  }
  static Outcome verdict(const std::string& department_name, const std::string& candidate) {
    const auto* found = reports::find_verdict(department(department_name), candidate);
    return found == nullptr ? Outcome::not_reached : found->outcome;
  }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_;
    ASSERT_TRUE(record_) << outcome_.describe() << "\n"
                         << outcome_.errors.substr(outcome_.errors.size() > 6000 ? outcome_.errors.size() - 6000 : 0);
  }

  static inline std::string why_not_;
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<People> people_;
  static inline ProcessOutcome outcome_;
  static inline fs::path run_;
  static inline std::optional<reports::RunRecord> record_;
};

TEST_F(Nightly, HoldsBackExactlyTheBadCandidates) {
  EXPECT_EQ(exit_code(outcome_), 1);
  for (const auto* name : {"finance", "engineering"}) {
    SCOPED_TRACE(name);
    std::vector<std::string> held;
    for (const auto& entry : department(name).verdicts) {
      if (entry.outcome == Outcome::fail)
        held.push_back(entry.candidate);
      else
        EXPECT_EQ(entry.outcome, Outcome::pass) << entry.candidate << ": " << entry.reason;
    }
    std::ranges::sort(held);
    if (std::string(name) == "finance")
      EXPECT_THAT(held, ElementsAre("bad-dns-reboot", "bad-mail", "pair-db-a", "pair-db-b"));
    else
      EXPECT_THAT(held, ElementsAre("bad-dns-reboot", "bad-mail", "bad-smb-engineering", "pair-db-a", "pair-db-b"));
    EXPECT_THAT(reports::find_verdict(department(name), "pair-db-a")->group, ElementsAre("pair-db-b"));
    EXPECT_THAT(reports::find_verdict(department(name), "pair-db-b")->group, ElementsAre("pair-db-a"));
    EXPECT_THAT(reports::find_verdict(department(name), "bad-mail")->group, IsEmpty());
  }
  EXPECT_EQ(verdict("finance", "bad-smb-engineering"), Outcome::pass);
}

// Updates of Debian's own, and harmless ones: a person who has to look at those each night does not look any more.
TEST_F(Nightly, AsksNobodyAboutWhatPassed) {
  for (const auto* name : {"finance", "engineering"}) {
    const auto* final_trial = reports::find_trial(department(name), department(name).final_trial);
    ASSERT_NE(final_trial, nullptr) << name;
    for (const auto& phase : final_trial->phases) {
      for (const auto& change : phase.differences) {
        EXPECT_EQ(change.finding, checks::state::FindingClass::notice)
            << name << ", " << phase.machine << ": " << change.kind << " " << change.item;
      }
    }
  }
}

// By itself: in the batch the update of bind9 restarts the server, and the fault shows at once.
TEST_F(Nightly, FindsTheNameServerBrokenOnlyAfterTheRestart) {
  int seen = 0;
  for (const auto& trial : department("finance").trials) {
    if (trial.purpose != reports::Purpose::confirm || trial.candidates != std::vector<std::string>{"bad-dns-reboot"})
      continue;
    ++seen;
    EXPECT_EQ(reports::find_phase(trial, "after-install", "dns")->outcome, Outcome::pass);
    EXPECT_EQ(reports::find_phase(trial, "after-reboot-1", "dns")->outcome, Outcome::fail);
  }
  EXPECT_GT(seen, 0) << "no confirming trial of bad-dns-reboot alone";
}

TEST_F(Nightly, PublishesExactlyWhatPassed) {
  for (const auto& entry : record_->departments) {
    SCOPED_TRACE(entry.name);
    const auto decision = decision_in(run_, entry.name);
    ASSERT_TRUE(decision.is_object());
    EXPECT_EQ(decision.at("outcome"), "promoted") << decision.dump();
    std::vector<std::string> passed;
    for (const auto& one : entry.verdicts) {
      if (one.outcome == Outcome::pass) passed.push_back(one.candidate);
    }
    auto published = decision.at("candidates").get<std::vector<std::string>>();
    std::ranges::sort(passed);
    std::ranges::sort(published);
    EXPECT_EQ(published, passed);
    EXPECT_TRUE(fs::exists(folder_->path() / "production" / entry.name / "manifest.json"));
  }
  EXPECT_EQ(exit_code(patchlab({"verify", "production"}, folder_->path())), 0);
}

TEST_F(Nightly, ProvesTheFenceBeforeDuringAndAfter) {
  for (const auto& entry : record_->departments) {
    EXPECT_EQ(entry.fence.answers(), 0U);
    EXPECT_THAT(entry.fence.troubles, IsEmpty());
    std::set<std::string> phases;
    for (const auto& attempt : entry.fence.attempts) phases.insert(attempt.phase);
    EXPECT_THAT(phases, ElementsAre("after", "before", "during"));
  }
}

TEST_F(Nightly, LeavesACompleteRunFolderAndNothingElse) {
  for (const auto* name : {"run.json", "events.jsonl", "junit.xml", "report.html", "decisions.json"})
    EXPECT_TRUE(fs::exists(run_ / name)) << name;
  EXPECT_TRUE(record_->complete);
  EXPECT_THAT(record_->timings, Not(IsEmpty()));
  EXPECT_LT(record_->peak_memory_kib, 8LL << 20) << "KiB";
  EXPECT_THAT(lab_processes(), IsEmpty());
  EXPECT_THAT(scratch_folders(), IsEmpty());
  for (const auto& entry : record_->departments) {
    for (const auto& machine : entry.machines)
      EXPECT_EQ(machine.golden_digest, machine.golden_digest_after) << machine.name;
  }
}

// Whatever a check was given, and whatever a guest printed.
TEST_F(Nightly, KeepsNoPasswordOfItsScenario) {
  const auto scenario = read_json_file(fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "xavier-nightly.json");
  ASSERT_TRUE(scenario);
  auto secrets = secrets_in(*scenario);
  for (const auto& role : scenario->at("roles")) {
    for (const auto& password : role.value("accounts", Json::object())) secrets.insert(password);
  }
  ASSERT_GE(secrets.size(), 4U);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(run_)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const auto text = read_file(entry.path());
    ASSERT_TRUE(text) << entry.path();
    for (const auto& secret : secrets) EXPECT_THAT(*text, Not(HasSubstr(secret))) << entry.path();
  }
  EXPECT_GT(files, 5U);
}

TEST_F(Nightly, SaysEachReasonOnce) {
  EXPECT_THAT(outcome_.output, HasSubstr("\n  bad-mail in engineering, finance: breaks mail/"));
  EXPECT_THAT(outcome_.output, HasSubstr("\n  bad-smb-engineering in engineering: breaks file/"));
}

TEST_F(Nightly, ANarrowedRunLeavesOutWhatNoMachineHas) {
  const auto scenario = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "xavier-nightly.json";
  const auto plan = patchlab({"run", scenario.string(), "--role", "dns", "--dry-run"}, folder_->path());
  EXPECT_EQ(exit_code(plan), 0) << plan.errors;
  EXPECT_THAT(plan.output, HasSubstr("candidate bad-dns-reboot: on dns"));
  EXPECT_THAT(plan.output,
              HasSubstr("not tested: candidate 'bad-mail' was left out: no machine that is left has 'postfix'"));
}

TEST_F(Nightly, ExplainsWhatIsHeldBack) {
  const auto explained = patchlab({"explain", "bad-smb-engineering"}, folder_->path());
  EXPECT_EQ(exit_code(explained), 5);
  EXPECT_THAT(explained.output, HasSubstr("engineering: fail"));
  EXPECT_THAT(explained.output, HasSubstr("finance: pass, promoted"));
}

// What sha256sum says of run.json is what ledger and manifest say of the run.
TEST_F(Nightly, IsNamedByTheBytesOfItsRecord) {
  const auto digest = sha256(read_file(run_ / reports::run_file_name).value());
  EXPECT_THAT(read_file(run_.parent_path() / "ledger.jsonl").value(),
              HasSubstr("\"record_digest\":\"" + digest + "\""));
  EXPECT_THAT(read_file(folder_->path() / "production" / "finance" / "manifest.json").value(), HasSubstr(digest));
}

// The ledger knows this record, and no improved copy of it.
TEST_F(Nightly, PromotesItsRecordAgainAndNoImprovedCopyOfIt) {
  EXPECT_EQ(exit_code(patchlab({"promote", run_.string(), "--stage", "again"}, folder_->path())), 0);
  auto improved =
      read_json_file(run_ / reports::run_file_name, JsonTexts::any).value();  // what a client saw may hold NUL
  for (auto& entry : improved["departments"][0]["verdicts"]) entry["outcome"] = "pass";
  folder_->write("improved.json", improved.dump());
  const auto ledger = run_.parent_path() / "ledger.jsonl";
  const auto refused =
      patchlab({"promote", "improved.json", "--stage", "other", "--ledger", ledger.string()}, folder_->path());
  EXPECT_EQ(exit_code(refused), 5) << refused.output << refused.errors;
  EXPECT_THAT(refused.output, HasSubstr("not-recorded: "));
  EXPECT_FALSE(fs::exists(folder_->path() / "other" / "engineering"));
  EXPECT_EQ(exit_code(patchlab({"verify", ledger.string()}, folder_->path())), 0);
}

// What was held back in finance, all of it: one more person than its owner says that it is known, two others agree, and
// an auditor who has the bundle, the root key and a head believes none of them more than that. In a copy of the stage.
TEST_F(Nightly, ASetWithWhatWasWaivedIsPromotedByPeopleAndProvenByOthers) {
  fs::copy(folder_->path() / "production", folder_->path() / "decided",
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  const auto& finance = department("finance");
  std::vector<std::string> words{run_.string(), "--department", "finance", "--stage", "decided"};
  std::vector<std::string> held;
  for (const auto& entry : finance.verdicts) {
    if (entry.outcome != Outcome::fail) continue;
    held.push_back(entry.candidate);
    words.insert(words.end(), {"--with", entry.candidate});
  }
  auto waiving = words;
  std::set<std::string> facts;
  for (const auto& trial : finance.trials) {
    if (!reports::is_trial_of_a_set(trial)) continue;
    for (const auto& fact : reports::failure_signature(trial)) {
      if (facts.insert(fact).second) waiving.insert(waiving.end(), {"--what", fact});
    }
  }
  const std::vector<std::string> promoting{"promote", run_.string(), "--stage", "decided", "--sign-with", "lab"};
  people_->waive("carol", waiving);
  people_->approve("bob", words);
  ASSERT_FALSE(patchlab(promoting, folder_->path()).output.empty());
  for (const auto& id : held)
    EXPECT_FALSE(fs::exists(folder_->path() / "decided/finance" / id)) << "one of two: " << id;
  people_->refused("alice", words, "approval-not-distinct");
  people_->refused("carol", words, "approval-not-distinct");
  people_->approve("dave", words);
  const auto promoted = patchlab(promoting, folder_->path());
  EXPECT_THAT(promoted.output, HasSubstr("waived by carol@x until ")) << promoted.output << promoted.errors;
  const auto manifest = read_json_file(folder_->path() / "decided/finance/manifest.json");
  ASSERT_TRUE(manifest) << promoted.output << promoted.errors;
  EXPECT_EQ(manifest->at("candidates").size(), finance.verdicts.size());
  for (const auto& id : held) EXPECT_TRUE(fs::exists(folder_->path() / "decided/finance" / id)) << id;

  const auto exported = people_->export_bundle("decided", "finance");
  ASSERT_EQ(exit_code(exported), 0) << exported.output << exported.errors;
  people_->expect_proven();
  people_->expect_refuted_when_tampered(6);
}

TEST_F(Nightly, NoticesAStageThatSomebodyChanged) {
  fs::copy(folder_->path() / "production", folder_->path() / "changed",
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  for (const auto& file :
       fs::recursive_directory_iterator(folder_->path() / "changed" / "finance" / "harmless-hostname")) {
    if (file.path().extension() != ".deb") continue;
    fs::permissions(file.path(), fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(file.path(), std::ios::app) << "x";
  }
  const auto verified = patchlab({"verify", "changed", "--json"}, folder_->path());
  EXPECT_EQ(exit_code(verified), 65) << verified.output << verified.errors;
  const auto checks = Json::parse(verified.output).at("departments");
  EXPECT_EQ(checks.size(), 2U) << verified.output;
  for (const auto& check : checks)
    EXPECT_EQ(check["problems"].empty(), check["department"] != "finance") << check.dump();
}

}  // namespace
}  // namespace patchlab::e2e
