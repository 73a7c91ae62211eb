// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msi/installer_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "patches/msi/installer_database.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::patches {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::InstallerBuilder;

std::string trouble_with_installer_file(const std::string& bytes) {
  const auto file = read_installer_file(MemorySource(bytes), "x.msi");
  return file ? "no trouble" : file.error().message;
}

InstallerBuilder patch() {
  InstallerBuilder builder;
  builder.is_patch = true;
  builder.title = "Security Update for Print Tools (KB4571111)";
  builder.properties = {
      {"DisplayName", "Print Tools Fix"}, {"Classification", "Security Update"}, {"AllowRemoval", "0"}};
  builder.template_text = "{11111111-2222-3333-4444-555555555555};{22222222-2222-3333-4444-555555555555}";
  builder.revision = "{AAAAAAAA-2222-3333-4444-555555555555}{BBBBBBBB-2222-3333-4444-555555555555}";
  return builder;
}

TEST(InstallerFile, ReadsAPackage) {
  const auto file = read_installer_file(MemorySource(InstallerBuilder{}.bytes()), "x.msi");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->kind, InstallerKind::package);
  EXPECT_EQ(file->product_name, "Print Tools");
  EXPECT_EQ(file->product_version, "1.2.3");
  EXPECT_EQ(file->product_code, "{11111111-2222-3333-4444-555555555555}");
  EXPECT_EQ(file->upgrade_code, "{66666666-2222-3333-4444-555555555555}");
  EXPECT_EQ(file->package_code, "{AAAAAAAA-2222-3333-4444-555555555555}");
  EXPECT_EQ(file->architecture, "amd64");
  EXPECT_EQ(file->language, "1033");
}

TEST(InstallerFile, TellsWhichProductsItTakesAway) {
  const std::string code = "{66666666-2222-3333-4444-555555555555}";
  const auto replaces = [](const InstallerBuilder& builder) {
    const auto file = read_installer_file(MemorySource(builder.bytes()), "x.msi");
    EXPECT_TRUE(file) << file.error().message;
    return file ? file->replaces : std::vector<ReplacedProducts>{};
  };
  InstallerBuilder builder;
  EXPECT_TRUE(replaces(builder).empty());
  builder.upgrades = {{code, "1.0", "2.0", "", 0x101, ""},
                      {code, "2.0", "", "", 0x2, ""},  // only looks: a newer one is there
                      {code, "", "0.9", "1031, 1033", 0x600, ""},
                      {code, "", "", "", 0, "OneFeature"},
                      {"no code", "", "", "", 0, ""}};
  EXPECT_EQ(replaces(builder), (std::vector<ReplacedProducts>{{code, "1.0", true, "2.0", false, {}, false},
                                                              {code, "", false, "0.9", true, {"1031", "1033"}, true}}));
  builder.removes_existing = false;
  EXPECT_TRUE(replaces(builder).empty());
}

TEST(ReplacedProducts, AreComparedByThreeNumbersAndLanguage) {
  const ReplacedProducts range{"{X}", "1.0", true, "2.1.5", false, {"1033"}, false};
  for (const auto* version : {"1.0", "1.0.0.7", "2.1.4.99", "2.0"})
    EXPECT_TRUE(range.covers(version, "1033")) << version;
  for (const auto* version : {"0.9.9", "2.1.5", "2.1.5.1", "3"}) EXPECT_FALSE(range.covers(version, "1033")) << version;
  EXPECT_FALSE(range.covers("1.5", "1031"));
  EXPECT_TRUE(range.covers("1.5", ""));
  EXPECT_FALSE((ReplacedProducts{"{X}", "1.0", false, "", false, {}, false}.covers("1.0", "")));
  EXPECT_TRUE((ReplacedProducts{"{X}", "", false, "2.0", true, {"1031"}, true}.covers("2.0", "1033")));
}

TEST(InstallerFile, ReadsAPatchWithWhatItReplacesAndPatches) {
  const auto file = read_installer_file(MemorySource(patch().bytes()), "x.msp");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->kind, InstallerKind::patch);
  EXPECT_EQ(file->patch_code, "{AAAAAAAA-2222-3333-4444-555555555555}");
  EXPECT_THAT(file->replaced_patches, ElementsAre("{BBBBBBBB-2222-3333-4444-555555555555}"));
  EXPECT_THAT(file->target_products,
              ElementsAre("{11111111-2222-3333-4444-555555555555}", "{22222222-2222-3333-4444-555555555555}"));
  EXPECT_EQ(file->kb, "KB4571111");
  EXPECT_EQ(file->product_name, "Print Tools Fix");
  EXPECT_EQ(file->classification, "Security Update");
  EXPECT_EQ(file->removable, "no");
}

