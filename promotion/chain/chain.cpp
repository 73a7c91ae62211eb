// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/chain.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lab/core/digest.hpp"
#include "lab/core/file_lock.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"
#include "promotion/chain/own_folder.hpp"

namespace patchlab::promotion {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

constexpr std::uintmax_t largest_ledger = 1U << 30U;
constexpr std::uintmax_t largest_head = 4096;
constexpr Milliseconds small_step_back{2000};  // of a clock that is being kept right
constexpr Milliseconds writers_turn{2000};     // for a line that is just being written
constexpr unsigned mode_of_folders = 0750;
constexpr mode_t mode_of_ledger = 0640;
constexpr unsigned mode_of_heads = 0440;
constexpr const char* lock_name = "lock";

Error broken(const fs::path& file, std::size_t line, const std::string& why) {
  return configuration_error(fmt::format("{}:{}: the line {}", file.string(), line, why), damaged_hint);
}

// The digits behind the seconds do not decide by their spelling.
bool is_before(const std::string& a, const std::string& b) { return *chain_time(a) < *chain_time(b); }

Result<std::string> time_after(const ChainState& state, const fs::path& file, system_clock::time_point now) {
  auto text = rfc3339(now);
  if (!chain_time(text)) return infrastructure_error(fmt::format("the clock says {}: set it", text));
  if (state.lines.empty() || !is_before(text, state.lines.back().time)) return text;
  const auto& last = state.lines.back().time;
  if (*chain_time(last) - *chain_time(text) <= small_step_back) return last;
  return infrastructure_error(
      fmt::format("the clock says {}, but the last line of '{}' is from {}: the clock was set back, or was wrong then",
                  text, file.string(), last),
      "set the clock right; the ledger takes nothing that is older than its last line");
}

bool is_known_in_folder(const std::string& name) {
  constexpr std::array names{"ledger.jsonl", "objects", "heads", "trust", "policy", "lock"};
  return std::ranges::count(names, name) > 0 || name == "head" ||
         (name.starts_with("head.") && name.ends_with(".sig")) || name.starts_with(".new-") ||
         name.find(".tmp-") != std::string::npos;
}

bool is_temporary(const fs::path& entry) {
  const auto name = entry.filename().string();
  return name.starts_with(".new-") || name.find(".tmp-") != std::string::npos;
}

Result<void> remove_leftovers(const fs::path& folder) {
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
  for (const auto& entry : entries) {
    if (is_temporary(entry)) PATCHLAB_TRY(remove_tree(entry).while_doing("removing a leftover"));
  }
  return {};
}

}  // namespace

std::vector<std::string> signers_of_policy(const ChainState& chain, const std::string& digest) {
  std::vector<std::string> signers;
  for (const auto& named : chain.history.policies()) {
    if (named.document == digest) signers.push_back(chain.lines[named.line - 1].by);
  }
  return signers;
}

Chain::Chain(fs::path folder) : Chain(std::move(folder), Options{}) {}
Chain::Chain(fs::path folder, Options options) : folder_(std::move(folder)), options_(std::move(options)) {}

bool Chain::exists() const { return status_of(file()).type() != fs::file_type::not_found; }

Result<std::string> Chain::text() const {
  // A folder that leads elsewhere would be somebody else's ledger.
  if (status_of(folder_).type() == fs::file_type::symlink) {
    return configuration_error(fmt::format("'{}' is a symbolic link, where a stage has its ledger", folder_.string()),
                               "look who made it");
  }
  if (!exists()) return std::string();
  return read_file(file(), largest_ledger, Links::refuse);
}

