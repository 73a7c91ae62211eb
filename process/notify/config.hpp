// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "process/notify/event.hpp"

// What `patchlab notify` looks at and whom it tells (schema notify).
namespace patchlab::process {

inline constexpr const char* notify_schema = "patchlab/notify/v1";

// Nothing given: that is not looked at. Paths are absolute, or from the folder of the configuration.
struct LookAt {
  std::filesystem::path stage;
  std::filesystem::path runs;
  std::filesystem::path lab_cache;  // of another user who runs the lab
  std::int64_t newest_runs = 20;
  std::filesystem::path feeds;
  std::optional<int> feeds_max_age_days;
  std::filesystem::path scan;                     // what `patchlab scan --json` printed
  std::optional<std::int64_t> scan_max_age_days;  // nothing: as long as its timer may wait
  std::filesystem::path calendar;
  std::filesystem::path schedule;          // folder of the units that `patchlab schedule install` wrote
  std::chrono::hours reported_within{24};  // machines report so long after a window
  bool night = true;                       // of the stage: whether a run of the whole scenario told something lately
  std::chrono::hours warning{26};
  std::chrono::hours critical{50};
  std::int64_t free_gib = 0;  // of the cache; 0: it is not looked at
};

struct Webhook {
  std::string url;
  std::filesystem::path secret;  // file with "whsec_" and base64
  std::filesystem::path ca;      // empty: the system's
  std::string proxy;             // empty: none
};
struct Mailbox {
  enum class Security { starttls, tls, none };
  std::string server;
  std::uint16_t port = 587;
  Security security = Security::starttls;
  std::string user;
  std::filesystem::path password;  // file
  std::filesystem::path ca;
  std::string from;
  std::vector<std::string> to;
  std::chrono::minutes digest{60};  // at most one mail in so long
};
[[nodiscard]] const char* to_string(Mailbox::Security security);

struct Receiver {
  std::string name;
  std::variant<Webhook, Mailbox> how;
  std::optional<std::set<EventKind>> kinds;  // nothing: all
  std::chrono::seconds patience{20};         // of one delivery
  [[nodiscard]] bool wants(EventKind kind) const { return !kinds || kinds->contains(kind); }
};

struct NotifyConfig {
  std::string source;  // of every event: which lab
  std::filesystem::path outbox;
  LookAt look_at;
  std::vector<Receiver> receivers;
  std::chrono::seconds first_delay{60};
  std::chrono::seconds most_delay{std::chrono::hours(6)};
  std::chrono::seconds round{300};  // shared fairly: no delivery but a receiver's first one begins later
};

// Strict: a key that nobody knows is an error. Errors (configuration) name file, place and what is allowed.
[[nodiscard]] Result<NotifyConfig> parse_notify_config(const std::string& text, const std::filesystem::path& file);
[[nodiscard]] Result<NotifyConfig> read_notify_config(const std::filesystem::path& file);

// The only line of a file that nobody but its owner may read. Errors (configuration) do not show it.
[[nodiscard]] Result<std::string> read_secret(const std::filesystem::path& file);

}  // namespace patchlab::process
