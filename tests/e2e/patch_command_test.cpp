// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "program.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::e2e {
namespace {

using patches::testing::CabBuilder;
using patches::testing::MsuBuilder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PatchCommand : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("PATCHLAB_CACHE", (folder_.path() / "cache").c_str(), 1); }
  void TearDown() override { ::unsetenv("PATCHLAB_CACHE"); }
  ProcessOutcome run(const std::vector<std::string>& arguments) { return patchlab(arguments, folder_.path()); }
  TemporaryFolder folder_;
};

TEST_F(PatchCommand, InspectsAWindowsPackage) {
  folder_.write("x.msu", MsuBuilder{}.bytes());
  const auto text = run({"patch", "inspect", "x.msu"});
  EXPECT_EQ(exit_code(text), 0) << text.errors;
  EXPECT_THAT(
      text.output,
      HasSubstr("kind         msu\npackage      Package_for_KB5035968\nversion      6.2.1.0\narchitecture amd64\n"));
  EXPECT_THAT(text.output, HasSubstr("\nkb           KB5035968\n"));
  EXPECT_THAT(text.output, HasSubstr("\nwindows      6.2\nrestart      possible\n"));
  EXPECT_THAT(text.output, HasSubstr("\nsignature    none\n"));
  const auto json = Json::parse(run({"patch", "inspect", "x.msu", "--json"}).output);
  EXPECT_EQ(json["canonical_name"], "KB5035968-6.2.1.0_amd64.msu");
  EXPECT_EQ(json["carries_signature"], false);
}

TEST_F(PatchCommand, RefusesAHostilePackageWithTheReason) {
  folder_.write("x.cab", CabBuilder{{{"..\\update.mum", "x"}}}.bytes());
  const auto outcome = run({"patch", "inspect", "x.cab"});
  EXPECT_EQ(exit_code(outcome), 65);
  EXPECT_EQ(outcome.errors,
            "patchlab: error: 'x.cab' holds the dangerous name '..\\update.mum': it leaves its folder\n");
  EXPECT_THAT(outcome.output, IsEmpty());
}

TEST_F(PatchCommand, AddsUnsignedPackagesOnlyWhenToldSo) {
  folder_.write("x.msu", MsuBuilder{}.bytes());
  const auto refused = run({"patch", "add", "x.msu"});
  EXPECT_EQ(exit_code(refused), 65);
  EXPECT_EQ(refused.errors,
            "patchlab: error: 'x.msu' is not signed\npatchlab: hint: take it from its vendor again, or accept it with "
            "--allow-unsigned\n");
  const auto added = run({"patch", "add", "x.msu", "--allow-unsigned"});
  EXPECT_EQ(exit_code(added), 0) << added.errors;
  EXPECT_THAT(added.output, HasSubstr("KB5035968-6.2.1.0 "));
  EXPECT_THAT(added.output, HasSubstr("KB5035968-6.2.1.0_amd64.msu not signed (allowed)\n"));
  const auto json = Json::parse(run({"patch", "add", "x.msu", "--allow-unsigned", "--json"}).output);
  EXPECT_EQ(json["kind"], "msu");
  EXPECT_EQ(json["files"][0]["signature"]["state"], "none");
  EXPECT_EQ(json["files"][0]["windows"]["kb"], "KB5035968");
}

}  // namespace
}  // namespace patchlab::e2e
