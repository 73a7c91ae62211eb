// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/msu_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

constexpr std::uint64_t text_limit = 32ULL << 20U;    // of one XML document or property list
constexpr std::uint64_t cabinet_limit = 4ULL << 30U;  // a cabinet cannot be bigger
constexpr std::uint64_t kept_limit = 6ULL << 30U;     // of temporary files for one package
constexpr std::size_t most_cabinets = 64;

bool is_top_level(const std::string& name) { return name.find_first_of("\\/") == std::string::npos; }

struct KeptText {
  std::string name;
  TextSink sink{text_limit};
};

struct KeptCabinet {
  std::string name;
  AnonymousFile file;
};

// What was kept of one cabinet's entries. Lists: the sinks must not move while libmspack writes.
struct Kept {
  std::list<KeptText> texts;
  std::list<KeptCabinet> cabinets;
  std::uint64_t cabinet_bytes = 0;

  ByteSink* text(const CabEntry& entry) {
    texts.push_back({entry.name, TextSink(text_limit)});
    return &texts.back().sink;
  }
  Result<ByteSink*> cabinet(const CabEntry& entry) {
    cabinet_bytes += entry.bytes;
    if (cabinets.size() >= most_cabinets)
      return configuration_error(fmt::format("holds more than {} cabinets", most_cabinets));
    if (cabinet_bytes > kept_limit)
      return configuration_error(fmt::format("holds cabinets of more than the {} bytes allowed", kept_limit));
    PATCHLAB_ASSIGN(auto file, AnonymousFile::create(std::min(cabinet_limit, entry.bytes)));
    cabinets.push_back({entry.name, std::move(file)});
    return &cabinets.back().file;
  }
};

class MsuReader {
 public:
  MsuReader(const ByteSource& source, const std::string& name, const CabLimits& limits)
      : source_(source), name_(name), limits_(limits), budget_(limits) {}

  Result<MsuFile> read() {
    PATCHLAB_ASSIGN(const auto listed, list_cabinet(source_, name_, limits_));
    msu_.carries_signature = listed.carries_signature;
    const auto has = [&](const auto& fits) { return std::any_of(listed.entries.begin(), listed.entries.end(), fits); };
    if (has([](const CabEntry& entry) { return lower_case(entry.name) == "update.mum"; })) {
      msu_.container = ServicingContainer::cab;
      PATCHLAB_TRY(read_servicing_cabinet(source_, name_));
      return std::move(msu_);
    }
    if (!has([](const CabEntry& entry) { return is_inner_cabinet(entry.name); })) {
      return configuration_error(
          fmt::format("'{}' is a cabinet, but neither an .msu nor a servicing cabinet: it has no update.mum", name_),
          "if it carries an .msp or .msi, unpack it and add that file");
    }
    PATCHLAB_TRY(read_outer());
    return std::move(msu_);
  }

 private:
  static bool is_inner_cabinet(const std::string& name) {
    return is_top_level(name) && lower_case(name).ends_with(".cab");
  }
  [[nodiscard]] std::string inside(const std::string& entry) const { return name_ + "/" + entry; }

  void count(const CabContent& content) {
    msu_.entries += content.entries.size();
    msu_.unpacked_bytes += content.unpacked_bytes;
  }

  Result<void> read_outer() {
    Kept kept;
    PATCHLAB_ASSIGN(
        const auto content, read_cabinet(source_, name_, budget_, [&](const CabEntry& entry) -> Result<ByteSink*> {
          const auto lower = lower_case(entry.name);
          if (is_inner_cabinet(entry.name)) return kept.cabinet(entry);
          const bool wanted = is_top_level(lower) && (lower.ends_with(".xml") || lower.ends_with("pkgproperties.txt"));
          return wanted ? kept.text(entry) : nullptr;
        }));
    count(content);
    for (const auto& entry : content.entries) msu_.names.push_back(entry.name);
    for (const auto& text : kept.texts) PATCHLAB_TRY(read_text(text));
    for (const auto& cabinet : kept.cabinets) {
      const auto lower = lower_case(cabinet.name);
      if (lower == "wsusscan.cab")
        PATCHLAB_TRY(read_metadata(cabinet.file, inside(cabinet.name)));
      else
        PATCHLAB_TRY(read_inner(cabinet));
    }
    if (msu_.packages.empty())
      return configuration_error(
          fmt::format("'{}' holds no servicing package: none of its cabinets has an update.mum", name_));
    order_packages();
    return {};
  }

