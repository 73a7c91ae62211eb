// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/carried.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "reports/record/facts.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/run_exit_code.hpp"
#include "tests/support/carried_record.hpp"

namespace patchlab::reports {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Carried, NamesEachPairOfMachinesWithItsDigests) {
  const auto record = tests::carried_record();
  const auto carrying = carrying_of(record, "engineering");
  EXPECT_TRUE(carrying.is_carried());
  EXPECT_THAT(carrying.alike, ElementsAre(AlikeMachines{"dns", sha256("golden dns"), sha256("definition of dns")},
                                          AlikeMachines{"mail", sha256("golden mail"), sha256("definition of mail")}));
  EXPECT_THAT(sentence_of(carrying, record.id),
              HasSubstr("tested in 'finance' of run " + record.id +
                        ", and not here; alike there and here: dns (golden " + sha256("golden dns").substr(0, 12)));
  EXPECT_EQ(carrying_json(carrying, record.id)["machines"].size(), 2U);
}

TEST(Carried, ComparesNothingOfADepartmentThatWasTested) {
  const auto record = tests::carried_record();
  EXPECT_FALSE(carrying_of(record, "finance").is_carried());
  EXPECT_FALSE(carrying_of(record, "sales").is_carried());
  EXPECT_EQ(as_tested(record, record.departments[0]).get(), &record.departments[0]) << "no copy";
  EXPECT_EQ(find_as_tested(record, "sales"), nullptr);
}

TEST(Carried, IsWhatWasSeenThereWithTheMachinesFromHere) {
  auto record = tests::carried_record();
  record.departments[1].machines[0].golden = "another name";
  const auto seen = find_as_tested(record, "engineering");
  EXPECT_EQ(seen->name, "engineering");
  EXPECT_EQ(seen->machines[0].golden, "another name");
  EXPECT_THAT(seen->trials, SizeIs(record.departments[0].trials.size()));
  EXPECT_EQ(find_verdict(*seen, "tidy")->outcome, Outcome::pass);
}

// One way in which the two are not alike, and what is said of it.
struct Unlike {
  const char* name;
  std::function<void(RunRecord&, DepartmentRecord& there, DepartmentRecord& here)> make;
  const char* said;
};
void PrintTo(const Unlike& unlike, std::ostream* out) { *out << unlike.name; }

