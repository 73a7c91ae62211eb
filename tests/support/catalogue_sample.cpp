// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catalogue_sample.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "lab/core/base64.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::tests {
namespace {

using patches::testing::put16;
using patches::testing::put32;

std::string digest(const std::string& bytes, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned int size = 0;
  ::EVP_Digest(bytes.data(), bytes.size(), value.data(), &size, algorithm, nullptr);
  return base64({reinterpret_cast<const char*>(value.data()), size});
}
std::string sha1_of(const std::string& bytes) { return digest(bytes, ::EVP_sha1()); }

std::string guid(std::uint32_t number) { return fmt::format("00000000-0000-4000-8000-{:012x}", number); }

std::string product_update(std::uint32_t revision, const std::string& id) {
  return fmt::format(
      R"(<Update CreationDate="2018-01-01T00:00:00Z" DefaultLanguage="en" UpdateId="{}" RevisionNumber="1" RevisionId="{}" IsLeaf="false" IsSoftware="false"><Categories><Category Type="Company" Id="56309036-4c77-4dd9-951a-99ee9c246a94" /></Categories></Update>)",
      id, revision);
}

// A bundle and its part, as they stand in the list.
std::string bundle_update(const SampleUpdate& update) {
  std::string replaced;
  for (const auto revision : update.superseded_by) replaced += fmt::format(R"(<Revision Id="{}" />)", revision);
  if (!replaced.empty()) replaced = "<SupersededBy>" + replaced + "</SupersededBy>";
  std::string payload;
  for (const auto& file : update.files) payload += fmt::format(R"(<File Id="{}" />)", sha1_of(file.content));
  return fmt::format(
      R"(<Update CreationDate="{}" DefaultLanguage="en" UpdateId="{}" RevisionNumber="201" RevisionId="{}" IsLeaf="true" IsBundle="true"><Prerequisites><UpdateId Id="13c46d99-e6e6-4b68-b83d-33d73910d025" /><UpdateId Id="8622846b-ec83-489b-af09-6545433c942e" /><Or><UpdateId Id="59653007-e2e9-4f71-8525-2ff588527978" /><UpdateId Id="71c1e8bb-9a5d-4e56-a456-10b0624c7188" /></Or></Prerequisites>{}<Categories><Category Type="UpdateClassification" Id="{}" /><Category Type="Company" Id="56309036-4c77-4dd9-951a-99ee9c246a94" /><Category Type="ProductFamily" Id="6964aab4-c5b5-43bd-a17d-ffb4346a8e1d" /><Category Type="Product" Id="{}" /></Categories></Update>
<Update CreationDate="{}" DefaultLanguage="en" UpdateId="{}" RevisionNumber="201" RevisionId="{}" IsLeaf="true" DeploymentAction="Bundle"><PayloadFiles>{}</PayloadFiles><Prerequisites><UpdateId Id="23b28b6a-2629-424b-92ae-1b0bda447d2f" /></Prerequisites><BundledBy><Revision Id="{}" /></BundledBy></Update>
)",
      update.created, guid(update.revision), update.revision, replaced, update.classification, update.product,
      update.created, guid(update.revision + 1), update.revision + 1, payload, update.revision);
}

std::string file_locations(const SampleUpdate& update) {
  std::string text;
  for (const auto& file : update.files)
    text += fmt::format(
        "<FileLocation Id=\"{}\" "
        "Url=\"http://download.windowsupdate.com/c/msdownload/update/software/secu/2026/11/{}\" />\n",
        sha1_of(file.content), file.name);
  return text;
}

std::string list_begin(const std::string& created) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<OfflineSyncPackage "
      "xmlns=\"http://schemas.microsoft.com/msus/2004/02/OfflineSync\" "
      "SourceId=\"cead5d29-5e02-4aa4-b3a2-9b3b8c5a7d1e\" PackageId=\"0d7f3c36-7f75-4c0d-9f38-9a8b6b0c7a11\" "
      "PackageVersion=\"1.1\" ProtocolVersion=\"1.0\" CreationDate=\"{}\" MinimumClientVersion=\"5.8.0.2678\">\n"
      "<Updates>\n",
      created);
}

std::string details_of_bundle(const SampleUpdate& update) {
  std::string cves;
  for (const auto& cve : update.cves) cves += fmt::format("<CveID>{}</CveID>", cve);
  return fmt::format(
      R"(<ExtendedProperties DefaultPropertiesLanguage="en" MsrcSeverity="{}" IsBeta="false"><InstallationBehavior /><SupportUrl>https://support.microsoft.com/help/{}</SupportUrl>{}<KBArticleID>{}</KBArticleID><UninstallationBehavior /></ExtendedProperties>)",
      update.severity, update.kb, cves, update.kb);
}

