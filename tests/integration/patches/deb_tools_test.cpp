// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Our reading and writing of packages against dpkg's own tools, and our media against xorriso.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "lab/core/files.hpp"
#include "patches/deb/deb_file.hpp"
#include "patches/deb/version.hpp"
#include "patches/definitions/definitions.hpp"
#include "patches/medium/medium.hpp"
#include "patches/repack/package_content.hpp"
#include "tests/support/definitions.hpp"
#include "tests/support/programs.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using patchlab::testing::is_missing;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PackageBuilder;
using testing::TestFolder;

std::string output_of(const std::string& program, std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = std::move(arguments);
  const auto output = run_for_output(host_processes(), spec);
  EXPECT_TRUE(output) << output.error().message;
  return output.value_or("");
}

class DpkgDebTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (is_missing("dpkg-deb")) GTEST_SKIP() << "dpkg-deb is not installed";
  }
  TestFolder folder_;
};

TEST_F(DpkgDebTest, ReadsWhatWeWrite) {
  PackageBuilder builder;
  builder.control_extra = {testing::file("./postinst", "#!/bin/sh\nset -e\nexit 0\n", 0755)};
  builder.data.push_back(testing::file("./usr/" + std::string(150, 'n'), "long name"));
  Recipe recipe;
  recipe.base_package = "hello";
  recipe.version_suffix = "+patchlab1";
  recipe.overlay = {{"etc/new.conf", "x\n", false}, {"opt/tool", "#!/bin/sh\n", true}};
  recipe.scripts = {{"postinst", ScriptPlace::end, "echo added"}};
  const auto content = apply_recipe({builder.control(), builder.data}, recipe);
  ASSERT_TRUE(content) << content.error().message;
  const auto deb = folder_.write("x.deb", write_package(*content).value()).string();

  const auto info = output_of("dpkg-deb", {"-I", deb});
  EXPECT_THAT(info, HasSubstr("Version: 1:2.10-3+patchlab1"));
  EXPECT_THAT(info, HasSubstr("md5sums"));
  const auto listing = output_of("dpkg-deb", {"-c", deb});
  EXPECT_THAT(listing, HasSubstr("./etc/new.conf"));
  EXPECT_THAT(listing, ::testing::ContainsRegex("-rwxr-xr-x .* \\./opt/tool"));
  EXPECT_THAT(listing, HasSubstr("./usr/" + std::string(150, 'n')));
  output_of("dpkg-deb", {"-R", deb, (folder_.path() / "out").string()});
  EXPECT_EQ(read_file(folder_.path() / "out/DEBIAN/postinst").value(), "#!/bin/sh\nset -e\necho added\nexit 0\n");
  EXPECT_EQ(read_file(folder_.path() / "out/DEBIAN/conffiles").value(), "/etc/new.conf\n");
}

// What dpkg itself installs into a folder is accepted, and listed under the name and version that dpkg lists.
TEST_F(DpkgDebTest, AcceptsWhatDpkgInstalls) {
  if (is_missing("fakeroot")) GTEST_SKIP() << "fakeroot is not installed";
  const auto as = [](const std::string& package, const std::string& version) {
    PackageBuilder builder;
    builder.package = package;
    builder.version = version;
    builder.architecture = "all";
    builder.data = {testing::folder("./"), testing::file("./" + package, "x")};
    return builder;
  };
  std::vector<std::string> debs;
  std::vector<std::string> listed;
  const auto add = [&](const PackageBuilder& builder, const std::string& bytes) {
    debs.push_back(folder_.write(fmt::format("{}.deb", debs.size()), bytes).string());
    const auto read = inspect_deb(debs.back());
    ASSERT_TRUE(read) << read.error().message;
    listed.push_back(read->package + " " + builder.version);
  };
  for (const char* name : {"under_score", "Capital", "r", "plus+dot.", "7zip"}) {
    const auto builder = as(name, "1.2-3");
    add(builder, builder.bytes());
  }
  auto absolute = as("absolute", "1");
  auto link = testing::file("/opt/link", "");
  link.type = EntryType::hardlink;
  link.target = "/opt/absolute";
  absolute.data = {testing::folder("./"), testing::folder("/opt/"), testing::file("/opt/absolute", "x"), link};
  add(absolute, absolute.bytes());
  const auto empty = as("empty", "1");
  add(empty, pack_deb(pack_tar_xz(empty.control()).value(), pack_tar_xz({}).value(), 0));
  const auto nothing = as("nothing", "1");
  auto uncompressed = pack_deb(pack_tar_xz(nothing.control()).value(), "", 0);
  uncompressed.replace(uncompressed.rfind("data.tar.xz"), 11, "data.tar   ");
  add(nothing, uncompressed);
  auto twice = as("twice", "1");
  auto control = twice.control();
  twice.version = "2";
  control.push_back(testing::file(".//control", twice.control_text()));
  add(twice, pack_deb(pack_tar_xz(control).value(), pack_tar_xz(twice.data).value(), 0));
  const auto special = as("special", "1");
  folder_.write("special/DEBIAN/control", special.control_text());
  output_of("mkfifo", {(folder_.path() / "special/fifo").string()});
  output_of("dpkg-deb", {"-b", (folder_.path() / "special").string(), (folder_.path() / "special.deb").string()});
  add(special, read_file(folder_.path() / "special.deb").value());
  for (const char* file : {"status", "available", "info/x", "updates/x"})
    folder_.write(std::string("root/var/lib/dpkg/") + file, "");
  std::filesystem::remove(folder_.path() / "root/var/lib/dpkg/updates/x");
  std::vector<std::string> arguments{"dpkg",
                                     "--root=" + (folder_.path() / "root").string(),
                                     "--force-not-root",
                                     "--force-script-chrootless",
                                     "--log=/dev/null",
                                     "--install"};
  arguments.insert(arguments.end(), debs.begin(), debs.end());
  output_of("fakeroot", arguments);
  const auto admin = "--admindir=" + (folder_.path() / "root/var/lib/dpkg").string();
  const auto answer = output_of("dpkg-query", {admin, "-W", "-f", "${Package} ${Version}\\n"});
  for (const auto& line : listed) EXPECT_THAT(answer, HasSubstr(line + "\n"));
  EXPECT_EQ(read_file(folder_.path() / "root/opt/link").value(), "x");
}

