// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lab/process/process.hpp"
#include "runners/cell/client.hpp"

// The host that a libvirt with golden domains is on: this one, or another. Everything that a run needs there.
namespace patchlab::runners::host {

// A golden domain that can be cloned now.
struct DomainFacts {
  std::string digest;  // of everything that a clone starts from
  std::uint32_t memory_mib = 0;
  std::vector<std::string> macs;
  bool operator==(const DomainFacts&) const = default;
};
void to_json(Json& json, const DomainFacts& facts);
[[nodiscard]] DomainFacts domain_facts_from_json(const Json& json);  // throws Json::exception: a bug, or a wrong answer

// Calls block, `look` and `digest_of` while disks are read (a minute for some 50 GB), and may come from any thread.
class LibvirtHost {
 public:
  virtual ~LibvirtHost() = default;
  // Whether the domain can be cloned, and its memory saved; a configuration error says why not. From then on no QEMU
  // writes to its disks as long as this object lives.
  [[nodiscard]] virtual Result<DomainFacts> look(const std::string& domain) = 0;
  // Reads everything again.
  [[nodiscard]] virtual Result<std::string> digest_of(const std::string& domain) = 0;
  // What crashed runs left on the libvirt and in the folder: "domain patchlab-...". Left alone.
  [[nodiscard]] virtual Result<std::vector<std::string>> leftovers(const std::filesystem::path& storage) = 0;
  // Starts a cell of this run there. `start` and the places in `job` are filled in for this host; what is of another
  // host is replaced. `job` is what the cell must be prepared with.
  [[nodiscard]] virtual Result<std::unique_ptr<cell::CellClient>> start_cell(const std::string& run,
                                                                             cell::CellStart start, cell::CellJob& job,
                                                                             cell::OnEvent on_event) = 0;
  // For people: "root@hv1.example"; empty when it is this host.
  [[nodiscard]] virtual std::string name() const = 0;
};

// Of this host. `runner` must outlive it.
[[nodiscard]] std::shared_ptr<LibvirtHost> local_host(const std::string& uri, ProcessRunner& runner);

}  // namespace patchlab::runners::host