std::string details_of_part(const SampleUpdate& update) {
  std::string files;
  for (const auto& file : update.files) {
    files += fmt::format(
        R"(<File Digest="{}" DigestAlgorithm="SHA1" FileName="{}" Size="{}" Modified="2026-11-08T10:11:12.5Z" PatchingType="{}">{}</File>)",
        sha1_of(file.content), file.name, file.content.size(), file.patching,
        file.has_sha256 ? fmt::format(R"(<AdditionalDigest Algorithm="SHA256">{}</AdditionalDigest>)",
                                      digest(file.content, ::EVP_sha256()))
                        : "");
  }
  return fmt::format(
      R"(<ExtendedProperties DefaultPropertiesLanguage="en" Handler="http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/Cbs" MaxDownloadSize="{}"><InstallationBehavior RebootBehavior="CanRequestReboot" /></ExtendedProperties><Files>{}</Files><HandlerSpecificData type="cbs:Cbs" />)",
      1000, files);
}

std::string title_of(const std::string& title) {
  return fmt::format(
      "<LocalizedProperties><Language>en</Language><Title>{}</Title><Description>Install this update to resolve issues "
      "in Windows. For a complete listing of the issues that are included in this update, see the associated Microsoft "
      "Knowledge Base article.</Description></LocalizedProperties>",
      title);
}

// The rules by which Windows would decide, which are most of a catalogue.
std::string rules_of(std::uint32_t revision, std::size_t bytes) {
  auto text = fmt::format(
      R"(<UpdateIdentity UpdateID="{}" RevisionNumber="201" /><Properties UpdateType="Software" /><ApplicabilityRules><IsInstalled>)",
      guid(revision));
  for (std::size_t i = 0; text.size() < bytes; ++i)
    text += fmt::format(
        R"(<b.RegDword Key="HKEY_LOCAL_MACHINE" Subkey="SOFTWARE\Microsoft\Windows NT\CurrentVersion\{}" Value="UBR" Comparison="GreaterThanOrEqualTo" Data="{}" />)",
        i, revision);
  return text + "</IsInstalled></ApplicabilityRules>";
}

std::string index_begin() {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<INDEX VERSION=\"1\"><CABLIST XOR=\"0\"><CAB "
         "NAME=\"package.cab\" />";
}

}  // namespace

std::string index_xml(const std::vector<std::uint32_t>& cabinets) {
  auto text = index_begin();
  for (std::size_t i = 0; i < cabinets.size(); ++i)
    text += fmt::format(R"(<CAB NAME="package{}.cab" RANGESTART="{}"{} />)", i + 2, cabinets[i],
                        i == 0 ? " FILESDIR=\"1\"" : "");
  return text + "</CABLIST></INDEX>";
}

std::string package_xml(const SampleCatalogue& catalogue) {
  auto text = list_begin(catalogue.created);
  std::uint32_t revision = 1;
  for (const auto& [id, title] : catalogue.products) text += product_update(revision++, id);
  for (const auto& update : catalogue.updates) text += bundle_update(update);
  text += "</Updates>\n<FileLocations>\n";
  for (const auto& update : catalogue.updates) text += file_locations(update);
  return text + "</FileLocations>\n</OfflineSyncPackage>\n";
}

std::vector<std::map<std::string, std::string>> details_of(const SampleCatalogue& catalogue) {
  std::vector<std::map<std::string, std::string>> cabinets(catalogue.cabinets.size());
  const auto put = [&](std::uint32_t revision, const std::string& stream, const std::string& text) {
    const auto behind = std::ranges::upper_bound(catalogue.cabinets, revision);
    cabinets[static_cast<std::size_t>(behind - catalogue.cabinets.begin()) - 1]
            [fmt::format("{}\\{}", stream, revision)] = text;
  };
  std::uint32_t revision = 1;
  for (const auto& [id, title] : catalogue.products) {
    put(revision, "c", rules_of(revision, catalogue.rules_bytes));
    put(revision, "l\\en", title_of(title));
    put(revision++, "x", "<ExtendedProperties DefaultPropertiesLanguage=\"en\" />");
  }
  for (const auto& update : catalogue.updates) {
    put(update.revision, "c", rules_of(update.revision, catalogue.rules_bytes));
    put(update.revision, "l\\en", title_of(update.title));
    put(update.revision, "l\\de", title_of("Update (" + update.kb + ")"));
    put(update.revision, "x", details_of_bundle(update));
    put(update.revision + 1, "c", rules_of(update.revision + 1, catalogue.rules_bytes));
    put(update.revision + 1, "x", details_of_part(update));
  }
  return cabinets;
}

