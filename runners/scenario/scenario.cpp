// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/scenario/scenario.hpp"

#include <fmt/ranges.h>

#include <map>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "lab/guest/windows/host_state.hpp"
#include "lab/libvirt/ssh.hpp"
#include "lab/network/address.hpp"
#include "reports/record/record.hpp"
#include "runners/scenario/check_lists.hpp"

namespace patchlab::runners {
namespace {

using Problems = std::vector<JsonProblem>;
namespace fs = std::filesystem;

std::string join_pointer(const std::string& base, const std::string& token) {
  std::string escaped;
  for (const char c : token) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return base + "/" + escaped;
}

constexpr std::int64_t least_memory_mib = 64;  // no kernel that is tested here begins with less

std::string why_no_name(const std::string& text) {
  return is_scenario_name(text) ? "" : fmt::format("'{}' {}", text, scenario_name_rule);
}

// A service as its guest names it: a unit of systemd, or a service of Windows, where blanks and '$' occur.
bool is_service_name(const std::string& name, GuestFamily family) {
  constexpr std::size_t longest = 256;
  const std::string_view others = family == GuestFamily::windows ? "._:@$ -" : "._:@-";
  return !name.empty() && name.size() <= longest && name.front() != '-' && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

// Debian Policy 5.6.1, as dpkg takes it: capitals and underscores occur outside of Debian.
bool is_source_package(const std::string& name) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && is_letter_or_digit(name.front()) && std::ranges::all_of(name, [&](char c) {
    return is_letter_or_digit(c) || std::string_view("+-._").find(c) != std::string_view::npos;
  });
}

// The words of a policy for what a finding means.
const std::map<std::string, checks::state::FindingClass>& error_words() {
  static const std::map<std::string, checks::state::FindingClass> words{{"fail", checks::state::FindingClass::breach},
                                                                        {"review", checks::state::FindingClass::review},
                                                                        {"off", checks::state::FindingClass::notice}};
  return words;
}

class Parser {
 public:
  Parser(const Json& json, const fs::path& folder, ScenarioFor purpose)
      : json_(json),
        folder_(folder),
        purpose_(purpose),
        check_lists_(
            folder, problems_,
            purpose == ScenarioFor::learning ? CheckLists::Missing::is_fine : CheckLists::Missing::is_a_problem) {}

  Scenario parse() {
    Scenario scenario;
    JsonReader top(json_, "", problems_);
    (void)top.text_or("$schema", "");
    (void)top.text_or("folder", ".", not_empty("the folder that paths are relative to"));
    if (top.has("planned")) scenario.planned = read_planned(top);
    scenario.name = top.text("name", why_no_name);
    scenario.title =
        top.text_or("title", scenario.name, not_empty("it is what people read; leave it out for the name"));
    read_roles(top);
    read_departments(top, scenario);
    read_candidates(top, scenario);
    read_next_packages(top, scenario);
    scenario.trial = default_trial(family_of(scenario));
    if (top.has("trial")) read_trial(top.raw("trial"), scenario);
    scenario.trial.next_package = !scenario.next_packages.empty();
    const auto stage = top.text_or("stage", "production", [](const std::string& text) {
      const auto path = absolute_path(text);
      return path ? "" : path.error().message;
    });
    scenario.stage = absolute_path(stage).value_or({});
    scenario.facts = resolve(top.text_or("facts", "", not_empty("the folder of facts of production")), "/facts");
    top.finish();
    return scenario;
  }

  [[nodiscard]] std::string problems_in_files() const { return check_lists_.problems_in_files(); }

  // A role that several machines have is wrong once, and a value too: what is said first of it is what is wrong.
  Problems take_problems() {
    Problems once;
    for (auto& problem : problems_) {
      const auto same = [&](const JsonProblem& other) {
        return other == problem || (other.pointer == problem.pointer && is_a_leaf(problem.pointer));
      };
      if (std::ranges::none_of(once, same)) once.push_back(std::move(problem));
    }
    return once;
  }

 private:
  void add(const std::string& pointer, std::string message) { problems_.push_back({pointer, std::move(message)}); }

  // Relative to the scenario's folder. An empty path, after a problem, when that names nothing.
  fs::path resolve(const std::string& text, const std::string& pointer) {
    if (text.empty()) return {};
    auto path = resolved_path(folder_ / text);
    if (path) return std::move(*path);
    add(pointer, path.error().message);
    return {};
  }

  // Whether a place in the file holds one value, which is right or wrong as a whole.
  [[nodiscard]] bool is_a_leaf(const std::string& pointer) const {
    const Json::json_pointer at(pointer);
    return json_.contains(at) && json_.at(at).is_primitive();
  }

  // Each by itself too, also one that no machine has: what it says must be right, and it may leave out anything.
  void read_roles(JsonReader& top) {
    roles_ = Json::object();
    if (!top.has("roles")) return;
    const auto& roles = top.raw("roles");
    if (!roles.is_object()) {
      top.problem("roles", fmt::format("must be an object of role name to role, found {}", roles.type_name()));
      are_roles_known_ = false;
      return;
    }
    roles_ = roles;
    for (const auto& [name, role] : roles_.items()) {
      const auto place = join_pointer("/roles", name);
      if (name.empty()) add(place, "a role needs a name");
      if (!role.is_object()) {
        add(place, fmt::format("must be an object, found {}", role.type_name()));
        continue;
      }
      MachinePlan ignored;
      const auto before = problems_.size();
      read_merged(role, place, Reading::role_alone, ignored);
      forget_problems_at(place, before);
    }
  }

