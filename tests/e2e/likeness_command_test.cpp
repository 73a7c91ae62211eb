// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "found_run.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/time.hpp"
#include "lab/facts/compare.hpp"
#include "people.hpp"
#include "program.hpp"
#include "reports/record/kept_files.hpp"
#include "tests/support/facts.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// By the built program; only the run is a record that is there already.
class LikenessCommand : public ::testing::Test {
 protected:
  LikenessCommand() {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
    folder_.write("scenario.json", small_scenario().dump());
    put("facts/finance/dns.json", tests::small_facts());
  }
  ~LikenessCommand() override { ::unsetenv("PATCHLAB_CACHE"); }

  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.path() / name).parent_path());
    folder_.write(name, text);
  }
  // A run at whose baseline the golden machine said this.
  void run_that_heard(const std::string& text) const {
    auto record = tests::good_record();
    const auto run = folder_.path() / "runs" / record.id;
    put("runs/" + record.id + "/evidence/finance/facts/dns.json", text);
    record.evidence = reports::kept_files_in(run).value();
    ASSERT_TRUE(reports::write_run_record(record, run / reports::run_file_name));
  }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const {
    return patchlab(words, folder_.path());
  }
  [[nodiscard]] ProcessOutcome compare(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"likeness", "compare", "scenario.json", "facts"};
    words.insert(words.end(), more.begin(), more.end());
    return ask(words);
  }

  const TemporaryFolder folder_;
};

TEST_F(LikenessCommand, PrintsTheScriptsAsTheyAre) {
  EXPECT_EQ(ask({"likeness", "script", "debian"}).output, read_file(PATCHLAB_SOURCE_DIR "/lab/facts/facts.sh").value());
  EXPECT_EQ(ask({"likeness", "script", "windows"}).output,
            read_file(PATCHLAB_SOURCE_DIR "/lab/facts/facts.ps1").value());
  const auto other = ask({"likeness", "script", "solaris"});
  EXPECT_EQ(exit_code(other), 64);
  EXPECT_THAT(other.errors, HasSubstr("debian, windows"));
}

TEST_F(LikenessCommand, ComparesWhatMachinesSaidAtABaselineWithProduction) {
  run_that_heard(tests::small_facts());
  const auto alike = compare({"--run", "latest", "--json"});
  EXPECT_EQ(exit_code(alike), 0) << alike.output << alike.errors;
  const auto json = Json::parse(alike.output);
  const auto schema = read_json_file(PATCHLAB_SOURCE_DIR "/cli/schemas/likeness.schema.json").value();
  EXPECT_THAT(tests::SchemaValidator(schema).problems(json), ::testing::IsEmpty());
  EXPECT_EQ(json.at("machines").at(0).at("likeness").at("state"), "alike");

  auto lines = tests::facts_lines();
  lines.replace(lines.find("1:9.18.33"), 9, "1:9.18.28");
  put("facts/finance/dns.json", tests::facts_text(lines));
  const auto differs = compare({"--run", "latest"});
  EXPECT_EQ(exit_code(differs), 3) << differs.errors;
  EXPECT_THAT(differs.output, AllOf(HasSubstr("packages bind9:amd64: golden 1:9.18.33-1~deb12u2, production "
                                              "1:9.18.28-1~deb12u2"),
                                    HasSubstr("0 alike, 1 differ, of 0 nobody can tell")));
}

TEST_F(LikenessCommand, TakesNothingForAlikeThatNobodyKnows) {
  const auto at_rest = compare({});
  EXPECT_EQ(exit_code(at_rest), 3) << at_rest.errors;
  EXPECT_THAT(at_rest.output, HasSubstr("0 alike, 0 differ, of 1 nobody can tell"));

  run_that_heard(tests::small_facts());
  fs::remove(folder_.path() / "facts/finance/dns.json");
  put("facts/finance/dns2.json", tests::small_facts());
  const auto missing = compare({"--run", "latest"});
  EXPECT_EQ(exit_code(missing), 3) << missing.errors;
  EXPECT_THAT(missing.output, AllOf(HasSubstr("nobody collected facts"), HasSubstr("of 1 nobody can tell"),
                                    HasSubstr("finance/dns2.json: of no machine of the scenario")));
  // A stranger alone is enough not to be done.
  put("facts/finance/dns.json", tests::small_facts());
  EXPECT_EQ(exit_code(compare({"--run", "latest"})), 3);
}

