// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/servicing_package.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "patches/msu/package_properties.hpp"
#include "patches/msu/update_metadata.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::patches {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MsuBuilder;
using testing::MumBuilder;

std::string trouble_with_servicing_package(const std::string& mum) {
  const auto package = parse_update_mum(mum, "update.mum");
  return package ? "no trouble" : package.error().message;
}

TEST(UpdateMum, TellsIdentityRestartAndParents) {
  const auto package = parse_update_mum(MumBuilder{}.text(), "update.mum");
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->identity.text(), "Package_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0");
  EXPECT_EQ(package->kb, "KB5035968");
  EXPECT_EQ(package->title, "Fix for Package_for_KB5035968");
  EXPECT_EQ(package->release_type, "Security Update");
  EXPECT_EQ(package->restart, "possible");
  EXPECT_EQ(package->permanence, "removable");
  ASSERT_EQ(package->parents.size(), 1U);
  EXPECT_EQ(package->parents[0].text(), "Microsoft-Windows-ServerCore-Package~31bf3856ad364e35~amd64~~6.2.9200.16384");
  EXPECT_FALSE(package->is_servicing_stack());
}

TEST(UpdateMum, KeepsALanguageInTheIdentity) {
  auto text = MumBuilder{}.text();
  text.replace(text.find("neutral"), 7, "de-DE");
  EXPECT_EQ(parse_update_mum(text, "x")->identity.text(), "Package_for_KB5035968~31bf3856ad364e35~amd64~de-de~6.2.1.0");
}

TEST(UpdateMum, RefusesIdentitiesThatWouldNotBeSafeInACommand) {
  MumBuilder mum;
  mum.name = "x&quot; &amp; del";
  EXPECT_EQ(trouble_with_servicing_package(mum.text()),
            "'update.mum': 'x\" & del' cannot be part of a package identity");
  mum = {};
  mum.version = "6.2.1";
  EXPECT_EQ(trouble_with_servicing_package(mum.text()),
            "'update.mum': '6.2.1' of package 'Package_for_KB5035968' is no version of four numbers");
  mum = {};
  mum.name = "";
  EXPECT_EQ(trouble_with_servicing_package(mum.text()), "'update.mum': an assemblyIdentity has no name");
}

TEST(UpdateMum, RefusesOtherDocuments) {
  EXPECT_EQ(trouble_with_servicing_package("<html/>"),
            "'update.mum' is no package manifest: its root is <html>, not <assembly>");
  EXPECT_EQ(trouble_with_servicing_package("<assembly/>"), "'update.mum' is no package manifest: it has no <package>");
  EXPECT_EQ(trouble_with_servicing_package("<assembly><package/></assembly>"),
            "'update.mum': <assembly> has no assemblyIdentity");
}

TEST(Unattend, TellsWhatIsInstalledInWhichOrder) {
  const auto items = parse_unattend(MsuBuilder{}.unattend(), "x.xml");
  ASSERT_TRUE(items) << items.error().message;
  ASSERT_EQ(items->size(), 1U);
  EXPECT_EQ(items->front().action, "install");
  EXPECT_EQ(items->front().identity.name, "Package_for_KB5035968");
  EXPECT_EQ(items->front().location, "%configsetroot%\\Windows8-RT-KB5035968-x64.CAB");
  EXPECT_THAT(parse_unattend("<a/>", "x.xml").error().message, HasSubstr("'x.xml' is no unattend document"));
}

TEST(KbIn, FindsTheFirstNumber) {
  EXPECT_EQ(kb_in("Package_for_KB5035968"), "KB5035968");
  EXPECT_EQ(kb_in("see kb123456 and KB7654321"), "KB123456");
  EXPECT_EQ(kb_in("KB12"), "");
  EXPECT_EQ(kb_in("KB123456789"), "");
  EXPECT_EQ(kb_in(""), "");
}

TEST(PackageProperties, ReadsPairsInAnyEncoding) {
  for (const auto& bytes : {MsuBuilder{}.properties(), "\xff\xfe" + testing::utf16(MsuBuilder{}.properties())}) {
    const auto properties = parse_package_properties(bytes);
    EXPECT_EQ(property(properties, "kb article number"), "5035968");
    EXPECT_EQ(property(properties, "applies to"), "Windows 8");
    EXPECT_EQ(property(properties, "none"), "");
  }
  EXPECT_EQ(parse_package_properties("no pair\n=value\n a = b \n").size(), 1U);
}

TEST(UpdateMetadata, KeepsPrerequisitesAndSupersedence) {
  const auto metadata = parse_update_metadata(
      R"(<OfflineSyncPackage><Updates><Update UpdateId="0F2B"><Prerequisites><UpdateId Id="aa"/><Or><UpdateId Id="bb"/><UpdateId Id="cc"/></Or>
<UpdateId Id="no id"/></Prerequisites><SupersededBy><Revision Id="31337"/></SupersededBy></Update></Updates></OfflineSyncPackage>)",
      "package.xml");
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_THAT(metadata->update_ids, ElementsAre("0f2b"));
  EXPECT_THAT(metadata->prerequisites, ElementsAre("aa", "bb or cc"));
  EXPECT_THAT(metadata->superseded_by, ElementsAre("31337"));
}

}  // namespace
}  // namespace patchlab::patches
