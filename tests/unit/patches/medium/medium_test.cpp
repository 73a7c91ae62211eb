// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/medium/medium.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using testing::TestFolder;

class FakeXorriso : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    calls.push_back(spec);
    ProcessOutcome outcome;
    if (broken) {
      outcome.end = Exited{5};
      outcome.errors = "xorriso : FAILURE : no space left\n";
    } else {
      std::ofstream(spec.arguments.at(4)) << "iso";
      const auto folder = std::filesystem::path(spec.arguments.at(4)).parent_path();
      index = read_file(folder / index_name).value_or("");
      list = read_file(folder / files_name).value_or("");
    }
    return outcome;
  }
  bool broken = false;
  std::vector<ProcessSpec> calls;
  std::string index;  // that lay beside the image when it was written
  std::string list;
};

class MediumTest : public ::testing::Test {
 protected:
  Result<std::filesystem::path> build(const std::vector<MediumFile>& files) {
    return build_medium(xorriso_, store_, files, folder_.path() / "media");
  }
  // A package of this name, or any file.
  MediumFile stored(const std::string& name) {
    if (!name.ends_with(".deb")) return {name, store_.add_bytes(name, name)->sha256};
    testing::PackageBuilder builder;
    builder.package = name.substr(0, name.size() - 4);
    return {name, store_.add_bytes(builder.bytes(), name)->sha256};
  }
  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
  FakeXorriso xorriso_;
};

TEST(MediumCommand, NamesEveryFileInTheRoot) {
  const auto spec = medium_command({{"a_1.deb", "/s/aa"}, {"b=c.deb", "/s=s/b\\b"}}, "/out.iso");
  EXPECT_EQ(spec.program, "xorriso");
  EXPECT_EQ(spec.arguments,
            (std::vector<std::string>{"-as", "mkisofs", "-quiet", "-o", "/out.iso", "-V", "PATCHLAB", "-r", "-J",
                                      "-joliet-long", "-graft-points", "/a_1.deb=/s/aa", "/b\\=c.deb=/s\\=s/b\\\\b"}));
}

TEST_F(MediumTest, IsBuiltOncePerSetWhateverTheOrder) {
  const auto a = stored("a.deb");
  const auto b = stored("b.deb");
  const auto first = build({a, b});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(build({b, a}).value(), *first);
  EXPECT_EQ(xorriso_.calls.size(), 1U);
  EXPECT_NE(build({a}).value(), *first);
  struct stat info {};
  ASSERT_EQ(::stat(first->c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0444U);
}

TEST_F(MediumTest, OfDebianPackagesIsARepository) {
  testing::PackageBuilder builder;
  builder.package = "Odd_Name";
  builder.more_fields = "Depends: a,\n b (>= 2)\nFilename: ../../etc/shadow\nSHA256: 00\nX-Other: no\n";
  const auto digest = store_.add_bytes(builder.bytes(), "x")->sha256;
  ASSERT_TRUE(build({{"odd.deb", digest}, stored("readme.txt")}));
  EXPECT_EQ(
      xorriso_.index,
      fmt::format("Package: Odd_Name\nVersion: 1:2.10-3\nArchitecture: amd64\nInstalled-Size: 12\nDepends: a,\n b "
                  "(>= 2)\nFilename: ./odd.deb\nSize: {}\nSHA256: {}\n\n",
                  builder.bytes().size(), digest));
  EXPECT_EQ(xorriso_.list, "odd.deb odd_name 1:2.10-3 amd64\n");
  EXPECT_THAT(xorriso_.calls.back().arguments, ::testing::Contains(::testing::StartsWith("/Packages=")));
  EXPECT_FALSE(build({{"broken.deb", stored("no package").sha256}}));
  ASSERT_TRUE(build({stored("a.msu")}));
  EXPECT_THAT(xorriso_.calls.back().arguments,
              ::testing::Not(::testing::Contains(::testing::StartsWith("/Packages="))));
}

TEST_F(MediumTest, LeavesNothingBehindWhenXorrisoFails) {
  xorriso_.broken = true;
  const auto medium = build({stored("a.deb")});
  ASSERT_FALSE(medium);
  EXPECT_THAT(medium.error().message, HasSubstr("building a patch medium: "));
  EXPECT_THAT(medium.error().message, HasSubstr("no space left"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "media/incoming"));
  xorriso_.broken = false;
  EXPECT_TRUE(build({stored("a.deb")}));
}

TEST_F(MediumTest, RefusesNamesThatDoNotFit) {
  const std::string digest = stored("x").sha256;
  EXPECT_EQ(build({}).error().message, "a medium without files was asked for");
  EXPECT_EQ(build({{"../x.deb", digest}}).error().message, "'../x.deb' cannot be a file name on a medium");
  EXPECT_EQ(build({{std::string(104, 'a'), digest}}).error().message,
            "'" + std::string(104, 'a') + "' is too long for a file name on a medium: 104 characters, at most 103");
  EXPECT_FALSE(build({{"Packages", digest}}));
  EXPECT_EQ(build({{"a", digest}, {"a", digest}}).error().message, "file name 'a' comes twice on one medium");
}

TEST_F(MediumTest, RefusesFilesThatAreNotInTheStore) {
  EXPECT_THAT(build({{"a.deb", std::string(64, 'e')}}).error().message, HasSubstr("no file with sha256"));
}

}  // namespace
}  // namespace patchlab::patches
