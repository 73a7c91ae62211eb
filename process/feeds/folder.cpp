// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/feeds/folder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;

struct Found {
  fs::path path;
  std::string name;  // below the folder
};
using FoundFiles = std::map<FeedKind, std::vector<Found>>;

Error no_feed(const fs::path& path) {
  return configuration_error(fmt::format("'{}' is no feed that is known, by how it begins", printable(path.string())),
                             "fetch it again, or take it out of the folder; docs/process/feeds.md lists the feeds");
}

Error link_to_folder(const fs::path& path) {
  return configuration_error(
      fmt::format("'{}' is a link to a folder: what is in there is not looked at", printable(path.string())),
      "put the folder itself there");
}

// A broken file is the one thing that somebody can do something about.
Error with_next_step(Error error, FeedKind kind) {
  if (error.error_class == ErrorClass::configuration && error.hint.empty()) {
    error.hint = kind == FeedKind::known_bad ? "mend it; docs/process/feeds.md says how one is written"
                                             : "fetch it again: it is not whole, or was changed";
  }
  return error;
}

Result<FeedKind> kind_of(const fs::path& path) {
  PATCHLAB_ASSIGN(const auto kind, feed_kind_of(path));
  if (!kind) return no_feed(path);
  return *kind;
}

// Hidden files are not looked at: mirrors keep notes of their own in them.
Result<FoundFiles> files_below(const fs::path& folder) {
  if (!is_folder(folder)) {
    return configuration_error(
        fmt::format("'{}' is no folder: feeds are looked for there", printable(folder.string())),
        "name the folder of feeds with --feeds; docs/process/feeds.md says what belongs into it");
  }
  PATCHLAB_ASSIGN(const auto entries, entries_below(folder));
  FoundFiles found;
  for (const auto& entry : entries) {
    const auto name = entry.lexically_relative(folder);
    const bool is_hidden =
        std::ranges::any_of(name, [](const fs::path& part) { return part.native().starts_with('.'); });
    if (is_hidden) continue;
    if (is_folder(entry)) {
      // What lies behind a link is not walked through, and would be missing without a word.
      if (status_of(entry).type() == fs::file_type::symlink) return link_to_folder(entry);
      continue;
    }
    PATCHLAB_ASSIGN(const auto kind, kind_of(entry));
    found[kind].push_back({entry, name.string()});
  }
  return found;
}

// A day off is a time zone, more is a clock or a file that is wrong.
Result<void> check_date(const FeedFile& file, const fs::path& path, Day today) {
  if (!file.date || *file.date <= today + std::chrono::days(1)) return {};
  return configuration_error(fmt::format("{}: its date is {} ({}), and today is {}", printable(path.string()),
                                         day_text(*file.date), traits_of(file.kind).date_is, day_text(today)),
                             "fetch it again, and look at the clock of this machine");
}

class Reading {
 public:
  Reading(const FeedsWanted& wanted, FoundFiles found) : wanted_(wanted), found_(std::move(found)) {}

  Result<Feeds> run() {
    PATCHLAB_TRY(tracker());
    PATCHLAB_TRY(catalogue());
    PATCHLAB_TRY(microsoft());
    PATCHLAB_TRY(kev());
    PATCHLAB_TRY(epss());
    PATCHLAB_TRY(records());
    PATCHLAB_TRY(known_bad());
    return std::move(feeds_);
  }

 private:
  // Each file of the kind by `read`, newest first.
  template <class T>
  Result<std::vector<T>> all(FeedKind kind, const std::function<Result<T>(const fs::path&)>& read) {
    std::vector<T> values;
    for (const auto& found : found_[kind]) {
      auto value = read(found.path);
      if (!value) return with_next_step(std::move(value).error(), kind);
      value->file.name = found.name;
      PATCHLAB_TRY(check_date(value->file, found.path, wanted_.today));
      values.push_back(std::move(*value));
    }
    std::ranges::stable_sort(values, [](const T& a, const T& b) { return a.file.date > b.file.date; });
    return values;
  }

