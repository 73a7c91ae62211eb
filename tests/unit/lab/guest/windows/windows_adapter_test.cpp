// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/windows_adapter.hpp"
#include "lab/guest/agent_loss.hpp"

#include "lab/core/text.hpp"
#include "lab/guest/reboot.hpp"
#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using namespace std::chrono_literals;
using test::FakeWindows;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

const std::string msu = "KB5035968-6.2.1.0_amd64.msu";
const std::string identity = "Package_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0";

class WindowsAdapterTest : public WindowsTest {
 protected:
  InstallOutcome applied(const std::vector<std::string>& files, Milliseconds deadline = 3600s) {
    auto outcome = adapter->apply(files, deadline, {});
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome.value_or(InstallOutcome{});
  }
  Error not_applied(const std::vector<std::string>& files, Milliseconds deadline = 3600s) {
    auto outcome = adapter->apply(files, deadline, {});
    EXPECT_FALSE(outcome);
    return outcome ? Error{} : outcome.error();
  }
  InstalledSet installed() {
    auto found = adapter->installed();
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(InstalledSet{});
  }
};

TEST_F(WindowsAdapterTest, TheBootIdIsTheSystemsOwnRecordOfItsStart) {
  const auto first = adapter->boot_id().value_or("?");
  EXPECT_EQ(first, "1001 2026-11-22T06:01:00.000000000Z");
  clock.advance(1h);
  EXPECT_EQ(adapter->boot_id().value_or("?"), first);
  windows.restart();
  EXPECT_FALSE(adapter->boot_id());
  clock.advance(windows.boot_takes);
  EXPECT_EQ(adapter->boot_id().value_or("?"), "1002 2026-11-22T06:02:00.000000000Z");
}

TEST_F(WindowsAdapterTest, RefusesALogThatDoesNotTellOfAStart) {
  windows.replies[Command::boot_event] = "\r\n";
  const auto id = adapter->boot_id();
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().message, "reading the boot id in 'srv': the log does not tell when the system started");
}

TEST_F(WindowsAdapterTest, HasStartedWhenUpdatesAreConfiguredAndServicesStarted) {
  EXPECT_TRUE(adapter->boot_complete().value_or(false));
  windows.services["Late"] = {2, 0, 2};
  EXPECT_FALSE(adapter->boot_complete().value_or(true));
  windows.services["Late"].state = 4;
  windows.servicing_keys.insert("RebootInProgress");
  EXPECT_FALSE(adapter->boot_complete().value_or(true));
  windows.servicing_keys.clear();
  EXPECT_FALSE(adapter->boot_complete());  // an answer without what every Windows has
}

TEST_F(WindowsAdapterTest, InstallsEachKindWithItsOwnInstallerInTheOrderGiven) {
  const std::vector<std::string> files{"b.msu", "a.cab", "d.msi", "c.msp", "setup.exe"};
  for (const auto& file : files) candidate(file);
  const auto outcome = applied(files);
  EXPECT_TRUE(is_success(outcome.end));
  EXPECT_EQ(outcome.end, InstallEnd::installed);
  EXPECT_GE(outcome.duration, 10s);
  std::vector<std::string> order;
  for (const auto& line : windows.lines) {
    for (const auto* installer : {"wusa.exe", "dism.exe", "msiexec.exe", "setup.exe /"}) {
      if (line.find(installer) != std::string::npos) order.push_back(line);
    }
  }
  EXPECT_THAT(
      order,
      ElementsAre(
          "C:\\Windows\\System32\\wusa.exe C:\\patchlab\\b.msu /quiet /norestart",
          "C:\\Windows\\System32\\dism.exe /online /english /add-package /packagepath:C:\\patchlab\\a.cab /quiet "
          "/norestart /logpath:C:\\patchlab\\install.log",
          "C:\\Windows\\System32\\msiexec.exe /i C:\\patchlab\\d.msi /qn /norestart /l*v C:\\patchlab\\install.log",
          "C:\\Windows\\System32\\msiexec.exe /p C:\\patchlab\\c.msp /qn /norestart REBOOT=ReallySuppress /l*v "
          "C:\\patchlab\\install.log",
          "C:\\patchlab\\setup.exe /q /norestart"));
  for (const auto& file : files) EXPECT_FALSE(windows.agent.files.contains("C:\\patchlab\\" + file)) << file;
}

