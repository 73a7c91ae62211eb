// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/time.hpp"
#include "promotion/chain/head.hpp"
#include "promotion/chain/history.hpp"
#include "promotion/chain/line.hpp"
#include "promotion/chain/objects.hpp"

// The ledger of a stage: a folder (<stage>/.ledger) of files only.
//
//   ledger.jsonl      one line per event, each with the hash of the bytes of the line before
//   objects/<sha256>  what the lines are about, as it was signed; <sha256>.sig its signature
//   heads/<size>      heads that were written down, with .sig; `head` and `head.sig` are copies of the newest
//   trust/, policy/   who may sign, and what a promotion needs, by version (docs/evidence.md)
//   lock              held while somebody writes
//
// An edit, a deletion or a reordering anywhere shows, and so does a story that cannot be (promotion/chain/history.hpp).
// A cut end or a chain written anew shows against a head that was noted elsewhere.
namespace patchlab::promotion {

inline constexpr const char* chain_folder_name = ".ledger";
inline constexpr const char* chain_file_name = "ledger.jsonl";

// A chain that was read, and fits.
struct ChainState {
  std::vector<ChainLine> lines;
  std::vector<std::string> hashes;  // of each line's bytes
  History history;
  // What a crash left of a line that nobody was told of; empty when the last line is whole. The next append cuts it off
  // and says so.
  std::string unfinished;
  [[nodiscard]] ChainHead head() const {
    return lines.empty() ? ChainHead{} : ChainHead{lines.back().seq, hashes.back()};
  }
};

// Who put the policy with this digest in force, by the lines of the ledger: whatever its document says of its author,
// these are answerable for it. Nobody for the one that a stage without any begins with.
[[nodiscard]] std::vector<std::string> signers_of_policy(const ChainState& chain, const std::string& digest);

struct ChainReport {
  ChainHead head;
  std::vector<std::string> objects;  // every digest that is there
  // What an auditor should know, and what is no error: attempts without an end, promotions that a crash interrupted,
  // objects that no line names.
  std::vector<std::string> notes;
};

class Chain {
 public:
  struct Options {
    Milliseconds patience{30'000};  // for whoever else writes
    BeforeStep before_step{};
    Clock* clock = nullptr;  // of a test; the system's when there is none
  };
  // Names the folder; the first append makes it. Not to be shared between threads; several objects and processes may
  // work on one folder.
  explicit Chain(std::filesystem::path folder);
  Chain(std::filesystem::path folder, Options options);

  struct Entry {
    ChainKind kind = ChainKind::begin;
    std::string by;
    std::string object;       // the bytes of the statement or file; empty: `names` is there already
    std::string names{};      // its digest then: a promotion that goes on
    std::string signature{};  // armoured SSHSIG; empty: not signed
    // Files that the statement names: run records, manifests.
    std::vector<std::string> attachments{};
    // Asked under the lock, of the chain as it then is: a sentence when the line is not to be written after all.
    std::function<std::string(const ChainState&)> unless{};
  };
  struct Appended {
    ChainHead head;
    std::string object;
    std::string repaired;  // a sentence when an unfinished line was cut off; empty otherwise
  };
  // Reads and proves the chain, stores the objects, then writes one line; each synced. Either the line is there and
  // everything that it names, or nothing was added that a reader would see. Refused, with nothing changed: behind a
  // chain that does not fit, for a line that cannot follow, when the clock is before the last line's time, when
  // somebody else holds the lock for too long. A step back of the clock of at most two seconds is taken for none.
  [[nodiscard]] Result<Appended> append(const Entry& entry);

  // The first line of a chain beside a ledger of an older version: that file as an object. The caller has verified it.
  [[nodiscard]] Result<Appended> take_over(const std::filesystem::path& ledger, const std::string& by);

  // Cuts off what a crash left of a line and says so openly, as the next append would. A sentence; empty when the last
  // line is whole.
  [[nodiscard]] Result<std::string> repair();

  // Lines, and the statements that they name. An error says the line and the reason. Empty when there is no ledger.
  [[nodiscard]] Result<ChainState> read() const;
  // All of it: lines, statements, every object, the heads; nothing unfinished, nothing foreign, at least one line. With
  // `noted`, that it continues that head.
  [[nodiscard]] Result<ChainReport> verify(const std::optional<ChainHead>& noted = std::nullopt) const;

  // Writes down the head as it is. `sign`: the armoured signature of the text in the namespace patchlab.head.v1; none:
  // not signed.
  using Sign = std::function<Result<std::string>(const std::string& text)>;
  [[nodiscard]] Result<HeadNote> write_head(const Sign& sign = {});

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] bool exists() const;
  [[nodiscard]] ObjectFolder objects() const { return ObjectFolder(folder_ / "objects", options_.before_step); }

 private:
  void step(const char* name) const {
    if (options_.before_step) options_.before_step(name);
  }
  [[nodiscard]] Clock& clock() const { return options_.clock == nullptr ? system_clock_source() : *options_.clock; }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / chain_file_name; }
  [[nodiscard]] Result<std::string> text() const;
  [[nodiscard]] Result<ChainState> state_of(const std::string& text) const;
  [[nodiscard]] Result<ChainState> read_unlocked() const;
  [[nodiscard]] Result<void> make_folders() const;
  [[nodiscard]] Result<std::string> cut_unfinished(ChainState& state, const std::string& time) const;
  [[nodiscard]] Result<void> write_line(const std::string& line, bool first) const;
  [[nodiscard]] Result<void> verify_heads(const ChainState& state) const;

  std::filesystem::path folder_;
  Options options_;
};

}  // namespace patchlab::promotion
