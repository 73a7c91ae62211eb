// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/command/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "lab/core/printable.hpp"

namespace patchlab::checks::command_kind {
namespace {

constexpr std::size_t longest_line = 300;
constexpr std::size_t most_values = 64;
constexpr std::uint32_t most_points = 10000;
constexpr const char* blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string for_people(std::string_view line) {
  const auto text = to_valid_utf8(trimmed(line).substr(0, longest_line));
  return printable(text);
}

// A number at the beginning, at most `most`; what follows stays.
std::optional<std::uint32_t> take_number(std::string_view& text, std::uint32_t most) {
  std::size_t digits = 0;
  std::uint32_t value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    value = value * 10 + static_cast<std::uint32_t>(text[digits] - '0');
    if (value > most) return std::nullopt;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

// What the points of a program came to. One that fails tells more than one that is missing.
class Points {
 public:
  void add(Outcome outcome, std::string text) {
    ++count_;
    auto& first = first_[outcome];
    if (first.empty()) first = std::move(text);
    ++counts_[outcome];
  }
  [[nodiscard]] bool has(Outcome outcome) const { return counts_.contains(outcome); }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Judgement judgement() const {
    const auto of = [&](Outcome outcome, const char* reason) {
      return Judgement{outcome, reason, fmt::format("all {} pass", count_),
                       fmt::format("{} of {}, the first is: {}", counts_.at(outcome), count_, first_.at(outcome))};
    };
    if (has(Outcome::error)) return of(Outcome::error, "point-error");
    if (has(Outcome::fail)) return of(Outcome::fail, "point-failed");
    if (has(Outcome::skipped)) return of(Outcome::skipped, "point-skipped");
    return {Outcome::pass, "all-passed", fmt::format("all {} pass", count_), fmt::format("{} passed", count_)};
  }

 private:
  std::size_t count_ = 0;
  std::map<Outcome, std::size_t> counts_;
  std::map<Outcome, std::string> first_;
};

Judgement trouble(const char* reason, const char* expected, std::string observed) {
  return {Outcome::error, reason, expected, std::move(observed)};
}

constexpr const char* whole_tap = "a plan, and each of its points once";

// One test document. Lines of subtests are indented and belong to the point behind them; all else that is no TAP is
// somebody's print.
class Tap {
 public:
  Judgement judge(int code, const std::string& output) {
    for (const auto line : lines_of(output)) {
      if (in_yaml_) {
        in_yaml_ = trimmed(line) != "...";
        continue;
      }
      in_yaml_ = line.starts_with(" ") && trimmed(line) == "---";
      read(line);
      if (!wrong_.empty()) return trouble("tap-broken", whole_tap, wrong_);
    }
    if (!plan_) return trouble("tap-broken", whole_tap, "there is no plan: " + first_line(output));
    if (*plan_ == 0) {
      return code == 0 ? Judgement{Outcome::skipped, "skipped", whole_tap, "nothing was planned: " + why_nothing_}
                       : trouble("exit-code", "exit code 0", fmt::format("exit code {}, and no point", code));
    }
    if (numbers_.size() != *plan_ || (!numbers_.empty() && *numbers_.rbegin() > *plan_))
      return trouble("tap-broken", whole_tap, fmt::format("{} points of {}", numbers_.size(), *plan_));
    // Test::More ends with how many failed.
    if (code != 0 && !points_.has(Outcome::fail))
      return trouble("exit-code", "exit code 0", fmt::format("exit code {}, and no point failed", code));
    return points_.judgement();
  }

 private:
  void read(std::string_view line) {
    if (line.starts_with("Bail out!")) {
      wrong_ = for_people(line);
    } else if (line.starts_with("1..")) {
      read_plan(line);
    } else if (line.starts_with("ok") || line.starts_with("not ok")) {
      read_point(line);
    }
  }
  void read_plan(std::string_view line) {
    const auto whole = line;
    line.remove_prefix(3);
    const auto count = take_number(line, most_points);
    if (plan_ || !count) {
      wrong_ = plan_ ? "a second plan: " + for_people(whole) : "no plan: " + for_people(whole);
      return;
    }
    plan_ = count;
    why_nothing_ = for_people(line);
  }
  void read_point(std::string_view line) {
    const auto whole = line;
    const bool is_ok = line.starts_with("ok");
    line.remove_prefix(is_ok ? 2 : 6);
    if (!line.empty() && line.front() != ' ' && line.front() != '\t' && line.front() != '\r') return;  // "okay"
    line = trimmed(line);
    const auto number = take_number(line, most_points).value_or(numbers_.empty() ? 1 : *numbers_.rbegin() + 1);
    if (!numbers_.insert(number).second || number == 0) {
      wrong_ = "a point twice: " + for_people(whole);
      return;
    }
    const auto directive = directive_of(line);
    if (directive == "skip")
      points_.add(Outcome::skipped, for_people(whole));
    else
      points_.add(is_ok || directive == "todo" ? Outcome::pass : Outcome::fail, for_people(whole));
  }
  // Behind a '#' that no backslash stands before.
  static std::string directive_of(std::string_view line) {
    for (auto at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
      if (at > 0 && line[at - 1] == '\\') continue;
      std::string word;
      for (const char c : trimmed(line.substr(at + 1)).substr(0, 4))
        word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      return word;
    }
    return {};
  }

  std::optional<std::uint32_t> plan_;
  std::set<std::uint32_t> numbers_;
  Points points_;
  std::string wrong_;
  std::string why_nothing_;
  bool in_yaml_ = false;
};

std::optional<Outcome> outcome_from(const std::string& word) {
  if (word == "pass") return Outcome::pass;
  if (word == "fail") return Outcome::fail;
  if (word == "skipped") return Outcome::skipped;
  return word == "error" ? std::optional(Outcome::error) : std::nullopt;
}

}  // namespace

std::string first_line(const std::string& output) {
  for (const auto line : lines_of(output)) {
    if (const auto text = for_people(line); !text.empty()) return text;
  }
  return "(it said nothing)";
}

Judgement judge_nagios(int code, const std::string& output, bool warning_passes) {
  const auto* const expected = warning_passes ? "exit code 0 or 1 (OK, WARNING)" : "exit code 0 (OK)";
  const auto said = [&](const char* word) {
    return fmt::format("exit code {} ({}): {}", code, word, first_line(output));
  };
  switch (code) {
    case 0: return {Outcome::pass, "ok", expected, said("OK")};
    case 1: return {warning_passes ? Outcome::pass : Outcome::fail, "warning", expected, said("WARNING")};
    case 2: return {Outcome::fail, "critical", expected, said("CRITICAL")};
    case 3: return {Outcome::error, "unknown", expected, said("UNKNOWN")};
    default: return {Outcome::error, "exit-code", expected, said("no code of a plugin")};
  }
}

Judgement judge_tap(int code, const std::string& output) { return Tap().judge(code, output); }

Judgement judge_json_lines(int code, const std::string& output) {
  constexpr const char* expected = R"(lines {"name": ..., "outcome": "pass"})";
  Points points;
  for (const auto line : lines_of(output)) {
    if (trimmed(line).empty()) continue;
    const auto json = json_in(std::string(line));
    std::vector<JsonProblem> problems;
    JsonReader reader(json, "", problems);
    const auto name = reader.text("name", not_empty("what was looked at"));
    const auto outcome = outcome_from(reader.text("outcome"));
    const auto wanted = reader.text_or("expected", "");
    const auto seen = reader.text_or("observed", "");
    reader.finish();
    if (!problems.empty() || !outcome)
      return trouble(
          "line-broken", expected,
          fmt::format("{}{}", problems.empty() ? "" : for_people(problems.front().message) + ": ", for_people(line)));
    points.add(*outcome, for_people(seen.empty() ? name
                                                 : fmt::format("{}: {}{}", name, seen,
                                                               wanted.empty() ? "" : ", expected " + wanted)));
  }
  if (points.count() == 0) return trouble("line-broken", expected, "(it said nothing)");
  if (code != 0 && !(code == 1 && points.has(Outcome::fail)))
    return trouble("exit-code", "exit code 0", fmt::format("exit code {}, and no line says that it failed", code));
  return points.judgement();
}

Json performance_in(const std::string& output) {
  Json values = Json::array();
  for (const auto line : lines_of(output)) {
    const auto bar = line.find('|');
    if (bar == std::string_view::npos) continue;
    auto rest = trimmed(line.substr(bar + 1));
    while (!rest.empty() && values.size() < most_values) {
      const bool quoted = rest.front() == '\'';
      const auto label_end = quoted ? rest.find('\'', 1) : rest.find('=');
      if (label_end == std::string_view::npos) break;
      const auto label = rest.substr(quoted ? 1 : 0, label_end - (quoted ? 1 : 0));
      rest.remove_prefix(label_end + (quoted ? 1 : 0));
      if (rest.empty() || rest.front() != '=') break;
      rest.remove_prefix(1);
      const auto end = std::min(rest.find_first_of(" \t"), rest.size());
      const auto all = rest.substr(0, end);
      rest = trimmed(rest.substr(end));
      const auto value = all.substr(0, std::min(all.find(';'), all.size()));
      const auto digits = std::min(value.find_first_not_of("+-.0123456789eE"), value.size());
      values.push_back({{"label", for_people(label)},
                        {"value", for_people(value.substr(0, digits))},
                        {"unit", for_people(value.substr(digits))}});
    }
  }
  return values;
}

}  // namespace patchlab::checks::command_kind