  // What `patchlab plan` says of where it comes from; a run goes by `left_out` alone, and says what is not in it.
  PlannedScenario read_planned(JsonReader& top) {
    PlannedScenario planned;
    auto reader = top.object("planned");
    (void)reader.text("at");
    const auto digest = [](const std::string& text) {
      return is_sha256(text) ? "" : "must be 64 lower-case hex digits";
    };
    auto made_from = reader.object("template");
    (void)made_from.text("file");
    (void)made_from.text("name", why_no_name);
    (void)made_from.text("digest", digest);
    made_from.finish();
    if (reader.has("scan")) {  // an emergency has none
      auto scan = reader.object("scan");
      (void)scan.text("digest", digest);
      (void)scan.text("day");
      (void)scan.boolean_or("whole", false);
      (void)scan.raw("decisions");  // for people and programs, as below
      scan.finish();
    }
    for (const char* key : {"feeds", "foreseen"}) (void)reader.raw(key);  // for people and programs
    (void)reader.texts_or_empty("due");
    (void)reader.text_or("emergency", "");
    planned.candidates = reader.texts_or_empty("candidates");
    planned.not_tested = reader.texts_or_empty("not_tested");
    planned.roles = reader.texts_or_empty("roles");
    planned.left_out = reader.texts_or_empty("left_out");
    if (reader.has("closes")) planned.closes = read_closes(reader);
    reader.finish();
    return planned;
  }

  std::vector<PlannedCloses> read_closes(JsonReader& reader) {
    std::vector<PlannedCloses> all;
    const auto& list = reader.raw("closes");
    if (!list.is_array()) reader.problem("closes", "must be a list");
    for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
      JsonReader one(list[i], fmt::format("{}/{}", reader.at("closes"), i), problems_);
      PlannedCloses closes;
      closes.candidate = one.text("candidate");
      closes.department = one.text("department");
      closes.machine = one.text("machine");
      closes.vulnerabilities = one.texts_or_empty("vulnerabilities");
      const auto& needs = one.raw("needs");
      if (!needs.is_array()) one.problem("needs", "must be a list");
      for (std::size_t k = 0; needs.is_array() && k < needs.size(); ++k) {
        JsonReader need(needs[k], fmt::format("{}/{}", one.at("needs"), k), problems_);
        auto package = need.text("package");
        closes.needs[std::move(package)] = need.text("version");
        need.finish();
      }
      one.finish();
      all.push_back(std::move(closes));
    }
    return all;
  }

  void read_departments(JsonReader& top, Scenario& scenario) {
    const auto& departments = top.raw("departments");
    if (!departments.is_object() || departments.empty()) {
      top.problem("departments", "is required: an object of department name to department, at least one");
      return;
    }
    for (const auto& [name, value] : departments.items()) {
      const auto pointer = join_pointer("/departments", name);
      if (auto trouble = why_no_name(name); !trouble.empty()) add(pointer, std::move(trouble));
      scenario.departments.push_back(read_department(name, value, pointer));
    }
  }

  DepartmentPlan read_department(const std::string& name, const Json& value, const std::string& pointer) {
    DepartmentPlan department{name, {}, {}, pointer};
    JsonReader reader(value, pointer, problems_);
    auto network = reader.object("network");
    department.network.subnet = network.text("subnet", not_empty("the subnet of the department, as 10.20.0.0/24"));
    department.network.gateway = network.text("gateway", not_empty("production's gateway, as 10.20.0.1"));
    department.network.client = network.text("client", not_empty("the address that checks speak from"));
    network.finish();
    const auto importance = read_importance(reader);
    const auto& machines = reader.raw("machines");
    if (!machines.is_object() || machines.empty()) {
      reader.problem("machines", "is required: an object of machine name to machine, at least one");
    } else {
      for (const auto& [machine, plan] : machines.items()) {
        const auto place = join_pointer(pointer + "/machines", machine);
        if (auto trouble = why_no_name(machine); !trouble.empty()) add(place, std::move(trouble));
        department.machines.push_back(read_machine(machine, plan, place));
        auto& own = department.machines.back().importance;
        if (!own) own = importance;
      }
      check_dependencies(department);
      check_goldens(department);
      check_addresses(department);
    }
    reader.finish();
    return department;
  }

