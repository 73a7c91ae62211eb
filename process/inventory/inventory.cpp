// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/inventory/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"

namespace patchlab::process {
namespace {

using Words = std::set<std::string>;

// One machine under the names that people give it: upper and lower case, with its domain or without.
class Names {
 public:
  void add(const std::string& name) { all_.insert(plain(name)); }
  // After all were added.
  [[nodiscard]] std::string key_of(const std::string& name) const {
    const auto key = plain(name);
    const auto whole = whole_names_of(key);
    return whole.size() == 1 ? whole.front() : key;
  }
  // Those with a domain that a name without one may be.
  [[nodiscard]] std::vector<std::string> whole_names_of(const std::string& name) const {
    std::vector<std::string> found;
    const auto key = plain(name);
    if (key.find('.') != std::string::npos || canonical_address(key)) return found;
    for (auto at = all_.lower_bound(key + "."); at != all_.end() && at->starts_with(key + "."); ++at)
      found.push_back(*at);
    return found;
  }

 private:
  static std::string plain(const std::string& name) {
    auto key = lower_case(name);
    if (key.ends_with('.')) key.pop_back();
    return key;
  }
  Words all_;
};

struct Listing {
  const Inventory* inventory;
  const ListedMachine* machine;
  [[nodiscard]] std::string place() const { return fmt::format("{}, {}", inventory->file, machine->place); }
};

// What inventories say of machines that nobody patches: that is a closed list, and whoever is called otherwise counts.
enum class Service { yes, no, not_known };
Service service_of(const ListedMachine& machine) {
  static const Words in{"",       "active", "failed",      "in maintenance", "in production", "in service",
                        "in use", "live",   "maintenance", "operational",    "production"};
  static const Words out{"decommissioned", "decommissioning", "disposed", "in stock",       "inactive", "inventory",
                         "not in service", "offline",         "planned",  "out of service", "retired",  "staged"};
  auto status = lower_case(machine.status);
  std::ranges::replace_if(
      status, [](char c) { return c == '-' || c == '_'; }, ' ');
  return out.contains(status) ? Service::no : in.contains(status) ? Service::yes : Service::not_known;
}
bool is_in_service(const ListedMachine& machine) { return service_of(machine) != Service::no; }
// What two lists say differently is not sure; one that says nothing contradicts none.
bool is_surely_out_of_service(const std::vector<Listing>& listings) {
  return std::ranges::any_of(listings, [](const Listing& one) { return !is_in_service(*one.machine); }) &&
         std::ranges::all_of(
             listings, [](const Listing& one) { return one.machine->status.empty() || !is_in_service(*one.machine); });
}

// What two people write of one thing: "Debian 12", "debian-12".
std::string letters_of(const std::string& text) {
  std::string letters;
  for (const char c : lower_case(text)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) letters += c;
  }
  return letters;
}

std::vector<std::string> list_of(const Words& words) { return {words.begin(), words.end()}; }

class Comparison {
 public:
  explicit Comparison(const InventoryInput& input) : input_(input) {
    for (const auto& one : input.tested) {
      departments_.insert(one.department);
      roles_.insert(one.role);
    }
    collect();
  }

  InventoryResult run() {
    result_.asked_who_answers = input_.answering.has_value();
    result_.asked_reports = input_.reported.has_value();
    for (const auto& inventory : input_.inventories) {
      result_.sources.push_back({inventory.file, inventory.sha256, to_string(inventory.format),
                                 inventory.machines.size(), inventory.not_read});
      if (!inventory.not_whole.empty()) find(InventoryFindingKind::not_whole, inventory.file, inventory.not_whole);
    }
    for (const auto& [key, listings] : listings_) result_.machines.push_back(known(key, listings));
    look_for_servers();
    look_at_addresses();
    if (input_.answering) look_who_answers();
    if (input_.reported) look_at_reports();
    for (const auto& question : input_.questions) result_.answers.push_back(answers(question));
    std::ranges::stable_sort(result_.findings, [](const auto& a, const auto& b) {
      return std::tie(a.kind, a.subject) < std::tie(b.kind, b.subject);
    });
    return std::move(result_);
  }

 private:
  void find(InventoryFindingKind kind, const std::string& subject, const std::string& why,
            std::vector<std::string> places = {}) {
    result_.findings.push_back({kind, subject, why, std::move(places)});
  }

  void collect() {
    Words written;
    for (const auto& inventory : input_.inventories) {
      for (const auto& machine : inventory.machines) written.insert(machine.name);
    }
    if (input_.reported) {
      for (const auto& one : *input_.reported) written.insert(one.machine);
    }
    for (const auto& name : written) names_.add(name);
    for (const auto& name : written) {
      if (const auto whole = names_.whole_names_of(name); whole.size() > 1)
        find(InventoryFindingKind::ambiguous, name, fmt::format("may be {}", listed(whole, " or ")));
    }
    for (const auto& inventory : input_.inventories) {
      for (const auto& machine : inventory.machines)
        listings_[names_.key_of(machine.name)].push_back({&inventory, &machine});
    }
    if (!input_.reported) return;
    for (const auto& one : *input_.reported) said_[names_.key_of(one.machine)].push_back(&one);
  }