TEST_F(WindowsAdapterTest, FindsTheMediumInAnyCdDrive) {
  windows.drives = {{"C:", "3"}, {"D:", "3"}, {"E:", "5"}, {"F:", "5"}};
  windows.medium = {"F:" + msu};
  windows.installers[msu] = {};
  EXPECT_TRUE(is_success(applied({msu}).end));
  EXPECT_EQ(times_run("copy /b /y F:\\" + msu), 1);
}

TEST_F(WindowsAdapterTest, WaitsForAMediumThatIsSeenAMomentLater) {
  hypervisor.on_agent([this](auto&, const auto& command) {
    if (clock.now() > 20s) candidate(msu);
    return windows.answer(command);
  });
  EXPECT_TRUE(is_success(applied({msu}).end));
  EXPECT_GT(clock.now(), 20s);
}

TEST_F(WindowsAdapterTest, TroubleWithTheMediumIsTheLaboratorys) {
  auto error = not_applied({msu});
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_EQ(error.message, "installing " + msu + " in 'srv': wrong medium: no file '" + msu + "' in drive D:");
  candidate(msu);
  windows.exit_codes[Command::copy_file] = 1;
  windows.replies[Command::copy_file] = "Data error (cyclic redundancy check).\r\n";
  error = not_applied({msu});
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("from the medium: Data error"));
  windows.drives.erase("D:");
  EXPECT_EQ(not_applied({msu}).message, "installing " + msu + " in 'srv': 'srv' has no CD drive");
}

// The engine takes a timeout of `apply` for the patch's. One that came before the installer must not be one.
TEST_F(WindowsAdapterTest, WhatHangsBeforeTheInstallerStartsIsTheLaboratorys) {
  candidate(msu);
  for (const auto command : {Command::architecture, Command::drives, Command::boot_event}) {
    windows.hanging = {command};
    EXPECT_EQ(not_applied({msu}).error_class, ErrorClass::infrastructure) << static_cast<int>(command);
  }
  windows.hanging.clear();
  const auto late = not_applied({msu}, 1s);
  EXPECT_EQ(late.error_class, ErrorClass::infrastructure);
  EXPECT_EQ(times_run("wusa.exe"), 0);
}

TEST_F(WindowsAdapterTest, ReadsTheWholeTableOfEndings) {
  for (const auto& [code, end] :
       std::vector<std::pair<std::int64_t, InstallEnd>>{{0, InstallEnd::installed},
                                                        {3010, InstallEnd::reboot_needed},
                                                        {1641, InstallEnd::reboot_started},
                                                        {2359302, InstallEnd::already_installed},
                                                        {-2145124329, InstallEnd::not_applicable},
                                                        {2148468002, InstallEnd::failed},
                                                        {123456, InstallEnd::failed}}) {
    candidate(msu).exit_code = code;
    const auto outcome = applied({msu});
    EXPECT_EQ(outcome.end, end) << code;
    EXPECT_EQ(outcome.exit_code, static_cast<std::uint32_t>(code));
  }
}

TEST_F(WindowsAdapterTest, QuotesTheInstallersOwnLogWhenItFails) {
  candidate("d.msi").exit_code = 1603;
  windows.agent.files["C:\\patchlab\\install.log"] =
      "\xFF\xFE" + FakeWindows::utf16("Action ended. Return value 3.\r\n");
  const auto outcome = applied({"d.msi"});
  EXPECT_EQ(outcome.log,
            "d.msi: msiexec ended with 1603 (ERROR_INSTALL_FAILURE: fatal error; the log has 'Return value 3')\n"
            "install.log:\nAction ended. Return value 3.\r\n");
}

TEST_F(WindowsAdapterTest, StopsAtTheFirstFileThatDoesNotSucceed) {
  candidate("a.msu").exit_code = 3010;
  candidate("b.msu").exit_code = -2145124329;
  candidate("c.msu");
  const auto outcome = applied({"a.msu", "b.msu", "c.msu"});
  EXPECT_EQ(outcome.end, InstallEnd::not_applicable);
  EXPECT_EQ(outcome.exit_code, 0x80240017U);
  EXPECT_EQ(times_run("wusa.exe C:\\patchlab\\c.msu"), 0);
}

