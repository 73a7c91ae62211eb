// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/handoff.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <regex>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/deploy/ansible.hpp"
#include "promotion/deploy/apt_repository.hpp"
#include "promotion/deploy/deployed.hpp"
#include "promotion/deploy/export_handoff.hpp"
#include "promotion/deploy/scripts.hpp"
#include "promotion/deploy/waiting.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::promotion {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const auto now = *parse_rfc3339("2026-11-29T08:00:00Z");

Handoff of_windows() {
  Handoff handoff;
  handoff.department = "finance";
  handoff.serial = 7;
  handoff.run = "20261128-080000-1a2b";
  handoff.published = "2026-11-28T08:30:00.000Z";
  handoff.set = handoff.promotion = handoff.ledger = handoff.head.hash = std::string(64, 'a');
  handoff.head.size = 12;
  handoff.manifest = "{}\n";
  handoff.statement = "statement\n";
  handoff.candidates = {{.id = "KB5035968",
                         .title = "March",
                         .severity = "critical",
                         .kind = "msu",
                         .digest = std::string(64, 'b'),
                         .kb = "KB5035968",
                         .machines = {"dc1"},
                         .roles = {"dc"},
                         .files = {{"KB5035968", "KB5035968-6.2.1.0_amd64.msu", sha256("x"), 1}}}};
  return handoff;
}

TEST(Handoff, FindsTheNumberOfAnUpdateInItsNames) {
  for (const auto& [name, kb] :
       std::initializer_list<std::pair<const char*, const char*>>{{"KB5035968", "KB5035968"},
                                                                  {"kb5035968-6.2.1.0_amd64.msu", "KB5035968"},
                                                                  {"KB5035968_x", "KB5035968"},
                                                                  {"KB503", ""},
                                                                  {"KB50359681234", ""},
                                                                  {"KB5035968x", ""},
                                                                  {"KB5035968$(id)", ""},
                                                                  {"xKB5035968", ""},
                                                                  {"", ""}})
    EXPECT_EQ(kb_in(name), kb) << name;
}

TEST(Handoff, EndsWithTheFirstOfItsEnds) {
  EXPECT_EQ(earlier_end("", ""), "");
  EXPECT_EQ(earlier_end("", "2026-12-01T00:00:00.900Z"), "2026-12-01T00:00:00Z") << "never later than was said";
  EXPECT_EQ(earlier_end("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"), "2026-12-01T00:00:00Z");
  EXPECT_EQ(earlier_end("2026-12-03T00:00:00Z", "2026-12-02T00:00:00Z"), "2026-12-02T00:00:00Z");
  EXPECT_EQ(earlier_end("2026-12-03T00:00:00Z", "soon"), "2026-12-03T00:00:00Z");
}

TEST(Handoff, IsRefusedWhenItHasEndedOrHasNothingForThatTool) {
  auto handoff = of_windows();
  EXPECT_FALSE(not_to_be_exported(handoff, ExportTo::wsus, now));
  EXPECT_TRUE(not_to_be_exported(handoff, ExportTo::apt, now)) << "an empty list means everything";
  handoff.not_after = "2026-11-29T08:00:00Z";
  EXPECT_TRUE(not_to_be_exported(handoff, ExportTo::wsus, now));
  handoff.not_after = "2026-11-29T08:00:01Z";
  EXPECT_FALSE(not_to_be_exported(handoff, ExportTo::wsus, now));
  handoff.candidates.clear();
  for (const auto to : {ExportTo::apt, ExportTo::ansible, ExportTo::wsus, ExportTo::files})
    EXPECT_TRUE(not_to_be_exported(handoff, to, now)) << to_string(to);
}

TEST(Handoff, IsRefusedWhenSomebodyRejectedItSince) {
  auto handoff = of_windows();
  handoff.rejected = "line 12: rejected by dave@x since: mail is slow";
  const auto why = not_to_be_exported(handoff, ExportTo::wsus, now);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->message, handoff.rejected);
  EXPECT_THAT(why->hint, HasSubstr("promote --rollback"));
}

DeployedMachine told(std::uint64_t line, const std::string& observed, const std::string& version) {
  DeployedMachine machine;
  machine.department = "finance";
  machine.report = {"dns1", observed, {{"dns", "bind9", "2", version, InstalledState::older}}};
  machine.line = line;
  machine.serial = machine.newest_serial = 2;
  machine.promoted = "2026-11-28T08:00:00.000Z";
  return machine;
}