  // The scenario's word for it.
  [[nodiscard]] std::string ours(const std::string& word) const {
    const auto key = lower_case(word);
    const auto at = input_.called.find(key);
    return at == input_.called.end() ? key : at->second;
  }
  // What a listing says as such; else those of its groups that are words of the scenario.
  [[nodiscard]] Words words_of(const std::string& said, const std::vector<std::string>& groups,
                               const Words& known) const {
    if (!said.empty()) return {ours(said)};
    Words words;
    for (const auto& group : groups) {
      if (known.contains(ours(group))) words.insert(ours(group));
    }
    return words;
  }

  KnownMachine known(const std::string& key, const std::vector<Listing>& listings) {
    KnownMachine machine;
    machine.name = key;
    Words files, addresses, departments, roles, systems;
    for (const auto& one : listings) {
      files.insert(one.inventory->file);
      if (!one.machine->address.empty()) addresses.insert(one.machine->address);
      departments.merge(words_of(one.machine->department, one.machine->groups, departments_));
      roles.merge(words_of(one.machine->role, one.machine->groups, roles_));
      if (!one.machine->system.empty()) systems.insert(one.machine->system);
    }
    machine.in_service = !is_surely_out_of_service(listings);
    if (const auto said = said_.find(key); said != said_.end()) {
      const auto* newest =
          *std::ranges::max_element(said->second, {}, [](const auto* one) { return parse_rfc3339(one->observed); });
      machine.reported = newest->observed;
      if (departments.empty() && !newest->department.empty()) departments.insert(newest->department);
    }
    machine.listed_in = list_of(files);
    machine.addresses = list_of(addresses);
    machine.departments = list_of(departments);
    machine.roles = list_of(roles);
    machine.systems = list_of(systems);
    compare_listings(machine, listings);
    for (const auto& one : listings) {
      if (service_of(*one.machine) == Service::not_known)
        find(InventoryFindingKind::status_unknown, machine.name,
             fmt::format("whether it is in service is not known: its status is '{}'", one.machine->status),
             {one.place()});
    }
    if (machine.in_service) judge(machine, listings);
    return machine;
  }

  // What they say of one fact, in the words of each.
  template <class Value>
  void compare_fact(const KnownMachine& machine, const std::vector<Listing>& listings, const char* fact,
                    const Value& value_of) {
    std::map<std::string, std::string> first;  // value, as it is compared: who says it, and how
    std::vector<std::string> says, places;
    for (const auto& one : listings) {
      const auto [value, written] = value_of(*one.machine);
      if (value.empty()) continue;
      if (!first.emplace(value, written).second) continue;
      says.push_back(fmt::format("'{}' in {}", written, one.inventory->file));
      places.push_back(one.place());
    }
    if (first.size() > 1)
      find(InventoryFindingKind::differs, machine.name, fmt::format("{}: {}", fact, listed(says, ", ")),
           std::move(places));
  }
  void compare_listings(const KnownMachine& machine, const std::vector<Listing>& listings) {
    using Pair = std::pair<std::string, std::string>;
    const auto words = [](const Words& all) { return Pair{listed(all), listed(all)}; };
    compare_fact(machine, listings, "address", [](const ListedMachine& one) { return Pair{one.address, one.address}; });
    compare_fact(machine, listings, "department",
                 [&](const ListedMachine& one) { return words(words_of(one.department, one.groups, departments_)); });
    compare_fact(machine, listings, "role",
                 [&](const ListedMachine& one) { return words(words_of(one.role, one.groups, roles_)); });
    compare_fact(machine, listings, "system", [](const ListedMachine& one) {
      return Pair{letters_of(one.system), one.system};
    });
    compare_fact(machine, listings, "in service", [](const ListedMachine& one) {
      return Pair{one.status.empty() ? "" : is_in_service(one) ? "yes" : "no", one.status};
    });
    const auto said = said_.find(machine.name);
    if (said == said_.end()) return;
    Words told;
    for (const auto* one : said->second) {
      const bool is_new = !one->department.empty() && told.insert(one->department).second;
      if (is_new && !machine.departments.empty() && std::ranges::count(machine.departments, one->department) == 0)
        find(InventoryFindingKind::differs, machine.name,
             fmt::format("department: '{}' in {}, and it reported as one of '{}' ({})", listed(machine.departments),
                         listed(machine.listed_in), one->department, one->from),
             {one->from});
    }
  }