TEST_F(WindowsAdapterTest, OneOfManyThatNeedsARestartIsEnough) {
  candidate("a.msu");
  candidate("b.msu").exit_code = 3010;
  candidate("c.msu").exit_code = 2359302;
  const auto outcome = applied({"a.msu", "b.msu", "c.msu"});
  EXPECT_EQ(outcome.end, InstallEnd::reboot_needed);
  EXPECT_EQ(outcome.exit_code, 3010U);
}

TEST_F(WindowsAdapterTest, StartsABusyInstallerAgain) {
  candidate("d.msi").busy = 3;
  EXPECT_TRUE(is_success(applied({"d.msi"}).end));
  EXPECT_EQ(times_run("msiexec.exe /i"), 4);
  EXPECT_GE(clock.now(), 90s);
}

TEST_F(WindowsAdapterTest, GivesUpOnOneThatStaysBusyWithoutBlamingThePatch) {
  candidate("d.msi").busy = 99;
  const auto error = not_applied({"d.msi"});
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message,
              HasSubstr("1618 (ERROR_INSTALL_ALREADY_RUNNING: another installation is running), 5 times"));
  EXPECT_EQ(times_run("msiexec.exe /i"), 5);
}

TEST_F(WindowsAdapterTest, CancelsWhileItWaitsForABusyInstaller) {
  candidate("d.msi").busy = 99;
  std::stop_source source;
  hypervisor.on_agent([&](auto&, const auto& command) {
    if (times_run("msiexec.exe /i") == 1) source.request_stop();
    return windows.answer(command);
  });
  const auto outcome = adapter->apply({"d.msi"}, 3600s, source.get_token());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error_class, ErrorClass::cancelled);
  EXPECT_EQ(times_run("msiexec.exe /i"), 1);
}

TEST_F(WindowsAdapterTest, EndingsThatSayNothingAboutThePatchAreErrors) {
  candidate(msu).exit_code = 1058;
  const auto error = not_applied({msu});
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("1058 (ERROR_SERVICE_DISABLED"));
}

TEST_F(WindowsAdapterTest, AHungInstallerIsATimeoutThatQuotesIt) {
  candidate(msu).hangs = true;
  candidate(msu).output = "Do you want to install?";
  const auto error = not_applied({msu}, 300s);
  EXPECT_EQ(error.error_class, ErrorClass::timeout);
  EXPECT_THAT(error.message, HasSubstr("last printed: 'Do you want to install?'"));
  EXPECT_EQ(times_run("taskkill.exe"), 1);
  EXPECT_LT(clock.now(), 310s);
}

TEST_F(WindowsAdapterTest, ARestartUnderTheInstallerIsNoOutcome) {
  candidate(msu).restarts_at_once = true;
  const auto error = not_applied({msu});
  EXPECT_EQ(error.error_class, ErrorClass::guest);
  EXPECT_THAT(error.message, HasSubstr("'srv' restarted while '" + msu + "' ran"));
  candidate("a.msu").exit_code = 1641;
  candidate("b.msu");
  EXPECT_THAT(not_applied({"a.msu", "b.msu"}).message,
              HasSubstr("'a.msu' restarts the machine before 'b.msu' could follow"));
}

TEST_F(WindowsAdapterTest, RefusesNamesAndKindsBeforeItTouchesTheGuest) {
  for (const auto* name : {"a b.msu", "..\\a.msu", "a&b.msu", "%a%.msu", "-a.msu", "a.deb", "unknown.exe", ""}) {
    const auto error = not_applied({name});
    EXPECT_EQ(error.error_class, ErrorClass::configuration) << name;
  }
  EXPECT_EQ(not_applied({}).error_class, ErrorClass::configuration);
  EXPECT_THAT(windows.lines, IsEmpty());
  EXPECT_THAT(windows.agent.calls, IsEmpty());
}