TEST(InstallerFile, RefusesWhatIsNoInstaller) {
  EXPECT_EQ(trouble_with_installer_file(""), "'x.msi' is truncated: 512 bytes at 0 are not there");
  EXPECT_EQ(trouble_with_installer_file(std::string(600, 'x')), "'x.msi' is no compound file");
  testing::CompoundBuilder other{std::string(16, '\1'), {{u"WordDocument", "text"}}};
  EXPECT_EQ(trouble_with_installer_file(other.bytes()),
            "'x.msi' is a compound file, but no Windows Installer package or patch (class "
            "{01010101-0101-0101-0101-010101010101})");
  other.root_class = std::string("\x82\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 16);
  EXPECT_EQ(trouble_with_installer_file(other.bytes()), "'x.msi' is a transform (.mst), not a package");
}

TEST(InstallerFile, SaysWhichFactIsMissing) {
  InstallerBuilder builder;
  builder.properties = {{"ProductName", "x"}};
  EXPECT_EQ(trouble_with_installer_file(builder.bytes()), "'x.msi' has no ProductCode in its Property table");
  auto without_code = patch();
  without_code.revision = "none";
  EXPECT_EQ(trouble_with_installer_file(without_code.bytes()), "'x.msi' has no patch code in its summary information");
}

TEST(CompoundFile, RefusesChainsThatGoRound) {
  auto bytes = InstallerBuilder{}.bytes();
  // The allocation table is the last sector; let the directory's first sector follow itself.
  const auto table = bytes.size() - 512;
  const auto directory = u32_at(bytes, 48);
  testing::set32(bytes, table + directory * 4, directory);
  EXPECT_EQ(trouble_with_installer_file(bytes), "'x.msi' is damaged: a chain of sectors goes round in a circle");
}

TEST(CompoundFile, RefusesADirectoryThatIsNoTree) {
  auto bytes = InstallerBuilder{}.bytes();
  const auto directory = (std::size_t{u32_at(bytes, 48)} + 1) * 512;
  testing::set32(bytes, directory + 128 + 68, 1);  // the first child is its own left neighbour
  EXPECT_EQ(trouble_with_installer_file(bytes), "'x.msi' is damaged: its directory is no tree");
}

TEST(CompoundFile, RefusesSizesThatAreNotThere) {
  auto bytes = InstallerBuilder{}.bytes();
  const auto directory = (std::size_t{u32_at(bytes, 48)} + 1) * 512;
  testing::set32(bytes, directory + 128 + 120, 0x7fffffff);
  EXPECT_EQ(trouble_with_installer_file(bytes), "'x.msi' holds a stream of 2147483647 bytes where 1048576 are allowed");
  bytes = InstallerBuilder{}.bytes();
  testing::set32(bytes, 44, 0x00ffffff);
  EXPECT_THAT(trouble_with_installer_file(bytes), HasSubstr("sectors of allocation table in a file of"));
}

TEST(CompoundFile, SurvivesEveryTruncation) {
  const auto bytes = InstallerBuilder{}.bytes();
  for (std::size_t size = 0; size < bytes.size(); size += 61)
    EXPECT_NE(trouble_with_installer_file(bytes.substr(0, size)), "no trouble") << size;
}

TEST(InstallerDatabase, PacksTableNames) {
  EXPECT_EQ(table_stream_name("Property"), std::u16string(u"\u4840\u4559\u44f2\u4568\u4737"));
}

// Many cells naming one long string must not multiply it in memory.
TEST(InstallerDatabase, BoundsTheTextOfATable) {
  InstallerBuilder builder;
  builder.properties.clear();
  for (int i = 0; i < 1200; ++i) builder.properties.emplace_back(fmt::format("p{}", i), std::string(60'000, 'x'));
  EXPECT_THAT(trouble_with_installer_file(builder.bytes()),
              HasSubstr("its table 'Property' holds more than 67108864 bytes"));
}

}  // namespace
}  // namespace patchlab::patches
