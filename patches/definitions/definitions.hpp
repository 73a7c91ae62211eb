// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/process/process.hpp"
#include "patches/deb/deb_archive.hpp"

// Updates of an antivirus' definitions: known from what is in a package, and from nothing that is written on it.
// Whatever brings anything else must not be taken for one.
namespace patchlab::patches {

// What the first 512 bytes of a ClamAV Virus Database (.cvd) say, fields divided by ':' (ClamAV's manual, "CVD file
// format"; cl_cvdparse of libclamav).
struct DefinitionHeader {
  std::string built;  // "29 Nov 2026 09-26 +0000", as it stands there
  std::uint64_t version = 0;
  std::uint64_t signatures = 0;
  bool operator==(const DefinitionHeader&) const = default;
};
// Nothing: it is no such header. `bytes`: the beginning of the file, 512 bytes or more.
[[nodiscard]] std::optional<DefinitionHeader> definition_header(std::string_view bytes);

// "clamav-data" as Debian calls what clamav-freshclam and such packages provide, or "clamav-data-...". What is called
// otherwise may take the place of what is no data.
[[nodiscard]] bool is_called_as_definitions(std::string_view package);

struct DefinitionFile {
  std::string name;  // "daily.cvd"
  DefinitionHeader header;
  bool operator==(const DefinitionFile&) const = default;
};

// What is known of a package. Pure data is
// - a package for all architectures whose name begins with "clamav-data", so that it takes the place of nothing else,
// - without maintainer scripts, triggers or conffiles, without dependencies and conflicts,
// - that brings /var/lib/clamav/NAME.cvd and documents, as plain files that nobody can execute, and nothing more,
// - where ClamAV's own verifier takes each .cvd (digest and signature), and
// - each of them holds signatures and no program in bytecode (.cbc), which a scanner would execute.
struct Definitions {
  enum class State {
    proven,
    other,     // it is an ordinary package, `why` says by what
    damaged,   // a file of definitions is not what its signature says: nobody should install it
    not_told,  // nobody can tell: the verifier is missing, or could not be run
  } state = State::other;
  std::string why;                    // "it brings '/usr/bin/x'"; empty: proven
  std::vector<DefinitionFile> files;  // when proven, by name
  std::string verifier;               // then: "ClamAV 1.4.6"
  [[nodiscard]] bool are_proven() const { return state == State::proven; }
};

// Reads a package that was inspected before. `scratch`: a folder in which to work; nothing stays there. The verifier is
// sigtool(1) of the Debian package clamav, in a sandbox. An error when the package or the folder cannot be read.
// Whoever asks about an ordinary package waits for its control archive only.
[[nodiscard]] Result<Definitions> definitions_in(const std::filesystem::path& deb, ProcessRunner& processes,
                                                 const std::filesystem::path& scratch, const DebLimits& limits = {});

// "definitions: daily.cvd 27500 of 29 Nov 2026 09-26 +0000 (2047948 signatures), each verified by ClamAV 1.4.6"; of
// what is not proven: "no definition update: it brings '/usr/bin/x'". One line, as text of others' is.
[[nodiscard]] std::string describe(const Definitions& definitions);

// cli/schemas/deb-package.schema.json: "definitions".
void to_json(Json& json, const Definitions& definitions);

// How the verifier is called, and what it says; for tests.
[[nodiscard]] ProcessSpec sigtool_command(const std::filesystem::path& folder, const std::string& name);

}  // namespace patchlab::patches
