// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/compliance.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "process/page/standing.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {
namespace {

using reports::html::counted;

constexpr const char* pci = "PCI DSS 4.0.1";
constexpr const char* nist = "NIST SP 800-40 Rev. 4";
constexpr const char* iso = "ISO/IEC 27001:2022";

// Sentences about today, and whether each of them is known.
struct Figures {
  std::vector<std::string> sentences;
  bool all_known = true;
  template <class Value>
  bool ask(const char* what, const Known<Value>& known) {
    if (known) return true;
    sentences.push_back(fmt::format("{}: not known: {}", what, known.why));
    all_known = false;
    return false;
  }
  void say(std::string sentence) { sentences.push_back(std::move(sentence)); }
  void doubt(std::string sentence) {
    say(std::move(sentence));
    all_known = false;
  }
};

Figures& scanned(Figures& figures, const Facts& facts) {
  if (!figures.ask("the scan", facts.scan)) return figures;
  std::size_t lacking = 0, overdue = 0, unknown = 0;
  for (const auto& department : departments_of(facts)) {
    const auto missing = missing_in(facts, department);
    lacking += missing.updates;
    overdue += missing.overdue;
    unknown += missing.unknown;
  }
  figures.say(fmt::format("scan of {}: {} missing, {} overdue, {} not known, summed over departments", facts.scan->day,
                          lacking, overdue, unknown));
  if (!scan_says_all(facts))
    figures.doubt("the scan is old, or does not know everything: what it does not list is not said to be well");
  return figures;
}

Figures& tested(Figures& figures, const Facts& facts) {
  if (!figures.ask("runs", facts.history)) return figures;
  const auto& history = *facts.history;
  std::int64_t complete = 0;
  for (const auto& month : history.trend.months) complete += month.complete;
  figures.say(fmt::format("{} in the index, {} of them complete", counted(history.size.runs, "run", "runs"), complete));
  if (history.size.runs == 0) figures.doubt("no run: nothing was tested");
  return figures;
}

Figures& decided(Figures& figures, const Facts& facts) {
  if (!figures.ask("the ledger", facts.history)) return figures;
  if (!facts.history->has_ledger)
    figures.doubt("the stage has no ledger");
  else if (facts.history->size.lines == 0)
    figures.doubt("no line is in the ledger: nobody decided anything");
  else
    figures.say(counted(facts.history->size.lines, "line in the ledger", "lines in the ledger"));
  if (!figures.ask("what waits", facts.waiting)) return figures;
  if (facts.waiting_runs == 0 && facts.waiting->empty())
    figures.doubt("no run was looked at for what waits");
  else
    figures.say(fmt::format("{} for people", facts.waiting->empty()
                                                 ? std::string("nothing waits")
                                                 : counted(facts.waiting->size(), "set waits", "sets wait")));
  return figures;
}

Figures& deployed(Figures& figures, const Facts& facts) {
  if (!figures.ask("production", facts.production)) return figures;
  std::size_t has = 0, differs = 0, open = 0;
  for (const auto& department : *facts.production) {
    for (const auto& machine : department.machines) {
      if (machine.outcome == "differs")
        ++differs;
      else if (machine.outcome == "as-promoted" && machine.has_reported)
        ++has;
      else
        ++open;
    }
    if (department.machines.empty())
      figures.doubt(fmt::format("{}: no machine reported on serial {}", department.department, department.serial));
  }
  figures.say(fmt::format("{} as promoted, {}, of {} not known", counted(has, "machine is", "machines are"),
                          counted(differs, "differs", "differ"), open));
  if (open > 0) figures.all_known = false;
  if (facts.production->empty()) figures.say("nothing was promoted");
  return figures;
}

Figures& acquired(Figures& figures, const Facts& facts) {
  if (!figures.ask("what was acquired", facts.acquired)) return figures;
  const auto count = [&](const char* state) {
    return std::ranges::count(facts.acquired->items, state, [](const auto& item) { return item.state; });
  };
  figures.say(fmt::format("{}: {} verified, {} to bring, {} in quarantine, {} failed", acquired_when(facts),
                          count("here") + count("acquired"), count("to-bring"), count("quarantined"), count("failed")));
  if (const auto old = acquired_doubt(facts); !old.empty()) figures.doubt(old);
  if (!facts.acquired->whole) figures.doubt("its assessment did not know everything: the list may be longer");
  return figures;
}

using Ask = Figures& (*)(Figures&, const Facts&);
struct Requirement {
  const char* standard;
  const char* requirement;
  const char* evidence;
  std::vector<Ask> asks;
  const char* cannot_prove;
};

const std::vector<Requirement>& requirements() {
  static const std::vector<Requirement> all{
      {pci,
       "6.3.3: critical patches within one month, others in time",
       "patchlab scan: due dates; first-named.json: since when it is known here; patchlab deploy status: installed "
       "when, as the "
       "machine says",
       {scanned, deployed},
       "The day of release by the vendor; machines that never reported, or are in no scenario."},
      {pci,
       "6.5.1: a change has a reason and a description",
       "the story of each patch; patchlab explain; patchlab deploy change",
       {tested, decided},
       "Why the business wants it."},
      {pci,
       "6.5.1: its impact on security is documented",
       "the comparison before and after in each report: accounts, listeners, permissions, services",
       {tested},
       "What nobody looks at: each report says what was not observed."},
      {pci,
       "6.5.1: approved by authorised people",
       "the ledger: signed decisions, counted by the policy of then; patchlab verify --roots",
       {decided},
       "That the person understood it; that a key was not lent."},
      {pci,
       "6.5.1: tested that it does no harm",
       "the run that a promotion names: all checks of all machines, with exactly that set",
       {tested},
       "What was not tested, which each report names; that golden machines are like production."},
      {pci,
       "6.5.1: a way back",
       "removal rehearsed in the lab, where the guest offers that; patchlab promote --rollback; patchlab deploy record",
       {tested, decided},
       "The way back in production, which nobody tried there."},
      {nist,
       "Know when vulnerabilities affect your assets",
       "patchlab scan, patchlab feed status, patchlab inventory",
       {scanned},
       "Assets that are in no scenario and no inventory."},
      {nist,
       "Plan the response",
       "the decision table in the scan; the queue; patchlab calendar",
       {scanned, decided},
       "The choice to accept, avoid or transfer a risk instead."},
      {nist,
       "Prepare: acquire, validate, test",
       "digests and signatures from patchlab acquire; the run",
       {acquired, tested},
       "That the publisher's key was not stolen."},
      {nist,
       "Implement",
       "patchlab deploy export, signed",
       {decided, deployed},
       "The installation itself: your tool does it."},
      {nist,
       "Verify",
       "patchlab deploy record, patchlab deploy status: what machines say that they have",
       {deployed},
       "That a machine told the truth; that it was restarted, where it did not say so."},
      {nist,
       "Monitor",
       "patchlab scan again, patchlab deploy status, patchlab history",
       {scanned, deployed},
       "Anything between two looks."},
      {iso,
       "A.8.8: management of technical vulnerabilities",
       "the scan with due dates, the runs, what machines have",
       {scanned, tested, deployed},
       "Vulnerabilities without a patch, but as a number; machines that nobody listed."},
  };
  return all;
}

}  // namespace

std::vector<ComplianceItem> compliance_of(const Facts& facts) {
  std::vector<ComplianceItem> items;
  for (const auto& one : requirements()) {
    Figures figures;
    for (const auto ask : one.asks) ask(figures, facts);
    items.push_back(
        {one.standard, one.requirement, one.evidence, figures.sentences, figures.all_known, one.cannot_prove});
  }
  return items;
}

std::vector<std::string> beyond_any_tool() {
  return {"That the list of servers is complete: compare the scenario with your inventory.",
          "That the copies are like production: a golden image has a digest and a date, not a proof of likeness.",
          "That people read what they approved.",
          "That nothing is wrong that nobody asks for: docs/detection.md says of known faults which ones the checks "
          "missed.",
          "That this page shows the truth: patchlab verify and patchlab evidence export prove it from the bytes up; "
          "the index that "
          "the page reads decides nothing."};
}

}  // namespace patchlab::process::page