  // A machine is its role's template with its own keys on top; a problem points at the place the value came from.
  MachinePlan read_machine(const std::string& name, const Json& own, const std::string& pointer) {
    MachinePlan plan;
    plan.name = name;
    plan.pointer = pointer;
    if (!own.is_object()) {
      add(pointer, fmt::format("must be an object, found {}", own.type_name()));
      return plan;
    }
    plan.role = name;
    bool is_known = are_roles_known_;  // what the role says
    if (const auto role = own.find("role"); role != own.end()) {
      if (role->is_string()) {
        plan.role = role->get<std::string>();
      } else {
        is_known = false;
        add(pointer + "/role", fmt::format("must be text, found {}", role->type_name()));
      }
    }
    Json merged = Json::object();
    if (const auto role = roles_.find(plan.role); role != roles_.end()) {
      if (role->is_object())
        merged = *role;
      else
        is_known = false;
    } else if (is_known && own.contains("role")) {
      const auto names = role_names();
      is_known = false;
      add(pointer + "/role", fmt::format("role '{}' is not defined; defined roles: {}", plan.role,
                                         names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
    }
    merged.erase("role");
    for (const auto& [key, value] : own.items()) merged[key] = value;
    const auto before = problems_.size();
    read_merged(merged, pointer, Reading::machine, plan);
    if (!is_known) forget_problems_at(pointer, before);  // of keys that the role may give
    point_at_the_role(before, own, pointer, plan.role);
    return plan;
  }

  void forget_problems_at(const std::string& pointer, std::size_t from) {
    const auto is_there = [&](const JsonProblem& problem) { return problem.pointer == pointer; };
    const auto begin = problems_.begin() + static_cast<std::ptrdiff_t>(from);
    problems_.erase(std::remove_if(begin, problems_.end(), is_there), problems_.end());
  }

  // What is wrong with a value of the role is wrong there, since that is what is in the file; and once.
  void point_at_the_role(std::size_t from, const Json& own, const std::string& pointer, const std::string& role_name) {
    const auto role = roles_.find(role_name);
    if (role == roles_.end() || !role->is_object()) return;
    Problems found(problems_.begin() + static_cast<std::ptrdiff_t>(from), problems_.end());
    problems_.resize(from);
    for (auto& problem : found) {
      auto& place = problem.pointer;
      bool is_the_roles = false;
      for (const auto& [key, value] : role->items()) {
        const auto at = join_pointer(pointer, key);
        if (own.contains(key) || !(place == at || place.starts_with(at + "/"))) continue;
        place = join_pointer(join_pointer("/roles", role_name), key) + place.substr(at.size());
        is_the_roles = true;
        break;
      }
      const auto is_said = [&](const JsonProblem& other) { return other.pointer == place; };
      const auto before = problems_.begin() + static_cast<std::ptrdiff_t>(from);
      if (!is_the_roles || std::none_of(problems_.begin(), before, is_said)) problems_.push_back(std::move(problem));
    }
  }

  // A role may leave out what its machines say, so what belongs together is looked at with a machine only.
  enum class Reading { machine, role_alone };

  void read_merged(const Json& merged, const std::string& pointer, Reading reading, MachinePlan& plan) {
    JsonReader reader(merged, pointer, problems_);
    if (reading == Reading::machine) (void)reader.raw("role");
    read_golden(reader, plan);
    plan.address = reader.text("address", [](const std::string& text) {
      const auto address = lab::network::Ipv4::parse(text);
      return address ? "" : address.error().message;
    });
    read_memory(reader, plan);
    plan.services = read_services(reader, plan, reading);
    plan.watch_access = reader.texts_or_empty("watch_access", [](const std::string& path) {
      return lab::guest::windows::is_watchable_path(path)
                 ? ""
                 : fmt::format("'{}' must be a path such as C:\\Shares\\Finance, of ASCII characters", path);
    });
    if (reader.has("ready_tcp")) plan.ready_tcp = read_ports(reader.raw("ready_tcp"), pointer + "/ready_tcp");
    plan.depends_on = reader.texts_or_empty("depends_on", why_no_name);
    if (reader.has("exposed")) plan.exposed = reader.boolean_or("exposed", true);
    plan.importance = read_importance(reader);
    const auto accounts = read_accounts(reader, reading);
    plan.accounts = accounts.value_or(Accounts());
    auto checks = check_lists_.read(reader, accounts);
    plan.checks = std::move(checks.checks);
    plan.check_files = std::move(checks.files);
    if (reader.has("allow")) {
      plan.allowances = checks::state::read_allowances(reader.raw("allow"), pointer + "/allow", problems_);
    }
    // For people, who want to know later why a difference is no finding.
    (void)reader.text_or("why", "", [&](const std::string& why) {
      if (why.empty()) return "an empty reason says nothing";
      return reader.has("allow") || reading == Reading::role_alone ? "" : "says why of 'allow', which is not there";
    });
    reader.finish();
  }

  static std::optional<Importance> read_importance(JsonReader& reader) {
    if (!reader.has("importance")) return std::nullopt;
    return importance_from(reader.text("importance", [](const std::string& word) {
      return importance_from(word) ? ""
                                   : fmt::format("'{}' is not one of: {}; leave it out where nobody knows", word,
                                                 fmt::join(importance_words, ", "));
    }));
  }

  static std::optional<GuestFamily> known_family(const Json& golden) {
    const Json::json_pointer place("/system/family");
    if (!golden.contains(place) || !golden.at(place).is_string()) return std::nullopt;
    return guest_family_from(golden.at(place).get<std::string>());
  }

  static void read_memory(JsonReader& reader, MachinePlan& plan) {
    const auto most = std::int64_t{1} << 20;
    const auto memory = reader.integer_or("memory_mib", 0, 0, most);
    if (plan.golden.domain && reader.has("memory_mib"))
      reader.problem("memory_mib", "cannot be set here: a clone keeps the memory of its golden domain");
    else if (memory != 0 && memory < least_memory_mib)
      reader.problem("memory_mib", fmt::format("must be 0 (what the image says), or from {} to {}, found {}",
                                               least_memory_mib, most, memory));
    plan.memory_mib = static_cast<std::uint32_t>(memory);
  }

  // Of a guest of which nobody knows yet what it is, the names of both families.
  static std::vector<std::string> read_services(JsonReader& reader, const MachinePlan& plan, Reading reading) {
    const bool is_open = reading == Reading::role_alone && !reader.has("golden");
    const auto family = plan.golden.domain ? known_family(reader.raw("golden")).value_or(GuestFamily::windows)
                        : is_open          ? GuestFamily::windows
                                           : GuestFamily::debian;
    return reader.texts_or_empty("services", [family](const std::string& name) {
      return is_service_name(name, family)
                 ? ""
                 : fmt::format("'{}' cannot be the name of a service: letters, digits and . _ : @ -{}", name,
                               family == GuestFamily::windows ? ", blanks and $" : "");
    });
  }

  std::vector<std::string> role_names() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : roles_.items()) names.push_back(name);
    return names;
  }

