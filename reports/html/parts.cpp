// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/html/parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::reports::html {

std::string css_class(Outcome outcome) { return to_string(outcome); }

void write_symbols(Page& page) {
  // pass: disc with a tick. fail: octagon with a cross. error: triangle with a bang. skipped: bar. not-reached: broken
  // ring.
  page.trusted(R"svg(<svg width="0" height="0" aria-hidden="true" class="symbols">
<symbol id="i-pass" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5" fill="currentColor"/><path d="M4.6 8.3l2.3 2.3 4.5-4.9" fill="none" stroke="var(--on)" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/></symbol>
<symbol id="i-fail" viewBox="0 0 16 16"><path d="M5 .7h6L15.3 5v6L11 15.3H5L.7 11V5z" fill="currentColor"/><path d="M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2" stroke="var(--on)" stroke-width="1.9" stroke-linecap="round"/></symbol>
<symbol id="i-error" viewBox="0 0 16 16"><path d="M8 1.2L15.4 14.6H.6z" fill="currentColor" stroke="currentColor" stroke-width="1" stroke-linejoin="round"/><path d="M8 6v4" stroke="var(--on)" stroke-width="1.9" stroke-linecap="round"/><circle cx="8" cy="12.4" r="1.1" fill="var(--on)"/></symbol>
<symbol id="i-skipped" viewBox="0 0 16 16"><path d="M3.5 8h9" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/></symbol>
<symbol id="i-not-reached" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.3" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3.2 2.2"/></symbol>
<symbol id="i-fence" viewBox="0 0 16 16"><path d="M8 .8l6 2.2v4.6c0 3.6-2.6 6.1-6 7.6-3.4-1.5-6-4-6-7.6V3z" fill="currentColor"/><path d="M5 8.1l2.1 2.1L11.2 6" fill="none" stroke="var(--on)" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/></symbol>
</svg>
)svg");
}

void icon(Page& page, const std::string& name) {
  page.element("svg", {{"class", "icon"}, {"aria-hidden", "true"}}, [&] {
    page.empty("use", {{"href", "#i-" + name}});
  });
}

void badge(Page& page, Outcome outcome, const std::string& word) {
  const auto css = "badge " + css_class(outcome);
  page.element("span", {{"class", css}}, [&] {
    icon(page, css_class(outcome));
    page.text(word);
  });
}
void badge(Page& page, Outcome outcome) { badge(page, outcome, to_string(outcome)); }

void digest(Page& page, const std::string& sha256) {
  if (sha256.empty()) {
    page.element("span", {{"class", "muted"}}, "none");
    return;
  }
  page.element("code", {{"class", "digest"}, {"tabindex", "0"}, {"title", sha256}}, sha256);
}

void chips(Page& page, const std::vector<std::string>& words) {
  page.element("span", {{"class", "chips"}}, [&] {
    for (const auto& word : words) page.element("span", {{"class", "chip"}}, word);
    if (words.empty()) page.element("span", {{"class", "muted"}}, "nothing");
  });
}

void command(Page& page, const std::string& line) {
  page.text(" ");
  page.element("code", {{"class", "command"}}, [&] {
    std::size_t start = 0;
    while (start <= line.size()) {
      const auto end = std::min(line.find(' ', start), line.size());
      if (start > 0) page.text(" ");
      page.element("span", {}, line.substr(start, end - start));
      start = end + 1;
    }
  });
}

void table(Page& page, const char* css, const std::string& name, const std::vector<std::string>& headings,
           const Page::Content& rows) {
  page.element("div", {{"class", "scroll"}, {"tabindex", "0"}, {"role", "group"}, {"aria-label", name}}, [&] {
    page.element("table", {{"class", css}}, [&] {
      page.element("thead", {}, [&] {
        page.element("tr", {}, [&] {
          for (const auto& heading : headings) page.element("th", {{"scope", "col"}}, heading);
        });
      });
      page.element("tbody", {}, rows);
    });
  });
}

void details(Page& page, const std::string& summary, const Page::Content& content) {
  page.element("details", {}, [&] {
    page.element("summary", {}, summary);
    content();
  });
}

void diff(Page& page, const std::string& name, const std::string& text) {
  constexpr std::size_t limit = 12000;
  const auto shown = shortened(text, limit);
  page.element("pre", {{"class", "diff"}, {"tabindex", "0"}, {"role", "group"}, {"aria-label", name}}, [&] {
    std::size_t begin = 0;
    while (begin < shown.size()) {
      const auto end = std::min(shown.find('\n', begin), shown.size());
      const auto line = shown.substr(begin, end - begin);
      const bool is_name = line.starts_with("---") || line.starts_with("+++");
      const auto* css = is_name || line.starts_with("@@") ? "place"
                        : line.starts_with('+')           ? "new"
                        : line.starts_with('-')           ? "gone"
                                                          : "same";
      page.element("span", {{"class", css}}, line.empty() ? " " : line);
      begin = end + 1;
    }
  });
}

void fact(Page& page, const std::string& name, const Page::Content& value) {
  page.element("div", {}, [&] {
    page.element("dt", {}, name);
    page.element("dd", {}, value);
  });
}
void fact(Page& page, const std::string& name, const std::string& value) {
  fact(page, name, [&] { page.text(value.empty() ? "unknown" : value); });
}

std::size_t accepted_changes(const DecisionRecord& decision) {
  return static_cast<std::size_t>(
      std::ranges::count_if(decision.waived, [](const WaivedRecord& one) { return !one.is_a_failure(); }));
}

std::string duration_text(std::int64_t milliseconds) {
  if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
  if (milliseconds < 60'000) return fmt::format("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100);
  return fmt::format("{} min {} s", milliseconds / 60'000, milliseconds % 60'000 / 1000);
}

std::string time_text(const std::string& rfc3339) {
  if (rfc3339.size() < 20 || rfc3339[10] != 'T' || rfc3339.back() != 'Z') return rfc3339;
  return rfc3339.substr(0, 10) + " " + rfc3339.substr(11, 8) + " UTC";
}

std::string counted(std::size_t count, const std::string& singular, const std::string& plural) {
  return fmt::format("{} {}", count, count == 1 ? singular : plural);
}

std::string shortened(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) return text;
  auto end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not inside a UTF-8 sequence
  return fmt::format("{}\n... {} more bytes in run.json", text.substr(0, end), text.size() - end);
}

std::string anchor(const std::string& name) {
  std::string id;
  for (const char c : name) id += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '-';
  return id;
}

}  // namespace patchlab::reports::html
