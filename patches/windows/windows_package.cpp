// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/windows/windows_package.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace patchlab::patches {
namespace {

constexpr std::array kinds{PackageKind::msu, PackageKind::cab, PackageKind::msi, PackageKind::msp, PackageKind::exe};
constexpr std::size_t longest_label = 90;
constexpr std::size_t longest_text = 500;
constexpr std::size_t longest_list = 1000;
constexpr std::size_t most_parts = 20'000;

// The texts of a package under their JSON keys, once for reading and writing.
template <class Package, class Visit>
void each_text(Package& package, const Visit& visit) {
  visit("name", package.name);
  visit("version", package.version);
  visit("architecture", package.architecture);
  visit("language", package.language);
  visit("title", package.title);
  visit("kb", package.kb);
  visit("release_type", package.release_type);
  visit("restart", package.restart);
  visit("removable", package.removable);
  visit("product_code", package.product_code);
  visit("upgrade_code", package.upgrade_code);
  visit("patch_code", package.patch_code);
  visit("servicing_stack", package.servicing_stack);
  visit("needs_servicing_stack", package.needs_servicing_stack);
}

template <class Package, class Visit>
void each_list(Package& package, const Visit& visit) {
  visit("os_versions", package.os_versions);
  visit("packages", package.packages);
  visit("permanent_packages", package.permanent_packages);
  visit("parts", package.parts);
  visit("prerequisites", package.prerequisites);
  visit("supersedes", package.supersedes);
  visit("superseded_by", package.superseded_by);
  visit("target_products", package.target_products);
  visit("notes", package.notes);
}

// Letters, digits and a few signs; everything else becomes '-', once in a row.
std::string safe(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '+';
    if (good)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  out.resize(std::min(out.size(), longest_label));
  while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
  while (!out.empty() && (out.front() == '-' || out.front() == '.' || out.front() == '_' || out.front() == '+'))
    out.erase(0, 1);
  return out;
}

// Cut, and valid UTF-8 afterwards: what a package calls itself ends up in tables, reports and records.
void bound_text(std::string& text) { text = to_valid_utf8(std::string_view(text).substr(0, longest_text)); }

}  // namespace

const char* to_string(PackageKind kind) {
  switch (kind) {
    case PackageKind::msu: return "msu";
    case PackageKind::cab: return "cab";
    case PackageKind::msi: return "msi";
    case PackageKind::msp: return "msp";
    case PackageKind::exe: return "exe";
  }
  return "exe";
}

std::optional<PackageKind> package_kind_from(std::string_view word) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](auto kind) { return word == to_string(kind); });
  return found == kinds.end() ? std::nullopt : std::optional(*found);
}

std::string WindowsPackage::label() const {
  auto label = safe(kb.empty() ? name : kb);
  if (label.empty()) label = fmt::format("{}-{}", to_string(kind), sha256.substr(0, 12));
  const auto number = safe(version);
  return number.empty() ? label : fmt::format("{}-{}", label, number.substr(0, 25));
}

std::string WindowsPackage::canonical_name() const {
  const auto machine = safe(architecture).substr(0, 12);
  return fmt::format("{}_{}.{}", label(), machine.empty() ? "any" : machine, to_string(kind));
}

void bound_facts(WindowsPackage& package) {
  each_text(package, [](const char*, std::string& text) { bound_text(text); });
  each_list(package, [&](const char*, std::vector<std::string>& list) {
    list.resize(std::min(list.size(), &list == &package.parts ? most_parts : longest_list));
    std::for_each(list.begin(), list.end(), bound_text);
  });
  package.replaces.resize(std::min(package.replaces.size(), longest_list));
  for (auto& products : package.replaces) {
    products.languages.resize(std::min(products.languages.size(), longest_list));
    for (auto* text : {&products.upgrade_code, &products.from, &products.to}) bound_text(*text);
    std::for_each(products.languages.begin(), products.languages.end(), bound_text);
  }
}

void to_json(Json& json, const WindowsPackage& package) {
  json = Json{{"kind", to_string(package.kind)},
              {"entries", package.entries},
              {"unpacked_bytes", package.unpacked_bytes},
              {"bytes", package.bytes},
              {"sha256", package.sha256},
              {"canonical_name", package.canonical_name()},
              {"carries_signature", package.carries_signature}};
  each_text(package, [&](const char* key, const std::string& text) { json[key] = text; });
  each_list(package, [&](const char* key, const std::vector<std::string>& list) { json[key] = list; });
  if (!package.replaces.empty()) json["replaces"] = package.replaces;
}

WindowsPackage windows_package_from(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  WindowsPackage package;
  const auto kind = package_kind_from(reader.text("kind"));
  if (!kind) reader.problem("kind", "is unknown; allowed: msu, cab, msi, msp, exe");
  package.kind = kind.value_or(PackageKind::msu);
  each_text(package, [&](const char* key, std::string& text) { text = reader.text_or(key, ""); });
  each_list(package, [&](const char* key, std::vector<std::string>& list) { list = reader.texts_or_empty(key); });
  if (reader.has("replaces")) {
    const Json& replaces = reader.raw("replaces");
    for (std::size_t i = 0; i < replaces.size(); ++i) {
      package.replaces.push_back(
          replaced_products_from(replaces[i], fmt::format("{}/{}", reader.at("replaces"), i), problems));
    }
  }
  package.entries = static_cast<std::uint64_t>(reader.integer_or("entries", 0, 0, INT64_MAX));
  package.unpacked_bytes = static_cast<std::uint64_t>(reader.integer_or("unpacked_bytes", 0, 0, INT64_MAX));
  package.bytes = static_cast<std::uint64_t>(reader.integer("bytes", 0, INT64_MAX));
  package.sha256 = reader.text("sha256");
  package.carries_signature = reader.boolean_or("carries_signature", false);
  reader.raw("canonical_name");  // follows from the rest
  reader.finish();
  return package;
}

}  // namespace patchlab::patches
