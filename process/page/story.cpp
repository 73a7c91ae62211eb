// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/printable.hpp"
#include "process/feeds/feed.hpp"
#include "process/page/pages.hpp"
#include "process/page/pieces.hpp"
#include "reports/html/parts.hpp"

// One patch on one screen: a card for each step, in the order of the process.
namespace patchlab::process::page {
namespace {

using reports::html::counted;

constexpr std::size_t most_events = 8;  // of a card; what happened last

struct Event {
  std::string time;  // as it is shown; empty: none
  Page::Content what;
};

struct Chapter {
  Step step = Step::detect;
  Tone tone = Tone::unknown;
  std::string says;
  Page::Content body;
};

void write_events(Page& page, std::vector<Event> events) {
  if (events.empty()) return;
  const auto hidden = events.size() > most_events ? events.size() - most_events : 0;
  events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(hidden));
  if (hidden > 0) nothing(page, fmt::format("{} earlier ones: patchlab history candidate", hidden));
  page.element("ul", {{"class", "events"}}, [&] {
    for (const auto& event : events) {
      page.element("li", {}, [&] {
        if (!event.time.empty()) page.element("time", {}, event.time);
        event.what();
      });
    }
  });
}

std::vector<const ScannedItem*> scanned(const Facts& facts, const std::string& id) {
  std::vector<const ScannedItem*> found;
  if (!facts.scan) return found;
  for (const auto& item : facts.scan->items) {
    if (item.item == id) found.push_back(&item);
  }
  return found;
}

Chapter detect(Page& page, const Facts& facts, const std::string& id) {
  Chapter chapter;
  chapter.step = Step::detect;
  if (!facts.scan) {
    chapter.says = "not known";
    chapter.body = [&page, &facts] { nothing(page, facts.scan.why); };
    return chapter;
  }
  const auto items = scanned(facts, id);
  std::size_t lacking = 0, unknown = 0, installed = 0;
  for (const auto* item : items) {
    lacking += is_lacking(*item) ? 1U : 0U;
    unknown += item->status == "unknown" ? 1U : 0U;
    installed += item->status == "installed" || item->status == "superseded" ? 1U : 0U;
  }
  const auto day = facts.scan->day;
  chapter.tone = lacking > 0                             ? Tone::waits
                 : unknown > 0 || items.empty()          ? Tone::unknown
                 : installed > 0 && scan_says_all(facts) ? Tone::good
                 : installed > 0                         ? Tone::unknown
                                                         : Tone::plain;
  chapter.says = lacking > 0     ? fmt::format("missing on {}", counted(lacking, "machine", "machines"))
                 : unknown > 0   ? std::string("not known")
                 : items.empty() ? std::string("not in the scan")
                 : installed > 0 ? std::string("missing nowhere")
                                 : std::string("applies nowhere");
  chapter.body = [&page, items, day] {
    page.element("p", {{"class", "muted"}},
                 items.empty()
                     ? fmt::format("The scan of {} does not name it: it applies to no machine of that scenario, "
                                   "or is not offered any more.",
                                   day)
                     : fmt::format("Scan of {}.", day));
    std::vector<Event> events;
    for (const auto* item : items) {
      events.push_back({"", [&page, item] {
                          page.text(fmt::format("{}/{}: {}", item->department, item->machine, item->status));
                          if (!item->installed.empty()) page.text(fmt::format(", has {}", item->installed));
                          if (!item->superseded_by.empty())
                            page.text(fmt::format(", superseded by {}", item->superseded_by));
                          for (const auto& warning : item->warnings) page.text("; " + warning);
                        }});
    }
    write_events(page, std::move(events));
  };
  return chapter;
}

Chapter assess(Page& page, const Facts& facts, const std::string& id) {
  Chapter chapter;
  chapter.step = Step::assess;
  const auto items = scanned(facts, id);
  if (!facts.scan || items.empty()) {
    chapter.says = "not known";
    chapter.body = [&page, &facts] {
      nothing(page, facts.scan ? "The scan does not name it, so nobody says what it closes." : facts.scan.why);
    };
    return chapter;
  }
  // The worst of all machines decides; each has the same vulnerabilities, and is exposed or not.
  const ScannedItem* worst = items.front();
  for (const auto* item : items) {
    const bool earlier = !item->due.empty() && (worst->due.empty() || item->due < worst->due);
    if (earlier || (worst->vulnerabilities.empty() && !item->vulnerabilities.empty())) worst = item;
  }
  const auto today = day_text(std::chrono::floor<std::chrono::days>(facts.taken));
  const bool lacking = std::ranges::any_of(items, [](const auto* item) { return is_lacking(*item); });
  const bool overdue = lacking && !worst->due.empty() && worst->due < today;
  const bool exploited = std::ranges::any_of(items, [](const auto* item) { return item->is_exploited(); });
  chapter.tone = !lacking ? Tone::plain : overdue || exploited ? Tone::bad : Tone::waits;
  chapter.says = worst->due.empty() ? std::string("due with no date")
                 : overdue          ? fmt::format("was due {}", worst->due)
                                    : fmt::format("due {}", worst->due);
  if (exploited) chapter.says += ", exploited";
  chapter.body = [&page, worst, &facts] {
    page.element("p", {}, [&] {
      severity(page, worst->severity.empty() ? "unknown" : worst->severity);
      page.text(" " + (facts.scan->decisions.empty() ? std::string("by the decision table") : facts.scan->decisions));
    });
    std::vector<Event> events;
    constexpr std::size_t most = 4;
    const auto& all = worst->vulnerabilities;
    for (std::size_t i = 0; i < std::min(most, all.size()); ++i) {
      const auto* one = &all[i];
      events.push_back({"", [&page, one] {
                          page.element("strong", {}, one->cve.empty() ? "a vulnerability without a name" : one->cve);
                          page.text(fmt::format(": {} (row {})", one->timeline, one->row));
                          if (!one->exploited_since.empty()) page.text(", exploited since " + one->exploited_since);
                          page.text(one->epss.empty() ? ", EPSS not known" : ", EPSS " + one->epss);
                          page.text(", named here since " + one->since);
                          if (!one->facts.empty()) page.text("; " + one->facts);
                        }});
    }
    write_events(page, std::move(events));
    if (all.empty()) nothing(page, "No vulnerability is named that it closes.");
    if (all.size() > most) nothing(page, fmt::format("{} more in the scan.", all.size() - most));
  };
  return chapter;
}

Chapter acquire(Page& page, const Facts& facts, const std::string& id, const Known<history::CandidateStory>& story) {
  Chapter chapter;
  chapter.step = Step::acquire;
  std::vector<const AcquiredItem*> files;
  if (facts.acquired) {
    for (const auto& item : facts.acquired->items) {
      if (item.item == id) files.push_back(&item);
    }
  }
  std::vector<std::string> digests;
  if (story) {
    for (const auto& test : story->tests) {
      if (std::ranges::count(digests, test.digest) == 0) digests.push_back(test.digest);
    }
  }
  const auto any = [&](const char* state) {
    return std::ranges::count(files, state, [](const auto* file) { return file->state; }) > 0;
  };
  if (any("quarantined") || any("failed")) {
    chapter.tone = Tone::bad;
    chapter.says = "refused";
  } else if (any("to-bring") || any("unfinished")) {
    chapter.tone = Tone::waits;
    chapter.says = "to be brought";
  } else if (any("here") || any("acquired")) {
    const auto doubt = acquired_doubt(facts);
    chapter.tone = doubt.empty() ? Tone::good : Tone::unknown;
    chapter.says = doubt.empty() ? "verified" : "was verified";
  } else if (!files.empty()) {
    chapter.says = "not asked for";
  } else if (!digests.empty()) {
    // That it was tested says that it was in the store, and nothing of how it was verified.
    chapter.tone = Tone::plain;
    chapter.says = "in the content store when it was tested";
  } else {
    chapter.says = "not known";
  }
  chapter.body = [&page, files, digests, &facts] {
    std::vector<Event> events;
    for (const auto* file : files) {
      events.push_back({"", [&page, file] {
                          page.text(fmt::format("{}: {}", file->name, file->state));
                          if (!file->why.empty()) page.text(", " + file->why);
                        }});
    }
    if (!facts.acquired)
      nothing(page, facts.acquired.why);
    else if (files.empty())
      nothing(page, fmt::format("It is not named by what was {}.", acquired_when(facts)));
    else
      events.push_back({"", [&page, &facts] { page.text("As it was " + acquired_when(facts) + "."); }});
    for (const auto& digest : digests) {
      events.push_back({"", [&page, digest] {
                          page.text("tested bytes: ");
                          page.element("code", {}, digest);
                        }});
    }
    write_events(page, std::move(events));
    if (digests.size() > 1) nothing(page, "This name had several contents.");
  };
  return chapter;
}

Chapter test(Page& page, const Known<history::CandidateStory>& story) {
  Chapter chapter;
  chapter.step = Step::test;
  if (!story || story->tests.empty()) {
    chapter.says = story ? "not tested" : "not known";
    chapter.body = [&page, &story] { nothing(page, story ? "No run tested it." : story.why); };
    return chapter;
  }
  // What each department said last.
  std::map<std::string, const history::CandidateTest*> last;
  for (const auto& one : story->tests) last[one.department] = &one;
  std::size_t passed = 0, failed = 0, undecided = 0;
  for (const auto& [department, one] : last) {
    const auto tone = tone_of_outcome(one->outcome);
    passed += tone == Tone::good ? 1U : 0U;
    failed += tone == Tone::bad ? 1U : 0U;
    undecided += tone == Tone::unknown ? 1U : 0U;
  }
  chapter.tone = failed > 0 ? Tone::bad : undecided > 0 ? Tone::unknown : passed > 0 ? Tone::good : Tone::plain;
  chapter.says = failed > 0      ? fmt::format("fails in {}", counted(failed, "department", "departments"))
                 : undecided > 0 ? fmt::format("undecided in {}", counted(undecided, "department", "departments"))
                 : passed > 0    ? fmt::format("passes in {}", counted(passed, "department", "departments"))
                                 : std::string("applies nowhere");
  chapter.body = [&page, &story] {
    std::vector<Event> events;
    for (const auto& one : story->tests) {
      events.push_back({minute(one.started), [&page, &one] {
                          page.text(one.department + ": ");
                          outcome_badge(page, one.outcome);
                          page.text(" in run ");
                          run_link(page, one.run);
                          if (!one.failed.empty()) page.text(", breaks " + one.failed);
                          if (!one.together_with.empty()) page.text(", together with " + one.together_with);
                          if (!one.effect.empty()) page.text("; " + one.effect);
                          if (!one.removal.empty()) page.text("; " + one.removal);
                        }});
    }
    write_events(page, std::move(events));
    page.element("p", {{"class", "muted"}}, "Forecast, if it were tested again; it decides nothing:");
    lines(page, history::sentences_of(story->outlook));
  };
  return chapter;
}

bool is_of_promotion(const history::CandidateLine& line) { return line.kind.starts_with("promote"); }

Chapter decide(Page& page, const Facts& facts, const std::string& id, const Known<history::CandidateStory>& story) {
  Chapter chapter;
  chapter.step = Step::decide;
  if (!story || !facts.history || !facts.history->has_ledger) {
    chapter.says = "not known";
    chapter.body = [&page, &story] { nothing(page, story ? "The stage has no ledger." : story.why); };
    return chapter;
  }
  std::size_t approvals = 0, rejections = 0;
  bool promoted = false, was_promoted = false;
  for (const auto& line : story->lines) {
    approvals += line.kind == "approve" && line.ended_by == 0 ? 1U : 0U;
    rejections += line.kind == "reject" && line.ended_by == 0 ? 1U : 0U;
    promoted = promoted || (line.kind == "promote-done" && line.ended_by == 0);
    was_promoted = was_promoted || line.kind == "promote-done";
  }
  std::vector<const WaitingSet*> waiting;
  if (facts.waiting) {
    for (const auto& one : *facts.waiting) {
      if (std::ranges::count(one.set, id) > 0) waiting.push_back(&one);
    }
  }
  chapter.tone = rejections > 0                       ? Tone::bad
                 : !waiting.empty() || !facts.waiting ? Tone::waits
                 : promoted                           ? Tone::good
                                                      : Tone::plain;
  chapter.says = rejections > 0     ? std::string("rejected")
                 : !waiting.empty() ? fmt::format("waits in {}", counted(waiting.size(), "department", "departments"))
                 : promoted         ? std::string("promoted")
                 : was_promoted     ? std::string("promoted, and replaced since")
                 : approvals > 0    ? std::string("approved")
                                    : std::string("nobody decided");
  if (!facts.waiting && rejections == 0) {
    chapter.tone = promoted ? Tone::good : Tone::unknown;
    if (!promoted && !was_promoted) chapter.says = "not known";
  }
  chapter.body = [&page, &story, waiting] {
    std::vector<Event> events;
    for (const auto& line : story->lines) {
      if (line.kind == "promote-begun" || line.kind == "promote-switched") continue;  // steps of one thing
      events.push_back({minute(line.time), [&page, &line] {
                          page.text(fmt::format("{}: {} by {}", line.department, line.kind, line.by));
                          if (line.serial != 0) page.text(fmt::format(", serial {}", line.serial));
                          if (!line.reason.empty()) page.text(": " + line.reason);
                          if (!line.ticket.empty()) page.text(fmt::format(" ({})", line.ticket));
                          if (line.ended_by != 0)
                            page.text(fmt::format(", {} by line {}", is_of_promotion(line) ? "replaced" : "withdrawn",
                                                  line.ended_by));
                          page.text(fmt::format(" (line {})", line.seq));
                        }});
    }
    write_events(page, std::move(events));
    for (const auto* one : waiting) {
      page.element(
          "p", {},
          fmt::format("{} waits for {}:", one->department, one->whom.empty() ? "somebody" : listed(one->whom)));
      if (!one->command.empty()) command(page, one->command);
    }
    if (!story->unknown.empty())
      nothing(page, fmt::format("Of {} nobody knows whether it is in their set.",
                                counted(story->unknown.size(), "line of the ledger", "lines of the ledger")));
  };
  return chapter;
}

Chapter deploy(Page& page, const Facts& facts, const Known<history::CandidateStory>& story) {
  Chapter chapter;
  chapter.step = Step::deploy;
  if (!story || !facts.history || !facts.history->has_ledger) {
    chapter.says = "not known";
    chapter.body = [&page, &story] { nothing(page, story ? "The stage has no ledger." : story.why); };
    return chapter;
  }
  // What was said last of each machine.
  std::map<std::pair<std::string, std::string>, std::vector<const history::CandidateMachine*>> last;
  for (const auto& one : story->machines) {
    auto& of = last[{one.department, one.machine}];
    if (!of.empty() && of.front()->serial < one.serial) of.clear();
    of.push_back(&one);
  }
  // What was promoted last with it: a machine that reported on an earlier serial has not said that it has this one.
  std::map<std::string, std::uint64_t> newest;
  for (const auto& line : story->lines) {
    if (line.kind == "promote-done") newest[line.department] = std::max(newest[line.department], line.serial);
  }
  std::size_t has = 0, differs = 0;
  std::vector<Event> events;
  for (const auto& [machine, parts] : last) {
    bool all = parts.front()->serial >= newest[machine.first], other = false;
    for (const auto* part : parts) {
      all = all && part->state == "as-promoted";
      other = other || part->state == "older" || part->state == "newer" || part->state == "other-bytes" ||
              part->state == "failed";
      events.push_back({minute(part->observed), [&page, part] {
                          page.text(
                              fmt::format("{}/{}: {} {}", part->department, part->machine, part->name, part->state));
                          if (!part->found.empty()) page.text(", has " + part->found);
                          if (!part->since.empty()) page.text(", since " + minute(part->since));
                          page.text(fmt::format(" (serial {}, line {})", part->serial, part->line));
                        }});
    }
    has += all ? 1U : 0U;
    differs += other ? 1U : 0U;
  }
  const bool promoted = std::ranges::any_of(story->lines, [](const auto& line) { return line.kind == "promote-done"; });
  chapter.tone = differs > 0          ? Tone::bad
                 : !promoted          ? Tone::plain
                 : last.empty()       ? Tone::unknown
                 : has == last.size() ? Tone::good
                                      : Tone::waits;
  chapter.says = differs > 0    ? fmt::format("differs on {}", counted(differs, "machine", "machines"))
                 : !promoted    ? std::string("not promoted")
                 : last.empty() ? std::string("no machine reported")
                                : fmt::format("{} of {} have it", has, last.size());
  chapter.body = [&page, events] { write_events(page, events); };
  return chapter;
}

Chapter maintain(Page& page, const Facts& facts, const std::string& id) {
  Chapter chapter;
  chapter.step = Step::maintain;
  const auto items = scanned(facts, id);
  const bool lacking = std::ranges::any_of(items, [](const auto* item) { return is_lacking(*item); });
  const bool installed = std::ranges::any_of(items, [](const auto* item) { return item->status == "installed"; });
  if (!facts.scan || !scan_says_all(facts)) {
    chapter.says = "not known";
    chapter.body = [&page, &facts] {
      nothing(page,
              facts.scan ? "Only a scan that knows everything, and is not old, says that it is done." : facts.scan.why);
    };
  } else if (lacking) {
    chapter.tone = Tone::waits;
    chapter.says = "golden machines lack it";
    chapter.body = [&page] {
      nothing(page, "When production has it: patchlab image refresh, so that tests begin there.");
    };
  } else {
    chapter.tone = installed ? Tone::good : Tone::plain;
    chapter.says = installed ? "golden machines have it" : "nothing to do";
    chapter.body = [&page, &facts] { nothing(page, "By the scan of " + facts.scan->day + "."); };
  }
  return chapter;
}

std::string title_of(const Known<history::CandidateStory>& story) {
  return story && !story->tests.empty() ? story->tests.back().title : std::string();
}

}  // namespace