std::map<std::string, std::string> catalogue_parts(const SampleCatalogue& catalogue) {
  using patches::testing::CabBuilder;
  std::map<std::string, std::string> parts;
  parts["index.xml"] = index_xml(catalogue.cabinets);
  parts["package.cab"] = CabBuilder{{{"package.xml", package_xml(catalogue)}}}.bytes();
  const auto details = details_of(catalogue);
  for (std::size_t i = 0; i < details.size(); ++i)
    parts[fmt::format("package{}.cab", i + 2)] = CabBuilder{{details[i].begin(), details[i].end()}}.bytes();
  return parts;
}

std::string cabinet_of_parts(const std::map<std::string, std::string>& parts) {
  return patches::testing::CabBuilder{{parts.begin(), parts.end()}}.bytes();
}

std::string catalogue_bytes(const SampleCatalogue& catalogue) { return cabinet_of_parts(catalogue_parts(catalogue)); }

// --- large ones

namespace {
constexpr std::size_t block_bytes = 32768;  // of [MS-CAB] 2.1 and [MS-MCI]
}

struct CabWriter::Deflate {
  Deflate() {
    if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::runtime_error("deflate does not start");
  }
  ~Deflate() { ::deflateEnd(&stream); }
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;
  // One block of MSZIP: it may refer to the blocks before it, and need not.
  std::string pack(const std::string& block) {
    ::deflateReset(&stream);
    std::string packed(block_bytes + 12, '\0');
    packed[0] = 'C';
    packed[1] = 'K';
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
    stream.avail_in = static_cast<uInt>(block.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data() + 2);
    stream.avail_out = static_cast<uInt>(packed.size() - 2);
    if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("a block became larger");
    packed.resize(packed.size() - stream.avail_out);
    return packed;
  }
  z_stream stream{};
};

CabWriter::CabWriter(const std::filesystem::path& path, std::vector<std::string> names, bool packed)
    : file_(path, std::ios::binary | std::ios::in | std::ios::out | std::ios::trunc),
      names_(std::move(names)),
      packed_(packed) {
  if (packed_) deflate_ = std::make_unique<Deflate>();
  at_ = 36 + 8 * (packed_ ? 1 : names_.size());
  for (const auto& name : names_) at_ += 16 + name.size() + 1;
  file_.seekp(static_cast<std::streamoff>(at_));
  begin_stream();
  entries_.push_back({0, 0, 0});
}
CabWriter::~CabWriter() = default;

void CabWriter::begin_stream() {
  streams_.push_back({static_cast<std::uint32_t>(at_), 0});
  in_stream_ = 0;
}

void CabWriter::put(const std::string& bytes) {
  file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  at_ += bytes.size();
  if (!file_ || at_ > 0xffff0000U) throw std::runtime_error("the cabinet cannot be written, or is too large");
}

void CabWriter::end_block() {
  if (block_.empty()) return;
  const auto data = packed_ ? deflate_->pack(block_) : block_;
  std::string head;
  put32(head, 0);  // no checksum
  put16(head, static_cast<std::uint32_t>(data.size()));
  put16(head, static_cast<std::uint32_t>(block_.size()));
  put(head);
  put(data);
  ++streams_.back().blocks;
  block_.clear();
}

void CabWriter::write(std::string_view bytes) {
  unpacked_ += bytes.size();
  entries_.back().bytes += static_cast<std::uint32_t>(bytes.size());
  in_stream_ += static_cast<std::uint32_t>(bytes.size());
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, block_bytes - block_.size());
    block_ += part;
    bytes.remove_prefix(part.size());
    if (block_.size() == block_bytes) end_block();
  }
}

void CabWriter::next() {
  if (entries_.size() == names_.size()) return;
  if (!packed_) {
    end_block();
    begin_stream();
  }
  entries_.push_back({0, in_stream_, static_cast<std::uint16_t>(streams_.size() - 1)});
}

void CabWriter::finish() {
  end_block();
  const auto total = at_;
  if (entries_.size() != names_.size() || streams_.back().blocks > 65535)
    throw std::runtime_error("the cabinet is not whole");
  std::string head = "MSCF";
  put32(head, 0);
  put32(head, static_cast<std::uint32_t>(total));
  put32(head, 0);
  put32(head, static_cast<std::uint32_t>(36 + 8 * streams_.size()));
  put32(head, 0);
  head += std::string("\x03\x01", 2);
  put16(head, static_cast<std::uint32_t>(streams_.size()));
  put16(head, static_cast<std::uint32_t>(entries_.size()));
  put16(head, 0);
  put16(head, 0);
  put16(head, 0);
  for (const auto& stream : streams_) {
    put32(head, stream.at);
    put16(head, stream.blocks);
    put16(head, packed_ ? 1 : 0);
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    put32(head, entries_[i].bytes);
    put32(head, entries_[i].offset);
    put16(head, entries_[i].stream);
    put16(head, 0x5b6a);  // date
    put16(head, 0x4000);  // time
    put16(head, 0x20);
    head += names_[i] + '\0';
  }
  file_.seekp(0);
  file_.write(head.data(), static_cast<std::streamsize>(head.size()));
  file_.close();
  if (!file_) throw std::runtime_error("the cabinet cannot be written");
}

