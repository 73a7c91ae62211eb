// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>

#include "patches/authenticode/authenticode.hpp"
#include "patches/candidate/candidate.hpp"
#include "patches/store/content_store.hpp"
#include "process/acquire/wanted.hpp"

// Brings files into the content store: from the apt sources, from a folder into which people put what they downloaded,
// and from the content folder of a WSUS. What is certainly not what it should be goes into quarantine, with the reason;
// nothing else of it is ever read again. What nobody asks for stays where it is: that may be because too little was
// asked.
namespace patchlab::process {

// The words (to_string) are stable API.
enum class AcquiredState {
  quarantined,  // is not what it should be: other bytes under a wanted name, no package, no signature, known bad
  failed,       // could not be asked or looked at: the host, the sources, the CA bundle
  to_bring,     // is nowhere: somebody has to download it
  acquired,     // verified, and in the store from now on
  here,         // was in the store before
  unfinished,   // somebody may still be copying it: nothing is said of it
  not_asked,    // nobody asks for it: it stays where it is
};
[[nodiscard]] const char* to_string(AcquiredState state);

struct AcquiredRow {
  AcquiredState state = AcquiredState::to_bring;
  std::string name, item;
  std::string sha256;  // of what is wanted; of what is in quarantine what it really has
  std::optional<std::uint64_t> bytes;
  std::string source;      // the file, "apt"; empty: none
  std::string why;         // of what is not here; how it was verified, of what is
  std::string from;        // where it is to be had
  std::string quarantine;  // where it is now
  bool operator==(const AcquiredRow&) const = default;
};

struct AcquireRequest {
  std::vector<WantedFile> wanted;
  std::filesystem::path drop;  // empty: none
  std::filesystem::path wsus;  // "WsusContent"; empty: none. Only files that are wanted are looked at, none is moved
  std::filesystem::path quarantine;              // made when it is needed
  std::map<std::string, std::string> known_bad;  // SHA-256: why
  std::map<std::string, std::string> offered;    // SHA-256: the update; of all that is on offer, wanted or not
  std::string now;                               // RFC 3339: for the reason, and for what is still being copied
  ProcessRunner* processes = nullptr;  // for who verifies definitions of an antivirus; null: they are not looked at
  // Of the apt sources, which verify it by their keys, into the store.
  std::function<Result<patches::CandidateFile>(const WantedFile&)> fetch;
};

struct AcquireResult {
  std::vector<AcquiredRow> rows;  // quarantine first, then as wanted, then what nobody asks for
  [[nodiscard]] std::size_t count(AcquiredState state) const;
};

// An error only when a folder that was named cannot be read; whatever is wrong with one file is in its row.
[[nodiscard]] Result<AcquireResult> acquire(const patches::ContentStore& store,
                                            const patches::Authenticode& authenticode, const AcquireRequest& request);

void to_json(Json& json, const AcquireResult& result);
[[nodiscard]] std::string acquire_csv(const AcquireResult& result);

}  // namespace patchlab::process
