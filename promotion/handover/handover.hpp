// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "promotion/desk/lab_book.hpp"
#include "promotion/handover/message.hpp"
#include "promotion/stage/stage.hpp"

namespace patchlab::promotion {

// The way to the desk, for one conversation.
class DeskLine {
 public:
  virtual ~DeskLine() = default;
  // Adds the line end.
  [[nodiscard]] virtual Result<void> send(std::string_view line) = 0;
  // The next line of the desk; an error when there is none, with why as far as that is known.
  [[nodiscard]] virtual Result<std::string> receive() = 0;
};
using Dial = std::function<Result<std::unique_ptr<DeskLine>>()>;

// The lab's end of a hand-over: who may not write the ledger of a stage tells the desk that a run begins, and how it
// ended. Not for several threads.
class Handover {
 public:
  // `by`: when nothing is signed. `key`: "ssh-ed25519 AAAA..." of scribe.sign; empty: nothing is signed.
  Handover(Dial dial, Scribe scribe, KeyText key)
      : dial_(std::move(dial)), scribe_(std::move(scribe)), key_(std::move(key)) {}

  // Before the first machine starts. An error means that the run must not: nobody would know of it.
  [[nodiscard]] Result<void> begin(const reports::RunRecord& planned);
  // Its end, and the files that the desk does not have: of what it tested (`file`), and of what it kept as evidence in
  // `folder`. The same again changes nothing. What the desk says of it then.
  [[nodiscard]] Result<Settled> end(const reports::RunRecord& record, const std::string& run_json, bool promote,
                                    const FileSource& file, const std::filesystem::path& folder);

  // Sentences of the desk.
  [[nodiscard]] std::vector<std::string>& notes() { return notes_; }

 private:
  [[nodiscard]] Result<HandedStatement> handed(const Statement& statement) const;
  [[nodiscard]] std::string name(const Ready& ready) const { return ready.by.empty() ? scribe_.by : ready.by; }
  Dial dial_;
  Scribe scribe_;
  KeyText key_;
  std::vector<std::string> notes_;
};

// A command as people write it into an option, taken apart into words without any shell: blanks part them; '...' takes
// everything as it is, "..." too but for \" and \\, and a backslash elsewhere the next character. Nothing else means
// anything. An error (configuration) for an end within quotes, and for no word at all.
[[nodiscard]] Result<std::vector<std::string>> words_of_command(const std::string& text);

}  // namespace patchlab::promotion