  void read_golden(JsonReader& machine, MachinePlan& plan) {
    if (!machine.has("golden")) {
      machine.problem("golden",
                      R"(is required: {"recipe": "images/dns"}, or {"libvirt": "qemu:///system", "domain": ...})");
      return;
    }
    const auto pointer = machine.at("golden");
    JsonReader reader(machine.raw("golden"), pointer, problems_);
    if (reader.has("libvirt") || reader.has("domain"))
      return read_golden_domain(reader, machine.raw("golden"), pointer, plan);
    plan.golden.recipe =
        resolve(reader.text("recipe", not_empty("the folder of an image recipe, as images/dns")), pointer + "/recipe");
    reader.finish();
    if (!plan.golden.recipe.empty() && !is_there(plan.golden.recipe / "image.json")) {
      add(pointer + "/recipe",
          fmt::format("there is no golden image recipe at '{}' (no image.json in it)", plan.golden.recipe.string()));
    }
  }

  void read_golden_domain(JsonReader& reader, const Json& value, const std::string& pointer, MachinePlan& plan) {
    auto& golden = plan.golden.domain.emplace();
    golden.uri = reader.text("libvirt", [](const std::string& uri) {
      if (uri.find("://") == std::string::npos)
        return fmt::format("'{}' is no URI of a libvirt such as qemu:///system", uri);
      const auto destination = lab::libvirt::ssh_destination(uri);
      return destination ? "" : fmt::format("{}; {}", destination.error().message, destination.error().hint);
    });
    golden.domain = reader.text("domain", not_empty("the name of a domain there ('virsh list --all' shows them)"));
    if (reader.has("system"))
      golden.system = guest_system_from(reader.raw("system"), pointer + "/system", problems_);
    else
      reader.problem("system", R"(is required for a domain: {"family": "windows", "version": "6.2.9200"})");
    golden.dpkg_status =
        resolve(reader.text_or("dpkg_status", "", not_empty("the path of a file")), pointer + "/dpkg_status");
    golden.storage = resolve(reader.text_or("storage", "", not_empty("the path of a folder")), pointer + "/storage");
    golden.recording =
        resolve(reader.text_or("recording", "", not_empty("the path of a folder")), pointer + "/recording");
    if (reader.has("recipe"))
      reader.problem("recipe", "cannot stand beside 'domain': a machine comes from one of them");
    reader.finish();
    const auto family = known_family(value);
    if (!family) return;
    const bool is_listed = traits_of(*family).lists_packages;
    if (is_listed && !reader.has("dpkg_status")) {
      reader.problem("dpkg_status",
                     "is required for a Debian domain: a copy of the guest's /var/lib/dpkg/status, by which is planned "
                     "what a candidate changes there");
    } else if (is_listed && !golden.dpkg_status.empty() && !is_file(golden.dpkg_status)) {
      reader.problem("dpkg_status", fmt::format("there is no file '{}'", golden.dpkg_status.string()));
    } else if (!is_listed && reader.has("dpkg_status")) {
      reader.problem("dpkg_status", "is for Debian domains only");
    }
    if (is_listed && reader.has("recording")) {
      reader.problem("recording", "is for Windows domains only");
    } else if (!golden.recording.empty() && !is_folder(golden.recording)) {
      reader.problem("recording", fmt::format("there is no folder '{}'", golden.recording.string()));
    }
  }

  std::vector<std::uint16_t> read_ports(const Json& value, const std::string& pointer) {
    std::vector<std::uint16_t> ports;
    if (!value.is_array()) {
      add(pointer, fmt::format("must be a list of port numbers, found {}", value.type_name()));
      return ports;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_number_integer() && value[i] >= 1 && value[i] <= 65535)
        ports.push_back(value[i].get<std::uint16_t>());
      else
        add(fmt::format("{}/{}", pointer, i),
            fmt::format("must be a port number from 1 to 65535, found {}", value[i].dump()));
    }
    return ports;
  }

