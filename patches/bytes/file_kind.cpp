// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/bytes/file_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t looked_at = 4096;

struct Beginning {
  std::string_view bytes;
  const char* what;
  const char* hint;
};
constexpr const char* unpack_it = "if the package is in it, take it out first";
constexpr const char* not_here = "only .deb, .msu, .cab, .msi, .msp and .exe can be tested";
constexpr std::array<Beginning, 15> beginnings{{
    {"PK\x03\x04"sv, "a ZIP archive", unpack_it},
    {"PK\x05\x06"sv, "an empty ZIP archive", unpack_it},
    {"\xed\xab\xee\xdb"sv, "an RPM package", not_here},
    {"\x1f\x8b"sv, "compressed with gzip", unpack_it},
    {"BZh"sv, "compressed with bzip2", unpack_it},
    {"\xfd"
     "7zXZ\0"sv,
     "compressed with xz", unpack_it},
    {"\x28\xb5\x2f\xfd"sv, "compressed with zstd", unpack_it},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive", unpack_it},
    {"Rar!\x1a\x07"sv, "a RAR archive", unpack_it},
    {"\x7f"
     "ELF"sv,
     "a Linux program", not_here},
    {"%PDF-"sv, "a PDF document", not_here},
    {"#!"sv, "a script", not_here},
    {"-----BEGIN "sv, "a PEM file: a key, a certificate or a signature", "name the package that it belongs to"},
    {"\x89PNG"sv, "a picture", not_here},
    {"version https://git-lfs.github.com/spec/"sv, "a Git LFS pointer, not the file itself",
     "fetch the file with 'git lfs pull'"},
}};

// The rest of a text's first lines decides; the case does not matter.
FileKind kind_of_text(const std::string& text) {
  const auto lower = lower_case(trimmed(text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text, " \t\r\n"));
  const auto begins = [&](std::string_view word) { return lower.starts_with(word); };
  if (begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body") ||
      (begins("<!--") && lower.find("<html") != std::string::npos)) {
    return {"a web page (HTML)", "the server sent a page instead of the file: download it again, logged in if it asks"};
  }
  if (begins("<?xml") || begins("<")) return {"XML or HTML text", "download the file itself"};
  if (begins("{") || begins("[")) return {"JSON text", "an answer of a server? download the file itself"};
  if (begins("format: 3.0") || begins("-----begin pgp signed")) return {"a Debian source description (.dsc)", not_here};
  return {"plain text", "download the file itself"};
}

bool is_text(std::string_view bytes) {
  return std::ranges::none_of(bytes, [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code == 0x7f || (code < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f');
  });
}

}  // namespace

FileKind file_kind(const ByteSource& source) {
  if (source.size() == 0) return {"an empty file", "download it again"};
  std::string head(static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), looked_at)), '\0');
  const auto count = source.read_at(0, head.data(), head.size());
  if (!count) return {};
  head.resize(*count);
  for (const auto& beginning : beginnings) {
    if (head.starts_with(beginning.bytes)) return {beginning.what, beginning.hint};
  }
  if (head.starts_with("!<arch>\n")) return {};
  if (is_text(head)) return kind_of_text(head);
  if (std::ranges::all_of(head, [](char c) { return c == '\0'; }))
    return {"nothing but zeros", "a download that was cut off? download it again"};
  return {};
}

Result<void> check_is_package(const std::filesystem::path& path) {
  PATCHLAB_ASSIGN(const auto source, FileSource::open(path));
  const auto kind = file_kind(source);
  if (kind.what.empty()) return {};
  return configuration_error(fmt::format("'{}' is no package: it is {}", path.string(), kind.what), kind.hint);
}

}  // namespace patchlab::patches
