// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/windows_packages.hpp"

#include <fmt/format.h>

#include <map>

#include "patches/msi/installer_database.hpp"

namespace patchlab::patches::testing {
namespace {

// ---- cabinets ([MS-CAB])

constexpr std::size_t cab_header_bytes = 36;
constexpr std::size_t cab_folder_bytes = 8;
constexpr std::size_t cab_block_bytes = 32768;

std::uint32_t byte_of(const std::string& bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

// CFDATA's checksum: words combined by exclusive or; the last one to three bytes the other way round.
std::uint32_t cab_sum(const std::string& bytes, std::uint32_t seed) {
  std::uint32_t sum = seed;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    sum ^= byte_of(bytes, at) | (byte_of(bytes, at + 1) << 8U) | (byte_of(bytes, at + 2) << 16U) |
           (byte_of(bytes, at + 3) << 24U);
  }
  std::uint32_t tail = 0;
  for (; at < bytes.size(); ++at) tail = (tail << 8U) | byte_of(bytes, at);
  return sum ^ tail;
}

std::string cab_block(const std::string& content, bool checksum) {
  std::string sizes;
  put16(sizes, static_cast<std::uint32_t>(content.size()));
  put16(sizes, static_cast<std::uint32_t>(content.size()));
  std::string block;
  put32(block, checksum ? cab_sum(sizes, cab_sum(content, 0)) : 0);
  return block + sizes + content;
}

// ---- compound files ([MS-CFB])

constexpr std::size_t sector = 512;
constexpr std::uint32_t end_of_chain = 0xfffffffe;
constexpr std::uint32_t free_sector = 0xffffffff;
constexpr std::uint32_t table_sector = 0xfffffffd;

std::string padded(std::string bytes, std::size_t step) {
  bytes.resize((bytes.size() + step - 1) / step * step, '\0');
  return bytes;
}

struct Place {
  std::uint32_t first = end_of_chain;
  std::size_t bytes = 0;
};

// Sectors and the chains through them; used for whole sectors and for mini sectors.
struct Chains {
  std::size_t unit;
  std::string content;
  std::vector<std::uint32_t> next;
  Place add(const std::string& bytes) {
    if (bytes.empty()) return {};
    const Place place{static_cast<std::uint32_t>(next.size()), bytes.size()};
    content += padded(bytes, unit);
    while (next.size() < content.size() / unit) next.push_back(static_cast<std::uint32_t>(next.size() + 1));
    next.back() = end_of_chain;
    return place;
  }
};

std::string numbers(const std::vector<std::uint32_t>& list, std::size_t step) {
  std::string bytes;
  for (const auto number : list) put32(bytes, number);
  while (bytes.size() % step != 0) put32(bytes, free_sector);
  return bytes;
}

struct DirectoryEntry {
  std::u16string name;
  char type;
  std::uint32_t right;
  std::uint32_t child;
  Place place;
};

std::string directory_entry(const DirectoryEntry& entry, const std::string& class_bytes) {
  std::string bytes;
  for (const char16_t c : entry.name) put16(bytes, c);
  bytes.resize(64, '\0');
  put16(bytes, static_cast<std::uint32_t>(entry.name.size() + 1) * 2);
  bytes += entry.type;
  bytes += '\1';
  put32(bytes, free_sector);
  put32(bytes, entry.right);
  put32(bytes, entry.child);
  bytes += class_bytes;
  bytes.resize(116, '\0');
  put32(bytes, entry.place.first);
  put32(bytes, static_cast<std::uint32_t>(entry.place.bytes));
  put32(bytes, 0);
  return bytes;
}

std::string compound_header(std::uint32_t table_sectors, std::uint32_t directory, const Place& mini_table,
                            std::uint32_t table_first) {
  std::string bytes("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
  bytes.resize(24, '\0');
  for (const std::uint32_t number : {0x3eU, 3U, 0xfffeU, 9U, 6U}) put16(bytes, number);
  bytes.resize(44, '\0');
  put32(bytes, table_sectors);
  put32(bytes, directory);
  put32(bytes, 0);
  put32(bytes, 4096);
  put32(bytes, mini_table.first);
  put32(bytes, static_cast<std::uint32_t>((mini_table.bytes + sector - 1) / sector));
  put32(bytes, end_of_chain);
  put32(bytes, 0);
  for (std::uint32_t i = 0; i < 109; ++i) put32(bytes, i < table_sectors ? table_first + i : free_sector);
  return bytes;
}

// ---- installer databases

std::string summary_stream(const std::vector<std::pair<std::uint32_t, std::string>>& texts) {
  std::string index;
  std::string values;
  const std::size_t base = 8 + texts.size() * 8;
  for (const auto& [number, text] : texts) {
    put32(index, number);
    put32(index, static_cast<std::uint32_t>(base + values.size()));
    put32(values, 30);
    put32(values, static_cast<std::uint32_t>(text.size() + 1));
    values += padded(text + '\0', 4);
  }
  std::string bytes;
  put32(bytes, 0xfffe);
  bytes.resize(24, '\0');
  put32(bytes, 1);
  bytes.resize(44, '\0');
  put32(bytes, 48);
  put32(bytes, static_cast<std::uint32_t>(8 + index.size() + values.size()));
  put32(bytes, static_cast<std::uint32_t>(texts.size()));
  return bytes + index + values;
}

struct StringPool {
  std::string pool = std::string("\xe4\x04\0\0", 4);  // code page 1252
  std::string data;
  std::map<std::string, std::uint32_t> known;
  std::uint32_t add(const std::string& text) {
    const auto [place, added] = known.emplace(text, static_cast<std::uint32_t>(known.size() + 1));
    if (!added) return place->second;
    put16(pool, static_cast<std::uint32_t>(text.size()));
    put16(pool, 1);
    data += text;
    return place->second;
  }
};

// ---- programs

// One block of a version resource: header, key, value, children, each part on a boundary of four.
std::string version_block(const std::string& key, const std::string& text, const std::string& children) {
  std::string rest = utf16(key) + std::string(2, '\0');
  while ((rest.size() + 6) % 4 != 0) rest += '\0';
  if (!text.empty()) rest += padded(utf16(text) + std::string(2, '\0'), 4);
  rest += children;
  std::string block;
  put16(block, static_cast<std::uint32_t>(rest.size() + 6));
  put16(block, text.empty() ? 0 : static_cast<std::uint32_t>(text.size() + 1));
  put16(block, 1);
  return block + rest;
}

std::string resource_folder(std::uint32_t id, std::uint32_t offset) {
  std::string folder(12, '\0');
  put16(folder, 0);
  put16(folder, 1);
  put32(folder, id);
  put32(folder, offset);
  return folder;
}

}  // namespace

void put16(std::string& bytes, std::uint32_t number) {
  bytes += static_cast<char>(number & 0xffU);
  bytes += static_cast<char>((number >> 8U) & 0xffU);
}
void put32(std::string& bytes, std::uint32_t number) {
  put16(bytes, number & 0xffffU);
  put16(bytes, number >> 16U);
}
void set16(std::string& bytes, std::size_t at, std::uint32_t number) {
  std::string two;
  put16(two, number);
  bytes.replace(at, 2, two);
}
void set32(std::string& bytes, std::size_t at, std::uint32_t number) {
  std::string four;
  put32(four, number);
  bytes.replace(at, 4, four);
}

std::string utf16(const std::string& ascii) {
  std::string bytes;
  for (const char c : ascii) put16(bytes, static_cast<unsigned char>(c));
  return bytes;
}

std::size_t CabBuilder::entry_offset(std::size_t index) const {
  std::size_t at = cab_header_bytes + cab_folder_bytes;
  for (std::size_t i = 0; i < index; ++i) at += 16 + entries[i].first.size() + 1;
  return at;
}

std::string CabBuilder::bytes() const {
  std::string content;
  std::string directory;
  for (const auto& [name, text] : entries) {
    put32(directory, static_cast<std::uint32_t>(text.size()));
    put32(directory, static_cast<std::uint32_t>(content.size()));
    for (const std::uint32_t number : {0U, 0x58a1U, 0x6000U, 0x20U})
      put16(directory, number);  // folder, date, time, attributes
    directory += name + '\0';
    content += text;
  }
  std::string data;
  std::uint32_t blocks = 0;
  for (std::size_t at = 0; at < content.size(); at += cab_block_bytes, ++blocks)
    data += cab_block(content.substr(at, cab_block_bytes), checksums);
  const auto directory_at = cab_header_bytes + cab_folder_bytes;
  std::string cab = "MSCF";
  put32(cab, 0);
  put32(cab, static_cast<std::uint32_t>(directory_at + directory.size() + data.size()));
  put32(cab, 0);
  put32(cab, static_cast<std::uint32_t>(directory_at));
  put32(cab, 0);
  for (const std::uint32_t number : {0x0103U, 1U, static_cast<std::uint32_t>(entries.size()), flags, 1U, 0U})
    put16(cab, number);
  put32(cab, static_cast<std::uint32_t>(directory_at + directory.size()));
  put16(cab, blocks);
  put16(cab, compression);
  return cab + directory + data;
}

std::string MumBuilder::identity() const {
  return fmt::format(
      R"(<assemblyIdentity name="{}" version="{}" language="neutral" processorArchitecture="{}" publicKeyToken="31bf3856ad364e35"/>)",
      name, version, architecture);
}

std::string MumBuilder::content() const {
  std::string text;
  for (const auto& child : children) {
    MumBuilder part;
    part.name = child;
    part.version = version;
    part.architecture = architecture;
    text += "<package integrate=\"hidden\">" + part.identity() + "</package>";
  }
  if (const auto blank = component.find(' '); blank != std::string::npos) {
    MumBuilder part;
    part.name = component.substr(0, blank);
    part.version = component.substr(blank + 1);
    text += "<component>" + part.identity() + "</component>";
  }
  return text;
}

std::string MumBuilder::text() const {
  return fmt::format(
      R"(<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0" description="Fix for {}" displayName="default" company="Nobody">
  {}
  <package identifier="{}" applicabilityEvaluation="deep" releaseType="Security Update" restart="{}" permanence="{}">
    <parent buildCompare="EQ" integrate="separate" disposition="detect">
      <assemblyIdentity name="Microsoft-Windows-ServerCore-Package" language="neutral" version="{}" processorArchitecture="{}" publicKeyToken="31bf3856ad364e35"/>
    </parent>
    <installerAssembly name="Microsoft-Windows-ServicingStack" version="{}" language="neutral" processorArchitecture="{}" versionScope="nonSxS" publicKeyToken="31bf3856ad364e35"/>
    <update name="1-1_neutral_GDR">{}</update>
  </package>
</assembly>
)",
      name, identity(), name, restart, permanence, parent_version, architecture, stack_floor, architecture, content());
}

std::string MsuBuilder::servicing_cabinet() const {
  CabBuilder cabinet{{{"update.mum", mum.text()},
                      {"update.cat", "catalogue"},
                      {"amd64_dns_31bf3856ad364e35\\dns.exe", std::string(5000, 'd')}}};
  cabinet.entries.insert(cabinet.entries.end(), more.begin(), more.end());
  return cabinet.bytes();
}

std::string MsuBuilder::unattend() const {
  return fmt::format(R"(<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <servicing><package action="install">{}<source location="%configsetroot%\{}.CAB"/></package></servicing>
</unattend>
)",
                     mum.identity(), stem());
}

