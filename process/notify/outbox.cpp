// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/notify/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;

constexpr const char* waiting_folder = "waiting";
constexpr const char* told_folder = "told";
constexpr const char* state_file = "state.json";
constexpr std::uintmax_t largest_entry = 4U << 20U;
constexpr std::size_t digits = 12;
constexpr std::size_t id_length = 64;

struct EntryName {
  std::uint64_t number = 0;
  std::string id;
};
// "000000000017-<64 hex digits>.json"
std::optional<EntryName> entry_name(const std::string& name) {
  if (name.size() != digits + 1 + id_length + 5 || name[digits] != '-' || !name.ends_with(".json")) return std::nullopt;
  EntryName found{0, name.substr(digits + 1, id_length)};
  const auto* end = name.data() + digits;
  const auto [at, trouble] = std::from_chars(name.data(), end, found.number);
  if (trouble != std::errc() || at != end || !is_sha256(found.id)) return std::nullopt;
  return found;
}

// As write_file_atomically() calls it.
bool is_half_written(const fs::path& file) { return file.filename().string().find(".json.tmp-") != std::string::npos; }

Json time_json(const std::optional<NotifyTime>& time) { return time ? Json(rfc3339(*time)) : Json(); }

std::optional<NotifyTime> time_in(JsonReader& reader, const std::string& key) {
  const auto& raw = reader.raw(key);
  if (raw.is_null()) return std::nullopt;
  const auto time = raw.is_string() ? parse_rfc3339(raw.get<std::string>()) : std::nullopt;
  if (!time) reader.problem(key, "must be a time as 2026-11-28T09:00:00Z, or null");
  return time;
}
NotifyTime time_of(JsonReader& reader, const std::string& key) {
  const auto time = time_in(reader, key);
  if (!time) reader.problem(key, "is missing");
  return time.value_or(NotifyTime());
}

// The members of an object by name.
void each_member(JsonReader& reader, const std::string& key, std::vector<JsonProblem>& problems,
                 const std::function<void(const std::string&, JsonReader&)>& visit) {
  const auto& members = reader.raw(key);
  if (!members.is_object()) return reader.problem(key, "must be an object");
  for (const auto& [name, member] : members.items()) {
    JsonReader inside(member, reader.at(key) + (Json::json_pointer() / name).to_string(), problems);
    visit(name, inside);
    inside.finish();
  }
}

std::map<std::string, std::string> texts_by_name(JsonReader& reader, const std::string& key) {
  std::map<std::string, std::string> texts;
  const auto& members = reader.raw(key);
  if (!members.is_object()) reader.problem(key, "must be an object");
  for (const auto& [name, text] : members.items()) {
    if (text.is_string())
      texts[name] = text.get<std::string>();
    else
      reader.problem(key, "must hold texts");
  }
  return texts;
}

Episode episode_in(JsonReader& reader) {
  Episode episode{reader.text("source"), time_of(reader, "since"), time_in(reader, "gone")};
  episode.away = std::chrono::hours(reader.integer_or("away_h", back_again.count(), 0, 8760));
  episode.due = reader.text_or("due", "");
  const auto members = reader.texts_or_empty("members");
  episode.members.insert(members.begin(), members.end());
  return episode;
}

ReceiverState receiver_in(JsonReader& reader) {
  ReceiverState state;
  state.failures = reader.integer("failures", 0, INT64_MAX);
  state.not_before = time_in(reader, "not_before");
  state.why = reader.text_or("why", "");
  state.last = time_in(reader, "last");
  state.turn = reader.integer_or("turn", 0, 0, INT64_MAX);
  if (reader.has("refused")) state.refused = texts_by_name(reader, "refused");
  if (!reader.has("digest")) return state;
  auto inside = reader.object("digest");
  ReceiverState::Digest digest;
  digest.date = time_of(inside, "date");
  digest.events = inside.texts_or_empty("events");
  digest.is_taken = inside.boolean_or("is_taken", false);
  digest.left = inside.text_or("left", "");
  const auto served = inside.texts_or_empty("served");
  digest.served.insert(served.begin(), served.end());
  inside.finish();
  state.digest = std::move(digest);
  return state;
}