bool is_named_outside_runs(const Facts& facts, const std::string& id) {
  const bool scanned_there = facts.scan && std::ranges::count(facts.scan->items, id, &ScannedItem::item) > 0;
  const bool acquired_there = facts.acquired && std::ranges::count(facts.acquired->items, id, &AcquiredItem::item) > 0;
  return scanned_there || acquired_there;
}

std::string candidate_page(const Facts& facts, const Reader& reader, const std::string& id,
                           const Known<history::CandidateStory>& story) {
  return framed({id, "candidates", title_of(story), facts, reader.name}, [&](Page& page) {
    section(page, "story", "Its story", "From the feed to the machine; each card says what is known of its step.", [&] {
      const Chapter chapters[] = {detect(page, facts, id),         assess(page, facts, id),
                                  acquire(page, facts, id, story), test(page, story),
                                  decide(page, facts, id, story),  deploy(page, facts, story),
                                  maintain(page, facts, id)};
      page.element("ol", {{"class", "cards story"}}, [&] {
        for (const auto& chapter : chapters) {
          const auto css = std::string("card ") + css_of(chapter.tone);
          page.element("li", {{"class", css}}, [&] {
            page.element("div", {{"class", "card-title"}}, [&] {
              page.element("h3", {}, to_string(chapter.step));
              badge(page, chapter.tone, chapter.says);
            });
            chapter.body();
          });
        }
      });
    });
  });
}

}  // namespace patchlab::process::page