std::string MsuBuilder::properties() const {
  return fmt::format(
      "ApplicabilityInfo=\"Windows 8\"\r\nApplies to=\"Windows 8\"\r\nKB Article Number=\"{}\"\r\nPackage "
      "Type=\"Security Update\"\r\n"
      "Processor Architecture=\"{}\"\r\n",
      kb, mum.architecture);
}

std::string MsuBuilder::metadata() const {
  const std::string xml =
      R"(<?xml version="1.0"?><OfflineSyncPackage xmlns="http://schemas.microsoft.com/msus/2004/02/OfflineSync"><Updates>
<Update UpdateId="0f2b0a4e-5d3c-4c61-9a55-0123456789ab"><Prerequisites><UpdateId Id="2ee2ad83-828c-4405-9479-544d767993fc"/>
<Or><UpdateId Id="a105a108-7c9b-4518-bbbe-73f0fe30012b"/><UpdateId Id="b105a108-7c9b-4518-bbbe-73f0fe30012b"/></Or></Prerequisites>
<SupersededBy><Revision Id="31337"/></SupersededBy></Update></Updates></OfflineSyncPackage>)";
  return CabBuilder{{{"package.cab", CabBuilder{{{"package.xml", xml}}}.bytes()}}}.bytes();
}

std::vector<std::pair<std::string, std::string>> MsuBuilder::entries() const {
  return {{"WSUSSCAN.cab", metadata()},
          {stem() + ".cab", servicing_cabinet()},
          {stem() + ".xml", unattend()},
          {stem() + "-pkgProperties.txt", properties()}};
}

