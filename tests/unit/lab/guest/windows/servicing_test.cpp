// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/servicing.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::guest::windows {
namespace {
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const std::string kb1 = "Package_for_KB1111111~31bf3856ad364e35~amd64~~6.2.1.0";
const std::string kb2 = "Package_for_KB2222222~31bf3856ad364e35~amd64~~6.2.1.4";
const std::string rollup = "Package_for_RollupFix~31bf3856ad364e35~amd64~~14393.6897.1.5";

InstalledViews agreeing() {
  InstalledViews views;
  views.quick_fixes = {"KB1111111"};
  views.dism = {{kb1, PackageState::installed}};
  views.registry = {{kb1, PackageState::installed},
                    {"Package_1_for_KB1111111~31bf3856ad364e35~amd64~~6.2.1.0", PackageState::installed},
                    {"Package_for_KB1111111_RTM_BF~31bf3856ad364e35~amd64~~6.2.1.0", PackageState::installed}};
  views.whole = {kb1, kb2, rollup};
  return views;
}

TEST(PackageStates, AreReadByNumberAndWord) {
  EXPECT_EQ(package_state_from(0x70U), PackageState::installed);
  EXPECT_EQ(package_state_from(0x60U), PackageState::install_pending);
  EXPECT_FALSE(package_state_from(0x71U));
  EXPECT_EQ(package_state_from(std::string_view("Install Pending")), PackageState::install_pending);
  EXPECT_EQ(package_state_from(std::string_view("Not Present")), PackageState::absent);
  EXPECT_FALSE(package_state_from(std::string_view("Installiert")));
}

TEST(PackageIdentities, AreRecognised) {
  EXPECT_TRUE(is_package_identity(kb1));
  EXPECT_FALSE(is_package_identity("Package_for_KB1111111"));
  EXPECT_FALSE(is_package_identity("a~b~c~d~"));
  EXPECT_EQ(kb_of(kb1), "KB1111111");
  EXPECT_EQ(kb_of("Package_1_for_KB1111111~31bf3856ad364e35~amd64~~6.2.1.0"), "");
  EXPECT_EQ(kb_of("Package_for_KB~1~2~3~4"), "");
}

TEST(InstalledMeans, AgreeOnAnInstalledUpdate) {
  EXPECT_THAT(disagreements(agreeing()), IsEmpty());
  EXPECT_THAT(installed_set(agreeing()), ElementsAre(Pair(kb1, "installed")));
}

TEST(InstalledMeans, APermanentPackageIsInstalledForDism) {
  auto views = agreeing();
  views.registry[kb1] = PackageState::permanent;
  EXPECT_THAT(disagreements(views), IsEmpty());
}

TEST(InstalledMeans, EachAloneCanDisagree) {
  auto views = agreeing();
  views.quick_fixes.clear();
  EXPECT_THAT(disagreements(views), ElementsAre(Disagreement{kb1, "", "installed", "installed"}));
  views = agreeing();
  views.dism.erase(kb1);
  EXPECT_THAT(disagreements(views), ElementsAre(Disagreement{kb1, "installed", "", "installed"}));
  views = agreeing();
  views.registry[kb1] = PackageState::staged;
  EXPECT_THAT(disagreements(views), ElementsAre(Disagreement{kb1, "installed", "installed", "staged"}));
  views = agreeing();
  views.quick_fixes.insert("KB9999999");
  EXPECT_THAT(disagreements(views), ElementsAre(Disagreement{"KB9999999", "installed", "", ""}));
  views = agreeing();
  views.dism[kb1] = views.registry[kb1] = PackageState::staged;
  EXPECT_THAT(disagreements(views), ElementsAre(Disagreement{"KB1111111", "installed", "", ""}));
}

TEST(InstalledMeans, ADisagreementCannotBeOverlookedInTheSet) {
  auto views = agreeing();
  views.quick_fixes.clear();
  EXPECT_THAT(installed_set(views),
              ElementsAre(Pair(kb1, "disagreement: quick-fix list: absent, dism: installed, registry: installed")));
}

TEST(InstalledMeans, MayDifferAboutWhatWaitsForARestart) {
  for (const bool listed : {false, true}) {
    auto views = agreeing();
    views.dism[kb2] = views.registry[kb2] = PackageState::install_pending;
    if (listed) views.quick_fixes.insert("KB2222222");
    EXPECT_THAT(disagreements(views), IsEmpty());
    EXPECT_THAT(installed_set(views), testing::Contains(Pair(kb2, "install pending")));
    EXPECT_THAT(pending_installs(views), ElementsAre(kb2));
  }
}

TEST(InstalledMeans, MustStillSayTheSameStateOfIt) {
  auto views = agreeing();
  views.dism[kb2] = PackageState::installed;
  views.registry[kb2] = PackageState::install_pending;
  EXPECT_THAT(disagreements(views), ElementsAre(Disagreement{kb2, "", "installed", "install pending"}));
}

TEST(InstalledMeans, LeaveOutWhatIsNotThere) {
  auto views = agreeing();
  views.dism[kb2] = views.registry[kb2] = PackageState::staged;
  EXPECT_THAT(disagreements(views), IsEmpty());
  EXPECT_EQ(installed_set(views).size(), 1U);
}

// A cumulative update replaces the one before: that is no removal.
TEST(InstalledMeans, KeepWhatWasReplaced) {
  auto views = agreeing();
  views.dism[kb2] = views.registry[kb2] = PackageState::superseded;
  EXPECT_THAT(disagreements(views), IsEmpty());
  EXPECT_THAT(installed_set(views), testing::Contains(Pair(kb2, "superseded")));
}

TEST(InstalledMeans, ACumulativeUpdateAccountsForOneNumber) {
  auto views = agreeing();
  views.dism[rollup] = views.registry[rollup] = PackageState::installed;
  views.quick_fixes.insert("KB5000001");
  EXPECT_THAT(disagreements(views), IsEmpty());
  views.quick_fixes.insert("KB5000002");
  EXPECT_EQ(disagreements(views).size(), 1U);
}

TEST(InstalledMeans, OtherInstallersProductsAreNamedApart) {
  auto views = agreeing();
  views.products["{AAAA}"] = "1.2";
  EXPECT_THAT(installed_set(views), testing::Contains(Pair("product {AAAA}", "1.2")));
}

// Names of parts look like names of updates: Package_for_KB..._RTM, ..._GM, ..._BF, _SP1. Only the registry tells them
// apart.
TEST(InstalledMeans, PartsAreToldFromUpdatesByTheRegistryAlone) {
  for (const auto* suffix : {"_RTM", "_RTM_BF", "_GM", "_BF", "_SP1", ""}) {
    const auto part = std::string("Package_for_KB3333333") + suffix + "~31bf3856ad364e35~amd64~~6.2.1.9";
    auto views = agreeing();
    views.registry[part] = PackageState::installed;
    EXPECT_THAT(disagreements(views), IsEmpty()) << part;
    views.whole.insert(part);
    EXPECT_THAT(disagreements(views), ElementsAre(Disagreement{part, "", "", "installed"}));
  }
}

// What a candidate is made of comes and goes with it, whether dism shows it or not.
TEST(InstalledMeans, WhatACandidateIsMadeOfIsNotInTheSet) {
  const std::string part = "Package_1_for_KB2999226_BF~31bf3856ad364e35~amd64~~6.2.1.9";
  auto views = agreeing();
  views.registry[part] = PackageState::installed;
  EXPECT_THAT(installed_set(views, {part}), testing::Not(testing::Contains(testing::Key(part))));
  views.dism[part] = PackageState::installed;
  EXPECT_THAT(installed_set(views), testing::Contains(Pair(part, "installed")));
  EXPECT_THAT(installed_set(views, {part}), testing::Not(testing::Contains(testing::Key(part))));
  views.dism[part] = PackageState::staged;
  EXPECT_THAT(disagreements(views, {part}), IsEmpty());
}

// Windows Update stages an update, and that fails; then it is installed, and that fails for another reason.
TEST(RollbackAtBoot, AnEventCountsOnlyWhenAnInstallationFailed) {
  InstalledViews after = agreeing();
  after.registry[kb2] = PackageState::staged;
  const auto event = [](const char* intended, const char* code) {
    Event found;
    found.data = {{"PackageIdentifier", "KB2222222"}, {"ErrorCode", code}, {"IntendedPackageStateTextized", intended}};
    return found;
  };
  EXPECT_THAT(rollbacks({kb2}, after, {}, {event("Staged", "0x800f0816"), event("Installed", "0x800f0922")}),
              ElementsAre(Rollback{kb2, PackageState::staged, 0x800F0922}));
  EXPECT_THAT(rollbacks({kb2}, after, {}, {event("Staged", "0x800f0816"), event("Absent", "0x800f0825")}),
              ElementsAre(Rollback{kb2, PackageState::staged, {}}));
}

TEST(RollbackAtBoot, AnEventMaySayItsIntentionByNumberAlone) {
  InstalledViews after = agreeing();
  after.registry[kb2] = PackageState::staged;
  const auto event = [](const char* number, const char* word) {
    Event found{"Microsoft-Windows-Servicing", 3, 0, 1, {}, {}};
    found.data = {{"PackageIdentifier", kb_of(kb2)}, {"ErrorCode", "0x800f0922"}, {"IntendedPackageState", number}};
    if (word != nullptr) found.data["IntendedPackageStateTextized"] = word;
    return found;
  };
  const auto reason = [&](const Event& one) { return rollbacks({kb2}, after, {}, {one}).at(0).hresult; };
  EXPECT_EQ(reason(event("5112", nullptr)), 0x800F0922);
  EXPECT_EQ(reason(event("5112", "")), 0x800F0922);
  EXPECT_EQ(reason(event("5064", "")), std::nullopt);
  EXPECT_EQ(reason(event("5064", "Installed")), 0x800F0922);
}

TEST(CbsLog, TellsAFailureFromWhatCouldNotBeMeasured) {
  const std::string failed =
      "Error CBS    Startup: Failed to process advanced operation queue. [HRESULT = 0x800f0922 - "
      "CBS_E_INSTALLERS_FAILED]\n";
  const std::string measured =
      "Info  CBS    Execute time performance datapoint is invalid. [HRESULT = 0x80070490 - X]\n";
  const std::string step = "Info  CBS    Could not open a file. [HRESULT = 0x80070005 - E_ACCESSDENIED]\n";
  EXPECT_FALSE(cbs_failure(measured));
  EXPECT_EQ(cbs_failure(failed + measured)->hresult, 0x800F0922);
  EXPECT_EQ(cbs_failure(failed + step)->hresult, 0x800F0922);
  EXPECT_EQ(cbs_failure(step + failed)->hresult, 0x800F0922);
  EXPECT_EQ(cbs_failure(step + measured)->hresult, 0x80070005);
}

TEST(CbsLog, TellsOfTheLatestOperationAndNotOfAnOlderOne) {
  const auto begun = [](const std::string& session) {
    return "Info CBS    Exec: Processing started.  Client: DISM Package Manager Provider, Session: " + session +
           ", Package: Package_for_RollupFix~31bf3856ad364e35~amd64~~14393.2312.1.14\n";
  };
  const std::string undone =
      "Error CSI   (F) Failed execution of queue item Installer: A ({1}) with HRESULT 80070005. Failure will not be "
      "ignored: X\n"
      "Error CBS    Startup: Failed to process advanced operation queue. [HRESULT = 0x800f0922 - "
      "CBS_E_INSTALLERS_FAILED]\n"
      "Info  CBS    Startup: Failed to process advanced operation queue. Drivers will be rolled back and a restart "
      "initiated.\n"
      "Info  CBS    Startup: Processing complete. [HRESULT = 0x800f0922 - CBS_E_INSTALLERS_FAILED]\n";
  const std::string step = "Info  CBS    Could not open a file. [HRESULT = 0x80070005 - E_ACCESSDENIED]\n";
  const auto older = begun("4332_3354890") + undone;
  EXPECT_EQ(cbs_failure(older),
            (CbsFailure{0x800F0922, "CBS_E_INSTALLERS_FAILED", "Installer: A ({1}) with HRESULT 80070005", 1}));
  EXPECT_EQ(cbs_failure(older + begun("4333_1") + step), (CbsFailure{0x80070005, "E_ACCESSDENIED", "", 0}));
  EXPECT_FALSE(cbs_failure(older + begun("4333_1")));
  EXPECT_EQ(cbs_failure(older + begun("4332_3354890") + step)->hresult, 0x800F0922)
      << "another package of the same session";
}

TEST(CbsLog, NamesNoInstallerWhoseFailureIsIgnored) {
  const std::string ignored =
      "CSI (F) Failed execution of queue item Installer: A ({1}) with HRESULT 0x80070005.  Failure will be ignored: "
      "X\n";
  const std::string counted =
      "CSI (F) Failed execution of queue item Installer: B ({2}) with HRESULT 80070003 [Error]. Failure will not be "
      "ignored: X\n";
  const std::string ended = "CBS Failed to perform operation.  [HRESULT = 0x800f0922 - CBS_E_INSTALLERS_FAILED]\n";
  EXPECT_EQ(cbs_failure(ignored + ended)->cause, "");
  EXPECT_EQ(cbs_failure(counted + ignored + ended)->cause, "Installer: B ({2}) with HRESULT 80070003");
}

TEST(RollbackAtBoot, TheLogOfServicingNamesTheInstallerThatFailed) {
  const CbsFailure failure{0x800F0922, "CBS_E_INSTALLERS_FAILED", "Installer: X ({1}) with HRESULT 0x80070005", 1};
  std::vector<Rollback> found{{kb1, PackageState::staged, 0x800F0922, {}},
                              {kb2, PackageState::staged, {}, {}},
                              {rollup, PackageState::staged, 0x80070002, {}}};
  add_cause(found, failure);
  EXPECT_EQ(found[0].cause, failure.cause);
  EXPECT_EQ(found[1].hresult, failure.hresult);
  EXPECT_EQ(found[2].cause, "");  // another failure
  EXPECT_THAT(described(found[0]), testing::HasSubstr("CBS.log: Installer: X ({1}) with HRESULT 0x80070005"));
}

TEST(CbsLog, WithoutAFailureHasNone) {
  EXPECT_FALSE(cbs_failure(""));
  EXPECT_FALSE(
      cbs_failure("CBS    Startup: Processing complete. [HRESULT = 0x80070bc2 - ERROR_SUCCESS_REBOOT_REQUIRED]"));
  EXPECT_FALSE(cbs_failure("CBS    Done. [HRESULT = 0x00000000 - S_OK]\r\nCBS  [HRESULT = garbage]\r\n[HRESULT = "));
}

TEST(RollbackAtBoot, IsAPendingPackageThatIsNotInstalledAfterwards) {
  InstalledViews after = agreeing();
  after.registry[kb2] = PackageState::staged;
  EXPECT_THAT(rollbacks({kb2}, after, {{kb2, 0x800F0922}}, {}),
              ElementsAre(Rollback{kb2, PackageState::staged, 0x800F0922}));
  after.registry.erase(kb2);
  EXPECT_THAT(rollbacks({kb2}, after, {}, {}), ElementsAre(Rollback{kb2, PackageState::absent, {}}));
}

TEST(RollbackAtBoot, TakesTheReasonFromTheNewestEventWhereTheRegistryHasNone) {
  InstalledViews after = agreeing();
  after.registry[kb2] = PackageState::staged;
  const auto event = [](const char* package, const char* code) {
    Event found;
    found.data = {{"PackageIdentifier", package}, {"ErrorCode", code}};
    return found;
  };
  const std::vector<Event> failures{event("KB1111111", "0x80070002"), event("KB2222222", "0x800f0922"),
                                    event("KB2222222", "0x80070003")};
  EXPECT_THAT(rollbacks({kb2}, after, {{kb2, 0}}, failures),
              ElementsAre(Rollback{kb2, PackageState::staged, 0x800F0922}));
}

TEST(RollbackAtBoot, IsNotWhatWentWellOrStillWaits) {
  for (const auto state :
       {PackageState::installed, PackageState::permanent, PackageState::superseded, PackageState::install_pending}) {
    InstalledViews after = agreeing();
    after.registry[kb2] = state;
    EXPECT_THAT(rollbacks({kb2}, after, {{kb2, 0x800F0922}}, {}), IsEmpty());
  }
}

TEST(RollbackAtBoot, IsDescribedWithItsReason) {
  EXPECT_EQ(described(Rollback{kb2, PackageState::staged, 0x800F0922}),
            "'" + kb2 +
                "' was rolled back at the restart: it is staged now, 0x800F0922 (CBS_E_INSTALLERS_FAILED: an installer "
                "inside the package failed)");
  EXPECT_EQ(described(Rollback{kb2, PackageState::absent, {}}),
            "'" + kb2 + "' was rolled back at the restart: it is absent now, servicing does not say why");
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
