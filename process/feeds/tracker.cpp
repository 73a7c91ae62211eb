// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include "lab/core/debian_version.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json_items.hpp"
#include "lab/core/printable.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {
namespace {

// Debian has had fewer than thirty. Names are kept, so a file that makes up more is refused.
constexpr std::size_t most_releases = 1000;

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string take_release(const std::string& release, const Json& said, TrackerEntry& entry) {
  const auto where = fmt::format("'{}' of {} in {}", release, entry.vulnerability, entry.source);
  if (!said.is_object()) return where + " must be an object";
  entry.release = release;
  const auto status = text_in(said, "status");
  if (status == "open") {
    entry.status = TrackerEntry::Status::open;
  } else if (status == "resolved") {
    entry.status = TrackerEntry::Status::resolved;
  } else if (status == "undetermined") {
    entry.status = TrackerEntry::Status::undetermined;
  } else {
    return fmt::format("{}: 'status' must be open, resolved or undetermined, found '{}'", where, status);
  }
  entry.fixed_version = text_in(said, "fixed_version");
  if (entry.status == TrackerEntry::Status::resolved && entry.fixed_version.empty())
    return where + " is resolved, and has no 'fixed_version'";
  if (!entry.fixed_version.empty() && !version_parts(entry.fixed_version))
    return fmt::format("{}: 'fixed_version' '{}' is no version", where, entry.fixed_version);
  entry.urgency = text_in(said, "urgency");
  entry.no_dsa = said.contains("nodsa");
  return {};
}

// All is looked at, whoever wants it: a file that is broken somewhere is believed nowhere.
std::string take(const JsonItem& item, const std::function<bool(const std::string&)>& wanted, Tracker& tracker) {
  if (item.path.size() != 2 || item.in_list) return "must be an object of source packages, each with vulnerabilities";
  TrackerEntry entry;
  entry.source = item.path[0];
  entry.vulnerability = item.path[1];
  if (!is_cve(entry.vulnerability) && !entry.vulnerability.starts_with("TEMP-"))
    return fmt::format("'{}' is no number of a vulnerability", entry.vulnerability);
  const auto releases = item.value.is_object() ? item.value.find("releases") : item.value.end();
  if (!item.value.is_object() || releases == item.value.end() || !releases->is_object())
    return "must have 'releases', an object";
  const bool kept = wanted(entry.source);
  ++tracker.file.entries;
  for (const auto& [release, said] : releases->items()) {
    auto one = entry;
    if (auto what = take_release(release, said, one); !what.empty()) return what;
    tracker.releases.insert(release);
    if (tracker.releases.size() > most_releases) return fmt::format("names more than {} releases", most_releases);
    if (kept) tracker.entries.push_back(std::move(one));
  }
  return {};
}

}  // namespace

Result<Tracker> read_tracker(const std::filesystem::path& path,
                             const std::function<bool(const std::string& source)>& wanted) {
  Tracker tracker;
  PATCHLAB_ASSIGN(const auto read, read_json_items(path, {.depth = 2, .file_bytes = std::uintmax_t{2} << 30U},
                                                   [&](const JsonItem& item) { return take(item, wanted, tracker); }));
  if (tracker.file.entries == 0) {
    return configuration_error(fmt::format("{}: /: names no vulnerability", printable(path.string())),
                               "fetch it again: it is not whole, or another file");
  }
  // The tracker says nowhere how old it is.
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return input_error(path, errno);
  const auto time = std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec);
  tracker.file = {FeedKind::debian_tracker,
                  path.filename().string(),
                  read.sha256,
                  read.bytes,
                  std::chrono::floor<std::chrono::days>(time),
                  tracker.file.entries};
  return tracker;
}

}  // namespace patchlab::process