  // Of a role alone, its machines may have accounts that it does not know.
  std::optional<Accounts> read_accounts(JsonReader& reader, Reading reading) {
    if (!reader.has("accounts")) return reading == Reading::role_alone ? std::nullopt : std::optional(Accounts());
    Accounts accounts;
    const auto& value = reader.raw("accounts");
    const auto place = reader.at("accounts");
    if (!value.is_object()) {
      add(place, fmt::format("must be an object of user to password, found {}", value.type_name()));
      return std::nullopt;
    }
    for (const auto& [user, password] : value.items()) {
      const auto at = join_pointer(place, user);
      if (user.empty()) add(place, "a user needs a name");
      if (!password.is_string())
        add(at, fmt::format("must be text, found {}", password.type_name()));
      else if (password.get_ref<const std::string&>().empty())
        add(at, "must not be empty: the user's password");
      else
        accounts[user] = password.get<std::string>();
    }
    return accounts;
  }

  // Where a value of a machine is in the file: its own, or that of its role.
  [[nodiscard]] std::string place_of(const MachinePlan& machine, const std::string& key) const {
    const auto& own = json_.at(Json::json_pointer(machine.pointer));
    const auto role = roles_.find(machine.role);
    const bool is_the_roles = !own.contains(key) && role != roles_.end() && role->is_object() && role->contains(key);
    return join_pointer(is_the_roles ? join_pointer("/roles", machine.role) : machine.pointer, key);
  }

  void check_dependencies(const DepartmentPlan& department) {
    for (const auto& machine : department.machines) {
      for (std::size_t i = 0; i < machine.depends_on.size(); ++i) {
        const auto& needed = machine.depends_on[i];
        const auto known =
            std::ranges::any_of(department.machines, [&](const auto& other) { return other.name == needed; });
        const auto place = fmt::format("{}/{}", place_of(machine, "depends_on"), i);
        if (!is_scenario_name(needed)) continue;  // said already
        if (!known) add(place, fmt::format("there is no machine '{}' in department '{}'", needed, department.name));
        if (needed == machine.name) add(place, "a machine cannot depend on itself");
      }
    }
  }

  // A cell has one libvirt, one network and one storage folder.
  void check_goldens(const DepartmentPlan& department) {
    const auto is_known = [](const MachinePlan& machine) {
      return machine.golden.domain || !machine.golden.recipe.empty();
    };
    const auto found = std::ranges::find_if(department.machines, is_known);
    if (found == department.machines.end()) return;
    const auto& first = *found;
    std::map<std::string, std::string> users;
    for (const auto& machine : department.machines) {
      if (!is_known(machine)) continue;
      const auto place = place_of(machine, "golden");
      const auto& own = machine.golden.domain;
      const auto& other = first.golden.domain;
      if (own.has_value() != other.has_value()) {
        add(place,
            fmt::format("'{}' is a clone of {} and '{}' of {}; the machines of a department are all of one kind",
                        first.name, other ? "a domain" : "an image", machine.name, own ? "a domain" : "an image"));
        continue;
      }
      if (!own) continue;
      const bool is_elsewhere = own->uri != other->uri && !own->uri.empty() && !other->uri.empty();
      if (is_elsewhere || own->storage != other->storage) {
        const auto* what = is_elsewhere ? "libvirt" : "storage";
        add(place + "/" + what, fmt::format("is not that of '{}'; the domains of a department are all on one libvirt, "
                                            "with their clones in one storage folder",
                                            first.name));
      }
      const auto [user, is_new] = users.emplace(own->domain, machine.name);
      if (!is_new) {
        add(place + "/domain", fmt::format("'{}' is the golden domain of '{}' too, and both clones would have its MACs",
                                           own->domain, user->second));
      }
    }
  }

  void check_addresses(const DepartmentPlan& department) {
    namespace network = lab::network;
    network::AddressPlan plan;
    bool readable = true;
    const auto read = [&](const std::string& text, const std::string& pointer, auto parsed, auto& target) {
      if (parsed) {
        target = *parsed;
        return;
      }
      readable = false;
      if (!text.empty()) add(pointer, parsed.error().message);  // else that is said already
    };
    const auto& own = department.network;
    const auto pointer = department.pointer + "/network";
    read(own.subnet, pointer + "/subnet", network::Ipv4Subnet::parse(own.subnet), plan.subnet);
    read(own.gateway, pointer + "/gateway", network::Ipv4::parse(own.gateway), plan.gateway);
    read(own.client, pointer + "/client", network::Ipv4::parse(own.client), plan.client);
    std::map<std::string, std::string> places{{"gateway", pointer + "/gateway"}, {"client", pointer + "/client"}};
    for (const auto& machine : department.machines) {
      const auto address = network::Ipv4::parse(machine.address);
      readable = readable && address;
      plan.machines.push_back({"machine '" + machine.name + "'", address.value_or({})});
      places["machine '" + machine.name + "'"] = place_of(machine, "address");
    }
    if (!readable) return;
    for (const auto& problem : network::problems_in(plan)) add(places[problem.subject], problem.message);
  }