TEST_F(WindowsAdapterTest, WantsThe64BitAgentOfAWindows) {
  candidate(msu);
  windows.architecture = "PROCESSOR_ARCHITECTURE=x86\r\nPROCESSOR_ARCHITEW6432=AMD64\r\n";
  EXPECT_THAT(not_applied({msu}).message, HasSubstr("the guest agent is a x86 program on AMD64 Windows"));
  EXPECT_FALSE(adapter->installed());
  EXPECT_FALSE(adapter->host_state({}));
  EXPECT_FALSE(adapter->reboot_required());
  EXPECT_EQ(times_run("job.cmd"), 0);
  windows.os_id = "debian";
  EXPECT_THAT(not_applied({msu}).message, HasSubstr("the machine does not run Windows but 'debian'"));
}

TEST_F(WindowsAdapterTest, ListsWhatIsInstalled) {
  EXPECT_THAT(
      installed(),
      ElementsAre(Pair("Microsoft-Windows-Foundation-Package~31bf3856ad364e35~amd64~~6.2.9200.16384", "installed"),
                  Pair("Package_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2", "installed"),
                  Pair("product {23170F69-40C1-2702-1900-000001000000}", "19.00.00.0")));
}

TEST_F(WindowsAdapterTest, ListsTheSameInAnotherLanguageAndCodePage) {
  const auto english = installed();
  windows.german = true;
  EXPECT_EQ(installed(), english);
  EXPECT_FALSE(adapter->reboot_required().value_or(true));
}

TEST_F(WindowsAdapterTest, ReadsWmicInUtf16) {
  windows.replies[Command::quick_fixes] = "\xFF\xFE" + FakeWindows::utf16("HotFixID   \r\r\nKB2756872  \r\r\n\r\r\n");
  EXPECT_THAT(installed(), Contains(Pair("Package_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2", "installed")));
}

TEST_F(WindowsAdapterTest, ShowsWhereTheThreeMeansDisagree) {
  windows.packages["Package_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2"].listed = false;
  const auto views = adapter->installed_by_each_means();
  ASSERT_TRUE(views) << views.error().message;
  EXPECT_THAT(disagreements(*views), ElementsAre(Disagreement{"Package_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2",
                                                              "", "installed", "installed"}));
  EXPECT_THAT(installed(),
              Contains(Pair("Package_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2",
                            "disagreement: quick-fix list: absent, dism: installed, registry: installed")));
}

TEST_F(WindowsAdapterTest, NoListIsEverEmptyBecauseItsCommandFailed) {
  for (const auto command : {Command::quick_fixes, Command::packages, Command::package_states}) {
    for (const auto* printed : {"", "\r\n", "Error: 0x800706be\r\n"}) {
      windows.replies = {{command, printed}};
      EXPECT_FALSE(adapter->installed()) << static_cast<int>(command) << printed;
    }
    windows.replies.clear();
    windows.exit_codes = {{command, 1}};
    EXPECT_FALSE(adapter->installed()) << static_cast<int>(command);
    windows.exit_codes.clear();
  }
  windows.replies = {{Command::packages,
                      "Package Identity | State | Release Type | Install Time\r\nA~b~amd64~~1 | Bogus | Update | "
                      "x\r\nThe operation completed successfully.\r\n"}};
  EXPECT_FALSE(adapter->installed());
}

TEST_F(WindowsAdapterTest, EachSignOfAPendingRestartCounts) {
  EXPECT_FALSE(adapter->reboot_required().value_or(true));
  for (const auto* key : {"RebootPending", "RebootInProgress", "PackagesPending"}) {
    windows.servicing_keys = {"Packages", key};
    EXPECT_TRUE(adapter->reboot_required().value_or(false)) << key;
  }
  windows.servicing_keys = {"Packages"};
  for (const auto& [name, data] : std::map<std::string, std::string>{{"Exclusive", "0x1"},
                                                                     {"RebootRequired", "0x1"},
                                                                     {"UpdateExeVolatile", "0x3"},
                                                                     {"CurrentRebootAttempts", "0x1"},
                                                                     {"DVDRebootSignal", "x"},
                                                                     {"JoinDomain", "0x1"},
                                                                     {"AvoidSpnSet", "0x1"},
                                                                     {"ComputerName", "OTHER"}}) {
    windows.registry_values = {{name, data}};
    EXPECT_TRUE(adapter->reboot_required().value_or(false)) << name;
  }
}

