// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/scenario/scenario.hpp"

#include <fmt/ranges.h>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "lab/guest/windows/host_state.hpp"
#include "lab/network/address.hpp"
#include "reports/record/record.hpp"

namespace patchlab::runners {
namespace {

using Problems = std::vector<JsonProblem>;
namespace fs = std::filesystem;

std::string join_pointer(const std::string& base, const std::string& token) {
  std::string escaped;
  for (const char c : token) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return base + "/" + escaped;
}

// Blanks in place of comments, so that every problem is still reported at its line and column.
std::string without_comments(std::string text) {
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_text && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_text = !in_text;
    } else if (!in_text && text.compare(i, 2, "//") == 0) {
      for (; i < text.size() && text[i] != '\n'; ++i) text[i] = ' ';
    }
  }
  return text;
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

class Parser {
 public:
  Parser(const Json& json, fs::path folder) : json_(json), folder_(std::move(folder)) {}

  Scenario parse() {
    Scenario scenario;
    JsonReader top(json_, "", problems_);
    (void)top.raw("$schema");
    scenario.name = top.text("name");
    if (!scenario.name.empty() && !is_scenario_name(scenario.name)) top.problem("name", scenario_name_rule);
    scenario.title = top.text_or("title", scenario.name);
    roles_ = top.raw("roles");
    read_roles();
    read_departments(top.raw("departments"), scenario);
    read_candidates(top.raw("candidates"), scenario);
    scenario.trial = default_trial(family_of(scenario));
    if (top.has("trial")) read_trial(top.raw("trial"), scenario.trial);
    if (auto stage = absolute_path(top.text_or("stage", "production")))
      scenario.stage = std::move(*stage);
    else
      top.problem("stage", stage.error().message);
    top.finish();
    return scenario;
  }

