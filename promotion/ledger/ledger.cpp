// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/ledger/ledger.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "lab/core/digest.hpp"
#include "lab/core/file_lock.hpp"

namespace patchlab::promotion {
namespace {

const std::string no_hash(64, '0');
constexpr std::uintmax_t largest_ledger = 256U << 20U;
constexpr std::chrono::seconds lock_patience{30};

std::string compact(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json without_hash(const LedgerEntry& entry) {
  return {{"seq", entry.seq},
          {"time", entry.time},
          {"kind", entry.kind},
          {"payload", entry.payload},
          {"payload_digest", entry.payload_digest},
          {"prev", entry.prev}};
}

// The hash covers the compact JSON of all other fields, whose keys nlohmann sorts: one text for one entry.
std::string hash_of(const LedgerEntry& entry) { return sha256(compact(without_hash(entry))); }

std::string line_of(const LedgerEntry& entry) {
  auto json = without_hash(entry);
  json["hash"] = entry.hash;
  return compact(json) + "\n";
}

LedgerEntry entry_after(const LedgerHead& head, const Ledger::NewEntry& entry) {
  LedgerEntry next;
  next.seq = head.seq + 1;
  next.time = entry.time;
  next.kind = entry.kind;
  next.payload =
      json_in(compact(entry.payload));  // what a reader will see: bytes that are no UTF-8 are replaced before hashing
  next.payload_digest = sha256(compact(next.payload));
  next.prev = head.hash;
  next.hash = hash_of(next);
  return next;
}

Result<LedgerEntry> parse_line(const std::string& line, const std::string& name) {
  PATCHLAB_ASSIGN(const auto json, parse_json(line, name, JsonTexts::any));
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  LedgerEntry entry;
  entry.seq = static_cast<std::uint64_t>(reader.integer("seq", 1, std::numeric_limits<std::int64_t>::max()));
  entry.time = reader.text("time");
  entry.kind = reader.text("kind");
  entry.payload = reader.raw("payload");
  entry.payload_digest = reader.text("payload_digest");
  entry.prev = reader.text("prev");
  entry.hash = reader.text("hash");
  reader.finish();
  if (!problems.empty()) return problems_error(name, problems);
  return entry;
}

// Why an entry cannot stand behind `head`; empty when it can.
std::string misfit(const LedgerEntry& entry, const LedgerHead& head) {
  if (entry.seq != head.seq + 1) return fmt::format("has number {}, expected {}", entry.seq, head.seq + 1);
  if (entry.prev != head.hash) return "does not follow the entry before it: something was changed, removed or moved";
  if (entry.payload_digest != sha256(compact(entry.payload))) return "its payload was changed";
  if (entry.hash != hash_of(entry)) return "was changed: its hash does not fit";
  return {};
}

struct Chain {
  std::vector<LedgerEntry> entries;
  LedgerHead head{0, no_hash};
  std::size_t good_bytes = 0;  // up to the end of the last entry that fits
  bool unfinished_line = false;
};

enum class Tail { must_be_whole, may_be_unfinished };

Result<Chain> read_chain(const std::string& text, const std::string& file, Tail tail) {
  Chain chain;
  while (chain.good_bytes < text.size()) {
    const auto end = text.find('\n', chain.good_bytes);
    const auto name = fmt::format("{}:{}", file, chain.entries.size() + 1);
    auto entry = parse_line(text.substr(chain.good_bytes, end - chain.good_bytes), name);
    // Only the newline is missing when an editor took it away: the entry counts. A piece of an entry was never
    // acknowledged.
    if (end == std::string::npos && !entry && tail == Tail::may_be_unfinished) {
      chain.unfinished_line = true;
      return chain;
    }
    if (!entry) return std::move(entry).error().while_doing("reading the ledger");
    if (const auto why = misfit(*entry, chain.head); !why.empty()) {
      return configuration_error(fmt::format("{}: the entry {}", name, why),
                                 "compare with a copy of the ledger; it must never be edited");
    }
    chain.head = {entry->seq, entry->hash};
    chain.entries.push_back(std::move(*entry));
    chain.good_bytes = end == std::string::npos ? text.size() : end + 1;
    chain.unfinished_line = end == std::string::npos;
  }
  return chain;
}

Result<void> write_at_end(const std::filesystem::path& file, std::size_t keep, const std::string& text) {
  const FileDescriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!out.valid()) return errno_error("opening '" + file.string() + "'", errno);
  if (::ftruncate(out.get(), static_cast<off_t>(keep)) != 0)
    return errno_error("cutting an unfinished line off '" + file.string() + "'", errno);
  std::size_t done = 0;
  while (done < text.size()) {
    const auto count = ::pwrite(out.get(), text.data() + done, text.size() - done, static_cast<off_t>(keep + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int saved = errno;
      static_cast<void>(::ftruncate(out.get(), static_cast<off_t>(keep)));  // all entries or none
      return errno_error("writing '" + file.string() + "'", saved);
    }
    done += static_cast<std::size_t>(count);
  }
  if (::fsync(out.get()) != 0) return errno_error("syncing '" + file.string() + "'", errno);
  return {};
}

Result<std::string> read_if_there(const std::filesystem::path& file) {
  std::error_code code;
  const auto status = std::filesystem::symlink_status(file, code);
  if (status.type() == std::filesystem::file_type::not_found) return std::string();
  return read_file(file, largest_ledger, Links::refuse);
}

}  // namespace

Result<LedgerHead> Ledger::append(const std::vector<NewEntry>& entries) {
  const auto folder = file_.has_parent_path() ? file_.parent_path() : std::filesystem::path(".");
  PATCHLAB_TRY(create_folders(folder));
  auto lock_file = file_;
  lock_file += ".lock";
  PATCHLAB_ASSIGN(const auto lock, FileLock::take(lock_file, FileLock::Mode::exclusive, {.limit = lock_patience}));
  PATCHLAB_ASSIGN(const auto text, read_if_there(file_));
  PATCHLAB_ASSIGN(auto chain, read_chain(text, file_.string(), Tail::may_be_unfinished));
  std::string lines;
  if (chain.unfinished_line && chain.good_bytes == text.size()) lines += "\n";
  for (const auto& entry : entries) {
    const auto next = entry_after(chain.head, entry);
    lines += line_of(next);
    chain.head = {next.seq, next.hash};
  }
  PATCHLAB_TRY(write_at_end(file_, chain.good_bytes, lines));
  PATCHLAB_TRY(sync_path(folder));
  return chain.head;
}

Result<std::vector<LedgerEntry>> Ledger::read(Unfinished last_line) const {
  PATCHLAB_ASSIGN(const auto text, read_file(file_, largest_ledger, Links::refuse));
  const auto tail = last_line == Unfinished::refused ? Tail::must_be_whole : Tail::may_be_unfinished;
  PATCHLAB_ASSIGN(auto chain, read_chain(text, file_.string(), tail));
  return std::move(chain.entries);
}

Result<LedgerHead> Ledger::verify(const std::optional<LedgerHead>& known) const {
  PATCHLAB_ASSIGN(const auto entries, read());
  const LedgerHead head =
      entries.empty() ? LedgerHead{0, no_hash} : LedgerHead{entries.back().seq, entries.back().hash};
  if (!known || known->seq == 0) return head;
  if (known->seq > head.seq) {
    return configuration_error(fmt::format("{}: ends at entry {}, but entry {} is known: its end was cut off",
                                           file_.string(), head.seq, known->seq));
  }
  if (entries[known->seq - 1].hash != known->hash) {
    return configuration_error(
        fmt::format("{}: entry {} is not the one that is known: the ledger was rewritten", file_.string(), known->seq));
  }
  return head;
}

}  // namespace patchlab::promotion