  template <class T>
  bool judge(FeedKind kind, const std::vector<T>& values) {
    const auto& traits = traits_of(kind);
    FeedState state;
    state.kind = kind;
    state.max_age_days = traits.max_age_days == 0 ? 0 : wanted_.max_age_days.value_or(traits.max_age_days);
    for (const auto& value : values) state.files.push_back(value.file);
    if (!state.files.empty()) state.date = state.files.front().date;
    if (state.date) state.age_days = std::max<long>(0, (wanted_.today - *state.date).count());
    const bool is_of_windows = kind == FeedKind::windows_catalogue || kind == FeedKind::msrc;
    const bool must_be_there = is_of_windows ? !wanted_.windows_products.empty() : traits.must_be_there;
    if (state.files.empty() && must_be_there) {
      state.unusable = "is not there";
    } else if (state.date && state.age_days > state.max_age_days) {
      state.unusable = fmt::format("is of {}, {} old: at most {} are believed", day_text(*state.date),
                                   days_text(state.age_days), days_text(state.max_age_days));
    }
    const bool usable = state.usable();
    feeds_.states.push_back(std::move(state));
    return usable && !values.empty();
  }

  Result<void> tracker() {
    const auto wanted = [&](const std::string& source) { return wanted_.sources.contains(source); };
    PATCHLAB_ASSIGN(auto values, all<Tracker>(FeedKind::debian_tracker,
                                              [&](const fs::path& path) { return read_tracker(path, wanted); }));
    if (!judge(FeedKind::debian_tracker, values)) return {};
    feeds_.tracker_releases = std::move(values.front().releases);
    for (auto& entry : values.front().entries) feeds_.tracker[entry.source].push_back(std::move(entry));
    return {};
  }
  Result<void> catalogue() {
    patches::CatalogueScope scope;
    for (const auto& [guid, name] : wanted_.windows_products) scope.products.insert(guid);
    PATCHLAB_ASSIGN(auto values, all<WindowsCatalogue>(FeedKind::windows_catalogue, [&](const fs::path& path) {
                      return read_windows_catalogue(path, scope);
                    }));
    if (judge(FeedKind::windows_catalogue, values)) feeds_.catalogue = std::move(values.front().catalogue);
    return {};
  }
  // Of an advisory that is there more than once the newest counts.
  Result<void> microsoft() {
    const auto wanted = [&](const std::string& product) {
      return std::ranges::any_of(wanted_.windows_products, [&](const auto& one) { return one.second == product; });
    };
    PATCHLAB_ASSIGN(auto values,
                    all<MsrcAdvisory>(FeedKind::msrc, [&](const fs::path& path) { return read_msrc(path, wanted); }));
    if (!judge(FeedKind::msrc, values)) return {};
    std::set<std::string> seen;
    for (auto& value : values) {
      if (!seen.insert(value.id).second) continue;
      for (auto& [cve, one] : value.vulnerabilities) feeds_.microsoft.try_emplace(cve, one);
      std::ranges::move(value.fixes, std::back_inserter(feeds_.fixes));
    }
    return {};
  }
  Result<void> kev() {
    PATCHLAB_ASSIGN(auto values, all<Kev>(FeedKind::kev, [](const fs::path& path) { return read_kev(path); }));
    if (judge(FeedKind::kev, values)) feeds_.kev = std::move(values.front().added);
    return {};
  }
  // The tracker and Microsoft have told by now what else is of interest.
  Result<void> epss() {
    auto cves = wanted_.cves;
    for (const auto& [source, entries] : feeds_.tracker) {
      for (const auto& entry : entries) cves.insert(entry.vulnerability);
    }
    for (const auto& fix : feeds_.fixes) cves.insert(fix.cve);
    if (feeds_.catalogue) {
      for (const auto& update : feeds_.catalogue->updates) cves.insert(update.cves.begin(), update.cves.end());
    }
    const auto wanted = [&](const std::string& cve) { return cves.contains(cve); };
    PATCHLAB_ASSIGN(auto values,
                    all<Epss>(FeedKind::epss, [&](const fs::path& path) { return read_epss(path, wanted); }));
    if (judge(FeedKind::epss, values)) feeds_.epss = std::move(values.front().scores);
    return {};
  }
  Result<void> records() {
    PATCHLAB_ASSIGN(auto values,
                    all<CveRecord>(FeedKind::cve_records, [](const fs::path& path) { return read_cve_record(path); }));
    if (!judge(FeedKind::cve_records, values)) return {};
    for (auto& value : values) feeds_.records.try_emplace(value.cve, value);  // the newest is first
    return {};
  }
  Result<void> known_bad() {
    PATCHLAB_ASSIGN(auto values,
                    all<KnownBad>(FeedKind::known_bad, [](const fs::path& path) { return read_known_bad(path); }));
    std::map<std::string, std::string> file_of;
    for (const auto& value : values) {
      const auto [before, is_new] = file_of.emplace(value.id, value.file.name);
      if (!is_new) {
        return configuration_error(
            fmt::format("'{}' and '{}' are both called '{}'", before->second, value.file.name, printable(value.id)),
            "give one of them another id");
      }
    }
    judge(FeedKind::known_bad, values);
    feeds_.known_bad = std::move(values);
    return {};
  }

