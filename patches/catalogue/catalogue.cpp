// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/catalogue/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/base64.hpp"
#include "lab/core/text.hpp"
#include "patches/catalogue/details.hpp"
#include "patches/catalogue/package_list.hpp"

namespace patchlab::patches {
namespace {

constexpr std::uint64_t largest_index = 4U << 20U;
constexpr std::uint64_t largest_cabinet = std::uint64_t{4} << 30U;

// The cabinets inside are packed already: around them next to nothing is gained. It is unpacked twice.
CabLimits around(const CatalogueLimits& limits, std::uint64_t bytes) {
  return {.entries = 20'000, .unpacked_bytes = 2 * (4 * bytes + (1U << 20U)), .time = limits.cabinets.time};
}

// "x\123", "l\en\123"; anything else is of no interest.
struct DetailName {
  char stream = 0;
  std::string language;
  std::uint32_t revision = 0;
};
std::optional<DetailName> detail_name(std::string name) {
  std::ranges::replace(name, '/', '\\');
  const auto parts = split(name, '\\');
  const auto stream = parts[0] == "x" || parts[0] == "X" ? 'x' : parts[0] == "l" || parts[0] == "L" ? 'l' : '\0';
  if (stream == 0 || parts.size() != (stream == 'x' ? 2U : 3U)) return std::nullopt;
  const auto revision = revision_from(parts.back());
  if (!revision) return std::nullopt;
  return DetailName{stream, stream == 'l' ? std::string(parts[1]) : std::string(), *revision};
}

class CatalogueReader {
 public:
  CatalogueReader(const ByteSource& source, const std::string& name, const CatalogueScope& scope,
                  const CatalogueLimits& limits)
      : source_(source),
        name_(name),
        scope_(scope),
        limits_(limits),
        outer_budget_(around(limits, source.size())),
        budget_(limits.cabinets),
        kept_(limits.kept_bytes),
        updates_(scope, kept_) {}

  Result<Catalogue> run() {
    PATCHLAB_TRY(read_lists());
    PATCHLAB_TRY(find_cabinets());
    PATCHLAB_TRY(read_cabinets());
    PATCHLAB_TRY(join());
    return std::move(catalogue_);
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what) const {
    return configuration_error(fmt::format("'{}' {}", name_, what));
  }
  [[nodiscard]] std::string part(const std::string& entry) const { return name_ + ": " + entry; }

  // The whole outer cabinet is unpacked here, so that a damaged one is found whatever is asked.
  Result<void> read_lists() {
    XmlStream index(part("index.xml"), cabinets_, {.bytes = largest_index});
    std::optional<AnonymousFile> package;
    bool has_index = false;
    const auto choose = [&](const CabEntry& entry) -> Result<ByteSink*> {
      if (!entries_.insert(lower_case(entry.name)).second) return trouble(fmt::format("has '{}' twice", entry.name));
      if (lower_case(entry.name) == "index.xml") {
        has_index = true;
        return &index;
      }
      if (lower_case(entry.name) != "package.cab") return nullptr;
      PATCHLAB_ASSIGN(package, AnonymousFile::create(largest_cabinet));
      return &*package;
    };
    PATCHLAB_ASSIGN(const auto content, read_cabinet(source_, name_, outer_budget_, choose));
    catalogue_.carries_signature = content.carries_signature;
    if (!has_index || !package) return trouble("is no catalogue: it has no index.xml and package.cab");
    PATCHLAB_TRY(index.finish());
    if (!cabinets_.names.contains("package.cab")) return trouble("does not list 'package.cab' in its index.xml");
    for (const auto& name : cabinets_.names) {
      if (!entries_.contains(name)) return trouble(fmt::format("has no '{}', which its index.xml lists", name));
    }
    PATCHLAB_TRY(read_updates(*package));
    updates_.read_again();
    PATCHLAB_TRY(read_updates(*package));
    if (updates_.entries == 0) return trouble("lists no update");
    return {};
  }

  Result<void> read_updates(const ByteSource& package) {
    XmlStream list(part("package.xml"), updates_);
    bool has_list = false;
    PATCHLAB_TRY(read_cabinet(package, part("package.cab"), budget_, [&](const CabEntry& entry) -> Result<ByteSink*> {
      if (lower_case(entry.name) != "package.xml") return nullptr;
      if (has_list) return trouble("has two of 'package.xml'");
      has_list = true;
      return &list;
    }));
    if (!has_list) return trouble("has no package.xml in its package.cab");
    return list.finish();
  }

  Result<void> find_cabinets() {
    const auto want = [&](std::uint32_t revision) -> Result<void> {
      const auto cabinet = cabinets_.cabinet_of(revision);
      if (cabinet.empty()) return trouble(fmt::format("says in no cabinet what revision {} is", revision));
      wanted_.insert(cabinet);
      return {};
    };
    for (const auto& [revision, update] : updates_.updates) PATCHLAB_TRY(want(revision));
    for (const auto& [revision, product] : updates_.products) PATCHLAB_TRY(want(revision));
    for (const auto& [revision, one] : updates_.parts) PATCHLAB_TRY(want(revision));
    return {};
  }

  // One cabinet at a time lies in the folder for temporary files, and is read when all of it is there.
  Result<void> read_cabinets() {
    if (wanted_.empty() && !scope_.whole) return {};
    std::optional<AnonymousFile> file;
    std::string file_name;
    const auto read_it = [&]() -> Result<void> {
      if (!file) return {};
      PATCHLAB_TRY(read_details_in(*file, file_name));
      file.reset();
      return {};
    };
    PATCHLAB_TRY(read_cabinet(source_, name_, outer_budget_, [&](const CabEntry& entry) -> Result<ByteSink*> {
      PATCHLAB_TRY(read_it());
      file_name = lower_case(entry.name);
      const bool is_detail = cabinets_.names.contains(file_name) && file_name != "package.cab";
      if (!is_detail || (!scope_.whole && !wanted_.contains(file_name))) return nullptr;
      PATCHLAB_ASSIGN(file, AnonymousFile::create(largest_cabinet));
      return &*file;
    }));
    return read_it();
  }

  [[nodiscard]] bool wants(const DetailName& name) const {
    if (name.stream == 'x') return updates_.updates.contains(name.revision) || updates_.parts.contains(name.revision);
    const auto language = updates_.languages.find(name.revision);
    return language != updates_.languages.end() && lower_case(language->second) == lower_case(name.language);
  }

  Result<void> read_details_in(const ByteSource& cabinet, const std::string& cabinet_name) {
    std::optional<TextSink> sink;
    DetailName at;
    std::string entry_name;
    const auto read_it = [&]() -> Result<void> {
      if (!sink) return {};
      PATCHLAB_TRY(take(at, sink->bytes, part(cabinet_name + ": " + entry_name)));
      sink.reset();
      return {};
    };
    PATCHLAB_TRY(read_cabinet(cabinet, part(cabinet_name), budget_, [&](const CabEntry& entry) -> Result<ByteSink*> {
      PATCHLAB_TRY(read_it());
      const auto name = detail_name(entry.name);
      if (!name || !wants(*name)) return nullptr;
      // Another cabinet may hold an older one of the same number by mistake.
      if (cabinets_.cabinet_of(name->revision) != cabinet_name) return nullptr;
      at = *name;
      entry_name = entry.name;
      sink.emplace(limits_.detail_bytes);
      return &*sink;
    }));
    return read_it();
  }

  Result<void> take(const DetailName& name, const std::string& bytes, const std::string& place) {
    const auto again = configuration_error(fmt::format("'{}' is there twice", place));
    if (name.stream == 'l') {
      PATCHLAB_ASSIGN(auto title, read_title(bytes, place));
      PATCHLAB_TRY(keep(96 + title.size()));
      if (!titles_.emplace(name.revision, std::move(title)).second) return again;
      return {};
    }
    PATCHLAB_ASSIGN(auto details, read_details(bytes, place));
    std::uint64_t size = 256 + guid_bytes * details.cves.size();
    for (const auto& file : details.files) size += bytes_of(file);
    PATCHLAB_TRY(keep(size));
    // So that each is found; of several with one digest the first counts.
    std::ranges::stable_sort(details.files, {}, &CatalogueFile::sha1);
    if (!details_.emplace(name.revision, std::move(details)).second) return again;
    return {};
  }
  // What a part holds is in the answer for each of its bundles.
  static std::uint64_t bytes_of(const CatalogueFile& file) {
    return sizeof(file) + file.name.size() + file.url.size() + file.sha1.size() + file.sha256.size() +
           file.patching.size();
  }
  Result<void> keep(std::uint64_t bytes) {
    if (const auto what = kept_.take(bytes); !what.empty()) return trouble(what);
    return {};
  }

  // An update of which the catalogue says nothing more would be one of which nobody knows what it is.
  Result<void> join() {
    catalogue_.created = updates_.created;
    catalogue_.entries = updates_.entries;
    for (const auto& [revision, product] : updates_.products) {
      const auto title = titles_.find(revision);
      if (title != titles_.end()) catalogue_.product_names[product] = title->second;
    }
    std::map<std::uint32_t, std::vector<const CataloguePart*>> parts_of;
    for (const auto& [revision, one] : updates_.parts) {
      for (const auto bundle : one.bundles) parts_of[bundle].push_back(&one);
    }
    for (auto& [revision, update] : updates_.updates) {
      const auto details = details_.find(revision);
      const auto title = titles_.find(revision);
      if (details == details_.end() || title == titles_.end())
        return trouble(fmt::format(
            "lists revision {} and does not say what it is: '{}' has no {}", revision, cabinets_.cabinet_of(revision),
            details == details_.end() ? fmt::format("x\\{}", revision)
                                      : fmt::format("l\\{}\\{}", updates_.languages[revision], revision)));
      update.title = std::move(title->second);
      update.kb = std::move(details->second.kb);
      update.severity = std::move(details->second.severity);
      update.bulletin = std::move(details->second.bulletin);
      update.cves = std::move(details->second.cves);
      std::set<std::string> seen;
      PATCHLAB_TRY(add_files(revision, updates_.files[revision], seen, update));
      for (const auto* one : parts_of[revision]) PATCHLAB_TRY(add_files(one->revision, one->files, seen, update));
      catalogue_.updates.push_back(std::move(update));
    }
    return {};
  }

  // Of the files that a bundle's parts share each is there once.
  Result<void> add_files(std::uint32_t revision, const std::vector<std::string>& ids, std::set<std::string>& seen,
                         CatalogueUpdate& update) {
    const auto details = details_.find(revision);
    for (const auto& id : ids) {
      CatalogueFile file;
      file.sha1 = hex_of_digest(id, 20);
      if (!seen.insert(file.sha1).second) continue;
      if (details != details_.end()) {
        const auto& named = details->second.files;
        const auto found = std::ranges::lower_bound(named, file.sha1, {}, &CatalogueFile::sha1);
        if (found != named.end() && found->sha1 == file.sha1) file = *found;
      }
      if (const auto url = updates_.urls.find(id); url != updates_.urls.end()) file.url = url->second;
      if (file.name.empty()) file.name = file.url.substr(file.url.rfind('/') + 1);
      PATCHLAB_TRY(keep(bytes_of(file)));
      update.files.push_back(std::move(file));
    }
    return {};
  }

  const ByteSource& source_;
  const std::string& name_;
  const CatalogueScope& scope_;
  const CatalogueLimits& limits_;
  UnpackBudget outer_budget_;
  UnpackBudget budget_;
  KeptBudget kept_;
  CabinetList cabinets_;
  UpdateList updates_;
  std::set<std::string> entries_;  // of the outer cabinet
  std::set<std::string> wanted_;   // cabinets
  std::map<std::uint32_t, UpdateDetails> details_;
  std::map<std::uint32_t, std::string> titles_;
  Catalogue catalogue_;
};

}  // namespace

Result<Catalogue> read_catalogue(const ByteSource& source, const std::string& name, const CatalogueScope& scope,
                                 const CatalogueLimits& limits) {
  return CatalogueReader(source, name, scope, limits).run();
}

}  // namespace patchlab::patches