  void read_candidates(JsonReader& top, Scenario& scenario) {
    const auto& value = top.raw("candidates");
    if (purpose_ == ScenarioFor::learning && !top.has("candidates")) return;
    if (!value.is_array() || value.empty()) {
      top.problem("candidates", "is required: a list of at least one candidate or source");
      return;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      scenario.candidates.push_back(read_candidate(value[i], fmt::format("/candidates/{}", i)));
    }
  }

  void read_next_packages(JsonReader& top, Scenario& scenario) {
    if (!top.has("next_packages")) return;
    const auto& value = top.raw("next_packages");
    if (!value.is_array()) return top.problem("next_packages", "must be a list of packages");
    for (std::size_t i = 0; i < value.size(); ++i) {
      scenario.next_packages.push_back(read_candidate(value[i], fmt::format("/next_packages/{}", i)));
      if (value[i].is_object() && value[i].contains("source"))
        top.problem("next_packages", i, "must be the same package in every night: path or recipe, and no source");
    }
  }

  CandidateSource read_candidate(const Json& value, const std::string& pointer) {
    CandidateSource source;
    source.pointer = pointer;
    JsonReader reader(value, pointer, problems_);
    const int given = int{reader.has("path")} + int{reader.has("recipe")} + int{reader.has("source")};
    if (given != 1) {
      if (value.is_object()) {
        add(pointer,
            "must have exactly one of: path (a .deb or candidate folder), recipe (a folder), source (\"apt\")");
      }
      return source;
    }
    if (reader.has("path")) {
      source.kind = CandidateSourceKind::path;
      source.path =
          resolve(reader.text("path", not_empty("a package, or the folder of a candidate")), pointer + "/path");
      source.sha256 = reader.text_or("sha256", "", [](const std::string& digest) {
        return is_sha256(digest) ? ""
                                 : "must be 64 lower-case hex digits (sha256sum shows them); leave it out to take any";
      });
      if (!source.path.empty() && !is_there(source.path))
        reader.problem("path", fmt::format("there is no file or folder '{}'", source.path.string()));
    } else if (reader.has("recipe")) {
      source.kind = CandidateSourceKind::recipe;
      source.path = resolve(reader.text("recipe", not_empty("the folder of a candidate recipe")), pointer + "/recipe");
      if (!source.path.empty() && !is_there(source.path / "recipe.json")) {
        reader.problem(
            "recipe", fmt::format("there is no candidate recipe at '{}' (no recipe.json in it)", source.path.string()));
      }
    } else {
      source.kind = CandidateSourceKind::apt;
      (void)reader.text("source", [](const std::string& name) {
        return name == "apt" ? "" : fmt::format("unknown source '{}'; known: apt", name);
      });
      source.packages = reader.texts_or_empty("packages", [](const std::string& name) {
        return is_source_package(name) ? "" : fmt::format("'{}' is no name of a source package such as bind9", name);
      });
      source.limit = static_cast<std::size_t>(reader.integer_or("limit", 0, 0, 10000));
      source.security_only = reader.boolean_or("security_only", false);
      source.as_named = reader.text_or("order", "security-first", [](const std::string& order) {
        return order == "security-first" || order == "as-named"
                   ? ""
                   : fmt::format("unknown order '{}'; known: security-first, as-named", order);
      }) == "as-named";
    }
    reader.finish();
    return source;
  }

  // One policy for the whole run: with one golden domain of Windows it is that of Windows. Stand-ins are small.
  static GuestFamily family_of(const Scenario& scenario) {
    for (const auto& department : scenario.departments) {
      for (const auto& machine : department.machines) {
        if (machine.golden.domain && machine.golden.domain->system.family == GuestFamily::windows)
          return GuestFamily::windows;
      }
    }
    return GuestFamily::debian;
  }

  void read_clock(JsonReader& reader, Scenario& scenario) {
    auto& steps = scenario.trial.clock;
    steps = reader.texts_or_empty("clock", [](const std::string& word) {
      return clock_step_from(word) ? ""
                                   : fmt::format(
                                         "'{}' is no step of a clock: +90s, +15m, +12h, +1d (3650 days at most) "
                                         "or lease-t2",
                                         word);
    });
    constexpr std::size_t most_steps = 10;
    if (steps.size() > most_steps) reader.problem("clock", fmt::format("has more than {} steps", most_steps));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (std::count(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(i), steps[i]) > 0)
        reader.problem("clock", i, fmt::format("'{}' is there twice: phases are called by their steps", steps[i]));
      const auto step = clock_step_from(steps[i]);
      if (!step || step->by || purpose_ != ScenarioFor::running) continue;
      for (const auto& department : scenario.departments) {
        const auto has_lease = [](const auto& machine) {
          return std::ranges::count(machine.checks, "dhcp.lease", &checks::CheckSpec::kind) > 0;
        };
        if (!check_lists_.problems_in_files().empty() || std::ranges::any_of(department.machines, has_lease)) continue;
        reader.problem(
            "clock", i,
            fmt::format("'lease-t2' needs a check of kind dhcp.lease, and no machine of department '{}' has one",
                        department.name));
      }
    }
  }