  [[nodiscard]] std::vector<std::string> tested_as(const std::string& role, const Words& departments) const {
    std::vector<std::string> found;
    for (const auto& one : input_.tested) {
      if (one.role == role && departments.contains(one.department)) found.push_back(one.department + "/" + one.machine);
    }
    return found;
  }

  void judge(KnownMachine& machine, const std::vector<Listing>& listings) {
    std::vector<std::string> places;
    Words groups;
    for (const auto& one : listings) {
      places.push_back(one.place());
      groups.insert(one.machine->groups.begin(), one.machine->groups.end());
    }
    if (machine.roles.empty()) {
      find(InventoryFindingKind::role_unknown, machine.name,
           groups.empty() ? "no inventory says its role"
                          : fmt::format("none of its groups is a role of the scenario: {}", listed(groups)),
           places);
      return;
    }
    for (const auto& role : machine.roles) judge_role(machine, role, places);
  }
  void judge_role(KnownMachine& machine, const std::string& role, const std::vector<std::string>& places) {
    const auto everywhere = tested_as(role, departments_);
    if (everywhere.empty()) {
      find(InventoryFindingKind::untested, machine.name,
           fmt::format("no machine of the scenario has its role '{}'", role), places);
      return;
    }
    Words departments(machine.departments.begin(), machine.departments.end());
    const bool is_said = !departments.empty();
    if (!is_said) departments = departments_;
    for (const auto& department : departments) {
      const auto found = tested_as(role, {department});
      machine.tested_as.insert(machine.tested_as.end(), found.begin(), found.end());
      if (!found.empty()) continue;
      if (!is_said) {
        machine.tested_as.clear();
        find(
            InventoryFindingKind::department_unknown, machine.name,
            fmt::format("its role '{}' is tested in {} only, and nobody says its department", role, listed(everywhere)),
            places);
        return;
      }
      find(InventoryFindingKind::untested, machine.name,
           departments_.contains(department)
               ? fmt::format("its role '{}' is tested in {}, and not in its department '{}'", role, listed(everywhere),
                             department)
               : fmt::format("its department '{}' is not in the scenario", department),
           places);
    }
  }

  void look_for_servers() {
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> wanted;
    for (const auto& one : input_.tested) wanted[{one.department, one.role}].push_back(one.machine);
    for (const auto& [where, machines] : wanted) {
      const auto& department = where.first;
      const auto& role = where.second;
      const bool has_server = std::ranges::any_of(result_.machines, [&](const KnownMachine& machine) {
        return machine.in_service && std::ranges::count(machine.roles, role) > 0 &&
               (machine.departments.empty() || std::ranges::count(machine.departments, department) > 0);
      });
      if (!has_server)
        find(InventoryFindingKind::no_server, fmt::format("{}/{}", department, listed(machines)),
             fmt::format("no server of '{}' has the role '{}'", department, role));
    }
  }

  void look_at_addresses() {
    std::map<std::string, Words> machines;  // by address
    for (const auto& machine : result_.machines) {
      if (!machine.in_service) continue;
      for (const auto& address : machine.addresses) machines[address].insert(machine.name);
    }
    for (const auto& [address, names] : machines) {
      if (names.size() > 1)
        find(InventoryFindingKind::shared_address, address, fmt::format("is the address of {}", listed(names)));
    }
  }

  void look_who_answers() {
    const auto& list = *input_.answering;
    result_.answering = list.systems.size();
    if (!list.not_whole.empty()) find(InventoryFindingKind::not_whole, list.file, list.not_whole);
    // Of one that is not in half a list nothing is known.
    for (auto& machine : result_.machines) {
      if (!machine.addresses.empty() && list.not_whole.empty()) machine.answers = false;
    }
    for (const auto& system : list.systems) {
      const auto place = fmt::format("{}, {}", list.file, system.place);
      bool is_listed = false;
      for (auto& machine : result_.machines) {
        const bool by_address = std::ranges::count(machine.addresses, system.address) > 0;
        const bool by_name = !system.name.empty() && names_.key_of(system.name) == machine.name;
        if (!by_address && !(by_name && !is_address_of_another(system.address, machine))) continue;
        is_listed = true;
        machine.answers = true;
        if (!machine.in_service)
          find(InventoryFindingKind::answers_out_of_service, machine.name,
               fmt::format("answers at {}, and {} says that it is not in service", system.address,
                           listed(machine.listed_in)),
               {place});
        if (!by_address && !machine.addresses.empty())
          find(InventoryFindingKind::other_address, machine.name,
               fmt::format("answers at {}, and is listed with {}", system.address, listed(machine.addresses)), {place});
      }
      if (!is_listed)
        find(InventoryFindingKind::not_listed, system.address,
             system.name.empty() ? "answers, and is in no inventory"
                                 : fmt::format("answers as '{}', and is in no inventory", system.name),
             {place});
    }
  }
  // What an address is listed for counts before the name that somebody else's name server has for it.
  [[nodiscard]] bool is_address_of_another(const std::string& address, const KnownMachine& machine) const {
    return std::ranges::any_of(result_.machines, [&](const KnownMachine& other) {
      return other.name != machine.name && std::ranges::count(other.addresses, address) > 0;
    });
  }

