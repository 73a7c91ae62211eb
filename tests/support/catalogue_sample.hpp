// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Catalogues as Microsoft writes them (wsusscn2.cab): small ones in memory, and large ones of which only the packed
// bytes are ever on a disk. With the members that are read and those around them.
namespace patchlab::tests {

inline constexpr const char* server_2019 = "f702a48c-919b-45d6-9aef-ca4248d50397";
inline constexpr const char* security_updates = "0fa1201d-4330-4fa8-8ae9-b877473b6441";

struct SampleFile {
  std::string name = "windows10.0-kb5050001-x64.cab";
  std::string content = "cabinet";  // the digests are of it
  bool has_sha256 = true;
  std::string patching = "SelfContained";
};

// A bundle, and behind it (revision + 1) the part that its files are of.
struct SampleUpdate {
  std::uint32_t revision = 0;
  std::string kb;  // "5050001"
  std::string title;
  std::vector<std::uint32_t> superseded_by{};
  std::vector<std::string> cves{};
  std::vector<SampleFile> files{};
  std::string product = server_2019;
  std::string classification = security_updates;
  std::string severity = "Critical";
  std::string created = "2026-11-10T18:00:00Z";
};

struct SampleCatalogue {
  std::vector<SampleUpdate> updates;
  std::string created = "2026-11-25T08:51:08Z";
  // Of the cabinet of each update's revision; the first begins with 0, and has the products.
  std::vector<std::uint32_t> cabinets{0, 1000};
  std::map<std::string, std::string> products{{server_2019, "Windows Server 2019"}};
  std::size_t rules_bytes = 600;  // of each update, about
};

[[nodiscard]] std::string index_xml(const std::vector<std::uint32_t>& cabinets);
[[nodiscard]] std::string package_xml(const SampleCatalogue& catalogue);
// "x\1001" and others: what the cabinets of it hold, in their order.
[[nodiscard]] std::vector<std::map<std::string, std::string>> details_of(const SampleCatalogue& catalogue);
// All of it, stored without compression.
[[nodiscard]] std::string catalogue_bytes(const SampleCatalogue& catalogue);
// From what it consists of, so that a test can change one thing: "index.xml", "package.cab", ...
[[nodiscard]] std::map<std::string, std::string> catalogue_parts(const SampleCatalogue& catalogue);
[[nodiscard]] std::string cabinet_of_parts(const std::map<std::string, std::string>& parts);

// Writes a cabinet from front to back; what is not packed yet is one block.
class CabWriter {
 public:
  // The names in the order in which the entries are written. Packed: by MSZIP, all entries in one stream; else each
  // stored in a stream of its own. At most 2 GiB in each stream, 65535 entries, and 4 GiB altogether.
  CabWriter(const std::filesystem::path& path, std::vector<std::string> names, bool packed);
  ~CabWriter();
  CabWriter(const CabWriter&) = delete;
  CabWriter& operator=(const CabWriter&) = delete;
  void write(std::string_view bytes);  // of the entry that is at hand
  void next();                         // it ends
  void finish();                       // behind the last entry
  [[nodiscard]] std::uint64_t unpacked() const { return unpacked_; }

 private:
  struct Stream {
    std::uint32_t at = 0;
    std::uint32_t blocks = 0;
  };
  struct Entry {
    std::uint32_t bytes = 0, offset = 0;
    std::uint16_t stream = 0;
  };
  void begin_stream();
  void end_block();
  void put(const std::string& bytes);

  struct Deflate;
  std::fstream file_;
  std::vector<std::string> names_;
  bool packed_;
  std::unique_ptr<Deflate> deflate_;
  std::vector<Stream> streams_;
  std::vector<Entry> entries_;
  std::string block_;
  std::uint64_t at_ = 0, unpacked_ = 0;
  std::uint32_t in_stream_ = 0;
};

struct LargeCatalogue {
  std::size_t updates = 0;   // in its list: products, bundles and their parts
  std::size_t in_scope = 0;  // bundles of Server 2019
  std::size_t cabinets = 0;
  std::uint64_t unpacked = 0;
  std::uint64_t packed = 0;
};
// A catalogue of about so many bytes unpacked, in a file; beside it, while it is written, lies one packed cabinet. As
// today's: 74 cabinets and 137 000 updates with 184 kB of rules each make 25 GB.
[[nodiscard]] LargeCatalogue write_large_catalogue(const std::filesystem::path& path, std::uint64_t unpacked_bytes);

}  // namespace patchlab::tests
