// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/scan/windows.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"

namespace patchlab::process {
namespace {

using patches::CatalogueFile;
using patches::CatalogueUpdate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Day today = *day_in("2026-11-28");
const std::string server_2019 = "f702a48c-919b-45d6-9aef-ca4248d50397";
const std::string security_updates = "0fa1201d-4330-4fa8-8ae9-b877473b6441";

CatalogueFile file(const std::string& name, char digit) {
  return {name, "http://x/" + name, std::string(40, digit), std::string(64, digit), 1000, "SelfContained"};
}

// A Server 2019 at .6000 with KB5050000; in the catalogue three cumulative updates, of which each replaces the one
// before it, and one of .NET that nobody decides. Advisories name the first and the third.
class WindowsScan : public ::testing::Test {
 protected:
  WindowsScan() {
    input_.today = today;
    const auto table = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "policies" / "cisa-bod-26-04.csv";
    input_.table = parse_decision_table(read_file(table).value(), "shipped").value();
    for (const auto& kind : feed_kinds()) {
      FeedState state;
      state.kind = kind.kind;
      state.date = today;
      input_.feeds.states.push_back(state);
    }
    auto& catalogue = input_.feeds.catalogue.emplace();
    catalogue.updates = {update(100, "KB5050000", {110}), update(110, "KB5050001", {120}), update(120, "KB5050002", {}),
                         update(130, "KB5060000", {})};
    catalogue.updates[2].files = {file("windows10.0-kb5050002-x64.cab", 'a'),
                                  file("windows10.0-kb5050002-x64.psf", 'b')};
    fix("CVE-2026-1000", "KB5050000", "10.0.17763.6000");
    fix("CVE-2026-1002", "KB5050002", "10.0.17763.6200");
    input_.feeds.microsoft["CVE-2026-1002"] = {"critical", true};
    machine_.department = "finance";
    machine_.machine = machine_.role = "dns";
    machine_.windows = WindowsMachine{"10.0.17763.6000", "amd64", {{"KB5050000", "installed"}}, {}};
  }
  static CatalogueUpdate update(std::uint32_t revision, const std::string& kb, std::vector<std::uint32_t> by) {
    CatalogueUpdate made;
    made.revision = revision;
    made.id = "id-" + kb;
    made.kb = kb;
    made.title = "2026-11 Update for Windows Server 2019 for x64-based Systems (" + kb + ")";
    made.created = "2026-11-10T18:00:00Z";
    made.classification = security_updates;
    made.products = {server_2019};
    made.superseded_by = std::move(by);
    return made;
  }
  void fix(const std::string& cve, const std::string& kb, const std::string& version) {
    input_.feeds.fixes.push_back({cve, kb, "Windows Server 2019", version, "Security Update", ""});
  }
  CatalogueUpdate& of(const std::string& kb) {
    return *std::ranges::find(input_.feeds.catalogue->updates, kb, &CatalogueUpdate::kb);
  }
  FeedState& state(FeedKind kind) { return *std::ranges::find(input_.feeds.states, kind, &FeedState::kind); }
  ScanResult scanned() {
    auto input = input_;
    input.machines = {machine_};
    offer_windows_updates(input.machines[0], input.feeds, input.not_known);
    offers_ = input.machines[0].offers;
    return scan(input);
  }
  ScanRow row(const std::string& item) {
    for (const auto& one : scanned().rows) {
      if (one.item == item) return one;
    }
    ADD_FAILURE() << "no row of " << item;
    return {};
  }
  static std::vector<std::string> cves(const ScanRow& row) {
    std::vector<std::string> all;
    for (const auto& one : row.vulnerabilities) all.push_back(one.cve);
    return all;
  }
  ScanInput input_;
  ScannedMachine machine_;
  std::vector<Offer> offers_;
};

TEST_F(WindowsScan, SaysWhatIsMissingAndWhatItClosesByTheVersionOfTheMachine) {
  const auto missing = row("KB5050002");
  EXPECT_EQ(missing.status, RowStatus::missing);
  EXPECT_EQ(missing.why, "the machine is at 10.0.17763.6000, and it brings 10.0.17763.6200");
  EXPECT_EQ(missing.offered, "windows10.0-kb5050002-x64.cab");
  EXPECT_THAT(cves(missing), ElementsAre("CVE-2026-1002"));
  EXPECT_EQ(missing.severity, "critical");
  EXPECT_EQ(missing.severity_from, "msrc");
  EXPECT_THAT(missing.warnings,
              ElementsAre(HasSubstr("published on 2026-11-10"), "Microsoft says that CVE-2026-1002 is exploited"));
  ASSERT_NE(missing.deciding(), nullptr);
  EXPECT_TRUE(missing.deciding()->due);
  EXPECT_EQ(row("KB5050000").status, RowStatus::installed);
  const auto between = row("KB5050001");
  EXPECT_EQ(between.status, RowStatus::superseded);
  EXPECT_EQ(between.superseded_by, "KB5050002");
}

TEST_F(WindowsScan, NeverSaysOfWhatNobodyDecidesThatItDoesNotApply) {
  const auto of_net = row("KB5060000");
  EXPECT_EQ(of_net.status, RowStatus::unknown);
  EXPECT_THAT(of_net.why, HasSubstr("rules of the catalogue that are not evaluated"));
  EXPECT_THAT(cves(of_net), ElementsAre("")) << "a security update of which nobody says what it closes";
  EXPECT_FALSE(scanned().whole());
  of("KB5060000").classification = "28bc880e-0592-4cbf-8f95-c79b17911d5f";
  EXPECT_THAT(cves(row("KB5060000")), IsEmpty()) << "a rollup";
  fix("CVE-2026-2000", "KB5060000", "");
  const auto named = row("KB5060000");
  EXPECT_EQ(named.status, RowStatus::missing);
  EXPECT_EQ(named.why, "Microsoft's advisories name it as a fix of Windows Server 2019");
}

TEST_F(WindowsScan, CountsWhatTheMachineHasByNumberByVersionAndByWhatReplacesIt) {
  machine_.windows->updates = {{"KB5050002", "installed"}};
  EXPECT_EQ(row("KB5050001").status, RowStatus::superseded);
  EXPECT_EQ(row("KB5050001").why, "'KB5050002' replaces it, and is installed");
  EXPECT_EQ(row("KB5050002").status, RowStatus::installed);
  machine_.windows->updates.clear();
  machine_.windows->version = "10.0.17763.6300";
  EXPECT_EQ(row("KB5050002").status, RowStatus::installed) << "it came with a later one";
  machine_.windows->version = "10.0.17763";
  EXPECT_EQ(row("KB5050002").status, RowStatus::missing) << "advisories name it";
  machine_.windows->updates = {{"KB5050002", "install pending"}};
  EXPECT_EQ(row("KB5050002").why, "it is installed when the machine restarts");
  machine_.windows->updates = {{"KB5050002", "installed"}};
  machine_.windows->disputed = {"KB5050002"};
  EXPECT_EQ(row("KB5050002").status, RowStatus::unknown);
}

TEST_F(WindowsScan, TakesOneOfTwoUpdatesThatCloseTheSameForEnough) {
  fix("CVE-2026-1000", "KB5070000", "");
  const auto other = row("KB5070000");
  EXPECT_EQ(other.status, RowStatus::superseded);
  EXPECT_EQ(other.superseded_by, "KB5050000");
  fix("CVE-2026-1001", "KB5070000", "");
  EXPECT_EQ(row("KB5070000").status, RowStatus::missing);
  EXPECT_THAT(cves(row("KB5070000")), ElementsAre("CVE-2026-1001"));
}

TEST_F(WindowsScan, ClosesWithAnUpdateAlsoWhatTheOnesBeforeItWouldHave) {
  fix("CVE-2026-1001", "KB5050001", "10.0.17763.6100");
  EXPECT_THAT(cves(row("KB5050002")), ::testing::UnorderedElementsAre("CVE-2026-1001", "CVE-2026-1002"));
  of("KB5050001").superseded_by.clear();
  EXPECT_THAT(cves(row("KB5050002")), ::testing::UnorderedElementsAre("CVE-2026-1001", "CVE-2026-1002"))
      << "by their versions";
  EXPECT_EQ(row("KB5050001").status, RowStatus::superseded);
}

TEST_F(WindowsScan, IsNeverShorterWithoutAFeed) {
  state(FeedKind::msrc).unusable = "is not there";
  input_.feeds.fixes.clear();
  const auto without = row("KB5050002");
  EXPECT_EQ(without.status, RowStatus::unknown);
  EXPECT_THAT(cves(without), ElementsAre(""));
  input_.feeds.catalogue.reset();
  state(FeedKind::windows_catalogue).unusable = "is not there";
  const auto machine = row("");
  EXPECT_EQ(machine.status, RowStatus::unknown);
  EXPECT_EQ(machine.why, "feed 'windows-catalogue' is not there");
  fix("CVE-2026-1002", "KB5050002", "10.0.17763.6200");
  EXPECT_EQ(row("KB5050002").status, RowStatus::missing);
  EXPECT_THAT(scanned().not_known,
              ::testing::Contains(
                  NotKnown{"which files KB5050002 has", "Microsoft's advisories name it, and its catalogue does not"}));
}

TEST_F(WindowsScan, OfAReleaseThatNobodyKnowsSaysSo) {
  machine_.windows->version = "10.0.25398.1";
  EXPECT_THAT(row("").why, HasSubstr("Windows 10.0.25398.1"));
  EXPECT_THAT(scanned().rows, SizeIs(1));
}

TEST_F(WindowsScan, LeavesWhatIsForOtherProcessorsAndProductsOut) {
  of("KB5050002").title = "2026-11 Update for Windows Server 2019 for x86-based Systems (KB5050002)";
  const auto other = row("KB5050002");
  EXPECT_EQ(other.status, RowStatus::not_applicable);
  EXPECT_EQ(other.why, "is for x86, the machine is amd64");
  of("KB5050002").products = {"another"};
  input_.feeds.fixes.clear();
  for (const auto& one : scanned().rows) EXPECT_NE(one.item, "KB5050002");
}

TEST_F(WindowsScan, SaysThatUpdatesReplaceEachOtherInACircle) {
  of("KB5050002").superseded_by = {110};
  const auto result = scanned();
  EXPECT_EQ(row("KB5050002").status, RowStatus::missing);
  EXPECT_THAT(result.not_known, ::testing::Contains(NotKnown{"which of KB5050001, KB5050002 is the newest",
                                                             "the catalogue says that they replace each other"}));
}

TEST_F(WindowsScan, DecidesCandidatesOfTheScenarioByTheirNumber) {
  Offer candidate;
  candidate.id = "november";
  candidate.kb = "KB5050002";
  candidate.files = {{"Package_for_KB5050002", "1", "amd64", std::string(64, 'c'), "", ""}};
  Offer nameless;
  nameless.id = "nameless";
  machine_.offers = {candidate, nameless};
  EXPECT_EQ(row("november").status, RowStatus::missing);
  EXPECT_THAT(cves(row("november")), ElementsAre("CVE-2026-1002"));
  EXPECT_EQ(row("nameless").status, RowStatus::unknown);
  for (const auto& one : scanned().rows) EXPECT_NE(one.item, "KB5050002") << "it is there once";
}

TEST_F(WindowsScan, NamesTheFilesOfWhatIsMissingWithSizeAndDigest) {
  static_cast<void>(scanned());
  const auto offer = std::ranges::find(offers_, "KB5050002", &Offer::id);
  ASSERT_NE(offer, offers_.end());
  ASSERT_THAT(offer->files, SizeIs(1)) << "a .psf saves bytes, and installs nothing";
  EXPECT_EQ(offer->files[0].name, "windows10.0-kb5050002-x64.cab");
  EXPECT_EQ(offer->files[0].bytes, 1000U);
  EXPECT_EQ(offer->files[0].sha256, std::string(64, 'a'));
  EXPECT_EQ(offer->files[0].sha1, std::string(40, 'a'));
  of("KB5050002").files[0].sha256.clear();
  EXPECT_THAT(scanned().not_known,
              ::testing::Contains(NotKnown{"which bytes 'windows10.0-kb5050002-x64.cab' of KB5050002 has",
                                           "the catalogue names no SHA-256 of it"}));
}

}  // namespace
}  // namespace patchlab::process
