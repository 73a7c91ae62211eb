// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "found_run.hpp"
#include "lab/core/paths.hpp"
#include "people.hpp"
#include "program.hpp"
#include "tests/support/carried_record.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

Json taking() {
  auto policy = one_person();
  policy["carried"] = {{"max_age_hours", 48}};
  return policy;
}

// From a run in which finance was tested, and engineering was not since its machines are alike, to what an auditor
// says, by the built program; only the run itself is a record that is there already.
class Carried : public ::testing::Test {
 protected:
  explicit Carried(const Json& policy = taking()) : people_(folder_.path(), policy) {
    ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1);
    ::unsetenv("PATCHLAB_RUNS");
  }
  ~Carried() override { ::unsetenv("PATCHLAB_CACHE"); }

  void found(const reports::RunRecord& record) const { make_found_run(folder_.path(), record); }
  [[nodiscard]] ProcessOutcome ask(const std::vector<std::string>& words) const {
    return patchlab(words, folder_.path());
  }
  [[nodiscard]] ProcessOutcome promote() const {
    return ask({"promote", "latest", "--department", "engineering", "--sign-with", "lab"});
  }
  void expect_refused(const std::string& code, const std::string& why) const {
    const auto outcome = promote();
    EXPECT_EQ(exit_code(outcome), 5) << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr(code));
    EXPECT_THAT(outcome.output, HasSubstr(why));
    EXPECT_FALSE(is_there(folder_.path() / "production/engineering"));
  }
  [[nodiscard]] fs::path run_json() const {
    return folder_.path() / "runs" / tests::carried_record().id / reports::run_file_name;
  }

  const TemporaryFolder folder_;
  const People people_;
  const std::vector<std::string> here_{"latest", "--department", "engineering"};
  const std::vector<std::string> there_{"latest", "--department", "finance"};
};

TEST_F(Carried, IsApprovedPromotedAndProvenWhereAllMachinesAreAlike) {
  found(tests::carried_record());
  expect_refused("approval-missing", "");
  people_.approve("bob", there_);
  expect_refused("approval-missing", "");  // what was approved is the other department
  people_.refused("alice", here_, "approval-not-distinct");
  people_.approve("bob", here_);
  EXPECT_THAT(ask({"explain", "tidy"}).output, HasSubstr("not tried here: 'finance' was tested"));
  const auto promoted = promote();
  EXPECT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  EXPECT_THAT(promoted.output, HasSubstr("tested in 'finance' of run " + tests::carried_record().id));

  const auto manifest = read_json_file(folder_.path() / "production/engineering/manifest.json").value();
  EXPECT_EQ(manifest.at("carried").at("department"), "finance");
  EXPECT_EQ(manifest.at("carried").at("run"), tests::carried_record().id);
  EXPECT_EQ(manifest.at("carried").at("machines").size(), 2U);
  EXPECT_EQ(manifest.at("carried").at("machines")[0].at("definition_digest"), sha256("definition of dns"));

  const auto exported = people_.export_bundle("production", "engineering");
  EXPECT_EQ(exit_code(exported), 0) << exported.errors;
  people_.expect_proven();
  const auto verified = ask({"verify", "bundle", "--roots", "roots", "--noted", "noted"});
  EXPECT_THAT(verified.output, HasSubstr("tested in 'finance'")) << verified.errors;
  people_.expect_refuted_when_tampered(3);
  const auto change = ask({"deploy", "change", "production"});
  EXPECT_THAT(change.output, HasSubstr("tested in 'finance'")) << change.errors;
}

TEST_F(Carried, IsRefusedForAnotherGoldenMachine) {
  auto record = tests::carried_record();
  auto& machine = record.departments[1].machines[0];
  machine.golden_digest = machine.golden_digest_after = sha256("another");
  found(record);
  expect_refused("carried-not-alike", "its golden machine differs from that of finance/dns");
}

TEST_F(Carried, IsRefusedForAnotherConfigurationOfTheRole) {
  auto record = tests::carried_record();
  record.departments[1].machines[1].check_digests["deliver"] = sha256("another");
  record.departments[1].machines[1].definition_digest = sha256("another");
  found(record);
  expect_refused("carried-not-alike", "its definition");
}

TEST_F(Carried, IsRefusedWithoutADigestOfTheDefinition) {
  auto record = tests::carried_record();
  for (auto& department : record.departments) department.machines[1].definition_digest.clear();
  found(record);
  expect_refused("carried-not-alike", "a digest is missing");
}

TEST_F(Carried, IsRefusedWhenTheRecordWasTamperedWith) {
  auto record = tests::carried_record();
  record.departments[1].machines[0].definition_digest = sha256("another");
  found(record);
  auto edited = reports::read_run_record(run_json()).value();
  edited.departments[1].machines[0].definition_digest = edited.departments[0].machines[0].definition_digest;
  ASSERT_TRUE(reports::write_run_record(edited, run_json()));
  expect_refused("not-recorded", "");
}

// In a run of its own it failed, with the same bytes.
TEST_F(Carried, IsRefusedWhereItFailedItself) {
  auto failed = tests::held_back_record();
  failed.id = "2026-11-21T060250Z-000000";
  failed.departments[0].name = "engineering";
  found(failed);
  found(tests::carried_record());
  people_.approve("bob", here_);
  expect_refused("carried-not-alike", "failed here itself, in run 2026-11-21T060250Z-000000");
}

class CarriedByNoPolicy : public Carried {
 protected:
  CarriedByNoPolicy() : Carried(one_person()) {}
};

TEST_F(CarriedByNoPolicy, IsRefused) {
  found(tests::carried_record());
  people_.approve("bob", here_);
  expect_refused("carried-not-allowed", "policy 'production' does not take that for enough");
  people_.approve("bob", there_);
  EXPECT_EQ(exit_code(ask({"promote", "latest", "--department", "finance", "--sign-with", "lab"})), 0)
      << "which was tested itself";
}

}  // namespace
}  // namespace patchlab::e2e
