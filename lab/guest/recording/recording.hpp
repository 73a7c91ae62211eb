// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

// What a Windows machine said to every command that only asks, as a folder that can be given away: manifest.json and
// the bytes of each reply. The folder may come from anybody, so it is read with distrust.
namespace patchlab::lab::guest::recording {

inline constexpr const char* manifest_schema = "patchlab/recording/v1";

struct Reply {
  std::string id;    // of the command, stable from version to version: names its files
  std::string by;    // as in the table of commands: agent, exec, job
  std::string line;  // as it was sent
  std::uint32_t exit_code = 0;
  Milliseconds took{0};
  std::string output;               // of "job": both streams, as the adapter reads them
  std::string errors;               // of "exec"
  std::optional<std::string> file;  // what the command saved for the adapter to read
  std::string trouble;              // why there is no reply; then everything above but id, by and line is empty
  bool operator==(const Reply&) const = default;
};

struct RecordedMachine {
  std::string release;        // "10.0.17763.5329", as far as it was told
  std::string product;        // "Windows Server 2019 Standard"
  std::string language;       // "0407", of the installation
  std::string oem_code_page;  // "850": of consoles
  std::string ansi_code_page;
  bool operator==(const RecordedMachine&) const = default;
};

// How often something of a kind was replaced; by what stands in no recording.
struct ScrubCount {
  std::string rule;
  std::string kind;
  std::size_t names = 0;
  std::size_t places = 0;
  bool operator==(const ScrubCount&) const = default;
};

struct Recording {
  std::string program;   // "patchlab 1.2.0"
  std::string recorded;  // RFC 3339
  RecordedMachine machine;
  std::vector<Reply> replies;
  std::vector<ScrubCount> scrubbed;
  // What was put in the place of names, in lower case: a later scrubbing leaves these. What is not in here is nobody's
  // invention, whatever it looks like.
  std::set<std::string> replaced_by;
  bool operator==(const Recording&) const = default;
};

// Into a folder that is not there yet, or is empty. Files before the manifest: a folder without one is no recording.
[[nodiscard]] Result<void> write_recording(const std::filesystem::path& folder, const Recording& recording);

// A configuration error that names the file and what to do: a folder that is no recording, whose manifest is of another
// version or not understood, that was cut off or changed, or names files outside of it.
[[nodiscard]] Result<Recording> read_recording(const std::filesystem::path& folder);

// What of the machine the replies tell by themselves.
[[nodiscard]] RecordedMachine machine_told_by(const std::vector<Reply>& replies);

// Between a cell and who asked it.
void to_json(Json& json, const Reply& reply);
[[nodiscard]] Reply reply_from_json(const Json& json);  // throws Json::exception

}  // namespace patchlab::lab::guest::recording
