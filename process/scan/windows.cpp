// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/scan/windows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

using patches::CatalogueFile;
using patches::CatalogueUpdate;

// Security updates, as the catalogue calls the class: what they close somebody must have said.
constexpr const char* security_updates = "0fa1201d-4330-4fa8-8ae9-b877473b6441";

std::vector<std::uint32_t> numbers_of(std::string_view version) {
  std::vector<std::uint32_t> numbers;
  for (const auto part : split(version, '.')) {
    std::uint32_t number = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), number);
    if (part.empty() || read.ec != std::errc() || read.ptr != part.data() + part.size()) return {};
    numbers.push_back(number);
  }
  return numbers;
}

// Versions of one release, each with its revision; nothing where they cannot be compared.
std::optional<bool> is_older(const std::string& version, const std::string& than) {
  const auto a = numbers_of(version);
  const auto b = numbers_of(than);
  if (a.size() < 4 || b.size() < 4 || !std::equal(a.begin(), a.begin() + 3, b.begin())) return std::nullopt;
  return a[3] < b[3];
}

// The architecture that a name says; empty: none, or all.
std::string architecture_in(const std::string& name) {
  const auto text = lower_case(name);
  const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  if (has("-x64") || has("for x64-based")) return "amd64";
  if (has("-arm64") || has("for arm64-based")) return "arm64";
  if (has("-x86") || has("for x86-based")) return "x86";
  return {};
}
std::string architecture_of(const CatalogueUpdate& update) {
  if (auto said = architecture_in(update.title); !said.empty()) return said;
  std::set<std::string> all;
  for (const auto& file : update.files) all.insert(architecture_in(file.name));
  return all.size() == 1 ? *all.begin() : std::string();
}

// What is downloaded to install it, rather than to save bytes.
bool is_package(const CatalogueFile& file) {
  constexpr std::array<std::string_view, 5> endings{".msu", ".cab", ".msi", ".msp", ".exe"};
  const auto name = lower_case(file.name);
  return (file.patching.empty() || file.patching == "SelfContained" || file.patching == "None") &&
         std::ranges::any_of(endings, [&](auto ending) { return name.ends_with(ending); });
}

int severity_rank(const std::string& word) {
  constexpr std::array<std::string_view, 4> words{"low", "moderate", "important", "critical"};
  const auto found = std::ranges::find(words, word);
  return found == words.end() ? -1 : static_cast<int>(found - words.begin());
}

class WindowsOffers {
 public:
  WindowsOffers(ScannedMachine& machine, const Feeds& feeds, const WindowsProduct& product,
                std::vector<NotKnown>& not_known)
      : machine_(machine), has_(*machine.windows), feeds_(feeds), product_(product), not_known_(not_known) {}

  void run() {
    find_updates();
    find_fixes();
    find_what_is_closed();
    for (auto& offer : machine_.offers) decide_candidate(offer);
    for (const auto& [kb, update] : updates_) {
      if (!candidates_.contains(kb)) machine_.offers.push_back(offer_of(*update));
    }
    for (const auto* update : of_others_) {
      if (updates_.contains(update->kb)) continue;
      auto offer = bare_offer(*update);
      offer.not_for_it = fmt::format("is for {}, the machine is {}", architecture_of(*update), has_.architecture);
      machine_.offers.push_back(std::move(offer));
    }
    for (const auto* update : without_number_) {
      auto offer = bare_offer(*update);
      offer.not_known = "it has no KB number by which the machine could be asked";
      machine_.offers.push_back(std::move(offer));
    }
    const auto is_of_others = [&](const std::string& kb) {
      return std::ranges::find(of_others_, kb, &CatalogueUpdate::kb) != of_others_.end();
    };
    for (const auto& [kb, cves] : fixed_by_) {
      if (!is_of_others(kb) && !updates_.contains(kb) && !candidates_.contains(kb))
        machine_.offers.push_back(offer_of_advisories(kb));
    }
    for (const auto& [kb, state] : has_.updates) {
      if (updates_.contains(kb) || candidates_.contains(kb) || fixed_by_.contains(kb)) continue;
      Offer offer;
      offer.id = offer.kb = kb;
      decide_offer(offer);
      machine_.offers.push_back(std::move(offer));
    }
  }