TEST_F(WindowsAdapterTest, WeakSignsAndZerosDoNot) {
  windows.registry_values = {{"Exclusive", "0x0"},
                             {"UpdateExeVolatile", "0x0"},
                             {"ComputerName", "srv2012"},
                             {"PendingFileRenameOperations", "\\??\\C:\\x"}};
  const auto pending = adapter->pending_restart();
  ASSERT_TRUE(pending) << pending.error().message;
  EXPECT_FALSE(pending->is_due());
  EXPECT_THAT(pending->weak, ElementsAre("files are replaced at the next start"));
  windows.replies[Command::update_keys] = "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Auto Update\\PostRebootReporting\r\n";
  EXPECT_FALSE(adapter->reboot_required().value_or(true));
  EXPECT_THAT(adapter->pending_restart()->weak, Contains("Windows Update: PostRebootReporting"));
}

TEST_F(WindowsAdapterTest, ABrokenRegToolIsNotTheAbsenceOfAPendingRestart) {
  for (const auto command : {Command::servicing_keys, Command::netlogon, Command::active_name, Command::next_name}) {
    windows.exit_codes = {{command, 1}};
    EXPECT_FALSE(adapter->reboot_required()) << static_cast<int>(command);
  }
  windows.exit_codes = {{Command::update_keys, 5}};
  EXPECT_FALSE(adapter->reboot_required());
}

TEST_F(WindowsAdapterTest, CollectsEvidence) {
  const auto texts = adapter->evidence();
  ASSERT_TRUE(texts) << texts.error().message;
  EXPECT_THAT(*texts, Contains(Pair("CBS.log", "a log\r\n")));
  EXPECT_THAT(*texts, Contains(Key("events-Setup")));
  EXPECT_THAT(*texts, Contains(Key("processes")));
  EXPECT_THAT(*texts, Not(Contains(Key("poqexec.log"))));  // this machine has none
}

