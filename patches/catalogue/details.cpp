// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/catalogue/details.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lab/core/base64.hpp"
#include "lab/core/text.hpp"
#include "patches/catalogue/xml_stream.hpp"

namespace patchlab::patches {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t most_files = 20'000;
constexpr std::size_t most_cves = 5'000;
constexpr std::size_t longest_word = 64;
constexpr std::size_t longest_name = 1024;

std::string digits_of_kb(std::string_view text) {
  auto digits = trimmed(text, blanks);
  if (digits.starts_with("KB") || digits.starts_with("kb")) digits.remove_prefix(2);
  const bool is_number =
      digits.size() >= 4 && digits.size() <= 9 && digits.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? "KB" + std::string(digits) : std::string();
}

bool is_digest(const XmlPath& path) {
  return path.size() == 4 && path[1] == "Files" && path[2] == "File" && path[3] == "AdditionalDigest";
}

class Details : public XmlEvents {
 public:
  std::string open(const XmlPath& path, const XmlAttributes& attributes) override {
    if (path.size() == 2 && path[1] == "ExtendedProperties") {
      has_properties = true;
      found.severity = attributes["MsrcSeverity"];
      return found.severity.size() > longest_word ? "has a severity that is no word" : "";
    }
    if (path.size() == 3 && path[1] == "Files" && path[2] == "File") return file(attributes);
    if (is_digest(path)) is_sha256_ = attributes["Algorithm"] == "SHA256";
    return {};
  }
  std::string close(const XmlPath& path, const std::string& text) override {
    if (is_digest(path) && is_sha256_) {
      found.files.back().sha256 = hex_of_digest(std::string(trimmed(text, blanks)), 32);
      return found.files.back().sha256.empty() ? "has a SHA-256 that is none" : "";
    }
    if (path.size() != 3 || path[1] != "ExtendedProperties") return {};
    if (path[2] == "KBArticleID" && found.kb.empty()) found.kb = digits_of_kb(text);
    if (path[2] == "SecurityBulletinID" && text.size() <= longest_word) found.bulletin = trimmed(text, blanks);
    if (path[2] == "CveID" && text.size() <= longest_word) {
      found.cves.emplace_back(trimmed(text, blanks));
      if (found.cves.size() > most_cves) return fmt::format("names more than {} vulnerabilities", most_cves);
    }
    return {};
  }

  UpdateDetails found;
  bool has_properties = false;

 private:
  std::string file(const XmlAttributes& attributes) {
    is_sha256_ = false;
    if (found.files.size() >= most_files) return fmt::format("names more than {} files", most_files);
    CatalogueFile one;
    one.name = attributes["FileName"];
    if (one.name.empty() || one.name.size() > longest_name || one.name.find_first_of("/\\") != std::string::npos)
      return fmt::format("has a file called '{}'", one.name.substr(0, longest_word));
    const auto& algorithm = attributes["DigestAlgorithm"];
    if (!algorithm.empty() && algorithm != "SHA1") return fmt::format("has a digest by '{}'", algorithm);
    one.sha1 = hex_of_digest(attributes["Digest"], 20);
    if (one.sha1.empty()) return fmt::format("has no SHA-1 of '{}'", one.name);
    const auto& size = attributes["Size"];
    if (!size.empty()) {
      std::uint64_t bytes = 0;
      const auto read = std::from_chars(size.data(), size.data() + size.size(), bytes);
      if (read.ec != std::errc() || read.ptr != size.data() + size.size())
        return fmt::format("says that '{}' has '{}' bytes", one.name, size);
      one.bytes = bytes;
    }
    one.patching = attributes["PatchingType"];
    found.files.push_back(std::move(one));
    return {};
  }

  bool is_sha256_ = false;
};

class Title : public XmlEvents {
 public:
  std::string open(const XmlPath&, const XmlAttributes&) override { return {}; }
  std::string close(const XmlPath& path, const std::string& text) override {
    if (path.size() == 3 && path[1] == "LocalizedProperties" && path[2] == "Title") found = trimmed(text, blanks);
    return found.size() > longest_name ? fmt::format("has a title with more than {} bytes", longest_name) : "";
  }
  std::string found;
};

}  // namespace

std::string hex_of_digest(const std::string& base64_text, std::size_t bytes) {
  const auto digest = from_base64(base64_text);
  if (!digest || digest->size() != bytes) return {};
  std::string hex;
  for (const char byte : *digest) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

Result<UpdateDetails> read_details(std::string_view bytes, const std::string& name) {
  Details details;
  PATCHLAB_TRY(read_xml_fragment(bytes, name, details));
  if (!details.has_properties) return configuration_error(fmt::format("'{}' has no 'ExtendedProperties'", name));
  return std::move(details.found);
}

Result<std::string> read_title(std::string_view bytes, const std::string& name) {
  Title title;
  PATCHLAB_TRY(read_xml_fragment(bytes, name, title));
  if (title.found.empty()) return configuration_error(fmt::format("'{}' has no title", name));
  return std::move(title.found);
}

}  // namespace patchlab::patches