  void read_trial(const Json& value, Scenario& scenario) {
    auto& policy = scenario.trial;
    JsonReader reader(value, "/trial", problems_);
    scenario.reuse_controls = std::chrono::hours(reader.integer_or("reuse_controls_h", 0, 0, 8760));
    scenario.reuse_convictions = std::chrono::hours(reader.integer_or("reuse_convictions_h", 0, 0, 8760));
    scenario.reuse_installs = std::chrono::hours(reader.integer_or("reuse_installs_h", 0, 0, 8760));
    scenario.reuse_search = std::chrono::hours(reader.integer_or("reuse_search_h", 0, 0, 8760));
    scenario.reuse_states = std::chrono::hours(reader.integer_or("reuse_states_h", 0, 0, 8760));
    if (scenario.reuse_installs > Milliseconds{0} && scenario.reuse_states == Milliseconds{0})
      reader.problem("reuse_installs_h", "what is installed is kept with the baseline: it needs 'reuse_states_h'");
    const auto most_mib = static_cast<std::int64_t>(scenario.reuse_states_bytes >> 20U);
    scenario.reuse_states_bytes =
        static_cast<std::uintmax_t>(reader.integer_or("reuse_states_mib", most_mib, 64, 1 << 24)) << 20U;
    const auto seconds = [&](const char* key, Milliseconds& duration, std::int64_t least = 1,
                             std::int64_t most = 86400) {
      duration = std::chrono::seconds(reader.integer_or(key, duration.count() / 1000, least, most));
    };
    const auto count = [&](const char* key, std::size_t& number, std::int64_t most) {
      number = static_cast<std::size_t>(reader.integer_or(key, static_cast<std::int64_t>(number), 0, most));
    };
    count("warm_reboots", policy.warm_reboots, 20);
    count("cold_reboots", policy.cold_reboots, 20);
    policy.stability_load = 0;  // what it costs a night is not known yet
    count("stability_load", policy.stability_load, 600);
    const auto word = reader.text_or("new_errors", "fail", [](const std::string& given) {
      return error_words().contains(given) ? "" : fmt::format("'{}' is none of: fail, review, off", given);
    });
    policy.new_errors = error_words().at(word);
    count("service_cycles", policy.service_cycles, 20);
    seconds("service_timeout_s", policy.service_timeout, 1, 3600);
    count("confirmations", policy.confirmations, 10);
    count("lab_retries", policy.lab_retries, 10);
    policy.server_state = reader.boolean_or("server_state", policy.server_state);
    policy.certificate_days =
        std::chrono::days(reader.integer_or("certificate_days", policy.certificate_days.count(), 0, 3650));
    policy.rehearse_removal = reader.boolean_or("rehearse_removal", policy.rehearse_removal);
    read_clock(reader, scenario);
    seconds("run_deadline_s", policy.run_deadline, 1, 604800);
    seconds("stability_s", policy.stability, 0);
    seconds("boot_timeout_s", policy.boot_timeout);
    seconds("ready_timeout_s", policy.ready_timeout);
    seconds("install_timeout_s", policy.install_timeout);
    reader.finish();
  }

  const Json& json_;
  fs::path folder_;
  ScenarioFor purpose_;
  Json roles_;
  bool are_roles_known_ = true;
  Problems problems_;
  CheckLists check_lists_;
};

// Where relative paths begin: the file's own folder, or the one that it names. What is no text is the parser's to say.
Result<fs::path> folder_of(const Json& json, const fs::path& file, const fs::path& own) {
  const auto named = json.is_object() ? json.find("folder") : json.end();
  if (named == json.end() || !named->is_string() || named->get_ref<const std::string&>().empty()) return own;
  auto folder = resolved_path(own / named->get<std::string>());
  // Every path would be wrong with it: that is said once.
  if (!folder) return problems_error(file.string(), {{"/folder", folder.error().message}});
  if (!is_folder(*folder))
    return problems_error(file.string(), {{"/folder", fmt::format("there is no folder '{}'", folder->string())}});
  return folder;
}

}  // namespace

TrialPolicy default_trial(GuestFamily family) {
  TrialPolicy policy;
  switch (family) {
    case GuestFamily::debian: break;
    case GuestFamily::windows:
      policy.warm_reboots = 2;
      policy.cold_reboots = 1;
      policy.boot_timeout = std::chrono::seconds(2400);
      policy.ready_timeout = std::chrono::seconds(300);
      policy.install_timeout = std::chrono::seconds(3600);
      policy.stability = std::chrono::seconds(900);
      break;
  }
  return policy;
}

