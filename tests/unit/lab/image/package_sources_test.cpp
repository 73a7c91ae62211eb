// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/package_sources.hpp"

#include <gmock/gmock.h>

#include "image_test_support.hpp"

namespace patchlab::lab::image {
namespace {
using ::testing::HasSubstr;

// As apt-get 2.6 writes it for a host with third-party, update, security and backports sources.
constexpr const char* listing =
    "https://packages.example/apt/\tstable\tstable\tmain\tExample\tExample\tamd64\t/lists/example\n"
    "http://archive.example/debian-security/"
    "\tbookworm-security\tbookworm-security\tmain\tDebian\tDebian-Security\tamd64\t/lists/security\n"
    "http://archive.example/debian/\tbookworm-updates\tbookworm-updates\tmain\tDebian\tDebian\tamd64\t/lists/updates\n"
    "http://archive.example/debian/\tbookworm-backports\tbookworm-backports\tmain\tDebian Backports\tDebian "
    "Backports\tamd64\t/lists/backports\n"
    "http://archive.example/debian/\tbookworm\tbookworm\tcontrib\tDebian\tDebian\tamd64\t/lists/contrib\n"
    "http://archive.example/debian/\tbookworm\tbookworm\tmain\tDebian\tDebian\ti386\t/lists/i386\n"
    "http://archive.example/debian/\tbookworm\tbookworm\tmain\tDebian\tDebian\tamd64\t/lists/main\n";

TEST(PackageSources, ChooseTheReleaseSuiteAlone) {
  const auto source = choose_release_source(parse_index_targets(listing), "bookworm", "amd64");
  ASSERT_TRUE(source.has_value()) << source.error().message;
  EXPECT_EQ(*source, (ReleaseSource{"http://archive.example/debian/", "bookworm", "/lists/main"}));
}

TEST(PackageSources, AcceptTheSuiteNamedByItsRole) {
  const auto targets =
      parse_index_targets("http://a.example/debian/\tstable\tbookworm\tmain\tDebian\tDebian\tamd64\t/lists/stable\n");
  const auto source = choose_release_source(targets, "bookworm", "amd64");
  ASSERT_TRUE(source.has_value()) << source.error().message;
  EXPECT_EQ(source->index, "/lists/stable");
}

TEST(PackageSources, RefuseToBuildFromSecurityAndUpdatesOnly) {
  auto targets = parse_index_targets(listing);
  targets.pop_back();
  const auto source = choose_release_source(targets, "bookworm", "amd64");
  ASSERT_FALSE(source.has_value());
  EXPECT_EQ(source.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(source.error().message,
            "the host's apt has no package index of Debian's 'bookworm' main (amd64) to build images from");
  EXPECT_THAT(source.error().hint, HasSubstr("apt-get update"));
}

TEST(PackageSources, FieldsUnknownToAptAreEmpty) {
  const auto targets =
      parse_index_targets("http://a.example/\tx\t$(CODENAME)\tmain\tDebian\t$(LABEL)\tamd64\t/lists/x\nnoise\n");
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].codename, "");
  EXPECT_EQ(targets[0].label, "");
}

TEST(PackageSources, AreAskedForWithACacheOfAptsWhereThereIsAFolderForIt) {
  const auto without = index_targets_command().arguments;
  EXPECT_EQ(without.front(), "indextargets");
  std::vector<std::string> with{"-o", "Dir::Cache::pkgcache=/cache/host/pkgcache.bin", "-o",
                                "Dir::Cache::srcpkgcache="};
  with.insert(with.end(), without.begin(), without.end());
  EXPECT_EQ(index_targets_command("/cache/host").arguments, with);
}

TEST(PackageSources, WriteOneLine) {
  EXPECT_EQ(sources_line({"http://archive.example/debian/", "bookworm", {}}, "/k.gpg"),
            "deb [signed-by=/k.gpg] http://archive.example/debian/ bookworm main\n");
}

TEST(PackageSources, ReadTheCodenameOfTheHost) {
  testing::TemporaryFolder folder;
  const auto file = folder.write("os-release", "NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=debian\n");
  EXPECT_EQ(host_codename(file).value_or("?"), "bookworm");
  EXPECT_FALSE(host_codename(folder.write("other", "ID=alpine\n")).has_value());
}

}  // namespace
}  // namespace patchlab::lab::image
