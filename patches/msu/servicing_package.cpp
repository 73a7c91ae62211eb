// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/servicing_package.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t longest_word = 300;  // of an identity; the longest real package names have some 150 characters

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Identities become parts of commands, file names and tables.
bool is_word(const std::string& text) {
  return text.size() <= longest_word && std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < '\x7f' && std::string_view("~\"'<>|&^%*?/\\").find(c) == std::string_view::npos;
         });
}

bool is_version(const std::string& text) {
  return !text.empty() && is_digit(text.front()) && is_digit(text.back()) && text.find("..") == std::string::npos &&
         std::count(text.begin(), text.end(), '.') == 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; }) && text.size() <= 30;
}

Result<PackageIdentity> identity_from(const XmlElement& element, const std::string& file) {
  PackageIdentity identity{element.attribute("name"), element.attribute("version"),
                           lower_case(element.attribute("processorArchitecture")),
                           lower_case(element.attribute("language")), lower_case(element.attribute("publicKeyToken"))};
  if (identity.language.empty() || identity.language == "*") identity.language = "neutral";
  if (identity.name.empty()) return configuration_error(fmt::format("'{}': an assemblyIdentity has no name", file));
  for (const auto* word : {&identity.name, &identity.architecture, &identity.language, &identity.public_key_token}) {
    if (!is_word(*word))
      return configuration_error(fmt::format("'{}': '{}' cannot be part of a package identity", file, *word));
  }
  if (!is_version(identity.version)) {
    return configuration_error(
        fmt::format("'{}': '{}' of package '{}' is no version of four numbers", file, identity.version, identity.name));
  }
  return identity;
}

Result<PackageIdentity> own_identity(const XmlElement& element, const std::string& file) {
  const auto* identity = element.child("assemblyIdentity");
  if (identity == nullptr)
    return configuration_error(fmt::format("'{}': <{}> has no assemblyIdentity", file, element.name));
  return identity_from(*identity, file);
}

Result<std::vector<PackageIdentity>> identities_in(const XmlElement& package, std::string_view group,
                                                   const std::string& file) {
  std::vector<PackageIdentity> found;
  for (const auto* element : package.all(group)) {
    for (const auto* child : element->all("assemblyIdentity")) {
      PATCHLAB_ASSIGN(auto identity, identity_from(*child, file));
      if (std::find(found.begin(), found.end(), identity) == found.end()) found.push_back(std::move(identity));
    }
  }
  return found;
}

const std::string stack_component = "microsoft-windows-servicingstack";

bool is_stack_component(const PackageIdentity& identity) { return lower_case(identity.name) == stack_component; }

// Below <update>: packages that it is made of, and the component that is a servicing stack. What has no usable identity
// can be neither.
void read_content(const XmlElement& element, const std::string& file, ServicingPackage& found) {
  for (const auto& child : element.children) {
    const bool is_part = child.name == "package";
    if (is_part || child.name == "component") {
      for (const auto* named : child.all("assemblyIdentity")) {
        auto identity = identity_from(*named, file);
        if (identity && is_stack_component(*identity)) found.stack = identity->version;
        if (identity && is_part) found.parts.push_back(std::move(*identity));
      }
    }
    read_content(child, file, found);
  }
}

// Before which servicing stack the package cannot be installed. 6.0.0.0 stands for any.
Result<std::string> stack_floor_in(const XmlElement& package, const std::string& file) {
  for (const auto* element : package.all("installerAssembly")) {
    PATCHLAB_ASSIGN(const auto identity, identity_from(*element, file));
    if (is_stack_component(identity) && identity.version != "6.0.0.0") return identity.version;
  }
  return std::string{};
}

std::string first_kb(const std::vector<std::string>& texts) {
  for (const auto& text : texts) {
    if (auto kb = kb_in(text); !kb.empty()) return kb;
  }
  return {};
}

}  // namespace

std::string PackageIdentity::text() const {
  return fmt::format("{}~{}~{}~{}~{}", name, public_key_token, architecture, language == "neutral" ? "" : language,
                     version);
}

bool ServicingPackage::is_servicing_stack() const {
  return !stack.empty() || identity.name.find("ServicingStack") != std::string::npos;
}