namespace {

constexpr std::uint32_t first_bundle = 100;
constexpr std::size_t rules_of_each = 184'000;
constexpr std::size_t of_one_cabinet = 1850;  // updates

SampleUpdate large_update(std::uint32_t number) {
  SampleUpdate update;
  update.revision = first_bundle + 2 * number;
  update.kb = std::to_string(5'000'000 + number);
  update.title = fmt::format("2026-11 Cumulative Update for Windows Server for x64-based Systems (KB{})", update.kb);
  // One of twenty products.
  if (number % 20 != 0) update.product = guid(900'000 + number % 20);
  if (number % 10 == 0) update.superseded_by = {update.revision + 40, update.revision + 80, update.revision + 120};
  update.cves = {fmt::format("CVE-2026-{}", 10000 + number), fmt::format("CVE-2026-{}", 110000 + number)};
  update.files = {{fmt::format("windows10.0-kb{}-x64.cab", update.kb), update.kb, true, "SelfContained"},
                  {fmt::format("windows10.0-kb{}-x64.psf", update.kb), update.kb + "psf", true, "Express"}};
  return update;
}

void copy_into(CabWriter& cabinet, const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string piece(1U << 20U, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0)
    cabinet.write({piece.data(), static_cast<std::size_t>(file.gcount())});
}

}  // namespace

LargeCatalogue write_large_catalogue(const std::filesystem::path& path, std::uint64_t unpacked_bytes) {
  LargeCatalogue made;
  const auto bundles = static_cast<std::uint32_t>(std::max<std::uint64_t>(unpacked_bytes / (2 * rules_of_each), 40));
  const auto of_each = static_cast<std::uint32_t>(of_one_cabinet / 2);
  std::vector<std::uint32_t> begins;
  std::vector<std::string> names{"index.xml", "package.cab"};
  for (std::uint32_t from = 0; from < bundles; from += of_each) {
    begins.push_back(from == 0 ? 0 : first_bundle + 2 * from);
    names.push_back(fmt::format("package{}.cab", begins.size() + 1));
  }
  made.cabinets = begins.size();
  auto inner_path = path;
  inner_path += ".part";
  CabWriter outer(path, names, false);
  outer.write(index_xml(begins));
  outer.next();
  {
    CabWriter list(inner_path, {"package.xml"}, true);
    list.write(list_begin("2024-06-11T08:51:08Z") + product_update(1, server_2019));
    for (std::uint32_t i = 0; i < bundles; ++i) list.write(bundle_update(large_update(i)));
    list.write("</Updates>\n<FileLocations>\n");
    for (std::uint32_t i = 0; i < bundles; ++i) list.write(file_locations(large_update(i)));
    list.write("</FileLocations>\n</OfflineSyncPackage>\n");
    list.finish();
    made.unpacked += list.unpacked();
  }
  copy_into(outer, inner_path);
  made.updates = 1 + 2 * std::size_t{bundles};
  const auto rules = rules_of(1, rules_of_each);
  for (std::uint32_t from = 0; from < bundles; from += of_each) {
    const auto until = std::min(bundles, from + of_each);
    std::vector<std::string> inside;
    if (from == 0) inside = {"l\\en\\1", "x\\1"};
    for (auto i = from; i < until; ++i) {
      const auto revision = first_bundle + 2 * i;
      for (const auto* stream : {"c", "l\\en", "x"}) inside.push_back(fmt::format("{}\\{}", stream, revision));
      for (const auto* stream : {"c", "x"}) inside.push_back(fmt::format("{}\\{}", stream, revision + 1));
    }
    CabWriter details(inner_path, inside, true);
    const auto put = [&](const std::string& text) {
      details.write(text);
      details.next();
    };
    if (from == 0) {
      put(title_of("Windows Server 2019"));
      put("<ExtendedProperties DefaultPropertiesLanguage=\"en\" />");
    }
    for (auto i = from; i < until; ++i) {
      const auto update = large_update(i);
      if (update.product == server_2019) ++made.in_scope;
      put(rules);
      put(title_of(update.title));
      put(details_of_bundle(update));
      put(rules);
      put(details_of_part(update));
    }
    details.finish();
    made.unpacked += details.unpacked();
    outer.next();
    copy_into(outer, inner_path);
  }
  outer.finish();
  std::filesystem::remove(inner_path);
  made.packed = std::filesystem::file_size(path);
  return made;
}

}  // namespace patchlab::tests
