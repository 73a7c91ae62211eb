// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/asked.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "lab/core/names.hpp"

namespace patchlab::process::page {
namespace {

using lab::web::NotAsked;

AskedPage not_found() { return NotAsked{404, "not-found", "there is no such page; what waits today is at /"}; }

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Of "page=3&scenario=nightly"; nothing: it is none of what is known, or is there twice.
struct Query {
  std::size_t page = 1;
  std::string scenario;
};
std::optional<Query> query_in(std::string_view text) {
  Query query;
  bool has_page = false, has_scenario = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto part = text.substr(0, end);
    if (end + 1 == text.size()) return std::nullopt;
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = part.substr(0, equals), value = part.substr(equals + 1);
    if (name == "page" && !has_page) {
      has_page = true;
      const auto [at, trouble] = std::from_chars(value.data(), value.data() + value.size(), query.page);
      if (trouble != std::errc() || at != value.data() + value.size() || query.page < 1 || query.page > 1'000'000)
        return std::nullopt;
    } else if (name == "scenario" && !has_scenario && is_scenario_name(value)) {
      has_scenario = true;
      query.scenario = value;
    } else {
      return std::nullopt;
    }
  }
  return query;
}

AskedPage listed_page(std::string_view path, std::string_view query_text) {
  const auto query = query_in(query_text);
  if (!query) return not_found();
  if (path == "/runs") return AskedRuns{query->page, query->scenario};
  if (path == "/candidates" && query->scenario.empty()) return AskedCandidates{query->page};
  return not_found();
}

AskedPage download(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return not_found();
  const auto format = name.substr(dot + 1);
  name = name.substr(0, dot);
  const bool is_name =
      !name.empty() && std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
  if (!is_name || (format != "csv" && format != "json")) return not_found();
  return AskedDownload{std::string(name), std::string(format)};
}

AskedPage page_at(std::string_view target) {
  if (const auto mark = target.find('?'); mark != std::string_view::npos)
    return listed_page(target.substr(0, mark), target.substr(mark + 1));
  if (target == "/") return AskedToday{};
  if (target == "/page.css") return AskedStyle{};
  if (target == "/runs") return AskedRuns{};
  if (target == "/candidates") return AskedCandidates{};
  if (target == "/departments") return AskedDepartments{};
  if (target == "/reports") return AskedReports{};
  if (target == "/compliance") return AskedCompliance{};
  const auto rest = [&](std::string_view folder) -> std::optional<std::string_view> {
    if (!target.starts_with(folder)) return std::nullopt;
    return target.substr(folder.size());
  };
  if (const auto id = rest("/run/"); id && is_run_name(*id)) return AskedRun{std::string(*id)};
  if (const auto id = rest("/candidate/"); id && is_candidate_id(*id)) return AskedCandidate{std::string(*id)};
  if (const auto name = rest("/department/"); name && is_scenario_name(*name))
    return AskedDepartment{std::string(*name)};
  if (const auto name = rest("/download/")) return download(*name);
  return not_found();
}

}  // namespace

AskedPage asked(const lab::web::WebRequest& request, const lab::web::Origin& ours) {
  if (auto no = lab::web::not_for_us(request, ours)) return std::move(*no);
  if (request.method != "GET")
    return NotAsked{405, "method-not-allowed", "this page only shows; decisions are signed with the commands on it"};
  return page_at(request.target);
}

bool is_run_name(std::string_view text) {
  return !text.empty() && text.size() <= 120 && is_plain(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_plain(c) || c == '.' || c == '_' || c == '-'; });
}

std::variant<std::string, NotAsked> signed_in(const lab::web::WebRequest& request, const std::string& header) {
  const auto values = lab::web::values_of(request, header);
  const auto is_name = [](const std::string& text) {
    return !text.empty() && text.size() <= 200 && text.front() != ' ' && text.back() != ' ' &&
           std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  };
  if (values.size() != 1 || !is_name(values.front())) {
    return NotAsked{401, "not-signed-in",
                    "whoever stands in front of this page and signs people in did not say who asks"};
  }
  return values.front();
}

bool is_sign_in_header(std::string_view name) {
  // What a browser sends of itself would sign anybody in.
  static constexpr std::array<std::string_view, 18> of_browsers{
      "host",          "origin",     "cookie",          "referer", "user-agent",
      "connection",    "keep-alive", "authorization",   "upgrade", "upgrade-insecure-requests",
      "cache-control", "pragma",     "priority",        "dnt",     "te",
      "range",         "save-data",  "x-requested-with"};
  static constexpr std::array<std::string_view, 5> beginnings{"sec-", "accept", "content-", "if-", "proxy-"};
  return !name.empty() && name.size() <= 100 &&
         std::ranges::all_of(name,
                             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }) &&
         std::ranges::count(of_browsers, name) == 0 &&
         std::ranges::none_of(beginnings, [&](const auto& beginning) { return name.starts_with(beginning); });
}

}  // namespace patchlab::process::page