TEST_F(LikenessCommand, RefusesFactsThatSomebodyCutOrEdited) {
  run_that_heard(tests::small_facts());
  put("facts/finance/dns.json", tests::small_facts().substr(0, 400));
  const auto cut = compare({"--run", "latest"});
  EXPECT_EQ(exit_code(cut), 65);
  EXPECT_THAT(cut.errors, HasSubstr("facts/finance/dns.json:"));
  put("facts/finance/dns.json", tests::facts_text(tests::facts_lines(), "dns1", "2199-01-01T00:00:00Z"));
  const auto future = compare({"--run", "latest"});
  EXPECT_EQ(exit_code(future), 65);
  EXPECT_THAT(future.errors, HasSubstr("in the future"));
  put("facts/finance/dns.json", tests::small_facts());
  put("runs/" + tests::good_record().id + "/evidence/finance/facts/dns.json",
      tests::facts_text(tests::facts_lines(), "x"));
  const auto edited = compare({"--run", "latest"});
  EXPECT_EQ(exit_code(edited), 65);
  EXPECT_THAT(edited.errors, HasSubstr("is not what the run kept"));
}

// From the policy to the stage: nobody knows, then too far, then close enough.
TEST_F(LikenessCommand, IsDemandedByAPolicyBeforeAnythingIsPromoted) {
  auto policy = one_person();
  policy["likeness"] = {{"max_age_days", 7}, {"at_most", {{"role-packages", 0}, {"packages", 1}}}};
  const People people(folder_.path(), policy);
  const auto said = ask({"policy", "check", "policy.json"});
  EXPECT_EQ(exit_code(said), 0) << said.errors;
  EXPECT_THAT(said.output,
              HasSubstr("likeness: facts of production at most 7 days old, differing at most: 1 packages, 0 "
                        "role-packages"));
  const auto observed = rfc3339(std::chrono::system_clock::now() - std::chrono::hours(24));
  const auto golden = lab::facts::read_facts(tests::small_facts(), "golden").value();
  const auto promoted = [&](const std::string& run, const std::optional<std::string>& production) {
    auto record = tests::good_record();
    record.id = run;
    for (auto& machine : record.departments[0].machines) {
      if (!production) continue;
      const auto facts = lab::facts::read_facts(tests::facts_text(*production, "dns1", observed), "production").value();
      machine.likeness = lab::facts::compare(machine.name, golden, facts);
      machine.likeness->facts = sha256(*production);
    }
    make_found_run(folder_.path(), record);
    people.approve("bob", {run, "--department", "finance"});
    return ask({"promote", run, "--sign-with", "lab"});
  };

  const auto unknown = promoted("r-unknown", std::nullopt);
  EXPECT_EQ(exit_code(unknown), 5) << unknown.output << unknown.errors;
  EXPECT_THAT(unknown.output, HasSubstr("likeness-unknown: finance/dns: "));
  EXPECT_THAT(ask({"explain", "dns-update", "--run", "r-unknown"}).output,
              HasSubstr("patchlab run SCENARIO --facts FOLDER"));
  EXPECT_EQ(exit_code(ask({"policy", "test", "policy.json", "r-unknown"})), 5);

  auto other = tests::facts_lines();
  other.replace(other.find("1:9.18.33"), 9, "1:9.18.28");
  const auto far = promoted("r-far", other);
  EXPECT_EQ(exit_code(far), 5) << far.output << far.errors;
  EXPECT_THAT(far.output, HasSubstr("not-alike: finance/dns: "));
  EXPECT_THAT(far.output, Not(HasSubstr("likeness-unknown")));
  EXPECT_THAT(read_file(folder_.path() / "runs/r-far/report.html").value_or(""), HasSubstr("1:9.18.28-1~deb12u2"));

  auto close = tests::facts_lines();
  close.replace(close.find("2:9.0.1378-2"), 12, "2:9.0.1378-3");
  const auto near = promoted("r-near", close);
  EXPECT_EQ(exit_code(near), 0) << near.output << near.errors;
  const auto verified = ask({"verify", "production", "--roots", "roots"});
  EXPECT_EQ(exit_code(verified), 0) << verified.output << verified.errors;
  const auto exported = people.export_bundle("production", "finance");
  ASSERT_EQ(exit_code(exported), 0) << exported.output << exported.errors;
  people.expect_proven();
}

}  // namespace
}  // namespace patchlab::e2e
