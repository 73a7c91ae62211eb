// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

// Exports of machines as other hypervisors write them: the structure of a descriptor by ovftool, and the tar around it.
namespace patchlab::testing {

// An entry of a tar archive, POSIX ustar (IEEE 1003.1, pax).
struct TarMember {
  std::string name;
  std::string content;
  char type = '0';
  std::string link{};
};

inline std::string tar_of(const std::vector<TarMember>& members) {
  std::string tar;
  for (const auto& member : members) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    put(0, member.name.substr(0, 100));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", member.content.size()));
    put(136, "00000000000");
    put(148, "        ");
    header[156] = member.type;
    put(157, member.link);
    put(257, std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    tar += header + member.content;
    tar.append((512 - tar.size() % 512) % 512, '\0');
  }
  return tar.append(1024, '\0');
}

struct OvfBuilder {
  struct Disk {
    std::string file;
    std::string controller = "3";  // the only one
    std::string place;             // on it; empty: it does not say
  };
  std::vector<Disk> disks{{"srv2019-disk1.vmdk", "3", "0"}};
  std::string os = "windows2019srv_64Guest";
  std::string firmware = "efi";  // empty: it does not say
  std::string more_hardware{};
  std::string more_of_file{};  // attributes of each <File>
  std::string more_of_disk{};  // and of each <Disk>
  std::string memory_unit = "byte * 2^20";
  std::string memory = "8192";

  [[nodiscard]] std::string text() const {
    std::string files;
    std::string described;
    std::string items;
    int number = 0;
    for (const auto& disk : disks) {
      ++number;
      files +=
          fmt::format("<File ovf:href=\"{}\" ovf:id=\"file{}\" ovf:size=\"1\" {}/>", disk.file, number, more_of_file);
      described += fmt::format(
          "<Disk ovf:capacity=\"8\" ovf:capacityAllocationUnits=\"byte * 2^20\" ovf:diskId=\"vmdisk{0}\" "
          "ovf:fileRef=\"file{0}\" "
          "ovf:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\" {1}/>",
          number, more_of_disk);
      items += fmt::format(
          "<Item>{}<rasd:ElementName>Hard Disk {}</rasd:ElementName>"
          "<rasd:HostResource>ovf:/disk/vmdisk{}</rasd:HostResource><rasd:InstanceID>{}</rasd:InstanceID>"
          "<rasd:Parent>{}</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>",
          disk.place.empty() ? "" : "<rasd:AddressOnParent>" + disk.place + "</rasd:AddressOnParent>", number, number,
          100 + number, disk.controller);
    }
    return fmt::format(
        R"(<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
 xmlns:vmw="http://www.vmware.com/schema/ovf">
<References>{}</References><DiskSection><Info>disks</Info>{}</DiskSection>
<VirtualSystem ovf:id="srv2019"><Info>a machine</Info><Name>srv2019</Name>
<OperatingSystemSection ovf:id="112" vmw:osType="{}"><Info>guest</Info></OperatingSystemSection>
<VirtualHardwareSection><Info>hardware</Info>
<Item><rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits><rasd:InstanceID>1</rasd:InstanceID>
<rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>4</rasd:VirtualQuantity></Item>
<Item><rasd:AllocationUnits>{}</rasd:AllocationUnits><rasd:InstanceID>2</rasd:InstanceID>
<rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>{}</rasd:VirtualQuantity></Item>
<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>lsilogicsas</rasd:ResourceSubType>
<rasd:ResourceType>6</rasd:ResourceType></Item>
<Item><rasd:InstanceID>4</rasd:InstanceID><rasd:ResourceType>20</rasd:ResourceType></Item>
{}
<Item><rasd:Connection>VM Network</rasd:Connection><rasd:InstanceID>9</rasd:InstanceID>
<rasd:ResourceType>10</rasd:ResourceType></Item>
<Item><rasd:InstanceID>8</rasd:InstanceID><rasd:ResourceType>15</rasd:ResourceType></Item>
{}{}
</VirtualHardwareSection></VirtualSystem></Envelope>
)",
        files, described, os, memory_unit, memory, items,
        firmware.empty() ? ""
                         : "<vmw:Config ovf:required=\"false\" vmw:key=\"firmware\" vmw:value=\"" + firmware + "\"/>",
        more_hardware);
  }
};

}  // namespace patchlab::testing