  Result<void> read_text(const KeptText& text) {
    if (!lower_case(text.name).ends_with(".xml")) {
      msu_.properties = parse_package_properties(text.sink.bytes);
      return {};
    }
    PATCHLAB_ASSIGN(auto items, parse_unattend(text.sink.bytes, inside(text.name)));
    unattend_.insert(unattend_.end(), items.begin(), items.end());
    return {};
  }

  Result<void> read_inner(const KeptCabinet& cabinet) {
    const auto before = msu_.packages.size();
    PATCHLAB_TRY(read_servicing_cabinet(cabinet.file, inside(cabinet.name)));
    // DesktopDeployment.cab and its like: tools of the installer, no packages.
    if (msu_.packages.size() == before) msu_.notes.push_back(fmt::format("'{}' holds no package", cabinet.name));
    return {};
  }

  Result<void> read_servicing_cabinet(const ByteSource& source, const std::string& cabinet) {
    Kept kept;
    PATCHLAB_ASSIGN(const auto content,
                    read_cabinet(source, cabinet, budget_, [&](const CabEntry& entry) -> Result<ByteSink*> {
                      return lower_case(entry.name) == "update.mum" ? kept.text(entry) : nullptr;
                    }));
    count(content);
    if (kept.texts.size() > 1) return configuration_error(fmt::format("'{}' holds update.mum twice", cabinet));
    for (const auto& text : kept.texts) {
      PATCHLAB_ASSIGN(auto package, parse_update_mum(text.sink.bytes, cabinet + "/" + text.name));
      package.file = cabinet == name_ ? "" : cabinet.substr(name_.size() + 1);
      msu_.packages.push_back(std::move(package));
    }
    return {};
  }

  // WSUSSCAN.cab holds package.cab, and that holds package.xml.
  Result<void> read_metadata(const ByteSource& source, const std::string& cabinet) {
    Kept kept;
    PATCHLAB_ASSIGN(const auto content,
                    read_cabinet(source, cabinet, budget_, [&](const CabEntry& entry) -> Result<ByteSink*> {
                      const auto lower = lower_case(entry.name);
                      if (lower == "package.xml") return kept.text(entry);
                      return lower == "package.cab" ? kept.cabinet(entry) : Result<ByteSink*>(nullptr);
                    }));
    count(content);
    for (const auto& text : kept.texts) {
      PATCHLAB_ASSIGN(msu_.metadata, parse_update_metadata(text.sink.bytes, cabinet + "/" + text.name));
    }
    for (const auto& inner : kept.cabinets) {
      // One step only: a package.cab inside package.cab is not what Microsoft makes.
      if (cabinet.ends_with("package.cab")) return configuration_error(fmt::format("'{}' holds itself", cabinet));
      PATCHLAB_TRY(read_metadata(inner.file, cabinet + "/package.cab"));
    }
    return {};
  }

  void order_packages() {
    const auto place = [&](const ServicingPackage& package) {
      const auto found = std::find_if(unattend_.begin(), unattend_.end(),
                                      [&](const auto& item) { return item.identity == package.identity; });
      return std::pair(found - unattend_.begin(), package.is_servicing_stack() ? 0 : 1);
    };
    std::stable_sort(msu_.packages.begin(), msu_.packages.end(),
                     [&](const auto& a, const auto& b) { return place(a) < place(b); });
    for (const auto& item : unattend_) {
      const auto same = [&](const auto& package) { return package.identity == item.identity; };
      if (std::none_of(msu_.packages.begin(), msu_.packages.end(), same)) {
        msu_.notes.push_back(
            fmt::format("the unattend document names '{}', which no cabinet inside holds", item.identity.text()));
      }
    }
  }

  const ByteSource& source_;
  const std::string& name_;
  const CabLimits& limits_;
  UnpackBudget budget_;
  MsuFile msu_;
  std::vector<UnattendItem> unattend_;
};

}  // namespace

Result<MsuFile> read_msu(const ByteSource& source, const std::string& name, const CabLimits& limits) {
  return MsuReader(source, name, limits).read();
}

}  // namespace patchlab::patches
