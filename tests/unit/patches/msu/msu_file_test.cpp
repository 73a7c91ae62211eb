// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/msu_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/windows_packages.hpp"

namespace patchlab::patches {
namespace {

using testing::CabBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MsuBuilder;

Result<MsuFile> read(const std::string& bytes, const CabLimits& limits = {}) {
  return read_msu(MemorySource(bytes), "x.msu", limits);
}

std::string trouble_with_msu_file(const std::vector<std::pair<std::string, std::string>>& entries) {
  const auto msu = read(CabBuilder{entries}.bytes());
  return msu ? "no trouble" : msu.error().message;
}

TEST(MsuFile, ReadsTheCabinetsInside) {
  const auto msu = read(MsuBuilder{}.bytes());
  ASSERT_TRUE(msu) << msu.error().message;
  EXPECT_EQ(msu->container, ServicingContainer::msu);
  ASSERT_EQ(msu->packages.size(), 1U);
  EXPECT_EQ(msu->packages[0].identity.name, "Package_for_KB5035968");
  EXPECT_EQ(msu->packages[0].file, "Windows8-RT-KB5035968-x64.cab");
  EXPECT_EQ(property(msu->properties, "package type"), "Security Update");
  EXPECT_EQ(msu->metadata.superseded_by, std::vector<std::string>{"31337"});
  EXPECT_THAT(msu->notes, IsEmpty());
  EXPECT_EQ(msu->entries, 4U + 3U + 2U);
}

TEST(MsuFile, ReadsAServicingCabinetByItself) {
  const auto cab = read(MsuBuilder{}.servicing_cabinet());
  ASSERT_TRUE(cab) << cab.error().message;
  EXPECT_EQ(cab->container, ServicingContainer::cab);
  EXPECT_EQ(cab->packages.at(0).kb, "KB5035968");
}

TEST(MsuFile, PutsServicingStacksFirst) {
  MsuBuilder update;
  MsuBuilder stack;
  stack.mum.name = "Package_for_ServicingStack";
  const auto msu =
      read(CabBuilder{{{"a.cab", update.servicing_cabinet()}, {"SSU-x64.cab", stack.servicing_cabinet()}}}.bytes());
  ASSERT_TRUE(msu) << msu.error().message;
  ASSERT_EQ(msu->packages.size(), 2U);
  EXPECT_TRUE(msu->packages[0].is_servicing_stack());
}

// Nobody may take the servicing stack for the update.
TEST(MsuFile, RefusesOneWhoseUpdateIsAnImage) {
  MsuBuilder stack;
  stack.mum.name = "Package_for_ServicingStack_1";
  EXPECT_EQ(trouble_with_msu_file({{"SSU-x64.cab", stack.servicing_cabinet()}, {"Windows11.0-KB1-x64.wim", "MSWIM"}}),
            "'x.msu' holds its update as a WIM image, which is not read: only its servicing stack is");
  EXPECT_EQ(trouble_with_msu_file({{"SSU-x64.cab", stack.servicing_cabinet()}}), "no trouble");
}

TEST(MsuFile, NotesPackagesThatAreOnlyNamed) {
  MsuBuilder other;
  other.mum.name = "Package_for_KB1111111";
  MsuBuilder msu;
  const auto read_back = read(CabBuilder{{{"a.cab", msu.servicing_cabinet()},
                                          {"a.xml", other.unattend()},
                                          {"tools.cab", CabBuilder{{{"t", "t"}}}.bytes()}}}
                                  .bytes());
  ASSERT_TRUE(read_back) << read_back.error().message;
  EXPECT_THAT(read_back->notes,
              ElementsAre("'tools.cab' holds no package",
                          "the unattend document names 'Package_for_KB1111111~31bf3856ad364e35~amd64~~6.2.1.0', which "
                          "no cabinet inside holds"));
}

TEST(MsuFile, RefusesCabinetsThatAreNoPackage) {
  const auto plain = read(CabBuilder{{{"readme.txt", "x"}}}.bytes());
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().message,
            "'x.msu' is a cabinet, but neither an .msu nor a servicing cabinet: it has no update.mum");
  EXPECT_EQ(plain.error().hint, "if it carries an .msp or .msi, unpack it and add that file");
  EXPECT_EQ(trouble_with_msu_file({{"a.cab", CabBuilder{{{"t", "t"}}}.bytes()}}),
            "'x.msu' holds no servicing package: none of its cabinets has an update.mum");
}

TEST(MsuFile, NamesTheDocumentInsideThatIsWrong) {
  EXPECT_THAT(trouble_with_msu_file({{"a.cab", CabBuilder{{{"update.mum", "<a>"}}}.bytes()}}),
              HasSubstr("'x.msu/a.cab/update.mum' is no well-formed XML"));
  EXPECT_EQ(trouble_with_msu_file({{"a.cab", "no cabinet"}}), "'x.msu/a.cab' is no cabinet (no MSCF signature)");
  EXPECT_EQ(
      trouble_with_msu_file(
          {{"a.cab",
            CabBuilder{{{"update.mum", MsuBuilder{}.mum.text()}, {"UPDATE.MUM", MsuBuilder{}.mum.text()}}}.bytes()}}),
      "'x.msu/a.cab' holds update.mum twice");
}

// Nesting must not multiply what one cabinet may cost.
TEST(MsuFile, SharesItsLimitsWithTheCabinetsInside) {
  CabLimits limits;
  limits.unpacked_bytes = MsuBuilder{}.bytes().size() + 1000;
  const auto msu = read(MsuBuilder{}.bytes(), limits);
  ASSERT_FALSE(msu);
  EXPECT_THAT(msu.error().message, HasSubstr("'x.msu/"));
  EXPECT_THAT(msu.error().message, HasSubstr("bytes allowed"));
}

TEST(MsuFile, RefusesMetadataThatHoldsItself) {
  auto inner = CabBuilder{{{"package.cab", CabBuilder{{{"package.cab", "x"}}}.bytes()}}}.bytes();
  EXPECT_EQ(trouble_with_msu_file({{"WSUSSCAN.cab", inner}, {"a.cab", MsuBuilder{}.servicing_cabinet()}}),
            "'x.msu/WSUSSCAN.cab/package.cab' holds itself");
}

}  // namespace
}  // namespace patchlab::patches
