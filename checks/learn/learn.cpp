// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/learn/learn.hpp"

#include <fmt/format.h>

#include "lab/core/names.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr std::size_t longest_name = 31;
constexpr std::size_t longest_complaint = 200;

}  // namespace

const std::vector<const Protocol*>& protocols() {
  static const std::vector<const Protocol*> all{&listeners(), &dns(), &dhcp(), &smb(), &print(), &mail(), &database()};
  return all;
}

std::string check_name(std::string_view text) {
  std::string name;
  for (const char c : lower_case(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  if (name.empty() || name.front() < 'a') name = "of-" + name;
  if (name.size() > longest_name) name.resize(longest_name);
  while (name.back() == '-') name.pop_back();
  return name;
}

std::string free_name(const std::string& wanted, std::set<std::string>& taken) {
  const auto base = check_name(wanted);
  auto name = base;
  for (std::size_t i = 2; !taken.insert(name).second; ++i) {
    const auto number = fmt::format("-{}", i);
    name = base.substr(0, longest_name - number.size()) + number;
  }
  return name;
}

CheckSpec way(std::string kind, Json parameters, std::chrono::seconds deadline) {
  return {.id = {}, .kind = std::move(kind), .parameters = std::move(parameters), .deadline = deadline, .slower = {}};
}

Json password_of(const std::string& user) { return {{"account", user}}; }

const Answer* answer_to(const Answers& answers, const std::string& question) {
  const auto found = answers.find(question);
  return found != answers.end() && found->second.exit_code == 0 ? &found->second : nullptr;
}

std::string complaint(const Answer& answer) {
  for (const auto* text : {&answer.errors, &answer.output}) {
    for (const auto line : split(*text, '\n')) {
      if (!trimmed(line).empty()) return std::string(trimmed(line).substr(0, longest_complaint));
    }
  }
  return fmt::format("exit code {}", answer.exit_code);
}

}  // namespace patchlab::checks::learn
