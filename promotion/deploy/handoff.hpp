// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/process/process.hpp"
#include "promotion/chain/chain.hpp"

// What is promoted, as it is handed to whoever installs it: read from a stage of which nothing is refuted. What other
// tools read of it (handoff.json, variables) are functions over this value.
namespace patchlab::promotion {

inline constexpr const char* handoff_schema = "patchlab/handoff/v1";
inline constexpr const char* handoff_file_name = "handoff.json";

enum class ExportTo { apt, ansible, wsus, files };
[[nodiscard]] const char* to_string(ExportTo to);
[[nodiscard]] std::optional<ExportTo> export_to_from(std::string_view word);

struct HandoffFile {
  std::string candidate;
  std::string name;
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string sha1{};                                                        // where it is asked for
  [[nodiscard]] std::string path() const { return candidate + "/" + name; }  // below the version's folder
};

struct HandoffCandidate {
  std::string id;
  std::string title;
  std::string severity;
  std::string kind;    // deb, msu, cab, msi, msp, exe
  std::string digest;  // of the candidate
  std::string kb;      // "KB5035968", where its id or one of its files is called so; a label only
  std::vector<std::string> machines;
  std::vector<std::string> roles;
  std::vector<HandoffFile> files;
};

// When it may be installed, by a calendar (process/calendar) that this folder knows nothing of.
struct HandoffWindow {
  std::string name;      // of the event, for people
  std::string opens;     // RFC 3339 in whole seconds
  std::string closes;    // exclusive
  std::string zone;      // of those who wrote it
  std::string calendar;  // SHA-256 of the file
  bool operator==(const HandoffWindow&) const = default;
};

// Which machines of production it is for, by a file (rings.hpp).
struct HandoffRing {
  std::string name;
  std::size_t number = 1;
  std::size_t of = 1;
  std::vector<std::string> machines;   // of production; empty: all but the others
  std::vector<std::string> others;     // of all other rings
  std::vector<std::uint64_t> reports;  // lines of the ledger by which it may follow, ascending
  std::string rings;                   // SHA-256 of the file
  [[nodiscard]] bool is_rest() const { return machines.empty(); }
  bool operator==(const HandoffRing&) const = default;
};

struct Handoff {
  std::string department;
  std::uint64_t serial = 0;
  std::string run;                           // id
  std::string published;                     // RFC 3339
  std::string set;                           // digest of SHA256SUMS
  std::string not_after;                     // RFC 3339 in whole seconds; empty: nothing ends it
  bool emergency = false;                    // it was promoted through the emergency lane
  std::vector<std::string> approved_by{};    // whose approvals counted
  std::optional<HandoffWindow> window{};     // nothing: at any time until it ends
  std::optional<HandoffRing> ring{};         // nothing: all machines
  std::string rejected;                      // since it was promoted (rejection.hpp); empty: it was not
  std::vector<HandoffCandidate> candidates;  // in the order applied
  // What proves it: digests, and the bytes as the ledger has them.
  std::string promotion;  // digest of the statement
  std::string statement;
  std::string signature;         // armoured; empty: the lab signed nothing
  std::string manifest;          // the bytes of manifest.json
  std::string sums;              // and of SHA256SUMS
  std::string ledger;            // hash of its first line: which one it is
  ChainHead head;                // as it was read
  std::filesystem::path folder;  // of the version
};

// What was promoted last in this department of a stage. An error (usage) when there is no such department; one
// (configuration) when it was never promoted, or when anything that `patchlab verify` asks is refuted.
[[nodiscard]] Result<Handoff> handoff_of(ProcessRunner& processes, const std::filesystem::path& stage,
                                         const std::string& department);

// Puts it into a window, with whose end it ends.
void put_into_window(Handoff& handoff, HandoffWindow window);
// The end of it may only come sooner: the earlier of both.
[[nodiscard]] std::string earlier_end(const std::string& not_after, const std::string& other);

// Which candidates such an export is for; of the others it says that they are not in it.
struct HandoffParts {
  std::vector<HandoffCandidate> go;
  std::vector<std::string> left_out;  // ids
};
[[nodiscard]] HandoffParts parts_for(const Handoff& handoff, ExportTo to);

// Why the policy's word does not reach that far: somebody has rejected it since, it has ended, or there is nothing for
// such a target. Nothing is made
// then: to several tools an empty list means everything.
[[nodiscard]] std::optional<Error> not_to_be_exported(const Handoff& handoff, ExportTo to,
                                                      std::chrono::system_clock::time_point now);

// handoff.json: data for scripts that hold none.
[[nodiscard]] Json handoff_json(const Handoff& handoff, ExportTo to);

// A copy of a tested file, readable for all. What was copied is compared, not what lies there.
[[nodiscard]] Result<void> copy_tested(const Handoff& handoff, const HandoffFile& file,
                                       const std::filesystem::path& to);

// "KB5035968" in the name of a candidate or file that begins so, in whatever case; empty: none.
[[nodiscard]] std::string kb_in(std::string_view name);

}  // namespace patchlab::promotion
