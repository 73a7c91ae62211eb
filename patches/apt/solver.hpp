// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/core/held_folder.hpp"
#include "lab/process/process.hpp"
#include "patches/apt/apt_output.hpp"
#include "patches/deb/package_index.hpp"

namespace patchlab::patches {

// A machine as far as apt's solver is concerned.
struct SolverMachine {
  std::string name;             // for messages
  std::string dpkg_status;      // the text of its /var/lib/dpkg/status
  std::filesystem::path known;  // answers are kept here, since the same question has the same answer; empty: nowhere
};

struct AskedPackage {
  std::string package;
  std::string version;
  std::string architecture;
  auto operator<=>(const AskedPackage&) const = default;
};

// A package that apt may take: its control file is all that the solver reads.
struct OfferedPackage {
  Stanza control;
  IndexedFile file;
};

// What apt would do.
struct Solution {
  std::vector<AptUpdate> installs;    // in apt's order
  std::vector<AskedPackage> removed;  // as they are installed
  std::string refusal;                // apt's own words when it would do nothing; empty: it would
};

// Asks apt what it would do on a machine, given its dpkg status and packages that are on offer and nothing else: no
// sources, no preferences and no configuration of this host. `apt-get -s` decides; nothing of apt's rules is known
// here. Not thread-safe.
class Solver {
 public:
  [[nodiscard]] static Result<Solver> create(ProcessRunner& runner, SolverMachine machine);

  // `apt-get check`: a configuration error in apt's words when it would not work on this machine as it is.
  [[nodiscard]] Result<void> check(std::stop_token stop = {});
  // To have exactly these versions.
  [[nodiscard]] Result<Solution> install(const std::vector<AskedPackage>& asked,
                                         const std::vector<OfferedPackage>& offered, std::stop_token stop = {});

  [[nodiscard]] const std::string& machine() const { return machine_.name; }
  // The architectures of the machine, its own first. Empty when the status names none.
  [[nodiscard]] const std::vector<std::string>& architectures() const { return architectures_; }

 private:
  Solver(ProcessRunner& runner, SolverMachine machine, HeldFolder folder)
      : runner_(runner), machine_(std::move(machine)), folder_(std::move(folder)) {}
  [[nodiscard]] ProcessSpec command(std::vector<std::string> arguments) const;
  struct Answer {
    int code = 0;
    std::string output;
    std::string errors;
  };
  [[nodiscard]] Result<Answer> ask(const std::string& index, std::vector<std::string> arguments, std::stop_token stop);
  Result<void> write_configuration();

  ProcessRunner& runner_;
  SolverMachine machine_;
  HeldFolder folder_;
  std::vector<std::string> architectures_;
};

// What apt says after "unmet dependencies:", or else its errors, as one line.
[[nodiscard]] std::string apt_refusal(const std::string& output, const std::string& errors);
// True when apt's simulation only complains of the order of its own steps ("E: Conf Broken x").
[[nodiscard]] bool is_only_about_order(const std::string& errors);
// "bind9-libs=1:9.18-1", "libc6:i386=2.36-9" as apt-get takes it.
[[nodiscard]] std::string apt_specification(const AskedPackage& package);

}  // namespace patchlab::patches
