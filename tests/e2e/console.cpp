// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "console.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <regex>
#include <sstream>

#include "lab/process/process.hpp"

namespace patchlab::e2e {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> full_lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (auto& line : lines_of(text)) {
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

bool fits(const std::string& shown, const std::string& line) {
  std::size_t at = 0;
  bool anything = false;
  for (std::size_t from = 0; from <= shown.size();) {
    const auto dots = std::min(shown.find("...", from), shown.size());
    const auto piece = shown.substr(from, dots - from);
    const bool last = dots == shown.size();
    std::size_t found = anything ? line.find(piece, at) : at;
    if (last && anything) found = line.size() < at + piece.size() ? std::string::npos : line.size() - piece.size();
    if (found == std::string::npos || line.compare(found, piece.size(), piece) != 0) return false;
    at = found + piece.size();
    if (last) return at == line.size();
    anything = true;
    from = dots + 3;
  }
  return false;
}

bool fit(const std::vector<std::string>& shown, std::size_t i, const std::vector<std::string>& lines, std::size_t j) {
  if (i == shown.size()) return j == lines.size();
  if (shown[i] == "...") {
    for (auto rest = j; rest <= lines.size(); ++rest) {
      if (fit(shown, i + 1, lines, rest)) return true;
    }
    return false;
  }
  return j < lines.size() && fits(shown[i], lines[j]) && fit(shown, i + 1, lines, j + 1);
}

// The word that ends a here-document of this command; empty: it has none.
std::string end_word(const std::string& command) {
  static const std::regex here(R"(<<'?(\w+)'?)");
  std::smatch match;
  return std::regex_search(command, match, here) ? match[1].str() : std::string();
}

constexpr const char* mark = "@@typed";

}  // namespace

std::vector<Typed> typed_in(const std::string& document) {
  std::vector<Typed> all;
  const auto lines = lines_of(document);
  bool inside = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("```")) {
      inside = lines[i] == "```console";
      continue;
    }
    if (!inside) continue;
    if (!lines[i].starts_with("$ ")) {
      if (!all.empty()) all.back().shown.push_back(lines[i]);
      continue;
    }
    Typed typed{i + 1, lines[i].substr(2), {}};
    while (typed.command.ends_with("\\") && i + 1 < lines.size()) typed.command += "\n" + lines[++i];
    if (const auto end = end_word(typed.command); !end.empty()) {
      do typed.command += "\n" + lines.at(++i);
      while (lines[i] != end);
    }
    all.push_back(std::move(typed));
  }
  return all;
}

bool is_as_shown(const std::vector<std::string>& shown, const std::string& output) {
  std::vector<std::string> wanted;
  for (const auto& line : shown) {
    for (auto& full : full_lines_of(line)) wanted.push_back(std::move(full));
  }
  return fit(wanted, 0, full_lines_of(output), 0);
}

std::vector<std::string> type(const std::vector<Typed>& all, const std::filesystem::path& folder,
                              const std::filesystem::path& program, Milliseconds limit) {
  std::string script = "exec 2>&1\n";
  for (const auto& typed : all) {
    script += typed.command + "\n";
    script += fmt::format("__code=$?; printf '\\n{} %s\\n' $__code; (exit $__code)\n", mark);
  }
  ProcessSpec spec;
  spec.program = "bash";
  spec.arguments = {"-c", script};
  spec.working_folder = folder;
  spec.time_limit = limit;
  const auto* path = std::getenv("PATH");
  spec.extra_environment["PATH"] = program.parent_path().string() + ":" + (path == nullptr ? "" : path);
  const auto outcome = host_processes().run(spec);
  std::vector<std::string> wrong;
  auto rest = outcome.output;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto at = rest.find(fmt::format("\n{} ", mark));
    if (at == std::string::npos) {
      wrong.push_back(fmt::format("line {}: $ {}\n  did not come to its end: {}\n{}", all[i].line, all[i].command,
                                  outcome.describe(), rest));
      break;
    }
    const auto said = rest.substr(0, at);
    const auto code_at = at + 2 + std::string_view(mark).size();
    const auto end = rest.find('\n', code_at);
    const auto code = rest.substr(code_at, end - code_at);
    rest = rest.substr(end + 1);
    if (!is_as_shown(all[i].shown, said))
      wrong.push_back(fmt::format("line {}: $ {}\n--- shown:\n{}\n--- said:\n{}", all[i].line, all[i].command,
                                  fmt::join(all[i].shown, "\n"), said));
    const bool code_is_shown = i + 1 < all.size() && all[i + 1].command == "echo $?";
    if (code != "0" && !code_is_shown)
      wrong.push_back(fmt::format("line {}: $ {}\n  ended with {}, which is not shown\n{}", all[i].line, all[i].command,
                                  code, said));
  }
  return wrong;
}

}  // namespace patchlab::e2e
