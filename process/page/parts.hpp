// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/page/standing.hpp"
#include "reports/html/page.hpp"

// Pieces that all pages share.
namespace patchlab::process::page {

extern const char* const style_sheet;

using reports::Page;

struct Frame {
  std::string title;
  std::string place;  // the word of the navigation that it belongs to: "today"
  std::string lead;   // one sentence below the title; empty: none
  const Facts& facts;
  std::string signed_in;    // who looks; empty: nobody said
  bool tells_facts = true;  // else nothing of them is on it: who is not signed in sees none
};
// A whole page. Each says when its facts were taken and what is not known.
[[nodiscard]] std::string framed(const Frame& frame, const std::function<void(Page&)>& content);

void section(Page& page, const char* id, const std::string& title, const std::string& hint,
             const Page::Content& content);

// The CSS class of a tone, which is also the name of its symbol.
[[nodiscard]] const char* css_of(Tone tone);
void badge(Page& page, Tone tone, const std::string& word, const std::string& link = {});
// Of a word of an outcome: pass, fail, error, skipped, not-reached.
void outcome_badge(Page& page, const std::string& outcome);
[[nodiscard]] Tone tone_of_outcome(const std::string& outcome);
void severity(Page& page, const std::string& word);

// A cell of a table; the first of each row is its heading.
using Cell = Page::Content;
// `name`: what it is of, for those who do not see where it stands.
void table(Page& page, const std::string& name, const std::vector<std::string>& headings,
           const std::vector<std::vector<Cell>>& rows);
// At least one; of none, say so instead.
void lines(Page& page, const std::vector<std::string>& sentences);
void nothing(Page& page, const std::string& sentence);
// What nobody knows, in place of what would be shown.
void not_known(Page& page, const std::string& why);
void command(Page& page, const std::string& line);
// A sentence with commands in it: a line ends before an option ("--monday"), and not within one.
void words(Page& page, const std::string& sentence);
void fact(Page& page, const std::string& name, const Page::Content& value);
void fact(Page& page, const std::string& name, const std::string& value);

// Links, where the name can be part of one of our addresses; else the name alone.
void run_link(Page& page, const std::string& id);
void candidate_link(Page& page, const std::string& id);
void department_link(Page& page, const std::string& name);
// "page 3 of 200", with links to its neighbours. `address`: what the number is put behind.
void pager(Page& page, const std::string& address, std::size_t at, std::size_t pages);

// "2026-11-22 06:02 UTC" out of RFC 3339; what is none stays as it is.
[[nodiscard]] std::string minute(const std::string& rfc3339);

}  // namespace patchlab::process::page
