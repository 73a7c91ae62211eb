// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "promotion/deploy/handoff.hpp"
#include "promotion/desk/lab_book.hpp"
#include "promotion/installed/installed.hpp"

// What production took: written into the ledger of the stage, and asked again.
namespace patchlab::promotion {

// What a promotion consists of, as machines name it. Reads the packages.
[[nodiscard]] Result<std::vector<PromotedPart>> promoted_parts(const Handoff& handoff);

struct DeployedNote {
  InstalledSource source = InstalledSource::dpkg_query;
  std::string file;  // SHA-256 of what was read
  std::vector<MachineReport> machines;
  std::string reason;  // of what somebody did by hand; else empty
  std::string ticket;
};
// One line `deployed`, and beside its statement the report byte for byte. The number of the line. An error
// (configuration) for what was observed in the future.
[[nodiscard]] Result<std::uint64_t> write_deployed(const std::filesystem::path& stage, const Handoff& handoff,
                                                   const DeployedNote& note, const Scribe& scribe);

// The last that is known of one machine.
struct DeployedMachine {
  std::string department;
  MachineReport report;  // `since` of each row: what the machine said, else when this was first reported
  InstalledSource source = InstalledSource::dpkg_query;
  std::string file{};  // SHA-256 of what was read
  std::uint64_t line = 0;
  std::string recorded;  // RFC 3339
  std::string by;
  bool is_signed =
      false;  // there is a signature, which verify asks; else whoever wrote the line may have said any name
  std::string reason;
  std::string ticket;
  // The promotion that it was compared with.
  std::uint64_t serial = 0;
  std::string run;         // id
  std::string promoted;    // RFC 3339
  bool emergency = false;  // it was promoted through the emergency lane
  std::vector<std::string> approved_by;
  std::uint64_t newest_serial = 0;  // that is promoted in its department
  // On what is promoted now: it was compared with that, and observed afterwards.
  [[nodiscard]] bool has_reported() const;
};
// Of what was told, by line: of each machine what was observed last, whenever it was written down, and since when it
// has what it has.
[[nodiscard]] std::vector<DeployedMachine> newest_of(std::vector<DeployedMachine> told);

// The last line that has this very list of this machine, of which it says that all is well. Whoever writes that down
// again and does not say when it was so has observed nothing since. What speaks against a machine is never older than
// it is told: a report that it was well in between would hide it.
[[nodiscard]] const DeployedMachine* same_list(const std::vector<DeployedMachine>& told, const std::string& department,
                                               const MachineReport& report, const std::string& file);

struct DeployedDepartment {
  std::string department;
  std::uint64_t serial = 0;  // promoted last
  std::string run;
  std::string rejected;                   // since it was promoted; empty: it was not, or that was withdrawn
  std::vector<DeployedMachine> machines;  // by name; none has reported: empty
  bool emergency = false;                 // it was promoted through the emergency lane
};
// Everything that was told, by line.
[[nodiscard]] Result<std::vector<DeployedMachine>> told_of_stage(ProcessRunner& processes,
                                                                 const std::filesystem::path& stage);
// Of every department in which something was promoted. An error (configuration) when there is no ledger, when it does
// not fit, or when what a line names is not there.
[[nodiscard]] Result<std::vector<DeployedDepartment>> deployed_of_stage(ProcessRunner& processes,
                                                                        const std::filesystem::path& stage);
void to_json(Json& json, const DeployedMachine& machine);
void to_json(Json& json, const DeployedDepartment& department);

}  // namespace patchlab::promotion