TEST_F(WindowsAdapterTest, RemovesPackagesAsAnAdministratorWould) {
  windows.packages[identity] = {};
  const auto outcome = adapter->uninstall({.file_name = msu, .kb = "KB5035968"}, 600s, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(is_success(outcome->end));
  EXPECT_THAT(installed(), Not(Contains(Key(identity))));
  EXPECT_EQ(adapter->uninstall({.file_name = msu, .kb = "KB5035968"}, 600s, {})->end, InstallEnd::already_installed);
}

TEST_F(WindowsAdapterTest, RemovesEachKindInItsWay) {
  windows.packages[identity] = {};
  EXPECT_EQ(
      adapter->uninstall({.file_name = "a.cab", .packages = {"Package_for_KB1~31bf~amd64~~1.0", identity}}, 600s, {})
          ->end,
      InstallEnd::installed);
  std::vector<std::string> removed;
  for (const auto& line : windows.lines) {
    if (line.find("/remove-package") != std::string::npos) removed.push_back(line);
  }
  ASSERT_EQ(removed.size(), 2U);
  EXPECT_THAT(removed[0], HasSubstr("/packagename:" + identity));
  const std::string product = "{23170F69-40C1-2702-1900-000001000000}";
  EXPECT_EQ(adapter->uninstall({.file_name = "d.msi", .product_code = product}, 600s, {})->end, InstallEnd::installed);
  EXPECT_EQ(adapter->uninstall({.file_name = "d.msi", .product_code = product}, 600s, {})->end,
            InstallEnd::not_applicable);
  const std::string patch = "{11111111-2222-3333-4444-5555555555AA}";
  EXPECT_EQ(adapter->uninstall({.file_name = "c.msp", .product_code = product, .patch_code = patch}, 600s, {})->end,
            InstallEnd::installed);
  EXPECT_EQ(times_run("msiexec.exe /package " + product + " /uninstall " + patch + " /qn"), 1);
}

// wusa takes no /quiet with /uninstall /kb since Windows 10, and a combined update holds a servicing stack that stays.
TEST_F(WindowsAdapterTest, RemovesByIdentityFromServer2016On) {
  windows.packages[identity] = {};
  options.version = "10.0.20348";
  adapter = windows_adapter(agent, clock, options);
  const InstalledPackage package{.file_name = msu, .kb = "KB5035968", .packages = {identity}};
  EXPECT_EQ(adapter->why_no_uninstall(package), "");
  EXPECT_TRUE(is_success(adapter->uninstall(package, 600s, {})->end));
  EXPECT_EQ(times_run("wusa.exe /uninstall"), 0);
  EXPECT_EQ(times_run("dism.exe /online /english /remove-package /packagename:" + identity), 1);
  EXPECT_THAT(adapter->why_no_uninstall({.file_name = msu, .kb = "KB5035968"}), HasSubstr("are not known"));
}

// KB2999226: five more packages beside its own identity, two of which are called like updates.
TEST_F(WindowsAdapterTest, PartsOfACandidateAreNoChangeOfTheirOwn) {
  const std::vector<std::string> parts{"Package_1_for_KB5035968~31bf3856ad364e35~amd64~~6.2.1.0",
                                       "Package_for_KB5035968_RTM~31bf3856ad364e35~amd64~~6.2.1.0",
                                       "Package_for_KB5035968_RTM_BF~31bf3856ad364e35~amd64~~6.2.1.0"};
  // As names of files in the cabinet, where a manifest could not be read.
  for (const auto& part : parts) options.parts.insert(lower_case(part));
  adapter = windows_adapter(agent, clock, options);
  auto expected = installed();
  candidate(msu) = {.identity = identity, .parts = parts};
  EXPECT_TRUE(is_success(applied({msu}).end));
  expected[identity] = "installed";
  EXPECT_EQ(installed(), expected);
  for (const auto& part : parts) windows.packages[part] = {};  // where dism shows them, too
  EXPECT_EQ(installed(), expected);
}

TEST_F(WindowsAdapterTest, WithoutVisibilityPartsCannotBeToldFromUpdates) {
  windows.exit_codes = {{Command::package_visibility, 1}};
  EXPECT_FALSE(adapter->installed());
}

// None of these says that the patch does not apply, or that it is bad.
TEST_F(WindowsAdapterTest, WhatTheMachineLacksIsNeitherASkipNorAFailure) {
  struct Case {
    std::int64_t code;
    ErrorClass error_class;
    const char* message;
  };
  for (const auto& [code, error_class, message] :
       {Case{1633, ErrorClass::configuration, "no right to the update"},
        {-2147023263, ErrorClass::configuration, "no right to the update"},          // 0x80070661
        {-2146498525, ErrorClass::configuration, "a newer servicing stack"},         // 0x800F0823
        {-2146498529, ErrorClass::infrastructure, "component store is damaged"}}) {  // 0x800F081F
    for (const auto* file : {"a.msu", "a.cab"}) {
      candidate(file) = {.exit_code = code};
      const auto error = not_applied({file});
      EXPECT_EQ(error.error_class, error_class) << code;
      EXPECT_THAT(error.message, HasSubstr(message));
      EXPECT_EQ(error.hint.empty(), error_class == ErrorClass::infrastructure);
    }
  }
  // msiexec says it of a package for another processor.
  candidate("a.msi") = {.exit_code = 1633};
  EXPECT_EQ(applied({"a.msi"}).end, InstallEnd::not_applicable);
}

TEST_F(WindowsAdapterTest, RestartsOnceForAnInstallerThatWantsItBefore) {
  windows.servicing_keys.insert("RebootPending");
  candidate(msu) = {.identity = identity, .wants_restart_first = true};
  const auto outcome = applied({msu});
  EXPECT_EQ(outcome.end, InstallEnd::installed);
  EXPECT_EQ(outcome.boot_id, adapter->boot_id().value_or("?"));
  EXPECT_THAT(outcome.log, HasSubstr("restarted, and tried again"));
  EXPECT_EQ(windows.boots, 2);
  candidate("b.msu") = {.exit_code = 3017};
  const auto error = not_applied({"b.msu"});
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("also after a restart"));
  EXPECT_EQ(windows.boots, 3);
}

TEST_F(WindowsAdapterTest, TheCandidateNamesExitCodesOfItsInstaller) {
  options.setups["setup.exe"].success = {0x800F0840};
  options.setups["setup.exe"].restart = {5};
  adapter = windows_adapter(agent, clock, options);
  candidate("setup.exe") = {.exit_code = -2146498496};  // 0x800F0840
  EXPECT_EQ(applied({"setup.exe"}).end, InstallEnd::installed);
  candidate("setup.exe") = {.exit_code = 5};
  EXPECT_EQ(applied({"setup.exe"}).end, InstallEnd::reboot_needed);
  candidate("a.msu") = {.exit_code = 5};  // not this one's
  EXPECT_EQ(not_applied({"a.msu"}).error_class, ErrorClass::infrastructure);
}

