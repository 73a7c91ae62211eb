// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/feeds/feed.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "lab/core/files.hpp"
#include "lab/core/json_items.hpp"
#include "lab/core/time.hpp"

namespace patchlab::process {
namespace {

// Of a Debian tracker the first vulnerability stands within the first few hundred bytes; a CVE record says first what
// it is.
constexpr std::size_t looked_at = 256U << 10U;

Result<std::string> beginning_of(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto input, open_input(file));
  std::string text(looked_at, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto count = ::read(input.file.get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + file.string() + "'", errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

}  // namespace

const std::vector<FeedTraits>& feed_kinds() {
  // CISA's catalogue is published when something is added, a few times a week; scores each day; the tracker several
  // times a day; of records the newest counts; what is of Microsoft on the second Tuesday of a month at the latest.
  static const std::vector<FeedTraits> all{
      {FeedKind::debian_tracker, "debian-tracker", "Debian security tracker",
       "which vulnerabilities Debian has fixed in which version", 7, true, "the file's time",
       "https://security-tracker.debian.org/tracker/data/json"},
      {FeedKind::windows_catalogue, "windows-catalogue", "Microsoft's offline catalogue",
       "which updates there are for Windows, and which replace which", 35, false, "CreationDate of its package.xml",
       "https://go.microsoft.com/fwlink/?LinkID=74689"},
      {FeedKind::msrc, "msrc", "Microsoft's security advisories (CSAF)",
       "which vulnerabilities the updates of Windows close", 35, false, "current_release_date of the newest advisory",
       "https://msrc.microsoft.com/csaf/advisories"},
      {FeedKind::kev, "kev", "CISA known exploited vulnerabilities", "which vulnerabilities are exploited", 14, true,
       "dateReleased", "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"},
      {FeedKind::epss, "epss", "EPSS scores", "how likely a vulnerability is to be exploited", 7, true, "score_date",
       "https://epss.empiricalsecurity.com/epss_scores-YYYY-MM-DD.csv.gz"},
      {FeedKind::cve_records, "cve-records", "CVE records with CISA's Vulnrichment",
       "whether an attack can be automated, and its technical impact", 30, true, "dateUpdated of the newest record",
       "https://github.com/cisagov/vulnrichment"},
      {FeedKind::known_bad, "known-bad", "updates known to be bad", "which updates are known to break something", 0,
       false, "none", "docs/process/feeds.md says how one is written"},
  };
  return all;
}

const FeedTraits& traits_of(FeedKind kind) { return *std::ranges::find(feed_kinds(), kind, &FeedTraits::kind); }

Result<std::optional<FeedKind>> feed_kind_of(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto text, beginning_of(file));
  if (text.starts_with("\x1f\x8b")) return std::optional(FeedKind::epss);
  if (text.starts_with("MSCF")) return std::optional(FeedKind::windows_catalogue);
  const auto keys = first_json_keys(text);
  const auto has = [&](std::string_view key) {
    return std::ranges::any_of(keys, [&](const auto& path) { return path.size() == 1 && path[0] == key; });
  };
  if (has("catalogVersion") || has("dateReleased")) return std::optional(FeedKind::kev);
  const std::vector<std::string> csaf{"document", "csaf_version"};
  if (std::ranges::find(keys, csaf) != keys.end()) return std::optional(FeedKind::msrc);
  if (has("cveMetadata") || has("dataVersion")) return std::optional(FeedKind::cve_records);
  if (has("match") || has("symptom")) return std::optional(FeedKind::known_bad);
  const bool names_vulnerabilities = std::ranges::any_of(
      keys, [](const auto& path) { return path.size() == 2 && (is_cve(path[1]) || path[1].starts_with("TEMP-")); });
  if (names_vulnerabilities) return std::optional(FeedKind::debian_tracker);
  return std::optional<FeedKind>();
}

bool is_cve(std::string_view text) {
  const auto digits = [](std::string_view part) {
    return part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return text.size() >= 13 && text.size() <= 19 && text.starts_with("CVE-") && digits(text.substr(4, 4)) &&
         text[8] == '-' && digits(text.substr(9));
}

std::optional<Day> day_in(std::string_view text) {
  if (text.size() > 10 && text[10] != 'T' && text[10] != ' ') return std::nullopt;
  const auto moment = parse_rfc3339(std::string(text.substr(0, 10)) + "T00:00:00Z");
  if (!moment || text.size() < 10) return std::nullopt;
  return std::chrono::floor<std::chrono::days>(*moment);
}

std::string day_text(Day day) { return rfc3339(day).substr(0, 10); }

std::string days_text(long days) { return fmt::format("{} day{}", days, days == 1 ? "" : "s"); }

}  // namespace patchlab::process
