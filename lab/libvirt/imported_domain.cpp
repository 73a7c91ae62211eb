// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/imported_domain.hpp"

#include <fmt/format.h>
#include <libvirt/virterror.h>

#include "lab/libvirt/error.hpp"
#include "lab/libvirt/session.hpp"
#include "lab/libvirt/xml_document.hpp"
#include "lab/libvirt/xml_writer.hpp"

namespace patchlab::lab::libvirt {
namespace {

constexpr const char* import_namespace = "urn:patchlab:import:1";

// sda, sdb, ...; vda with virtio. Far fewer than 26.
std::string target_of(const std::string& bus, std::size_t number) {
  const char* prefix = bus == "virtio" ? "vd" : bus == "ide" ? "hd" : "sd";
  return prefix + std::string(1, static_cast<char>('a' + number));
}

void write_metadata(XmlWriter& xml, const ImportedMachine& machine) {
  xml.open("metadata");
  xml.open("patchlab:import", {{"xmlns:patchlab", import_namespace}, {"made", machine.made}, {"by", machine.tool}});
  for (const auto& source : machine.sources)
    xml.empty("patchlab:file", {{"name", source.name}, {"sha256", source.sha256}});
  xml.close().close();
}

// Secure Boot off: what comes from elsewhere need not be signed for the keys that are in this firmware.
void write_boot(XmlWriter& xml, const ImportedMachine& machine) {
  if (machine.firmware == Firmware::uefi) {
    xml.open("os", {{"firmware", "efi"}});
  } else {
    xml.open("os");
  }
  xml.text("type", "hvm", {{"arch", "x86_64"}, {"machine", "q35"}});
  if (machine.firmware == Firmware::uefi) {
    xml.open("firmware");
    xml.empty("feature", {{"enabled", "no"}, {"name", "enrolled-keys"}});
    xml.empty("feature", {{"enabled", "no"}, {"name", "secure-boot"}});
    xml.close();
  }
  xml.empty("boot", {{"dev", "hd"}});
  xml.close();
}

// As scenarios/domains has it for Windows; Linux does not mind. Emulation offers none of Hyper-V's.
void write_processor(XmlWriter& xml, const ImportedMachine& machine, bool is_kvm) {
  xml.open("features").empty("acpi").empty("apic");
  if (is_kvm) {
    xml.open("hyperv");
    for (const char* one : {"relaxed", "vapic"}) xml.empty(one, {{"state", "on"}});
    xml.empty("spinlocks", {{"state", "on"}, {"retries", "8191"}});
    for (const char* one : {"vpindex", "synic", "stimer"}) xml.empty(one, {{"state", "on"}});
    xml.close();
  }
  xml.close();
  if (is_kvm) xml.empty("cpu", {{"mode", "host-model"}});
  xml.open("clock", {{"offset", machine.local_time ? "localtime" : "utc"}});
  xml.empty("timer", {{"name", "rtc"}, {"tickpolicy", "catchup"}});
  xml.empty("timer", {{"name", "pit"}, {"tickpolicy", "delay"}});
  xml.empty("timer", {{"name", "hpet"}, {"present", "no"}});
  if (is_kvm) xml.empty("timer", {{"name", "hypervclock"}, {"present", "yes"}});
  xml.close();
}

void write_disk(XmlWriter& xml, const std::filesystem::path& file, const std::string& target, const std::string& bus) {
  xml.open("disk", {{"type", "file"}, {"device", "disk"}});
  xml.empty("driver", {{"name", "qemu"}, {"type", "qcow2"}});
  xml.empty("source", {{"file", file.native()}});
  xml.empty("target", {{"dev", target}, {"bus", bus}});
  xml.close();
}

// Patches travel on it; empty.
void write_cd_drive(XmlWriter& xml, std::size_t number) {
  xml.open("disk", {{"type", "file"}, {"device", "cdrom"}});
  xml.empty("target", {{"dev", target_of("sata", number)}, {"bus", "sata"}});
  xml.empty("readonly");
  xml.close();
}

void write_nic(XmlWriter& xml, const ImportedMachine& machine) {
  xml.open("interface", {{"type", machine.network.empty() ? "user" : "network"}});
  if (!machine.network.empty()) xml.empty("source", {{"network", machine.network}});
  xml.empty("model", {{"type", machine.nic_model}});
  if (machine.network.empty()) xml.empty("link", {{"state", "down"}});
  xml.close();
}

void write_devices(XmlWriter& xml, const ImportedMachine& machine) {
  xml.open("devices");
  for (std::size_t i = 0; i < machine.disks.size(); ++i)
    write_disk(xml, machine.disks[i], target_of(machine.disk_bus, i), machine.disk_bus);
  write_cd_drive(xml, machine.disk_bus == "virtio" || machine.disk_bus == "ide" ? 0 : machine.disks.size());
  for (std::size_t i = 0; i < machine.nics; ++i) write_nic(xml, machine);
  xml.open("channel", {{"type", "unix"}});
  xml.empty("target", {{"type", "virtio"}, {"name", "org.qemu.guest_agent.0"}});
  xml.close();
  xml.empty("input", {{"type", "tablet"}, {"bus", "usb"}});
  xml.empty("graphics", {{"type", "vnc"}, {"autoport", "yes"}, {"listen", "127.0.0.1"}});
  xml.open("video").empty("model", {{"type", "vga"}}).close();
  xml.empty("memballoon", {{"model", "none"}});
  xml.close();
}

}  // namespace

const char* to_string(Firmware firmware) {
  switch (firmware) {
    case Firmware::bios: return "bios";
    case Firmware::uefi: return "uefi";
  }
  return "";
}

std::string imported_domain_xml(const ImportedMachine& machine, const std::string& type) {
  const bool is_kvm = type == "kvm";
  XmlWriter xml;
  xml.open("domain", {{"type", type}});
  xml.text("name", machine.name);
  write_metadata(xml, machine);
  xml.text("memory", std::to_string(machine.memory_mib), {{"unit", "MiB"}});
  xml.text("vcpu", std::to_string(machine.cpus));
  write_boot(xml, machine);
  write_processor(xml, machine, is_kvm);
  xml.open("pm");
  for (const char* one : {"suspend-to-mem", "suspend-to-disk"}) xml.empty(one, {{"enabled", "no"}});
  xml.close();
  write_devices(xml, machine);
  xml.close();
  return xml.result();
}

Result<std::string> domain_type_in(const std::string& capabilities) {
  PATCHLAB_ASSIGN(const auto document, XmlDocument::parse(capabilities, "what libvirt says of itself"));
  bool is_emulated = false;
  for (const auto& guest : document.root().children("guest")) {
    const auto arch = guest.child("arch");
    if (guest.child("os_type").text() != "hvm" || arch.attribute("name") != "x86_64") continue;
    for (const auto& domain : arch.children("domain")) {
      if (domain.attribute("type") == "kvm") return std::string("kvm");
      is_emulated = is_emulated || domain.attribute("type") == "qemu";
    }
  }
  if (is_emulated) return std::string("qemu");
  return configuration_error("this libvirt runs no x86_64 machines by QEMU",
                             "name another one by --connect, or install qemu-system-x86");
}

Result<std::string> domain_type_of(Session& session) {
  const Text capabilities(virConnectGetCapabilities(session.connection()));
  if (!capabilities) return last_error("asking libvirt what it can run");
  return domain_type_in(capabilities.get());
}

Result<void> check_is_new(Session& session, const std::string& name) {
  const Domain there(virDomainLookupByName(session.connection(), name.c_str()));
  if (there)
    return configuration_error(fmt::format("there is a domain '{}' already, which is left as it is", name),
                               "give another --name; 'virsh list --all' shows those that are taken");
  if (last_error_code() == VIR_ERR_NO_DOMAIN) return {};
  return last_error(fmt::format("looking for a domain '{}'", name));
}

Result<void> check_has_network(Session& session, const std::string& network) {
  if (network.empty()) return {};
  const Network there(virNetworkLookupByName(session.connection(), network.c_str()));
  if (there) return {};
  const bool unknown = last_error_code() == VIR_ERR_NO_NETWORK;
  auto error = last_error(fmt::format("looking for the network '{}'", network));
  if (unknown)
    error = configuration_error(error.message,
                                "'virsh net-list --all' shows the networks of that libvirt; without "
                                "--network no cable is plugged in");
  return error;
}

Result<DefinedDomain> define_imported(Session& session, const std::string& xml) {
  const Domain domain(virDomainDefineXMLFlags(session.connection(), xml.c_str(), VIR_DOMAIN_DEFINE_VALIDATE));
  if (!domain) return last_error("defining the domain");
  const Text kept(virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE));
  if (!kept) return last_error("reading the domain that was defined");
  PATCHLAB_ASSIGN(const auto document, XmlDocument::parse(kept.get(), "the XML of the domain"));
  DefinedDomain defined;
  for (const auto& nic : document.root().child("devices").children("interface"))
    defined.macs.push_back(nic.child("mac").attribute("address"));
  return defined;
}

}  // namespace patchlab::lab::libvirt
