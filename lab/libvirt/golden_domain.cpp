// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/golden_domain.hpp"

#include <fmt/format.h>
#include <libvirt/virterror.h>

#include "lab/core/digest.hpp"
#include "lab/libvirt/error.hpp"
#include "lab/libvirt/session.hpp"

namespace patchlab::lab::libvirt {
namespace {

Error not_now(const std::string& domain, const std::string& why, std::string hint) {
  return configuration_error(fmt::format("golden domain '{}' cannot be cloned: {}", domain, why), std::move(hint));
}

}  // namespace

Result<std::string> golden_domain_xml(Session& session, const std::string& domain) {
  const Domain handle(virDomainLookupByName(session.connection(), domain.c_str()));
  if (!handle) {
    const bool unknown = last_error_code() == VIR_ERR_NO_DOMAIN;
    auto error = last_error(fmt::format("looking for golden domain '{}'", domain));
    if (unknown) error = configuration_error(error.message, "'virsh list --all' shows the domains of that libvirt");
    return error;
  }
  int state = 0;
  if (virDomainGetState(handle.get(), &state, nullptr, 0) < 0)
    return last_error(fmt::format("asking for the state of '{}'", domain));
  if (state != VIR_DOMAIN_SHUTOFF) {
    return not_now(domain, "it is not shut off, and its disks change under any overlay",
                   "shut it down in the guest, or with 'virsh shutdown'");
  }
  if (virDomainIsPersistent(handle.get()) != 1)
    return not_now(domain, "it is transient", "define it with 'virsh define'");
  if (virDomainHasManagedSaveImage(handle.get(), 0) == 1) {
    return not_now(domain, "it has a saved memory state, without which its disks are those of a crash",
                   "start it and shut it down properly, or drop the state with 'virsh managedsave-remove'");
  }
  // Not VIR_DOMAIN_XML_MIGRATABLE: that leaves out what an older libvirt would not know, and the clone stays with this
  // one.
  const Text xml(virDomainGetXMLDesc(handle.get(), VIR_DOMAIN_XML_INACTIVE));
  if (!xml) return last_error(fmt::format("reading the XML of '{}'", domain));
  return std::string(xml.get());
}

Result<std::vector<std::filesystem::path>> files_below(const ClonePlan& plan, ProcessRunner& runner) {
  std::vector<std::filesystem::path> paths;
  for (const auto& overlay : plan.overlays) {
    PATCHLAB_ASSIGN(const auto info, run_for_output(runner, chain_process(overlay.golden, overlay.golden_format)));
    PATCHLAB_ASSIGN(const auto files, files_of_chain(info));
    paths.insert(paths.end(), files.begin(), files.end());
  }
  paths.insert(paths.end(), plan.reads.begin(), plan.reads.end());
  for (const auto& copy : plan.copies) paths.push_back(copy.from);
  return paths;
}

Result<GoldenIdentity> identify(const std::string& golden_xml, const ClonePlan& plan, ProcessRunner& runner) {
  PATCHLAB_ASSIGN(const auto paths, files_below(plan, runner));
  GoldenIdentity identity;
  DigestBuilder digest;
  digest.add("golden domain 1").add(golden_xml);
  for (const auto& path : paths) {
    PATCHLAB_ASSIGN(auto sha256, sha256_of_file(path));
    digest.add(path.native()).add(sha256);
    identity.files.push_back({path, std::move(sha256)});
  }
  identity.digest = digest.finish();
  return identity;
}

// -U: also while a clone has it open for reading.
ProcessSpec chain_process(const std::filesystem::path& disk, const std::string& format) {
  ProcessSpec spec;
  spec.program = "qemu-img";
  spec.arguments = {"info", "-U", "--backing-chain", "--output=json", "-f", format, disk.native()};
  spec.time_limit = std::chrono::minutes(1);
  return spec;
}

ProcessSpec overlay_process(const OverlayFile& file) {
  ProcessSpec spec;
  spec.program = "qemu-img";
  spec.arguments = {
      "create", "-q", "-f", "qcow2", "-F", file.golden_format, "-b", file.golden.native(), file.overlay.native()};
  spec.time_limit = std::chrono::minutes(1);
  spec.private_files = true;  // it is going to hold the guest's memory
  return spec;
}

ProcessSpec rebase_process(const OverlayFile& file) {
  ProcessSpec spec;
  spec.program = "qemu-img";
  spec.arguments = {
      "rebase", "-q", "-u", "-f", "qcow2", "-F", file.golden_format, "-b", file.golden.native(), file.overlay.native()};
  spec.time_limit = std::chrono::minutes(1);
  return spec;
}

Result<std::vector<std::filesystem::path>> files_of_chain(const std::string& info) {
  PATCHLAB_ASSIGN(const auto json, parse_json(info, "the answer of 'qemu-img info'"));
  std::vector<std::filesystem::path> files;
  if (json.is_array()) {
    for (const auto& part : json) {
      const bool named = part.is_object() && part.contains("filename") && part["filename"].is_string();
      const std::filesystem::path file = named ? part["filename"].get<std::string>() : std::string();
      if (!file.is_absolute()) {
        return configuration_error(fmt::format("a disk stands on '{}', which is not a plain file", file.string()),
                                   "copy the disk to one file with 'qemu-img convert'");
      }
      files.push_back(file);
    }
  }
  if (files.empty()) return infrastructure_error("'qemu-img info' named no file");
  return files;
}

}  // namespace patchlab::lab::libvirt
