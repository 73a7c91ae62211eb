// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/facts/compare.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <tuple>

#include "lab/core/digest.hpp"

namespace patchlab::lab::facts {
namespace {

bool fits(const char* pattern, const std::string& name) { return ::fnmatch(pattern, name.c_str(), 0) == 0; }

// What the machine is for, and what belongs to that.
class Role {
 public:
  explicit Role(const std::string& role) {
    const auto found = std::ranges::find_if(role_parts(), [&](const RoleParts& one) { return role == one.role; });
    if (found != role_parts().end()) parts_ = &*found;
  }
  [[nodiscard]] bool has_package(const std::string& name) const {
    const auto plain = name.substr(0, name.find(':'));
    return parts_ == nullptr ||
           std::ranges::any_of(parts_->packages, [&](const char* pattern) { return fits(pattern, plain); });
  }
  [[nodiscard]] bool has_configuration_of(const std::string& of) const {
    return parts_ == nullptr || std::ranges::any_of(parts_->of, [&](const char* word) { return of == word; });
  }

 private:
  const RoleParts* parts_ = nullptr;
};

class Comparison {
 public:
  Comparison(const std::string& role, const Facts& golden, const Facts& production)
      : role_(role), golden_(golden), production_(production) {}

  Likeness all() {
    likeness_.production = production_.machine;
    likeness_.observed = production_.observed;
    if (golden_.family != production_.family) {
      likeness_.not_known = fmt::format("the golden machine runs {}, and '{}' runs {}", traits_of(golden_.family).title,
                                        production_.machine, traits_of(production_.family).title);
      return std::move(likeness_);
    }
    const auto everything = [](const std::string&) { return true; };
    each(Part::release, golden_.release, production_.release, plain, everything);
    each(Part::packages, golden_.packages, production_.packages, plain,
         [&](const std::string& name) { return role_.has_package(name); });
    compare_configuration();
    const auto there = [](const std::set<std::string>& names) {
      std::map<std::string, std::string> values;
      for (const auto& name : names) values[name] = "starts with the machine";
      return values;
    };
    each(Part::services, there(golden_.services), there(production_.services), plain, everything);
    const auto listens = [](const std::map<std::string, std::set<std::string>>& ports) {
      std::map<std::string, std::string> values;
      for (const auto& [port, scopes] : ports) values[port] = fmt::format("{}", fmt::join(scopes, ", "));
      return values;
    };
    each(Part::ports, listens(golden_.ports), listens(production_.ports), plain, everything);
    std::ranges::sort(likeness_.differences, {}, [](const Difference& one) {
      return std::tuple(!one.of_role, one.part, std::string_view(one.name));
    });
    if (likeness_.differences.size() > most_differences) likeness_.differences.resize(most_differences);
    return std::move(likeness_);
  }

 private:
  enum class Same { no, yes, but_for_own_values };
  static Same plain(const std::string& golden, const std::string& production) {
    return golden == production ? Same::yes : Same::no;
  }
  // Without a digest of its bytes nobody can tell whether they are the same: what is compared is.
  static Same of_file(const ConfigurationFile& golden, const ConfigurationFile& production) {
    if (golden.not_read.empty() != production.not_read.empty()) return Same::no;
    if (!golden.not_read.empty()) return Same::but_for_own_values;
    if (golden.compared != production.compared) return Same::no;
    const bool differs = !golden.sha256.empty() && !production.sha256.empty() && golden.sha256 != production.sha256;
    return differs ? Same::but_for_own_values : Same::yes;
  }
  static const std::string& shown(const std::string& value) { return value; }
  static std::string shown(const ConfigurationFile& file) {
    return file.not_read.empty() ? file.compared : "not read: " + file.not_read;
  }

  // Why this part cannot be compared; empty: it can.
  [[nodiscard]] std::string why_not(Part part) const {
    std::vector<std::string> why;
    if (const auto found = golden_.not_known.find(part); found != golden_.not_known.end())
      why.push_back("golden machine: " + found->second);
    if (const auto found = production_.not_known.find(part); found != production_.not_known.end())
      why.push_back("production: " + found->second);
    return fmt::format("{}", fmt::join(why, "; "));
  }

