// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/names.hpp"
#include "lab/core/time.hpp"
#include "process/page/asked.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {
namespace {

struct Place {
  const char* word;
  const char* title;
  const char* address;
};
constexpr std::array<Place, 5> places{{{"today", "Today", "/"},
                                       {"runs", "Runs", "/runs"},
                                       {"candidates", "Patches", "/candidates"},
                                       {"departments", "Departments", "/departments"},
                                       {"reports", "Reports", "/reports"}}};

std::string css_word(std::string word) {
  for (auto& c : word) {
    if (!((c >= 'a' && c <= 'z') || c == '-')) c = '-';
  }
  return word;
}

void write_gaps(Page& page, const Facts& facts) {
  const auto gaps = gaps_of(facts);
  if (gaps.empty()) return;
  page.element("details", {{"class", "gaps"}}, [&] {
    page.element("summary", {},
                 gaps.size() == 1 ? "One thing is not known" : fmt::format("{} things are not known", gaps.size()));
    page.element("ul", {}, [&] {
      for (const auto& gap : gaps) page.element("li", {}, gap);
    });
  });
}

void link_or_name(Page& page, const std::string& folder, const std::string& name, bool can_be_a_link) {
  if (can_be_a_link)
    page.element("a", {{"href", folder + name}}, name);
  else
    page.text(name);
}

// With the spaces between them.
template <class Write>
void for_each_word(Page& page, std::string_view line, const Write& write) {
  for (std::size_t start = 0; start <= line.size();) {
    const auto end = std::min(line.find(' ', start), line.size());
    if (start > 0) page.text(" ");
    write(line.substr(start, end - start));
    start = end + 1;
  }
}

}  // namespace

std::string framed(const Frame& frame, const std::function<void(Page&)>& content) {
  Page page;
  page.trusted("<!DOCTYPE html>\n");
  page.element("html", {{"lang", "en"}}, [&] {
    page.element("head", {}, [&] {
      page.empty("meta", {{"charset", "utf-8"}});
      page.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
      page.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
      page.element("title", {}, frame.title + " - patchlab");
      page.empty("link", {{"rel", "stylesheet"}, {"href", "/page.css"}});
    });
    page.element("body", {}, [&] {
      reports::html::write_symbols(page);
      page.element("a", {{"class", "skip"}, {"href", "#main"}}, "Skip to the content");
      page.element("header", {}, [&] {
        page.element("nav", {{"aria-label", "patchlab"}}, [&] {
          page.element("a", {{"class", "brand"}, {"href", "/"}}, "patchlab");
          for (const auto& place : places) {
            if (frame.place == place.word)
              page.element("a", {{"href", place.address}, {"aria-current", "page"}}, place.title);
            else
              page.element("a", {{"href", place.address}}, place.title);
          }
          if (!frame.signed_in.empty()) page.element("span", {{"class", "who"}}, "signed in as " + frame.signed_in);
        });
      });
      page.element("main", {{"id", "main"}, {"tabindex", "-1"}}, [&] {
        page.element("h1", {}, frame.title);
        if (frame.tells_facts) {
          page.element("p", {{"class", "lead"}}, [&] {
            if (!frame.lead.empty()) page.text(frame.lead + (frame.lead.ends_with('.') ? " " : ". "));
            page.text(fmt::format("As of {}.", reports::html::time_text(rfc3339(frame.facts.taken))));
          });
          if (!frame.facts.stale.empty()) {
            page.element("p", {}, [&] {
              badge(page, Tone::unknown, "out of date");
              page.text(" Nothing of it is known now: " + frame.facts.stale + ".");
            });
          }
          write_gaps(page, frame.facts);
        }
        content(page);
      });
      page.element("footer", {}, [&] {
        page.element("p", {}, [&] {
          if (frame.tells_facts) page.text(fmt::format("Runs in {}, stage {}. ", frame.facts.runs, frame.facts.stage));
          page.text(
              "This page decides nothing and remembers nobody: decisions are signed with the commands that it shows.");
        });
      });
    });
  });
  return page.take();
}

void section(Page& page, const char* id, const std::string& title, const std::string& hint,
             const Page::Content& content) {
  const auto heading = std::string(id) + "-title";
  page.element("section", {{"id", id}, {"aria-labelledby", heading}}, [&] {
    page.element("h2", {{"id", heading}}, title);
    if (!hint.empty()) page.element("p", {{"class", "hint"}}, [&] { words(page, hint); });
    content();
  });
}

const char* css_of(Tone tone) {
  switch (tone) {
    case Tone::good: return "pass";
    case Tone::waits: return "not-reached";
    case Tone::bad: return "fail";
    case Tone::unknown: return "error";
    case Tone::plain: return "skipped";
  }
  return "error";
}

