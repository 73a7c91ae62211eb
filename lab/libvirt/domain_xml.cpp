// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/domain_xml.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/libvirt/xml_writer.hpp"

namespace patchlab::lab::libvirt {
namespace {
// MiB of translated code kept per machine under emulation. When it is full everything is translated anew: with 128 MiB,
// processes that start many others (package installation) are 8 % slower; 512 MiB bring nothing more and cost memory.
constexpr const char* translation_cache_mib = "256";

// QEMU finds translated code by its virtual address too. With random addresses every process is translated anew:
// starting a program took four to six times as long, a whole start-up half as long again. KVM translates nothing, so
// there guests keep what production has.
constexpr const char* same_addresses = " norandmaps";

// A guest that measures its counter while the host lets it wait is wrong by as much as it waited: of eight starts on a
// host that stopped them now and then, two found 700 MHz for 2600, and their clocks ran nearly four times too fast from
// then on. Under KVM guests read a clock of the host's.
std::string words_of_emulation(const MachineSpec& spec) {
  return spec.tsc_mhz == 0 ? same_addresses : fmt::format("{} tsc_early_khz={}000", same_addresses, spec.tsc_mhz);
}

// On bus 0 of the root complex: no root ports to enumerate, so the guest boots sooner. Slots 0x01.. follow no other
// rule than staying the same for ever; NICs come last, from 0x10.
constexpr const char* disk_slot = "0x02";
constexpr const char* cd_controller_slot = "0x03";
constexpr const char* channel_controller_slot = "0x04";
constexpr const char* random_slot = "0x05";
constexpr unsigned first_nic_slot = 0x10;

void write_address(XmlWriter& xml, std::string_view slot) {
  xml.empty("address", {{"type", "pci"}, {"domain", "0x0000"}, {"bus", "0x00"}, {"slot", slot}, {"function", "0x0"}});
}

void write_boot(XmlWriter& xml, const MachineSpec& spec) {
  xml.open("os");
  xml.text("type", "hvm", {{"arch", "x86_64"}, {"machine", "pc-q35-7.2"}});
  if (spec.kernel.empty()) {
    xml.empty("boot", {{"dev", "hd"}});
  } else {
    xml.text("kernel", spec.kernel.native());
    xml.text("initrd", spec.initrd.native());
    xml.text("cmdline", spec.kernel_arguments + (spec.accelerator == Accelerator::tcg ? words_of_emulation(spec) : ""));
  }
  xml.close();
}

// Pinned, never 'maximum': with that, QEMU 7.2's emulation makes guest kernels oops, and a lab that crashes guests
// makes false alarms.
void write_cpu(XmlWriter& xml) {
  xml.open("cpu", {{"mode", "custom"}, {"match", "exact"}, {"check", "none"}});
  xml.text("model", "qemu64", {{"fallback", "forbid"}});
  for (const char* feature : {"ssse3", "sse4.1", "sse4.2", "popcnt", "cx16"}) {
    xml.empty("feature", {{"policy", "require"}, {"name", feature}});
  }
  xml.close();
}

void write_features(XmlWriter& xml, const MachineSpec& spec) {
  xml.open("features");
  xml.empty("acpi").empty("apic");
  xml.empty("smm", {{"state", "off"}});
  if (spec.accelerator == Accelerator::tcg) {
    xml.open("tcg").text("tb-cache", translation_cache_mib, {{"unit", "MiB"}}).close();
  }
  xml.close();
}

void write_clock(XmlWriter& xml) {
  xml.open("clock", {{"offset", "utc"}});
  xml.empty("timer", {{"name", "hpet"}, {"present", "no"}});
  xml.close();
}

// The overlay lives as long as the cell, so nothing is lost by never syncing it to the host's disk.
void write_disk(XmlWriter& xml, const MachineSpec& spec) {
  xml.open("disk", {{"type", "file"}, {"device", "disk"}});
  // A host without space stops the machine, which we can see, instead of failing writes inside it, which would look
  // like a bad patch.
  xml.empty("driver", {{"name", "qemu"},
                       {"type", "qcow2"},
                       {"cache", "unsafe"},
                       {"error_policy", "stop"},
                       {"rerror_policy", "stop"},
                       {"discard", "unmap"}});
  xml.empty("source", {{"file", spec.disk.native()}});
  xml.empty("target", {{"dev", "vda"}, {"bus", "virtio"}});
  write_address(xml, disk_slot);
  xml.close();
}

void write_cd_drive(XmlWriter& xml) {
  xml.open("disk", {{"type", "file"}, {"device", "cdrom"}});
  xml.empty("driver", {{"name", "qemu"}, {"type", "raw"}});
  xml.empty("target", {{"dev", "sda"}, {"bus", "scsi"}});
  xml.empty("readonly");
  xml.empty("address", {{"type", "drive"}, {"controller", "0"}, {"bus", "0"}, {"target", "0"}, {"unit", "0"}});
  xml.close();
}

void write_controller(XmlWriter& xml, const char* type, const char* model, const char* slot) {
  if (model == nullptr) {
    xml.open("controller", {{"type", type}, {"index", "0"}});
  } else {
    xml.open("controller", {{"type", type}, {"index", "0"}, {"model", model}});
  }
  write_address(xml, slot);
  xml.close();
}

void write_nic(XmlWriter& xml, const NicSpec& nic, unsigned number) {
  xml.open("interface", {{"type", "ethernet"}});
  xml.empty("mac", {{"address", nic.mac}});
  xml.empty("target", {{"dev", nic.tap}, {"managed", "no"}});
  xml.empty("model", {{"type", "virtio"}});
  xml.empty("rom", {{"enabled", "no"}});
  write_address(xml, fmt::format("{:#04x}", first_nic_slot + number));
  xml.close();
}

void write_serial_log(XmlWriter& xml, const MachineSpec& spec) {
  if (spec.log.empty()) return;
  xml.open("serial", {{"type", "file"}});
  xml.empty("source", {{"path", spec.log.native()}, {"append", "on"}});
  xml.empty("target", {{"type", "isa-serial"}, {"port", "0"}});
  xml.close();
}

void write_agent_channel(XmlWriter& xml) {
  xml.open("channel", {{"type", "unix"}});
  xml.empty("target", {{"type", "virtio"}, {"name", "org.qemu.guest_agent.0"}});
  xml.empty("address", {{"type", "virtio-serial"}, {"controller", "0"}, {"bus", "0"}, {"port", "1"}});
  xml.close();
}

// Without one, boots wait for entropy.
void write_random(XmlWriter& xml) {
  xml.open("rng", {{"model", "virtio"}});
  xml.text("backend", "/dev/urandom", {{"model", "random"}});
  write_address(xml, random_slot);
  xml.close();
}

void write_devices(XmlWriter& xml, const MachineSpec& spec) {
  xml.open("devices");
  xml.text("emulator", "/usr/bin/qemu-system-x86_64");
  write_disk(xml, spec);
  write_cd_drive(xml);
  write_controller(xml, "scsi", "virtio-scsi", cd_controller_slot);
  write_controller(xml, "virtio-serial", nullptr, channel_controller_slot);
  xml.empty("controller", {{"type", "usb"}, {"index", "0"}, {"model", "none"}});
  for (unsigned number = 0; number < spec.nics.size(); ++number) write_nic(xml, spec.nics[number], number);
  write_serial_log(xml, spec);
  write_agent_channel(xml);
  xml.empty("memballoon", {{"model", "none"}});
  write_random(xml);
  xml.close();
}

constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
}  // namespace

std::string domain_xml(const MachineSpec& spec) {
  XmlWriter xml;
  xml.open("domain", {{"type", spec.accelerator == Accelerator::kvm ? "kvm" : "qemu"}});
  xml.text("name", spec.name);
  xml.text("uuid", spec.uuid);
  xml.text("memory", std::to_string(spec.memory_mib), {{"unit", "MiB"}});
  xml.text("vcpu", std::to_string(spec.cpus));
  write_boot(xml, spec);
  write_features(xml, spec);
  write_cpu(xml);
  write_clock(xml);
  xml.text("on_poweroff", "destroy").text("on_reboot", "restart").text("on_crash", "preserve");
  write_devices(xml, spec);
  xml.close();
  return xml.result();
}

std::string test_driver_xml(const MachineSpec& spec) {
  XmlWriter xml;
  xml.open("domain", {{"type", "test"}});
  xml.text("name", spec.name);
  xml.text("uuid", spec.uuid);
  xml.text("memory", std::to_string(spec.memory_mib), {{"unit", "MiB"}});
  xml.text("vcpu", std::to_string(spec.cpus));
  xml.open("os").text("type", "hvm", {{"arch", "i686"}}).close();
  xml.open("devices");
  write_disk(xml, spec);
  write_cd_drive(xml);
  write_controller(xml, "scsi", "virtio-scsi", cd_controller_slot);
  for (unsigned number = 0; number < spec.nics.size(); ++number) write_nic(xml, spec.nics[number], number);
  xml.close();
  xml.close();
  return xml.result();
}

std::string snapshot_xml(const std::string& name) {
  XmlWriter xml;
  xml.open("domainsnapshot").text("name", name).close();
  return xml.result();
}

std::string adopted_snapshot_xml(const std::string& name, const std::string& domain) {
  XmlWriter xml;
  xml.open("domainsnapshot").text("name", name).text("state", "running").text("creationTime", "1");
  xml.empty("memory", {{"snapshot", "internal"}});
  xml.open("disks");
  xml.empty("disk", {{"name", "vda"}, {"snapshot", "internal"}});
  xml.empty("disk", {{"name", "sda"}, {"snapshot", "no"}});
  xml.close();
  xml.close();
  auto text = xml.result();
  const auto end = text.rfind("</domainsnapshot>");
  // The description begins without an XML declaration, as virDomainGetXMLDesc gives it.
  return text.insert(end, domain);
}

Result<void> check_name(const std::string& what, const std::string& name) {
  const bool fits = !name.empty() && name.size() <= 60 &&
                    name.find_first_not_of(name_characters) == std::string::npos &&
                    std::string_view("._-").find(name.front()) == std::string_view::npos;
  if (fits) return {};
  return configuration_error(fmt::format(
      "'{}' is not a {}: 1 to 60 letters, digits, '.', '_' or '-', the first a letter or digit", name, what));
}

}  // namespace patchlab::lab::libvirt
