// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/stage_standing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "promotion/ledger/standing.hpp"
#include "promotion/stage/manifest.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

using Entries = std::vector<Ledger::NewEntry>;

std::string text_in(const Json& payload, const char* key) {
  const auto found = payload.is_object() ? payload.find(key) : payload.end();
  return found == payload.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

Result<Entries> entries_in(const fs::path& file) {
  Entries entries;
  if (!is_there(file)) return entries;
  PATCHLAB_ASSIGN(const auto read, Ledger(file).read(Ledger::Unfinished::left_out));
  for (const auto& entry : read) entries.push_back({entry.time, entry.kind, entry.payload});
  return entries;
}

// The digests of records by the ids of runs.
std::map<std::string, std::string> runs_in(const Entries& entries) {
  std::map<std::string, std::string> runs;
  for (const auto& entry : entries) {
    if (entry.kind == "run") runs.emplace(text_in(entry.payload, "run"), text_in(entry.payload, "record_digest"));
  }
  return runs;
}

// Of a run that ended in the chain, as the other ledger would have it.
Result<Entries> entries_of_attempt(const Chain& chain, const ChainState& state, const Attempt& attempt) {
  const auto place = fmt::format("line {} of the stage's ledger", attempt.end_line);
  PATCHLAB_ASSIGN(const auto bytes, chain.objects().get(attempt.run).while_doing(place));
  PATCHLAB_ASSIGN(const auto json, parse_json(bytes, place, JsonTexts::any));
  PATCHLAB_ASSIGN(auto record, reports::run_record_from_json(json, place));
  record.digest = attempt.run;
  return ledger_entries(record, state.lines[attempt.end_line - 1].time);
}

// Where it belongs among entries that are in the order of time: whoever asks what came later looks behind its own.
void insert_by_time(Entries& entries, const Entries& found) {
  const auto when = parse_rfc3339(found.front().time);
  const auto later = std::ranges::find_if(entries, [&](const auto& entry) {
    const auto theirs = parse_rfc3339(entry.time);
    return !when || (theirs && *theirs >= *when);
  });
  entries.insert(later, found.begin(), found.end());
}

// All that both ledgers have.
Result<Entries> all_entries(const Chain& chain, const ChainState& state, const fs::path& old_ledger) {
  PATCHLAB_ASSIGN(auto entries, entries_in(old_ledger));
  const auto runs = runs_in(entries);
  if (const auto& old = state.history.imported(); !old.empty()) {
    PATCHLAB_ASSIGN(auto imported, entries_in(chain.objects().path(old)));
    std::erase_if(imported, [&](const auto& entry) { return runs.contains(text_in(entry.payload, "run")); });
    entries.insert(entries.begin(), imported.begin(), imported.end());
  }
  for (const auto& attempt : state.history.attempts()) {
    if (attempt.end_line == 0) continue;
    const auto known = runs.find(attempt.id);
    if (known != runs.end() && known->second == attempt.run) continue;
    std::erase_if(entries, [&](const auto& entry) {
      return entry.kind != "promotion" && text_in(entry.payload, "run") == attempt.id;
    });
    PATCHLAB_ASSIGN(const auto found, entries_of_attempt(chain, state, attempt));
    insert_by_time(entries, found);
  }
  return entries;
}

// Those that were done, by the manifests that the ledger holds. The other ledger has most of them as well; not the one
// that a crash interrupted behind its last line here.
void add_promotions(const fs::path& stage, const Chain& chain, const ChainState& state, Standing& standing) {
  for (const auto& story : state.history.promotions()) {
    const bool known = std::ranges::count(standing.promotions, story.manifest, &PastPromotion::manifest_digest) > 0;
    if (known || story.state != PromotionStory::State::done) continue;
    const auto text = chain.objects().get(story.manifest);
    const auto json = text ? json_in(*text) : Json();
    const auto manifest = json.is_object() ? manifest_from_json(json, story.manifest) : Result<Manifest>(Error{});
    if (!manifest) continue;  // nothing is known but that there was one
    const PastPromotion past{manifest->run,
                             manifest->record_digest,
                             story.department,
                             state.lines[story.last_line - 1].time,
                             (stage / story.department).string(),
                             story.manifest,
                             manifest->candidates};
    const auto later = std::ranges::find_if(standing.promotions, [&](const auto& other) {
      const auto theirs = parse_rfc3339(other.time);
      return theirs && *theirs > *chain_time(past.time);
    });
    standing.promotions.insert(later, past);
  }
}

Standing nothing_recorded(std::string why) {
  Standing standing;
  standing.otherwise = std::move(why);
  return standing;
}

// Why the chain does not take this record for what it is said to be; empty when it does, or does not say.
std::string against(const Chain& chain, const ChainState& state, const reports::RunRecord& record) {
  const auto& attempts = state.history.attempts();
  if (attempts.empty()) return {};  // no run was ever written down there
  std::vector<const Attempt*> ours;
  for (const auto& attempt : attempts) {
    if (attempt.id == record.id) ours.push_back(&attempt);
  }
  if (ours.size() > 1) {
    return fmt::format("lines {} and {} of the stage's ledger begin a run of this id: one of them is made up",
                       ours[0]->line, ours[1]->line);
  }
  if (ours.empty()) {
    const auto& old = state.history.imported();
    const bool imported = !old.empty() && standing_of(record, Ledger(chain.objects().path(old))).recorded;
    return imported ? ""
                    : "the ledger of the stage has other runs, and none of this id: it was not made for this stage";
  }
  if (ours[0]->end_line == 0) {
    return fmt::format(
        "line {} of the stage's ledger says that it began, and its end is not known: it was killed, or "
        "is under way",
        ours[0]->line);
  }
  if (ours[0]->run != reports::record_digest(record)) {
    return fmt::format(
        "the record is not the one that line {} of the stage's ledger has of this run: it was changed "
        "since",
        ours[0]->end_line);
  }
  return {};
}

}  // namespace

Standing standing_in(const fs::path& stage, const fs::path& old_ledger, const reports::RunRecord& record) {
  const Chain chain(stage / chain_folder_name);
  const auto state = chain.read();
  if (!state) return nothing_recorded("nobody can read the ledger of the stage: " + state.error().message);
  const auto entries = all_entries(chain, *state, old_ledger);
  if (!entries) return nothing_recorded(entries.error().message);
  auto standing = standing_of(record, *entries);
  if (auto why = against(chain, *state, record); !why.empty()) {
    standing.recorded = false;
    standing.otherwise = std::move(why);
  }
  add_promotions(stage, chain, *state, standing);
  return standing;
}

}  // namespace patchlab::promotion
