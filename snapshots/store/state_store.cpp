// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/state_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "snapshots/store/disk_copy.hpp"
#include "snapshots/store/expected_saving.hpp"

namespace patchlab::snapshots {
namespace {

namespace fs = std::filesystem;
using Wall = std::chrono::system_clock::time_point;

constexpr const char* schema = "patchlab/state/v1";
constexpr const char* manifest_name = "state.json";
constexpr const char* half_prefix = ".half-";  // folders of states that are being written
constexpr const char* gone_prefix = ".gone-";  // and of those that are being removed
constexpr const char* in_use_name = "in-use";  // lock of who writes a half, or brings a state
constexpr const char* uses_name = "uses";      // a byte for each time that it was brought
constexpr std::chrono::seconds patience{20};
constexpr std::uintmax_t room_to_leave = 1U << 30U;
constexpr std::int64_t most_hours_ms = std::int64_t{8760} * 3'600'000;

std::string disk_name(const std::string& machine) { return machine + ".qcow2"; }

// POSIX: st_blocks counts 512 bytes, whatever the file system's blocks are.
std::uint64_t room_of(const struct stat& info) { return static_cast<std::uint64_t>(info.st_blocks) * 512; }

// Who could have written into it is nobody else.
Result<struct stat> our_own(const fs::path& path, mode_t kind) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno_error("looking at '" + path.string() + "'", errno);
  if ((info.st_mode & S_IFMT) != kind) return infrastructure_error("'" + path.string() + "' is something else");
  if (info.st_uid != ::geteuid() || (info.st_mode & 077U) != 0)
    return infrastructure_error("'" + path.string() + "' is open to other users");
  return info;
}

Json manifest_of(const StoredState& state) {
  Json disks = Json::array();
  for (const auto& disk : state.disks)
    disks.push_back({{"machine", disk.machine}, {"bytes", disk.bytes}, {"sha256", disk.sha256}});
  Json manifest{{"schema", schema},
                {"key", state.key},
                {"purpose", state.purpose},
                {"run", state.run},
                {"made", rfc3339(state.made)},
                {"most_age_ms", state.most_age.count()},
                {"facts", state.facts},
                {"disks", disks}};
  if (state.made_in) manifest["made_in_ms"] = state.made_in->count();
  return manifest;
}

Result<StoredState> state_from(const Json& json, const std::string& file) {
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  StoredState state;
  if (reader.text("schema") != schema) reader.problem("schema", "is another one");
  state.key = reader.text("key");
  state.purpose = reader.text("purpose");
  state.run = reader.text("run");
  const auto made = parse_rfc3339(reader.text("made"));
  if (!made) reader.problem("made", "is no time");
  state.made = made.value_or(Wall());
  state.most_age = Milliseconds(reader.integer("most_age_ms", 0, most_hours_ms));
  if (reader.has("made_in_ms")) state.made_in = Milliseconds(reader.integer("made_in_ms", 0, most_hours_ms));
  state.facts = reader.raw("facts");
  if (!state.facts.is_object()) reader.problem("facts", "is no object");
  const auto& disks = reader.raw("disks");
  if (!disks.is_array() || disks.empty()) reader.problem("disks", "has none");
  for (std::size_t i = 0; disks.is_array() && i < disks.size(); ++i) {
    JsonReader disk(disks[i], fmt::format("/disks/{}", i), problems);
    state.disks.push_back({disk.text("machine"),
                           static_cast<std::uint64_t>(disk.integer("bytes", 0, std::int64_t{1} << 50)),
                           disk.text("sha256"), 0});
    disk.finish();
  }
  reader.finish();
  if (!problems.empty()) return problems_error(file, problems);
  return state;
}

std::vector<std::string> machines_of(const StoredState& state) {
  std::vector<std::string> machines;
  for (const auto& disk : state.disks) machines.push_back(disk.machine);
  return machines;
}

template <class Work>
Result<void> for_each(std::size_t count, const Work& work) {
  std::vector<Result<void>> results(count);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&, i] { results[i] = work(i); });
  }
  for (auto& result : results) {
    if (!result) return std::move(result);
  }
  return {};
}

Result<FileLock> lock(const fs::path& folder, FileLock::Mode mode) {
  return FileLock::take(folder / "lock", mode, {.limit = patience});
}

}  // namespace

std::uint64_t StoredState::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& disk : disks) sum += disk.bytes;
  return sum;
}

