// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/image_commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "cli/there.hpp"
#include "lab/libvirt/ssh.hpp"
#include "runners/engine/progress.hpp"
#include "runners/intake/import_machine.hpp"

namespace patchlab::cli {
namespace {

namespace intake = runners::intake;
namespace libvirt = lab::libvirt;

struct Arguments {
  intake::ImportRequest request;
  std::string firmware;
  bool json = false;
};

// Files, disks and libvirt are over there.
ExitCode import_there(const Arguments& arguments, const libvirt::SshDestination& destination) {
  const auto& request = arguments.request;
  if (!request.file.is_absolute())
    return report(
        usage_error(fmt::format("'{}' is no absolute path", request.file.string()),
                    fmt::format("the file must be on the host of '{}'; name it as it is called there", request.uri)));
  std::vector<std::string> words{"image",         "import",    request.file.string(),   "--connect",
                                 destination.uri, "--storage", request.storage.string()};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--name", request.name);
  add("--memory", request.memory_mib ? std::to_string(*request.memory_mib) : std::string());
  add("--cpus", request.cpus ? std::to_string(*request.cpus) : std::string());
  add("--firmware", arguments.firmware);
  add("--network", request.network);
  if (request.virtio) words.emplace_back("--virtio");
  if (request.dry_run) words.emplace_back("--dry-run");
  if (arguments.json) words.emplace_back("--json");
  return do_there(destination, words);
}

std::string size_of(std::uint64_t bytes) {
  return bytes == 0 ? std::string("size not read") : fmt::format("{} MiB", bytes >> 20U);
}

Json json_of(const intake::Imported& done, const Arguments& arguments) {
  const auto& machine = done.machine;
  Json disks = Json::array();
  for (const auto& disk : done.disks) {
    disks.push_back({{"source", to_valid_utf8(disk.source)},
                     {"format", to_string(disk.format)},
                     {"sha256", disk.sha256.empty() ? Json() : Json(disk.sha256)},
                     {"bytes", disk.bytes == 0 ? Json() : Json(disk.bytes)},
                     {"file", to_valid_utf8(disk.file.string())}});
  }
  Json notes = Json::array();
  for (const auto& note : done.notes) notes.push_back(to_valid_utf8(note));
  return {{"libvirt", to_valid_utf8(done.uri)},
          {"domain", machine.name},
          {"defined", done.is_defined},
          {"file", to_valid_utf8(machine.sources.front().name)},
          {"sha256", machine.sources.front().sha256},
          {"manifest", to_string(done.manifest)},
          {"disks", disks},
          {"memory_mib", machine.memory_mib},
          {"memory_from", done.memory_from},
          {"cpus", machine.cpus},
          {"cpus_from", done.cpus_from},
          {"firmware", done.firmware_known ? Json(to_string(machine.firmware)) : Json()},
          {"firmware_from", done.firmware_from},
          {"disk_bus", machine.disk_bus},
          {"nic_model", machine.nic_model},
          {"macs", done.macs},
          {"network", machine.network.empty() ? Json() : Json(to_valid_utf8(machine.network))},
          {"virtio", arguments.request.virtio},
          {"notes", notes}};
}

void say_drivers(const intake::Imported& done) {
  const auto& machine = done.machine;
  if (machine.disk_bus == "virtio") {
    say("  disks on virtio, network on {}: virt-v2v put the drivers in\n", machine.nic_model);
    return;
  }
  say("  disks on {}, network on {}: for these a Windows has drivers of its own. It has no virtio drivers and no guest "
      "agent yet, as far as is known here\n",
      machine.disk_bus, machine.nic_model);
}

void say_network(const intake::Imported& done) {
  if (!done.machine.network.empty()) {
    say("  plugged into the network '{}': once started it reaches what that reaches\n", done.machine.network);
    return;
  }
  say("  no cable is plugged in. The clones in the lab need one: when the machine is prepared and off,\n");
  if (done.macs.empty()) say("    virsh -c {} domif-setlink {} MAC up --config\n", done.uri, done.machine.name);
  for (const auto& mac : done.macs)
    say("    virsh -c {} domif-setlink {} {} up --config\n", done.uri, done.machine.name, mac);
}

void tell(const intake::Imported& done) {
  const auto& machine = done.machine;
  say("{}: {} in {}\n", machine.name,
      done.is_defined ? "defined, shut off, never started" : "would be defined, shut off", done.uri);
  for (const auto& source : machine.sources) say("  sha256 {}  {}\n", source.sha256, source.name);
  if (done.manifest != intake::ManifestState::no_package) say("  manifest: {}\n", to_string(done.manifest));
  for (const auto& disk : done.disks)
    say("  disk '{}' ({}, {}): {}\n", disk.source, to_string(disk.format), size_of(disk.bytes), disk.file.string());
  say("  {} MiB of memory ({}), {} processors ({}), {} ({})\n", machine.memory_mib, done.memory_from, machine.cpus,
      done.cpus_from, done.firmware_known ? to_string(machine.firmware) : "firmware", done.firmware_from);
  say_drivers(done);
  say_network(done);
  for (const auto& note : done.notes) say("  {}\n", note);
  if (done.is_defined) say("  next: docs/windows.md, from an export to a verdict\n");
}

ExitCode import_file(const Arguments& arguments) {
  const auto elsewhere = libvirt::ssh_destination(arguments.request.uri);
  if (!elsewhere) return report(elsewhere.error());
  if (*elsewhere) return import_there(arguments, **elsewhere);
  if (arguments.request.uri.find("://") == std::string::npos)
    return report(usage_error(fmt::format("--connect '{}' is no URI of a libvirt", arguments.request.uri),
                              "write qemu:///system, or qemu+ssh://root@HOST/system"));
  auto request = arguments.request;
  if (!arguments.firmware.empty())
    request.firmware = arguments.firmware == "uefi" ? libvirt::Firmware::uefi : libvirt::Firmware::bios;
  request.now = rfc3339(system_clock_source().wall());
  request.tool = "patchlab " PATCHLAB_VERSION;
  request.stop = interruption();
  std::optional<runners::Progress> progress;
  progress.emplace(runners::Progress::style_for(STDERR_FILENO));
  request.progress = [&](const std::string& text) { progress->say(text); };
  const auto done = intake::import_machine(host_processes(), request);
  progress.reset();
  if (!done) return report_input(done.error(), ExitCode::bad_data);
  if (arguments.json)
    say_json("image-import", json_of(*done, arguments));
  else
    tell(*done);
  return ExitCode::ok;
}

}  // namespace

void add_image_import(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto& request = arguments->request;
  auto* importing = group.add_subcommand(
      "import", "make a shut-off domain of an export: .vhdx, .vmdk, .qcow2, .raw, or .ova with its disks");
  importing->add_option("file", request.file, "what was exported; with --connect by ssh a file of that host")
      ->required();
  importing->add_option("--connect", request.uri, "its libvirt, here or by ssh: qemu+ssh://root@HOST/system")
      ->capture_default_str();
  importing->add_option("--name", request.name, "of the domain; default: the file's");
  importing->add_option("--memory", request.memory_mib, "in MiB; default: what the .ova says, else 4096")
      ->check(CLI::Range(64U, 1U << 24U));
  importing->add_option("--cpus", request.cpus, "default: what the .ova says, else 2")->check(CLI::Range(1U, 512U));
  importing
      ->add_option("--firmware", arguments->firmware,
                   "bios or uefi; default: what the .ova says, else by the first disk's partitions")
      ->check(CLI::IsMember({"bios", "uefi"}));
  importing->add_option("--storage", request.storage, "folder that the disks come into, that of a pool")
      ->capture_default_str();
  importing->add_option("--network", request.network, "of that libvirt; default: no cable is plugged in");
  importing->add_flag("--virtio", request.virtio,
                      "have virt-v2v put the virtio drivers in; default: SATA and e1000e, which need none");
  importing->add_flag("--dry-run", request.dry_run, "look, and change nothing");
  importing->add_flag("--json", arguments->json, "as JSON");
  importing->callback([arguments, &chosen] { chosen = [arguments] { return import_file(*arguments); }; });
}

}  // namespace patchlab::cli
