// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/notify/event.hpp"

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"

namespace patchlab::process {
namespace {

std::string name_of_episode(const News& fact) { return fmt::format("{} {}", traits_of(fact.kind).name, fact.key); }

std::string event_id(const News& fact, const std::string& since) {
  return DigestBuilder().add(event_type(fact.kind)).add(fact.subject).add(fact.key).add(since).finish();
}

// More of it than when it was told.
bool is_more(const News& fact, const Episode& episode) {
  const bool is_sooner = !fact.due.empty() && (episode.due.empty() || fact.due < episode.due);
  return is_sooner || !std::ranges::includes(episode.members, fact.members);
}

// Since when the fact is so this time.
std::string since_when(const Sight& sight, const News& fact, Remembered& remembered, NotifyTime now) {
  if (!fact.lasting) return {};
  auto [at, is_new] = remembered.episodes.try_emplace(name_of_episode(fact), Episode{sight.source, now});
  auto& episode = at->second;
  const bool is_back = episode.gone && now - *episode.gone >= episode.away;
  // Another time has another id, also when a clock was set back in between.
  if (!is_new && (is_back || is_more(fact, episode)))
    episode.since = std::max(now, episode.since + std::chrono::milliseconds(1));
  const bool is_known_whole = is_new || is_back || !sight.is_partial;
  if (is_known_whole || (!fact.due.empty() && fact.due < episode.due)) episode.due = fact.due;
  if (is_known_whole) episode.members.clear();
  episode.members.insert(fact.members.begin(), fact.members.end());
  episode.source = sight.source;
  episode.away = fact.away;
  episode.gone.reset();
  return rfc3339(episode.since);
}

// What was not seen, of sources that were looked at as a whole.
void end_episodes(const std::vector<Sight>& sights, Remembered& remembered, NotifyTime now) {
  std::set<std::string> whole, seen;
  for (const auto& sight : sights) {
    if (sight.is_whole() && !sight.is_partial) whole.insert(sight.source);
    for (const auto& fact : sight.facts) seen.insert(name_of_episode(fact));
  }
  for (auto& [name, episode] : remembered.episodes) {
    const bool is_gone = whole.contains(episode.source) && !seen.contains(name);
    // A time that is yet to come was written by a clock that was wrong.
    if (is_gone && (!episode.gone || *episode.gone > now)) episode.gone = now;
  }
  std::erase_if(remembered.episodes,
                [now](const auto& one) { return one.second.gone && now - *one.second.gone >= one.second.away; });
}

// Of what happened: it was there before the first look, or was passed over then.
bool is_from_before(const News& fact, const std::string& source, const Remembered& remembered) {
  if (!fact.happened) return false;
  const auto looked = remembered.looked_first.find(source);
  return looked == remembered.looked_first.end() ||
         (!fact.origin.empty() && fact.origin < looked->second.oldest && !looked->second.open.contains(fact.origin));
}

void remember_look(const Sight& sight, Remembered& remembered, NotifyTime now) {
  // What has a newest one was looked at, also when nothing of it could be read: what comes then is newer.
  if (!sight.is_whole() && sight.facts.empty() && !sight.is_absent && sight.newest.empty()) return;
  auto& look = remembered.looked_first.try_emplace(sight.source, FirstLook{now}).first->second;
  if (!sight.is_absent) look.open = sight.open;
  if (sight.newest.empty()) return;
  if (look.newest.empty()) look.oldest = sight.oldest;
  look.newest = sight.newest;
}

}  // namespace

const std::vector<EventTraits>& event_kinds() {
  static const std::vector<EventTraits> all{
      {EventKind::lab_broken, "lab-broken", "The lab needs somebody"},
      {EventKind::deployment_failed, "deployment-failed", "Deployments that failed"},
      {EventKind::window_missed, "window-missed", "Windows that were missed"},
      {EventKind::approval_wanted, "approval-wanted", "Approvals that are wanted"},
      {EventKind::verdict_ready, "verdict-ready", "Verdicts"},
      {EventKind::feed_stale, "feed-stale", "Feeds that answer nothing"},
      {EventKind::patch_available, "patch-available", "New patches"}};
  return all;
}

const EventTraits& traits_of(EventKind kind) { return *std::ranges::find(event_kinds(), kind, &EventTraits::kind); }

std::optional<EventKind> event_kind_of(std::string_view name) {
  const auto found = std::ranges::find(event_kinds(), name, &EventTraits::name);
  return found == event_kinds().end() ? std::nullopt : std::optional(found->kind);
}

std::string event_type(EventKind kind) { return fmt::format("patchlab.{}.v1", traits_of(kind).name); }

std::vector<NewEvent> events_of(const std::vector<Sight>& sights, Remembered& remembered, NotifyTime now) {
  std::vector<NewEvent> events;
  std::set<std::string> ids;
  for (const auto& sight : sights) {
    for (const auto& fact : sight.facts) {
      auto id = event_id(fact, since_when(sight, fact, remembered, now));
      if (ids.insert(id).second)
        events.push_back({std::move(id), &fact, is_from_before(fact, sight.source, remembered)});
    }
  }
  end_episodes(sights, remembered, now);
  for (const auto& sight : sights) remember_look(sight, remembered, now);
  return events;
}

Json cloud_event(const News& fact, const std::string& id, const std::string& source, NotifyTime when) {
  auto data = fact.data;
  data["says"] = fact.says;
  return {{"specversion", "1.0"},
          {"id", id},
          {"source", source},
          {"type", event_type(fact.kind)},
          {"subject", fact.subject},
          {"time", rfc3339(when)},
          {"datacontenttype", "application/json"},
          {"data", std::move(data)}};
}

std::string event_bytes(const Json& event) { return event.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace patchlab::process