 private:
  // Of one number the newest revision counts.
  void find_updates() {
    if (!feeds_.catalogue) return;
    for (const auto& update : feeds_.catalogue->updates) {
      if (std::ranges::find(update.products, std::string_view(product_.guid)) == update.products.end()) continue;
      const auto architecture = architecture_of(update);
      if (!architecture.empty() && architecture != has_.architecture) {
        of_others_.push_back(&update);
      } else if (update.kb.empty()) {
        without_number_.push_back(&update);
      } else {
        auto& newest = updates_[update.kb];
        if (newest == nullptr || newest->revision < update.revision) newest = &update;
        kb_of_[update.revision] = update.kb;
      }
    }
    for (const auto& update : feeds_.catalogue->updates) {
      const auto kb = kb_of_.find(update.revision);
      if (kb == kb_of_.end()) continue;
      for (const auto revision : update.superseded_by) {
        const auto by = kb_of_.find(revision);
        if (by != kb_of_.end() && by->second != kb->second) replaced_by_[kb->second].insert(by->second);
      }
    }
    for (const auto& [kb, by] : replaced_by_) {
      for (const auto& one : by) replaces_[one].insert(kb);
    }
  }

  void find_fixes() {
    for (const auto& fix : feeds_.fixes) {
      if (fix.product != product_.name) continue;
      fixed_by_[fix.kb].insert(fix.cve);
      if (!is_older(fix.fixed_version, fix.fixed_version)) continue;  // no version of a release
      auto& version = version_of_[fix.kb];
      if (version.empty() || is_older(version, fix.fixed_version).value_or(false)) version = fix.fixed_version;
    }
  }