std::string CompoundBuilder::bytes() const {
  Chains mini{64, {}, {}};
  Chains whole{sector, {}, {}};
  std::vector<Place> places;
  for (const auto& [name, content] : streams)
    places.push_back(content.size() < 4096 ? mini.add(content) : whole.add(content));
  const auto mini_content = whole.add(mini.content);
  const auto mini_table = whole.add(numbers(mini.next, sector));
  // The children as a chain to the right: a tree as good as any for readers.
  const auto first_child = streams.empty() ? free_sector : 1U;
  std::string directory = directory_entry({u"Root Entry", 5, free_sector, first_child, mini_content}, root_class);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const auto right = i + 1 < streams.size() ? static_cast<std::uint32_t>(i + 2) : free_sector;
    directory += directory_entry({streams[i].first, 2, right, free_sector, places[i]}, std::string(16, '\0'));
  }
  const auto directory_place = whole.add(directory);
  std::size_t tables = 1;
  while ((whole.next.size() + tables) * 4 > tables * sector) ++tables;
  const auto table_first = static_cast<std::uint32_t>(whole.next.size());
  whole.next.insert(whole.next.end(), tables, table_sector);
  return compound_header(static_cast<std::uint32_t>(tables), directory_place.first, mini_table, table_first) +
         whole.content + numbers(whole.next, sector);
}

