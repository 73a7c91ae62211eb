// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/browser/asked.hpp"

#include <algorithm>
#include <optional>

#include "lab/core/json.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::promotion::browser {
namespace {

using lab::web::longest_body;

std::optional<AskedSet> set_named(const std::string& run, const std::string& department) {
  if (!is_run_id(run) || !is_scenario_name(department)) return std::nullopt;
  return AskedSet{run, department};
}

Asked not_found() { return NotAsked{404, "not-found", "there is no such page; the list of what waits is at /"}; }
Asked not_allowed(const char* method) {
  return NotAsked{405, "method-not-allowed", fmt::format("this is asked for with {}", method)};
}

Asked page_of(const std::string& target) {
  if (target == "/") return AskedList{};
  if (target == "/enrol") return AskedEnrolment{};
  if (target == "/desk.css") return AskedStyle{};
  if (target == "/sign.js") return AskedScript{};
  constexpr std::string_view sets = "/set/";
  if (!target.starts_with(sets)) return not_found();
  const auto rest = target.substr(sets.size());
  const auto slash = rest.find('/');
  if (slash == std::string::npos) return not_found();
  if (auto set = set_named(rest.substr(0, slash), rest.substr(slash + 1))) return *set;
  return not_found();
}

std::optional<AskedSet> set_in(JsonReader& reader) {
  const auto run = reader.text("run");
  const auto department = reader.text("department");
  auto set = set_named(run, department);
  if (!set) reader.problem("run", "run and department name nothing that could be there");
  return set;
}

Asked malformed(const Error& error) { return NotAsked{400, "body-malformed", error.message}; }

Asked draft_of(const Json& body) {
  std::vector<JsonProblem> problems;
  JsonReader reader(body, "", problems);
  AskedDraft draft;
  if (auto set = set_in(reader)) draft.set = std::move(*set);
  const auto kind = statement_kind_from(reader.text("kind"));
  if (kind != StatementKind::approve && kind != StatementKind::reject)
    reader.problem("kind", "must be approve or reject; the others are given with patchlab waive, withdraw");
  else
    draft.kind = *kind;
  draft.by = reader.text("by");
  if (!is_principal(draft.by)) reader.problem("by", std::string("is no name of a signer: ") + principal_rule);
  draft.reason = reader.text("reason");
  reader.finish();
  if (!problems.empty()) return malformed(problems_error("body", problems));
  return draft;
}

Asked decision_of(const Json& body) {
  std::vector<JsonProblem> problems;
  JsonReader reader(body, "", problems);
  AskedDecision decision;
  if (auto set = set_in(reader)) decision.set = std::move(*set);
  decision.statement = reader.text("statement");
  decision.signature = reader.text("signature");
  reader.finish();
  if (!problems.empty()) return malformed(problems_error("body", problems));
  return decision;
}

}  // namespace

bool is_run_id(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 120 && plain(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

Asked asked(const WebRequest& request, const Origin& ours) {
  if (auto no = lab::web::not_for_us(request, ours)) return std::move(*no);
  const bool drafts = request.target == "/draft";
  if (!drafts && request.target != "/decision") {
    auto page = page_of(request.target);
    if (request.method != "GET" && !std::holds_alternative<NotAsked>(page)) return not_allowed("GET");
    return page;
  }
  if (request.method != "POST") return not_allowed("POST");
  const auto types = lab::web::values_of(request, "content-type");
  if (types.size() != 1 || types.front() != "application/json")
    return NotAsked{415, "not-json", "what is sent must be application/json"};
  if (request.body.size() > longest_body)
    return NotAsked{413, "too-large", fmt::format("at most {} bytes are taken", longest_body)};
  const auto body = parse_json(request.body, "body");
  if (!body) return malformed(body.error());
  if (!body->is_object()) return NotAsked{400, "body-malformed", "body: must be an object"};
  return drafts ? draft_of(*body) : decision_of(*body);
}

}  // namespace patchlab::promotion::browser
