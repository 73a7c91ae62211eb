// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What is said of the regressions that updates of Windows brought is held against the program and the tests that there
// are.
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <regex>
#include <set>

#include "checks/registry/registry.hpp"
#include "lab/core/files.hpp"
#include "lab/guest/windows/collectors.hpp"
#include "runners/scenario/scenario.hpp"
#include "runners/selftest/regressions.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

const fs::path root = PATCHLAB_SOURCE_DIR;

class ShippedRegressions : public ::testing::Test {
 protected:
  void SetUp() override {
    auto read = read_regressions(root / "scenarios/faults/windows.json");
    ASSERT_TRUE(read) << read.error().message;
    regressions_ = std::move(*read);
    const auto scenario = load_scenario(regressions_.scenario);
    ASSERT_TRUE(scenario) << scenario.error().message;
    auto results = judge(regressions_, *scenario);
    ASSERT_TRUE(results) << results.error().message;
    results_ = std::move(*results);
  }
  Regressions regressions_;
  std::vector<RegressionResult> results_;
};

TEST_F(ShippedRegressions, AreThe97ThatWereFound) {
  EXPECT_EQ(regressions_.rows.size(), 97U);
  const std::map<char, int> of_each{{'A', 20}, {'D', 5}, {'E', 10}, {'F', 10}, {'H', 2}, {'M', 1},
                                    {'N', 20}, {'P', 8}, {'Q', 10}, {'T', 7},  {'W', 4}};
  std::map<char, int> count;
  for (const auto& row : regressions_.rows) ++count[row.id.front()];
  EXPECT_EQ(count, of_each);
}

// What nobody built is no means: then the row says what is missing, and names no means.
TEST_F(ShippedRegressions, NameOnlyMeansThatThereAre) {
  const auto states = windows_state_means();
  for (const auto& row : regressions_.rows) {
    for (const auto& means : row.means) {
      bool is_there = false;
      switch (means.kind) {
        case MeansKind::check: is_there = checks::find_check(means.name) != nullptr; break;
        case MeansKind::state: is_there = std::ranges::count(states, means.name) == 1; break;
        case MeansKind::step:
          is_there = std::ranges::count(trial_steps(), means.name,
                                        [](const auto& step) { return std::string(step.name); }) == 1;
          break;
      }
      EXPECT_TRUE(is_there) << row.id << ": " << name_of(means);
      EXPECT_THAT(means.tried_by, ::testing::Not(IsEmpty())) << row.id << ": " << name_of(means);
    }
    EXPECT_EQ(row.missing.empty(), !row.means.empty()) << row.id;
  }
}

TEST_F(ShippedRegressions, NameOnlyTestsThatThereAre) {
  for (const auto& [test, where] : regressions_.tests) {
    const auto text = read_file(root / where);
    ASSERT_TRUE(text) << where;
    const auto dot = test.find('.');
    const std::regex definition("(^|\n)TEST(_F|_P)?\\(" + test.substr(0, dot) + ", " + test.substr(dot + 1) + "\\)");
    EXPECT_TRUE(std::regex_search(*text, definition)) << where << " has no " << test;
  }
}

TEST_F(ShippedRegressions, AsJsonHaveTheirSchema) {
  auto json = regressions_json(results_);
  json["schema"] = "patchlab/regressions/v1";
  const auto schema = read_json_file(root / "cli/schemas/regressions.schema.json").value();
  tests::SchemaValidator validator(schema);
  EXPECT_THAT(validator.problems(json), IsEmpty());
}

// PATCHLAB_UPDATE_GOLDEN=1 writes it.
TEST_F(ShippedRegressions, StandInTheDocument) {
  const std::string begin = "<!-- regressions: begin -->\n", end = "<!-- regressions: end -->";
  const auto file = root / "docs/windows-regressions.md";
  auto document = read_file(file);
  ASSERT_TRUE(document);
  const auto from = document->find(begin), to = document->find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to);
  const auto at = from + begin.size();
  const auto wanted = "\n" + regressions_markdown(results_) + "\n";
  if (const char* update = std::getenv("PATCHLAB_UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    document->replace(at, to - at, wanted);
    ASSERT_TRUE(write_file_atomically(file, *document));
    FAIL() << "wrote " << file << "; run again without PATCHLAB_UPDATE_GOLDEN";
  }
  EXPECT_EQ(document->substr(at, to - at), wanted) << "patchlab selftest --regressions says otherwise";
}

