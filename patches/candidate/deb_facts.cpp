// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/candidate/deb_facts.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "patches/deb/changelog.hpp"
#include "patches/deb/shipped_files.hpp"

namespace patchlab::patches {
namespace {

namespace fs = std::filesystem;

// Raised when the same bytes would be read otherwise than before.
constexpr const char* facts_schema = "patchlab/deb-facts/v1";
constexpr std::size_t digest_length = 64;

bool are_usual(const DebLimits& limits) {
  const DebLimits usual;
  return limits.file_bytes == usual.file_bytes && limits.unpacked_bytes == usual.unpacked_bytes &&
         limits.entries == usual.entries && limits.content_bytes == usual.content_bytes;
}

// Who could have written it is nobody else.
bool is_our_own(const fs::path& file) {
  struct stat info {};
  return ::lstat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid() &&
         (info.st_mode & 022U) == 0;
}

Json header_of(const std::string& sha256, const std::string& what, const std::string& package) {
  return {{"schema", facts_schema}, {"sha256", sha256}, {"what", what}, {"package", package}};
}

// What is no valid text comes back otherwise than it was, and is not kept.
std::string text_of(const Json& note) {
  const auto body = note.dump(-1, ' ', false, Json::error_handler_t::replace);
  return sha256(body) + "\n" + body;
}

// The facts of a note, when it is whole and has this header.
std::optional<Json> facts_in(const std::string& text, const Json& header) {
  if (text.size() <= digest_length || text[digest_length] != '\n') return std::nullopt;
  const auto body = text.substr(digest_length + 1);
  if (sha256(body) != std::string_view(text).substr(0, digest_length)) return std::nullopt;
  auto note = json_in(body);
  if (!note.is_object() || !note.contains("facts")) return std::nullopt;
  auto facts = std::move(note["facts"]);
  note.erase("facts");
  if (note != header) return std::nullopt;
  return facts;
}

// Of what to_json wrote; throws what Json does when it is something else.
void read_facts(const Json& json, DebFile& deb) {
  deb = {.package = json.at("package"),
         .version = json.at("version"),
         .architecture = json.at("architecture"),
         .depends = json.at("depends"),
         .pre_depends = json.at("pre_depends"),
         .source = {json.at("source"), json.at("source_version")},
         .description = json.at("description"),
         .installed_kib = json.at("installed_kib"),
         .unpacked_bytes = json.at("unpacked_bytes"),
         .entries = json.at("entries"),
         .special_files = json.at("special_files"),
         .maintainer_scripts = json.at("maintainer_scripts"),
         .bytes = json.at("bytes"),
         .sha256 = json.at("sha256")};
}
void read_facts(const Json& json, ShippedPackage& shipped) { shipped = json.get<ShippedPackage>(); }
void read_facts(const Json& json, std::optional<std::string>& changelog) {
  if (!json.is_null()) changelog = json.get<std::string>();
}

Json json_of(const DebFile& deb) { return deb; }
Json json_of(const ShippedPackage& shipped) { return shipped; }
Json json_of(const std::optional<std::string>& changelog) { return changelog ? Json(*changelog) : Json(); }

template <class Facts>
std::optional<Facts> known(const std::string& text, const Json& header) {
  const auto json = facts_in(text, header);
  if (!json) return std::nullopt;
  try {
    Facts facts{};
    read_facts(*json, facts);
    return std::optional<Facts>(std::in_place, std::move(facts));
  } catch (const std::exception&) {  // its digest is right, and it is not ours
    return std::nullopt;
  }
}

}  // namespace

template <class Facts>
Result<Facts> DebFacts::known_or_read(const fs::path& deb, const std::string& what, const std::string& package,
                                      const std::function<Result<Facts>()>& read) const {
  PATCHLAB_ASSIGN(const auto digest, sha256_of_file(deb));
  const auto header = header_of(digest, what, package);
  const auto file = folder_ / (digest + "." + what);
  if (is_our_own(file)) {
    if (const auto text = read_file(file, 64U << 20U, Links::refuse)) {
      if (auto facts = known<Facts>(*text, header)) return std::move(*facts);
    }
  }
  PATCHLAB_ASSIGN(auto facts, read());
  auto note = header;
  note["facts"] = json_of(facts);
  const auto text = text_of(note);
  const auto back = known<Facts>(text, header);
  const bool comes_back = back && json_of(*back) == note["facts"];
  const bool is_of_these_bytes = sha256_of_file(deb).value_or("") == digest;  // and nobody wrote meanwhile
  if (comes_back && is_of_these_bytes && create_folders(folder_)) (void)write_file_atomically(file, text, 0600);
  return facts;
}

Result<DebFile> DebFacts::inspect(const fs::path& deb, const DebLimits& limits) const {
  PATCHLAB_ASSIGN(const auto input, open_input(deb));
  if (!are_usual(limits) || input.bytes > limits.file_bytes) return inspect_deb(deb, limits);
  return known_or_read<DebFile>(deb, "inspected", {}, [&] { return inspect_deb(deb); });
}

Result<ShippedPackage> DebFacts::shipped(const fs::path& deb, const std::string& package) const {
  return known_or_read<ShippedPackage>(deb, "shipped", package, [&] { return shipped_files(deb, package); });
}

Result<std::optional<std::string>> DebFacts::changelog(const fs::path& deb, const std::string& package) const {
  return known_or_read<std::optional<std::string>>(deb, "changelog", package,
                                                   [&] { return changelog_of(deb, package); });
}

}  // namespace patchlab::patches
