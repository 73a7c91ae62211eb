// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_notes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

// The digest is that of the file's bytes.
std::string file_name_of(const std::string& run, const std::string& note, const std::string& text) {
  auto name = fmt::format("{}.{}.{}.json", run, note, sha256(text));
  std::ranges::replace(name, '/', '.');
  return name;
}

}  // namespace

KeptNotes::KeptNotes(Sort sort, Place place, const Clock& clock, Tell tell)
    : sort_(std::move(sort)), place_(std::move(place)), clock_(clock), tell_(std::move(tell)) {}

fs::path KeptNotes::folder_of(const std::string& key) const {
  return place_.folder / sha256(place_.asked_by + "\n" + key);
}

// Names begin with the run, and runs with the time, so the latest come last.
void KeptNotes::read(const std::string& key, const std::function<bool(const Note&)>& take) {
  if (place_.most_age <= Milliseconds{0} || !place_.reads) return;
  auto files = entries_of(folder_of(key));
  if (!files) return;  // nobody has kept any
  std::ranges::sort(*files, std::ranges::greater{});
  for (const auto& file : *files) {
    if (!file.filename().native().starts_with(place_.run + ".")) read_one(file, key, take);
  }
}

void KeptNotes::read_one(const fs::path& file, const std::string& key, const std::function<bool(const Note&)>& take) {
  const auto refuse = [&](const std::string& why) {
    tell_(fmt::format("the kept {} '{}' is not used, and removed: {}", sort_.noun, file.string(), why));
    (void)remove_tree(file);
  };
  const auto text = read_file(file, 64U << 20U, Links::refuse);
  if (!text) return refuse(text.error().message);
  const auto json = parse_json(*text, file.string(), JsonTexts::any);
  if (!json) return refuse(json.error().message);
  std::vector<JsonProblem> problems;
  JsonReader reader(*json, "", problems);
  const auto schema = reader.text("schema");
  const auto of_key = reader.text("key");
  const auto kept = parse_rfc3339(reader.text("kept"));
  Note note{.run = reader.text("run"), .name = reader.text("name"), .kept = {}, .what = reader.raw("what")};
  reader.finish();
  constexpr const char* another = "it is not what its name says";
  const bool is_it = problems.empty() && schema == sort_.schema && of_key == key && kept &&
                     file.filename() == file_name_of(note.run, note.name, *text);
  if (!is_it) return refuse(another);
  note.kept = *kept;
  const auto age = clock_.wall() - note.kept;
  if (age < age.zero() || age > place_.most_age) return;
  if (!take(note)) refuse(another);
}

void KeptNotes::keep(const std::string& key, const std::string& name, const Json& what) {
  if (place_.most_age <= Milliseconds{0}) return;
  const auto text = pretty({{"schema", sort_.schema},
                            {"key", key},
                            {"run", place_.run},
                            {"name", name},
                            {"kept", rfc3339(clock_.wall())},
                            {"what", what}});
  const auto folder = folder_of(key);
  auto kept = create_folders(folder);
  if (kept) kept = write_file_atomically(folder / file_name_of(place_.run, name, text), text);
  const std::lock_guard lock(mutex_);
  if (kept || std::exchange(told_trouble_, true)) return;
  tell_(fmt::format("the {}s of this run are not kept for the next: {}", sort_.noun, kept.error().message));
}

void KeptNotes::trim() {
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
