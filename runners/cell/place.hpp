// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/content/fetch.hpp"
#include "lab/core/json.hpp"
#include "lab/core/time.hpp"
#include "lab/network/host_facts.hpp"
#include "lab/process/process.hpp"

namespace patchlab::runners::cell {

// What emulates the machines, and on what: what one class of hosts saved or found out is not for another.
struct HostClass {
  std::string
      program;  // SHA-256 of patchlab and its check worker; empty: it could not be read, and nothing kept is to be used
  std::string qemu;  // its version
  std::string libvirt;
  std::string kernel;
  std::string processor;
  std::uint32_t ticks_mhz = 0;  // of the time stamp counter

  // A part of keys. Two looks at the same counter differ a little, so it is compared apart.
  [[nodiscard]] std::string program_and_hypervisor() const;
  [[nodiscard]] std::string all() const;
  bool operator==(const HostClass& other) const { return all() == other.all(); }
};
// Asks QEMU and reads the program.
[[nodiscard]] HostClass host_class(const std::filesystem::path& program, ProcessRunner& processes);

// "Linux 6.1.0-28-amd64"; empty: not known, as with the others.
[[nodiscard]] std::string kernel_release();
// As the kernel calls it: "AMD EPYC 7B13". Of several that differ, all of them.
[[nodiscard]] std::string processor_model();
[[nodiscard]] std::string qemu_version(ProcessRunner& processes);
// Another one after each start of a host.
[[nodiscard]] std::string boot_id();
// Device and inode of the network namespace of this process: of those that share a kernel, another one for each.
[[nodiscard]] std::string network_namespace();

// Where a cell is that an executor started, in its own words, before it enters its namespaces.
struct Place {
  std::string host;            // its name
  std::string boot;            // boot_id()
  std::string network;         // network_namespace()
  std::string job;             // number of the job that it is, as its executor counts
  std::size_t processors = 1;  // that it got
  HostClass host_class;
  lab::network::HostFacts facts;  // what the leak probe tries to reach
  std::string accelerator;        // "kvm" or "tcg"
  std::string acceleration;       // why
  Milliseconds now{0};            // its monotonic clock
};
void to_json(Json& json, const Place& place);
[[nodiscard]] Place place_from_json(const Json& json);  // throws Json::exception: a bug, or a wrong answer

// Whether it is where this process is: the same kernel and the same network devices. Not when either is not known, nor
// in a container on this host.
[[nodiscard]] bool is_here(const Place& place);

// Images that its machines start from, when they do not come by a file system that all hosts see.
struct ContentQuestion {
  lab::content::SourceName source;
  std::filesystem::path images;      // folder of the node
  std::vector<std::string> digests;  // of their indexes
};

// What the cell is asked about it.
struct PlaceQuestion {
  std::filesystem::path kernel;              // to boot under KVM, if that is there
  std::vector<std::filesystem::path> files;  // that have to be there
  std::optional<ContentQuestion> content{};  // what has to be brought before
};
void to_json(Json& json, const PlaceQuestion& question);
[[nodiscard]] PlaceQuestion place_question_from_json(const Json& json);

// Brings them here, before anything is said of this place. `tell` gets sentences; the images stay as long as what is
// returned lives.
[[nodiscard]] Result<std::vector<lab::content::Fetched>> bring_images(
    const ContentQuestion& question, const std::function<void(const std::string& sentence)>& tell);

// Of this process. A configuration error names what is not there.
[[nodiscard]] Result<Place> place_here(const PlaceQuestion& question, ProcessRunner& processes);

}  // namespace patchlab::runners::cell
