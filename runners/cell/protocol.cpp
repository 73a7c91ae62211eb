// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/protocol.hpp"

#include <stdexcept>

#include "checks/identity.hpp"
#include "checks/program.hpp"

namespace patchlab::runners::cell {
namespace {

Json check_json(const checks::CheckSpec& spec) {
  auto json = checks::as_planned(spec);
  json["id"] = spec.id;
  if (spec.program) json["program"] = checks::check_program_json(*spec.program);
  return json;
}

checks::CheckSpec check_from(const Json& json) {
  checks::CheckSpec spec{
      json.at("id"), json.at("kind"), json.at("with"), Milliseconds(json.at("deadline_ms").get<std::int64_t>()), {}};
  if (const auto& slower = json.at("slower_ms"); !slower.is_null())
    spec.slower = Milliseconds(slower.get<std::int64_t>());
  if (json.contains("program")) {
    auto program = checks::check_program_from(json.at("program"));
    if (!program) throw std::invalid_argument(program.error().message);
    spec.program = std::move(*program);
  }
  return spec;
}

Json setups_json(const std::map<std::string, lab::guest::windows::SetupHabits>& setups) {
  Json json = Json::object();
  for (const auto& [file, habits] : setups) {
    json[file] = {{"switches", habits.switches}, {"success", habits.success}, {"restart", habits.restart}};
  }
  return json;
}

Json package_json(const lab::guest::InstalledPackage& package) {
  return {{"file_name", package.file_name},   {"kb", package.kb},
          {"packages", package.packages},     {"product_code", package.product_code},
          {"patch_code", package.patch_code}, {"permanent", package.permanent}};
}

lab::guest::InstalledPackage package_from(const Json& json) {
  return {json.at("file_name"),    json.at("kb"),         json.at("packages"),
          json.at("product_code"), json.at("patch_code"), json.at("permanent")};
}

Json install_json(const InstallJob& job) {
  Json packages = Json::array();
  for (const auto& package : job.packages) packages.push_back(package_json(package));
  return {{"candidate", job.candidate},
          {"digest", job.digest},
          {"packages", packages},
          {"expected", job.expected},
          {"says_what_it_changes", job.says_what_it_changes}};
}

InstallJob install_from(const Json& json) {
  InstallJob job{.candidate = json.at("candidate"),
                 .digest = json.at("digest"),
                 .packages = {},
                 .expected = json.at("expected"),
                 .says_what_it_changes = json.at("says_what_it_changes")};
  for (const auto& package : json.at("packages")) job.packages.push_back(package_from(package));
  return job;
}

Json machine_json(const MachineJob& job) {
  Json checks = Json::array();
  for (const auto& spec : job.plan.checks) checks.push_back(check_json(spec));
  Json json{{"name", job.plan.name},
            {"role", job.plan.role},
            {"address", job.plan.address},
            {"memory_mib", job.plan.memory_mib},
            {"services", job.plan.services},
            {"watch_access", job.plan.watch_access},
            {"ready_tcp", job.plan.ready_tcp},
            {"depends_on", job.plan.depends_on},
            {"checks", checks},
            {"allow", job.plan.allowances},
            {"system", job.system},
            {"golden_digest", job.golden_digest},
            {"planned_with", job.planned_with},
            {"golden_domain", job.golden_domain},
            {"macs", job.macs},
            {"golden_disk", job.golden_disk.string()},
            {"kernel", job.kernel.string()},
            {"initrd", job.initrd.string()},
            {"kernel_arguments", job.kernel_arguments},
            {"setups", setups_json(job.setups)},
            {"replaces", job.replaces},
            {"parts", job.parts},
            {"shipped", job.shipped},
            {"passwords", job.passwords}};
  if (job.next_package) json["next_package"] = install_json(*job.next_package);
  if (!job.why_no_next_package.empty()) json["why_no_next_package"] = job.why_no_next_package;
  for (const auto& spec : job.plan.beside) json["beside"].push_back(check_json(spec));
  return json;
}

MachineJob machine_from(const Json& json) {
  MachineJob job;
  job.plan.name = json.at("name");
  job.plan.role = json.at("role");
  job.plan.address = json.at("address");
  job.plan.memory_mib = json.at("memory_mib");
  job.plan.services = json.at("services");
  job.plan.watch_access = json.at("watch_access");
  job.plan.ready_tcp = json.at("ready_tcp").get<std::vector<std::uint16_t>>();
  job.plan.depends_on = json.at("depends_on");
  for (const auto& check : json.at("checks")) job.plan.checks.push_back(check_from(check));
  for (const auto& check : json.value("beside", Json::array())) job.plan.beside.push_back(check_from(check));
  std::vector<JsonProblem> problems;  // the scenario was validated before it came here
  job.plan.allowances = checks::state::read_allowances(json.at("allow"), "", problems);
  job.system = guest_system_from(json.at("system"), "", problems);
  if (!problems.empty()) throw std::logic_error(problems_error("a machine's job", problems).message);
  job.golden_digest = json.at("golden_digest");
  job.planned_with = json.at("planned_with");
  job.golden_domain = json.at("golden_domain");
  job.macs = json.at("macs");
  job.golden_disk = json.at("golden_disk").get<std::string>();
  job.kernel = json.at("kernel").get<std::string>();
  job.initrd = json.at("initrd").get<std::string>();
  job.kernel_arguments = json.at("kernel_arguments");
  for (const auto& [file, habits] : json.at("setups").items())
    job.setups[file] = {habits.at("switches"), habits.at("success"), habits.at("restart")};
  for (const auto& [file, rows] : json.at("replaces").items()) {
    for (const auto& row : rows) job.replaces[file].push_back(replaced_products_from(row, "", problems));
  }
  job.parts = json.at("parts").get<std::set<std::string>>();
  job.shipped = json.at("shipped").get<std::map<std::string, std::vector<ShippedPackage>>>();
  if (json.contains("next_package")) job.next_package = install_from(json.at("next_package"));
  job.why_no_next_package = json.value("why_no_next_package", "");
  job.passwords = json.at("passwords").get<std::vector<std::string>>();
  return job;
}

}  // namespace

std::vector<std::string> InstallJob::file_names() const {
  std::vector<std::string> names;
  for (const auto& package : packages) names.push_back(package.file_name);
  return names;
}

std::string disk_name(const std::string& machine) { return machine + ".qcow2"; }

Json host_facts_json(const lab::network::HostFacts& facts) {
  return {{"addresses", facts.addresses}, {"gateways", facts.gateways}, {"resolvers", facts.resolvers}};
}

lab::network::HostFacts host_facts_from_json(const Json& json) {
  return {json.at("addresses"), json.at("gateways"), json.at("resolvers")};
}

void to_json(Json& json, const CellJob& job) {
  Json machines = Json::array();
  for (const auto& machine : job.machines) machines.push_back(machine_json(machine));
  json = {
      {"department", job.department},
      {"network", {{"subnet", job.network.subnet}, {"gateway", job.network.gateway}, {"client", job.network.client}}},
      {"machines", machines},
      {"policy", job.policy},
      {"accelerator", job.accelerator},
      {"evidence", job.evidence.string()},
      {"slots", job.slots.string()},
      {"slot_count", job.slot_count},
      {"host", host_facts_json(job.host)},
      {"worker_program", job.worker_program},
      {"facts", job.facts},
      {"keep_installs", job.keep_installs}};
  if (job.libvirt) {
    json["libvirt"] = {
        {"uri", job.libvirt->uri}, {"run", job.libvirt->run}, {"storage", job.libvirt->storage.string()}};
  }
  if (job.kept_baseline) {
    Json usual = Json::object();
    for (const auto& [machine, ready] : job.kept_baseline->usual_ready) usual[machine] = ready.count();
    json["kept_baseline"] = {{"run", job.kept_baseline->run}, {"usual_ready_ms", usual}};
    if (!job.kept_baseline->patched.empty()) json["kept_baseline"]["patched"] = job.kept_baseline->patched;
    if (!job.kept_baseline->useless.empty()) json["kept_baseline"]["useless"] = job.kept_baseline->useless;
  }
}

Redactor redactor_for(const CellJob& job) {
  const Json json = job;
  return Redactor(secrets_in(json), words_besides_secrets(json));
}

CellJob cell_job_from_json(const Json& json) {
  CellJob job;
  job.department = json.at("department");
  const auto& network = json.at("network");
  job.network = {network.at("subnet"), network.at("gateway"), network.at("client")};
  for (const auto& machine : json.at("machines")) job.machines.push_back(machine_from(machine));
  job.policy = trial_policy_from_json(json.at("policy"));
  job.accelerator = json.at("accelerator");
  job.evidence = json.at("evidence").get<std::string>();
  job.slots = json.at("slots").get<std::string>();
  job.slot_count = json.at("slot_count");
  job.host = host_facts_from_json(json.at("host"));
  job.worker_program = json.at("worker_program");
  job.facts = json.at("facts");
  job.keep_installs = json.at("keep_installs");
  if (json.contains("libvirt")) {
    const auto& place = json.at("libvirt");
    job.libvirt = {place.at("uri"), place.at("run"), place.at("storage").get<std::string>()};
  }
  if (json.contains("kept_baseline")) {
    const auto& kept = json.at("kept_baseline");
    job.kept_baseline = KeptBaseline{kept.at("run"), {}};
    job.kept_baseline->useless = kept.value("useless", job.kept_baseline->useless);
    if (kept.contains("patched")) {
      auto patched = patched_states_from_json(kept.at("patched"));
      if (!patched) throw std::invalid_argument(patched.error().message);
      job.kept_baseline->patched = std::move(*patched);
    }
    for (const auto& [machine, ready] : kept.at("usual_ready_ms").items())
      job.kept_baseline->usual_ready[machine] = Milliseconds(ready.get<std::int64_t>());
  }
  return job;
}

void to_json(Json& json, const TrialJob& job) {
  Json installs = Json::object();
  for (const auto& [machine, steps] : job.installs) {
    for (const auto& step : steps) installs[machine].push_back(install_json(step));
  }
  Json media = Json::object();
  for (const auto& [machine, iso] : job.media) media[machine] = iso.string();
  json = {{"id", job.id},
          {"purpose", job.purpose},
          {"candidates", job.candidates},
          {"set_digest", job.set_digest},
          {"machines", job.machines},
          {"installs", installs},
          {"media", media},
          {"reboot_anyway", job.reboot_anyway},
          {"judged", job.judged},
          {"from_baseline", job.from_baseline},
          {"stability", job.stability},
          {"stop_at_first_failure", job.stop_at_first_failure}};
}

TrialJob trial_job_from_json(const Json& json) {
  TrialJob job;
  job.id = json.at("id");
  const auto purpose = json.at("purpose").get<std::string>();
  const auto known = reports::purpose_from(purpose);
  if (!known) throw std::invalid_argument("there is no trial with the purpose '" + purpose + "'");
  job.purpose = *known;
  job.candidates = json.at("candidates");
  job.set_digest = json.at("set_digest");
  job.machines = json.at("machines");
  for (const auto& [machine, steps] : json.at("installs").items()) {
    for (const auto& step : steps) job.installs[machine].push_back(install_from(step));
  }
  for (const auto& [machine, iso] : json.at("media").items()) job.media[machine] = iso.get<std::string>();
  job.reboot_anyway = json.at("reboot_anyway");
  job.judged = json.at("judged");
  job.from_baseline = json.at("from_baseline");
  job.stability = json.at("stability");
  job.stop_at_first_failure = json.at("stop_at_first_failure");
  return job;
}

}  // namespace patchlab::runners::cell