Result<ChainState> Chain::state_of(const std::string& text) const {
  ChainState state;
  const auto store = objects();
  std::unordered_map<std::string, StatementFacts> promotions;  // three lines are about one statement
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    if (end == std::string::npos) {
      state.unfinished = text.substr(at);
      break;
    }
    const auto number = state.lines.size() + 1;
    const std::string_view bytes(text.data() + at, end - at);
    auto line = parse_chain_line(bytes);
    if (!line) return broken(file(), number, "cannot be read: " + line.error().message);
    if (line->seq != number) return broken(file(), number, fmt::format("has number {}", line->seq));
    if (line->prev != (number == 1 ? no_hash : state.hashes.back()))
      return broken(file(), number, "does not follow the one before: something was changed, removed or moved");
    if (number > 1 && is_before(line->time, state.lines.back().time))
      return broken(file(), number, fmt::format("goes back in time: {} after {}", line->time, state.lines.back().time));
    StatementFacts facts;
    if (const auto known = promotions.find(line->object); known != promotions.end()) {
      facts = known->second;
    } else if (History::has_statement(line->kind) && !line->object.empty()) {
      const auto name = fmt::format("{}:{}: its object", file().string(), number);
      PATCHLAB_ASSIGN(const auto object, store.get(line->object).while_doing(name));
      PATCHLAB_ASSIGN(facts, statement_facts(object, name));
      if (line->kind == ChainKind::promote_begun) promotions.emplace(line->object, facts);
    }
    if (const auto why = state.history.add(*line, facts); !why.empty()) return broken(file(), number, why);
    state.lines.push_back(std::move(*line));
    state.hashes.push_back(sha256(std::string_view(text.data() + at, end + 1 - at)));
    at = end + 1;
  }
  return state;
}

Result<ChainState> Chain::read_unlocked() const {
  PATCHLAB_ASSIGN(const auto bytes, text());
  return state_of(bytes).while_doing("reading the ledger");
}

Result<ChainState> Chain::read() const {
  auto state = read_unlocked();
  if (!state || state->unfinished.empty() || !is_there(folder_ / lock_name)) return state;
  // Somebody may be writing it just now. Whoever may not take the lock sees what there is.
  const auto lock =
      FileLock::take(folder_ / lock_name, FileLock::Mode::shared, {.limit = writers_turn, .clock = options_.clock});
  return lock ? read_unlocked() : state;
}

Result<void> Chain::make_folders() const {
  step("folders");
  PATCHLAB_TRY(make_own_folder(folder_, Links::refuse, mode_of_folders));
  PATCHLAB_TRY(make_own_folder(folder_ / "objects", Links::refuse, mode_of_folders));
  return make_own_folder(folder_ / "heads", Links::refuse, mode_of_folders);
}

// By writing the file anew beside it: a crash leaves the unfinished line, or the whole repair.
Result<std::string> Chain::cut_unfinished(ChainState& state, const std::string& time) const {
  if (state.unfinished.empty()) return std::string();
  PATCHLAB_ASSIGN(const auto digest, objects().put(state.unfinished));
  ChainLine line{state.lines.size() + 1, state.head().hash, time, ChainKind::repair, digest, "patchlab"};
  PATCHLAB_ASSIGN(auto bytes, text());
  if (!bytes.ends_with(state.unfinished)) return infrastructure_error("the ledger changes while it is locked");
  bytes.resize(bytes.size() - state.unfinished.size());
  bytes += line_text(line);
  step("repair");
  PATCHLAB_TRY(write_file_atomically(file(), bytes, mode_of_ledger));
  auto what = fmt::format("line {}: {} bytes that a crash left of a line were cut off and kept as object {}", line.seq,
                          state.unfinished.size(), digest);
  PATCHLAB_ASSIGN(state, state_of(bytes));
  return what;
}

Result<void> Chain::write_line(const std::string& line, bool first) const {
  step("line-open");
  const FileDescriptor out(
      ::open(file().c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode_of_ledger));
  if (!out.valid()) return errno_error("opening '" + file().string() + "'", errno);
  struct stat info {};
  if (::fstat(out.get(), &info) != 0) return errno_error("looking at '" + file().string() + "'", errno);
  if (!S_ISREG(info.st_mode)) return configuration_error(fmt::format("'{}' is no regular file", file().string()));
  // Whatever the umask says: who audits reads it by its group.
  if (first && ::fchmod(out.get(), mode_of_ledger) != 0)
    return errno_error("changing the mode of '" + file().string() + "'", errno);
  step("line-write");
  if (!write_all(out.get(), line)) {
    const int saved = errno;
    static_cast<void>(::ftruncate(out.get(), info.st_size));  // a piece that stays is cut off by the next append
    return errno_error("writing '" + file().string() + "'", saved);
  }
  step("line-sync");
  if (::fsync(out.get()) != 0) {
    return errno_error("syncing '" + file().string() + "', so that nobody knows whether its last line will stay",
                       errno);
  }
  step("folder-sync");
  return first ? sync_path(folder_) : Result<void>();
}

