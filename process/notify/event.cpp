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

// Since when the fact is so this time.
std::string since_when(const std::string& source, const News& fact, Remembered& remembered, NotifyTime now) {
  if (!fact.lasting) return {};
  auto [at, is_new] = remembered.episodes.try_emplace(name_of_episode(fact), Episode{source, now, std::nullopt});
  auto& episode = at->second;
  if (episode.gone && now - *episode.gone >= back_again) episode = {source, now, std::nullopt};
  episode.gone.reset();
  return rfc3339(episode.since);
}

// What was not seen, of sources that were looked at as a whole.
void end_episodes(const std::vector<Sight>& sights, Remembered& remembered, NotifyTime now) {
  std::set<std::string> whole, seen;
  for (const auto& sight : sights) {
    if (sight.is_whole()) whole.insert(sight.source);
    for (const auto& fact : sight.facts) seen.insert(name_of_episode(fact));
  }
  for (auto& [name, episode] : remembered.episodes) {
    const bool is_gone = whole.contains(episode.source) && !seen.contains(name);
    if (is_gone && !episode.gone) episode.gone = now;
  }
  std::erase_if(remembered.episodes,
                [now](const auto& one) { return one.second.gone && now - *one.second.gone >= back_again; });
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
    const bool is_first = !remembered.looked_first.contains(sight.source);
    for (const auto& fact : sight.facts) {
      auto id = event_id(fact, since_when(sight.source, fact, remembered, now));
      if (ids.insert(id).second) events.push_back({std::move(id), &fact, is_first && fact.happened});
    }
  }
  end_episodes(sights, remembered, now);
  for (const auto& sight : sights) {
    if (sight.is_whole() || !sight.facts.empty()) remembered.looked_first.try_emplace(sight.source, now);
  }
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
