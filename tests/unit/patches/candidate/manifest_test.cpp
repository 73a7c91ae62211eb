// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using testing::PackageBuilder;
using testing::TestFolder;

class ManifestTest : public ::testing::Test {
 protected:
  void write_manifest(const Json& json) { folder_.write("c/candidate.json", json.dump()); }
  std::string write_package(const std::string& name, const std::string& package = "hello",
                            const std::string& version = "2") {
    PackageBuilder builder;
    builder.package = package;
    builder.version = version;
    folder_.write("c/" + name, builder.bytes());
    return sha256(builder.bytes());
  }
  Result<Candidate> load() { return load_candidate(folder_.path() / "c", store_); }
  std::string manifest_path() const { return (folder_.path() / "c/candidate.json").string(); }
  std::string file_path(const std::string& name) const { return (folder_.path() / "c" / name).string(); }
  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
};

TEST_F(ManifestTest, LoadsAFolderAndPutsItsFilesIntoTheStore) {
  const auto a = write_package("a.deb", "aa");
  const auto b = write_package("b.deb", "bb");
  write_manifest({{"id", "both"},
                  {"title", "Both"},
                  {"severity", "critical"},
                  {"kind", "deb"},
                  {"roles", {"dns"}},
                  {"prerequisites", {"p"}},
                  {"supersedes", {"s"}},
                  {"files", {{{"name", "a.deb"}, {"sha256", a}}, {{"name", "b.deb"}}}}});
  const auto candidate = load();
  ASSERT_TRUE(candidate) << candidate.error().message;
  EXPECT_EQ(candidate->id, "both");
  EXPECT_EQ(candidate->severity, Severity::critical);
  EXPECT_EQ(candidate->roles, std::vector<std::string>{"dns"});
  ASSERT_EQ(candidate->files.size(), 2U);
  EXPECT_EQ(candidate->files[0].name, "aa_2_amd64.deb");
  EXPECT_EQ(candidate->files[1].sha256, b);
  EXPECT_EQ(candidate->digest, candidate_digest(*candidate));
  EXPECT_TRUE(store_.verified_path(a) && store_.verified_path(b));
}

TEST_F(ManifestTest, TakesAllPackagesOfTheFolderWhenNoneAreNamed) {
  write_package("z.deb", "zz");
  write_package("y.deb", "yy");
  write_manifest({{"id", "all"}, {"title", "All"}});
  const auto candidate = load();
  ASSERT_TRUE(candidate) << candidate.error().message;
  ASSERT_EQ(candidate->files.size(), 2U);
  EXPECT_EQ(candidate->files[0].package, "yy");
  EXPECT_EQ(candidate->severity, Severity::unknown);
}

TEST_F(ManifestTest, LoadsASinglePackage) {
  write_package("x.deb", "hello", "1:2.10-3");
  const auto candidate = load_candidate(folder_.path() / "c/x.deb", store_);
  ASSERT_TRUE(candidate) << candidate.error().message;
  EXPECT_EQ(candidate->id, "hello-2.10-3");
  EXPECT_EQ(candidate->title, "hello 1:2.10-3");
  EXPECT_EQ(candidate->origin, Origin::file);
}

TEST_F(ManifestTest, QuotesBothDigestsWhenOneIsWrong) {
  const auto found = write_package("a.deb");
  const std::string promised(64, '1');
  write_manifest({{"id", "x"}, {"title", "X"}, {"files", {{{"name", "a.deb"}, {"sha256", promised}}}}});
  EXPECT_EQ(load().error().message, manifest_path() + ": /files/0: '" + file_path("a.deb") +
                                        "' has the wrong digest: expected sha256 " + promised + ", found " + found);
}

TEST_F(ManifestTest, CollectsEveryProblemWithItsPointer) {
  folder_.write("c/broken.deb", "not a package");
  write_manifest(
      {{"id", "has space"},
       {"severity", "dire"},
       {"kind", "rpm"},
       {"colour", 1},
       {"files", {{{"name", "missing.deb"}}, {{"name", "broken.deb"}}, {{"name", "../x.deb"}}, {{"sha256", "12"}}}}});
  const auto loaded = load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().error_class, ErrorClass::configuration);
  const auto& message = loaded.error().message;
  EXPECT_THAT(message, HasSubstr(manifest_path() + ": /id: 'has space' is no id"));
  EXPECT_THAT(message, HasSubstr("/: 'title' is required"));
  EXPECT_THAT(message, HasSubstr("/severity: 'dire' is unknown; allowed: critical, important, moderate, low, unknown"));
  EXPECT_THAT(message, HasSubstr("/kind: 'rpm' is unknown; allowed: deb, msu, cab, msi, msp, exe"));
  EXPECT_THAT(message, HasSubstr("colour"));
  EXPECT_THAT(message, HasSubstr("/files/0: opening '" + file_path("missing.deb") + "': No such file"));
  EXPECT_THAT(message, HasSubstr("/files/1: '" + file_path("broken.deb") + "' is no package: it is plain text"));
  EXPECT_THAT(message, HasSubstr("/files/2/name: '../x.deb' must be the name of a file in the candidate's folder"));
  EXPECT_THAT(message, HasSubstr("/files/3: 'name' is required"));
  EXPECT_THAT(message, HasSubstr("/files/3/sha256: must be 64 lower-case hex digits"));
}

TEST_F(ManifestTest, ProgramsNeedSwitchesAndNothingElseTakesThem) {
  write_manifest({{"id", "x"}, {"title", "X"}, {"kind", "exe"}});
  EXPECT_THAT(load().error().message, HasSubstr("/: 'switches' must say how it installs without questions"));
  write_manifest({{"id", "x"}, {"title", "X"}, {"kind", "exe"}, {"switches", "/q\n/norestart"}});
  EXPECT_THAT(load().error().message, HasSubstr("/switches: must be one line without '%'"));
  write_manifest({{"id", "x"}, {"title", "X"}, {"kind", "msu"}, {"switches", "/q"}});
  EXPECT_THAT(load().error().message, HasSubstr("/switches: is for candidates of kind exe, this one is of kind msu"));
}

TEST(CandidateSwitches, AreOfItsIdentity) {
  Candidate candidate;
  candidate.id = "sql";
  candidate.kind = "exe";
  const auto without = candidate_digest(candidate);
  candidate.switches = "/q";
  EXPECT_NE(candidate_digest(candidate), without);
}

TEST_F(ManifestTest, RefusesOnePackageTwice) {
  write_package("a.deb", "hello", "1");
  write_package("b.deb", "hello", "2");
  write_manifest({{"id", "x"}, {"title", "X"}});
  EXPECT_THAT(load().error().message,
              HasSubstr("package 'hello' comes twice: 'hello_1_amd64.deb' and 'hello_2_amd64.deb'"));
}

TEST_F(ManifestTest, RefusesEmptyFoldersAndMissingPaths) {
  write_manifest({{"id", "x"}, {"title", "X"}});
  EXPECT_THAT(load().error().message, HasSubstr("/: no *.deb file in the candidate's folder"));
  EXPECT_THAT(load_candidate(folder_.path() / "none", store_).error().message,
              HasSubstr("none': No such file or directory"));
  write_manifest({{"id", "x"}, {"title", "X"}, {"files", "a.deb"}});
  EXPECT_THAT(load().error().message, HasSubstr("/files: must be a list"));
}

}  // namespace
}  // namespace patchlab::patches