std::string InstallerBuilder::bytes() const {
  StringPool pool;
  std::vector<std::vector<std::uint32_t>> columns(is_patch ? 3 : 2);
  for (const auto& [key, value] : properties) {
    if (is_patch) columns[0].push_back(0);
    columns[columns.size() - 2].push_back(pool.add(key));
    columns[columns.size() - 1].push_back(pool.add(value));
  }
  std::string table;
  for (const auto& column : columns) {
    for (const auto reference : column) put16(table, reference);
  }
  // Column by column, as every table; numbers with their sign bit turned over.
  std::string upgrade;
  for (const auto member : {&Upgrade::code, &Upgrade::from, &Upgrade::to, &Upgrade::language}) {
    for (const auto& row : upgrades) put16(upgrade, row.*member == "" ? 0 : pool.add(row.*member));
  }
  for (const auto& row : upgrades) put32(upgrade, row.attributes ^ 0x80000000U);
  for (const auto& row : upgrades) put16(upgrade, row.features.empty() ? 0 : pool.add(row.features));
  for (std::size_t i = 0; i < upgrades.size(); ++i) put16(upgrade, pool.add("OLDPRODUCTS"));
  std::string sequence;
  const std::vector<std::pair<std::string, std::uint32_t>> actions{
      {"InstallInitialize", 1500}, {removes_existing ? "RemoveExistingProducts" : "RegisterProduct", 1525}};
  for (const auto& [action, number] : actions) put16(sequence, pool.add(action));
  for (std::size_t i = 0; i < actions.size(); ++i) put16(sequence, 0);
  for (const auto& [action, number] : actions) put16(sequence, number ^ 0x8000U);
  std::string class_bytes;
  put32(class_bytes, is_patch ? 0x000c1086U : 0x000c1084U);
  put32(class_bytes, 0);
  class_bytes += std::string("\xc0\0\0\0\0\0\0\x46", 8);
  CompoundBuilder file{
      class_bytes,
      {{u"\u0005SummaryInformation", summary_stream({{2, title}, {3, subject}, {7, template_text}, {9, revision}})},
       {table_stream_name("_StringPool"), pool.pool},
       {table_stream_name("_StringData"), pool.data},
       {table_stream_name(is_patch ? "MsiPatchMetadata" : "Property"), table},
       {u"Binary.big", std::string(10'000, 'b')}}};
  if (!upgrades.empty()) {
    file.streams.emplace_back(table_stream_name("Upgrade"), upgrade);
    file.streams.emplace_back(table_stream_name("InstallExecuteSequence"), sequence);
  }
  return file.bytes();
}

std::string ProgramBuilder::bytes() const {
  constexpr std::uint32_t address = 0x1000;
  constexpr std::uint32_t file_offset = 0x200;
  const auto strings = version_block("ProductName", product_name, "") + version_block("FileVersion", file_version, "");
  const auto version =
      version_block("VS_VERSION_INFO", "", version_block("StringFileInfo", "", version_block("040904b0", "", strings)));
  // type 16 > name 1 > language 1033 > data
  std::string resource =
      resource_folder(16, 0x80000018U) + resource_folder(1, 0x80000030U) + resource_folder(1033, 0x48);
  put32(resource, address + 0x58);
  put32(resource, static_cast<std::uint32_t>(version.size()));
  resource.resize(0x58, '\0');
  resource += version;
  std::string program = "MZ";
  program.resize(60, '\0');
  put32(program, 64);
  program += std::string("PE\0\0", 4);
  put16(program, machine);
  put16(program, 1);
  program.resize(64 + 20, '\0');
  put16(program, 240);
  put16(program, 0x22);
  std::string optional;
  put16(optional, machine == 0x014c ? 0x10b : 0x20b);
  const std::size_t directories = machine == 0x014c ? 96 : 112;
  optional.resize(directories - 4, '\0');
  put32(optional, 16);
  optional.resize(directories + 16, '\0');
  put32(optional, address);
  put32(optional, static_cast<std::uint32_t>(resource.size()));
  optional.resize(240, '\0');
  program += optional;
  std::string name = section;
  name.resize(8, '\0');
  program += name;
  for (const auto number :
       {static_cast<std::uint32_t>(resource.size()), address, static_cast<std::uint32_t>(resource.size()), file_offset})
    put32(program, number);
  program.resize(file_offset, '\0');
  return program + resource;
}

}  // namespace patchlab::patches::testing