Result<Chain::Appended> Chain::append(const Entry& entry) {
  if (!is_principal(entry.by))
    return configuration_error(fmt::format("'{}' cannot be the name of whoever does something", entry.by));
  PATCHLAB_TRY(make_folders());
  step("lock");
  PATCHLAB_ASSIGN(const auto lock, FileLock::take(folder_ / lock_name, FileLock::Mode::exclusive,
                                                  {.limit = options_.patience, .clock = options_.clock}));
  PATCHLAB_ASSIGN(auto state, read_unlocked());
  PATCHLAB_ASSIGN(const auto time, time_after(state, file(), clock().wall()));
  const bool stored = entry.object.empty();
  const auto object = stored ? entry.names : sha256(entry.object);
  StatementFacts facts;
  if (History::has_statement(entry.kind)) {
    PATCHLAB_ASSIGN(const auto bytes, stored ? objects().get(object) : Result<std::string>(entry.object));
    PATCHLAB_ASSIGN(facts, statement_facts(bytes, fmt::format("the statement of kind '{}'", to_string(entry.kind))));
  }
  const auto line_after = [&] {
    return ChainLine{state.lines.size() + 1, state.head().hash, time, entry.kind, object, entry.by};
  };
  // Judged before anything is written; a repair adds a line in front and changes nothing of what may follow, unless
  // this was to be the first.
  auto history = state.history;
  if (const auto why = history.add(line_after(), facts); !why.empty())
    return configuration_error(
        fmt::format("'{}' cannot be the next line of the ledger: it {}", to_string(entry.kind), why));
  if (entry.unless) {
    if (const auto why = entry.unless(state); !why.empty()) return infrastructure_error(why);
  }
  step("clean");
  PATCHLAB_TRY(remove_leftovers(folder_));
  PATCHLAB_TRY(objects().remove_leftovers());
  PATCHLAB_ASSIGN(auto repaired, cut_unfinished(state, time));
  for (const auto& attachment : entry.attachments) PATCHLAB_TRY(objects().put(attachment));
  if (!stored) PATCHLAB_TRY(objects().put(entry.object));
  if (!entry.signature.empty()) {
    const auto older = state.history.names(object) ? ObjectFolder::Older::keep : ObjectFolder::Older::replace;
    PATCHLAB_TRY(objects().put_signature(object, entry.signature, older));
  }
  const auto line = line_text(line_after());
  PATCHLAB_TRY(write_line(line, state.lines.empty()));
  return Appended{{state.lines.size() + 1, sha256(line)}, object, std::move(repaired)};
}

Result<std::string> Chain::repair() {
  PATCHLAB_ASSIGN(const auto before, read());
  if (before.unfinished.empty()) return std::string();
  PATCHLAB_ASSIGN(const auto lock, FileLock::take(folder_ / lock_name, FileLock::Mode::exclusive,
                                                  {.limit = options_.patience, .clock = options_.clock}));
  PATCHLAB_ASSIGN(auto state, read_unlocked());
  PATCHLAB_ASSIGN(const auto time, time_after(state, file(), clock().wall()));
  PATCHLAB_TRY(remove_leftovers(folder_));
  PATCHLAB_TRY(objects().remove_leftovers());
  return cut_unfinished(state, time);
}

Result<Chain::Appended> Chain::take_over(const fs::path& ledger, const std::string& by) {
  PATCHLAB_ASSIGN(auto bytes, read_file(ledger, largest_object, Links::refuse).while_doing("taking over a ledger"));
  if (bytes.empty())
    return configuration_error(fmt::format("'{}' is empty: there is nothing to take over", ledger.string()));
  return append({.kind = ChainKind::imported, .by = by, .object = std::move(bytes)});
}

