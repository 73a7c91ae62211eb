// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/acquire/wanted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

constexpr const char* schema = "patchlab/wanted/v1";
constexpr std::int64_t largest_file = std::int64_t{1} << 40U;

// It becomes the name of a file.
std::string name_rule(const std::string& name) {
  const bool is_plain = !name.empty() && name.size() <= 200 && name.front() != '.' &&
                        name.find_first_of(std::string("/\\\0", 3)) == std::string::npos && printable(name) == name;
  return is_plain ? "" : "must be the name of a file, without a folder, at most 200 characters";
}
std::string digest_rule(const std::string& text, std::size_t length) {
  const bool is_one = text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_one ? "" : fmt::format("must be {} hex digits in lower case", length);
}

}  // namespace

Result<std::vector<WantedFile>> parse_wanted(const Json& json, const std::string& file_name) {
  std::vector<JsonProblem> problems;
  std::vector<WantedFile> files;
  JsonReader reader(json, "", problems);
  if (reader.text("schema") != schema) reader.problem("schema", fmt::format("must be '{}'", schema));
  const auto& list = reader.raw("files");
  if (!list.is_array() || list.empty()) reader.problem("files", "must be a list with at least one file");
  std::set<std::string> seen;
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
    JsonReader one(list[i], fmt::format("/files/{}", i), problems);
    WantedFile file;
    file.name = one.text("name", name_rule);
    file.sha256 = one.text("sha256", [](const std::string& text) { return digest_rule(text, 64); });
    file.sha1 = one.text_or("sha1", "", [](const std::string& text) { return digest_rule(text, 40); });
    if (one.has("bytes")) file.bytes = static_cast<std::uint64_t>(one.integer("bytes", 1, largest_file));
    file.kb = one.text_or("kb", "", not_empty("the number that the package says of itself: KB5035968"));
    file.item = one.text_or("item", "", not_empty("the update that it is of"));
    file.from = one.text_or("from", "", not_empty("where it is to be had"));
    one.finish();
    if (!file.name.empty() && !seen.insert(file.name).second) one.problem("name", "is there twice");
    if (!file.sha256.empty() && !seen.insert(file.sha256).second) one.problem("sha256", "is there twice");
    files.push_back(std::move(file));
  }
  reader.finish();
  if (!problems.empty()) return problems_error(file_name, problems);
  return files;
}

}  // namespace patchlab::process
