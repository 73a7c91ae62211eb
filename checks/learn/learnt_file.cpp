// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/learn/learnt_file.hpp"

#include <algorithm>

#include "lab/core/printable.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr const char* indent = "    ";

std::string comment(const std::string& text) { return std::string(indent) + "// " + printable(text) + "\n"; }

// Keys in the order in which people write them.
std::string check_text(const CheckSpec& spec) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(spec.deadline).count();
  auto parameters = printable_json(pretty(spec.parameters));
  parameters.pop_back();  // its line end
  const auto slower = spec.slower ? fmt::format(R"("slower_ms": {}, )", spec.slower->count()) : std::string();
  const auto text = fmt::format(R"({{"id": {}, "kind": {}, {}"timeout_s": {}, "with": {}}})", Json(spec.id).dump(),
                                Json(spec.kind).dump(), slower, seconds, parameters);
  std::string indented = indent;
  for (const char c : text) {
    indented += c;
    if (c == '\n') indented += indent;
  }
  return indented;
}

}  // namespace

void to_json(Json& json, const Learnt& learnt) {
  json = {{"checks", Json::array()}, {"left_out", learnt.left_out}};
  for (const auto& check : learnt.checks) {
    json["checks"].push_back({{"id", check.spec.id},
                              {"kind", check.spec.kind},
                              {"with", check.spec.parameters},
                              {"deadline_ms", check.spec.deadline.count()},
                              {"says", check.says}});
  }
}

Learnt learnt_from_json(const Json& json) {
  Learnt learnt;
  for (const auto& check : json.at("checks")) {
    learnt.checks.push_back({{.id = check.at("id"),
                              .kind = check.at("kind"),
                              .parameters = check.at("with"),
                              .deadline = Milliseconds(check.at("deadline_ms").get<std::int64_t>()),
                              .slower = {}},
                             check.at("says")});
  }
  learnt.left_out = json.at("left_out").get<std::vector<std::string>>();
  return learnt;
}

std::vector<std::string> carry_over(const std::vector<CheckSpec>& before, Learnt& learnt) {
  std::vector<std::string> gone;
  for (const auto& old : before) {
    const auto again = std::ranges::find_if(
        learnt.checks, [&](const auto& check) { return check.spec.id == old.id && check.spec.kind == old.kind; });
    if (again == learnt.checks.end()) {
      gone.push_back(old.id);
      continue;
    }
    again->spec.slower = old.slower;
    again->spec.deadline = old.deadline;
  }
  return gone;
}

std::string learnt_file(const LearntFrom& from, const Learnt& learnt) {
  std::string text = printable_format("// Learnt by {} from '{}' of '{}', golden machine {}.\n", from.tool,
                                      from.machine, from.department, from.golden);
  text +=
      "// Each check expects what the machine was seen to do, twice, right or wrong: review it, take out what may "
      "change,\n"
      "// add what is missing. At the end stands what was not learnt, and why.\n{\n  \"checks\": [\n";
  for (std::size_t i = 0; i < learnt.checks.size(); ++i) {
    text += comment(learnt.checks[i].says) + check_text(learnt.checks[i].spec);
    text += i + 1 < learnt.checks.size() ? ",\n" : "\n";
  }
  if (!learnt.left_out.empty()) text += std::string(indent) + "// Not learnt:\n";
  for (const auto& what : learnt.left_out) text += comment("- " + what);
  return text + "  ]\n}\n";
}

}  // namespace patchlab::checks::learn
