// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "lab/core/json.hpp"
#include "runners/host/libvirt_host.hpp"
#include "runners/host/scratch.hpp"

namespace patchlab::runners::host {

// What a run on another host asks of this one: the other end of remote_host.hpp. Requests are those of LibvirtHost, and
// what moves files:
//
//   look       uri domain               as LibvirtHost
//   digest     uri domain
//   leftovers  uri storage
//   alive                               the disks that were looked at have been held until now
//   begin      run cell                 makes a Workplace; all of a run are in one Scratch, which goes with the agent
//   medium     sha256 first last bytes  a piece of a file, in order; the last answers with its path, if it has that
//                                       digest as a whole
//   files      cell folder              names of the files in that folder of the cell's evidence, and below it
//   file       cell folder name         bytes (base64) of one
class HostAgent {
 public:
  // `program`: the patchlab binary. `runner` must outlive it.
  HostAgent(std::string program, ProcessRunner& runner);
  // One request after the other. Never throws; what cannot be understood is an error.
  [[nodiscard]] Json answer(const Json& request);
  // Removes the scratch folder, from any thread. What is asked for afterwards is an error.
  void give_up();

 private:
  [[nodiscard]] Result<Json> carry_out(const Json& request);
  [[nodiscard]] Result<Json> move_files(const std::string& op, const Json& request);
  [[nodiscard]] LibvirtHost& host_of(const std::string& uri);
  [[nodiscard]] Result<Json> begin(const std::string& run, const std::string& cell);
  [[nodiscard]] Result<Json> take_piece(const Json& request);
  [[nodiscard]] Result<std::filesystem::path> evidence_folder(const Json& request) const;
  [[nodiscard]] Result<Json> list_files(const Json& request) const;
  [[nodiscard]] Result<Json> read_one(const Json& request) const;

  std::string program_;
  ProcessRunner& runner_;
  std::map<std::string, std::shared_ptr<LibvirtHost>> hosts_;
  std::mutex files_;  // guards what follows, and everything in the scratch folder
  std::optional<Scratch> scratch_;
  bool given_up_ = false;
};

// The process of it (`patchlab host-agent`, started by a run, not by people): answers requests on standard input until
// that ends, and then ends at once, whatever is under way; with it go the scratch folder and the hold on the disks.
// Returns the exit code.
[[nodiscard]] int host_agent_main(const std::string& program);

}  // namespace patchlab::runners::host
