// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {
namespace {

// One vulnerability has some ten kilobytes, a month of them a few megabytes.
constexpr std::uintmax_t largest = 64U << 20U;
constexpr const char* microsoft = "https://msrc.microsoft.com";
// It is patched by the same updates, and told of as a product of its own.
constexpr std::string_view core_installation = " (Server Core installation)";

const Json& member(const Json& json, const std::string& key) {
  static const Json nothing;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found == json.end() ? nothing : *found;
}
std::string text_of(const Json& json) { return json.is_string() ? json.get<std::string>() : std::string(); }

struct Product {
  std::string name;           // "Windows Server 2019"
  std::string fixed_version;  // of a range "<10.0.17763.6532"
};

// CSAF 2.0, 3.1.2: branches in branches; in which the last has the product.
class ProductTree {
 public:
  // What is wrong; empty: nothing.
  std::string read(const Json& tree) {
    branches(member(tree, "branches"), "");
    for (const auto& one : member(tree, "full_product_names")) add(one, text_of(member(one, "name")), "");
    for (const auto& one : member(tree, "relationships")) {
      const auto& product = member(one, "full_product_name");
      add(product, text_of(member(product, "name")), "");
    }
    return std::move(trouble_);
  }
  [[nodiscard]] const Product* find(const std::string& id) const {
    const auto found = products_.find(id);
    return found == products_.end() ? nullptr : &found->second;
  }

 private:
  // How deep it may be is bounded by parse_json.
  void branches(const Json& list, const std::string& product_name) {
    if (!list.is_array()) return;
    for (const auto& branch : list) {
      const auto category = text_of(member(branch, "category"));
      const auto name = text_of(member(branch, "name"));
      if (const auto& product = member(branch, "product"); !product.is_null()) {
        const bool is_range = category == "product_version_range";
        const bool is_version = is_range || category == "product_version";
        add(product, is_version ? product_name : text_of(member(product, "name")),
            is_range && name.starts_with("<") && !name.starts_with("<=") ? name.substr(1) : "");
      }
      branches(member(branch, "branches"), category == "product_name" ? name : product_name);
    }
  }
  void add(const Json& product, std::string name, std::string fixed_version) {
    const auto id = text_of(member(product, "product_id"));
    if (id.empty()) {
      trouble_ = "has a product without 'product_id'";
      return;
    }
    if (name.ends_with(core_installation)) name.resize(name.size() - core_installation.size());
    products_[id] = {std::move(name), std::move(fixed_version)};
  }

  std::map<std::string, Product> products_;
  std::string trouble_;
};

std::string leading_digits(std::string_view text) {
  return std::string(text.substr(0, text.find_first_not_of("0123456789")));
}

// "5050001:Security Update:https://support.microsoft.com/help/5050001", else an address that ends with "?q=KB5050001".
std::string kb_of(const std::string& details, const std::string& url) {
  const auto is_number = [](const std::string& digits) { return digits.size() >= 6 && digits.size() <= 9; };
  if (const auto digits = leading_digits(details); is_number(digits) && details.substr(digits.size(), 1) == ":")
    return "KB" + digits;
  if (const auto at = url.rfind("KB"); at != std::string::npos) {
    if (const auto digits = leading_digits(std::string_view(url).substr(at + 2)); is_number(digits))
      return "KB" + digits;
  }
  return {};
}

std::string kind_in(const std::string& details) {
  const auto parts = split(details, ':');
  return parts.size() > 1 ? std::string(parts[1]) : std::string();
}

// "Publicly Disclosed:No;Exploited:Yes;Latest Software Release:Exploitation Detected"
std::optional<bool> exploited_in(const Json& threats) {
  if (!threats.is_array()) return std::nullopt;
  for (const auto& threat : threats) {
    if (text_of(member(threat, "category")) != "exploit_status") continue;
    const auto details = text_of(member(threat, "details"));  // its parts are views of it
    for (const auto part : split(details, ';')) {
      if (part == "Exploited:Yes") return true;
      if (part == "Exploited:No") return false;
    }
  }
  return std::nullopt;
}

// What is wrong; empty: nothing.
std::string take_fixes(const Json& vulnerability, const std::string& cve, const ProductTree& tree,
                       const std::function<bool(const std::string&)>& wanted, MsrcAdvisory& advisory) {
  const auto& remediations = member(vulnerability, "remediations");
  if (!remediations.is_array()) return {};
  for (const auto& remediation : remediations) {
    if (text_of(member(remediation, "category")) != "vendor_fix") continue;
    const auto details = text_of(member(remediation, "details"));
    const auto url = text_of(member(remediation, "url"));
    const auto kb = kb_of(details, url);
    for (const auto& id : member(remediation, "product_ids")) {
      const auto* product = tree.find(text_of(id));
      if (product == nullptr) return fmt::format("fixes product '{}', which is not in its tree", text_of(id));
      if (kb.empty() || !wanted(product->name)) continue;
      MsrcFix fix{cve, kb, product->name, product->fixed_version, kind_in(details), url};
      advisory.fixes.push_back(std::move(fix));
    }
  }
  return {};
}

}  // namespace

