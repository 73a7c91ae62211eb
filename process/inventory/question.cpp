// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/inventory/question.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/debian_version.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"

namespace patchlab::process {
namespace {

bool has_only(std::string_view text, std::string_view marks) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_update_name(std::string_view text) {
  return text.size() >= 8 && text.size() <= 10 && text.starts_with("KB") &&
         text.find_first_not_of("0123456789", 2) == std::string_view::npos;
}

Result<Question> read_question(Question::Kind kind, const std::string& text, const char* option) {
  Question question{kind, text.substr(0, text.find('=')), {}};
  const auto wrong = [&] {
    return usage_error(fmt::format("{}: '{}' is no package or update", option, printable(text)),
                       kind == Question::Kind::without
                           ? "KB5035968, bind9, or bind9=1:9.18.28-1 for at least that version"
                           : "bind9, or KB5035968");
  };
  if (is_update_name(upper_case(question.what))) question.what = upper_case(question.what);
  if (!has_only(question.what, ".+-_")) return wrong();
  if (question.what.size() == text.size()) return question;
  question.version = text.substr(question.what.size() + 1);
  if (kind == Question::Kind::versions || question.is_update() || !has_only(question.version, ".+-~:") ||
      !version_parts(question.version))
    return wrong();
  return question;
}

// Of what one report says; nothing: it does not say.
std::optional<Answer> of_update(const Question& question, const Reported& said) {
  Answer answer;
  if (said.updates.contains(question.what)) {
    answer.state = AnswerState::has;
    answer.version = question.what;
  } else if (said.knows_updates || said.lacks.contains(question.what)) {
    answer.state = AnswerState::not_installed;
  } else if (said.says_packages) {
    answer.state = AnswerState::not_for_it;
  } else {
    return std::nullopt;
  }
  return answer;
}

std::optional<Answer> of_package(const Question& question, const Reported& said) {
  Answer answer;
  bool any = false;
  std::vector<std::string> versions;
  answer.state = AnswerState::has;
  for (const auto& package : said.packages) {
    if (package.name != question.what) continue;
    any = true;
    if (package.failed) answer.state = AnswerState::failed;
    if (package.version.empty()) continue;
    if (std::ranges::count(versions, package.version) == 0) versions.push_back(package.version);
    if (!question.version.empty() && answer.state == AnswerState::has &&
        compare_versions(package.version, question.version) < 0)
      answer.state = AnswerState::older;
  }
  if (any) {
    std::ranges::sort(versions, [](const auto& a, const auto& b) { return compare_versions(a, b) < 0; });
    answer.version = listed(versions);
    if (versions.empty() && answer.state == AnswerState::has) answer.state = AnswerState::not_installed;
    return answer;
  }
  if (said.knows_packages || said.lacks.contains(question.what))
    answer.state = AnswerState::not_installed;
  else if (said.knows_updates && !said.says_packages)
    answer.state = AnswerState::not_for_it;
  else
    return std::nullopt;
  return answer;
}

}  // namespace

bool Question::is_update() const { return is_update_name(what); }

std::string Question::text() const {
  return fmt::format("{} {}{}{}", kind == Kind::without ? "without" : "versions of", what, version.empty() ? "" : "=",
                     version);
}

Result<Question> question_without(const std::string& text) {
  return read_question(Question::Kind::without, text, "--without");
}
Result<Question> question_versions(const std::string& text) {
  return read_question(Question::Kind::versions, text, "--versions");
}

const char* to_string(AnswerState state) {
  switch (state) {
    case AnswerState::older: return "older";
    case AnswerState::failed: return "failed";
    case AnswerState::not_installed: return "not-installed";
    case AnswerState::unknown: return "unknown";
    case AnswerState::has: return "has";
    case AnswerState::not_for_it: return "not-for-it";
  }
  return "";
}

Answer answer_of(const Question& question, const std::string& machine, const std::string& department,
                 std::vector<const Reported*> said) {
  // As moments: one may be written with a fraction and another without.
  std::ranges::stable_sort(
      said, [](const auto* a, const auto* b) { return parse_rfc3339(a->observed) > parse_rfc3339(b->observed); });
  Answer unknown{.machine = machine, .department = department, .why = "it never reported"};
  for (const auto* one : said) {
    if (!one->not_known.empty()) {
      unknown.why = one->not_known;
      continue;
    }
    auto answer = question.is_update() ? of_update(question, *one) : of_package(question, *one);
    if (!answer) {
      unknown.why = fmt::format("it reported, and did not say whether it has '{}'", question.what);
      continue;
    }
    answer->machine = machine;
    answer->department = department;
    answer->observed = one->observed;
    answer->from = one->from;
    return *answer;
  }
  return unknown;
}

bool counts(const Question& question, AnswerState state) {
  switch (state) {
    case AnswerState::older:
    case AnswerState::failed: return true;
    case AnswerState::not_installed: return question.version.empty();
    case AnswerState::unknown:
    case AnswerState::has:
    case AnswerState::not_for_it: return false;
  }
  return false;
}

}  // namespace patchlab::process
