// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/windows/windows_package.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "tests/support/windows_packages.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using testing::CabBuilder;
using ::testing::ElementsAre;
using testing::InstallerBuilder;
using testing::MsuBuilder;
using testing::ProgramBuilder;
using testing::TestFolder;

WindowsPackage inspected(const std::string& bytes) {
  auto package = inspect_windows_package(MemorySource(bytes), "x");
  EXPECT_TRUE(package) << package.error().message;
  package->sha256 = sha256(bytes);
  package->bytes = bytes.size();
  return *package;
}

std::string trouble_with_windows_package(const std::string& bytes) {
  const auto package = inspect_windows_package(MemorySource(bytes), "x");
  return package ? "no trouble" : package.error().message;
}

TEST(WindowsPackage, TellsTheFactsOfAnMsu) {
  const auto package = inspected(MsuBuilder{}.bytes());
  EXPECT_EQ(package.kind, PackageKind::msu);
  EXPECT_EQ(package.kb, "KB5035968");
  EXPECT_EQ(package.version, "6.2.1.0");
  EXPECT_EQ(package.architecture, "amd64");
  EXPECT_EQ(package.restart, "possible");
  EXPECT_EQ(package.removable, "yes");
  EXPECT_THAT(package.os_versions, ElementsAre("6.2"));
  EXPECT_THAT(package.packages, ElementsAre("Package_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0"));
  EXPECT_THAT(package.prerequisites,
              ElementsAre("Microsoft-Windows-ServerCore-Package~31bf3856ad364e35~amd64~~6.2.9200.16384",
                          "update 2ee2ad83-828c-4405-9479-544d767993fc",
                          "update a105a108-7c9b-4518-bbbe-73f0fe30012b or b105a108-7c9b-4518-bbbe-73f0fe30012b"));
  EXPECT_THAT(package.superseded_by, ElementsAre("revision 31337"));
  EXPECT_EQ(package.canonical_name(), "KB5035968-6.2.1.0_amd64.msu");
}

TEST(WindowsPackage, TakesTheVersionFromNamesWhenNoParentStatesIt) {
  MsuBuilder msu;
  msu.mum.parent_version = "1.0.0.0";
  msu.release = "Windows8.1";
  EXPECT_THAT(inspected(msu.bytes()).os_versions, ElementsAre("6.3"));
  msu.mum.version = "14393.6796.1.11";
  EXPECT_THAT(inspected(msu.servicing_cabinet()).os_versions, ElementsAre("10.0.14393"));
}

TEST(WindowsPackage, CannotBeRemovedWhenOnePartIsPermanent) {
  MsuBuilder msu;
  msu.mum.permanence = "permanent";
  EXPECT_EQ(inspected(msu.bytes()).removable, "no");
}

TEST(WindowsPackage, RecognisesEveryKindByItsContent) {
  EXPECT_EQ(inspected(MsuBuilder{}.servicing_cabinet()).kind, PackageKind::cab);
  EXPECT_EQ(inspected(InstallerBuilder{}.bytes()).kind, PackageKind::msi);
  InstallerBuilder patch;
  patch.is_patch = true;
  EXPECT_EQ(inspected(patch.bytes()).kind, PackageKind::msp);
  const auto program = inspected(ProgramBuilder{}.bytes());
  EXPECT_EQ(program.kind, PackageKind::exe);
  EXPECT_EQ(program.canonical_name(), "KB5021123-11.0.7512.11_amd64.exe");
}

TEST(WindowsPackage, SaysWhyAFormatIsRefused) {
  EXPECT_EQ(trouble_with_windows_package(std::string("MSWIM\0\0\0 and more", 17)),
            "'x' is an .msu of the newer kind (a WIM image), which is not read");
  EXPECT_EQ(trouble_with_windows_package("PSTREAM and more"),
            "'x' is an express payload (.psf), which cannot be installed alone");
  EXPECT_EQ(trouble_with_windows_package("text"),
            "'x' is no Windows package (neither cabinet, installer database nor program)");
  EXPECT_EQ(trouble_with_windows_package(""),
            "'x' is no Windows package (neither cabinet, installer database nor program)");
}

TEST(WindowsPackage, HasANameThatIsSafeOnAnyMedium) {
  WindowsPackage package;
  package.name = "../évil name";
  package.version = "1 / 2";
  package.sha256 = std::string(64, 'a');
  EXPECT_EQ(package.canonical_name(), "vil-name-1-2_any.msu");
  package.version = "1.0 (x)";
  EXPECT_EQ(package.label(), "vil-name-1.0-x");
  package.name = "..";
  package.version = "";
  EXPECT_EQ(package.canonical_name(), "msu-aaaaaaaaaaaa_any.msu");
}

TEST(WindowsPackage, BoundsWhatAPackageSaysOfItself) {
  MsuBuilder msu;
  msu.mum.name = "Package_for_KB5035968";
  auto text = msu.mum.text();
  text.replace(text.find("Fix for"), 7, std::string(499, 'x') + "\xc3\xa9");
  const auto package = inspected(CabBuilder{{{"update.mum", text}}}.bytes());
  EXPECT_EQ(package.title, std::string(499, 'x') + "\xef\xbf\xbd");
  EXPECT_EQ(Json(package)["title"], package.title);
}

TEST(WindowsPackage, ComesBackFromItsJson) {
  MsuBuilder msu;
  msu.mum.children = {"Package_1_for_KB5035968"};
  msu.mum.stack_floor = "6.2.9200.16384";
  InstallerBuilder installer;
  installer.upgrades = {{"{66666666-2222-3333-4444-555555555555}", "1.0", "2.0", "1031,1033", 0x501, ""}};
  for (const auto& bytes : {msu.bytes(), installer.bytes()}) {
    const auto package = inspected(bytes);
    EXPECT_TRUE(!package.parts.empty() || !package.replaces.empty());
    std::vector<JsonProblem> problems;
    EXPECT_EQ(windows_package_from(Json(package), "", problems), package);
    EXPECT_THAT(problems, ::testing::IsEmpty());
  }
}