void badge(Page& page, Tone tone, const std::string& word, const std::string& link) {
  const auto css = std::string("badge ") + css_of(tone);
  page.element("span", {{"class", css}}, [&] {
    reports::html::icon(page, css_of(tone));
    if (link.empty())
      page.element("span", {}, word);
    else
      page.element("a", {{"href", link}}, word);
  });
}

Tone tone_of_outcome(const std::string& outcome) {
  if (outcome == "pass") return Tone::good;
  if (outcome == "fail") return Tone::bad;
  if (outcome == "skipped") return Tone::plain;
  return Tone::unknown;  // the lab could not tell, or did not get there
}
void outcome_badge(Page& page, const std::string& outcome) { badge(page, tone_of_outcome(outcome), outcome); }

void severity(Page& page, const std::string& word) {
  if (word.empty()) return;
  const auto css = "severity " + css_word(word);
  page.element("span", {{"class", css}}, word);
}

void table(Page& page, const std::string& name, const std::vector<std::string>& headings,
           const std::vector<std::vector<Cell>>& rows) {
  // The roles say what display: block on a phone would take away.
  page.element("table", {{"role", "table"}, {"aria-label", name}}, [&] {
    page.element("thead", {{"role", "rowgroup"}}, [&] {
      page.element("tr", {{"role", "row"}}, [&] {
        for (const auto& heading : headings) page.element("th", {{"scope", "col"}, {"role", "columnheader"}}, heading);
      });
    });
    page.element("tbody", {{"role", "rowgroup"}}, [&] {
      for (const auto& row : rows) {
        page.element("tr", {{"role", "row"}}, [&] {
          for (std::size_t i = 0; i < row.size(); ++i) {
            if (i == 0) {
              page.element("th", {{"scope", "row"}, {"role", "rowheader"}}, row[i]);
              continue;
            }
            page.element("td", {{"role", "cell"}}, [&] {
              page.element("span", {{"class", "label"}, {"aria-hidden", "true"}}, headings[i]);
              page.element("div", {{"class", "value"}}, row[i]);
            });
          }
        });
      }
    });
  });
}

void lines(Page& page, const std::vector<std::string>& sentences) {
  page.element("ul", {{"class", "lines"}}, [&] {
    for (const auto& sentence : sentences) page.element("li", {}, sentence);
  });
}
void nothing(Page& page, const std::string& sentence) { page.element("p", {{"class", "muted"}}, sentence); }
void not_known(Page& page, const std::string& why) {
  page.element("p", {}, [&] {
    badge(page, Tone::unknown, "not known");
    page.text(" " + why);
  });
}
void command(Page& page, const std::string& line) {
  // It breaks between words only, so that it can be copied and read.
  page.element("pre", {},
               [&] { for_each_word(page, line, [&](std::string_view word) { page.element("span", {}, word); }); });
}
void words(Page& page, const std::string& sentence) {
  for_each_word(page, sentence, [&](std::string_view word) {
    if (word.starts_with("--"))
      page.element("span", {{"class", "word"}}, word);
    else
      page.text(word);
  });
}

void fact(Page& page, const std::string& name, const Page::Content& value) {
  page.element("dt", {}, name);
  page.element("dd", {}, value);
}
void fact(Page& page, const std::string& name, const std::string& value) {
  fact(page, name, [&] { page.text(value); });
}

void run_link(Page& page, const std::string& id) { link_or_name(page, "/run/", id, is_run_name(id)); }
void candidate_link(Page& page, const std::string& id) { link_or_name(page, "/candidate/", id, is_candidate_id(id)); }
void department_link(Page& page, const std::string& name) {
  link_or_name(page, "/department/", name, is_scenario_name(name));
}

void pager(Page& page, const std::string& address, std::size_t at, std::size_t pages) {
  if (pages < 2) return;
  const auto link = [&](std::size_t number, const char* word) {
    page.element("a", {{"href", fmt::format("{}{}", address, number)}}, word);
  };
  page.element("p", {{"class", "pages"}}, [&] {
    if (at > 1) link(1, "First");
    if (at > 1) link(at - 1, "Newer");
    page.element("span", {{"class", "here"}}, fmt::format("page {} of {}", at, pages));
    if (at < pages) link(at + 1, "Older");
    if (at < pages) link(pages, "Last");
  });
}

std::string minute(const std::string& rfc3339) {
  if (rfc3339.size() < 20 || rfc3339[10] != 'T' || rfc3339.back() != 'Z') return rfc3339;
  return rfc3339.substr(0, 10) + " " + rfc3339.substr(11, 5) + " UTC";
}

}  // namespace patchlab::process::page
