// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "lab/core/json.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {

// What is known of one kind of feed today.
struct FeedState {
  FeedKind kind = FeedKind::kev;
  std::vector<FeedFile> files;  // newest first; of records all that are there
  std::optional<Day> date;      // of the newest
  long age_days = 0;
  int max_age_days = 0;
  // Why it answers nothing: it is missing, or too old. Empty: it answers.
  std::string unusable;
  [[nodiscard]] bool usable() const { return unusable.empty(); }
};

// What of the feeds is kept.
struct FeedsWanted {
  Day today;
  std::optional<int> max_age_days;  // instead of what each kind has
  std::set<std::string> sources;    // Debian's source packages
  std::set<std::string> cves;       // beside those that the tracker and Microsoft name of these
  // Of the catalogue: GUID to the name that advisories have for it. Where there is one, the feeds of Windows must be
  // there.
  std::map<std::string, std::string> windows_products;
};

struct Feeds {
  std::vector<FeedState> states;  // in the order of feed_kinds
  std::map<std::string, Day> kev;
  std::map<std::string, EpssScore> epss;
  std::map<std::string, std::vector<TrackerEntry>> tracker;  // by source
  std::set<std::string> tracker_releases;                    // of others it says nothing, also not that all is well
  std::optional<patches::Catalogue> catalogue;               // of the products that were wanted
  std::map<std::string, MsrcVulnerability> microsoft;        // by CVE
  std::vector<MsrcFix> fixes;                                // of the products that were wanted
  std::map<std::string, CveRecord> records;                  // by CVE
  std::vector<KnownBad> known_bad;

  [[nodiscard]] const FeedState& state(FeedKind kind) const;
};

// Reads every file below the folder, whatever it is called. One that is no feed, or broken, is an error: it could be
// the one that matters. A folder that is not there is a configuration error, with what to do. What is too old is told,
// and none of what it says is in the answer.
[[nodiscard]] Result<Feeds> read_feeds(const std::filesystem::path& folder, const FeedsWanted& wanted);
// As of a folder in which nothing is.
[[nodiscard]] Feeds no_feeds(const FeedsWanted& wanted);
// One file by itself, to its end.
[[nodiscard]] Result<FeedFile> check_feed(const std::filesystem::path& file, Day today);

void to_json(Json& json, const FeedFile& file);
void to_json(Json& json, const FeedState& state);

}  // namespace patchlab::process