// Windows8-RT-KB2999226-x64.cab holds update-bf.mum and five more: every one belongs to the update, whatever its name.
TEST(WindowsPackage, HoldsEveryManifestOfItsCabinet) {
  MsuBuilder msu;
  msu.mum.children = {"Package_1_for_KB5035968", "Package_2_for_KB5035968"};
  auto part = msu.mum;
  part.children.clear();
  part.name = "Package_2_for_KB5035968";
  msu.more = {{"package_2_for_kb5035968~31bf3856ad364e35~amd64~~6.2.1.0.mum", part.text()},
              {"update-bf.mum", msu.mum.text()}};
  part.name = "Package_for_KB5035968_RTM_BF";
  msu.more.emplace_back("Package_for_KB5035968_RTM_BF~31bf3856ad364e35~amd64~~6.2.1.0.mum", part.text());
  msu.more.emplace_back("package_3_for_kb5035968_gm~31bf3856ad364e35~amd64~~6.2.1.0.mum", "not to be read");
  msu.more.emplace_back("odd.mum", "not to be read");
  const auto package = inspected(msu.bytes());
  EXPECT_THAT(package.packages, ElementsAre("Package_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0"));
  EXPECT_THAT(package.parts,
              ::testing::UnorderedElementsAre("Package_1_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0",
                                              "Package_2_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0",
                                              "Package_for_KB5035968_RTM_BF~31bf3856ad364e35~amd64~~6.2.1.0",
                                              "package_3_for_kb5035968_gm~31bf3856ad364e35~amd64~~6.2.1.0"));
  EXPECT_THAT(package.notes, ElementsAre("1 of the manifests in it cannot be read, such as 'odd.mum'"));
}

TEST(WindowsPackage, MayHaveThousandsOfParts) {
  MsuBuilder msu;
  for (int i = 0; i < 3000; ++i) msu.mum.children.push_back(fmt::format("Package_{}_for_KB5035968", i));
  EXPECT_EQ(inspected(msu.bytes()).parts.size(), 3000U);
}

TEST(WindowsPackage, TellsTheServicingStackThatItNeedsAndBrings) {
  MsuBuilder update;
  update.mum = {.name = "Package_for_RollupFix", .version = "14393.9300.1.5", .parent_version = "10.0.14393.0"};
  EXPECT_EQ(inspected(update.bytes()).needs_servicing_stack, "");  // 6.0.0.0: any
  update.mum.stack_floor = "10.0.14393.7692";
  EXPECT_EQ(inspected(update.bytes()).needs_servicing_stack, "10.0.14393.7692");
  EXPECT_EQ(inspected(update.bytes()).servicing_stack, "");
  MsuBuilder stack;
  stack.mum = {
      .name = "Package_for_ServicingStack_9220", .version = "14393.9220.1.0", .parent_version = "10.0.14393.0"};
  EXPECT_EQ(inspected(stack.bytes()).servicing_stack, "10.0.14393.9220");
  // One that is called after its KB number is told by what it holds.
  stack.mum.name = "Package_for_KB5094141";
  EXPECT_EQ(inspected(stack.bytes()).servicing_stack, "");
  auto by_component = stack;
  by_component.mum.component = "Microsoft-Windows-ServicingStack 10.0.14393.9220";
  EXPECT_EQ(inspected(by_component.bytes()).servicing_stack, "10.0.14393.9220");
  auto by_file = stack;
  by_file.more = {{"amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.14393.9220_none_ab12.manifest", "x"}};
  EXPECT_EQ(inspected(by_file.bytes()).servicing_stack, "10.0.14393.9220");
  EXPECT_EQ(inspected(by_file.bytes()).removable, "no");
  // Together in one file they need nothing else, and the update can be removed without the stack.
  const auto both =
      inspected(CabBuilder{{{"a.cab", update.servicing_cabinet()}, {"b.cab", by_file.servicing_cabinet()}}}.bytes());
  EXPECT_EQ(both.needs_servicing_stack, "");
  EXPECT_EQ(both.name, "Package_for_RollupFix");
  EXPECT_EQ(both.removable, "yes");
  EXPECT_THAT(both.permanent_packages, ElementsAre("Package_for_KB5094141~31bf3856ad364e35~amd64~~14393.9220.1.0"));
}

TEST(WindowsPackage, ToleratesOtherDocumentsBesideTheUnattendOne) {
  MsuBuilder msu;
  auto entries = msu.entries();
  entries.emplace_back("other.xml", "<settings><x/></settings>");
  const auto package = inspected(CabBuilder{entries}.bytes());
  EXPECT_THAT(package.notes, ElementsAre("'other.xml' is no unattend document"));
}

TEST(WindowsPackage, ReadsAFileAndNamesTheOneThatIsNotThere) {
  const TestFolder folder;
  const auto file = folder.write("x.msu", MsuBuilder{}.bytes());
  EXPECT_TRUE(is_windows_package(file));
  EXPECT_FALSE(is_windows_package(folder.write("x.deb", "!<arch>\n")));
  const auto package = inspect_windows_file(file, "x.msu");
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->sha256, sha256(MsuBuilder{}.bytes()));
  EXPECT_THAT(inspect_windows_file(folder.path() / "none", "x").error().message, ::testing::HasSubstr("none"));
  EXPECT_THAT(inspect_windows_file(folder.path(), "x").error().message,
              ::testing::HasSubstr("is a folder, and no regular file"));
}

}  // namespace
}  // namespace patchlab::patches
