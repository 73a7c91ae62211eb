// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/exe/executable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lab/core/json.hpp"
#include "patches/exe/version_resource.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t dos_header_bytes = 64;
constexpr std::size_t file_header_bytes = 24;  // with the signature "PE\0\0"
constexpr std::size_t section_bytes = 40;
constexpr std::size_t most_sections = 96;  // what Windows loads
constexpr std::uint64_t resource_limit = 64ULL << 20U;
constexpr std::uint64_t version_limit = 1U << 20U;

constexpr std::uint32_t resource_directory = 2;
constexpr std::uint32_t signature_directory = 4;

struct Machine {
  std::uint16_t number;
  const char* name;
};
constexpr std::array<Machine, 5> machines{
    {{0x014c, "x86"}, {0x8664, "amd64"}, {0xaa64, "arm64"}, {0x01c4, "arm"}, {0x0200, "ia64"}}};

struct Mark {
  std::string_view section;
  const char* installer;
};
constexpr std::array<Mark, 2> marks{{{".wixburn", "WiX Burn"}, {".ndata", "NSIS"}}};

struct Section {
  std::string name;
  std::uint32_t address = 0;
  std::uint32_t file_bytes = 0;
  std::uint32_t file_offset = 0;
};

class ExecutableReader {
 public:
  ExecutableReader(const ByteSource& source, const std::string& name) : source_(source), name_(name) {}

  Result<Executable> read() {
    PATCHLAB_ASSIGN(const auto dos, source_.block(0, dos_header_bytes, name_));
    if (!dos.starts_with("MZ")) return trouble("is no program (no MZ signature)");
    const std::uint64_t at = u32_at(dos, 60);
    PATCHLAB_ASSIGN(const auto header, source_.block(at, file_header_bytes, name_));
    if (!header.starts_with(std::string_view("PE\0\0", 4)))
      return trouble("is no Windows program (no PE signature): a program for DOS?");
    PATCHLAB_TRY(read_machine(u16_at(header, 4)));
    const auto optional_bytes = u16_at(header, 20);
    PATCHLAB_ASSIGN(const auto optional, source_.block(at + file_header_bytes, optional_bytes, name_));
    PATCHLAB_TRY(read_sections(at + file_header_bytes + optional_bytes, u16_at(header, 6)));
    program_.carries_signature = directory(optional, signature_directory, 4) != 0;
    PATCHLAB_TRY(read_version(directory(optional, resource_directory, 0)));
    return std::move(program_);
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what) const {
    return configuration_error(fmt::format("'{}' {}", name_, what));
  }

  Result<void> read_machine(std::uint16_t number) {
    const auto known =
        std::find_if(machines.begin(), machines.end(), [&](const auto& machine) { return machine.number == number; });
    if (known == machines.end())
      return trouble(fmt::format("is a program for an unknown architecture ({:#06x})", number));
    program_.architecture = known->name;
    return {};
  }

  Result<void> read_sections(std::uint64_t at, std::size_t count) {
    if (count > most_sections)
      return trouble(fmt::format("is damaged: {} sections, {} are possible", count, most_sections));
    PATCHLAB_ASSIGN(const auto table, source_.block(at, count * section_bytes, name_));
    for (std::size_t i = 0; i < count; ++i) {
      const auto entry = std::string_view(table).substr(i * section_bytes, section_bytes);
      Section section{std::string(entry.substr(0, entry.substr(0, 8).find('\0'))).substr(0, 8), u32_at(entry, 12),
                      u32_at(entry, 16), u32_at(entry, 20)};
      if (std::uint64_t{section.file_offset} + section.file_bytes > source_.size()) {
        return trouble(fmt::format("is truncated: section '{}' ends at byte {}, the file at {}",
                                   to_valid_utf8(section.name), std::uint64_t{section.file_offset} + section.file_bytes,
                                   source_.size()));
      }
      for (const auto& [name, installer] : marks) {
        if (section.name == name) program_.installer = installer;
      }
      sections_.push_back(std::move(section));
    }
    return {};
  }

  // A field of the data directories: 2 is the resources, 4 the signature. Where they begin depends on the width of
  // addresses. 0: none.
  static std::uint32_t directory(std::string_view optional, std::uint32_t index, std::size_t field) {
    const std::size_t directories = u16_at(optional, 0) == 0x20b ? 112 : 96;
    const auto at = directories + std::size_t{index} * 8;
    const bool present = optional.size() >= at + 8 && u32_at(optional, directories - 4) > index;
    return present ? u32_at(optional, at + field) : 0;
  }

  [[nodiscard]] const Section* section_at(std::uint32_t address) const {
    const auto found = std::find_if(sections_.begin(), sections_.end(), [&](const auto& section) {
      return address >= section.address && address - section.address < section.file_bytes;
    });
    return found == sections_.end() ? nullptr : &*found;
  }

  Result<void> read_version(std::uint32_t address) {
    const auto* section = address == 0 ? nullptr : section_at(address);
    if (section == nullptr) return {};
    const auto inside = address - section->address;
    const std::uint64_t bytes = section->file_bytes - inside;
    PATCHLAB_ASSIGN(const auto tree, source_.block(std::uint64_t{section->file_offset} + inside,
                                                   std::min(bytes, resource_limit), name_));
    const auto data = find_version_resource(tree);
    const auto* holder = data ? section_at(data->address) : nullptr;
    if (holder == nullptr) return {};
    const auto offset = std::uint64_t{holder->file_offset} + (data->address - holder->address);
    if (data->bytes > version_limit || offset + data->bytes > source_.size()) return {};
    PATCHLAB_ASSIGN(const auto resource, source_.block(offset, data->bytes, name_));
    auto strings = version_strings(resource);
    program_.product_name = strings["ProductName"];
    program_.file_version = strings["FileVersion"];
    program_.description = strings["FileDescription"];
    program_.original_name = strings["OriginalFilename"];
    return {};
  }

  const ByteSource& source_;
  const std::string& name_;
  std::vector<Section> sections_;
  Executable program_;
};

}  // namespace

Result<Executable> read_executable(const ByteSource& source, const std::string& name) {
  return ExecutableReader(source, name).read();
}

}  // namespace patchlab::patches