Result<OutboxEntry> entry_from_json(const Json& json, const EntryName& name, const std::string& file_name) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  OutboxEntry entry;
  entry.number = name.number;
  entry.id = name.id;
  if (reader.text("schema") != outbox_entry_schema)
    reader.problem("schema", fmt::format("must be \"{}\"", outbox_entry_schema));
  entry.event = reader.raw("event");
  if (!entry.event.is_object() || entry.event.value("id", Json()) != entry.id)
    reader.problem("event", "must be an event with the id that its file is called by");
  each_member(reader, "waits_for", problems, [&](const std::string& receiver, JsonReader& inside) {
    auto& refusal = entry.waits_for[receiver];
    refusal.tries = inside.integer("tries", 0, INT64_MAX);
    refusal.not_before = time_in(inside, "not_before");
    refusal.why = inside.text_or("why", "");
  });
  entry.delivered = texts_by_name(reader, "delivered");
  reader.finish();
  if (!problems.empty()) return problems_error(file_name, problems);
  return entry;
}

}  // namespace

void to_json(Json& json, const OutboxEntry& entry) {
  Json waits = Json::object();
  for (const auto& [receiver, refusal] : entry.waits_for)
    waits[receiver] = {{"tries", refusal.tries}, {"not_before", time_json(refusal.not_before)}, {"why", refusal.why}};
  json = {{"schema", outbox_entry_schema},
          {"event", entry.event},
          {"waits_for", std::move(waits)},
          {"delivered", entry.delivered}};
}

void to_json(Json& json, const OutboxState& state) {
  Json episodes = Json::object(), looked = Json::object(), receivers = Json::object();
  for (const auto& [name, one] : state.remembered.episodes)
    episodes[name] = {{"source", one.source},
                      {"since", rfc3339(one.since)},
                      {"gone", time_json(one.gone)},
                      {"away_h", one.away.count()},
                      {"due", one.due},
                      {"members", one.members}};
  for (const auto& [source, look] : state.remembered.looked_first)
    looked[source] = {{"at", rfc3339(look.at)}, {"oldest", look.oldest}, {"newest", look.newest}, {"open", look.open}};
  for (const auto& [name, one] : state.receivers) {
    auto& receiver = receivers[name];
    receiver = {{"failures", one.failures}, {"not_before", time_json(one.not_before)},
                {"why", one.why},           {"last", time_json(one.last)},
                {"refused", one.refused},   {"turn", one.turn}};
    if (one.digest)
      receiver["digest"] = {{"date", rfc3339(one.digest->date)},
                            {"events", one.digest->events},
                            {"is_taken", one.digest->is_taken},
                            {"left", one.digest->left},
                            {"served", one.digest->served}};
  }
  json = {{"schema", outbox_state_schema},
          {"episodes", std::move(episodes)},
          {"looked_first", std::move(looked)},
          {"receivers", std::move(receivers)}};
}

Result<OutboxState> outbox_state_from_json(const Json& json, const std::string& file_name) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  OutboxState state;
  if (reader.text("schema") != outbox_state_schema)
    reader.problem("schema", fmt::format("must be \"{}\"", outbox_state_schema));
  each_member(reader, "episodes", problems, [&](const std::string& name, JsonReader& inside) {
    state.remembered.episodes[name] = episode_in(inside);
  });
  each_member(reader, "looked_first", problems, [&](const std::string& source, JsonReader& inside) {
    auto& look = state.remembered.looked_first[source];
    look = {time_of(inside, "at"), inside.text_or("oldest", ""), inside.text_or("newest", "")};
    const auto open = inside.texts_or_empty("open");
    look.open.insert(open.begin(), open.end());
  });
  each_member(reader, "receivers", problems,
              [&](const std::string& name, JsonReader& inside) { state.receivers[name] = receiver_in(inside); });
  reader.finish();
  if (!problems.empty()) return problems_error(file_name, problems);
  return state;
}

Result<Outbox> Outbox::open(const fs::path& folder, const FileLock::Patience& patience) {
  Outbox outbox(folder);
  for (const char* inside : {waiting_folder, told_folder}) PATCHLAB_TRY(create_folders(folder / inside));
  PATCHLAB_ASSIGN(auto lock, FileLock::take(folder / "lock", FileLock::Mode::exclusive, patience));
  outbox.lock_.emplace(std::move(lock));
  PATCHLAB_TRY(outbox.read());
  return outbox;
}

