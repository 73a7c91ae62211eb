// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/deb_file.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <set>

#include "lab/core/digest.hpp"
#include "patches/deb/version.hpp"

namespace patchlab::patches {
namespace {

constexpr std::uint64_t control_file_limit = 4U << 20U;
constexpr std::array<std::string_view, 5> script_names{"config", "preinst", "postinst", "prerm", "postrm"};

Error trouble(const std::filesystem::path& path, const std::string& what) {
  return configuration_error(fmt::format("'{}': {}", path.string(), what));
}

Result<void> read_fields(const Stanza& stanza, const std::filesystem::path& path, DebFile& deb) {
  deb.package = field(stanza, "Package");
  deb.version = field(stanza, "Version");
  deb.architecture = field(stanza, "Architecture");
  deb.depends = field(stanza, "Depends");
  deb.pre_depends = field(stanza, "Pre-Depends");
  deb.source = source_of(stanza);
  deb.description = to_valid_utf8(field(stanza, "Description"));
  deb.description = deb.description.substr(0, deb.description.find('\n'));
  if (!is_package_name(deb.package)) return trouble(path, fmt::format("'{}' is no package name", deb.package));
  deb.package = known_package_name(deb.package);
  if (!is_architecture(deb.architecture)) {
    return trouble(path, fmt::format("'{}' is no architecture", deb.architecture));
  }
  PATCHLAB_TRY(version_parts(deb.version).while_doing("'" + path.string() + "'"));
  const std::string size = field(stanza, "Installed-Size");
  std::from_chars(size.data(), size.data() + size.size(), deb.installed_kib);
  return {};
}

Result<Stanza> read_control(const std::filesystem::path& path, const DebMember& member, DebLimits limits,
                            std::set<std::string>& scripts) {
  limits.unpacked_bytes = std::min<std::uint64_t>(limits.unpacked_bytes, 256ULL << 20U);
  limits.content_bytes = control_file_limit;
  std::string text;
  const auto wanted = [](const TarEntry& entry) {
    return plain_path(entry.path) == "control" ? Content::keep : Content::skip;
  };
  PATCHLAB_TRY(walk_member(path, member, limits, wanted, [&](TarEntry&& entry) -> Result<void> {
    const std::string name = plain_path(entry.path);
    if (name == "control" && entry.type != EntryType::file) return trouble(path, "its control file is no plain file");
    // dpkg-deb unpacks the archive and then reads the file: of several with one name the last one counts.
    if (name == "control") text = std::move(entry.content);
    if (std::find(script_names.begin(), script_names.end(), name) != script_names.end()) scripts.insert(name);
    return {};
  }));
  if (text.empty()) return trouble(path, "has no control file");
  auto stanzas = parse_control(text);
  if (!stanzas) return trouble(path, "control: " + stanzas.error().message);
  if (stanzas->size() != 1) return trouble(path, "its control file must have exactly one paragraph");
  return std::move(stanzas->front());
}

Result<void> read_data(const std::filesystem::path& path, const DebMember& member, const DebLimits& limits,
                       DebFile& deb) {
  const auto wanted = [](const TarEntry&) { return Content::skip; };
  return walk_member(path, member, limits, wanted, [&](TarEntry&& entry) -> Result<void> {
    ++deb.entries;
    deb.unpacked_bytes += entry.bytes;
    if (entry.type == EntryType::other) ++deb.special_files;
    return {};
  });
}

}  // namespace

std::string canonical_deb_name(const std::string& package, const std::string& version,
                               const std::string& architecture) {
  std::string upstream = without_epoch(version);
  std::replace(upstream.begin(), upstream.end(), ':', '-');  // allowed after an epoch, awkward in file names
  return fmt::format("{}_{}_{}.deb", package, upstream, architecture);
}

std::string DebFile::canonical_name() const { return canonical_deb_name(package, version, architecture); }

Result<Stanza> control_of(const std::filesystem::path& path, const DebLimits& limits) {
  PATCHLAB_ASSIGN(const auto layout, read_deb_layout(path, limits));
  std::set<std::string> scripts;
  return read_control(path, layout.control, limits, scripts);
}

Result<DebFile> inspect_deb(const std::filesystem::path& path, const DebLimits& limits) {
  PATCHLAB_ASSIGN(const auto layout, read_deb_layout(path, limits));
  DebFile deb;
  std::set<std::string> scripts;
  PATCHLAB_ASSIGN(const auto control, read_control(path, layout.control, limits, scripts));
  PATCHLAB_TRY(read_fields(control, path, deb));
  deb.maintainer_scripts.assign(scripts.begin(), scripts.end());
  PATCHLAB_TRY(read_data(path, layout.data, limits, deb));
  PATCHLAB_ASSIGN(deb.sha256, sha256_of_file(path));
  std::error_code trouble_code;
  deb.bytes = std::filesystem::file_size(path, trouble_code);
  return deb;
}

void to_json(Json& json, const DebFile& file) {
  json = Json{{"package", file.package},
              {"version", file.version},
              {"architecture", file.architecture},
              {"source", file.source.name},
              {"source_version", file.source.version},
              {"depends", file.depends},
              {"pre_depends", file.pre_depends},
              {"description", file.description},
              {"installed_kib", file.installed_kib},
              {"unpacked_bytes", file.unpacked_bytes},
              {"entries", file.entries},
              {"special_files", file.special_files},
              {"maintainer_scripts", file.maintainer_scripts},
              {"bytes", file.bytes},
              {"sha256", file.sha256},
              {"canonical_name", file.canonical_name()}};
}

}  // namespace patchlab::patches
