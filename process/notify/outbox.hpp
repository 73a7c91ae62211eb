// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/core/file_lock.hpp"
#include "process/notify/event.hpp"

// A folder in which each event is a file, until every receiver has taken it, and afterwards, so that it is not told
// again: waiting/NUMBER-ID.json, told/NUMBER-ID.json, state.json, lock. Whatever ends a process, each event is there
// whole or not at all, and one that a receiver may have taken is sent once more rather than not.
namespace patchlab::process {

inline constexpr const char* outbox_entry_schema = "patchlab/outbox-entry/v1";
inline constexpr const char* outbox_state_schema = "patchlab/outbox-state/v1";

// An event on its way to one receiver, when it was refused there.
struct Refusal {
  std::int64_t tries = 0;
  std::optional<NotifyTime> not_before;
  std::string why;
  bool operator==(const Refusal&) const = default;
};

struct OutboxEntry {
  std::uint64_t number = 0;  // the order in which events came
  std::string id;
  Json event;                                    // CloudEvents 1.0
  std::map<std::string, Refusal> waits_for;      // by receiver
  std::map<std::string, std::string> delivered;  // by receiver: when
};
void to_json(Json& json, const OutboxEntry& entry);

// How it stands with one receiver.
struct ReceiverState {
  std::int64_t failures = 0;  // one after another
  std::optional<NotifyTime> not_before;
  std::string why;
  // Of mail: when the last one was taken, and the one that is on its way: it stays the same until it is.
  std::optional<NotifyTime> last;
  struct Digest {
    NotifyTime date;
    std::vector<std::string> events;  // ids
    bool is_taken = false;            // and its events are not marked yet
    std::string left{};               // what waits and is not in it, as it says
    std::set<std::string> served{};   // addresses that have it or never will; none: nobody has it yet
    bool operator==(const Digest&) const = default;
  };
  std::optional<Digest> digest{};
  std::map<std::string, std::string> refused{};  // address: what the server said of it last
  std::int64_t turn = 0;                         // grows: who was served longer ago comes first
  bool operator==(const ReceiverState&) const = default;
};
struct OutboxState {
  Remembered remembered;
  std::map<std::string, ReceiverState> receivers;
  bool operator==(const OutboxState&) const = default;
};
void to_json(Json& json, const OutboxState& state);
// Strictly what to_json writes, or wrote before there was as much of it.
[[nodiscard]] Result<OutboxState> outbox_state_from_json(const Json& json, const std::string& file_name);

class Outbox {
 public:
  // Makes the folder when it is missing, and keeps its lock. An error of class timeout: another process has it.
  [[nodiscard]] static Result<Outbox> open(const std::filesystem::path& folder, const FileLock::Patience& patience);
  // Only to read, whoever else works there; what is not there is empty.
  [[nodiscard]] static Result<Outbox> look(const std::filesystem::path& folder);

  // It was added once, whatever came of it since.
  [[nodiscard]] bool knows(const std::string& id) const { return ids_.contains(id); }
  // An event that it does not know; for nobody: it is only remembered.
  [[nodiscard]] Result<void> add(const std::string& id, Json event, const std::set<std::string>& receivers);
  // In the order in which they came.
  [[nodiscard]] std::vector<OutboxEntry>& waiting() { return waiting_; }
  [[nodiscard]] const std::vector<OutboxEntry>& waiting() const { return waiting_; }
  // Writes down what came of one of them; when nobody waits for it any more it is told.
  [[nodiscard]] Result<void> keep(const OutboxEntry& entry);
  // Takes those out of waiting() for which nobody waits.
  void tidy();

  [[nodiscard]] OutboxState& state() { return state_; }
  [[nodiscard]] const OutboxState& state() const { return state_; }
  [[nodiscard]] Result<void> save();
  // Events are there, and no state: somebody took it away. What its sources were before the first look lies among them.
  [[nodiscard]] bool has_lost_state() const { return !has_state_ && !ids_.empty(); }

  // Files that cannot be read, sentences: what is in them is sent to nobody.
  [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; }

 private:
  explicit Outbox(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] Result<void> read();
  [[nodiscard]] Result<void> read_state();
  [[nodiscard]] Result<void> read_names(const std::filesystem::path& folder, bool is_waiting);
  [[nodiscard]] std::filesystem::path file_of(const char* folder, const OutboxEntry& entry) const;

  std::filesystem::path folder_;
  std::optional<FileLock> lock_;
  OutboxState state_;
  OutboxState saved_;
  bool has_state_ = false;  // as a file
  std::set<std::string> ids_;
  std::set<std::string> told_;
  std::uint64_t last_ = 0;
  std::vector<OutboxEntry> waiting_;
  std::vector<std::string> broken_;
};

}  // namespace patchlab::process