const std::vector<Unlike>& unlikes() {
  using Department = DepartmentRecord&;
  static const std::vector<Unlike> all{
      {"GoldenDigest", [](auto&, auto&, Department here) { here.machines[0].golden_digest = sha256("other"); },
       "its golden machine differs from that of finance/dns"},
      {"GoldenDigestMissing",
       [](auto&, Department there, Department here) {
         here.machines[0].golden_digest.clear();
         there.machines[0].golden_digest.clear();
       },
       "nobody knows its golden machine here or of finance/dns: a digest is missing"},
      {"GoldenChanged", [](auto&, Department there, auto&) { there.machines[1].golden_digest_after = "changed"; },
       "its golden machine after the run differs from that of finance/mail"},
      {"Definition", [](auto&, auto&, Department here) { here.machines[0].definition_digest = sha256("other"); },
       "its definition (configuration, network"},
      {"DefinitionMissing",
       [](auto&, Department there, Department here) {
         here.machines[0].definition_digest.clear();
         there.machines[0].definition_digest.clear();
       },
       "a digest is missing"},
      {"StateMissing",
       [](auto&, Department there, Department here) {
         here.machines[1].state_digest.clear();
         there.machines[1].state_digest.clear();
       },
       "what is looked at of its state here or of finance/mail: a digest is missing"},
      {"Check", [](auto&, auto&, Department here) { here.machines[0].check_digests["a-record"] = sha256("other"); },
       "the list of its checks and their digests differs"},
      {"CheckDigestMissing",
       [](auto&, Department there, Department here) {
         here.machines[0].check_digests.erase("a-record");
         there.machines[0].check_digests.erase("a-record");
       },
       "the list of its checks and their digests differs"},
      {"OtherChecks", [](auto&, auto&, Department here) { here.machines[0].checks[0] = "other"; },
       "the list of its checks and their digests differs"},
      {"State", [](auto&, auto&, Department here) { here.machines[0].state_digest = sha256("other"); },
       "what is looked at of its state differs"},
      {"RoleMissing",
       [](auto&, Department there, Department here) {
         here.machines[0].role.clear();
         there.machines[0].role.clear();
       },
       "its role differs"},
      {"AddressMissing",
       [](auto&, Department there, Department here) {
         here.machines[0].address.clear();
         there.machines[0].address.clear();
       },
       "its address differs"},
      {"Host", [](auto&, auto&, Department here) { here.machines[0].golden_at = "qemu+ssh://other/system"; },
       "the host of its golden machine differs"},
      {"Role", [](auto&, auto&, Department here) { here.machines[0].role = "resolver"; }, "its role differs"},
      {"Address", [](auto&, auto&, Department here) { here.machines[0].address = "10.30.0.10"; },
       "its address differs"},
      {"Memory", [](auto&, auto&, Department here) { here.machines[0].memory_mib = 512; }, "its memory differs"},
      {"OneMoreHere", [](auto&, auto&, Department here) { here.machines.push_back({.name = "print"}); },
       "'finance' has 0 machines of this name"},
      {"OneMoreThere", [](auto&, auto&, Department here) { here.machines.pop_back(); },
       "'finance' was tested with a machine 'mail', which is not here"},
      {"TwiceHere", [](auto&, auto&, Department here) { here.machines.push_back(MachineRecord(here.machines[0])); },
       "dns: is in the record twice"},
      {"TwiceThere", [](auto&, Department there, auto&) { there.machines.push_back(MachineRecord(there.machines[0])); },
       "'finance' has 2 machines of this name"},
      {"NoMachine", [](auto&, auto&, Department here) { here.machines.clear(); }, "no machine was planned"},
      {"Phases", [](auto&, auto&, Department here) { here.phases.pop_back(); }, "was planned with other phases"},
      {"OtherPlaces", [](auto&, auto&, Department here) { here.verdicts[1].machines = {"dns"}; },
       "candidate tidy is for {dns} here, and for {dns, mail} in 'finance'"},
      {"NotPlanned", [](auto&, auto&, Department here) { here.verdicts.pop_back(); },
       "candidate tidy was not planned in both"},
      {"NotPlannedThere", [](auto&, Department there, auto&) { there.verdicts.pop_back(); },
       "candidate tidy was not planned in both"},
      {"OwnVerdict", [](auto&, auto&, Department here) { here.verdicts[0].outcome = Outcome::fail; },
       "it has a verdict of its own on dns-update (fail), and that stands"},
      {"OwnError", [](auto&, auto&, Department here) { here.error = infrastructure_error("no memory"); },
       "it ended with an error of its own: no memory"},
      {"OwnTrials", [](auto&, Department there, Department here) { here.trials = there.trials; },
       "it has results of its own, and these stand"},
      {"OwnOutcome", [](auto&, auto&, Department here) { here.outcome = Outcome::error; },
       "it has results of its own, and these stand"},
      {"OwnFlake", [](auto&, auto&, Department here) { here.flaky.emplace_back(); },
       "it has results of its own, and these stand"},
      {"OwnFinalTrial", [](auto&, Department there, Department here) { here.final_trial = there.final_trial; },
       "it has results of its own, and these stand"},
      {"OwnFence", [](auto&, Department there, Department here) { here.fence.attempts = there.fence.attempts; },
       "it has results of its own, and these stand"},
      {"OwnTroubleOfTheFence", [](auto&, auto&, Department here) { here.fence.troubles = {"no probe"}; },
       "it has results of its own, and these stand"},
      {"NobodyOfThisName", [](auto&, auto&, Department here) { here.tested_in = "sales"; },
       "the record has no other department 'sales' that was tested"},
      {"Itself", [](auto&, auto&, Department here) { here.tested_in = here.name; },
       "no other department 'engineering'"},
      {"TwoOfThatName",
       [](auto& record, Department there, auto&) { record.departments.push_back(DepartmentRecord(there)); },
       "the record has no other department 'finance' that was tested"},
      {"TwoOfThisName",
       [](auto& record, auto&, Department here) { record.departments.push_back(DepartmentRecord(here)); },
       "the record has no other department 'finance' that was tested"},
      {"AChain", [](auto&, Department there, auto&) { there.tested_in = "sales"; },
       "'finance' was not tested itself, but in 'sales'"},
  };
  return all;
}

class NotAlike : public testing::TestWithParam<Unlike> {};

TEST_P(NotAlike, CarriesNothingOver) {
  auto record = tests::carried_record();
  GetParam().make(record, record.departments[0], record.departments[1]);
  const auto carrying = carrying_of(record, "engineering");
  EXPECT_FALSE(carrying.is_carried());
  std::string said;
  for (const auto& one : carrying.obstacles) said += one.machine + ": " + one.text + "\n";
  EXPECT_THAT(said, HasSubstr(GetParam().said));
  EXPECT_EQ(find_as_tested(record, "engineering").get(), &record.departments[1]) << "what it is itself, and no more";
  EXPECT_NE(exit_code_for(record), ExitCode::ok) << "the run did not test all that was asked for";
}
INSTANTIATE_TEST_SUITE_P(Of, NotAlike, testing::ValuesIn(unlikes()), [](const auto& info) { return info.param.name; });

// What was not tried is no pass on any report, and stands against nobody either.
TEST(Carried, IsToldAsThatByTheReports) {
  const auto record = tests::carried_record();
  EXPECT_EQ(exit_code_for(record), ExitCode::ok);
  for (const auto& fact : facts_of_run(record)) {
    if (fact.department != "engineering") continue;
    EXPECT_EQ(fact.outcome, Outcome::skipped) << name_of(fact);
    if (fact.kind == FactKind::department) {
      EXPECT_EQ(fact.code, "carried");
      EXPECT_THAT(fact.sentence, HasSubstr("tested in 'finance'"));
    }
    if (fact.kind == FactKind::verdict) {
      EXPECT_EQ(fact.sentence, "not tried here; in 'finance': pass");
    }
  }
}

TEST(Carried, IsKeptByTheFileOfTheRecord) {
  const auto record = tests::carried_record();
  const auto read = run_record_from_json(Json(record));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->departments[1].tested_in, "finance");
  EXPECT_EQ(read->asked, record.asked);
  EXPECT_TRUE(carrying_of(*read, "engineering").is_carried());
  auto spoilt = Json(record);
  spoilt["departments"][1]["machines"][0]["definition_digest"] = "short";
  EXPECT_FALSE(run_record_from_json(spoilt));
}

}  // namespace
}  // namespace patchlab::reports
