// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msi/installer_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lab/core/text.hpp"
#include "patches/msi/installer_database.hpp"
#include "patches/msi/summary_information.hpp"
#include "patches/msu/servicing_package.hpp"

namespace patchlab::patches {
namespace {

constexpr std::string_view package_class = "{000C1084-0000-0000-C000-000000000046}";
constexpr std::string_view patch_class = "{000C1086-0000-0000-C000-000000000046}";
constexpr std::string_view transform_class = "{000C1082-0000-0000-C000-000000000046}";
constexpr std::uint64_t summary_limit = 1U << 20U;
constexpr std::size_t most_codes = 1000;

// GUIDs one after another, with or without separators: "{..}{..}" and "{..};{..}".
std::vector<std::string> guids_in(std::string_view text) {
  std::vector<std::string> guids;
  for (auto at = text.find('{'); at != std::string_view::npos && guids.size() < most_codes;
       at = text.find('{', at + 1)) {
    if (const auto word = text.substr(at, guid_length); is_guid(word)) guids.emplace_back(word);
  }
  return guids;
}

std::string architecture_word(std::string_view platform) {
  const auto lower = lower_case(platform);
  if (lower == "x64" || lower == "amd64") return "amd64";
  if (lower == "intel") return "x86";
  if (lower == "intel64") return "ia64";
  return lower == "arm64" || lower == "arm" ? lower : std::string();
}

// Attributes in the table Upgrade (msidefs.h).
constexpr std::uint32_t only_detect = 0x2;
constexpr std::uint32_t from_included = 0x100;
constexpr std::uint32_t to_included = 0x200;
constexpr std::uint32_t languages_excluded = 0x400;

std::vector<std::string> words_in(std::string_view text, char separator) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (const auto word = trimmed(text.substr(0, end)); !word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string code(const std::string& text) { return is_guid(text) ? text : std::string(); }

class Reader {
 public:
  Reader(const CompoundFile& file, const std::string& name) : file_(file), name_(name) {}

  Result<InstallerFile> read() {
    const auto* stream = file_.find(u"\u0005SummaryInformation");
    if (stream == nullptr) return trouble("has no summary information, which every installer database has");
    PATCHLAB_ASSIGN(const auto bytes, file_.read(*stream, summary_limit));
    PATCHLAB_ASSIGN(summary_, parse_summary_information(bytes, name_));
    if (file_.root_class() == package_class)
      PATCHLAB_TRY(read_package());
    else
      PATCHLAB_TRY(read_patch());
    found_.kb = kb_in(fmt::format("{} {} {} {}", found_.title, found_.product_name,
                                  summary_text(summary_, SummaryProperty::subject),
                                  summary_text(summary_, SummaryProperty::comments)));
    found_.carries_signature = file_.find(u"\u0005DigitalSignature") != nullptr;
    return std::move(found_);
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what) const {
    return configuration_error(fmt::format("'{}' {}", name_, what));
  }

  Result<void> read_package() {
    PATCHLAB_ASSIGN(const auto database, InstallerDatabase::open(file_, name_));
    PATCHLAB_ASSIGN(const auto rows, database.rows("Property", 2));
    for (const auto& row : rows) properties_.emplace(row[0], row[1]);
    found_.kind = InstallerKind::package;
    found_.title = summary_text(summary_, SummaryProperty::subject);
    found_.product_name = properties_["ProductName"];
    found_.product_version = properties_["ProductVersion"];
    found_.product_code = code(properties_["ProductCode"]);
    found_.upgrade_code = code(properties_["UpgradeCode"]);
    found_.package_code = code(summary_text(summary_, SummaryProperty::revision));
    // "x64;1033": platform, then languages. Without a platform it is for x86.
    const auto wanted = summary_text(summary_, SummaryProperty::template_);
    const auto middle = wanted.find(';');
    const auto platform = wanted.substr(0, middle);
    found_.architecture = platform.empty() ? "x86" : architecture_word(platform);
    if (middle != std::string::npos) found_.language = wanted.substr(middle + 1);
    if (found_.product_code.empty()) return trouble("has no ProductCode in its Property table");
    return read_upgrades(database);
  }

  // Only where the action that removes them is in the sequence, and not for rows that only look.
  Result<void> read_upgrades(const InstallerDatabase& database) {
    if (database.has("InstallExecuteSequence")) {
      PATCHLAB_ASSIGN(const auto sequence,
                      database.rows("InstallExecuteSequence", {Column::text, Column::text, Column::number16}));
      const bool removes = std::any_of(sequence.begin(), sequence.end(), [](const auto& row) {
        return row[0] == "RemoveExistingProducts" && !row[2].empty() && row[2].front() != '-' && row[2] != "0";
      });
      if (!removes) return {};
    }
    PATCHLAB_ASSIGN(const auto rows, database.rows("Upgrade", {Column::text, Column::text, Column::text, Column::text,
                                                               Column::number32, Column::text, Column::text}));
    for (const auto& row : rows) {
      std::uint32_t flags = 0;
      (void)std::from_chars(row[4].data(), row[4].data() + row[4].size(), flags);
      // A list of features takes a product away in part, at most.
      const bool takes_all = row[5].empty() || lower_case(row[5]) == "all";
      if (!is_guid(row[0]) || (flags & only_detect) != 0 || !takes_all) continue;
      found_.replaces.push_back({row[0], row[1], (flags & from_included) != 0, row[2], (flags & to_included) != 0,
                                 words_in(row[3], ','), (flags & languages_excluded) != 0});
    }
    return {};
  }

  Result<void> read_patch() {
    found_.kind = InstallerKind::patch;
    auto codes = guids_in(summary_text(summary_, SummaryProperty::revision));
    if (codes.empty()) return trouble("has no patch code in its summary information");
    found_.patch_code = codes.front();
    found_.replaced_patches.assign(codes.begin() + 1, codes.end());
    found_.target_products = guids_in(summary_text(summary_, SummaryProperty::template_));
    found_.title = summary_text(summary_, SummaryProperty::title);
    // Optional, and older patches have no tables at all.
    if (const auto database = InstallerDatabase::open(file_, name_)) {
      PATCHLAB_ASSIGN(const auto rows, database->rows("MsiPatchMetadata", 3));
      for (const auto& row : rows) properties_.emplace(row[1], row[2]);
    }
    found_.product_name =
        properties_["DisplayName"].empty() ? properties_["TargetProductName"] : properties_["DisplayName"];
    found_.classification = properties_["Classification"];
    if (!properties_["AllowRemoval"].empty()) found_.removable = properties_["AllowRemoval"] == "1" ? "yes" : "no";
    return {};
  }

  const CompoundFile& file_;
  const std::string& name_;
  SummaryInformation summary_;
  std::map<std::string, std::string> properties_;
  InstallerFile found_;
};

}  // namespace

Result<InstallerFile> read_installer_file(const ByteSource& source, const std::string& name) {
  PATCHLAB_ASSIGN(const auto file, CompoundFile::open(source, name));
  if (file.root_class() == transform_class)
    return configuration_error(fmt::format("'{}' is a transform (.mst), not a package", name));
  if (file.root_class() != package_class && file.root_class() != patch_class) {
    return configuration_error(fmt::format(
        "'{}' is a compound file, but no Windows Installer package or patch (class {})", name, file.root_class()));
  }
  return Reader(file, name).read();
}

}  // namespace patchlab::patches