Result<MsrcAdvisory> read_msrc(const std::filesystem::path& path,
                               const std::function<bool(const std::string& product)>& wanted) {
  PATCHLAB_ASSIGN(const auto text, read_file(path, largest));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, path.string()));
  const auto wrong = [&](const std::string& pointer, const std::string& what) {
    return configuration_error(fmt::format("{}: {}: {}", printable(path.string()), pointer, printable(what)),
                               "fetch it again: it is not whole, or no advisory of Microsoft");
  };
  const auto& document = member(json, "document");
  if (text_of(member(document, "csaf_version")) != "2.0")
    return wrong("/document/csaf_version",
                 fmt::format("must be 2.0, found '{}'", text_of(member(document, "csaf_version"))));
  const auto& publisher = text_of(member(member(document, "publisher"), "namespace"));
  if (publisher != microsoft)
    return wrong("/document/publisher/namespace", fmt::format("must be {}, found '{}'", microsoft, publisher));
  const auto& tracking = member(document, "tracking");
  MsrcAdvisory advisory;
  advisory.id = text_of(member(tracking, "id"));
  if (advisory.id.empty()) return wrong("/document/tracking/id", "must be a text");
  const auto released = text_of(member(tracking, "current_release_date"));
  const auto day = day_in(released);
  if (!day) return wrong("/document/tracking/current_release_date", fmt::format("'{}' is no date", released));
  const auto& vulnerabilities = member(json, "vulnerabilities");
  if (!vulnerabilities.is_array() || vulnerabilities.empty())
    return wrong("/vulnerabilities", "must be a list, with one at least");
  ProductTree tree;
  if (const auto what = tree.read(member(json, "product_tree")); !what.empty()) return wrong("/product_tree", what);
  const auto severity = text_of(member(member(document, "aggregate_severity"), "text"));
  for (std::size_t i = 0; i < vulnerabilities.size(); ++i) {
    const auto pointer = fmt::format("/vulnerabilities/{}", i);
    const auto& one = vulnerabilities[i];
    if (!one.is_object()) return wrong(pointer, "must be an object");
    // What has no number (an advisory of its own, "ADV260001") closes nothing that another feed knows.
    const auto cve = text_of(member(one, "cve"));
    if (cve.empty()) continue;
    if (!is_cve(cve)) return wrong(pointer + "/cve", fmt::format("'{}' is no CVE number", cve));
    advisory.vulnerabilities[cve] = {lower_case(severity), exploited_in(member(one, "threats"))};
    if (const auto what = take_fixes(one, cve, tree, wanted, advisory); !what.empty()) return wrong(pointer, what);
  }
  // Of a product and its core installation once.
  std::ranges::sort(advisory.fixes);
  advisory.fixes.erase(std::unique(advisory.fixes.begin(), advisory.fixes.end()), advisory.fixes.end());
  advisory.file = {FeedKind::msrc, path.filename().string(), sha256(text), text.size(), day, vulnerabilities.size()};
  return advisory;
}

}  // namespace patchlab::process