// What a department does tells nothing where nothing happens.
TEST(RegressionSummaries, CountApartWhatNeedsSomethingOnTheGoldenMachine) {
  std::vector<RegressionResult> results(3);
  results[0].standing = results[1].standing = Standing::by_default;
  results[2].standing = Standing::by_policy;
  results[1].row.condition = results[2].row.condition = "a stub zone";
  const auto summary = summary_of(results);
  EXPECT_EQ(summary.by_default, 2U);
  EXPECT_EQ(summary.conditional, 1U);
  EXPECT_THAT(regressions_text(results),
              HasSubstr("(1 of these only where the golden machine has what the row names)"));
}

class StateMeans : public lab::guest::windows::WindowsTest {};

TEST_F(StateMeans, AreAllSeenOnAMachine) {
  windows.extra_events =
      "<Event x='1'><System><Provider Name='Service Control Manager'/><EventID>7031</EventID><Level>2</Level>"
      "<EventRecordID>78</EventRecordID></System></Event>\r\n";
  const auto state = adapter->host_state({"DNS"});
  ASSERT_TRUE(state) << state.error().message;
  std::set<std::string> seen;
  if (!state->services.empty()) seen.insert("service");
  if (!state->listeners.empty()) seen.insert("listener");
  if (!state->addresses.empty()) seen.insert("address");
  if (!state->error_kinds.empty()) seen.insert("error-log");
  for (const auto& name : windows_state_means()) {
    if (!name.starts_with("fact ")) continue;
    for (const auto& [fact, value] : state->facts) {
      if (fact.starts_with(name.substr(5) + " ")) seen.insert(name);
    }
  }
  for (const auto& collector : lab::guest::windows::collectors())
    seen.insert(collector.kinds.begin(), collector.kinds.end());
  const auto all = windows_state_means();
  EXPECT_EQ(seen, std::set<std::string>(all.begin(), all.end()));
}

class Standings : public ::testing::Test {
 protected:
  // A department with one machine and one check, and one regression with these means.
  Standing of(const Json& means, Json row = {{"id", "X01"}, {"update", "KB1"}, {"broke", "all of it"}}) {
    row["by"] = Json::array({means});
    const auto regressions = read(Json::array({row}));
    if (!regressions) throw std::runtime_error(regressions.error().message);
    return judge(*regressions, scenario()).value().front().standing;
  }
  Result<Regressions> read(const Json& rows) {
    const Json json{{"schema", "patchlab/known-regressions/v1"},
                    {"scenario", "scenario.json"},
                    {"department", "office"},
                    {"tests", {{"tests/unit/a_test.cpp", {"A.Passes"}}}},
                    {"regressions", rows}};
    return read_regressions(folder_.write("windows.json", json.dump()));
  }
  static Json row_by(const Json& means, const char* id = "X01") {
    return {{"id", id}, {"update", "KB1"}, {"broke", "it"}, {"by", means}};
  }
  Scenario scenario() {
    Scenario found;
    found.trial = default_trial(GuestFamily::windows);
    MachinePlan machine;
    machine.name = "dns1";
    machine.checks = {{"a-record", "dns.query", Json::object(), Milliseconds(1000), {}, {}}};
    DepartmentPlan office;
    office.name = "office";
    office.machines = {machine};
    found.departments = {office};
    return found;
  }
  test::TemporaryFolder folder_;
};

const Json tried = Json::array({"A.Passes"});

TEST_F(Standings, FollowFromWhatThereIsAndWhatIsTried) {
  EXPECT_EQ(of({{"means", "check dns.query"}, {"check", "dns1/a-record"}, {"tried_by", tried}}), Standing::by_default);
  EXPECT_EQ(of({{"means", "check dns.query"}, {"needs", "a name"}, {"tried_by", tried}}), Standing::by_policy);
  EXPECT_EQ(of({{"means", "step stability"}, {"tried_by", tried}}), Standing::by_default);
  EXPECT_EQ(of({{"means", "step clock"}, {"tried_by", tried}}), Standing::by_policy) << "no clock is moved by default";
  EXPECT_EQ(of({{"means", "state service"}, {"tried_by", tried}}), Standing::by_default);
  EXPECT_EQ(of({{"means", "state service"}, {"needs", "a service"}, {"tried_by", tried}}), Standing::by_policy);
}