std::uint64_t StoredState::room() const {
  std::uint64_t sum = 0;
  for (const auto& disk : disks) sum += disk.room;
  return sum;
}

StateStore::StateStore(fs::path folder, std::uintmax_t most_bytes, const Clock& clock, Tell tell)
    : folder_(std::move(folder)), most_bytes_(most_bytes), clock_(clock), tell_(std::move(tell)) {}

// Needs the lock.
Result<StoredState> StateStore::read(const std::string& key) const {
  const auto folder = folder_of(key);
  PATCHLAB_TRY(our_own(folder, S_IFDIR));
  const auto file = folder / manifest_name;
  PATCHLAB_ASSIGN(const auto info, our_own(file, S_IFREG));
  PATCHLAB_ASSIGN(const auto text, read_file(file, 64U << 20U, Links::refuse));  // installers say much
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file.string()));
  PATCHLAB_ASSIGN(auto state, state_from(json, file.string()));
  if (state.key != key) return infrastructure_error("it is of another key");
  for (auto& disk : state.disks) {
    PATCHLAB_ASSIGN(const auto there, our_own(folder / disk_name(disk.machine), S_IFREG));
    disk.room = room_of(there);
    if (static_cast<std::uint64_t>(there.st_size) != disk.bytes)
      return infrastructure_error("the disk of '" + disk.machine + "' has another size");
  }
  state.used = std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec);
  if (is_there(folder / uses_name)) {
    PATCHLAB_ASSIGN(const auto uses, our_own(folder / uses_name, S_IFREG));
    state.uses = static_cast<std::uint64_t>(uses.st_size);
  }
  return state;
}

