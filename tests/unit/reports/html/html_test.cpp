// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/html/html.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <regex>

#include "reports/html/page.hpp"
#include "reports/html/parts.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/report_states.hpp"
#include "tests/support/waived_decision.hpp"

namespace patchlab::reports {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The text of the page without style and script.
std::string body_of(const RunRecord& record, const Decisions& decisions = {}) {
  const auto page = html_report(record, decisions);
  return page.substr(page.find("<body>"));
}

// Every element is closed in the right order and every attribute is quoted; good enough to catch a broken builder.
std::string first_markup_trouble(const std::string& page) {
  std::vector<std::string> open;
  const std::regex tag(R"re(<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z0-9:-]+="[^"<]*")*)\s*(/?)>|<)re");
  for (std::sregex_iterator at(page.begin(), page.end(), tag), end; at != end; ++at) {
    const auto& match = *at;
    if (match[2].str().empty()) return "stray '<' at " + std::to_string(match.position());
    if (match[4] == "/") continue;
    if (match[1].str().empty()) {
      open.push_back(match[2]);
    } else {
      if (open.empty() || open.back() != match[2]) return "unexpected </" + match[2].str() + ">";
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

TEST(HtmlReport, IsAsReviewed) {
  tests::expect_golden("reports/sample.html",
                       html_report(tests::rich_record(), tests::sample_decisions(tests::rich_record())));
}

TEST(HtmlReport, CallsTheScenarioByItsTitle) {
  auto record = tests::good_record();
  record.scenario_title = "Office <1>";
  const auto page = html_report(record, tests::sample_decisions(record));
  EXPECT_THAT(page, AllOf(HasSubstr("<h1>Office &lt;1&gt;</h1>"), HasSubstr("change report of " + record.scenario_name),
                          HasSubstr("<title>Office &lt;1&gt; - patchlab run " + record.id)));
}

TEST(HtmlReport, ShowsWhatWasForeseenBesideWhatItTook) {
  auto record = tests::good_record();
  record.foreseen = {.makespan_ms = 429'000, .lower_bound_ms = 282'000, .times = 80, .recorded_times = 12};
  EXPECT_THAT(
      html_report(record, tests::sample_decisions(record)),
      AllOf(HasSubstr(" s (7 min"), HasSubstr(" s were foreseen with every candidate good, by 12 of 80 times that "
                                              "were recorded)</dd>")));
}

TEST(HtmlReport, IsWellFormed) {
  for (const auto& record : {tests::rich_record(), tests::good_record(), RunRecord{}}) {
    auto page = html_report(record, tests::sample_decisions(record));
    page.erase(page.find("<script>"), page.find("</script>") - page.find("<script>") + 9);
    EXPECT_EQ(first_markup_trouble(page.substr(page.find("<html"))), "");
  }
}

// A baseline that fails is mended by whoever reads what was seen.
TEST(HtmlReport, ShowsWhatACheckSawThatFailsWithoutAPatch) {
  auto record = tests::good_record();
  auto& baseline = record.departments.at(0).trials.at(0);
  ASSERT_TRUE(baseline.candidates.empty());
  auto& check = baseline.phases.at(0).checks.at(0);
  check.outcome = Outcome::fail;
  check.reason = "rrset-differs";
  check.expected = "mail1.corp.example. A 10.20.0.99";
  check.observed = "mail1.corp.example. A 10.20.0.14 <b>";
  EXPECT_THAT(body_of(record), HasSubstr("expected: mail1.corp.example. A 10.20.0.99\n"
                                         "observed: mail1.corp.example. A 10.20.0.14 &lt;b&gt;"));
}

TEST(HtmlReport, FetchesNothing) {
  const auto page = html_report(tests::rich_record());
  for (const char* word : {"http://", "https://", " src=", "url(", "@import", "<link", "<iframe", "<img"})
    EXPECT_THAT(page, Not(HasSubstr(word)));
  EXPECT_THAT(page, HasSubstr("default-src &#39;none&#39;"));
}

TEST(HtmlReport, EscapesEverythingThatCameFromOutside) {
  const std::string evil = "<script>alert(1)</script>\"'&\x1b";
  // Every text of the record, wherever it is shown, except the words that tie its parts together.
  auto json = Json(tests::rich_record());
  const auto flat = json.flatten();
  const std::set<std::string> ties{"schema", "outcome", "id",          "candidate", "machine",
                                   "phase",  "purpose", "final_trial", "name"};
  for (const auto& [pointer, value] : flat.items()) {
    const Json::json_pointer at(pointer);
    const bool is_tie = ties.contains(at.back()) || pointer.find("/failed/") != std::string::npos ||
                        pointer.find("/trials/") != std::string::npos ||
                        pointer.find("/machines/") != std::string::npos ||
                        pointer.find("/phases/") != std::string::npos || pointer.find("/group/") != std::string::npos;
    if (value.is_string() && (!is_tie || at.back() == "observed" || at.back() == "expected" || at.back() == "title"))
      json[at] = evil;
  }
  const auto record = run_record_from_json(json);
  ASSERT_TRUE(record) << record.error().message;
  const auto body = body_of(*record);
  EXPECT_THAT(body, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(body, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\xE2\x90\x9B"));
}

TEST(HtmlReport, PutsDecisionsPerDepartmentOnTop) {
  const auto body = body_of(tests::rich_record(), tests::sample_decisions(tests::rich_record()));
  const auto decisions = body.find("id=\"decisions\"");
  ASSERT_NE(decisions, std::string::npos);
  EXPECT_LT(decisions, body.find("id=\"department-engineering\""));
  EXPECT_THAT(body, AllOf(HasSubstr("promoted in both</span>"), HasSubstr("held back in engineering, finance</span>"),
                          HasSubstr("held back together with pg-tuning-connections in engineering, finance</span>")));
}

TEST(HtmlReport, ShowsExpectedBeforeAndAfterOfAFailure) {
  const auto body = body_of(tests::rich_record());
  EXPECT_THAT(body, HasSubstr("before: baseline"));
  EXPECT_THAT(body, HasSubstr("after: after-install in finance/t3"));
  EXPECT_THAT(body, HasSubstr("454 4.7.0 TLS not available due to local problem &lt;mail.corp.example&gt;"));
  EXPECT_THAT(body,
              HasSubstr("What fails here still passed in after-install: the damage shows only in after-reboot-1."));
  EXPECT_THAT(
      body,
      HasSubstr(
          "The same candidate passes in finance: it is this department&#39;s configuration that it does not fit."));
}

TEST(HtmlReport, TellsAPairOncePerDepartment) {
  const auto body = body_of(tests::rich_record());
  std::size_t count = 0;
  for (auto at = body.find("The two fail only together"); at != std::string::npos;
       at = body.find("The two fail only together", at + 1))
    ++count;
  EXPECT_EQ(count, 2U);
}

TEST(HtmlReport, SaysFenceBreachAndUnprovenFence) {
  auto record = tests::good_record();
  EXPECT_THAT(body_of(record), HasSubstr("27 attempts to get out, 0 answers"));
  record.departments[0].fence.attempts[0].answered = true;
  EXPECT_THAT(body_of(record), HasSubstr("1 answer: the fence leaks, the run is void"));
  record.departments[0].fence = {};
  EXPECT_THAT(body_of(record), HasSubstr("the fence is not proven"));
}

TEST(HtmlReport, SaysWhatWasNotTested) {
  auto record = tests::good_record();
  record.departments[0].trials[2].phases.pop_back();
  record.departments[0].verdicts.pop_back();
  const auto body = body_of(record);
  EXPECT_THAT(body, HasSubstr("finance: candidate tidy was not reached"));
  EXPECT_THAT(body, HasSubstr("finance: 2 planned checks of trial finance/t2 were not executed, the first is deliver "
                              "on mail in after-reboot-1"));
}

TEST(HtmlReport, ShowsWhyAPromotionIsRefusedAndWhatWouldHelp) {
  const auto record = tests::good_record();
  auto decisions = tests::sample_decisions(record);
  decisions[0].state = DecisionState::refused;
  decisions[0].candidates.clear();
  decisions[0].requirements.push_back({"stale", {}, "finance/dns", false, "is another one", "patchlab run SCENARIO"});
  const auto body = body_of(record, decisions);
  EXPECT_THAT(body, HasSubstr("<code>stale</code> finance/dns: is another one: <code "
                              "class=\"command\"><span>patchlab</span> <span>run</span> "
                              "<span>SCENARIO</span></code>"));
  EXPECT_THAT(body, HasSubstr("1 requirement is met"));
  EXPECT_THAT(body, HasSubstr("passed, not promoted"));
}

// On the first screen and in the department: what was accepted, by whom, until when; and that nobody reviewed it yet.
TEST(HtmlReport, ShowsWhatWasWaivedAndAnEmergencyWhereverItIsDecided) {
  const auto record = tests::good_record();
  const auto body = body_of(record, tests::waived_decisions(record));
  const auto times = [&](const std::string& text) {
    std::size_t count = 0;
    for (auto at = body.find(text); at != std::string::npos; at = body.find(text, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(times(tests::emergency_text), 2U);
  EXPECT_EQ(times("known limit; approved by"), 2U);
  EXPECT_THAT(body, HasSubstr("ended in fail; waived by"));
  const auto without = body_of(record, tests::sample_decisions(record));
  EXPECT_THAT(without, Not(HasSubstr("mergency")));
}

TEST(HtmlReport, SaysNothingOfADecisionThatNobodyMade) {
  const auto body = body_of(tests::good_record());
  EXPECT_THAT(body, HasSubstr("nobody was asked"));
  EXPECT_THAT(body, Not(HasSubstr("promoted</span>")));
}

// What an older run said of itself decides nothing and is not hidden.
TEST(HtmlReport, ShowsWhatAnOlderRunSaidOfItself) {
  auto record = tests::good_record();
  record.said_then = {{.department = "finance", .state = DecisionState::promoted}};
  EXPECT_THAT(body_of(record), HasSubstr("in an older format"));
}

TEST(HtmlReport, TellsWhatIsKnownOfWindowsPackages) {
  auto record = tests::good_record();
  record.candidates[0].files[0].signature = "signed by Example Corporation";
  auto& department = record.departments[0];
  department.verdicts[0].removal = "Cannot be removed from 'mail': failed, 0x800F0825";
  auto& install = department.trials[2].installs.at(0);
  install.outcome = Outcome::skipped;
  install.end = "not applicable";
  department.trials[2].error.reset();
  const auto body = body_of(record);
  EXPECT_THAT(body, HasSubstr("signed by Example Corporation"));
  EXPECT_THAT(body, HasSubstr("Cannot be removed from &#39;mail&#39;: failed, 0x800F0825"));
  EXPECT_THAT(body, HasSubstr("not taken: " + install.candidate + " on " + install.machine + " (not applicable)"));
}

TEST(HtmlReport, ShowsHowAnInstallationFailed) {
  auto record = tests::rich_record();
  auto& department = record.departments[0];
  auto& verdict = *std::ranges::find(department.verdicts, Outcome::fail, &VerdictRecord::outcome);
  auto& trial = *std::ranges::find(department.trials, verdict.trials.at(0), &TrialRecord::id);
  trial.reused_from.clear();
  auto& install = trial.installs.at(0);
  install.outcome = Outcome::fail;
  install.end = "failed";
  install.exit_code = 0x800F0922;
  install.log = "CBS_E_INSTALLERS_FAILED";
  verdict.failed.push_back(install_key(install.machine, install.candidate));
  const auto body = body_of(record);
  EXPECT_THAT(body, HasSubstr("failed in " + trial.id + ": exit code 2148469026 (0x800F0922)"));
  EXPECT_THAT(body, HasSubstr("CBS_E_INSTALLERS_FAILED"));
}

TEST(HtmlReport, ShowsHowOftenServicesWereStoppedAndHowLongThatTook) {
  auto record = tests::rich_record();
  EXPECT_THAT(html_report(record), HasSubstr("No service was stopped and started on its own."));
  auto& department = record.departments[0];
  department.phases.emplace_back(services_phase);
  for (auto& trial : department.trials) {
    if (trial.id != department.final_trial) continue;
    trial.phases.push_back({.phase = services_phase, .machine = trial.machines.at(0), .outcome = Outcome::pass});
    trial.phases.back().service_cycles = ServiceCycles{
        .planned = 3,
        .services = {{.name = "NTDS", .done = 2, .stop_ms = {700, 1840}, .start_ms = {900}, .with = {"Kdc"}},
                     {.name = "WDSServer", .why_not = "there is no such service"}},
        .asked = 12,
        .failed = 5};
  }
  const auto page = html_report(record);
  EXPECT_THAT(page, Not(HasSubstr("No service was stopped and started on its own.")));
  EXPECT_THAT(page, HasSubstr("Then the services that its roles name are stopped and started again"));
  for (const char* text :
       {"2 of 3, with Kdc", "0.7 to 1.8 s", "0.9 s", "12, 5 failed", "not asked: there is no such service"})
    EXPECT_THAT(page, HasSubstr(text));
}

TEST(HtmlReport, ShowsWhetherAnotherPackageCouldBeInstalledBehindTheSet) {
  auto record = tests::rich_record();
  EXPECT_THAT(html_report(record), HasSubstr("Whether another package can be installed behind the set was not asked."));
  auto& department = record.departments[0];
  department.phases.emplace_back(next_package_phase);
  for (auto& trial : department.trials) {
    if (trial.id != department.final_trial) continue;
    for (const auto& machine : trial.machines) {
      trial.phases.push_back({.phase = next_package_phase, .machine = machine, .outcome = Outcome::pass});
      auto& next = trial.phases.back().next_package.emplace();
      next.why_not = "it is for Windows";
      if (machine != trial.machines.front()) continue;
      next = {.install = InstallRecord{.machine = machine,
                                       .candidate = "canary",
                                       .outcome = Outcome::pass,
                                       .duration_ms = 1700,
                                       .end = "installed"}};
    }
  }
  const auto page = html_report(record);
  EXPECT_THAT(page, Not(HasSubstr("behind the set was not asked.")));
  for (const char* text : {"Then another package is installed behind the set.", "canary", "installed in 1.7 s"})
    EXPECT_THAT(page, HasSubstr(text));
  EXPECT_EQ(page.find("not asked: it is for Windows") != std::string::npos, department.machines.size() > 1);
}

TEST(HtmlReport, ShowsWhatGrowsAndFromWhichPaceOnThatIsSeen) {
  auto record = tests::rich_record();
  auto page = html_report(record);
  EXPECT_THAT(page, HasSubstr("nothing grows"));
  EXPECT_THAT(page,
              HasSubstr("in 11 looks over 20 s (4 checks as a load) growth is told that is above: memory of named "
                        "by 1.5 MiB a minute, disk of / by 1.5 MiB a minute"));
  EXPECT_THAT(page, HasSubstr("guests of this kind are not watched for growth"));
  for (auto& department : record.departments) {
    for (auto& trial : department.trials) {
      for (auto& phase : trial.phases) {
        if (!phase.growth || phase.growth->hardest.empty()) continue;
        phase.growth->told = {phase.growth->hardest[0]};
        phase.growth->told[0].to = 14336;
        phase.growth->told[0].per_hour = 360000;
      }
    }
  }
  page = html_report(record);
  EXPECT_THAT(page, Not(HasSubstr("nothing grows")));
  EXPECT_THAT(page, HasSubstr("memory of named: from 12.0 MiB to 14.0 MiB, 5.9 MiB a minute; without the patch 0 KiB a "
                              "minute; told from 1.5 MiB a minute more on"));
}

TEST(HtmlReport, GivesEachOutcomeAShapeAndAWord) {
  auto record = tests::rich_record();
  record.departments[0].verdicts[0].outcome = Outcome::error;
  record.departments[0].verdicts[1].outcome = Outcome::skipped;
  record.departments[0].verdicts[2].outcome = Outcome::not_reached;
  const auto body = body_of(record);
  for (const char* word : {"pass", "fail", "error", "skipped", "not-reached"}) {
    EXPECT_THAT(
        body, AllOf(HasSubstr(std::string("href=\"#i-") + word + '"'), HasSubstr(std::string("id=\"i-") + word + '"')));
  }
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// 60 candidates, 12 departments, 40 checks: still a page that a phone opens, with the bad news first.
TEST(HtmlReport, OfALargeNightIsSmall) {
  const auto record = tests::big_record();
  ASSERT_EQ(record.candidates.size(), 60U);
  ASSERT_EQ(record.departments.size(), 12U);
  std::size_t checks = 0;
  for (const auto& machine : record.departments[0].machines) checks += machine.checks.size();
  ASSERT_EQ(checks, 40U);
  ASSERT_GT(record.departments[0].trials.size(), 20U);
  const auto page = html_report(record, tests::sample_decisions(record));
  if (const char* file = std::getenv("PATCHLAB_BIG_REPORT")) ASSERT_TRUE(write_file_atomically(file, page));
  EXPECT_LT(page.size(), 1'500'000U);
  EXPECT_LT(count_of(page, "<"), 60'000U) << "elements, begun and ended: loading takes as long as there are";
  auto markup = page;
  markup.erase(markup.find("<script>"), markup.find("</script>") - markup.find("<script>") + 9);
  for (auto at = markup.find("href=\"#"); at != std::string::npos; at = markup.find("href=\"#", at + 1)) {
    const auto id = markup.substr(at + 7, markup.find('"', at + 7) - at - 7);
    ASSERT_NE(markup.find("id=\"" + id + "\""), std::string::npos) << "a link to nothing: " << id;
  }
}

// What a person has to look at is whole where it is new, and not there twice; a breach says what it is as well.
TEST(HtmlReport, ShowsAChangeWithItsDiffOnce) {
  auto record = tests::healthy_record();
  const auto difference = tests::unexplained(0);
  for (auto& department : record.departments) tests::change(department, "dns", {difference});
  const auto page = html_report(record, tests::asked_decisions(record, 0));
  EXPECT_EQ(count_of(page, "<pre class=\"diff\""), 1U);
  EXPECT_EQ(count_of(page, "The same change, letter by letter, as in"), 1U);
  EXPECT_THAT(page, HasSubstr("check_relay_domains, permit 0"));
  EXPECT_GE(count_of(page, "<span>--department</span> <span>db</span>"), 1U) << "accepted in each for itself";
  // Another content of the same file is another change.
  auto other = difference;
  other.diff += "+x\n";
  tests::change(record.departments[1], "dns", {other});
  EXPECT_GT(count_of(html_report(record, tests::asked_decisions(record, 0)), "<pre class=\"diff\""), 1U);
  const auto states = tests::report_states();
  const auto& held = *std::ranges::find(states, std::string_view("held-back"), &tests::ReportState::name);
  const auto broken = html_report(held.record, held.decisions);
  EXPECT_THAT(broken, HasSubstr("it does not start with the system any more"));
  EXPECT_THAT(broken, HasSubstr("aria-label=\"what changed in named on dns\""));
}

TEST(HtmlReport, SaysWhoSawWhatThisRunDidNotTry) {
  auto record = tests::rich_record();
  for (auto& department : record.departments) {
    for (auto& verdict : department.verdicts) {
      if (verdict.outcome != Outcome::fail) continue;
      verdict.known_from = "2026-11-20T060250Z-earlie";
      verdict.trials.clear();
    }
  }
  const auto body = body_of(record);
  EXPECT_THAT(body, HasSubstr("Run 2026-11-20T060250Z-earlie saw it"));
  EXPECT_THAT(body, Not(HasSubstr("The record holds no observation")));
}

TEST(HtmlReport, SaysOfACandidateInOneCellWhatBecameOfIt) {
  const auto record = tests::big_record();
  const auto body = body_of(record, tests::sample_decisions(record));
  const auto rows = body.substr(body.find("id=\"decisions\""), body.find("</section>", body.find("id=\"decisions\"")));
  EXPECT_THAT(rows, HasSubstr("held back in legal, sales</span>"));
  EXPECT_THAT(rows, HasSubstr("promoted in 10</span>"));
  EXPECT_THAT(rows, HasSubstr("promoted in all 12</span>"));
  EXPECT_THAT(rows, HasSubstr("does not apply in all 12</span>"));
  // Held back before anything that passed, and the critical one first.
  const auto last_bad = rows.rfind("verdict-fact fail");
  const auto first_good = rows.find("verdict-fact pass");
  EXPECT_LT(last_bad, first_good);
  EXPECT_LT(first_good, rows.find("verdict-fact skipped"));
  const auto first = rows.find("class=\"id\">");
  EXPECT_EQ(rows.compare(first + 11, record.candidates[12].id.size(), record.candidates[12].id), 0) << "critical";
  EXPECT_EQ(count_of(rows.substr(0, rows.find("</table>")), "<tr class="), 60U);
}

TEST(HtmlReport, SaysOnTheFirstScreenWhatIsNewWhenAnEarlierRunIsKnown) {
  const auto now = tests::rich_record();
  auto before = now;
  before.id = "2026-11-21T060250Z-000001";
  before.departments[0].verdicts[4].outcome = Outcome::pass;
  const auto page = html_report(now, tests::sample_decisions(now), changes_since(before, now));
  const auto shorts = page.substr(page.find("class=\"short\""));
  EXPECT_THAT(
      shorts.substr(0, shorts.find("</dl>")),
      HasSubstr("since run 2026-11-21T060250Z-000001 (2026-11-22): fails anew: postfix-tls-strict in engineering"));
  EXPECT_THAT(body_of(now), Not(HasSubstr("since run")));
  auto leak = now;
  leak.departments[0].fence.attempts[4].answered = true;
  EXPECT_THAT(html_report(leak, {}, changes_since(before, leak)), Not(HasSubstr("since run"))) << "it is void";
}

// A sentence about what was tested, found or done, and a change of the record after which it is not true any more.
struct Claim {
  const char* name;
  const char* sentence;
  std::function<void(RunRecord&)> spoil;
  const char* instead;
};
void PrintTo(const Claim& claim, std::ostream* out) { *out << claim.name; }

// Each in every department, as the first of them says it.
template <class Change>
std::function<void(RunRecord&)> everywhere(Change change) {
  return [change](RunRecord& record) {
    for (auto& department : record.departments) change(department);
  };
}

void watch_nothing(DepartmentRecord& department) {
  for (auto& trial : department.trials) {
    for (auto& phase : trial.phases) phase.growth.reset();
  }
}

const std::vector<Claim>& claims() {
  using D = DepartmentRecord&;
  static const std::vector<Claim> all{
      {"Removed", "Nothing was taken off again in", everywhere([](D d) {
         d.trials.push_back({.id = d.name + "/t90", .purpose = Purpose::removal, .outcome = Outcome::pass});
       }),
       nullptr},
      {"RemovedInOne", "Nothing was taken off again in engineering, finance",
       [](RunRecord& r) { r.departments[0].trials.push_back({.id = "engineering/t90", .purpose = Purpose::removal}); },
       "Nothing was taken off again in finance."},
      {"Watched", "The machines were let run on and watched", everywhere(watch_nothing),
       "Nor does this one cover slow leaks and long use"},
      {"RanOn", "The machines were let run on and watched",
       [](RunRecord& r) {
         for (auto& department : r.departments) watch_nothing(department);
         r.departments[1].phases.emplace_back(stability_phase);
       },
       "The machines were let run on once more for a while"},
      {"NoRestarts", "restarts the machines and checks", everywhere([](D d) { d.phases = {"after-install"}; }),
       "installs it, and checks"},
      {"WentOn", "A trial of a set starts from the baseline, installs it",
       everywhere([](D d) { d.trials[3].installs.at(0).installed_in = d.trials[2].id; }),
       "starts from the baseline or where an earlier trial"},
      {"KeptBaseline", "restarts the machines and checks.</p>", everywhere([](D d) {
         for (auto& trial : d.trials) {
           if (trial.purpose == Purpose::baseline) trial.state_of_run = "20261128-020000-ab12";
         }
       }),
       "were not started: they went on from the state that run 20261128-020000-ab12 saved"},
      {"KeptInstalls", "restarts the machines and checks.</p>", everywhere([](D d) {
         d.trials[3].installs.at(0).installed_in = "finance/t02";
         d.trials[3].installs.at(0).installed_run = "20261128-020000-ab12";
       }),
       "Some began where run 20261128-020000-ab12 had installed the first candidates"},
      {"NoFinalTrial", "as expected without patches, and with what passed",
       everywhere([](D d) { d.final_trial.clear(); }), "No set that passed was tried as a whole"},
      {"NotTestedOnTheCard", "6 machines, 15 checks, 1 restart;", everywhere([](D d) { d.final_trial.clear(); }),
       "no set as a whole;"},
      {"ChecksOnTheCard", "6 machines, 15 checks, 1 restart;", everywhere([](D d) {
         for (auto& trial : d.trials) {
           for (auto& phase : trial.phases) {
             if (phase.machine == "db") phase.checks.clear();
           }
         }
       }),
       "6 machines, 13 of 15 checks, 1 restart;"},
      {"RestartsOnTheCard", "6 machines, 15 checks, 1 restart;", everywhere([](D d) {
         for (auto& trial : d.trials) std::erase_if(trial.phases, [](auto& p) { return p.phase != "after-install"; });
       }),
       "6 machines, 15 checks, 0 restarts;"},
      {"NothingBroken", "nothing broken", everywhere([](D d) {
         for (auto& trial : d.trials) {
           if (trial.outcome == Outcome::pass) trial.outcome = Outcome::not_reached;
         }
       }),
       "it came to no end that says anything"},
      {"Pair", "each of them passed when the others were left out", everywhere([](D d) {
         for (auto& trial : d.trials) {
           if (trial.purpose == Purpose::search || trial.purpose == Purpose::final) trial.outcome = Outcome::error;
         }
       }),
       "the record has no trial of each of them in which the others were left out"},
      {"PairThatWasLost", "each of them passed when the others were left out", everywhere([](D d) {
         for (auto& trial : d.trials) {
           if (trial.purpose == Purpose::search) trial.retried_as = d.name + "/t99";
         }
       }),
       "the record has no trial of each of them in which the others were left out"},
      {"OtherChecksElsewhere", "it is this department&#39;s configuration that it does not fit",
       [](RunRecord& r) { std::erase(r.departments[1].machines[3].checks, "share-access"); },
       "It passes in finance, where not all of what fails here is looked at."},
      {"NothingBroke", "What broke, before and after", everywhere([](D d) {
         for (auto& verdict : d.verdicts) {
           if (verdict.outcome == Outcome::fail) verdict.outcome = Outcome::not_reached;
         }
       }),
       "What has no verdict"},
      {"OfTheTool", "which patchlab 0.1.0 wrote", [](RunRecord& r) { r.tool_version = "0.0.9"; },
       "which patchlab 0.0.9 wrote"},
      {"Golden", "unchanged", everywhere([](D d) {
         for (auto& machine : d.machines) machine.golden_digest_after.clear();
       }),
       "not verified"},
  };
  return all;
}

class Claims : public ::testing::TestWithParam<Claim> {};
INSTANTIATE_TEST_SUITE_P(HtmlReport, Claims, ::testing::ValuesIn(claims()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST_P(Claims, AreOnThePageOnlyWhereTheRecordSaysSo) {
  auto record = tests::rich_record();
  EXPECT_THAT(body_of(record), HasSubstr(GetParam().sentence));
  GetParam().spoil(record);
  const auto body = body_of(record);
  EXPECT_THAT(body, Not(HasSubstr(GetParam().sentence)));
  if (GetParam().instead != nullptr) EXPECT_THAT(body, HasSubstr(GetParam().instead));
}

// "Everything was executed" is the one sentence that nobody may read of a run that was cut off.
TEST(HtmlReport, SaysThatAllWasExecutedOnlyWhenItWas) {
  constexpr const char* all_of_it = "Everything that was planned was executed.";
  const auto whole = [] {
    auto record = tests::good_record();
    record.not_tested.clear();
    return record;
  };
  EXPECT_THAT(body_of(whole()), HasSubstr(all_of_it));
  const std::vector<std::function<void(RunRecord&)>> changes{
      [](RunRecord& r) { r.complete = false; },
      [](RunRecord& r) { r.error = infrastructure_error("the disk is full"); },
      [](RunRecord& r) { r.departments[0].error = infrastructure_error("the disk is full"); },
      [](RunRecord& r) { r.candidates.clear(); },
      [](RunRecord& r) { r.departments.clear(); },
      [](RunRecord& r) { r.departments[0].trials.clear(); },
      [](RunRecord& r) { r.departments[0].trials.erase(r.departments[0].trials.begin()); },
      [](RunRecord& r) { r.departments[0].final_trial.clear(); },
      [](RunRecord& r) { r.departments[0].trials[1].phases[0].checks.pop_back(); },
      [](RunRecord& r) { r.departments[0].verdicts.pop_back(); },
      [](RunRecord& r) { r.departments[0].verdicts[0].outcome = Outcome::skipped; },
      [](RunRecord& r) { r.departments[0].verdicts[0].outcome = Outcome::not_reached; },
      [](RunRecord& r) { r.not_tested = {"something"}; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto record = whole();
    changes[i](record);
    EXPECT_THAT(body_of(record), Not(HasSubstr(all_of_it))) << "change " << i;
  }
}

TEST(Page, EscapesTextAndAttributes) {
  Page page;
  page.element("p", {{"title", "a\"b"}}, "1 < 2 & 3");
  EXPECT_EQ(page.take(), "<p title=\"a&quot;b\">1 &lt; 2 &amp; 3</p>");
}

TEST(Parts, SpeakOfTimeAndNumbersAsPeopleDo) {
  EXPECT_EQ(html::duration_text(430), "430 ms");
  EXPECT_EQ(html::duration_text(8430), "8.4 s");
  EXPECT_EQ(html::duration_text(641'000), "10 min 41 s");
  EXPECT_EQ(html::time_text("2026-11-22T06:02:50.123Z"), "2026-11-22 06:02:50 UTC");
  EXPECT_EQ(html::time_text("soon"), "soon");
  EXPECT_EQ(html::counted(1, "answer", "answers"), "1 answer");
  EXPECT_EQ(html::shortened("caf\xC3\xA9!", 4), "caf\n... 3 more bytes in run.json");
}

}  // namespace
}  // namespace patchlab::reports