  const FeedsWanted& wanted_;
  FoundFiles found_;
  Feeds feeds_;
};

Result<FeedFile> read_whole(FeedKind kind, const fs::path& file) {
  const auto file_of = [&](auto read) -> Result<FeedFile> {
    if (!read) return with_next_step(std::move(read).error(), kind);
    return read->file;
  };
  const auto nothing = [](const std::string&) { return false; };
  switch (kind) {
    case FeedKind::kev: return file_of(read_kev(file));
    case FeedKind::epss: return file_of(read_epss(file, nothing));
    case FeedKind::debian_tracker: return file_of(read_tracker(file, nothing));
    case FeedKind::windows_catalogue: return file_of(read_windows_catalogue(file, {{}, true}));
    case FeedKind::msrc: return file_of(read_msrc(file, nothing));
    case FeedKind::cve_records: return file_of(read_cve_record(file));
    case FeedKind::known_bad: return file_of(read_known_bad(file));
  }
  return no_feed(file);
}

}  // namespace

const FeedState& Feeds::state(FeedKind kind) const { return *std::ranges::find(states, kind, &FeedState::kind); }

Result<Feeds> read_feeds(const fs::path& folder, const FeedsWanted& wanted) {
  PATCHLAB_ASSIGN(auto found, files_below(folder));
  return Reading(wanted, std::move(found)).run();
}

Feeds no_feeds(const FeedsWanted& wanted) { return Reading(wanted, {}).run().value(); }

Result<FeedFile> check_feed(const fs::path& file, Day today) {
  PATCHLAB_ASSIGN(const auto kind, kind_of(file));
  PATCHLAB_ASSIGN(auto read, read_whole(kind, file));
  PATCHLAB_TRY(check_date(read, file, today));
  return read;
}

void to_json(Json& json, const FeedFile& file) {
  json = {{"kind", traits_of(file.kind).name},
          {"file", file.name},
          {"sha256", file.sha256},
          {"bytes", file.bytes},
          {"date", file.date ? Json(day_text(*file.date)) : Json()},
          {"entries", file.entries}};
}

// Of thousands of records the newest are named, and the digest is over all.
void to_json(Json& json, const FeedState& state) {
  constexpr std::size_t most_named = 20;
  const std::vector<FeedFile> named(
      state.files.begin(), state.files.begin() + static_cast<std::ptrdiff_t>(std::min(most_named, state.files.size())));
  std::set<std::string> all;
  for (const auto& file : state.files) all.insert(file.name + " " + file.sha256);
  DigestBuilder digest;
  for (const auto& file : all) digest.add(file);
  json = {{"kind", traits_of(state.kind).name},
          {"title", traits_of(state.kind).title},
          {"tells", traits_of(state.kind).tells},
          {"usable", state.usable()},
          {"why", state.unusable},
          {"date", state.date ? Json(day_text(*state.date)) : Json()},
          {"date_is", traits_of(state.kind).date_is},
          {"age_days", state.date ? Json(state.age_days) : Json()},
          {"max_age_days", state.max_age_days == 0 ? Json() : Json(state.max_age_days)},
          {"count", state.files.size()},
          {"digest", digest.finish()},
          {"files", named}};
}

}  // namespace patchlab::process
