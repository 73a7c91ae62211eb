// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/shell_words.hpp"
#include "process/page/pages.hpp"
#include "process/page/parts.hpp"

namespace patchlab::process::page {

std::string reports_page(const Facts& facts, const Reader& reader) {
  return framed(
      {"Reports", "reports", "To be kept, each with the time at which its facts were taken.", facts, reader.name},
      [&](Page& page) {
        section(page, "downloads", "For download", "CSV for spreadsheets, JSON with what it rests on.", [&] {
          page.element("ul", {{"class", "cards"}}, [&] {
            for (const auto& kind : report_kinds()) {
              const auto report = report_of(facts, kind.name, Known<history::TrendAnswer>(history::TrendAnswer{}));
              const std::string address = std::string("/download/") + kind.name;
              page.element("li", {{"class", "card"}}, [&] {
                page.element("h3", {}, kind.title);
                page.element("p", {}, std::string("Holds ") + kind.says + ".");
                const bool is_there = report && *report && (std::string_view(kind.name) != "success" || facts.history);
                if (!is_there) {
                  not_known(page, report && !*report ? report->why : facts.history.why);
                  return;
                }
                page.element("p", {{"class", "downloads"}}, [&] {
                  page.element("a", {{"href", address + ".csv"}}, fmt::format("{} as CSV", kind.title));
                  page.element("a", {{"href", address + ".json"}}, fmt::format("{} as JSON", kind.title));
                });
              });
            }
          });
        });
        section(page, "compliance", "For an audit", "", [&] {
          page.element("p", {}, [&] {
            page.element("a", {{"href", "/compliance"}}, "Which requirement is met by what");
            page.text(
                ": PCI DSS 6.3.3 and 6.5.1, NIST SP 800-40r4, ISO 27001 A.8.8, with the figures of today and what "
                "the tool cannot prove.");
          });
          page.element("p", {}, "The proof itself, which needs neither this page nor patchlab:");
          command(page, fmt::format("patchlab evidence export --stage {} --department NAME -o bundle",
                                    shell_word(facts.stage)));
        });
      });
}

std::string compliance_page(const Facts& facts, const Reader& reader) {
  return framed({"Compliance", "reports",
                 "The words of the requirements are shortened; the standards themselves decide.", facts, reader.name},
                [&](Page& page) {
                  const auto items = compliance_of(facts);
                  std::size_t number = 0;
                  for (std::size_t i = 0; i < items.size();) {
                    const auto standard = items[i].standard;
                    const auto id = fmt::format("standard-{}", ++number);
                    section(page, id.c_str(), standard, "", [&] {
                      std::vector<std::vector<Cell>> rows;
                      for (; i < items.size() && items[i].standard == standard; ++i) {
                        const auto* item = &items[i];
                        rows.push_back({[&page, item] { page.text(item->requirement); },
                                        [&page, item] { page.text(item->evidence); },
                                        [&page, item] {
                                          badge(page, item->is_known ? Tone::good : Tone::unknown,
                                                item->is_known ? "facts are known" : "not all is known");
                                          for (const auto& figure : item->figures) page.element("small", {}, figure);
                                        },
                                        [&page, item] { page.text(item->cannot_prove); }});
                      }
                      table(page, standard, {"requirement", "evidence", "today", "the tool cannot prove"}, rows);
                    });
                  }
                  section(page, "beyond", "What no tool can prove", "", [&] { lines(page, beyond_any_tool()); });
                  section(page, "keep", "To keep", "", [&] {
                    page.element("p", {{"class", "downloads"}}, [&] {
                      page.element("a", {{"href", "/download/compliance.csv"}}, "Compliance as CSV");
                      page.element("a", {{"href", "/download/compliance.json"}}, "Compliance as JSON");
                    });
                  });
                });
}

}  // namespace patchlab::process::page