class Compression : public DpkgDebTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(Compression, OfDpkgDebIsRead) {
  folder_.write("src/DEBIAN/control", PackageBuilder{}.control_text());
  folder_.write("src/usr/share/x", std::string(100'000, 'x'));
  const auto deb = (folder_.path() / "x.deb").string();
  output_of("dpkg-deb", {"--root-owner-group", std::string("-Z") + GetParam(), "--uniform-compression", "-b",
                         (folder_.path() / "src").string(), deb});
  const auto read = inspect_deb(deb);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->unpacked_bytes, 100'000U);
  EXPECT_EQ(read->canonical_name(), "hello_2.10-3_amd64.deb");
  auto bytes = read_file(deb).value();
  folder_.write("short.deb", bytes.substr(0, bytes.size() - 40));
  EXPECT_FALSE(inspect_deb(folder_.path() / "short.deb"));
}

INSTANTIATE_TEST_SUITE_P(Every, Compression, ::testing::Values("xz", "gzip", "zstd", "none"));

// Random versions from an alphabet that makes ties and near misses likely; dpkg is the judge.
TEST(VersionOrder, AgreesWithDpkg) {
  if (is_missing("dpkg")) GTEST_SKIP() << "dpkg is not installed";
  std::mt19937 random(20261122);
  const std::string alphabet = "0019ab~~++..-";
  const auto version = [&] {
    std::string text = random() % 4 == 0 ? "1:1" : "1";
    for (auto left = random() % 6; left > 0; --left) text += alphabet[random() % alphabet.size()];
    return text + "0";  // an empty revision is no version
  };
  for (int i = 0; i < 200; ++i) {
    const auto a = version();
    const auto b = version();
    const auto order = compare_versions(a, b);
    const std::string relation = order < 0 ? "lt" : order > 0 ? "gt" : "eq";
    ProcessSpec spec;
    spec.program = "dpkg";
    spec.arguments = {"--compare-versions", a, relation, b};
    ASSERT_TRUE(host_processes().run(spec).succeeded()) << a << " " << relation << " " << b;
  }
}

TEST(Medium, HoldsExactlyTheFilesUnderTheirNames) {
  if (is_missing("xorriso")) GTEST_SKIP() << "xorriso is not installed";
  const TestFolder folder;
  const ContentStore store(folder.path() / "store = odd");  // '=' separates graft points
  const std::string long_name = "postgresql-client-common_248+deb12u1~" + std::string(50, 'v') + "_all.bin";
  const auto a = store.add_bytes("first file", "a");
  const auto b = store.add_bytes("second file", "b");
  const auto iso = build_medium(host_processes(), store, {{"b_1+x~y_amd64.bin", b->sha256}, {long_name, a->sha256}},
                                folder.path() / "media");
  ASSERT_TRUE(iso) << iso.error().message;
  output_of("xorriso", {"-osirrox", "on", "-indev", iso->string(), "-extract", "/", (folder.path() / "out").string()});
  EXPECT_EQ(read_file(folder.path() / "out" / long_name).value(), "first file");
  EXPECT_EQ(read_file(folder.path() / "out/b_1+x~y_amd64.bin").value(), "second file");
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path() / "out")) ++count;
  EXPECT_EQ(count, 2U);
}

// What the vendor did not sign, its own verifier refuses; that nobody here can sign for it is why no test sees it
// accept.
TEST(DefinitionsByClamav, OfNobodyAreRefused) {
  for (const char* program : {"sigtool", "bwrap"}) {
    if (is_missing(program)) GTEST_SKIP() << program << " is not installed";
  }
  const TestFolder folder;
  const auto look = [&](const std::string& content) {
    const auto file = folder.write("x.deb", tests::DefinitionPackage(content).bytes());
    return definitions_in(file, host_processes(), folder.path()).value();
  };
  const auto unsigned_ones = look(tests::cvd());
  EXPECT_EQ(unsigned_ones.state, Definitions::State::damaged) << unsigned_ones.why;
  EXPECT_THAT(unsigned_ones.why, HasSubstr("ClamAV refuses 'daily.cvd': "));
  auto changed = tests::cvd();
  changed.back() = static_cast<char>(changed.back() ^ 1);
  EXPECT_EQ(look(changed).state, Definitions::State::damaged);
}

}  // namespace
}  // namespace patchlab::patches