// What was written down late is not what the machine has now.
TEST(Deployed, WhatWasObservedLastCountsWhicheverLineSaysIt) {
  const auto newest = newest_of({told(5, "2026-11-28T10:00:00Z", "2"), told(6, "2026-11-28T09:00:00Z", "1"),
                                 told(7, "2026-11-28T11:00:00.000Z", "2")});
  ASSERT_EQ(newest.size(), 1U);
  EXPECT_EQ(newest[0].line, 7U);
  EXPECT_EQ(newest[0].report.rows[0].since, "2026-11-28T10:00:00Z") << "line 6 tells of the time before";
  EXPECT_EQ(newest_of({told(5, "2026-11-28T10:00:00Z", "2"), told(6, "2026-11-28T09:00:00Z", "1")})[0].line, 5U);
  EXPECT_EQ(newest_of({told(5, "2026-11-28T10:00:00Z", "2"), told(6, "2026-11-28T10:00:00Z", "1")})[0].line, 6U);
}

TEST(Deployed, AMachineReportsOnlyOnWhatWasPromotedBefore) {
  EXPECT_TRUE(told(5, "2026-11-28T08:00:00Z", "2").has_reported());
  EXPECT_FALSE(told(5, "2026-11-28T07:59:59Z", "2").has_reported());
  auto older = told(5, "2026-11-28T10:00:00Z", "2");
  older.serial = 1;
  EXPECT_FALSE(older.has_reported());
}

TEST(Ansible, MatchesOneTextAndNoOther) {
  EXPECT_EQ(anchored("KB5035968"), "^KB5035968$");
  for (const std::string text : {"KB1", "a.b", "2026-03 Update (KB1) [x] {y} *+?^$|\\ #/", "{{ lookup }}"}) {
    const std::regex expression(std::regex_replace(anchored(text), std::regex(R"(\\([-/# ]))"), "$1"));
    EXPECT_TRUE(std::regex_search(text, expression)) << text;
    for (const auto& other : {text + "2", "1" + text, std::string("KB12"), std::string("axb")})
      EXPECT_FALSE(std::regex_search(other, expression)) << other;
    EXPECT_THAT(anchored(text), Not(HasSubstr("{{"))) << "a template";
  }
}

TEST(Ansible, WritesNoListThatMeansEverything) {
  auto handoff = of_windows();
  EXPECT_EQ(ansible_variables(handoff, {}).value().at("patchlab_accept_list"), Json::parse(R"(["^KB5035968$"])"));
  handoff.candidates[0].kb.clear();
  EXPECT_THAT(ansible_variables(handoff, {}).error().message, HasSubstr("'KB5035968' has no KB number"));
  handoff.candidates.clear();
  EXPECT_FALSE(ansible_variables(handoff, {}));
  EXPECT_FALSE(ansible_variables(handoff, {{"{{ x }}", "1", "all"}}));
  EXPECT_FALSE(ansible_variables(handoff, {{"x", "1{{ x }}", "all"}}));
  EXPECT_FALSE(ansible_variables(handoff, {{"x", "1", "all"}, {"x", "2", "all"}})) << "two versions of one";
}

std::string stanza(const std::string& name, const std::string& architecture, const std::string& digest) {
  return fmt::format("Package: {}\nVersion: 1\nArchitecture: {}\nFilename: pool/{}.deb\nSHA256: {}\n\n", name,
                     architecture, digest, digest);
}