// Files that are open stay what they are, whatever happens to the entry.
Result<std::optional<StateStore::Opened>> StateStore::open(const std::string& key, const Fits& fits,
                                                           const Files& there) const {
  PATCHLAB_ASSIGN(auto state, read(key));
  if (!std::ranges::equal(machines_of(state), there, {}, {}, &Files::value_type::first))
    return infrastructure_error("it has other machines");
  const auto age = clock_.wall() - state.made;
  if (age < age.zero() || !fits(state)) return std::optional<Opened>();
  PATCHLAB_ASSIGN(auto in_use,
                  FileLock::take(folder_of(key) / in_use_name, FileLock::Mode::shared, {.limit = patience}));
  Opened opened{.state = {}, .disks = {}, .in_use = std::move(in_use)};
  for (const auto& disk : state.disks) {
    PATCHLAB_ASSIGN(auto input, open_input(folder_of(key) / disk_name(disk.machine), Links::refuse));
    opened.disks.push_back(std::move(input.file));
  }
  (void)::utimensat(AT_FDCWD, (folder_of(key) / manifest_name).c_str(), nullptr, 0);  // used now
  const FileDescriptor uses(
      ::open((folder_of(key) / uses_name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (uses.valid()) (void)::write(uses.get(), ".", 1);
  opened.state = std::move(state);
  return std::optional(std::move(opened));
}

std::optional<StoredState> StateStore::bring(const std::string& key, const Fits& fits, const Files& there) {
  if (!is_there(folder_of(key))) return std::nullopt;
  auto opened = [&]() -> Result<std::optional<Opened>> {
    const auto held = lock(folder_, FileLock::Mode::shared);
    if (!held) {
      tell_("kept states are not used: " + held.error().message);
      return std::optional<Opened>();
    }
    if (!is_there(folder_of(key))) return std::optional<Opened>();
    return open(key, fits, there);
  }();
  if (!opened) {
    refuse(key, opened.error().message);
    return std::nullopt;
  }
  if (!*opened) return std::nullopt;
  auto& state = (*opened)->state;
  const auto& sources = (*opened)->disks;
  std::vector<std::string> damage(sources.size());
  auto brought = for_each(sources.size(), [&](std::size_t i) -> Result<void> {
    const auto& disk = state.disks[i];
    PATCHLAB_TRY(copy_disk(sources[i], there.at(disk.machine)));
    PATCHLAB_ASSIGN(const auto digest, sha256_of_file(there.at(disk.machine)));
    if (digest != disk.sha256) damage[i] = fmt::format("the disk of '{}' has another SHA-256", disk.machine);
    return {};
  });
  const auto damaged = std::ranges::find_if(damage, [](const auto& text) { return !text.empty(); });
  if (brought && damaged == damage.end()) return std::move(state);
  for (const auto& [machine, path] : there) (void)remove_tree(path);
  if (damaged != damage.end())
    refuse(key, *damaged);
  else
    tell_("a kept state is not used: " + brought.error().message);
  return std::nullopt;
}

void StateStore::refuse(const std::string& key, const std::string& why) {
  tell_(fmt::format("the kept state '{}' is not used, and removed: {}", folder_of(key).string(), why));
  remove(key);
}

void StateStore::remove(const std::string& key) {
  if (!is_there(folder_)) return;
  const auto held = lock(folder_, FileLock::Mode::exclusive);
  if (!held) return tell_("a kept state is not removed: " + held.error().message);
  if (auto removed = remove_tree(folder_of(key)); !removed) tell_(removed.error().message);
}

void StateStore::keep(StoredState state, const Files& disks, Replace replace) {
  if (auto kept = write(state, disks, replace); !kept)
    tell_("the state is not kept for later runs: " + kept.error().message);
}

Result<void> StateStore::write(StoredState& state, const Files& disks, Replace replace) {
  std::uintmax_t bytes = 0;
  std::vector<std::pair<FileDescriptor, std::string>> sources;
  for (const auto& [machine, path] : disks) {
    PATCHLAB_ASSIGN(auto opened, open_input(path, Links::refuse));
    struct stat info {};
    if (::fstat(opened.file.get(), &info) != 0) return errno_error("looking at '" + path.string() + "'", errno);
    bytes += room_of(info);
    sources.emplace_back(std::move(opened.file), machine);
  }
  fs::path half;
  std::optional<FileLock> in_use;
  {
    if (!is_there(folder_)) {
      PATCHLAB_TRY(create_folders(folder_.parent_path()));
      if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
        return errno_error("making '" + folder_.string() + "'", errno);
    }
    PATCHLAB_TRY(our_own(folder_, S_IFDIR));
    PATCHLAB_ASSIGN(const auto held, lock(folder_, FileLock::Mode::exclusive));
    sweep();
    const auto there = replace == Replace::always ? Result<StoredState>(infrastructure_error("")) : read(state.key);
    if (there && there->run == state.run) return {};
    PATCHLAB_TRY(make_room(bytes, state.key));
    half = folder_ / fmt::format("{}{}-{}", half_prefix, state.key, ::getpid());
    if (::mkdir(half.c_str(), 0700) != 0) return errno_error("making '" + half.string() + "'", errno);
    PATCHLAB_ASSIGN(auto mine, FileLock::take(half / in_use_name, FileLock::Mode::exclusive, FileLock::at_once()));
    in_use = std::move(mine);
  }
  state.disks.resize(sources.size());
  auto written = for_each(sources.size(), [&](std::size_t i) -> Result<void> {
    const auto file = half / disk_name(sources[i].second);
    PATCHLAB_TRY(copy_disk(sources[i].first, file));
    PATCHLAB_ASSIGN(auto digest, sha256_of_file(file));
    std::error_code code;
    state.disks[i] = {sources[i].second, fs::file_size(file, code), std::move(digest), 0};
    return sync_path(file);
  });
  if (written) written = write_file_atomically(half / manifest_name, pretty(manifest_of(state)), 0600);
  if (!written) {
    (void)remove_tree(half);
    return written;
  }
  PATCHLAB_ASSIGN(const auto held, lock(folder_, FileLock::Mode::exclusive));
  PATCHLAB_TRY(remove_tree(half / in_use_name));
  const auto place = folder_of(state.key);
  std::error_code code;
  if (is_there(place)) {
    fs::rename(place / uses_name, half / uses_name, code);  // of its key: it may not be there
    const auto gone = folder_ / (gone_prefix + state.key);
    fs::rename(place, gone, code);
    if (code) return infrastructure_error(fmt::format("replacing '{}': {}", place.string(), code.message()));
  }
  PATCHLAB_TRY(sync_path(half));
  fs::rename(half, place, code);
  if (code) return infrastructure_error(fmt::format("naming '{}': {}", place.string(), code.message()));
  sweep();
  return sync_path(folder_);
}

// Needs the lock, exclusive. The limit is for what is there in the end; the disk must hold for a while what is
// replaced, too.
Result<void> StateStore::make_room(std::uintmax_t bytes, const std::string& replaced) {
  if (bytes > most_bytes_) {
    return infrastructure_error(
        fmt::format("it takes {} MiB, and the limit for all of them is {} MiB", bytes >> 20U, most_bytes_ >> 20U));
  }
  const auto left = trim_locked(most_bytes_ - bytes, std::nullopt, replaced).left;
  if (left > most_bytes_ - bytes) {
    return infrastructure_error(fmt::format("it takes {} MiB, and states that are in use leave {} MiB of the limit",
                                            bytes >> 20U, (most_bytes_ - std::min(left, most_bytes_)) >> 20U));
  }
  std::error_code code;
  const auto space = fs::space(folder_, code);
  if (!code && space.available < bytes + room_to_leave) {
    return infrastructure_error(
        fmt::format("it takes {} MiB, and the disk has {} MiB left", bytes >> 20U, space.available >> 20U));
  }
  return {};
}

// What killed processes left. Needs the lock, exclusive.
void StateStore::sweep() {
  for (const auto& entry : entries_of(folder_).value_or({})) {
    const auto name = entry.filename().string();
    if (name.starts_with(gone_prefix)) (void)remove_tree(entry);
    if (!name.starts_with(half_prefix)) continue;
    if (is_there(entry / in_use_name) &&
        !FileLock::take(entry / in_use_name, FileLock::Mode::exclusive, FileLock::at_once()))
      continue;
    (void)remove_tree(entry);
  }
}

// Needs the lock, exclusive, or who brings it now could be overlooked.
bool StateStore::is_in_use(const std::string& key) const {
  const auto lock = folder_of(key) / in_use_name;
  if (!is_there(lock)) return false;
  const auto taken = FileLock::try_take(lock, FileLock::Mode::exclusive);
  return !taken || !*taken;
}

// Needs the lock.
std::vector<StateStore::Entry> StateStore::all() const {
  std::vector<Entry> found;
  for (const auto& path : entries_of(folder_).value_or({})) {
    const auto name = path.filename().string();
    if (name.starts_with(half_prefix) || name.starts_with(gone_prefix) || name == "lock") continue;
    if (auto state = read(name)) {
      found.push_back({std::move(*state), {}});
    } else {
      found.push_back({{.key = name}, state.error().message});
    }
  }
  const auto now = clock_.wall();
  std::ranges::stable_sort(found, [&](const Entry& a, const Entry& b) { return goes_before(a.state, b.state, now); });
  return found;
}

Result<std::vector<StateStore::Entry>> StateStore::entries() const {
  if (!is_there(folder_)) return std::vector<Entry>();
  PATCHLAB_ASSIGN(const auto held, lock(folder_, FileLock::Mode::shared));
  return all();
}

StateStore::Trimmed StateStore::trim_locked(std::uintmax_t most_bytes, std::optional<Milliseconds> most_age,
                                            const std::string& except) {
  Trimmed trimmed;
  const auto remove = [&](const std::string& key, std::string why) {
    auto removed = remove_tree(folder_of(key));
    if (removed)
      trimmed.gone.push_back({key, std::move(why)});
    else
      tell_(removed.error().message);
    return removed.has_value();
  };
  const auto now = clock_.wall();
  std::vector<StoredState> good;
  for (auto& [state, damage] : all()) {
    if (!damage.empty()) {
      tell_(fmt::format("the kept state '{}' is removed: {}", folder_of(state.key).string(), damage));
      (void)remove(state.key, damage);
      continue;
    }
    if (state.key == except) continue;
    const auto age = now - state.made;
    const bool is_old = age > state.most_age || (most_age && age > *most_age);
    const bool may_go = !is_in_use(state.key);
    if (is_old && may_go) {
      (void)remove(state.key, age > state.most_age ? "older than it allows" : "older than is wanted");
      continue;
    }
    trimmed.left += state.room();
    if (may_go) good.push_back(std::move(state));
  }
  for (const auto& state : good) {
    if (trimmed.left <= most_bytes) break;
    if (remove(state.key, "saves least: " + expected_saving(state, now).words())) trimmed.left -= state.room();
  }
  return trimmed;
}

Result<std::vector<StateStore::Gone>> StateStore::trim(std::uintmax_t most_bytes,
                                                       std::optional<Milliseconds> most_age) {
  if (!is_there(folder_)) return std::vector<Gone>();
  PATCHLAB_ASSIGN(const auto held, lock(folder_, FileLock::Mode::exclusive));
  sweep();
  return trim_locked(most_bytes, most_age).gone;
}

}  // namespace patchlab::snapshots
