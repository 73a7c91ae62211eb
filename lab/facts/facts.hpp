// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "lab/core/guest_system.hpp"
#include "lab/core/host_state.hpp"
#include "lab/facts/likeness.hpp"

// What a machine says of itself by a script that only reads: docs/process/likeness.md has the format. The same script
// runs on machines of production and in a golden machine's clone, so that both are seen by the same rules.
namespace patchlab::lab::facts {

inline constexpr const char* facts_schema = "patchlab/facts/v1";
// Most bytes of what one machine says; what is longer is refused. A server with 3000 packages says a third of a MiB.
inline constexpr std::size_t most_bytes = 4U << 20U;

// Below the evidence of a department in a run's folder: MACHINE.json is what the golden machine's clone said at the
// baseline (or MACHINE.txt, why it did not), MACHINE.production.json what was given.
inline constexpr const char* evidence_folder = "facts";

// The scripts, byte for byte as they lie in this folder: POSIX sh for Debian, PowerShell for Windows 2012 to 2022.
extern const char* const debian_script;
extern const char* const windows_script;

// A configuration file, or a key of the registry.
struct ConfigurationFile {
  std::string of;        // whose configuration: "bind"
  std::string sha256;    // of its bytes; empty: not said, since not everybody may read it
  std::string compared;  // of what the script's rule leaves of it; empty: it was not read
  std::string not_read;  // why not: it may hold a key; empty: it was
  bool operator==(const ConfigurationFile&) const = default;
};

struct Facts {
  GuestFamily family = GuestFamily::debian;
  std::string machine;                                 // what it calls itself
  std::string observed;                                // RFC 3339, by its own clock
  std::map<std::string, std::string> release;          // "kernel" -> "6.1.0-28-amd64"
  std::map<std::string, std::string> packages;         // "bind9:amd64" -> version; "KB5035968" -> "installed"
  std::map<std::string, ConfigurationFile> files;      // by path
  std::set<std::string> services;                      // that start with the machine
  std::map<std::string, std::set<std::string>> ports;  // "tcp 53" -> where it listens: any, loopback, own
  std::map<Part, std::string> not_known;               // what the machine could not tell, or not as a whole, and why
  bool operator==(const Facts&) const = default;
};

// UTF-8, or UTF-16 as PowerShell writes it into files. Strict: every line is an object of a known shape, nothing is
// there twice, and the last line says how many there are, so that what was cut off is no shorter machine. Errors
// (configuration) name file and line.
[[nodiscard]] Result<Facts> read_facts(std::string_view text, const std::string& file_name);

// What is known of a golden machine that was not started: its installed set. Everything else is said to be not known.
[[nodiscard]] Facts facts_of_installed(const InstalledSet& installed, const std::string& why_no_more);

}  // namespace patchlab::lab::facts
