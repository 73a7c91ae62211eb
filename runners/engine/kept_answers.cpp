// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_answers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;
constexpr const char* schema = "patchlab/answer/v1";

bool is_answer(const reports::TrialRecord& record) {
  return (record.outcome == Outcome::pass || record.outcome == Outcome::fail) && record.reused_from.empty();
}

// The digest is that of the file's bytes.
std::string file_name_of(const std::string& run, const std::string& trial, const std::string& text) {
  auto name = fmt::format("{}.{}.{}.json", run, trial, sha256(text));
  std::ranges::replace(name, '/', '.');
  return name;
}

}  // namespace

KeptAnswers::KeptAnswers(Place place, const Clock& clock, Tell tell)
    : place_(std::move(place)), clock_(clock), tell_(std::move(tell)) {}

fs::path KeptAnswers::folder_of(const std::string& key) const {
  return place_.folder / sha256(place_.asked_by + "\n" + key);
}

std::optional<reports::TrialRecord> KeptAnswers::earlier(const std::string& key, std::size_t number) {
  if (place_.most_age <= Milliseconds{0}) return std::nullopt;
  const std::lock_guard lock(mutex_);
  auto known = known_.find(key);
  if (known == known_.end()) known = known_.emplace(key, read_all(key)).first;
  return number < known->second.size() ? std::optional(known->second[number]) : std::nullopt;
}

// Names begin with the run, and runs with the time, so the latest come last.
std::vector<reports::TrialRecord> KeptAnswers::read_all(const std::string& key) {
  std::vector<reports::TrialRecord> records;
  auto files = entries_of(folder_of(key));
  if (!files) return records;  // nobody has asked
  std::ranges::sort(*files, std::ranges::greater{});
  for (const auto& file : *files) {
    if (file.filename().native().starts_with(place_.run + ".")) continue;
    if (auto record = read(file, key)) records.push_back(std::move(*record));
  }
  return records;
}

std::optional<reports::TrialRecord> KeptAnswers::read(const fs::path& file, const std::string& key) {
  const auto refuse = [&](const std::string& why) {
    tell_(fmt::format("the kept answer '{}' is not used, and removed: {}", file.string(), why));
    (void)remove_tree(file);
    return std::nullopt;
  };
  const auto text = read_file(file, 64U << 20U, Links::refuse);
  if (!text) return refuse(text.error().message);
  const auto json = parse_json(*text, file.string(), JsonTexts::any);
  if (!json) return refuse(json.error().message);
  std::vector<JsonProblem> problems;
  JsonReader reader(*json, "", problems);
  const auto what = reader.text("schema");
  const auto of_key = reader.text("key");
  const auto run = reader.text("run");
  const auto kept = parse_rfc3339(reader.text("kept"));
  auto record = reports::trial_record_from_json(reader.raw("record"));
  reader.finish();
  if (!record) return refuse(record.error().message);
  const bool fits = problems.empty() && what == schema && of_key == key && kept && is_answer(*record);
  if (!fits || file.filename() != file_name_of(run, record->id, *text)) return refuse("it is not what its name says");
  const auto age = clock_.wall() - *kept;
  if (age < age.zero() || age > place_.most_age) return std::nullopt;
  record->reused_run = run;
  record->reused_from = record->id;
  record->evidence_folder.clear();
  return std::move(*record);
}

void KeptAnswers::keep(const std::string& key, const reports::TrialRecord& record) {
  if (place_.most_age <= Milliseconds{0} || !is_answer(record)) return;
  const auto text = pretty(
      {{"schema", schema}, {"key", key}, {"run", place_.run}, {"kept", rfc3339(clock_.wall())}, {"record", record}});
  const auto folder = folder_of(key);
  auto kept = create_folders(folder);
  if (kept) kept = write_file_atomically(folder / file_name_of(place_.run, record.id, text), text);
  const std::lock_guard lock(mutex_);
  if (kept || std::exchange(told_trouble_, true)) return;
  tell_("the answers of this run are not kept for the next: " + kept.error().message);
}

void KeptAnswers::trim() {
  struct File {
    fs::path path;
    fs::file_time_type written;
    std::uintmax_t bytes = 0;
  };
  std::vector<File> files;
  std::uintmax_t sum = 0;
  for (const auto& folder : entries_of(place_.folder).value_or({})) {
    for (const auto& path : entries_of(folder).value_or({})) {
      std::error_code code;
      File file{path, fs::last_write_time(path, code), 0};
      if (!code) file.bytes = fs::file_size(path, code);
      if (code) continue;  // somebody else trims, too
      sum += file.bytes;
      files.push_back(std::move(file));
    }
  }
  std::ranges::sort(files, {}, &File::written);
  for (const auto& file : files) {
    if (sum <= place_.most_bytes) break;
    if (remove_tree(file.path)) sum -= file.bytes;
  }
  for (const auto& folder : entries_of(place_.folder).value_or({})) {
    std::error_code code;
    fs::remove(folder, code);  // only when it is empty
  }
}

}  // namespace patchlab::runners
