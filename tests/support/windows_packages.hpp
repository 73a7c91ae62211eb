// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Small Windows packages made in memory: seeds for fuzzers, and unit tests that change the one byte they are about. The
// real formats as other programs write them are in tests/integration/patches.
namespace patchlab::patches::testing {

void put16(std::string& bytes, std::uint32_t number);
void put32(std::string& bytes, std::uint32_t number);
void set16(std::string& bytes, std::size_t at, std::uint32_t number);
void set32(std::string& bytes, std::size_t at, std::uint32_t number);
[[nodiscard]] std::string utf16(const std::string& ascii);

// A cabinet of one folder, stored without compression.
struct CabBuilder {
  std::vector<std::pair<std::string, std::string>> entries;  // name, content
  std::uint32_t flags = 0;
  bool checksums = true;          // 0 in their place means: not computed
  std::uint32_t compression = 0;  // what the folder claims; the data stay as they are
  [[nodiscard]] std::string bytes() const;
  // Where the directory entry of a file lies.
  [[nodiscard]] std::size_t entry_offset(std::size_t index) const;
};

struct MumBuilder {
  std::string name = "Package_for_KB5035968";
  std::string version = "6.2.1.0";
  std::string architecture = "amd64";
  std::string restart = "possible";
  std::string permanence = "removable";
  std::string parent_version = "6.2.9200.16384";
  std::string stack_floor = "6.0.0.0";  // in installerAssembly
  std::vector<std::string> children;    // names of packages below <update>
  std::string component;                // name and version of a component there: "Microsoft-Windows-X 1.0.0.0"
  [[nodiscard]] std::string identity() const;
  [[nodiscard]] std::string content() const;
  [[nodiscard]] std::string text() const;
};

// An .msu with update metadata, the servicing cabinet, the unattend document and the property list.
struct MsuBuilder {
  MumBuilder mum;
  std::string kb = "5035968";
  std::string release = "Windows8-RT";
  std::vector<std::pair<std::string, std::string>> more;  // entries of the servicing cabinet
  [[nodiscard]] std::string stem() const { return release + "-KB" + kb + "-x64"; }
  [[nodiscard]] std::string servicing_cabinet() const;
  [[nodiscard]] std::string unattend() const;
  [[nodiscard]] std::string properties() const;
  [[nodiscard]] std::string metadata() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> entries() const;
  [[nodiscard]] std::string bytes() const { return CabBuilder{entries()}.bytes(); }
};

// A compound file with streams in its root.
struct CompoundBuilder {
  std::string root_class;  // 16 bytes
  std::vector<std::pair<std::u16string, std::string>> streams;
  [[nodiscard]] std::string bytes() const;
};

struct InstallerBuilder {
  bool is_patch = false;
  std::vector<std::pair<std::string, std::string>> properties{{"ProductCode", "{11111111-2222-3333-4444-555555555555}"},
                                                              {"UpgradeCode", "{66666666-2222-3333-4444-555555555555}"},
                                                              {"ProductName", "Print Tools"},
                                                              {"ProductVersion", "1.2.3"}};
  std::string title = "Installation Database";
  std::string subject = "Print Tools";
  std::string template_text = "x64;1033";
  std::string revision = "{AAAAAAAA-2222-3333-4444-555555555555}";
  // Rows of the table Upgrade.
  struct Upgrade {
    std::string code;
    std::string from;
    std::string to;
    std::string language;
    std::uint32_t attributes = 0;
    std::string features;
  };
  std::vector<Upgrade> upgrades;
  bool removes_existing = true;  // whether RemoveExistingProducts is in the sequence
  [[nodiscard]] std::string bytes() const;
};

// A program that cannot run, with a version resource.
struct ProgramBuilder {
  std::uint32_t machine = 0x8664;
  std::string product_name = "SQL Server 2012 KB5021123";
  std::string file_version = "11.0.7512.11";
  std::string section = ".rsrc";
  [[nodiscard]] std::string bytes() const;
};

}  // namespace patchlab::patches::testing
