// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/msu_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <set>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

constexpr std::uint64_t text_limit = 32ULL << 20U;    // of one XML document or property list
constexpr std::uint64_t cabinet_limit = 4ULL << 30U;  // a cabinet cannot be bigger
constexpr std::uint64_t kept_limit = 6ULL << 30U;     // of temporary files for one package
constexpr std::size_t most_cabinets = 64;
constexpr std::size_t most_manifests = 20'000;            // of one servicing cabinet; real rollups have a few thousand
constexpr std::uint64_t manifests_limit = 256ULL << 20U;  // of their bytes together

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
  std::uint64_t text_bytes = 0;

  ByteSink* text(const CabEntry& entry) {
    texts.push_back({entry.name, TextSink(text_limit)});
    return &texts.back().sink;
  }
  Result<ByteSink*> manifest(const CabEntry& entry) {
    text_bytes += entry.bytes;
    if (texts.size() >= most_manifests || text_bytes > manifests_limit) {
      return configuration_error(fmt::format("holds more than {} package manifests, or more than {} bytes of them",
                                             most_manifests, manifests_limit));
    }
    texts.push_back({entry.name, TextSink(std::min(text_limit, entry.bytes))});
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
    // From 22H2 on some carry the update itself as an image beside the servicing stack's cabinet.
    const auto is_image = [](const std::string& name) {
      return is_top_level(name) && lower_case(name).ends_with(".wim");
    };
    if (std::any_of(msu_.names.begin(), msu_.names.end(), is_image) &&
        std::all_of(msu_.packages.begin(), msu_.packages.end(),
                    [](const auto& package) { return package.is_servicing_stack(); })) {
      return configuration_error(
          fmt::format("'{}' holds its update as a WIM image, which is not read: only its servicing stack is", name_));
    }
    order_packages();
    return {};
  }

  Result<void> read_text(const KeptText& text) {
    if (!lower_case(text.name).ends_with(".xml")) {
      msu_.properties = parse_package_properties(text.sink.bytes);
      return {};
    }
    PATCHLAB_ASSIGN(const auto is_unattend, is_unattend_document(text.sink.bytes, inside(text.name)));
    if (!is_unattend) {
      msu_.notes.push_back(fmt::format("'{}' is no unattend document", text.name));
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

  // Every .mum in it: update.mum is the package, the others are what it is made of.
  Result<void> read_servicing_cabinet(const ByteSource& source, const std::string& cabinet) {
    Kept kept;
    std::string stack;
    PATCHLAB_ASSIGN(const auto content,
                    read_cabinet(source, cabinet, budget_, [&](const CabEntry& entry) -> Result<ByteSink*> {
                      if (auto version = servicing_stack_in(entry.name); !version.empty()) stack = std::move(version);
                      if (!lower_case(entry.name).ends_with(".mum")) return nullptr;
                      return kept.manifest(entry);
                    }));
    count(content);
    const auto is_main = [](const KeptText& text) { return lower_case(text.name) == "update.mum"; };
    const auto mains = std::count_if(kept.texts.begin(), kept.texts.end(), is_main);
    if (mains > 1) return configuration_error(fmt::format("'{}' holds update.mum twice", cabinet));
    if (mains == 0) return {};
    const auto main = std::find_if(kept.texts.begin(), kept.texts.end(), is_main);
    PATCHLAB_ASSIGN(auto package, parse_update_mum(main->sink.bytes, cabinet + "/" + main->name));
    package.file = cabinet == name_ ? "" : cabinet.substr(name_.size() + 1);
    if (package.stack.empty()) package.stack = stack;
    std::vector<std::string> unread;
    for (const auto& text : kept.texts) {
      if (!is_main(text)) add_part(text, package, unread);
    }
    if (!unread.empty()) {
      msu_.notes.push_back(
          fmt::format("{} of the manifests in it cannot be read, such as '{}'", unread.size(), unread.front()));
    }
    drop_repeated_parts(package);
    msu_.packages.push_back(std::move(package));
    return {};
  }

  // A part that cannot be read is still known by the name of its manifest.
  static void add_part(const KeptText& text, ServicingPackage& package, std::vector<std::string>& unread) {
    if (auto part = parse_update_mum(text.sink.bytes, text.name)) {
      package.parts.push_back(part->identity);
      package.parts.insert(package.parts.end(), part->parts.begin(), part->parts.end());
      if (is_newer_version(part->stack_floor, package.stack_floor)) package.stack_floor = part->stack_floor;
      if (package.stack.empty()) package.stack = part->stack;
      return;
    }
    if (auto identity = identity_in_name(text.name))
      package.parts.push_back(std::move(*identity));
    else
      unread.push_back(text.name);
  }

  static void drop_repeated_parts(ServicingPackage& package) {
    std::set<std::string> seen{package.identity.text()};
    std::erase_if(package.parts, [&](const auto& part) { return !seen.insert(part.text()).second; });
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