Result<void> Chain::verify_heads(const ChainState& state) const {
  const auto check = [&](const fs::path& path, std::optional<std::string> size) -> Result<void> {
    PATCHLAB_ASSIGN(const auto bytes, read_file(path, largest_head, Links::refuse));
    PATCHLAB_ASSIGN(const auto note, parse_head(bytes, path.string()));
    const bool fits = note.ledger == state.hashes.front() && note.head.size <= state.lines.size() &&
                      note.head.hash == state.hashes[note.head.size - 1] &&
                      (!size || *size == std::to_string(note.head.size));
    if (!fits)
      return configuration_error(
          fmt::format("{}: is not a head of this ledger: one of them was cut off or rewritten", path.string()),
          damaged_hint);
    return {};
  };
  if (is_there(folder_ / "head")) PATCHLAB_TRY(check(folder_ / "head", std::nullopt));
  if (!is_there(folder_ / "heads")) return {};
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder_ / "heads"));
  for (const auto& entry : entries) {
    if (!is_temporary(entry) && entry.extension() != ".sig") PATCHLAB_TRY(check(entry, entry.filename().string()));
  }
  return {};
}

Result<ChainReport> Chain::verify(const std::optional<ChainHead>& noted) const {
  PATCHLAB_ASSIGN(const auto state, read());
  if (!state.unfinished.empty()) {
    return broken(file(), state.lines.size() + 1,
                  "is unfinished: a crash left it, or somebody cut it; the next command that writes repairs it openly");
  }
  if (state.lines.empty()) {
    return configuration_error(fmt::format("'{}' has no line: there is nothing to verify", file().string()));
  }
  if (noted && noted->size > state.lines.size()) {
    return configuration_error(fmt::format("{}: ends at line {}, but line {} was noted: its end was cut off",
                                           file().string(), state.lines.size(), noted->size),
                               damaged_hint);
  }
  if (noted && noted->size > 0 && state.hashes[noted->size - 1] != noted->hash)
    return broken(file(), noted->size, "is not the one that was noted: the ledger was rewritten");
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder_));
  for (const auto& entry : entries) {
    if (!is_known_in_folder(entry.filename().string()))
      return configuration_error(fmt::format("'{}' does not belong here", entry.string()), "look who made it");
  }
  PATCHLAB_TRY(verify_heads(state));
  ChainReport report;
  report.head = state.head();
  PATCHLAB_ASSIGN(report.objects, objects().verify());
  for (const auto& line : state.lines) {
    if (!History::has_statement(line.kind) && !std::ranges::binary_search(report.objects, line.object))
      return broken(file(), line.seq, fmt::format("names the object {}, which is not there", line.object));
  }
  for (const auto& attempt : state.history.attempts()) {
    if (attempt.end_line == 0)
      report.notes.push_back(fmt::format("line {}: a run began, and its end is not known", attempt.line));
  }
  for (const auto& story : state.history.promotions()) {
    if (story.is_open()) {
      report.notes.push_back(fmt::format(
          "line {}: a promotion of '{}' {}, and was not finished", story.line, story.department,
          story.state == PromotionStory::State::begun ? "began" : "switched the department to its version"));
    }
  }
  return report;
}

Result<HeadNote> Chain::write_head(const Sign& sign) {
  PATCHLAB_TRY(make_folders());
  PATCHLAB_ASSIGN(const auto lock, FileLock::take(folder_ / lock_name, FileLock::Mode::exclusive,
                                                  {.limit = options_.patience, .clock = options_.clock}));
  PATCHLAB_ASSIGN(const auto state, read_unlocked());
  if (state.lines.empty()) return configuration_error("a ledger without a line has no head");
  PATCHLAB_ASSIGN(const auto time, time_after(state, file(), clock().wall()));
  const HeadNote note{state.hashes.front(), state.head(), time};
  const auto bytes = head_text(note);
  const auto numbered = folder_ / "heads" / std::to_string(note.head.size);
  const auto with_suffix = [](fs::path path) { return path += ".sig"; };
  std::string signature;
  if (sign) {
    PATCHLAB_ASSIGN(signature, sign(bytes));
  }
  // The copies come last, so that a pair that fits is always there.
  for (const auto& path : {numbered, folder_ / "head"}) {
    if (sign) {
      step("head-signature");
      PATCHLAB_TRY(write_file_atomically(with_suffix(path), signature, mode_of_heads));
    } else {
      PATCHLAB_TRY(remove_tree(with_suffix(path)));  // of another text
    }
    step("head");
    PATCHLAB_TRY(write_file_atomically(path, bytes, mode_of_heads));
  }
  return note;
}

}  // namespace patchlab::promotion
