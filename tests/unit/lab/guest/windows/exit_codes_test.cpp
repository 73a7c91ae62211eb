// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/exit_codes.hpp"

#include <gmock/gmock.h>

#include "lab/guest/windows/replies.hpp"

namespace patchlab::lab::guest::windows {
namespace {

InstallEnd end_of(std::uint32_t code, Installer installer) { return meaning_of(code, installer).end; }

TEST(ExitCodes, ClassifyWhatInstallersSay) {
  EXPECT_EQ(end_of(0, Installer::wusa), InstallEnd::installed);
  EXPECT_EQ(end_of(3010, Installer::dism), InstallEnd::reboot_needed);
  EXPECT_EQ(end_of(1641, Installer::msiexec), InstallEnd::reboot_started);
  EXPECT_EQ(end_of(2359302, Installer::wusa), InstallEnd::already_installed);
  EXPECT_EQ(end_of(0x80240017, Installer::wusa), InstallEnd::not_applicable);
  EXPECT_EQ(end_of(0x800F081E, Installer::dism), InstallEnd::not_applicable);
  EXPECT_EQ(end_of(1618, Installer::msiexec), InstallEnd::retry);
  EXPECT_EQ(end_of(0x800F0922, Installer::dism), InstallEnd::failed);
  EXPECT_EQ(end_of(1603, Installer::setup), InstallEnd::failed);
  EXPECT_EQ(end_of(0x80070005, Installer::wusa), InstallEnd::lab_trouble);
}

TEST(ExitCodes, AnUnknownCodeIsAFailureWhoeverSaysIt) {
  for (const auto installer : {Installer::wusa, Installer::dism, Installer::msiexec, Installer::setup}) {
    EXPECT_EQ(end_of(4711, installer), InstallEnd::failed);
    EXPECT_EQ(end_of(0x80071267, installer), InstallEnd::failed);
    EXPECT_EQ(end_of(0x8FFFFFFF, installer), InstallEnd::failed);
  }
}

TEST(ExitCodes, DifferByInstallerWhereTheyDo) {
  EXPECT_EQ(end_of(1, Installer::wusa), InstallEnd::lab_trouble);
  EXPECT_EQ(end_of(1, Installer::setup), InstallEnd::failed);
  EXPECT_EQ(end_of(11, Installer::dism), InstallEnd::lab_trouble);
  EXPECT_EQ(end_of(11, Installer::wusa), InstallEnd::failed);
  EXPECT_EQ(end_of(0x80070666, Installer::setup), InstallEnd::already_installed);
  // As a Win32 code, 1638 says that another version is there, perhaps an older one.
  EXPECT_EQ(end_of(0x80070666, Installer::msiexec), InstallEnd::not_applicable);
}

TEST(ExitCodes, AnHresultOfWin32StandsForItsCode) {
  const auto meaning = meaning_of(0x80070BC2, Installer::wusa);
  EXPECT_EQ(meaning.end, InstallEnd::reboot_needed);
  EXPECT_EQ(meaning.code, 0x80070BC2U);
  EXPECT_EQ(end_of(0x80070652, Installer::msiexec), InstallEnd::retry);
}

TEST(ExitCodes, AreOneSortedListWithoutDoubles) {
  const auto all = exit_codes();
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(std::pair(all[i - 1].code, all[i - 1].installer), std::pair(all[i].code, all[i].installer))
        << all[i].code;
  }
  for (const auto& row : all) EXPECT_STRNE(row.meaning, "");
}

TEST(ExitCodes, OnlyAHandfulMeanSuccess) {
  std::vector<std::uint32_t> good;
  for (const auto& row : exit_codes()) {
    if (is_success(row.end)) good.push_back(row.code);
  }
  EXPECT_THAT(good, testing::ElementsAre(0U, 1641U, 1647U, 3010U, 17022U, 17025U, 0x240005U, 0x240006U, 0x240007U,
                                         0x80070666U, 0x84BE0BC2U));
}

TEST(ExitCodes, AreDescribedAsMicrosoftWritesThem) {
  EXPECT_EQ(described(meaning_of(3010, Installer::wusa)),
            "3010 (ERROR_SUCCESS_REBOOT_REQUIRED: installed, a restart is needed)");
  EXPECT_EQ(described(meaning_of(0x800F0922, Installer::dism)),
            "0x800F0922 (CBS_E_INSTALLERS_FAILED: an installer inside the package failed)");
  EXPECT_EQ(described(meaning_of(77, Installer::dism)), "77 (unknown code)");
}

TEST(ExitCodes, AreReadSignedAndUnsigned) {
  EXPECT_EQ(exit_code_in("-2145124329"), 0x80240017U);
  EXPECT_EQ(exit_code_in("2149842967"), 0x80240017U);
  EXPECT_EQ(exit_code_in("3010"), 3010U);
  for (const auto* text : {"", "x", "3010x", "4294967296", "-2147483649", "0x10"})
    EXPECT_FALSE(exit_code_in(text)) << text;
}

TEST(ExitCodes, TheInstallerFollowsFromTheFilesEnding) {
  EXPECT_EQ(installer_for("KB1-6.2.1.0_amd64.msu"), Installer::wusa);
  EXPECT_EQ(installer_for("A.CAB"), Installer::dism);
  EXPECT_EQ(installer_for("a.msi"), Installer::msiexec);
  EXPECT_EQ(installer_for("a.msp"), Installer::msiexec);
  EXPECT_EQ(installer_for("a.exe"), Installer::setup);
  EXPECT_FALSE(installer_for("a.deb"));
  EXPECT_FALSE(installer_for("msu"));
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
