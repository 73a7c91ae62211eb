// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/windows_intake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "patches/candidate/manifest.hpp"
#include "tests/support/windows_packages.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using testing::InstallerBuilder;
using testing::MsuBuilder;
using testing::TestFolder;

class WindowsIntakeTest : public ::testing::Test {
 protected:
  // The packages of these tests are not signed, so no verifier is started.
  Result<Candidate> add(const std::string& name, Unsigned unsigned_files = Unsigned::allow) {
    const Authenticode authenticode(host_processes(), {"", unsigned_files});
    return load_candidate(folder_.path() / name, store_, {}, &authenticode);
  }
  Result<Candidate> load(const std::string& name) { return load_candidate(folder_.path() / name, store_); }
  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
};

TEST_F(WindowsIntakeTest, MakesACandidateOfAPackage) {
  folder_.write("whatever.bin", MsuBuilder{}.bytes());
  const auto candidate = add("whatever.bin");
  ASSERT_TRUE(candidate) << candidate.error().message;
  EXPECT_EQ(candidate->id, "KB5035968-6.2.1.0");
  EXPECT_EQ(candidate->kind, "msu");
  EXPECT_EQ(candidate->title, "Fix for Package_for_KB5035968");
  ASSERT_EQ(candidate->files.size(), 1U);
  EXPECT_EQ(candidate->files[0].name, "KB5035968-6.2.1.0_amd64.msu");
  EXPECT_EQ(candidate->files[0].sha256, sha256(MsuBuilder{}.bytes()));
  EXPECT_EQ(candidate->files[0].windows->kb, "KB5035968");
  EXPECT_EQ(candidate->files[0].signature->state, SignatureState::none);
  EXPECT_TRUE(store_.verified_path(candidate->files[0].sha256));
}

TEST_F(WindowsIntakeTest, RefusesUnsignedPackagesAndStoresNothing) {
  folder_.write("x.msu", MsuBuilder{}.bytes());
  const auto candidate = add("x.msu", Unsigned::refuse);
  ASSERT_FALSE(candidate);
  EXPECT_EQ(candidate.error().message, "'" + (folder_.path() / "x.msu").string() + "' is not signed");
  EXPECT_FALSE(store_.contains(sha256(MsuBuilder{}.bytes())));
}

// What a run does: the scenario names the file, and the judgement of the intake holds.
TEST_F(WindowsIntakeTest, RemembersWhatWasTakenIn) {
  folder_.write("x.msu", MsuBuilder{}.bytes());
  const auto unknown = load("x.msu");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("x.msu' was not taken in yet"));
  EXPECT_THAT(unknown.error().hint, HasSubstr("patchlab patch add"));
  const auto added = add("x.msu");
  ASSERT_TRUE(added) << added.error().message;
  const auto loaded = load("x.msu");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(*loaded, *added);
  folder_.write("x.msu", MsuBuilder{}.bytes() + "changed");
  EXPECT_THAT(load("x.msu").error().message, HasSubstr("was not taken in yet"));
}

TEST_F(WindowsIntakeTest, RefusesADamagedNote) {
  folder_.write("x.msu", MsuBuilder{}.bytes());
  ASSERT_TRUE(add("x.msu"));
  folder_.write("store/intake/" + sha256(MsuBuilder{}.bytes()) + ".json",
                R"({"schema": "patchlab/intake/v2", "file": {}})");
  EXPECT_THAT(load("x.msu").error().message, HasSubstr("/schema: must be 'patchlab/intake/v1'"));
}

// It read update.mum alone: what else the package brings is not known.
TEST_F(WindowsIntakeTest, RefusesWhatAnOlderOneRead) {
  folder_.write("x.msu", MsuBuilder{}.bytes());
  ASSERT_TRUE(add("x.msu"));
  const auto note = "store/intake/" + sha256(MsuBuilder{}.bytes()) + ".json";
  auto json = read_json_file(folder_.path() / note).value();
  json["file"]["windows"].erase("parts");
  folder_.write(note, json.dump());
  const auto loaded = load("x.msu");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("was written by an older patchlab"));
  EXPECT_EQ(loaded.error().hint, "add the package again: patchlab patch add");
}

TEST_F(WindowsIntakeTest, LoadsAFolderOfOneKind) {
  folder_.write("c/a.msi", InstallerBuilder{}.bytes());
  folder_.write("c/candidate.json", R"({"id": "tools", "title": "Tools", "kind": "msi", "roles": ["print"]})");
  const auto candidate = add("c");
  ASSERT_TRUE(candidate) << candidate.error().message;
  EXPECT_EQ(candidate->kind, "msi");
  EXPECT_EQ(candidate->files[0].name, "Print-Tools-1.2.3_amd64.msi");
}

TEST_F(WindowsIntakeTest, RefusesFilesOfAnotherKind) {
  folder_.write("c/a.msu", InstallerBuilder{}.bytes());
  folder_.write("c/candidate.json", R"({"id": "tools", "title": "Tools", "kind": "msu"})");
  EXPECT_THAT(add("c").error().message, HasSubstr("'a.msu' is of kind msi, the candidate of kind msu"));
  folder_.write("d/candidate.json", R"({"id": "tools", "title": "Tools", "kind": "cab"})");
  EXPECT_THAT(add("d").error().message, HasSubstr("/: no *.cab file in the candidate's folder"));
}

TEST_F(WindowsIntakeTest, KeepsFactsAndSignatureInTheCandidatesJson) {
  folder_.write("x.msu", MsuBuilder{}.bytes());
  const auto candidate = add("x.msu");
  ASSERT_TRUE(candidate) << candidate.error().message;
  std::vector<JsonProblem> problems;
  EXPECT_EQ(candidate_file_from(Json(*candidate).at("files").at(0), "", problems), candidate->files.front());
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace patchlab::patches
