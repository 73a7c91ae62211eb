// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/html/html.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <string_view>

#include "lab/core/base64.hpp"
#include "reports/html/assets.hpp"
#include "reports/html/page.hpp"
#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"

namespace patchlab::reports {
namespace {

// CSP names a script by the base64 of its SHA-256, so that no other script could run even if something slipped through
// the escaping.
std::string script_hash(std::string_view script) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  EVP_Digest(script.data(), script.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void write_head(Page& page, const RunRecord& record) {
  const auto policy = fmt::format(
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
      script_hash(html::script));
  page.element("head", {}, [&] {
    page.empty("meta", {{"charset", "utf-8"}});
    page.empty("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", policy}});
    page.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    page.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
    page.empty("meta", {{"name", "referrer"}, {"content", "no-referrer"}});
    page.element("title", {}, title_of(record) + " - patchlab run " + record.id);
    page.trusted("<style>").trusted(html::style_sheet).trusted("</style>\n");
  });
}

void write_navigation(Page& page, const RunRecord& record) {
  page.element("nav", {{"aria-label", "sections"}}, [&] {
    page.element("a", {{"href", "#decisions"}}, "Decisions");
    for (const auto& department : record.departments)
      page.element("a", {{"href", "#department-" + html::anchor(department.name)}}, department.name);
    page.element("a", {{"href", "#timings"}}, "Timings");
    page.element("a", {{"href", "#not-tested"}}, "Not tested");
    page.element("a", {{"href", "#inputs"}}, "Inputs");
  });
}

void write_footer(Page& page, const RunRecord& record) {
  page.element("footer", {}, [&] {
    page.element("p", {{"class", "in-print"}},
                 "Not printed: matrices, checks, trials, machines, timings, files and whatever was closed. They are on "
                 "the page, and in "
                 "run.json.");
    page.element("p", {}, [&] {
      page.text("Identity of this record: ");
      html::digest(page, record_digest(record));
    });
    page.element(
        "p", {},
        fmt::format(
            "Made from run.json of run {}, which patchlab {} wrote. Nothing on this page is fetched from elsewhere. To "
            "prove a stage, offline: patchlab verify <stage>.",
            record.id, record.tool_version));
  });
}

}  // namespace

std::string html_report(const RunRecord& record, const Decisions& decisions, const RunChanges& changes) {
  const auto facts = facts_of_run(record, decisions);
  Page page;
  page.trusted("<!DOCTYPE html>\n");
  page.element("html", {{"lang", "en"}}, [&] {
    write_head(page, record);
    page.element("body", {}, [&] {
      html::write_symbols(page);
      html::write_header(page, record, decisions, facts, changes);
      write_navigation(page, record);
      page.element("main", {}, [&] {
        html::write_decisions(page, record, decisions, facts);
        html::ToldChanges told;
        if (record.departments.size() > html::few_departments) told.open = 0;
        for (const auto& department : record.departments)
          html::write_department(page, record, department, decision_of(decisions, department.name), facts, told);
        html::write_timings(page, record);
        html::write_not_tested(page, record);
        html::write_inputs(page, record);
      });
      write_footer(page, record);
      page.trusted("<script>").trusted(html::script).trusted("</script>\n");
    });
  });
  return page.take();
}

}  // namespace patchlab::reports
