// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/kept_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "reports/record/carried.hpp"

namespace patchlab::reports {

namespace fs = std::filesystem;

namespace {

// In place of a regular file.
std::string what_it_is(const fs::file_status& status) {
  switch (status.type()) {
    case fs::file_type::symlink: return "is a symbolic link, and not the file that the run kept";
    case fs::file_type::directory: return "is a folder, and not the file that the run kept";
    case fs::file_type::fifo: return "is a named pipe, and not the file that the run kept";
    default: return "is no regular file, and not what the run kept";
  }
}

std::string name_in(const fs::path& folder, const fs::path& entry) {
  return entry.lexically_relative(folder).generic_string();
}

}  // namespace

bool is_kept_name(std::string_view name) {
  constexpr std::size_t longest = 4096;
  if (name.size() > longest || to_valid_utf8(name) != name) return false;
  const auto is_bad = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; };
  if (std::ranges::any_of(name, is_bad)) return false;
  for (std::size_t begin = 0;;) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == name.size()) return true;
    begin = end + 1;
  }
}

Result<std::vector<KeptFile>> kept_files_in(const fs::path& run_folder) {
  std::vector<KeptFile> files;
  PATCHLAB_ASSIGN(const auto entries, entries_below(run_folder));
  for (const auto& entry : entries) {
    const auto status = status_of(entry);
    if (fs::is_directory(status)) continue;
    const auto name = name_in(run_folder, entry);
    if (!is_kept_name(name))
      return infrastructure_error(fmt::format("'{}' is no name that a record can hold", printable(name)));
    if (!fs::is_regular_file(status)) return infrastructure_error(fmt::format("'{}' {}", name, what_it_is(status)));
    PATCHLAB_ASSIGN(const auto digest, sha256_of_file(entry));
    std::error_code code;
    const auto bytes = fs::file_size(entry, code);
    if (code) return errno_error("reading '" + entry.string() + "'", code.value());
    files.push_back({name, bytes, digest});
  }
  std::ranges::sort(files, {}, &KeptFile::name);
  return files;
}

std::vector<KeptFile> evidence_of_set(const RunRecord& record, const std::string& department,
                                      const std::vector<std::string>& candidates) {
  std::vector<KeptFile> files;
  if (!record.evidence) return files;
  const auto sorted = [](std::vector<std::string> ids) {
    std::ranges::sort(ids);
    return ids;
  };
  const auto found = find_as_tested(record, department);
  if (found == nullptr) return files;
  const auto rests_on = [&](const TrialRecord& trial, const KeptFile& file) {
    return !trial.evidence_folder.empty() && file.name.starts_with(trial.evidence_folder + "/") &&
           (trial.candidates.empty() || sorted(trial.candidates) == sorted(candidates));
  };
  for (const auto& file : *record.evidence) {
    if (std::ranges::any_of(found->trials, [&](const auto& trial) { return rests_on(trial, file); }))
      files.push_back(file);
  }
  return files;
}

std::vector<std::string> kept_file_problems(const fs::path& folder, const std::vector<KeptFile>& expected) {
  std::vector<std::string> problems;
  std::vector<const KeptFile*> missing;
  for (const auto& file : expected) {
    const auto path = folder / file.name;
    const auto status = status_of(path);
    if (fs::is_regular_file(status)) {
      // What is longer is not read: it may be as long as somebody likes.
      std::error_code code;
      if (const auto bytes = fs::file_size(path, code); !code && bytes != file.bytes) {
        problems.push_back(
            fmt::format("'{}' was edited: it has {} bytes, and the run kept {}", file.name, bytes, file.bytes));
        continue;
      }
      const auto digest = sha256_of_file(path);
      if (!digest) {
        problems.push_back(digest.error().message);
      } else if (*digest != file.sha256) {
        problems.push_back(fmt::format("'{}' was edited: its digest is {}, and the run kept {} ({} bytes)", file.name,
                                       *digest, file.sha256, file.bytes));
      }
    } else if (status.type() == fs::file_type::not_found || status.type() == fs::file_type::none) {
      missing.push_back(&file);
    } else {
      problems.push_back(fmt::format("'{}' {}", file.name, what_it_is(status)));
    }
  }
  const auto is_expected = [&](const std::string& name) {
    return std::ranges::count(expected, name, &KeptFile::name) > 0;
  };
  const auto top = status_of(folder / "evidence");
  const bool is_folder = top.type() == fs::file_type::directory;
  if (top.type() != fs::file_type::not_found && !is_folder)
    problems.push_back(fmt::format("'evidence' {}", what_it_is(top)));
  const auto entries = is_folder ? entries_below(folder / "evidence") : std::vector<fs::path>();
  if (!entries) problems.push_back(entries.error().message);
  for (const auto& entry : entries.value_or({})) {
    const auto status = status_of(entry);
    const auto name = name_in(folder, entry);
    if (fs::is_directory(status) || is_expected(name)) continue;
    if (!fs::is_regular_file(status)) {
      problems.push_back(fmt::format("'{}' {}", printable(name), what_it_is(status)));
      continue;
    }
    std::error_code code;
    const auto bytes = fs::file_size(entry, code);
    const auto old = std::ranges::find_if(missing, [&](const KeptFile* file) {
      if (code || bytes != file->bytes) return false;
      const auto digest = sha256_of_file(entry);
      return digest && *digest == file->sha256;
    });
    if (old != missing.end()) {
      problems.push_back(fmt::format("'{}' was renamed to '{}'", (*old)->name, printable(name)));
      missing.erase(old);
    } else {
      problems.push_back(fmt::format("'{}' was added: the run kept no such file", printable(name)));
    }
  }
  for (const auto* file : missing) problems.push_back(fmt::format("'{}' is missing: the run kept it", file->name));
  return problems;
}

}  // namespace patchlab::reports
