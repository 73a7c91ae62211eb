// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/time.hpp"
#include "process/page/facts.hpp"

// What the page shows, made by hand: two departments, one of which is well.
namespace patchlab::tests {

inline process::page::ScannedItem scanned_item(const std::string& department, const std::string& machine,
                                               const std::string& item, const std::string& status) {
  process::page::ScannedItem made;
  made.department = department;
  made.machine = machine;
  made.item = item;
  made.status = status;
  made.severity = "important";
  made.installed = "bind9 1:9.18.1-1";
  made.offered = "bind9 1:9.18.49-1";
  return made;
}

inline process::page::Facts nothing_known() {
  process::page::Facts facts;
  facts.taken = parse_rfc3339("2026-11-30T05:37:09Z").value();
  facts.runs = "/srv/patchlab/runs";
  facts.stage = "/srv/patchlab/production";
  return facts;
}

inline process::page::Facts page_facts() {
  namespace page = process::page;
  auto facts = nothing_known();

  page::ScanFile scan;
  scan.day = "2026-11-29";
  scan.scenario = "xavier-nightly";
  scan.decisions = "CISA BOD 26-04";
  scan.whole = true;
  auto missing = scanned_item("finance", "fin-dns1", "dns-update", "missing");
  missing.due = "2026-11-28";
  missing.vulnerabilities = {{"CVE-2026-1234", "2026-11-20", "15.3 %", "2026-11-21", "2026-11-28", "11", "3 days",
                              "exploited yes, exposed unknown (counts as yes)"},
                             {"CVE-2026-1235", "", "", "2026-11-21", "", "0", "fix on system upgrade", "exploited no"}};
  auto later = scanned_item("finance", "fin-mail1", "mail-update", "missing");
  later.due = "2026-12-20";
  auto open = scanned_item("engineering", "eng-dns1", "bind9", "installed");
  open.open = 2;
  scan.items = {missing, later, scanned_item("finance", "fin-db1", "dns-update", "not-applicable"), open};
  facts.scan = scan;

  facts.acquired = page::AcquiredFile{"2026-11-29",
                                      true,
                                      {{"here", "bind9_9.18.49_amd64.deb", "dns-update", std::string(64, 'a'), "apt"},
                                       {"to-bring", "kb5035968.msu", "mail-update", std::string(64, 'b'), ""}}};

  page::History history;
  history.place = "sqlite3:///srv/patchlab/runs/history.sqlite3";
  history.size = {42, 17};
  history.has_ledger = true;
  history.departments = {{"engineering", "2026-11-29-0002", "2026-11-29T22:00:00.000Z", true, 5, 0, 0, 1},
                         {"finance", "2026-11-29-0002", "2026-11-29T22:00:00.000Z", true, 4, 2, 0, 0}};
  history::RunRow run;
  run.id = "2026-11-29-0002";
  run.started = "2026-11-29T22:00:00.000Z";
  run.duration_ms = 993'000;
  run.scenario = "xavier-nightly";
  run.title = "Every night";
  run.tool = "0.1.0";
  run.accelerator = "kvm";
  run.result = "candidate-fails";
  run.complete = run.has_folder = true;
  run.departments = 2;
  run.candidates = 6;
  run.passed = 9;
  run.failed = 2;
  run.promoted = {{"finance", 7, true}};
  history.newest.runs = {run};
  history.newest.of = 42;
  history.newest.open = {{"2026-11-30-0001", "2026-11-30T05:00:00.000Z", "lab@x", 18}};
  history.trend.months = {{"2026-11", 42, 40, 12}};
  history.trend.rows = {{"2026-11", "engineering", "", 50, 0, 1, 3}, {"2026-11", "finance", "", 40, 10, 0, 0}};
  history.flaky_since = "2026-09";
  history.checks = 120;
  history::CheckRow flaky;
  flaky.department = "finance";
  flaky.machine = "mail";
  flaky.check = "deliver";
  flaky.asked = 40;
  flaky.asked_again = flaky.disagreed = 2;
  history.flaky = {flaky};
  history.scenarios = {"saturday", "xavier-nightly"};
  facts.history = history;

  page::WaitingSet waiting;
  waiting.department = "finance";
  waiting.run = run.id;
  waiting.since = "2026-11-29T22:16:33.000Z";
  waiting.set = {"dns-update", "tidy"};
  waiting.severity = "important";
  waiting.missing = {"approval-missing: nobody approved of 1"};
  waiting.whom = {"bob@xavier.example", "carol@xavier.example"};
  waiting.command = "patchlab approve 2026-11-29-0002 --department finance --reason REASON --key KEY";
  facts.waiting = std::vector{waiting};
  facts.waiting_runs = 20;

  facts.images = std::vector{page::ImageLine{"finance",
                                             "dns",
                                             "version 3, the newest",
                                             {{2, "2026-11-28T05:00:00Z", "qa@lab1", {"tidy"}, 2, true},
                                              {3, "2026-11-30T05:00:00Z", "qa@lab1", {"dns-update"}, 3}}}};
  facts.production = std::vector<page::ProductionDepartment>{
      {"engineering", 3, run.id, "", false, {{"eng-dns1", "as-promoted", "2026-11-29T08:00:00Z", 3, true, {}}}},
      {"finance",
       7,
       run.id,
       "",
       true,
       {{"fin-dns1", "differs", "2026-11-29T08:00:00Z", 7, true, {"bind9: older, has 1:9.18.1, promoted 1:9.18.49"}},
        {"fin-mail1", "as-promoted", "2026-11-20T08:00:00Z", 6, false, {}}}}};
  facts.health = {{"night", process::Health::ok, "the last run that told something ended 8 hours ago", {}},
                  {"feeds", process::Health::warning, "'epss' is 9 days old", {}},
                  {"disk", process::Health::ok, "120 GiB are free in '/var/cache/patchlab'", {}}};
  return facts;
}

inline history::CandidateStory page_story() {
  history::CandidateStory story;
  story.id = "dns-update";
  history::CandidateTest test;
  test.run = "2026-11-29-0002";
  test.started = "2026-11-29T22:00:00.000Z";
  test.scenario = "xavier-nightly";
  test.department = "engineering";
  test.title = "DNS server update";
  test.severity = "important";
  test.kind = "deb";
  test.digest = std::string(64, 'a');
  test.outcome = "pass";
  test.machines = "dns";
  story.tests.push_back(test);
  test.department = "finance";
  test.outcome = "fail";
  test.failed = "mail/deliver";
  test.reason = "fails alone";
  story.tests.push_back(test);
  story.outlook = {{"deb", "apt", {"bind9"}, {"dns"}},
                   history::CandidateForecast{history::Circle::kind_and_role,
                                              6,
                                              1,
                                              0.58,
                                              {"2026-11-01-0001"},
                                              history::ForecastTimes{{30'000, 40'000, 50'000}, {1, 1, 1}, "kvm", 7, 0}},
                   {5, 1, 0.12, 6, 5, 1}};
  history::CandidateLine approved;
  approved.seq = 5;
  approved.time = "2026-11-29T23:00:00Z";
  approved.kind = "approve";
  approved.by = "bob@xavier.example";
  approved.department = "engineering";
  approved.run = test.run;
  approved.reason = "read the report";
  approved.ticket = "CHG1";
  auto done = approved;
  done.seq = 8;
  done.time = "2026-11-29T23:10:00Z";
  done.kind = "promote-done";
  done.by = "lab@x";
  done.reason = done.ticket = "";
  done.serial = 3;
  story.lines = {approved, done};
  story.machines = {{"engineering", "eng-dns1", 3, "bind9", "1:9.18.49", "1:9.18.49", "as-promoted",
                     "2026-11-30T00:10:00Z", "2026-11-30T02:00:00Z", "dpkg-query", 12}};
  return story;
}

}  // namespace patchlab::tests