Result<Scenario> parse_scenario(const std::string& text, const std::filesystem::path& file, ScenarioFor purpose) {
  PATCHLAB_ASSIGN(const auto json, parse_json(without_comments(text), file.string()));
  PATCHLAB_ASSIGN(const auto place, absolute_path(file));
  PATCHLAB_ASSIGN(const auto folder, folder_of(json, file, place.parent_path()));
  Parser parser(json, folder, purpose);
  auto scenario = parser.parse();
  const auto problems = parser.take_problems();
  auto in_files = parser.problems_in_files();
  if (!problems.empty()) {
    auto error = problems_error(file.string(), problems);
    if (!in_files.empty()) error.message += "\n" + in_files;
    return error;
  }
  if (!in_files.empty()) return configuration_error(std::move(in_files));
  scenario.file = place;
  scenario.folder = folder;
  scenario.digest = sha256(text);
  return scenario;
}

Result<Scenario> load_scenario(const std::filesystem::path& file, ScenarioFor purpose) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, 16U << 20U));
  return parse_scenario(text, file, purpose);
}

std::optional<ClockStep> clock_step_from(const std::string& word) {
  if (word == "lease-t2") return ClockStep{};
  constexpr std::size_t most_digits = 9;
  if (word.size() < 3 || word.size() > most_digits + 2 || word.front() != '+' || word[1] == '0') return std::nullopt;
  const auto digits = word.substr(1, word.size() - 2);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const std::map<char, std::int64_t> units{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  const auto unit = units.find(word.back());
  if (unit == units.end()) return std::nullopt;
  const auto by = std::chrono::seconds(std::stoll(digits) * unit->second);
  if (by > std::chrono::days(3650)) return std::nullopt;
  return ClockStep{by};
}

std::vector<std::string> planned_phases(const TrialPolicy& policy) {
  std::vector<std::string> phases{reports::after_install_phase};
  for (std::size_t i = 1; i <= policy.warm_reboots + policy.cold_reboots; ++i)
    phases.push_back(fmt::format("after-reboot-{}", i));
  if (policy.stability > Milliseconds(0)) phases.emplace_back(reports::stability_phase);
  if (policy.service_cycles > 0) phases.emplace_back(reports::services_phase);
  if (policy.next_package) phases.emplace_back(reports::next_package_phase);
  for (const auto& step : policy.clock) phases.push_back(reports::clock_phase(step));
  return phases;
}

std::string state_digest(const MachinePlan& machine) {
  const Json looked_at{{"services", machine.services},
                       {"ready_tcp", machine.ready_tcp},
                       {"watch_access", machine.watch_access},
                       {"allow", machine.allowances}};
  return sha256(looked_at.dump(-1, ' ', true, Json::error_handler_t::replace));
}

void to_json(Json& json, const TrialPolicy& policy) {
  json = {{"warm_reboots", policy.warm_reboots},
          {"cold_reboots", policy.cold_reboots},
          {"boot_timeout_ms", policy.boot_timeout.count()},
          {"ready_timeout_ms", policy.ready_timeout.count()},
          {"install_timeout_ms", policy.install_timeout.count()},
          {"run_deadline_ms", policy.run_deadline.count()},
          {"stability_ms", policy.stability.count()},
          {"stability_load", policy.stability_load},
          {"new_errors", checks::state::to_string(policy.new_errors)},
          {"service_cycles", policy.service_cycles},
          {"next_package", policy.next_package},
          {"service_timeout_ms", policy.service_timeout.count()},
          {"clock", policy.clock},
          {"confirmations", policy.confirmations},
          {"lab_retries", policy.lab_retries},
          {"server_state", policy.server_state},
          {"certificate_days", policy.certificate_days.count()},
          {"rehearse_removal", policy.rehearse_removal}};
}

TrialPolicy trial_policy_from_json(const Json& json) {
  TrialPolicy policy;
  policy.warm_reboots = json.at("warm_reboots").get<std::size_t>();
  policy.cold_reboots = json.at("cold_reboots").get<std::size_t>();
  policy.boot_timeout = Milliseconds(json.at("boot_timeout_ms").get<std::int64_t>());
  policy.ready_timeout = Milliseconds(json.at("ready_timeout_ms").get<std::int64_t>());
  policy.install_timeout = Milliseconds(json.at("install_timeout_ms").get<std::int64_t>());
  policy.run_deadline = Milliseconds(json.at("run_deadline_ms").get<std::int64_t>());
  policy.stability = Milliseconds(json.at("stability_ms").get<std::int64_t>());
  policy.stability_load = json.at("stability_load").get<std::size_t>();
  policy.new_errors =
      checks::state::finding_class_from(json.at("new_errors").get<std::string>()).value_or(policy.new_errors);
  policy.service_cycles = json.at("service_cycles").get<std::size_t>();
  policy.next_package = json.at("next_package").get<bool>();
  policy.service_timeout = Milliseconds(json.at("service_timeout_ms").get<std::int64_t>());
  policy.clock = json.at("clock").get<std::vector<std::string>>();
  policy.confirmations = json.at("confirmations").get<std::size_t>();
  policy.lab_retries = json.at("lab_retries").get<std::size_t>();
  policy.server_state = json.at("server_state").get<bool>();
  policy.certificate_days = std::chrono::days(json.at("certificate_days").get<int>());
  policy.rehearse_removal = json.at("rehearse_removal").get<bool>();
  return policy;
}

}  // namespace patchlab::runners