TEST_F(WindowsAdapterTest, TellsWhichProductsAnMsiTakesAway) {
  const std::string old_product = "{23170F69-40C1-2702-1900-000001000000}";  // 19.00.00.0, there
  const std::string code = "{66666666-2222-3333-4444-555555555555}";
  options.replaces["new.msi"] = {{.upgrade_code = code, .from = "1.0", .from_included = true, .to = "20.0"}};
  options.replaces["other.msi"] = {{.upgrade_code = code, .from = "20.0", .from_included = true}};
  adapter = windows_adapter(agent, clock, options);
  candidate("new.msi") = {.products = {{"{NEW}", "20.0"}}, .removes_products = {old_product}};
  candidate("other.msi");
  EXPECT_THAT(applied({"new.msi"}).replaced, IsEmpty());  // no product has that upgrade code
  windows.products = {{old_product, "19.00.00.0"}};
  windows.upgrade_codes[packed_guid(code)] = {packed_guid(old_product)};
  EXPECT_THAT(applied({"other.msi"}).replaced, IsEmpty());
  EXPECT_THAT(applied({"new.msi"}).replaced, ElementsAre("product " + old_product));
  EXPECT_THAT(installed(), Not(Contains(Key("product " + old_product))));
  options.replaces["new.msi"][0].languages = {"1031"};  // and that one speaks English
  adapter = windows_adapter(agent, clock, options);
  windows.products = {{old_product, "19.00.00.0"}};
  EXPECT_THAT(applied({"new.msi"}).replaced, IsEmpty());
}

TEST_F(WindowsAdapterTest, RefusesAMachineThatIsNotTheDeclaredOne) {
  windows.kernel = {"10.0", "20348"};
  EXPECT_THAT(not_applied({msu}).message, HasSubstr("it runs Windows 10.0.20348, the scenario says 6.2.9200"));
  windows.kernel = {"10.0", "26100"};
  EXPECT_THAT(not_applied({msu}).message, HasSubstr("not supported yet: it has no wmic"));
  windows.kernel = {"6.2", "9200"};
  candidate(msu) = {.identity = identity};
  EXPECT_TRUE(is_success(applied({msu}).end));
}

