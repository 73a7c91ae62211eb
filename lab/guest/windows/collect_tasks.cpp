// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

constexpr const char* task_section = "tasks";
constexpr std::string_view all_blanks = " \t\r\n";

// What stands between <name ...> and </name>, without blanks around it; empty: not there.
std::string_view inside(std::string_view xml, std::string_view name) {
  const auto tag = fmt::format("<{}", name);
  const auto end_tag = fmt::format("</{}>", name);
  for (auto at = xml.find(tag); at != std::string_view::npos; at = xml.find(tag, at + 1)) {
    const auto after = at + tag.size();
    if (after >= xml.size() || (xml[after] != '>' && all_blanks.find(xml[after]) == std::string_view::npos)) continue;
    const auto close = xml.find('>', at);
    const auto end = xml.find(end_tag, at);
    if (close == std::string_view::npos || end == std::string_view::npos || end < close) return {};
    return trimmed(xml.substr(close + 1, end - close - 1), all_blanks);
  }
  return {};
}

std::string plain_text(std::string_view text) {
  constexpr std::pair<std::string_view, char> named[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&apos;", '\''}, {"&quot;", '"'}, {"&amp;", '&'}};
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    for (const auto& [name, character] : named) {
      if (!text.substr(i).starts_with(name)) continue;
      plain.back() = character;
      i += name.size() - 1;
      break;
    }
  }
  return plain;
}

std::string without_element(std::string xml, const std::string& name) {
  const auto open = "<" + name + ">";
  const auto close = "</" + name + ">";
  for (auto at = xml.find(open); at != std::string::npos; at = xml.find(open)) {
    const auto end = xml.find(close, at);
    if (end == std::string::npos) break;
    xml.erase(at, end + close.size() - at);
  }
  return xml;
}

// Without blanks between tags.
std::string compact(std::string_view xml) {
  std::string text;
  std::string pending;
  for (const char c : xml) {
    if (all_blanks.find(c) != std::string_view::npos) {
      pending += pending.empty() && (text.empty() || text.back() != '>') ? " " : "";
      continue;
    }
    if (c != '<') text += pending;
    pending.clear();
    text += c;
  }
  return text;
}

std::string bounded(const std::string& text) {
  constexpr std::size_t most = 400;
  return text.size() <= most ? text : fmt::format("{}... {}", shortened(text, most), sha256(text));
}

std::string what_it_runs(std::string_view task) {
  std::string text;
  auto actions = inside(task, "Actions");
  while (!actions.empty()) {
    const auto open = actions.find('<');
    const auto name_end = open == std::string_view::npos ? open : actions.find_first_of(" \t\r\n>/", open + 1);
    if (name_end == std::string_view::npos) break;
    const auto name = actions.substr(open + 1, name_end - open - 1);
    const auto end_tag = fmt::format("</{}>", name);
    const auto end = actions.find(end_tag);
    if (name.empty() || end == std::string_view::npos) break;
    const auto action = actions.substr(open, end + end_tag.size() - open);
    if (!text.empty()) text += ", then ";
    if (name == "Exec") {
      text += plain_command(plain_text(inside(action, "Command")));
      const auto arguments = plain_text(inside(action, "Arguments"));
      if (!arguments.empty()) text += " " + arguments;
    } else if (name == "ComHandler") {
      text += fmt::format("class {}", lower_case(inside(action, "ClassId")));
    } else {
      text += bounded(compact(action));
    }
    actions.remove_prefix(end + end_tag.size());
  }
  return text.empty() ? "nothing" : text;
}

std::string who(std::string_view task) {
  const auto principals = inside(task, "Principals");
  auto account = plain_text(inside(principals, "UserId"));
  if (account.empty()) account = plain_text(inside(principals, "GroupId"));
  if (account.empty()) account = "nobody in particular";
  return inside(principals, "RunLevel") == "HighestAvailable" ? account + " with all rights" : account;
}

// Times at which a task begins or ends to count: Windows sets those of its own tasks anew at each start.
std::string when(std::string_view task, bool with_times) {
  auto triggers = compact(inside(task, "Triggers"));
  if (!with_times) {
    for (const auto* volatile_part : {"StartBoundary", "EndBoundary"})
      triggers = without_element(std::move(triggers), volatile_part);
  }
  return triggers.empty() ? "when asked for" : bounded(triggers);
}

Result<void> read_tasks(const Sections& found, Rows& rows) {
  PATCHLAB_ASSIGN(const auto text, text_in(found, task_section));
  std::string_view rest = trimmed(text, all_blanks);
  if (rest.find("<Tasks") == std::string_view::npos || !rest.ends_with("</Tasks>"))
    return guest_error(fmt::format("schtasks printed no whole list: '{}'", shortened(rest)));
  auto& tasks = rows["task"];
  constexpr std::string_view open = "<!--";
  constexpr std::string_view close = "-->";
  constexpr std::string_view end_tag = "</Task>";
  for (auto at = rest.find(open); at != std::string_view::npos; at = rest.find(open)) {
    const auto name_end = rest.find(close, at);
    const auto end = rest.find(end_tag, at);
    if (name_end == std::string_view::npos || end == std::string_view::npos || end < name_end)
      return guest_error(fmt::format("schtasks named a task and not what it is: '{}'", shortened(rest.substr(at))));
    const auto name = plain_text(trimmed(rest.substr(at + open.size(), name_end - at - open.size()), all_blanks));
    const auto task = rest.substr(name_end, end - name_end);
    if (name.empty() || task.find("<Task") == std::string_view::npos)
      return guest_error(fmt::format("schtasks printed a task that is not understood: '{}'", shortened(name)));
    const bool is_microsofts = lower_case(name).starts_with("\\microsoft\\");
    const bool is_enabled = lower_case(inside(inside(task, "Settings"), "Enabled")) != "false";
    const auto value =
        fmt::format("{}; runs {}; as {}", is_enabled ? "enabled" : "disabled", what_it_runs(task), who(task));
    if (!tasks.emplace(name, value).second)
      return guest_error(fmt::format("schtasks printed the task '{}' twice", shortened(name)));
    rows["task-time"][name] = when(task, !is_microsofts);
    rest.remove_prefix(end + end_tag.size());
  }
  return {};
}

}  // namespace

Collector task_collector() {
  return {"tasks", {"task", "task-time"}, {}, {{task_section, line_of(Command::tasks)}}, read_tasks};
}

}  // namespace patchlab::lab::guest::windows