  // A role that several machines have is wrong once.
  Problems take_problems() {
    Problems once;
    for (auto& problem : problems_) {
      if (std::ranges::count(once, problem) == 0) once.push_back(std::move(problem));
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

  void read_roles() {
    if (roles_.is_null()) {
      roles_ = Json::object();
    } else if (!roles_.is_object()) {
      add("/roles", "must be an object of role name to role");
      roles_ = Json::object();
    }
  }

  void read_departments(const Json& departments, Scenario& scenario) {
    if (!departments.is_object() || departments.empty()) {
      add("/departments", "is required: an object of department name to department, at least one");
      return;
    }
    for (const auto& [name, value] : departments.items()) {
      const auto pointer = join_pointer("/departments", name);
      if (!is_scenario_name(name)) add(pointer, scenario_name_rule);
      scenario.departments.push_back(read_department(name, value, pointer));
    }
  }

  DepartmentPlan read_department(const std::string& name, const Json& value, const std::string& pointer) {
    DepartmentPlan department{name, {}, {}, pointer};
    JsonReader reader(value, pointer, problems_);
    JsonReader network(reader.raw("network").is_null() ? empty_ : reader.raw("network"), pointer + "/network",
                       problems_);
    department.network.subnet = network.text("subnet");
    department.network.gateway = network.text("gateway");
    department.network.client = network.text("client");
    network.finish();
    const auto& machines = reader.raw("machines");
    if (!machines.is_object() || machines.empty()) {
      reader.problem("machines", "is required: an object of machine name to machine, at least one");
    } else {
      for (const auto& [machine, plan] : machines.items()) {
        const auto place = join_pointer(pointer + "/machines", machine);
        if (!is_scenario_name(machine)) add(place, scenario_name_rule);
        department.machines.push_back(read_machine(machine, plan, place));
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
      add(pointer, "must be an object");
      return plan;
    }
    plan.role = name;
    if (const auto role = own.find("role"); role != own.end()) {
      if (role->is_string())
        plan.role = role->get<std::string>();
      else
        add(pointer + "/role", fmt::format("must be text, found {}", role->type_name()));
    }
    Json merged = Json::object();
    if (roles_.contains(plan.role)) {
      merged = roles_[plan.role];
      if (!merged.is_object()) {
        add(join_pointer("/roles", plan.role), "must be an object");
        merged = Json::object();
      }
    } else if (own.contains("role") && own["role"].is_string()) {
      const auto names = role_names();
      add(pointer + "/role",
          fmt::format("role '{}' is not defined; defined roles: {}", plan.role, fmt::join(names, ", ")));
    }
    for (const auto& [key, value] : own.items()) merged[key] = value;
    const auto before = problems_.size();
    read_merged(merged, pointer, plan);
    point_at_the_role(before, own, pointer, plan.role);
    return plan;
  }

  // What is wrong with a value of the role is wrong there, since that is what is in the file.
  void point_at_the_role(std::size_t from, const Json& own, const std::string& pointer, const std::string& role_name) {
    const auto role = roles_.find(role_name);
    if (role == roles_.end() || !role->is_object()) return;
    for (auto i = from; i < problems_.size(); ++i) {
      auto& place = problems_[i].pointer;
      for (const auto& [key, value] : role->items()) {
        const auto at = join_pointer(pointer, key);
        if (own.contains(key) || !(place == at || place.starts_with(at + "/"))) continue;
        place = join_pointer(join_pointer("/roles", role_name), key) + place.substr(at.size());
        break;
      }
    }
  }

  void read_merged(const Json& merged, const std::string& pointer, MachinePlan& plan) {
    JsonReader reader(merged, pointer, problems_);
    (void)reader.raw("role");
    read_golden(reader.raw("golden"), pointer + "/golden", plan);
    plan.address = reader.text("address");
    plan.memory_mib = static_cast<std::uint32_t>(reader.integer_or("memory_mib", 0, 0, 1 << 20));
    if (plan.golden.domain && reader.has("memory_mib"))
      reader.problem("memory_mib", "cannot be set here: a clone keeps the memory of its golden domain");
    plan.services = reader.texts_or_empty("services");
    plan.watch_access = reader.texts_or_empty("watch_access");
    for (std::size_t i = 0; i < plan.watch_access.size(); ++i) {
      if (!lab::guest::windows::is_watchable_path(plan.watch_access[i]))
        reader.problem("watch_access", i, "must be a path such as C:\\Shares\\Finance, of ASCII characters");
    }
    for (std::size_t i = 0; i < plan.services.size(); ++i) {
      const auto family = plan.golden.domain ? plan.golden.domain->system.family : GuestFamily::debian;
      if (!is_service_name(plan.services[i], family)) {
        reader.problem("services", i,
                       fmt::format("'{}' cannot be the name of a service: letters, digits and . _ : @ -{}",
                                   plan.services[i], family == GuestFamily::windows ? ", blanks and $" : ""));
      }
    }
    plan.ready_tcp = read_ports(reader.raw("ready_tcp"), pointer + "/ready_tcp");
    plan.depends_on = reader.texts_or_empty("depends_on");
    read_checks(reader.raw("checks"), pointer + "/checks", plan);
    if (reader.has("allow")) {
      plan.allowances = checks::state::read_allowances(reader.raw("allow"), pointer + "/allow", problems_);
    }
    // For people, who want to know later why a difference is no finding.
    if (reader.has("why")) {
      if (reader.text("why").empty()) reader.problem("why", "an empty reason says nothing");
      if (!reader.has("allow")) reader.problem("why", "says why of 'allow', which is not there");
    }
    reader.finish();
  }

  std::vector<std::string> role_names() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : roles_.items()) names.push_back(name);
    return names;
  }

  void read_golden(const Json& value, const std::string& pointer, MachinePlan& plan) {
    if (value.is_null()) {
      add(pointer, R"(is required: {"recipe": "images/dns"}, or {"libvirt": "qemu:///system", "domain": ...})");
      return;
    }
    JsonReader reader(value, pointer, problems_);
    if (reader.has("libvirt") || reader.has("domain")) return read_golden_domain(reader, pointer, plan);
    plan.golden.recipe = resolve(reader.text("recipe"), pointer + "/recipe");
    reader.finish();
    if (!plan.golden.recipe.empty() && !is_there(plan.golden.recipe / "image.json")) {
      add(pointer + "/recipe",
          fmt::format("there is no golden image recipe at '{}' (no image.json in it)", plan.golden.recipe.string()));
    }
  }

  void read_golden_domain(JsonReader& reader, const std::string& pointer, MachinePlan& plan) {
    auto& golden = plan.golden.domain.emplace();
    golden.uri = reader.text("libvirt");
    golden.domain = reader.text("domain");
    if (reader.has("system"))
      golden.system = guest_system_from(reader.raw("system"), pointer + "/system", problems_);
    else
      reader.problem("system", R"(is required for a domain: {"family": "windows", "version": "6.2.9200"})");
    golden.dpkg_status = resolve(reader.text_or("dpkg_status", ""), pointer + "/dpkg_status");
    golden.storage = resolve(reader.text_or("storage", ""), pointer + "/storage");
    if (reader.has("recipe"))
      reader.problem("recipe", "cannot stand beside 'domain': a machine comes from one of them");
    reader.finish();
    const bool is_listed = traits_of(golden.system.family).lists_packages && reader.has("system");
    if (is_listed && golden.dpkg_status.empty()) {
      reader.problem("dpkg_status",
                     "is required for a Debian domain: a copy of the guest's /var/lib/dpkg/status, by which is planned "
                     "what a candidate changes there");
    } else if (is_listed && !is_file(golden.dpkg_status)) {
      reader.problem("dpkg_status", fmt::format("there is no file '{}'", golden.dpkg_status.string()));
    } else if (!is_listed && !golden.dpkg_status.empty()) {
      reader.problem("dpkg_status", "is for Debian domains only");
    }
  }

  std::vector<std::uint16_t> read_ports(const Json& value, const std::string& pointer) {
    std::vector<std::uint16_t> ports;
    if (value.is_null()) return ports;
    if (!value.is_array()) {
      add(pointer, "must be a list of port numbers");
      return ports;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_number_integer() && value[i] >= 1 && value[i] <= 65535)
        ports.push_back(value[i].get<std::uint16_t>());
      else
        add(fmt::format("{}/{}", pointer, i), "must be a port number from 1 to 65535");
    }
    return ports;
  }

  void read_checks(const Json& value, const std::string& pointer, MachinePlan& plan) {
    // A role nobody checks would pass whatever a patch did to it.
    if (!value.is_array() || value.empty()) {
      add(pointer, "is required: a list of at least one check");
      return;
    }
    std::set<std::string> ids;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const auto place = fmt::format("{}/{}", pointer, i);
      JsonReader reader(value[i], place, problems_);
      checks::CheckSpec spec;
      spec.id = reader.text("id");
      spec.kind = reader.text("kind");
      spec.deadline = std::chrono::seconds(reader.integer_or("timeout_s", 20, 1, 600));
      if (reader.has("slower_ms")) spec.slower = Milliseconds(reader.integer("slower_ms", 10, 600000));
      if (reader.has("with")) spec.parameters = reader.raw("with");
      reader.finish();
      if (!spec.id.empty() && !is_scenario_name(spec.id)) reader.problem("id", scenario_name_rule);
      if (!spec.id.empty() && !ids.insert(spec.id).second)
        reader.problem("id", fmt::format("check id '{}' is used twice on this machine", spec.id));
      if (const auto* check = checks::find_check(spec.kind)) {
        check->validate(spec.parameters, place + "/with", problems_);
      } else if (!spec.kind.empty()) {
        std::vector<std::string> kinds;
        for (const auto* known : checks::all_checks()) kinds.push_back(known->kind());
        reader.problem("kind",
                       fmt::format("unknown check kind '{}'; known kinds: {}", spec.kind, fmt::join(kinds, ", ")));
      }
      plan.checks.push_back(std::move(spec));
    }
  }