TEST(MeasuredTimes, AreThoseOfTheTrialOfWhatWasPromoted) {
  auto record = tests::good_record();
  const auto trial = record.departments[0].final_trial;
  const auto dns = [&] { return measured_times(record, "finance").machines.at(0); };
  ASSERT_EQ(measured_times(record, "finance").unknown, "");
  ASSERT_EQ(dns().machine, "dns");
  const auto install = dns().install;
  EXPECT_GT(install.count(), 0);
  // The longest restart counts, and none of another trial.
  record.timings.push_back({"finance", "dns", trial, "reboot", 0, 90'000});
  record.timings.push_back({"finance", "dns", "finance/t0", "reboot", 0, 900'000});
  record.timings.push_back({"finance", "dns", trial, "checks", 0, 900'000});
  EXPECT_EQ(dns().restart, std::chrono::seconds(90));
  const auto all = measured_times(record, "finance");
  EXPECT_EQ(all.side_by_side(), install + std::chrono::seconds(90));
  EXPECT_GT(all.one_after_another(), all.side_by_side());
  // Nothing is guessed.
  std::erase_if(record.timings, [](const auto& one) { return one.machine == "dns" && one.phase == "reboot"; });
  EXPECT_THAT(measured_times(record, "finance").unknown, HasSubstr("no restart of 'dns' was measured in trial"));
  record.departments[0].final_trial = "finance/t99";
  EXPECT_THAT(measured_times(record, "finance").unknown, HasSubstr("no trial of exactly what was promoted"));
}

TEST(MeasuredTimes, AreByTheAcceleratorOfTheNodeOfTheDepartment) {
  auto record = tests::good_record();
  record.host = {{"accelerator", "tcg"}};
  EXPECT_EQ(measured_times(record, "finance").accelerator, "tcg");
  record.host = {{"accelerator", "kvm, tcg"}, {"accelerator of finance", "tcg"}, {"accelerator of sales", "kvm"}};
  EXPECT_EQ(measured_times(record, "finance").accelerator, "tcg");
  EXPECT_EQ(measured_times(record, "sales").accelerator, "kvm");
}

TEST(AptRepository, DescribesTheSetAndNothingElse) {
  const std::string a(64, 'a'), b(64, 'b'), c(64, 'c');
  const auto text = stanza("z", "i386", a) + stanza("b", "all", b) + stanza("a", "amd64", c);
  const auto indexes = packages_by_architecture(text, {a, b, c}).value();
  EXPECT_EQ(indexes.at("amd64"), stanza("a", "amd64", c) + stanza("b", "all", b));
  EXPECT_EQ(indexes.at("i386"), stanza("b", "all", b) + stanza("z", "i386", a));
  EXPECT_EQ(indexes.size(), 2U);
  EXPECT_EQ(packages_by_architecture(stanza("b", "all", b), {b}).value().count("amd64"), 1U);
  EXPECT_FALSE(packages_by_architecture(text, {a, b})) << "one that was not promoted";
  EXPECT_FALSE(packages_by_architecture(stanza("b", "all", b), {a, b})) << "one is left out";
  EXPECT_FALSE(packages_by_architecture(stanza("b", "../x", b), {b}));
}

TEST(AptRepository, SaysUntilWhenAndOfWhat) {
  auto handoff = of_windows();
  const std::string release = "Origin: patchlab\nDate: Sat, 28 Nov 2026 08:00:00 +0000\nArchitectures: amd64\n";
  const auto now = parse_rfc3339("2026-11-28T08:00:00Z").value();
  EXPECT_THAT(release_of(release, handoff, now).value(), Not(HasSubstr("Valid-Until")));
  handoff.not_after = "2026-12-12T00:00:00Z";
  EXPECT_THAT(release_of(release, handoff, now).value(),
              HasSubstr("+0000\nValid-Until: Sat, 12 Dec 2026 00:00:00 UTC\nPatchlab-Promotion: aaaa"));
  EXPECT_FALSE(release_of("Origin: patchlab\n", handoff, now));
  // In a window: dated by its begin, and never later than the promotion ends.
  put_into_window(handoff, {"w", "2026-12-11T21:00:00Z", "2026-12-12T02:00:00Z", "Europe/Berlin", "cc"});
  EXPECT_EQ(handoff.not_after, "2026-12-12T00:00:00Z");
  EXPECT_THAT(
      release_of(release, handoff, now).value(),
      HasSubstr("Origin: patchlab\nDate: Fri, 11 Dec 2026 21:00:00 UTC\nValid-Until: Sat, 12 Dec 2026 00:00:00 UTC\n"
                "Patchlab-Promotion: aaaa"));
  EXPECT_THAT(release_of(release, handoff, parse_rfc3339("2026-12-11T21:00:00Z").value()).value(),
              HasSubstr("Date: Sat, 28 Nov 2026 08:00:00 +0000\nValid-Until"));
}

// A client asks by-hash by the strongest that Release lists: another one than is there would never be found.
TEST(AptRepository, ListsOnlyTheHashThatIndexesLieUnder) {
  for (const auto& spec : {packages_spec("x"), release_spec("x", "finance", "amd64")}) {
    for (const char* other : {"MD5", "SHA1", "SHA512"})
      EXPECT_THAT(spec.arguments, Contains(fmt::format("APT::FTPArchive::{}=false", other)));
  }
}

TEST(AptRepository, WantsTheWholeFingerprint) {
  const std::string whole = "0123456789ABCDEF0123456789ABCDEF01234567";
  EXPECT_EQ(openpgp_fingerprint("0123 4567 89ab cdef 0123  4567 89AB CDEF 0123 4567").value(), whole);
  for (const std::string text : {std::string(), std::string("01234567"), whole + "0", std::string(40, 'G'),
                                 std::string("stage@xavier.example"), "--" + whole.substr(2)})
    EXPECT_EQ(openpgp_fingerprint(text).error().error_class, ErrorClass::usage) << text;
}

// --- whatever stands in a manifest: hostile texts in every field that takes any.
class Hostile {
 public:
  explicit Hostile(unsigned seed) : random_(seed) {}
  std::string text() {
    static const std::vector<std::string> pieces{"\"",         "'",       "`id`",         "$(touch owned)",
                                                 "\n",         "\r\n",    "{{ 7*7 }}",    "{% raw %}",
                                                 "\\",         "@()",     "#>",           "'@\n",
                                                 "; rm -rf /", "| iex",   "\xe2\x80\xae", "%s",
                                                 "</script>",  "!unsafe", "- hosts: all", "a",
                                                 "KB1234567"};
    std::string made;
    for (auto count = random_() % 6 + 1; count > 0; --count) made += pieces[random_() % pieces.size()];
    return made;
  }

 private:
  std::mt19937 random_;
};

void collect(const Json& json, std::vector<std::string>& texts) {
  if (json.is_string()) texts.push_back(json.get<std::string>());
  if (json.is_structured())
    for (const auto& member : json) collect(member, texts);
}

TEST(Handoff, NoExportEverNamesWhatIsNotInThePromotionNorChangesAScript) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(create_folders(folder.path() / "version/KB5035968"));
  ASSERT_TRUE(write_file_atomically(folder.path() / "version/KB5035968/KB5035968-6.2.1.0_amd64.msu", "x"));
  for (unsigned seed = 0; seed < 12; ++seed) {
    Hostile hostile(seed);
    auto handoff = of_windows();
    handoff.folder = folder.path() / "version";
    handoff.statement = hostile.text();
    handoff.run = hostile.text();
    auto& candidate = handoff.candidates[0];
    candidate.title = hostile.text();
    candidate.severity = hostile.text();
    candidate.machines = {hostile.text(), hostile.text()};
    candidate.roles = {hostile.text()};
    std::vector<std::string> known{handoff_schema,
                                   "wsus",
                                   "finance",
                                   handoff.run,
                                   handoff.published,
                                   handoff.set,
                                   sha256("{}\n"),
                                   candidate.id,
                                   candidate.title,
                                   candidate.kind,
                                   candidate.severity,
                                   candidate.digest,
                                   candidate.files[0].name,
                                   sha256("x"),
                                   "11f6ad8ec52a2984abaafd7c3b516503785c2072"};
    known.insert(known.end(), candidate.machines.begin(), candidate.machines.end());
    known.insert(known.end(), candidate.roles.begin(), candidate.roles.end());
    const auto target = folder.path() / fmt::format("made-{}", seed);
    ASSERT_TRUE(export_handoff(host_processes(), handoff, {.to = ExportTo::wsus, .key = {}, .now = now}, target));
    const auto json = read_json_file(target / handoff_file_name, JsonTexts::any).value();
    std::vector<std::string> texts;
    collect(json, texts);
    for (const auto& text : texts) EXPECT_THAT(known, Contains(text)) << seed;
    EXPECT_EQ(json.at("candidates").at(0).at("title"), candidate.title) << "read back as it was";
    EXPECT_EQ(read_file(target / "approve.ps1").value(), wsus_script);
    EXPECT_EQ(read_file(target / "report.ps1").value(), wsus_report_script);
    EXPECT_THAT(entries_of(target).value(),
                ElementsAre(target / "SHA256SUMS", target / "approve.ps1", target / "handoff.json",
                            target / "manifest.json", target / "promotion", target / "report.ps1"));
    ASSERT_TRUE(export_handoff(host_processes(), handoff, {.to = ExportTo::ansible, .key = {}, .now = now},
                               target / "ansible"));
    EXPECT_EQ(read_file(target / "ansible/install.yml").value(), ansible_playbook);
    EXPECT_EQ(read_file(target / "ansible/windows.yml").value(), ansible_windows);
    const auto variables = read_file(target / "ansible/variables.json").value();
    EXPECT_THAT(variables, Not(HasSubstr("{{")));
    EXPECT_THAT(variables, Not(HasSubstr("{%")));
    // No free text goes where it is evaluated.
    texts.clear();
    collect(Json::parse(variables), texts);
    const std::vector<std::string> plain{"finance", handoff.promotion, "", "^KB5035968$", "KB5035968"};
    for (const auto& text : texts) EXPECT_THAT(plain, Contains(text)) << seed;
  }
}

TEST(Handoff, AFileThatWasChangedLeavesNothingBehind) {
  const test::TemporaryFolder folder;
  auto handoff = of_windows();
  handoff.folder = folder.path() / "version";
  ASSERT_TRUE(create_folders(folder.path() / "version/KB5035968"));
  ASSERT_TRUE(write_file_atomically(folder.path() / "version/KB5035968/KB5035968-6.2.1.0_amd64.msu", "y"));
  for (const auto to : {ExportTo::files, ExportTo::wsus}) {
    const auto made =
        export_handoff(host_processes(), handoff, {.to = to, .key = {}, .now = now}, folder.path() / "made");
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, HasSubstr("was changed"));
    EXPECT_THAT(entries_of(folder.path()).value(), ElementsAre(folder.path() / "version"));
  }
}

}  // namespace
}  // namespace patchlab::promotion
