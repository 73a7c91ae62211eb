// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "reports/html/page.hpp"
#include "reports/record/decision_record.hpp"
#include "reports/record/record.hpp"

// Small pieces that all sections of the page use.
namespace patchlab::reports::html {

// "pass", "fail", "error", "skipped", "not-reached": CSS class and name of the symbol.
[[nodiscard]] std::string css_class(Outcome outcome);

// The symbols, once at the top of the page: each outcome has a shape of its own.
void write_symbols(Page& page);
void icon(Page& page, const std::string& name);
// Symbol and word.
void badge(Page& page, Outcome outcome, const std::string& word);
void badge(Page& page, Outcome outcome);
// The whole text, clipped by the style sheet until touched: copying takes all of it.
void digest(Page& page, const std::string& sha256);
void chips(Page& page, const std::vector<std::string>& words);
// For a terminal; it breaks between words only, so that it can be copied and read.
void command(Page& page, const std::string& line);
// A table that scrolls inside its own box on a narrow screen. `name`: what it is of, for those who do not see where it
// stands.
void table(Page& page, const char* css, const std::string& name, const std::vector<std::string>& headings,
           const Page::Content& rows);
void details(Page& page, const std::string& summary, const Page::Content& content);
// A unified diff, line by line, at most 12000 bytes of it; the sign in front of a line says the same as its colour.
void diff(Page& page, const std::string& name, const std::string& text);
// A term and its value in a <dl class="facts">.
void fact(Page& page, const std::string& name, const Page::Content& value);
void fact(Page& page, const std::string& name, const std::string& value);

// How many changes that nothing explains somebody accepted.
[[nodiscard]] std::size_t accepted_changes(const DecisionRecord& decision);

// "430 ms", "8.4 s", "10 min 41 s".
[[nodiscard]] std::string duration_text(std::int64_t milliseconds);
// "2026-11-22 06:02:50 UTC" out of RFC 3339.
[[nodiscard]] std::string time_text(const std::string& rfc3339);
// "1 candidate", "3 candidates".
[[nodiscard]] std::string counted(std::size_t count, const std::string& singular, const std::string& plural);
// At most `limit` bytes, cut at a character, saying how much is missing.
[[nodiscard]] std::string shortened(const std::string& text, std::size_t limit);
// An identifier that can be an HTML id: other characters become '-'.
[[nodiscard]] std::string anchor(const std::string& name);

}  // namespace patchlab::reports::html