  template <class Value, class Equal, class OfRole>
  void each(Part part, const std::map<std::string, Value>& golden, const std::map<std::string, Value>& production,
            Equal equal, OfRole of_role) {
    auto& counts = likeness_.parts.emplace_back();
    counts.part = part;
    counts.not_known = why_not(part);
    if (!counts.not_known.empty()) return;
    const auto differs = [&](const std::string& name, std::string there, std::string here) {
      const bool is_of_role = of_role(name);
      counts.of_role += is_of_role ? 1 : 0;
      likeness_.differences.push_back({part, name, std::move(there), std::move(here), is_of_role});
    };
    for (const auto& [name, value] : golden) {
      const auto other = production.find(name);
      if (other == production.end()) {
        ++counts.only_golden;
        differs(name, std::string(shown(value)), {});
        continue;
      }
      switch (equal(value, other->second)) {
        case Same::but_for_own_values: ++counts.own_values; [[fallthrough]];
        case Same::yes: ++counts.same; break;
        case Same::no:
          ++counts.other;
          differs(name, std::string(shown(value)), std::string(shown(other->second)));
          break;
      }
    }
    for (const auto& [name, value] : production) {
      if (golden.contains(name)) continue;
      ++counts.only_production;
      differs(name, {}, std::string(shown(value)));
    }
  }

  void compare_configuration() {
    const auto of_role = [&](const std::string& path) {
      const auto here = golden_.files.find(path);
      const auto& file = here != golden_.files.end() ? here->second : production_.files.at(path);
      return role_.has_configuration_of(file.of);
    };
    each(Part::configuration, golden_.files, production_.files, of_file, of_role);
    likeness_.golden_configuration = configuration_digest(golden_);
    likeness_.production_configuration = configuration_digest(production_);
  }
  // Of the role's files alone. Names cannot hold line ends: the reader refuses them.
  [[nodiscard]] std::string configuration_digest(const Facts& facts) const {
    if (facts.not_known.contains(Part::configuration)) return {};
    std::string text;
    for (const auto& [path, file] : facts.files) {
      if (role_.has_configuration_of(file.of)) text += fmt::format("{}\n{}\n", path, shown(file));
    }
    return text.empty() ? std::string() : sha256(text);
  }

  const Role role_;
  const Facts& golden_;
  const Facts& production_;
  Likeness likeness_;
};

}  // namespace

const std::vector<RoleParts>& role_parts() {
  static const std::vector<RoleParts> table{
      {"dns", {"bind9*", "unbound*", "nsd*", "feature DNS"}, {"bind", "dns"}},
      {"dhcp", {"kea*", "isc-dhcp*", "feature DHCP"}, {"kea", "isc-dhcp", "dhcp"}},
      {"file", {"samba*", "winbind*", "libsmb*", "libwbclient*", "nfs-*", "feature F*"}, {"samba", "nfs", "smb"}},
      {"print", {"cups*", "libcups*", "foomatic*", "ghostscript*", "feature Print*"}, {"cups", "print"}},
      {"mail", {"postfix*", "exim4*", "dovecot*"}, {"postfix", "exim4", "dovecot"}},
      {"db", {"postgresql*", "libpq*", "mariadb*", "mysql*"}, {"postgresql", "mysql"}},
      {"web", {"apache2*", "nginx*", "libapache2*", "php*", "feature Web*"}, {"apache2", "nginx", "iis"}},
      {"directory",
       {"slapd*", "krb5*", "samba*", "winbind*", "feature AD*", "feature DNS"},
       {"openldap", "krb5", "samba", "directory", "dns"}},
  };
  return table;
}

Likeness compare(const std::string& role, const Facts& golden, const Facts& production) {
  return Comparison(role, golden, production).all();
}

Likeness unknown_likeness(std::string why) {
  Likeness likeness;
  likeness.not_known = std::move(why);
  return likeness;
}

Likeness likeness_of(const std::string& role, const Facts& golden, const std::optional<GivenFacts>& production,
                     const std::string& expected_file) {
  if (!production)
    return unknown_likeness(
        fmt::format("nobody collected facts of the machine that it stands for ('{}' is not there)", expected_file));
  auto likeness = compare(role, golden, production->facts);
  likeness.facts = production->sha256;
  return likeness;
}

}  // namespace patchlab::lab::facts
