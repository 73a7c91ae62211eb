// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"

// What is told to others: a fact that was not told before, as an event (CloudEvents 1.0, structured mode). Pure.
namespace patchlab::process {

using NotifyTime = std::chrono::system_clock::time_point;

enum class EventKind {
  patch_available,
  verdict_ready,
  approval_wanted,
  window_missed,
  deployment_failed,
  feed_stale,
  lab_broken
};
struct EventTraits {
  EventKind kind;
  const char* name;   // of a configuration: "verdict-ready"
  const char* title;  // a heading of a mail
};
// In the order in which a mail tells them: what somebody has to do something about first.
[[nodiscard]] const std::vector<EventTraits>& event_kinds();
[[nodiscard]] const EventTraits& traits_of(EventKind kind);
[[nodiscard]] std::optional<EventKind> event_kind_of(std::string_view name);
// "patchlab.verdict-ready.v1"
[[nodiscard]] std::string event_type(EventKind kind);

// What is measured and has not been seen for so long is another time when it comes back: a disk that is filled and
// emptied around a limit is told once.
inline constexpr std::chrono::hours back_again{6};

// Something that is so, whether it was told or not.
struct News {
  EventKind kind = EventKind::lab_broken;
  std::string subject;  // "finance/20261128-220002-1a2b"
  std::string key;      // with its kind: what makes it another one than what was told before
  // It may end and begin again without another key (an approval that is withdrawn): it is told once each time. Away for
  // less than `away` it has not ended.
  bool lasting = false;
  std::chrono::hours away = back_again;
  // Of what lasts: those that it is so of, of whom one more is news and one less is none; and a day, of which an
  // earlier one is news.
  std::set<std::string> members{};
  std::string due{};
  // It came about at some moment, and is not a state: of those that were there before the first look nothing is told.
  bool happened = false;
  std::string origin{};  // of what happened: which of its source's things, by a name that grows (the id of a run)
  std::string says;      // a sentence without a full stop
  Json data = Json::object();
};

// What one look at one thing found.
struct Sight {
  std::string source;  // "feeds": what was looked at
  std::vector<News> facts;
  std::vector<std::string> trouble;  // sentences: what of it could not be looked at
  bool is_absent = false;            // it is not there: trouble, and yet a look, at nothing
  bool is_partial = false;           // it was looked at and does not know everything: what is not seen has not ended
  // Of things whose names grow (runs): the newest that there is; and when older ones were passed over, the oldest that
  // was looked at.
  std::string newest{};
  std::string oldest{};
  std::set<std::string> open{};  // that have begun and have not come about yet: runs without a record
  [[nodiscard]] bool is_whole() const { return trouble.empty(); }
};

// Since when lasting facts are so, and which sources have been looked at before.
struct Episode {
  std::string source;
  NotifyTime since;
  std::optional<NotifyTime> gone{};  // not seen any more since then
  std::chrono::hours away = back_again;
  std::set<std::string> members{};
  std::string due{};
  bool operator==(const Episode&) const = default;
};
struct FirstLook {
  NotifyTime at;
  std::string oldest{};  // what is older was passed over then
  std::string newest{};  // the newest of the last look
  // That had not come about yet at the last look: newer ones may have come about since then, and were looked at.
  std::set<std::string> open{};
  bool operator==(const FirstLook&) const = default;
};
struct Remembered {
  std::map<std::string, Episode> episodes;        // by kind and key of the fact
  std::map<std::string, FirstLook> looked_first;  // by source
  bool operator==(const Remembered&) const = default;
};

// An event before it has a place in the outbox.
struct NewEvent {
  std::string id;
  const News* fact = nullptr;
  bool known_before = false;  // it is written down, and told to nobody
};
// All facts as events, in the order of the sights, each id once; most of them will be known already. Updates what is
// remembered: of a source that could not be looked at nothing has ended, and one that is not there is empty. Facts must
// outlive the answer.
[[nodiscard]] std::vector<NewEvent> events_of(const std::vector<Sight>& sights, Remembered& remembered, NotifyTime now);

// The event as JSON (CloudEvents 1.0). `source` is the lab's, a URI-reference.
[[nodiscard]] Json cloud_event(const News& fact, const std::string& id, const std::string& source, NotifyTime when);
// The bytes that are sent: the same each time.
[[nodiscard]] std::string event_bytes(const Json& event);

}  // namespace patchlab::process
