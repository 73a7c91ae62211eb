// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {
namespace {

constexpr std::uintmax_t largest = 1U << 20U;

KnownBad::Match match_from(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  KnownBad::Match match;
  if (reader.has("sha256")) {
    match.sha256 = reader.text("sha256", [](const std::string& text) -> std::string {
      return is_sha256(text) ? "" : "must be 64 hexadecimal digits in lower case";
    });
  } else if (reader.has("package")) {
    match.package = reader.text("package", not_empty("the package is named by it"));
    match.version = reader.text("version", not_empty("other versions of the package are not meant"));
  } else if (reader.has("kb")) {
    match.kb = reader.text("kb", [](const std::string& text) -> std::string {
      const bool is_kb =
          text.size() > 2 && text.starts_with("KB") && text.find_first_not_of("0123456789", 2) == std::string::npos;
      return is_kb ? "" : "must be KB and a number";
    });
    match.os = reader.text_or("os", "");
  } else if (json.is_object()) {
    problems.push_back({pointer, "must have 'sha256', 'package' and 'version', or 'kb'"});
    return match;
  }
  reader.finish();
  return match;
}

}  // namespace

Result<KnownBad> read_known_bad(const std::filesystem::path& path) {
  PATCHLAB_ASSIGN(const auto text, read_file(path, largest));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, path.string()));
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  KnownBad bad;
  bad.id = reader.text("id", not_empty("answers name it by that"));
  const auto& matches = reader.raw("match");
  if (!matches.is_array() || matches.empty()) {
    reader.problem("match", "must be a list of what is bad, with one entry at least");
  } else {
    for (std::size_t i = 0; i < matches.size(); ++i)
      bad.match.push_back(match_from(matches[i], fmt::format("/match/{}", i), problems));
  }
  const auto state = reader.text("state", [](const std::string& word) -> std::string {
    return word == "open" || word == "fixed" ? "" : "must be open or fixed";
  });
  bad.is_open = state != "fixed";
  bad.fixed_by = reader.text_or("fixed_by", "");
  if (state == "fixed" && bad.fixed_by.empty())
    reader.problem("fixed_by", "must say what fixes it, where the state is fixed");
  bad.symptom = reader.text("symptom", not_empty("whoever reads it must know what breaks"));
  bad.source = reader.text("source", not_empty("whoever doubts it must know where it is from"));
  bad.checks = reader.texts_or_empty("checks");
  reader.finish();
  if (!problems.empty()) return problems_error(path.string(), problems);
  bad.file = {FeedKind::known_bad, path.filename().string(), sha256(text), text.size(), std::nullopt, bad.match.size()};
  return bad;
}

}  // namespace patchlab::process
