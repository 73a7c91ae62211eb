// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

// What real tools print (tests/golden/transcripts), as the tests of this folder use it.
namespace patchlab::recorded {

struct Transcript {
  std::filesystem::path folder;
  Json entry;  // of index.json

  [[nodiscard]] std::string file() const { return entry.at("file").get<std::string>(); }
  [[nodiscard]] std::string tool() const { return entry.at("tool").get<std::string>(); }
  [[nodiscard]] const Json& expected() const { return entry.at("expected"); }
  [[nodiscard]] Result<std::string> bytes() const;
};
void PrintTo(const Transcript& transcript, std::ostream* out);

// Those of the repository, and of the folder that PATCHLAB_TRANSCRIPTS names.
[[nodiscard]] std::vector<Transcript> transcripts();
// Folders below them that are recordings of whole machines ('patchlab guest record').
[[nodiscard]] std::vector<std::filesystem::path> recordings();
// Those that a machine printed: no files of packages.
[[nodiscard]] std::vector<Transcript> printed_transcripts();

// What the parser of the tool reads from a reply: all of it, so that two replies can be compared. Nothing: the tool's
// output is a file of a package, or no parser is for it.
[[nodiscard]] std::optional<Result<Json>> values_in(const Transcript& transcript, std::string_view bytes);

}  // namespace patchlab::recorded