Result<Outbox> Outbox::look(const fs::path& folder) {
  Outbox outbox(folder);
  PATCHLAB_TRY(outbox.read());
  return outbox;
}

Result<void> Outbox::read_state() {
  const auto file = folder_ / state_file;
  has_state_ = status_of(file).type() != fs::file_type::not_found;
  if (has_state_) {
    const auto json = read_json_file(file, JsonTexts::any);
    auto state = json ? outbox_state_from_json(*json, file.string()) : Result<OutboxState>(json.error());
    if (!state) {
      auto error = state.error();
      error.hint = fmt::format(
          "what is told and what waits lies beside it and stays: move '{}' away, and the next call tells what it finds "
          "that is not among them; what still is so may be told once more",
          file.string());
      return error;
    }
    state_ = std::move(*state);
  }
  saved_ = state_;
  return {};
}

Result<void> Outbox::read() {
  PATCHLAB_TRY(read_state());
  if (lock_) {
    // With the lock nobody else can be writing what a process that was killed left half-way.
    PATCHLAB_ASSIGN(const auto files, entries_of(folder_));
    for (const auto& file : files) {
      if (is_half_written(file)) PATCHLAB_TRY(remove_tree(file));
    }
  }
  // What is told comes first: a process that ended between two steps leaves an event in both.
  for (const bool is_waiting : {false, true}) {
    const auto folder = folder_ / (is_waiting ? waiting_folder : told_folder);
    if (is_there(folder)) PATCHLAB_TRY(read_names(folder, is_waiting));
  }
  std::ranges::sort(waiting_, {}, &OutboxEntry::number);
  return {};
}

Result<void> Outbox::read_names(const fs::path& folder, bool is_waiting) {
  PATCHLAB_ASSIGN(const auto files, entries_of(folder));
  for (const auto& file : files) {
    const auto name = entry_name(file.filename().string());
    if (!name) {
      if (lock_ && is_half_written(file)) PATCHLAB_TRY(remove_tree(file));
      continue;
    }
    last_ = std::max(last_, name->number);
    ids_.insert(name->id);
    if (!is_waiting) {
      told_.insert(name->id);
      continue;
    }
    if (told_.contains(name->id)) {
      if (lock_) PATCHLAB_TRY(remove_tree(file));
      continue;
    }
    const auto text = read_file(file, largest_entry);
    const auto json = text ? parse_json(*text, file.string(), JsonTexts::any) : Result<Json>(text.error());
    auto entry = json ? entry_from_json(*json, *name, file.string()) : Result<OutboxEntry>(json.error());
    if (entry)
      waiting_.push_back(std::move(*entry));
    else
      broken_.push_back(entry.error().message);
  }
  return {};
}

fs::path Outbox::file_of(const char* folder, const OutboxEntry& entry) const {
  return folder_ / folder / fmt::format("{:0{}}-{}.json", entry.number, digits, entry.id);
}

Result<void> Outbox::add(const std::string& id, Json event, const std::set<std::string>& receivers) {
  OutboxEntry entry{last_ + 1, id, std::move(event), {}, {}};
  for (const auto& receiver : receivers) entry.waits_for[receiver];
  PATCHLAB_TRY(write_file_atomically(file_of(receivers.empty() ? told_folder : waiting_folder, entry),
                                     pretty(Json(entry)), 0600));
  ++last_;
  ids_.insert(id);
  if (!receivers.empty()) waiting_.push_back(std::move(entry));
  return {};
}

Result<void> Outbox::keep(const OutboxEntry& entry) {
  if (!entry.waits_for.empty()) return write_file_atomically(file_of(waiting_folder, entry), pretty(Json(entry)), 0600);
  PATCHLAB_TRY(write_file_atomically(file_of(told_folder, entry), pretty(Json(entry)), 0600));
  return remove_tree(file_of(waiting_folder, entry));
}

void Outbox::tidy() {
  std::erase_if(waiting_, [](const OutboxEntry& entry) { return entry.waits_for.empty(); });
}

Result<void> Outbox::save() {
  if (has_state_ && state_ == saved_) return {};
  PATCHLAB_TRY(write_file_atomically(folder_ / state_file, pretty(Json(state_)), 0600));
  saved_ = state_;
  has_state_ = true;
  return {};
}

}  // namespace patchlab::process