  static std::set<std::string> reached(const std::string& from,
                                       const std::map<std::string, std::set<std::string>>& edges) {
    std::set<std::string> found;
    std::vector<std::string> open{from};
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      const auto next = edges.find(at);
      if (next == edges.end()) continue;
      for (const auto& kb : next->second) {
        if (found.insert(kb).second) open.push_back(kb);
      }
    }
    return found;
  }

  [[nodiscard]] bool is_installed(const std::string& kb) const {
    const auto found = has_.updates.find(kb);
    return found != has_.updates.end() && found->second != pending && !has_.disputed.contains(kb);
  }

  // An update brings all that it replaces.
  void find_what_is_closed() {
    for (const auto& [kb, state] : has_.updates) {
      if (!is_installed(kb)) continue;
      auto all = reached(kb, replaces_);
      all.insert(kb);
      for (const auto& one : all) {
        const auto fixes = fixed_by_.find(one);
        if (fixes == fixed_by_.end()) continue;
        for (const auto& cve : fixes->second) closed_by_.emplace(cve, kb);
      }
    }
  }

  // What it closes on this machine, with all that it replaces and the machine lacks. Nothing: nobody says.
  [[nodiscard]] std::optional<std::vector<std::string>> closes(const std::string& kb) const {
    if (!feeds_.state(FeedKind::msrc).usable()) return std::nullopt;
    std::set<std::string> cves;
    auto all = reached(kb, replaces_);
    all.insert(kb);
    const auto version = version_of_.find(kb);
    if (version != version_of_.end()) {
      for (const auto& [other, its] : version_of_) {
        if (is_older(its, version->second).value_or(false) && is_older(has_.version, its).value_or(false))
          all.insert(other);
      }
    }
    for (const auto& one : all) {
      if (is_installed(one)) continue;
      if (const auto fixes = fixed_by_.find(one); fixes != fixed_by_.end())
        cves.insert(fixes->second.begin(), fixes->second.end());
      if (const auto update = updates_.find(one); update != updates_.end()) {
        for (const auto& cve : update->second->cves) {
          if (is_cve(cve)) cves.insert(cve);
        }
      }
    }
    std::erase_if(cves, [&](const auto& cve) { return closed_by_.contains(cve); });
    const auto update = updates_.find(kb);
    const bool must_close = update == updates_.end() || update->second->classification == security_updates;
    if (cves.empty() && must_close && !fixed_by_.contains(kb)) return std::nullopt;
    return std::vector<std::string>(cves.begin(), cves.end());
  }

  // The newest of those that replace it, outside of any circle with it; empty: none does.
  [[nodiscard]] std::string newest_replacing(const std::string& kb) {
    const auto above = reached(kb, replaced_by_);
    if (above.contains(kb)) {
      std::set<std::string> circle{kb};
      for (const auto& one : above) {
        if (reached(one, replaced_by_).contains(kb)) circle.insert(one);
      }
      note({fmt::format("which of {} is the newest", fmt::join(circle, ", ")),
            "the catalogue says that they replace each other"});
    }
    std::string newest;
    for (const auto& one : above) {
      const auto beyond = reached(one, replaced_by_);
      if (one == kb || beyond.contains(kb)) continue;
      if (newest.empty() || reached(newest, replaced_by_).contains(one)) newest = one;
    }
    if (!newest.empty()) return newest;
    const auto version = version_of_.find(kb);
    if (version == version_of_.end()) return {};
    for (const auto& [other, its] : version_of_) {
      if (!is_older(version->second, its).value_or(false)) continue;
      if (newest.empty() || is_older(version_of_[newest], its).value_or(false)) newest = other;
    }
    return newest;
  }
  void note(const NotKnown& one) {
    if (std::ranges::count(not_known_, one) == 0) not_known_.push_back(one);
  }

  Offer::Decided decide(const std::string& kb) {
    const auto state = has_.updates.find(kb);
    if (has_.disputed.contains(kb))
      return {RowStatus::unknown, "the machine's own lists say different things of it", ""};
    if (state != has_.updates.end() && state->second == pending)
      return {RowStatus::unknown, "it is installed when the machine restarts", ""};
    if (state != has_.updates.end()) return {RowStatus::installed, "the machine lists it", ""};
    for (const auto& by : reached(kb, replaced_by_)) {
      if (is_installed(by)) return {RowStatus::superseded, fmt::format("'{}' replaces it, and is installed", by), by};
    }
    const auto version = version_of_.find(kb);
    const auto older = version == version_of_.end() ? std::nullopt : is_older(has_.version, version->second);
    if (older && !*older)
      return {RowStatus::installed,
              fmt::format("the machine is at {}, and it brings {}", has_.version, version->second), ""};
    if (const auto by = closed_without(kb); !by.empty())
      return {RowStatus::superseded,
              fmt::format("what it closes in {} is closed by '{}', which is installed", product_.name, by), by};
    if (const auto by = newest_replacing(kb); !by.empty())
      return {RowStatus::superseded, fmt::format("'{}' replaces it", by), by};
    if (older)
      return {RowStatus::missing, fmt::format("the machine is at {}, and it brings {}", has_.version, version->second),
              ""};
    if (fixed_by_.contains(kb))
      return {RowStatus::missing, fmt::format("Microsoft's advisories name it as a fix of {}", product_.name), ""};
    if (!updates_.contains(kb))
      return {RowStatus::unknown, "neither Microsoft's catalogue nor its advisories name it", ""};
    return {RowStatus::unknown,
            "it is not installed, and nothing that replaces it is; whether it applies is said by rules of the "
            "catalogue that are not evaluated",
            ""};
  }
  // An installed update that closes all that this one does: of a month there may be two, and one is enough.
  [[nodiscard]] std::string closed_without(const std::string& kb) const {
    const auto fixes = fixed_by_.find(kb);
    if (fixes == fixed_by_.end()) return {};
    std::string by;
    for (const auto& cve : fixes->second) {
      const auto closed = closed_by_.find(cve);
      if (closed == closed_by_.end()) return {};
      by = closed->second;
    }
    return by;
  }

  void decide_offer(Offer& offer) {
    offer.decided = decide(offer.kb);
    offer.cves = closes(offer.kb);
    std::string worst;
    for (const auto& cve : offer.cves.value_or(std::vector<std::string>())) {
      const auto said = feeds_.microsoft.find(cve);
      if (said == feeds_.microsoft.end()) continue;
      if (severity_rank(said->second.severity) > severity_rank(worst)) worst = said->second.severity;
      if (said->second.exploited.value_or(false))
        offer.notes.push_back(fmt::format("Microsoft says that {} is exploited", cve));
    }
    if (!worst.empty()) {
      offer.urgency = worst;
      offer.urgency_from = "msrc";
    }
  }

  void decide_candidate(Offer& offer) {
    if (!offer.not_for_it.empty() || !offer.not_known.empty()) return;
    if (offer.kb.empty()) {
      offer.not_known = "it has no KB number by which the machine could be asked";
      return;
    }
    candidates_.insert(offer.kb);
    decide_offer(offer);
  }

  Offer bare_offer(const CatalogueUpdate& update) const {
    Offer offer;
    offer.id = update.kb.empty() ? update.id : update.kb;
    offer.kb = update.kb;
    offer.title = update.title;
    if (const auto severity = lower_case(update.severity); severity_rank(severity) >= 0) {
      offer.urgency = severity;
      offer.urgency_from = "catalogue";
    }
    return offer;
  }

  Offer offer_of(const CatalogueUpdate& update) {
    auto offer = bare_offer(update);
    offer.notes.push_back(fmt::format("published on {}: {}", update.created.substr(0, 10), update.title));
    decide_offer(offer);
    for (const auto& file : update.files) {
      if (!is_package(file)) continue;
      OfferedFile one;
      one.sha256 = file.sha256;
      one.name = file.name;
      one.sha1 = file.sha1;
      one.bytes = file.bytes;
      one.from = file.url;
      const bool matters = offer.decided->status == RowStatus::missing;
      if (matters && file.sha256.empty()) {
        note({fmt::format("which bytes '{}' of {} has", file.name, update.kb), "the catalogue names no SHA-256 of it"});
      } else {
        offer.files.push_back(std::move(one));
      }
    }
    if (offer.decided->status == RowStatus::missing && offer.files.empty())
      note({fmt::format("which files {} has", update.kb), "the catalogue names none that could be installed"});
    return offer;
  }

  Offer offer_of_advisories(const std::string& kb) {
    Offer offer;
    offer.id = offer.kb = kb;
    decide_offer(offer);
    if (offer.decided->status == RowStatus::missing)
      note({fmt::format("which files {} has", kb), "Microsoft's advisories name it, and its catalogue does not"});
    return offer;
  }

  static constexpr const char* pending = "install pending";

  ScannedMachine& machine_;
  const WindowsMachine& has_;
  const Feeds& feeds_;
  const WindowsProduct& product_;
  std::vector<NotKnown>& not_known_;
  std::map<std::string, const CatalogueUpdate*> updates_;  // by number
  std::vector<const CatalogueUpdate*> of_others_;          // for other architectures
  std::vector<const CatalogueUpdate*> without_number_;
  std::map<std::uint32_t, std::string> kb_of_;
  std::map<std::string, std::set<std::string>> replaced_by_, replaces_;
  std::map<std::string, std::set<std::string>> fixed_by_;  // number: vulnerabilities of the product
  std::map<std::string, std::string> version_of_;          // that the machine has with it
  std::map<std::string, std::string> closed_by_;           // vulnerability: what is installed
  std::set<std::string> candidates_;                       // numbers of those of the scenario
};

}  // namespace