TEST_F(WindowsAdapterTest, SaysWhyARemovalIsNotOffered) {
  EXPECT_EQ(adapter->why_no_uninstall({.file_name = msu, .kb = "KB5035968"}), "");
  EXPECT_THAT(adapter->why_no_uninstall({.file_name = msu, .kb = "KB5035968", .permanent = true}),
              HasSubstr("cannot be removed"));
  EXPECT_THAT(adapter->why_no_uninstall({.file_name = "setup.exe"}), HasSubstr("no common command"));
  for (const auto& package : std::vector<InstalledPackage>{
           {.file_name = msu, .kb = "KB5035968 & del"},
           {.file_name = msu},
           {.file_name = "a.cab", .packages = {"a b~c~d~e~f"}},
           {.file_name = "d.msi", .product_code = "{x}"},
           {.file_name = "c.msp", .product_code = "{23170F69-40C1-2702-1900-000001000000}"}}) {
    EXPECT_THAT(adapter->why_no_uninstall(package), HasSubstr("are not known")) << package.file_name;
    const auto outcome = adapter->uninstall(package, 600s, {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().error_class, ErrorClass::configuration);
  }
  EXPECT_THAT(windows.lines, IsEmpty());
}

TEST_F(WindowsAdapterTest, StoryOfAnUpdateThatNeedsARestart) {
  auto& update = candidate(msu);
  update = {.exit_code = 3010, .identity = identity, .needs_restart = true, .takes = 400s};
  EXPECT_EQ(applied({msu}).end, InstallEnd::reboot_needed);
  EXPECT_THAT(installed(), Contains(Pair(identity, "install pending")));
  const auto pending = pending_installs(*adapter->installed_by_each_means());
  EXPECT_THAT(pending, ElementsAre(identity));

  windows.boot_takes = 1200s;  // "configuring updates"
  windows.self_restarts = 1;
  const auto reboots = reboot_until_clear(*adapter, agent, clock, {.each = 3600s, .self_restarts = 2});
  ASSERT_TRUE(reboots) << reboots.error().message;
  ASSERT_EQ(reboots->size(), 1U);
  EXPECT_NE(reboots->front().boot_id_before, reboots->front().boot_id_after);
  EXPECT_EQ(windows.boots, 3);
  EXPECT_THAT(installed(), Contains(Pair(identity, "installed")));
  EXPECT_TRUE(adapter->rolled_back(pending)->empty());
}

TEST_F(WindowsAdapterTest, StoryOfAnUpdateThatIsUndoneAtTheRestart) {
  candidate(msu) = {.exit_code = 3010, .identity = identity, .needs_restart = true, .rolls_back = 0x800F0922};
  EXPECT_TRUE(is_success(applied({msu}).end));
  const auto pending = pending_installs(*adapter->installed_by_each_means());
  ASSERT_TRUE(reboot_until_clear(*adapter, agent, clock, {.each = 3600s}));
  EXPECT_THAT(installed(), Not(Contains(Key(identity))));
  const auto undone = adapter->rolled_back(pending);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_THAT(*undone, ElementsAre(Rollback{identity, PackageState::staged, 0x800F0922}));
}

// Servicing finds out only at the restart that there is no right to the update.
TEST_F(WindowsAdapterTest, StoryOfAnUpdateThatIsUndoneForWantOfAnEntitlement) {
  candidate(msu) = {.exit_code = 3010, .identity = identity, .needs_restart = true, .rolls_back = 0x80070661};
  EXPECT_TRUE(is_success(applied({msu}).end));
  const auto before = installed();
  ASSERT_TRUE(reboot_until_clear(*adapter, agent, clock, {.each = 3600s}));
  const auto undone = adapter->undone_by_restart(before);
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(undone.error().message, HasSubstr("no right to the update"));
  EXPECT_THAT(undone.error().hint, HasSubstr("a key of its own"));
}

TEST_F(WindowsAdapterTest, StoryOfAnAgentThatDoesNotComeBack) {
  windows.agent_dies_at_restart = true;
  windows.servicing_keys.insert("RebootPending");
  const auto reboots = reboot_until_clear(*adapter, agent, clock, {.each = 1800s});
  ASSERT_FALSE(reboots);
  EXPECT_EQ(reboots.error().error_class, ErrorClass::silent);
  EXPECT_THAT(reboots.error().message, HasSubstr("the agent did not answer"));
  const SilenceFacts facts{agent.answers(1s), true, hypervisor.state("srv").value()};
  EXPECT_EQ(agent_loss(facts), AgentLoss::agent_lost);
}

TEST_F(WindowsAdapterTest, ARestartLoopIsFoundAndBounded) {
  windows.servicing_keys.insert("RebootPending");
  windows.self_restarts = 3;
  const auto loop = reboot_until_clear(*adapter, agent, clock, {.each = 3600s, .self_restarts = 2});
  ASSERT_FALSE(loop);
  EXPECT_THAT(loop.error().message, HasSubstr("restarted once more by itself"));
}

TEST_F(WindowsAdapterTest, AGuestThatAlwaysWantsOneMoreRestartIsAnError) {
  windows.registry_values["RebootRequired"] = "0x1";
  const auto reboots = reboot_until_clear(*adapter, agent, clock, {.most = 3, .each = 600s});
  ASSERT_FALSE(reboots);
  EXPECT_EQ(reboots.error().error_class, ErrorClass::guest);
  EXPECT_EQ(reboots.error().message, "'srv' still asks for a restart after 3");
  EXPECT_EQ(windows.boots, 4);
}

TEST_F(WindowsAdapterTest, NoReplyOfTheAgentIsEverLargerThanAMebibyte) {
  for (int i = 0; i < 6000; ++i)
    windows.parts[fmt::format("Package_{}_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2", i)] = PackageState::installed;
  EXPECT_EQ(installed().size(), 3U);
  EXPECT_LT(windows.agent.largest_reply, 1U << 20U);
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
