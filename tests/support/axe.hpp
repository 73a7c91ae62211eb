// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"

// axe-core's own questions about a page. It is in no package of Debian: tests/e2e/axe gets it, names its file in
// PATCHLAB_AXE, and keeps what it said. Otherwise nothing is asked; what DevTools can tell is in page_audit.hpp.
namespace patchlab::testing {

// What axe leaves to a person ("incomplete"), as "RULE: why", and what a person found. What is not here is a problem.
inline const std::map<std::string, std::string>& answered_by_people() {
  static const std::map<std::string, std::string> all{
      {"color-contrast: bgGradient",
       "tables that scroll have a shadow of 16 pixels at the edge where they are cut off; at its outermost pixel grey "
       "text "
       "has 3.1 to 1. Behind all other text is one colour, and page_audit.hpp measures against that"},
      {"color-contrast: shortTextContent", "a single digit; page_audit.hpp measures it like all other text"},
      {"color-contrast: imgNode", "text in the drawing of the times: 5.9 to 1 in light, 6.8 to 1 in dark"},
      {"color-contrast: bgOverlap", "the name of a trial on its bar in that drawing: at least 11.9 to 1"},
      {"color-contrast: elmPartiallyObscuring",
       "a word of a command that takes two lines; behind it is one colour, and page_audit.hpp measures against that"}};
  return all;
}

// Of axe.run(), as `axe_question` has it; empty: every rule that could be asked passed, and there were some.
inline std::vector<std::string> axe_problems(const Json& said) {
  if (!said.is_object()) return {"axe says nothing: " + said.dump()};
  std::vector<std::string> problems;
  for (const auto& rule : said.at("violations")) {
    for (const auto& node : rule.at("nodes"))
      problems.push_back(
          fmt::format("violates {}: {}", rule.at("id").get<std::string>(), node.at("html").get<std::string>()));
  }
  for (const auto& rule : said.at("incomplete")) {
    for (const auto& node : rule.at("nodes")) {
      const auto question = fmt::format("{}: {}", rule.at("id").get<std::string>(), node.at("why").get<std::string>());
      if (!answered_by_people().contains(question))
        problems.push_back(fmt::format("nobody has answered '{}': {}", question, node.at("html").get<std::string>()));
    }
  }
  if (said.at("passes").size() < 10) problems.emplace_back("hardly any rule could be asked");
  return problems;
}

inline constexpr const char* axe_question = R"js(axe.run(document).then(found => {
  const why = node => [...new Set([...node.any, ...node.all, ...node.none].map(one => (one.data && one.data.messageKey) || one.id))].join(', ');
  const rules = list => list.map(rule => ({id: rule.id, nodes: rule.nodes.map(node => ({html: node.html.slice(0, 160), why: why(node)}))}));
  return {axe: found.testEngine.version, passes: found.passes.map(rule => rule.id), inapplicable: found.inapplicable.map(rule => rule.id),
          violations: rules(found.violations), incomplete: rules(found.incomplete)};
}))js";

// Of the page that Chromium shows, called `page`, "390 light" wide. A line of it goes to the file that
// PATCHLAB_AXE_SAID names.
template <class Browser>
std::vector<std::string> ask_axe(Browser& chromium, const std::string& page, const std::string& how) {
  const char* file = std::getenv("PATCHLAB_AXE");
  if (file == nullptr) return {};
  if (chromium.evaluate("typeof axe === 'object'") != true) {
    const auto source = read_file(file);
    if (!source) return {source.error().message};
    chromium.evaluate(*source + "; 0");
  }
  auto said = chromium.evaluate(axe_question);
  const auto problems = axe_problems(said);
  if (const char* kept = std::getenv("PATCHLAB_AXE_SAID"); kept != nullptr && said.is_object()) {
    said["page"] = page;
    said["how"] = how;
    for (auto& rule : said["incomplete"]) {
      for (auto& node : rule["nodes"]) {
        const auto answer = answered_by_people().find(
            fmt::format("{}: {}", rule["id"].template get<std::string>(), node["why"].template get<std::string>()));
        node["answer"] = answer == answered_by_people().end() ? "" : answer->second;
      }
    }
    std::ofstream(kept, std::ios::app) << said.dump() << "\n";
  }
  return problems;
}

}  // namespace patchlab::testing