std::string servicing_stack_in(std::string_view entry_name) {
  const auto lower = lower_case(entry_name);
  const auto at = lower.find(stack_component + "_");
  if (at == std::string::npos) return {};
  // name, public key token, version
  const auto token = lower.find('_', at);
  const auto version = lower.find('_', token + 1);
  if (version == std::string::npos) return {};
  const auto text = lower.substr(version + 1, lower.find('_', version + 1) - version - 1);
  return is_version(text) ? text : std::string{};
}

std::optional<PackageIdentity> identity_in_name(std::string_view entry_name) {
  const auto folder = entry_name.find_last_of("\\/");
  if (folder != std::string_view::npos) entry_name.remove_prefix(folder + 1);
  const auto dot = entry_name.rfind('.');
  std::vector<std::string> words(1);
  for (const char c : entry_name.substr(0, dot)) {
    if (c == '~')
      words.emplace_back();
    else
      words.back() += c;
  }
  if (words.size() != 5 || !is_version(words[4]) || words[0].empty()) return std::nullopt;
  if (!std::all_of(words.begin(), words.end(), is_word)) return std::nullopt;
  return PackageIdentity{words[0], words[4], lower_case(words[2]), words[3].empty() ? "neutral" : lower_case(words[3]),
                         lower_case(words[1])};
}

std::string kb_in(std::string_view text) {
  for (std::size_t at = 0; at + 2 < text.size(); ++at) {
    if ((text[at] != 'K' && text[at] != 'k') || (text[at + 1] != 'B' && text[at + 1] != 'b')) continue;
    std::size_t end = at + 2;
    while (end < text.size() && is_digit(text[end])) ++end;
    const auto digits = end - at - 2;
    if (digits >= 6 && digits <= 8) return "KB" + std::string(text.substr(at + 2, digits));
  }
  return {};
}

Result<ServicingPackage> parse_update_mum(std::string_view bytes, const std::string& name) {
  PATCHLAB_ASSIGN(const auto assembly, parse_xml(bytes, name));
  if (assembly.name != "assembly")
    return configuration_error(
        fmt::format("'{}' is no package manifest: its root is <{}>, not <assembly>", name, assembly.name));
  const auto* package = assembly.child("package");
  if (package == nullptr)
    return configuration_error(fmt::format("'{}' is no package manifest: it has no <package>", name));
  ServicingPackage found;
  PATCHLAB_ASSIGN(found.identity, own_identity(assembly, name));
  found.title = assembly.attribute("displayName");
  if (found.title.empty() || found.title == "default") found.title = assembly.attribute("description");
  found.release_type = package->attribute("releaseType");
  found.restart = lower_case(package->attribute("restart"));
  found.permanence = lower_case(package->attribute("permanence"));
  found.kb =
      first_kb({package->attribute("identifier"), found.identity.name, found.title, assembly.attribute("description")});
  PATCHLAB_ASSIGN(found.parents, identities_in(*package, "parent", name));
  PATCHLAB_ASSIGN(found.supersedes, identities_in(*package, "supersedes", name));
  PATCHLAB_ASSIGN(found.stack_floor, stack_floor_in(*package, name));
  for (const auto* update : package->all("update")) read_content(*update, name, found);
  return found;
}

bool is_newer_version(std::string_view a, std::string_view b) {
  const auto numbers = [](std::string_view text) {
    std::array<std::uint64_t, 4> parts{};
    for (auto& part : parts) {
      const auto dot = std::min(text.find('.'), text.size());
      (void)std::from_chars(text.data(), text.data() + dot, part);
      text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return parts;
  };
  return !a.empty() && (b.empty() || numbers(a) > numbers(b));
}

Result<bool> is_unattend_document(std::string_view bytes, const std::string& name) {
  PATCHLAB_ASSIGN(const auto document, parse_xml(bytes, name));
  return document.name == "unattend";
}

Result<std::vector<UnattendItem>> parse_unattend(std::string_view bytes, const std::string& name) {
  PATCHLAB_ASSIGN(const auto unattend, parse_xml(bytes, name));
  if (unattend.name != "unattend")
    return configuration_error(fmt::format("'{}' is no unattend document: its root is <{}>", name, unattend.name));
  std::vector<UnattendItem> items;
  for (const auto* servicing : unattend.all("servicing")) {
    for (const auto* package : servicing->all("package")) {
      PATCHLAB_ASSIGN(auto identity, own_identity(*package, name));
      const auto* source = package->child("source");
      items.push_back({lower_case(package->attribute("action")), std::move(identity),
                       source == nullptr ? "" : source->attribute("location")});
    }
  }
  return items;
}

}  // namespace patchlab::patches
