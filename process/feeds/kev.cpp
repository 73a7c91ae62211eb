// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/json_items.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {
namespace {

std::string text_in(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What stands at its top, held against each other when all of it is read.
struct Head {
  std::string version;
  std::optional<Day> released;
  std::optional<std::uint64_t> count;
};

std::string take_head(const JsonItem& item, Head& head) {
  const auto& key = item.path.at(0);
  if (key == "catalogVersion" && item.value.is_string()) head.version = item.value.get<std::string>();
  if (key == "count") {
    if (!item.value.is_number_unsigned()) return "must be a number of entries";
    head.count = item.value.get<std::uint64_t>();
  }
  if (key == "dateReleased") {
    const auto text = item.value.is_string() ? item.value.get<std::string>() : std::string();
    const auto moment = parse_rfc3339(text);
    if (!moment) return fmt::format("'{}' is no moment as RFC 3339 writes it in UTC", text);
    head.released = std::chrono::floor<std::chrono::days>(*moment);
  }
  return {};
}

std::string take_entry(const JsonItem& item, std::map<std::string, Day>& added) {
  const auto cve = text_in(item.value, "cveID");
  if (!is_cve(cve)) return fmt::format("'cveID' must be a CVE number, found '{}'", cve);
  const auto text = text_in(item.value, "dateAdded");
  const auto day = text.size() == 10 ? day_in(text) : std::nullopt;
  if (!day) return fmt::format("'dateAdded' of {} must be a date such as 2026-11-29, found '{}'", cve, text);
  if (!added.emplace(cve, *day).second) return cve + " is there twice";
  return {};
}

}  // namespace

Result<Kev> read_kev(const std::filesystem::path& path) {
  Kev kev;
  Head head;
  bool has_list = false;
  const auto take = [&](const JsonItem& item) -> std::string {
    if (item.path.size() == 2 && item.path[0] == "vulnerabilities") {
      has_list = true;
      return item.in_list ? take_entry(item, kev.added) : "must be a list";
    }
    return item.path.size() == 1 && !item.in_list ? take_head(item, head) : std::string();
  };
  PATCHLAB_ASSIGN(const auto read, read_json_items(path, {.depth = 2, .file_bytes = 256U << 20U}, take));
  const auto wrong = [&](const std::string& pointer, const std::string& what) {
    return configuration_error(fmt::format("{}: {}: {}", printable(path.string()), pointer, printable(what)),
                               "fetch it again: it is not whole, or was changed");
  };
  if (!head.released) return wrong("/", "has no 'dateReleased'");
  if (!head.count) return wrong("/", "has no 'count'");
  if (!has_list) return wrong("/", "has no entry in 'vulnerabilities'");
  if (*head.count != kev.added.size())
    return wrong("/count", fmt::format("says {} entries, and there are {}", *head.count, kev.added.size()));
  std::string version_date = head.version;
  std::ranges::replace(version_date, '.', '-');
  const auto version = day_in(version_date.substr(0, 10));
  // The version is the day in Washington.
  if (!version || *version > *head.released + std::chrono::days(1) || *version < *head.released - std::chrono::days(1))
    return wrong("/catalogVersion",
                 fmt::format("'{}' is not the day of 'dateReleased', {}", head.version, day_text(*head.released)));
  for (const auto& [cve, day] : kev.added) {
    if (day > *head.released + std::chrono::days(1))
      return wrong("/vulnerabilities", fmt::format("{} was added on {}, after the release of {}", cve, day_text(day),
                                                   day_text(*head.released)));
  }
  kev.file = {FeedKind::kev, path.filename().string(), read.sha256, read.bytes, head.released, kev.added.size()};
  return kev;
}

}  // namespace patchlab::process
