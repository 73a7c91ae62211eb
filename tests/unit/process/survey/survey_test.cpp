// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/survey/survey.hpp"

#include <gmock/gmock.h>

#include "tests/support/feeds.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class NoPrograms final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& /*spec*/, std::stop_token /*stop*/) override {
    ++calls;
    return {NotStarted{"not here"}, {}, {}};
  }
  std::size_t calls = 0;
};

constexpr const char* base_files =
    "Package: base-files\nStatus: install ok installed\nVersion: 12.4+deb12u5\nArchitecture: amd64\n\n";

// One machine of a domain, whose list of packages each test writes.
class SurveyTest : public ::testing::Test {
 protected:
  SurveyTest() {
    runners::MachinePlan machine;
    machine.name = machine.role = "dns";
    machine.golden.domain = runners::GoldenDomainRef{"qemu:///system", "dns1", {}, folder_.path() / "status", {}};
    runners::DepartmentPlan department;
    department.name = "finance";
    department.machines = {machine};
    scenario_.departments = {department};
  }
  ScannedMachine surveyed(const std::string& status) {
    folder_.write("status", status);
    SurveyRequest request;
    request.cache = folder_.path() / "cache";
    const auto found = survey(scenario_, programs_, request);
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found && found->machines.size() == 1 ? found->machines[0] : ScannedMachine();
  }

  test::TemporaryFolder folder_;
  NoPrograms programs_;
  runners::Scenario scenario_;
};

TEST_F(SurveyTest, ReadsWhatADomainHas) {
  const auto machine = surveyed(base_files);
  EXPECT_EQ(machine.not_known, "");
  EXPECT_EQ(machine.release, "bookworm");
  EXPECT_THAT(machine.packages, SizeIs(1));
  EXPECT_THAT(machine.offers_not_known, HasSubstr("the apt sources gave no answer"));
}

TEST_F(SurveyTest, DoesNotTakeAListThatIsCutOffForAMachineWithFewPackages) {
  const std::string hello = "Package: hello\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n";
  for (const auto& status : {std::string(), std::string("\n"), hello, base_files + hello.substr(0, 30)}) {
    const auto machine = surveyed(status);
    EXPECT_THAT(machine.not_known, HasSubstr("status' lists no whole Debian system: copy it again")) << status;
    EXPECT_EQ(machine.machine, "dns");
  }
  EXPECT_EQ(programs_.calls, 0U) << "nobody is asked for updates of such a machine";
}

// Version 3:1 of the package is of version 1 of its source, whose versions the changelog counts by.
TEST_F(SurveyTest, ReadsChangelogsSinceTheSourceVersionOfWhatIsInstalled) {
  patches::testing::PackageBuilder builder;
  builder.version = "3:2";
  builder.more_fields = "Source: world (2)\n";
  builder.data.push_back(patches::testing::file(
      "./usr/share/doc/hello/changelog.Debian.gz",
      tests::gzip("world (2) stable; urgency=high\n\n  * CVE-2026-1000\n\nworld (1) stable; urgency=low\n\n"
                  "  * CVE-2026-1001\n")));
  runners::CandidateSource source;
  source.path = folder_.write("hello.deb", builder.bytes());
  scenario_.candidates = {source};
  const auto offered = [&](const std::string& version, const std::string& source_version) {
    const auto machine = surveyed(
        base_files + fmt::format("Package: hello\nStatus: install ok installed\nSource: world ({})\nVersion: {}\n"
                                 "Architecture: amd64\n\n",
                                 source_version, version));
    EXPECT_THAT(machine.offers, SizeIs(1));
    return machine.offers.empty() ? Offer() : machine.offers[0];
  };
  const auto older = offered("3:1", "1");
  ASSERT_TRUE(older.cves);
  EXPECT_THAT(*older.cves, ElementsAre("CVE-2026-1000"));
  EXPECT_EQ(older.urgency, "high");
  EXPECT_FALSE(offered("3:1", "2").cves) << "nothing in it is newer: what the package closes is not said";
}

}  // namespace
}  // namespace patchlab::process