TEST_F(Standings, AMeansThatNothingTriesOrThatIsNotThereDoesNotCount) {
  // The one test that the file has is named by another means.
  const Json other{{"means", "state listener"}, {"tried_by", tried}};
  const auto standing = [&](const Json& means) {
    const auto regressions = read(Json::array({row_by(Json::array({means})), row_by(Json::array({other}), "X02")}));
    return judge(regressions.value(), scenario()).value().front().standing;
  };
  EXPECT_EQ(standing({{"means", "check dns.query"}, {"check", "dns1/a-record"}}), Standing::untried);
  EXPECT_EQ(standing({{"means", "step stability"}}), Standing::untried);
  EXPECT_EQ(standing({{"means", "check kerberos.guess"}, {"needs", "it"}, {"tried_by", tried}}), Standing::missing);
  EXPECT_EQ(standing({{"means", "state aura"}, {"tried_by", tried}}), Standing::missing);
  EXPECT_EQ(standing({{"means", "step prayer"}, {"tried_by", tried}}), Standing::missing);
}

TEST_F(Standings, TheBestMeansCountsAndOnlyThatIsNamed) {
  const Json lucky{{"means", "state listener"}, {"needs", "luck"}, {"tried_by", tried}};
  const Json sure{{"means", "state service"}, {"tried_by", tried}};
  const auto regressions = read(Json::array({row_by(Json::array({lucky, sure}))}));
  const auto result = judge(regressions.value(), scenario()).value().front();
  EXPECT_EQ(result.standing, Standing::by_default);
  ASSERT_EQ(result.by.size(), 1U);
  EXPECT_EQ(name_of(result.by.front()), "state service");
  EXPECT_THAT(result.places, ElementsAre("simulator"));
}

TEST_F(Standings, ACheckThatTheDepartmentDoesNotHaveIsAnError) {
  const auto trouble = [&](const char* means, const char* check) {
    const Json named{{"means", means}, {"check", check}, {"tried_by", tried}};
    const auto results = judge(read(Json::array({row_by(Json::array({named}))})).value(), scenario());
    return results ? std::string() : results.error().message;
  };
  EXPECT_THAT(trouble("check dns.query", "dns1/gone"), HasSubstr("has no check 'dns1/gone'"));
  EXPECT_THAT(trouble("check smb.access", "dns1/a-record"), HasSubstr("'dns1/a-record' is a dns.query"));
}

TEST_F(Standings, TimeCountsOfACheckThatIsTimed) {
  const Json timed{{"means", "step slower"}, {"check", "dns1/a-record"}, {"tried_by", tried}};
  const auto regressions = read(Json::array({row_by(Json::array({timed}))})).value();
  auto department = scenario();
  EXPECT_THAT(judge(regressions, department).error().message, HasSubstr("does not say slower_ms"));
  department.departments.front().machines.front().checks.front().slower = Milliseconds(500);
  EXPECT_EQ(judge(regressions, department).value().front().standing, Standing::by_default);
  EXPECT_EQ(of({{"means", "step slower"}, {"tried_by", tried}}), Standing::by_policy);
}

TEST_F(Standings, OfAFileThatIsWrongEveryProblemIsSaid) {
  const auto means = Json::array({{{"means", "dns.query"}},
                                  {{"means", "check dns.query"}},
                                  {{"means", "check dns.query"}, {"needs", "x"}, {"tried_by", {"B.IsNotThere"}}},
                                  {{"means", "step boot"}, {"check", "dns1/a-record"}}});
  const auto wrong = read(Json::array({row_by(means), {{"id", "X01"}, {"update", ""}, {"broke", "it"}}}));
  ASSERT_FALSE(wrong);
  const auto& message = wrong.error().message;
  for (const char* part :
       {"'dns.query' must be", "says either which", "'B.IsNotThere' is not among", "is for a means that is", "is no id",
        "which update", "'A.Passes' is named by no regression"})
    EXPECT_THAT(message, HasSubstr(part));
}

TEST(RegressionPlaces, FollowFromTheFolderOfTheTest) {
  EXPECT_EQ(place_of("tests/unit/transcripts/transcripts_test.cpp"), "transcript");
  EXPECT_EQ(place_of("tests/e2e/windows_scenario_test.cpp"), "stand-in");
  EXPECT_EQ(place_of("tests/integration/checks/smb/samba_test.cpp"), "server on loopback");
  EXPECT_EQ(place_of("tests/unit/runners/cell_test.cpp"), "simulator");
}

}  // namespace
}  // namespace patchlab::runners