  void check_dependencies(const DepartmentPlan& department) {
    for (const auto& machine : department.machines) {
      for (std::size_t i = 0; i < machine.depends_on.size(); ++i) {
        const auto& needed = machine.depends_on[i];
        const auto known =
            std::ranges::any_of(department.machines, [&](const auto& other) { return other.name == needed; });
        const auto place = fmt::format("{}/depends_on/{}", machine.pointer, i);
        if (!known) add(place, fmt::format("there is no machine '{}' in department '{}'", needed, department.name));
        if (needed == machine.name) add(place, "a machine cannot depend on itself");
      }
    }
  }

  // A cell has one libvirt, one network and one storage folder.
  void check_goldens(const DepartmentPlan& department) {
    const auto& first = department.machines.front();
    std::map<std::string, std::string> users;
    for (const auto& machine : department.machines) {
      const auto place = machine.pointer + "/golden";
      const auto& own = machine.golden.domain;
      const auto& other = first.golden.domain;
      if (own.has_value() != other.has_value()) {
        add(place,
            fmt::format("'{}' is a clone of {} and '{}' of {}; the machines of a department are all of one kind",
                        first.name, other ? "a domain" : "an image", machine.name, own ? "a domain" : "an image"));
        continue;
      }
      if (!own) continue;
      if (own->uri != other->uri || own->storage != other->storage) {
        const auto* what = own->uri != other->uri ? "libvirt" : "storage";
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
      if (!text.empty()) add(pointer, parsed.error().message);
    };
    const auto& own = department.network;
    const auto pointer = department.pointer + "/network";
    read(own.subnet, pointer + "/subnet", network::Ipv4Subnet::parse(own.subnet), plan.subnet);
    read(own.gateway, pointer + "/gateway", network::Ipv4::parse(own.gateway), plan.gateway);
    read(own.client, pointer + "/client", network::Ipv4::parse(own.client), plan.client);
    std::map<std::string, std::string> places{{"gateway", pointer + "/gateway"}, {"client", pointer + "/client"}};
    for (const auto& machine : department.machines) {
      plan.machines.push_back({"machine '" + machine.name + "'", {}});
      places["machine '" + machine.name + "'"] = machine.pointer + "/address";
      read(machine.address, machine.pointer + "/address", network::Ipv4::parse(machine.address),
           plan.machines.back().address);
    }
    if (!readable) return;
    for (const auto& problem : network::problems_in(plan)) add(places[problem.subject], problem.message);
  }

  void read_candidates(const Json& value, Scenario& scenario) {
    if (!value.is_array() || value.empty()) {
      add("/candidates", "is required: a list of at least one candidate or source");
      return;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      scenario.candidates.push_back(read_candidate(value[i], fmt::format("/candidates/{}", i)));
    }
  }

  CandidateSource read_candidate(const Json& value, const std::string& pointer) {
    CandidateSource source;
    source.pointer = pointer;
    JsonReader reader(value, pointer, problems_);
    const int given = int{reader.has("path")} + int{reader.has("recipe")} + int{reader.has("source")};
    if (given != 1)
      add(pointer, "must have exactly one of: path (a .deb or candidate folder), recipe (a folder), source (\"apt\")");
    if (reader.has("path")) {
      source.kind = CandidateSourceKind::path;
      source.path = resolve(reader.text("path"), pointer + "/path");
      source.sha256 = reader.text_or("sha256", "");
      if (!source.sha256.empty() && !is_sha256(source.sha256))
        reader.problem("sha256", "must be 64 lower-case hex digits");
      if (!source.path.empty() && !is_there(source.path))
        reader.problem("path", fmt::format("there is no file or folder '{}'", source.path.string()));
    } else if (reader.has("recipe")) {
      source.kind = CandidateSourceKind::recipe;
      source.path = resolve(reader.text("recipe"), pointer + "/recipe");
      if (!source.path.empty() && !is_there(source.path / "recipe.json")) {
        reader.problem(
            "recipe", fmt::format("there is no candidate recipe at '{}' (no recipe.json in it)", source.path.string()));
      }
    } else if (reader.has("source")) {
      source.kind = CandidateSourceKind::apt;
      if (const auto name = reader.text("source"); name != "apt")
        reader.problem("source", fmt::format("unknown source '{}'; known: apt", name));
      source.packages = reader.texts_or_empty("packages");
      source.limit = static_cast<std::size_t>(reader.integer_or("limit", 0, 0, 10000));
      source.security_only = reader.boolean_or("security_only", false);
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

  void read_trial(const Json& value, TrialPolicy& policy) {
    JsonReader reader(value, "/trial", problems_);
    const auto seconds = [&](const char* key, Milliseconds& duration, std::int64_t least = 1,
                             std::int64_t most = 86400) {
      duration = std::chrono::seconds(reader.integer_or(key, duration.count() / 1000, least, most));
    };
    const auto count = [&](const char* key, std::size_t& number, std::int64_t most) {
      number = static_cast<std::size_t>(reader.integer_or(key, static_cast<std::int64_t>(number), 0, most));
    };
    count("warm_reboots", policy.warm_reboots, 20);
    count("cold_reboots", policy.cold_reboots, 20);
    count("confirmations", policy.confirmations, 10);
    count("lab_retries", policy.lab_retries, 10);
    policy.rehearse_removal = reader.boolean_or("rehearse_removal", policy.rehearse_removal);
    seconds("run_deadline_s", policy.run_deadline, 1, 604800);
    seconds("stability_s", policy.stability, 0);
    seconds("boot_timeout_s", policy.boot_timeout);
    seconds("ready_timeout_s", policy.ready_timeout);
    seconds("install_timeout_s", policy.install_timeout);
    reader.finish();
  }

  const Json& json_;
  fs::path folder_;
  Json roles_;
  Json empty_ = Json::object();
  Problems problems_;
};

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

Result<Scenario> parse_scenario(const std::string& text, const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto json, parse_json(without_comments(text), file.string()));
  PATCHLAB_ASSIGN(const auto place, absolute_path(file));
  Parser parser(json, place.parent_path());
  auto scenario = parser.parse();
  if (const auto problems = parser.take_problems(); !problems.empty()) return problems_error(file.string(), problems);
  scenario.file = place;
  scenario.digest = sha256(text);
  return scenario;
}

Result<Scenario> load_scenario(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, 16U << 20U));
  return parse_scenario(text, file);
}

std::vector<std::string> planned_phases(const TrialPolicy& policy) {
  std::vector<std::string> phases{reports::after_install_phase};
  for (std::size_t i = 1; i <= policy.warm_reboots + policy.cold_reboots; ++i)
    phases.push_back(fmt::format("after-reboot-{}", i));
  if (policy.stability > Milliseconds(0)) phases.emplace_back(reports::stability_phase);
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
          {"confirmations", policy.confirmations},
          {"lab_retries", policy.lab_retries},
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
  policy.confirmations = json.at("confirmations").get<std::size_t>();
  policy.lab_retries = json.at("lab_retries").get<std::size_t>();
  policy.rehearse_removal = json.at("rehearse_removal").get<bool>();
  return policy;
}

}  // namespace patchlab::runners