  void look_at_reports() {
    result_.said = said_.size();
    for (const auto& machine : result_.machines) {
      if (machine.in_service && machine.reported.empty())
        find(InventoryFindingKind::never_reported, machine.name, "never reported what it has");
    }
    for (const auto& [key, said] : said_) {
      if (listings_.contains(key)) continue;
      Words from;
      for (const auto* one : said) from.insert(one->from);
      find(InventoryFindingKind::reported_not_listed, key, "reported what it has, and is in no inventory",
           list_of(from));
    }
  }

  Answers answers(const Question& question) const {
    Answers answers{question, {}, {}};
    const auto add = [&](const std::string& name, const std::string& department, std::vector<const Reported*> said) {
      answers.rows.push_back(answer_of(question, name, department, std::move(said)));
      if (answers.rows.back().observed.empty() && !input_.reported && answers.rows.back().from.empty())
        answers.rows.back().why = "nobody asked what it reported";
    };
    for (const auto& machine : result_.machines) {
      if (!machine.in_service) {
        answers.left_out.push_back({machine.name, listed(machine.departments), why_not_in_service(machine.name)});
        continue;
      }
      const auto said = said_.find(machine.name);
      add(machine.name, listed(machine.departments),
          said == said_.end() ? std::vector<const Reported*>() : said->second);
    }
    for (const auto& [key, said] : said_) {
      if (!listings_.contains(key)) add(key, said.front()->department, said);
    }
    for (const auto& one : input_.golden) add(one.machine, one.department, {&one});
    std::ranges::stable_sort(answers.rows, [](const Answer& a, const Answer& b) {
      return std::tie(a.state, a.machine) < std::tie(b.state, b.machine);
    });
    return answers;
  }

  [[nodiscard]] std::string why_not_in_service(const std::string& key) const {
    const auto& listings = listings_.at(key);
    const auto one =
        std::ranges::find_if(listings, [](const Listing& listing) { return !is_in_service(*listing.machine); });
    return one == listings.end() ? std::string()
                                 : fmt::format("'{}' in {}", one->machine->status, one->inventory->file);
  }

  const InventoryInput& input_;
  Words departments_, roles_;
  Names names_;
  std::map<std::string, std::vector<Listing>> listings_;      // by key
  std::map<std::string, std::vector<const Reported*>> said_;  // by key
  InventoryResult result_;
};

}  // namespace

const char* to_string(InventoryFindingKind kind) {
  switch (kind) {
    case InventoryFindingKind::not_listed: return "not-listed";
    case InventoryFindingKind::answers_out_of_service: return "answers-out-of-service";
    case InventoryFindingKind::untested: return "untested";
    case InventoryFindingKind::no_server: return "no-server";
    case InventoryFindingKind::role_unknown: return "role-unknown";
    case InventoryFindingKind::department_unknown: return "department-unknown";
    case InventoryFindingKind::status_unknown: return "status-unknown";
    case InventoryFindingKind::differs: return "differs";
    case InventoryFindingKind::shared_address: return "shared-address";
    case InventoryFindingKind::other_address: return "other-address";
    case InventoryFindingKind::ambiguous: return "ambiguous";
    case InventoryFindingKind::reported_not_listed: return "reported-not-listed";
    case InventoryFindingKind::never_reported: return "never-reported";
    case InventoryFindingKind::not_whole: return "not-whole";
  }
  return "";
}

std::size_t Answers::count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(rows, [&](const Answer& row) { return counts(question, row.state); }));
}
std::size_t Answers::unknown() const {
  return static_cast<std::size_t>(std::ranges::count(rows, AnswerState::unknown, &Answer::state));
}

std::size_t InventoryResult::count(InventoryFindingKind kind) const {
  return static_cast<std::size_t>(std::ranges::count(findings, kind, &InventoryFinding::kind));
}

bool InventoryResult::clean() const {
  if (answers.empty()) return findings.empty();
  // Of machines that are missing from a list nobody asked anything.
  if (count(InventoryFindingKind::not_whole) > 0) return false;
  return std::ranges::all_of(answers, [](const Answers& one) {
    const bool found = one.question.kind == Question::Kind::without && one.count() > 0;
    return !found && one.unknown() == 0;
  });
}

InventoryResult compare_inventory(const InventoryInput& input) { return Comparison(input).run(); }

}  // namespace patchlab::process
