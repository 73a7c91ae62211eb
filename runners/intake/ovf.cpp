// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/intake/ovf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

#include "lab/core/text.hpp"
#include "patches/msu/xml_document.hpp"

namespace patchlab::runners::intake {
namespace {

using patches::XmlElement;

constexpr patches::XmlLimits limits{.bytes = 4U << 20U, .depth = 32, .nodes = 50'000, .attributes = 64};
constexpr std::size_t most_disks = 16;
constexpr std::size_t most_nics = 8;

// ResourceType of CIM_ResourceAllocationSettingData (DMTF DSP1041, and the class itself).
enum class Resource : unsigned {
  processor = 3,
  memory = 4,
  ethernet = 10,
  floppy = 14,
  cd = 15,
  dvd = 16,
  disk = 17,
  usb = 23,
  sound = 35
};

std::optional<std::uint64_t> number_in(std::string_view text) {
  text = trimmed(text, " \t\r\n");
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string text_of(const XmlElement& item, std::string_view child) {
  const auto* found = item.child(child);
  return found == nullptr ? std::string() : std::string(trimmed(found->text, " \t\r\n"));
}

// "byte * 2^20" (DSP0004, programmatic units), and the words that older writers have. Nothing: another unit.
std::optional<std::uint64_t> bytes_of_unit(std::string_view unit) {
  std::string plain;
  for (const char c : lower_case(unit)) {
    if (c != ' ' && c != '\t') plain += c;
  }
  static const std::map<std::string, std::uint64_t> known{{"byte", 1},
                                                          {"byte*2^10", 1U << 10U},
                                                          {"byte*2^20", 1U << 20U},
                                                          {"byte*2^30", 1U << 30U},
                                                          {"kilobytes", 1U << 10U},
                                                          {"megabytes", 1U << 20U},
                                                          {"gigabytes", 1U << 30U},
                                                          {"mb", 1U << 20U},
                                                          {"gb", 1U << 30U}};
  const auto found = known.find(plain);
  if (found == known.end()) return std::nullopt;
  return found->second;
}

struct Drive {
  std::size_t controller = 0;  // its place among the items
  std::uint64_t place = 0;     // on the controller
  std::string file;
};

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  Result<OvfMachine> read(const XmlElement& envelope) {
    if (envelope.name != "Envelope") return trouble("is no OVF descriptor: its root is no <Envelope>");
    if (envelope.child("VirtualSystemCollection") != nullptr || envelope.all("VirtualSystem").size() > 1)
      return trouble("describes several machines", "export each machine by itself");
    const auto* system = envelope.child("VirtualSystem");
    if (system == nullptr) return trouble("describes no machine: there is no <VirtualSystem>");
    PATCHLAB_TRY(read_files(envelope));
    PATCHLAB_TRY(read_disks(envelope));
    read_guest(*system);
    const auto sections = system->all("VirtualHardwareSection");
    if (sections.size() != 1)
      return trouble(fmt::format("has {} descriptions of the machine's hardware instead of one", sections.size()));
    PATCHLAB_TRY(read_hardware(*sections.front()));
    return std::move(machine_);
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what, std::string hint = {}) const {
    return configuration_error(fmt::format("'{}' {}", name_, what), std::move(hint));
  }

  Result<void> read_files(const XmlElement& envelope) {
    const auto* references = envelope.child("References");
    if (references == nullptr) return {};
    for (const auto* file : references->all("File")) {
      const auto href = file->attribute("href");
      const auto id = file->attribute("id");
      if (!is_package_name(href))
        return trouble(fmt::format("names the file '{}', which is none of the package", href),
                       "export the machine anew, as a package of its own files");
      if (!file->attribute("compression").empty() && file->attribute("compression") != "identity")
        return trouble(fmt::format("has the file '{}' packed by {}", href, file->attribute("compression")),
                       "export it without compression of the files");
      if (!file->attribute("chunkSize").empty())
        return trouble(fmt::format("has the file '{}' cut in pieces", href), "export it in one piece");
      if (id.empty() || !files_.emplace(id, href).second)
        return trouble(fmt::format("gives the file '{}' the id '{}', which is empty or another's", href, id));
    }
    return {};
  }

  Result<void> read_disks(const XmlElement& envelope) {
    const auto* section = envelope.child("DiskSection");
    if (section == nullptr) return {};
    for (const auto* disk : section->all("Disk")) {
      const auto id = disk->attribute("diskId");
      if (!disk->attribute("parentRef").empty())
        return trouble(fmt::format("has the disk '{}', which only holds what differs from another one", id),
                       "remove the machine's snapshots, and export it again");
      const auto reference = disk->attribute("fileRef");
      if (reference.empty())
        return trouble(fmt::format("has the disk '{}' without a file", id), "export the machine with its disks");
      const auto file = files_.find(reference);
      if (file == files_.end())
        return trouble(fmt::format("has the disk '{}' in the file '{}', which it does not name", id, reference));
      if (id.empty() || !disk_files_.emplace(id, file->second).second)
        return trouble(fmt::format("has two disks '{}', or one without an id", id));
    }
    return {};
  }

  // osType is VMware's ("windows2019srv_64Guest"), id CIM_OperatingSystem.OSType, of which few are told apart here.
  void read_guest(const XmlElement& system) {
    const auto* section = system.child("OperatingSystemSection");
    if (section == nullptr) return;
    auto told = lower_case(section->attribute("osType"));
    if (told.empty()) told = lower_case(text_of(*section, "Description"));
    if (told.find("win") == 0 || told.find("microsoft") != std::string::npos)
      machine_.is_windows = true;
    else if (told.find("linux") != std::string::npos || told.starts_with("debian") || told.starts_with("ubuntu") ||
             told.starts_with("rhel") || told.starts_with("sles") || told.starts_with("centos"))
      machine_.is_windows = false;
  }

  Result<void> read_hardware(const XmlElement& section) {
    // <vmw:Config vmw:key="firmware" vmw:value="efi"/>
    for (const auto* config : section.all("Config")) {
      if (config->attribute("key") != "firmware") continue;
      const auto value = config->attribute("value");
      if (value != "efi" && value != "bios")
        return trouble(fmt::format("says of the firmware '{}', which is not known", value), "say which by --firmware");
      machine_.firmware = value == "efi" ? lab::libvirt::Firmware::uefi : lab::libvirt::Firmware::bios;
    }
    const auto items = items_of(section);
    for (std::size_t i = 0; i < items.size(); ++i) places_.emplace(text_of(*items[i], "InstanceID"), i);
    for (const auto* item : items) PATCHLAB_TRY(take(*item));
    std::ranges::stable_sort(drives_, [](const Drive& a, const Drive& b) {
      return a.controller != b.controller ? a.controller < b.controller : a.place < b.place;
    });
    for (const auto& drive : drives_) machine_.disks.push_back(drive.file);
    for (const auto& [what, count] : left_out_) machine_.left_out.push_back(fmt::format("{} {}", count, what));
    auto sorted = machine_.disks;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) return trouble("gives the machine one disk twice");
    if (machine_.disks.empty()) return trouble("describes a machine without a disk", "export it with its disks");
    if (machine_.disks.size() > most_disks)
      return trouble(fmt::format("describes a machine with more than {} disks", most_disks));
    return {};
  }

  // DSP0243 2.1 has items of their own for storage and network, with the same children.
  static std::vector<const XmlElement*> items_of(const XmlElement& section) {
    std::vector<const XmlElement*> items;
    for (const auto& child : section.children) {
      if (child.name == "Item" || child.name == "StorageItem" || child.name == "EthernetPortItem")
        items.push_back(&child);
    }
    return items;
  }

  Result<void> take(const XmlElement& item) {
    // What could be set otherwise, and what another configuration than the usual one has.
    const auto bound = item.attribute("bound");
    if ((!bound.empty() && bound != "normal") || !item.attribute("configuration").empty()) return {};
    const auto type = number_in(text_of(item, "ResourceType"));
    if (!type) return {};  // of another maker; what matters has a number
    switch (static_cast<Resource>(*type)) {
      case Resource::processor: return take_processors(item);
      case Resource::memory: return take_memory(item);
      case Resource::disk: return take_disk(item);
      case Resource::ethernet:
        if (++machine_.nics > most_nics)
          return trouble(fmt::format("describes a machine with more than {} network adapters", most_nics));
        return {};
      case Resource::cd:
      case Resource::dvd: ++left_out_["CD drive(s), instead of which it gets one of its own"]; return {};
      case Resource::floppy: ++left_out_["floppy drive(s)"]; return {};
      case Resource::usb: ++left_out_["USB controller(s)"]; return {};
      case Resource::sound: ++left_out_["sound card(s)"]; return {};
    }
    return {};
  }

  Result<void> take_processors(const XmlElement& item) {
    if (machine_.cpus) return trouble("says twice how many processors the machine has");
    PATCHLAB_ASSIGN(const auto count, quantity_of(item, "processors"));
    if (count > std::numeric_limits<std::uint16_t>::max())
      return trouble(fmt::format("says that the machine has {} processors", count));
    machine_.cpus = static_cast<std::uint32_t>(count);
    return {};
  }

  Result<void> take_memory(const XmlElement& item) {
    if (machine_.memory_mib) return trouble("says twice how much memory the machine has");
    const auto unit = text_of(item, "AllocationUnits");
    constexpr std::uint64_t mib = 1U << 20U;
    const auto bytes = unit.empty() ? std::optional<std::uint64_t>(mib) : bytes_of_unit(unit);
    if (!bytes) return trouble(fmt::format("measures memory in '{}', which is not known", unit));
    PATCHLAB_ASSIGN(const auto count, quantity_of(item, "memory"));
    const auto amount = count > (1ULL << 52U) / *bytes ? 0 : count * *bytes / mib;
    if (amount == 0 || amount > std::numeric_limits<std::uint32_t>::max())
      return trouble(fmt::format("says that the machine has {} '{}' of memory", count, unit));
    machine_.memory_mib = static_cast<std::uint32_t>(amount);
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> quantity_of(const XmlElement& item, const char* what) const {
    const auto text = text_of(item, "VirtualQuantity");
    const auto number = number_in(text);
    if (number && *number > 0) return *number;
    return trouble(fmt::format("says that the machine has '{}' of {}", text, what));
  }

  Result<void> take_disk(const XmlElement& item) {
    // "ovf:/disk/vmdisk1" (DSP0243, 8.1), "/disk/vmdisk1" in older ones.
    std::string_view resource;
    const auto text = text_of(item, "HostResource");
    resource = text;
    if (resource.starts_with("ovf:")) resource.remove_prefix(4);
    constexpr std::string_view prefix = "/disk/";
    const auto disk = resource.starts_with(prefix) ? disk_files_.find(std::string(resource.substr(prefix.size())))
                                                   : disk_files_.end();
    if (disk == disk_files_.end())
      return trouble(fmt::format("gives the machine the disk '{}', which it does not describe", text));
    Drive drive;
    drive.file = disk->second;
    const auto controller = places_.find(text_of(item, "Parent"));
    drive.controller = controller == places_.end() ? std::numeric_limits<std::size_t>::max() : controller->second;
    // DSP0243 says AddressOnParent; without it those of a controller stay as they come.
    drive.place = number_in(text_of(item, "AddressOnParent")).value_or(0);
    drives_.push_back(std::move(drive));
    return {};
  }

  const std::string& name_;
  OvfMachine machine_;
  std::map<std::string, std::string> files_;       // id -> file
  std::map<std::string, std::string> disk_files_;  // id of the disk -> file
  std::map<std::string, std::size_t> places_;      // InstanceID -> place among the items
  std::vector<Drive> drives_;
  std::map<std::string, std::size_t> left_out_;
};

}  // namespace

bool is_package_name(std::string_view name) {
  constexpr std::size_t longest = 200;
  const auto is_fine = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f && c != '/' && c != '\\' && c != ':';
  };
  return !name.empty() && name.size() <= longest && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, is_fine);
}

Result<OvfMachine> read_ovf(std::string_view bytes, const std::string& name) {
  PATCHLAB_ASSIGN(const auto document, patches::parse_xml(bytes, name, limits));
  return Reader(name).read(document);
}

}  // namespace patchlab::runners::intake
