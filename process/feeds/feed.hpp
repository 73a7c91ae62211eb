// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// Feeds: files that others publish about vulnerabilities, carried into a folder by whoever has a network.
namespace patchlab::process {

using Day = std::chrono::sys_days;

enum class FeedKind { kev, epss, debian_tracker, windows_catalogue, msrc, cve_records, known_bad };

// What is so of all feeds of a kind.
struct FeedTraits {
  FeedKind kind;
  const char* name;      // in answers: "kev"
  const char* title;     // for readers
  const char* tells;     // what is unknown without it
  int max_age_days;      // older ones answer nothing; 0: of any age
  bool must_be_there;    // a folder without it is a finding; those of Windows where a machine of it is asked for
  const char* date_is;   // where its date is from
  const char* get_from;  // the next step, when it is not there
};
// A row for each kind, in the order in which they are read.
[[nodiscard]] const std::vector<FeedTraits>& feed_kinds();
[[nodiscard]] const FeedTraits& traits_of(FeedKind kind);

// One file, read to its end.
struct FeedFile {
  FeedKind kind = FeedKind::kev;
  std::string name;  // below the folder of feeds
  std::string sha256;
  std::uintmax_t bytes = 0;
  std::optional<Day> date;  // nothing: it says none, and needs none
  std::size_t entries = 0;
  bool operator==(const FeedFile&) const = default;
};

// What a file is, by how it begins; nothing: no feed that is known. An error when it cannot be read.
[[nodiscard]] Result<std::optional<FeedKind>> feed_kind_of(const std::filesystem::path& file);

// "CVE-2026-1234": the year, and four to ten digits.
[[nodiscard]] bool is_cve(std::string_view text);
// "2026-11-27", or what begins so and goes on with a 'T' or a blank: the day.
[[nodiscard]] std::optional<Day> day_in(std::string_view text);
[[nodiscard]] std::string day_text(Day day);
// "7 days", "1 day"
[[nodiscard]] std::string days_text(long days);

}  // namespace patchlab::process