const std::vector<WindowsProduct>& windows_products() {
  // The GUIDs are those of the categories in WSUS; names change, they do not.
  static const std::vector<WindowsProduct> all{
      {"6.2.9200", "Windows Server 2012", "a105a108-7c9b-4518-bbbe-73f0fe30012b"},
      {"6.3.9600", "Windows Server 2012 R2", "d31bd4c3-d872-41c9-a2e7-231f372588cb"},
      {"10.0.14393", "Windows Server 2016", "569e8e8f-c6cd-42c8-92a3-efbb20a0f6f5"},
      {"10.0.17763", "Windows Server 2019", "f702a48c-919b-45d6-9aef-ca4248d50397"},
      {"10.0.20348", "Windows Server 2022", "71718f13-7324-4b0f-8f9e-2ca9dc978e53"},
  };
  return all;
}

const WindowsProduct* windows_product_of(const std::string& version) {
  const auto numbers = numbers_of(version);
  if (numbers.size() < 3) return nullptr;
  const auto release = fmt::format("{}.{}.{}", numbers[0], numbers[1], numbers[2]);
  const auto found = std::ranges::find_if(windows_products(), [&](const auto& one) { return one.release == release; });
  return found == windows_products().end() ? nullptr : &*found;
}

std::map<std::string, std::string> windows_products_of(const std::vector<ScannedMachine>& machines) {
  std::map<std::string, std::string> products;
  for (const auto& machine : machines) {
    const auto* product = machine.windows ? windows_product_of(machine.windows->version) : nullptr;
    if (product != nullptr) products[product->guid] = product->name;
  }
  return products;
}

void offer_windows_updates(ScannedMachine& machine, const Feeds& feeds, std::vector<NotKnown>& not_known) {
  if (!machine.windows || !machine.not_known.empty()) return;
  const auto* product = windows_product_of(machine.windows->version);
  const auto& catalogue = traits_of(FeedKind::windows_catalogue);
  if (product == nullptr) {
    machine.offers_not_known =
        fmt::format("which product of Microsoft's catalogue Windows {} is, is not known", machine.windows->version);
    for (auto& offer : machine.offers) {
      if (offer.not_for_it.empty() && offer.not_known.empty()) offer.not_known = machine.offers_not_known;
    }
    return;
  }
  if (!feeds.catalogue) {
    const auto& why = feeds.state(FeedKind::windows_catalogue).unusable;
    machine.offers_not_known = fmt::format("feed '{}' {}", catalogue.name, why.empty() ? "is not there" : why);
  }
  WindowsOffers(machine, feeds, *product, not_known).run();
}

}  // namespace patchlab::process
