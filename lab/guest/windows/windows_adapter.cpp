// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/windows_adapter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/reboot.hpp"
#include "lab/guest/windows/collectors.hpp"
#include "lab/guest/windows/exit_codes.hpp"
#include "lab/guest/windows/host_state.hpp"
#include "lab/guest/windows/job.hpp"
#include "lab/guest/windows/outreach.hpp"
#include "lab/guest/windows/service_cycle.hpp"
#include "lab/guest/windows/usage.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using namespace std::chrono_literals;

// Generous: wmic's and dism's first start takes half a minute, servicing that works in the background slows them down.
constexpr Milliseconds query_limit = 180s;
constexpr Milliseconds list_limit = 600s;
constexpr Milliseconds reach_limit = 120s;  // PowerShell's first start is as slow as that of wmic
constexpr Milliseconds find_limit = 60s;    // a changed medium is seen a moment later
constexpr std::size_t log_tail = 64U << 10U;
constexpr std::size_t cbs_tail = 512U << 10U;  // of a whole update screen
constexpr std::size_t text_limit = 64U << 10U;

constexpr const char* services_key = "HKLM\\SYSTEM\\CurrentControlSet\\Services";

struct LogFile {
  const char* name;
  const char* source;
  const char* copy;
};
// Copied before they are read: the agent opens files without sharing them with a writer.
constexpr LogFile cbs_log{"CBS.log", "C:\\Windows\\Logs\\CBS\\CBS.log", "evidence-cbs.log"};
constexpr LogFile log_files[] = {
    cbs_log,
    {"dism.log", "C:\\Windows\\Logs\\DISM\\dism.log", "evidence-dism.log"},
    {"WindowsUpdate.log", "C:\\Windows\\WindowsUpdate.log", "evidence-wu.log"},
    {"poqexec.log", "C:\\Windows\\WinSxS\\poqexec.log", "evidence-poqexec.log"},
    {"install.log", "C:\\patchlab\\install.log", "evidence-install.log"},
};

// "KB5035968" -> "5035968"
std::string kb_number(std::string_view kb) {
  if (!kb.starts_with("KB") || kb.size() < 8 || kb.size() > 10) return {};
  const auto digits = kb.substr(2);
  return digits.find_first_not_of("0123456789") == std::string_view::npos ? std::string(digits) : std::string{};
}

// One step of an installation or removal: a line of a job.
struct Step {
  std::string what;  // for messages: a file or a package
  Installer installer = Installer::any;
  std::string line;
};

Result<Step> install_step(const std::string& file, const WindowsOptions& options) {
  const auto installer = installer_for(file);
  if (!is_plain_name(file) || !installer)
    return configuration_error(fmt::format("'{}' is not a usable file name", file));
  const Values values{{"file", file}};
  switch (*installer) {
    case Installer::wusa: return Step{file, *installer, line_of(Command::install_msu, values)};
    case Installer::dism: return Step{file, *installer, line_of(Command::install_cab, values)};
    case Installer::msiexec: {
      const bool is_patch = lower_case(file).ends_with(".msp");
      return Step{file, *installer, line_of(is_patch ? Command::install_msp : Command::install_msi, values)};
    }
    case Installer::setup:
    case Installer::any: break;
  }
  const auto setup = options.setups.find(file);
  if (setup == options.setups.end()) {
    return configuration_error(fmt::format("no switches are known for '{}'", file),
                               "name those that make it install without questions");
  }
  const auto& switches = setup->second.switches;
  if (switches.find_first_of("\r\n%") != std::string::npos) {
    return configuration_error(fmt::format("the switches of '{}' must be one line without '%'", file));
  }
  return Step{file, Installer::setup, line_of(Command::install_exe, {{"file", file}, {"switches", switches}})};
}

// What an ending means, with the codes that the candidate itself names before the table.
ExitCode meaning_for(const Step& step, std::uint32_t code, const WindowsOptions& options) {
  const auto setup = step.installer == Installer::setup ? options.setups.find(step.what) : options.setups.end();
  if (setup != options.setups.end()) {
    if (setup->second.restart.contains(code))
      return {code, Installer::setup, InstallEnd::reboot_needed, "",
              "the candidate says: installed, a restart is needed"};
    if (setup->second.success.contains(code))
      return {code, Installer::setup, InstallEnd::installed, "", "the candidate says: installed"};
  }
  return meaning_of(code, step.installer);
}

// What the machine lacks is no verdict on the patch, whether the installer says it or the restart. Null: it lacks
// nothing.
const char* hint_for(InstallEnd end) {
  if (end == InstallEnd::not_entitled) {
    return "a right that comes over the network (Azure, Azure Arc) does not reach into the fence: give the golden "
           "machine a key of its own";
  }
  if (end == InstallEnd::needs_other) {
    return "add the update that it needs as a candidate, and name it under 'prerequisites'; of servicing stacks the "
           "latest for this Windows";
  }
  return nullptr;
}

// wusa takes no /quiet with /uninstall /kb any more since Windows 10 and Server 2016.
bool wusa_removes_quietly(const std::string& version) { return version.starts_with("6."); }

// Empty when `why_no_uninstall` has a reason. What is permanent stays; `packages` holds the rest.
std::vector<Step> removal_steps(const InstalledPackage& package, const WindowsOptions& options) {
  std::vector<Step> steps;
  const auto kb = kb_number(package.kb);
  const auto file = lower_case(package.file_name);
  if (file.ends_with(".msu") && !kb.empty() && wusa_removes_quietly(options.version)) {
    steps.push_back({package.kb, Installer::wusa, line_of(Command::remove_kb, {{"number", kb}})});
  } else if (file.ends_with(".msu") || file.ends_with(".cab")) {
    // What came last goes first.
    for (auto it = package.packages.rbegin(); it != package.packages.rend(); ++it) {
      if (!is_package_identity(*it) || !is_plain_name(*it)) return {};
      steps.push_back({*it, Installer::dism, line_of(Command::remove_package, {{"identity", *it}})});
    }
  } else if (file.ends_with(".msi") && is_guid(package.product_code)) {
    steps.push_back({package.product_code, Installer::msiexec,
                     line_of(Command::remove_product, {{"product", package.product_code}})});
  } else if (file.ends_with(".msp") && is_guid(package.product_code) && is_guid(package.patch_code)) {
    steps.push_back(
        {package.patch_code, Installer::msiexec,
         line_of(Command::remove_patch, {{"product", package.product_code}, {"patch", package.patch_code}})});
  }
  return steps;
}

// Of two successful endings, the one that asks for more.
InstallEnd joined(InstallEnd a, InstallEnd b) {
  for (const auto end : {InstallEnd::reboot_started, InstallEnd::reboot_needed, InstallEnd::installed}) {
    if (a == end || b == end) return end;
  }
  return InstallEnd::already_installed;
}

class WindowsAdapter final : public WindowsGuest {
 public:
  WindowsAdapter(GuestAgent agent, Clock& clock, WindowsOptions options)
      : agent_(agent), clock_(clock), options_(std::move(options)), jobs_(agent, clock, [this] { return boot_id(); }) {
    const auto parts = options_.parts;
    for (const auto& part : parts) options_.parts.insert(lower_case(part));
  }

  // The time of the last start (Win32_OperatingSystem.LastBootUpTime) moves with the clock, which the laboratory sets
  // after each revert. The record of the event that tells of the start does not.
  Result<std::string> boot_id() override {
    const std::string action = "reading the boot id";
    PATCHLAB_ASSIGN(const auto text, exec(action, Command::boot_event));
    PATCHLAB_ASSIGN(const auto found, events(text).while_doing(doing(action)));
    if (found.size() != 1 || found.front().id != 12 || found.front().time.empty()) {
      return guest_error(fmt::format("{}: the log does not tell when the system started", doing(action)));
    }
    return fmt::format("{} {}", found.front().record, found.front().time);
  }

  Result<bool> boot_complete() override {
    const std::string action = "looking for the end of the start-up";
    PATCHLAB_ASSIGN(const auto keys_text, exec(action, Command::servicing_keys));
    PATCHLAB_ASSIGN(const auto keys, servicing_subkeys(keys_text).while_doing(doing(action)));
    if (keys.contains("RebootInProgress")) return false;  // updates are being configured
    PATCHLAB_ASSIGN(const auto all, service_states(action));
    return std::none_of(all.begin(), all.end(), [](const auto& entry) { return entry.second.is_starting(); });
  }

  Result<InstalledSet> installed() override {
    PATCHLAB_ASSIGN(const auto views, installed_by_each_means());
    return installed_set(views, options_.parts);
  }

  Result<InstalledViews> installed_by_each_means() override {
    const std::string action = "listing what is installed";
    PATCHLAB_TRY(prove_agent());
    PATCHLAB_ASSIGN(const auto fixes, process(action, Command::quick_fixes));
    InstalledViews views;
    PATCHLAB_ASSIGN(views.quick_fixes, quick_fixes(fixes.output, fixes.errors).while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto found, ask(action, {{"dism", line_of(Command::packages)},
                                                   {"registry", line_of(Command::package_states)},
                                                   {"visibility", line_of(Command::package_visibility)},
                                                   {"products-64", line_of(Command::products_64)},
                                                   {"products-32", line_of(Command::products_32)}}));
    PATCHLAB_TRY(read_views(found, views).while_doing(doing(action)));
    return views;
  }

  Result<std::vector<Rollback>> rolled_back(const std::set<std::string>& pending_before) override {
    const std::string action = "looking for updates that were undone";
    if (pending_before.empty()) return std::vector<Rollback>{};
    PATCHLAB_ASSIGN(const auto views, installed_by_each_means());
    PATCHLAB_ASSIGN(const auto found, ask(action, {{"errors", line_of(Command::package_errors)},
                                                   {"failures", line_of(Command::servicing_failures)}}));
    PATCHLAB_ASSIGN(const auto failures_text, text_in(found, "failures").while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto failures, events(failures_text).while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto keys, registry_in(found, "errors", Absence::of_matches).while_doing(doing(action)));
    std::map<std::string, std::uint32_t> errors;
    for (const auto& key : keys) {
      const auto value = key.values.find("LastError");
      const auto number = value == key.values.end() ? std::nullopt : registry_number(value->second);
      if (number) errors[key.name()] = *number;
    }
    auto rolled_back = rollbacks(pending_before, views, errors, failures);
    if (rolled_back.empty()) return rolled_back;
    // Only that log names the installer which failed. It may be gone already: the rollback stands without it.
    const auto copied =
        ask(action, {{cbs_log.copy, line_of(Command::copy_log, {{"source", cbs_log.source}, {"file", cbs_log.copy}})}});
    if (!copied || copied->at(cbs_log.copy).exit_code != 0) return rolled_back;
    const auto log = agent_.read_tail(fmt::format("C:\\patchlab\\{}", cbs_log.copy), cbs_tail);
    const auto failure = log ? cbs_failure(tail_text(*log)) : std::nullopt;
    if (failure) add_cause(rolled_back, *failure);
    return rolled_back;
  }

  Result<std::vector<std::string>> undone_by_restart(const InstalledSet& before) override {
    std::set<std::string> pending;
    for (const auto& [identity, state] : before) {
      if (state == to_string(PackageState::install_pending)) pending.insert(identity);
    }
    PATCHLAB_ASSIGN(const auto found, rolled_back(pending));
    std::vector<std::string> sentences;
    for (const auto& rollback : found) {
      const auto end = rollback.hresult ? meaning_of(*rollback.hresult, Installer::dism).end : InstallEnd::failed;
      if (const auto* hint = hint_for(end)) return configuration_error(described(rollback), hint);
      sentences.push_back(described(rollback));
    }
    return sentences;
  }

  RestartHabits restart_habits() const override { return {.by_itself = 3, .until_clear = true}; }

  Result<InstallOutcome> apply(const std::vector<std::string>& file_names, Milliseconds deadline,
                               std::stop_token stop) override {
    const auto action = fmt::format("installing {}", fmt::join(file_names, ", "));
    if (file_names.empty()) return configuration_error(fmt::format("{}: no file to install", doing(action)));
    std::vector<Step> steps;
    for (const auto& name : file_names) {
      PATCHLAB_ASSIGN(auto step, install_step(name, options_).while_doing(doing(action)));
      steps.push_back(std::move(step));
    }
    const Pace pace(clock_, deadline);
    if (auto ready = make_ready(file_names, pace, stop); !ready)
      return not_late(ready.error()).while_doing(doing(action));
    auto replaced = replaced_products(file_names);
    if (!replaced) return not_late(replaced.error()).while_doing(doing(action));
    auto outcome = carry_out(steps, pace, deadline, stop);
    if (outcome) outcome->replaced = *replaced;
    // Packages are large; the clone's disk is not. What stays behind goes with the next revert.
    if (outcome && outcome->end != InstallEnd::reboot_started) discard(file_names);
    return std::move(outcome).while_doing(doing(action));
  }

  std::string why_no_uninstall(const InstalledPackage& package) const override {
    if (package.permanent) return "it says itself that it cannot be removed";
    if (lower_case(package.file_name).ends_with(".exe"))
      return "there is no common command that removes what an .exe installed";
    if (!installer_for(package.file_name)) return "it is no Windows package";
    if (removal_steps(package, options_).empty())
      return "its KB number, identities or product code, by which it is removed, are not known";
    return {};
  }

  Result<InstallOutcome> uninstall(const InstalledPackage& package, Milliseconds deadline,
                                   std::stop_token stop) override {
    if (!why_no_uninstall(package).empty()) return GuestAdapter::uninstall(package, deadline, stop);
    const Pace pace(clock_, deadline);
    if (auto proven = prove_agent(); !proven) return not_late(proven.error());
    return carry_out(removal_steps(package, options_), pace, deadline, stop)
        .while_doing(doing(fmt::format("removing '{}'", package.file_name)));
  }

  Result<bool> reboot_required() override {
    PATCHLAB_ASSIGN(const auto pending, pending_restart());
    return pending.is_due();
  }

  Result<PendingRestart> pending_restart() override {
    const std::string action = "looking for a pending restart";
    PATCHLAB_TRY(prove_agent());
    PATCHLAB_ASSIGN(const auto keys, exec(action, Command::servicing_keys));
    std::vector<Question> questions;
    for (const auto& [name, command] : pending_questions()) questions.push_back({name, line_of(command)});
    PATCHLAB_ASSIGN(const auto found, ask(action, questions));
    return windows::pending_restart(keys, found).while_doing(doing(action));
  }

  Result<ServiceCycle> before_cycling(const std::string& service) override {
    const auto action = fmt::format("looking at service '{}'", service);
    PATCHLAB_TRY(is_service(service));
    const auto name = lower_case(service);
    if (name == "qemu-ga" || name == "qemu guest agent")
      return ServiceCycle{.why_not = "the laboratory speaks to the guest through it"};
    PATCHLAB_TRY(prove_agent());
    PATCHLAB_ASSIGN(
        const auto found,
        ask(action,
            {{"needs", line_of(Command::registry_search, {{"key", services_key}, {"value", "DependOnService"}})}}));
    PATCHLAB_ASSIGN(const auto needs, registry_in(found, "needs", Absence::of_matches).while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto states, service_states(action));
    if (status_of(states, service) == nullptr) return ServiceCycle{.why_not = "there is no such service"};
    return ServiceCycle{.with = running_dependents(service, needs, states)};
  }

  Result<ServiceChange> change_service(const std::string& service, ServiceAction wanted, Milliseconds deadline,
                                       std::stop_token stop) override {
    const auto action = fmt::format("asking service '{}' to {}", service, to_string(wanted));
    PATCHLAB_TRY(is_service(service));
    const bool starts = wanted == ServiceAction::start;
    const auto line = program_line_of(starts ? Command::start_service : Command::stop_service, {{"service", service}});
    Pace pace(clock_, deadline);
    PATCHLAB_ASSIGN(const auto asked,
                    agent_.run(line.program, line.arguments, deadline + query_limit, stop).while_doing(doing(action)));
    constexpr std::uint32_t runs_already = 1056, does_not_run = 1062;
    const bool taken = asked.exit_code == 0 || asked.exit_code == (starts ? runs_already : does_not_run);
    ServiceChange change;
    if (!taken) {
      const auto printed = text_of(asked.output);
      change.said = fmt::format("exit code {}: {}", code_text(asked.exit_code),
                                shortened(trimmed(printed ? *printed : to_valid_utf8(asked.output), " \t\r\n"), 200));
    }
    for (;;) {
      PATCHLAB_ASSIGN(const auto states, service_states(action));
      const auto* status = status_of(states, service);
      change.took = deadline - pace.left();
      change.state = status == nullptr ? "absent" : state_word(*status);
      const bool moves = status != nullptr && (status->state == 2 || status->state == 3);
      change.reached = status != nullptr && status->state == (starts ? 4U : 1U) && !pace.is_over();
      // A service that was accepted and is where it was has ended its start, or ignores what it was told.
      const bool over = starts ? !moves : !taken && !moves;
      if (change.reached || over || pace.is_over()) return change;
      if (stop.stop_requested())
        return Error{ErrorClass::cancelled, fmt::format("cancelled while {}", doing(action)), {}};
      pace.pause();
    }
  }

  Result<void> request_reboot() override { return start(Command::restart); }
  Result<void> request_power_off() override { return start(Command::power_off); }

  Result<HostState> host_state(const std::vector<std::string>& services) override {
    const std::string action = "reading the host state";
    PATCHLAB_TRY(prove_agent());
    StateReplies replies;
    PATCHLAB_ASSIGN(replies.services, exec(action, Command::service_states));
    PATCHLAB_ASSIGN(replies.adapters, exec(action, Command::adapters));
    PATCHLAB_ASSIGN(replies.interfaces, agent_.ask(agent_command(Command::interfaces)).while_doing(doing(action)));
    replies.paths = watched_paths();
    replies.paths.insert(replies.paths.end(), options_.paths.begin(), options_.paths.end());
    PATCHLAB_ASSIGN(replies.job, ask(action, state_questions(replies.paths)));
    for (std::size_t i = 0; i < replies.paths.size(); ++i) {
      PATCHLAB_ASSIGN(auto bytes, access_rights(i, replies.paths[i], replies.job).while_doing(doing(action)));
      replies.acl_files.push_back(std::move(bytes));
    }
    return host_state_from(replies, services, options_.role).while_doing(doing(action));
  }

  Result<std::optional<Usage>> usage() override {
    const std::string action = "looking at what is used up";
    PATCHLAB_TRY(prove_agent());
    UsageReplies replies;
    PATCHLAB_ASSIGN(replies.memory, exec(action, Command::memory));
    PATCHLAB_ASSIGN(replies.pools, exec(action, Command::memory_pools));
    PATCHLAB_ASSIGN(replies.processes, exec(action, Command::process_usage));
    PATCHLAB_ASSIGN(replies.disks, exec(action, Command::disk_usage));
    PATCHLAB_ASSIGN(auto usage, usage_from(replies).while_doing(doing(action)));
    return std::optional(std::move(usage));
  }

  // By rows alone: what its files are is not asked.
  Result<std::optional<GuestView>> view(Look /*look*/, const std::vector<std::string>& /*packages*/) override {
    PATCHLAB_TRY(prove_agent());
    PATCHLAB_ASSIGN(const auto found, ask("looking at the whole guest", collector_questions()));
    auto rows = collected(found);
    GuestView view;
    view.state.rows = std::move(rows.rows);
    view.unreadable = std::move(rows.unreadable);
    return std::optional(std::move(view));
  }

  Result<OutreachSeen> reach_out(const Outreach& wanted) override {
    const std::string action = "trying to get out";
    const auto token = fmt::format("{:x}", clock_.wall().time_since_epoch().count());
    const auto script = windows::outreach_script(wanted, token);
    if (!agent_.write_file(outreach_path, script)) {  // the first of all jobs makes the folder
      const auto line = program_line_of(Command::make_folder);
      PATCHLAB_TRY(agent_.run(line.program, line.arguments, query_limit).while_doing(doing(action)));
      PATCHLAB_TRY(agent_.write_file(outreach_path, script).while_doing(doing(action)));
    }
    PATCHLAB_ASSIGN(const auto found, ask(action, {{"reach", line_of(Command::reach_out)}}, reach_limit));
    const auto& reply = found.at("reach");
    return windows::outreach_seen(reply.text, reply.exit_code, wanted, token).while_doing(doing(action));
  }

  Result<std::map<std::string, std::string>> evidence() override {
    const std::string action = "collecting evidence";
    PATCHLAB_ASSIGN(auto found, ask(action, evidence_questions()));
    std::map<std::string, std::string> texts;
    for (const auto& log : log_files) {
      const auto copied = found.extract(log.copy);
      if (copied.empty() || copied.mapped().exit_code != 0) continue;  // not every machine has each of them
      const auto bytes = agent_.read_tail(fmt::format("C:\\patchlab\\{}", log.copy), log_tail);
      texts[log.name] = bytes ? tail_text(*bytes) : "(could not be read: " + bytes.error().message + ")";
    }
    for (auto& [name, section] : found) texts[name] = to_valid_utf8(section.text.substr(0, text_limit));
    return texts;
  }

 private:
  static Result<void> is_service(const std::string& name) {
    if (is_service_name(name)) return {};
    return configuration_error(fmt::format("'{}' is not the name of a service", to_valid_utf8(name)));
  }
  Result<std::map<std::string, ServiceStatus>> service_states(const std::string& action) {
    PATCHLAB_ASSIGN(const auto text, exec(action, Command::service_states));
    return services(text).while_doing(doing(action));
  }
  [[nodiscard]] const std::string& machine() const { return agent_.machine(); }
  [[nodiscard]] std::string doing(const std::string& action) const {
    return fmt::format("{} in '{}'", action, machine());
  }
  static const char* agent_command(Command command) { return commands()[static_cast<std::size_t>(command)].line; }
  static std::string tail_text(const std::string& bytes) {
    auto text = text_of(bytes);
    return text ? std::move(*text) : to_valid_utf8(bytes);
  }

  Result<GuestProcess> process(const std::string& action, Command command) {
    const auto line = program_line_of(command);
    PATCHLAB_ASSIGN(auto found, agent_.run(line.program, line.arguments, query_limit).while_doing(doing(action)));
    if (found.exit_code != 0) {
      const auto& said = found.errors.empty() ? found.output : found.errors;
      return guest_error(fmt::format("{}: '{}' ended with {}: {}", doing(action), line.program,
                                     code_text(found.exit_code), shortened(trimmed(said, " \t\r\n"), 200)));
    }
    PATCHLAB_ASSIGN(found.output, text_of(found.output).while_doing(doing(action)));
    return found;
  }
  Result<std::string> exec(const std::string& action, Command command) {
    PATCHLAB_ASSIGN(auto found, process(action, command));
    return std::move(found.output);
  }
  Result<void> start(Command command) {
    const auto line = program_line_of(command);
    PATCHLAB_TRY(agent_.start(line.program, line.arguments));
    return {};
  }

  // One job for many questions: its reply is a file, read in blocks, however long it is.
  Result<Sections> ask(const std::string& action, const std::vector<Question>& questions,
                       Milliseconds limit = list_limit) {
    const auto mark = fmt::format("@@patchlab-{:x}", clock_.wall().time_since_epoch().count());
    std::vector<std::string> lines;
    for (const auto& question : questions) add_section(lines, mark, question.section, question.line);
    PATCHLAB_ASSIGN(const auto result, jobs_.run(lines, action, {.deadline = limit}).while_doing(doing(action)));
    PATCHLAB_ASSIGN(auto found, sections(result.output, mark).while_doing(doing(action)));
    for (const auto& question : questions) {
      if (!found.contains(question.section)) {
        return guest_error(fmt::format("{}: the answer holds no '{}'", doing(action), question.section));
      }
    }
    return found;
  }

  // Once is enough: a machine does not change its agent's kind while it is tested.
  Result<void> prove_agent() {
    if (proven_) return {};
    const std::string action = "looking at the guest agent";
    PATCHLAB_ASSIGN(const auto os, agent_.ask(agent_command(Command::os_info)).while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto kernel, proves_windows(os).while_doing(doing(action)));
    PATCHLAB_TRY(is_as_declared(kernel, options_.version).while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto variables, exec(action, Command::architecture));
    PATCHLAB_TRY(proves_64_bit(variables).while_doing(doing(action)));
    proven_ = true;
    return {};
  }

  static Result<void> read_views(const Sections& found, InstalledViews& views) {
    PATCHLAB_ASSIGN(const auto dism_text, text_in(found, "dism"));
    PATCHLAB_ASSIGN(const auto dism, dism_packages(dism_text));
    for (const auto& [identity, word] : dism) {
      const auto state = package_state_from(std::string_view(word));
      if (!state) return guest_error(fmt::format("dism calls '{}' '{}', which is not known", identity, word));
      views.dism[identity] = *state;
    }
    PATCHLAB_ASSIGN(const auto keys, registry_in(found, "registry", Absence::impossible));
    for (const auto& key : keys) {
      const auto value = key.values.find("CurrentState");
      if (value == key.values.end()) continue;
      const auto number = registry_number(value->second);
      const auto state = number ? package_state_from(*number) : std::nullopt;
      if (!state)
        return guest_error(
            fmt::format("the registry gives '{}' the state '{}', which is not known", key.name(), value->second));
      views.registry[key.name()] = *state;
    }
    if (views.registry.empty()) return guest_error("the registry names no package at all");
    // Every package says whether it is seen: without that, parts could not be told from updates.
    PATCHLAB_ASSIGN(const auto visible, registry_in(found, "visibility", Absence::impossible));
    constexpr std::uint32_t is_seen = 1;
    for (const auto& key : visible) {
      const auto value = key.values.find("Visibility");
      if (value == key.values.end()) continue;
      const auto number = registry_number(value->second);
      if (!number)
        return guest_error(fmt::format("the registry gives '{}' the visibility '{}'", key.name(), value->second));
      if (*number == is_seen) views.whole.insert(key.name());
    }
    PATCHLAB_ASSIGN(views.products, product_values(found, "products", "DisplayVersion"));
    return {};
  }

  Result<std::vector<std::string>> cd_drives() {
    const std::string action = "looking for the CD drive";
    PATCHLAB_ASSIGN(const auto text, exec(action, Command::drives));
    PATCHLAB_ASSIGN(const auto rows, table_rows(text, {"DeviceID", "DriveType"}).while_doing(doing(action)));
    std::vector<std::string> drives;
    for (const auto& row : rows) {
      const auto& letter = row.at("DeviceID");
      if (row.at("DriveType") == "5" && letter.size() == 2 && letter[1] == ':') drives.push_back(letter);
    }
    if (drives.empty()) return infrastructure_error(fmt::format("'{}' has no CD drive", machine()));
    return drives;
  }

  Result<void> make_ready(const std::vector<std::string>& files, const Pace& pace, const std::stop_token& stop) {
    PATCHLAB_TRY(prove_agent());
    PATCHLAB_ASSIGN(const auto drives, cd_drives());
    for (const auto& file : files) PATCHLAB_TRY(fetch(file, drives, pace.left(), stop));
    if (pace.is_over()) return infrastructure_error("the time was over before the first installer could start");
    return {};
  }

  // To a local disk: installers do not all run from a medium that cannot be written.
  Result<void> fetch(const std::string& file, const std::vector<std::string>& drives, Milliseconds left,
                     const std::stop_token& stop) {
    const auto looking = fmt::format("looking for '{}' on the medium", file);
    const auto find =
        line_of(Command::find_file, {{"drives", fmt::format("{}", fmt::join(drives, " "))}, {"file", file}});
    const Pace pace(clock_, std::min(left, find_limit));
    auto drive = drives.end();
    while (drive == drives.end()) {
      PATCHLAB_ASSIGN(const auto found,
                      jobs_.run({find}, looking, {.deadline = std::max(pace.left(), agent_command_limit)}, stop));
      drive = std::find_if(drives.begin(), drives.end(), [&](const auto& letter) {
        return found.output.find("found " + letter) != std::string::npos;
      });
      if (drive == drives.end() && pace.is_over()) {
        return infrastructure_error(
            fmt::format("wrong medium: no file '{}' in drive {}", file, fmt::join(drives, ", ")));
      }
      if (drive == drives.end()) clock_.pause(1s);
    }
    auto copied = jobs_.run({line_of(Command::delete_file, {{"file", file}}),
                             line_of(Command::copy_file, {{"drive", *drive}, {"file", file}})},
                            fmt::format("copying '{}'", file), {.deadline = left, .only_tail = true}, stop);
    if (!copied) return std::move(copied).error();
    if (copied->exit_code != 0) {
      return infrastructure_error(
          fmt::format("copying '{}' from the medium: {}", file, shortened(trimmed(copied->output, " \r\n"), 200)));
    }
    return {};
  }

  void discard(const std::vector<std::string>& files) {
    std::vector<std::string> lines;
    for (const auto& file : files) lines.push_back(line_of(Command::delete_file, {{"file", file}}));
    (void)jobs_.run(lines, "removing packages", {.deadline = query_limit, .only_tail = true});
  }

  Result<InstallOutcome> carry_out(const std::vector<Step>& steps, const Pace& pace, Milliseconds deadline,
                                   const std::stop_token& stop) {
    InstallOutcome outcome{0, {}, {}, InstallEnd::already_installed, {}, {}};
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto& step = steps[i];
      PATCHLAB_ASSIGN(const auto result, run_to_an_end(step, pace, outcome, stop));
      const auto meaning = meaning_for(step, result.exit_code, options_);
      outcome.log += fmt::format("{}: {} ended with {}\n{}", step.what, to_string(step.installer), described(meaning),
                                 result.output);
      if (!is_success(meaning.end)) {
        outcome.end = meaning.end;
        outcome.exit_code = meaning.code;
        add_installer_log(step, outcome.log);
        break;
      }
      if (meaning.end == InstallEnd::reboot_started && i + 1 < steps.size()) {
        return guest_error(
            fmt::format("'{}' restarts the machine before '{}' could follow", step.what, steps[i + 1].what));
      }
      const auto end = i == 0 ? meaning.end : joined(outcome.end, meaning.end);
      if (i == 0 || end != outcome.end) outcome.exit_code = meaning.code;
      outcome.end = end;
    }
    outcome.duration = deadline - pace.left();
    return outcome;
  }

  // Endings that say nothing about the patch become Errors here.
  Result<JobResult> run_to_an_end(const Step& step, const Pace& pace, InstallOutcome& outcome,
                                  const std::stop_token& stop) {
    for (int tries = 1;; ++tries) {
      PATCHLAB_ASSIGN(auto result,
                      jobs_.run({step.line}, step.what, {.deadline = pace.left(), .only_tail = true}, stop));
      const auto meaning = meaning_for(step, result.exit_code, options_);
      const auto ended =
          fmt::format("'{}': {} ended with {}", step.what, to_string(step.installer), described(meaning));
      switch (meaning.end) {
        case InstallEnd::installed:
        case InstallEnd::reboot_needed:
        case InstallEnd::reboot_started:
        case InstallEnd::already_installed:
        case InstallEnd::not_applicable:
        case InstallEnd::failed: return result;
        case InstallEnd::lab_trouble: return infrastructure_error(ended);
        case InstallEnd::not_entitled:
        case InstallEnd::needs_other: return configuration_error(ended, hint_for(meaning.end));
        case InstallEnd::restart_first:
          if (!outcome.boot_id.empty()) return infrastructure_error(ended + ", also after a restart");
          PATCHLAB_TRY(restart_before(step, ended, pace, outcome, stop));
          continue;
        case InstallEnd::retry: break;
      }
      if (tries >= options_.busy_tries || pace.left() <= options_.busy_pause) {
        return infrastructure_error(fmt::format("{}, {} times", ended, tries),
                                    "a restart may be pending: see the evidence");
      }
      const Wait wait{"the other installation", options_.busy_pause, 1s, {}, stop};
      const auto waited = wait_until(clock_, wait, [] { return false; });
      if (!waited && waited.error().error_class == ErrorClass::cancelled) return waited.error();
    }
  }

  // What came before it waits for a restart, as in production: once, and it is in the log.
  Result<void> restart_before(const Step& step, const std::string& ended, const Pace& pace, InstallOutcome& outcome,
                              const std::stop_token& stop) {
    auto proof = reboot_and_prove(*this, agent_, clock_, pace.left(), stop, restart_habits().by_itself);
    if (!proof) return std::move(proof).error().while_doing(fmt::format("restarting before '{}'", step.what));
    outcome.boot_id = proof->boot_id_after;
    outcome.log += fmt::format("{}; restarted, and tried again\n", ended);
    return {};
  }

  // Which of the products that are there now the .msi files take away, by their names in the installed set.
  Result<std::vector<std::string>> replaced_products(const std::vector<std::string>& files) {
    std::vector<std::string> replaced;
    for (const auto& file : files) {
      const auto rows = options_.replaces.find(file);
      if (rows == options_.replaces.end()) continue;
      for (const auto& row : rows->second) PATCHLAB_TRY(add_replaced(row, replaced));
    }
    return replaced;
  }

  Result<void> add_replaced(const ReplacedProducts& row, std::vector<std::string>& replaced) {
    const std::string action = "looking for products that are replaced";
    const auto packed = packed_guid(row.upgrade_code);
    if (packed.empty()) return {};
    PATCHLAB_ASSIGN(const auto found, ask(action, {{"related", line_of(Command::related_products, {{"code", packed}})},
                                                   {"products-64", line_of(Command::products_64)},
                                                   {"products-32", line_of(Command::products_32)},
                                                   {"languages-64", line_of(Command::product_languages_64)},
                                                   {"languages-32", line_of(Command::product_languages_32)}}));
    PATCHLAB_ASSIGN(const auto related, registry_in(found, "related", Absence::of_key).while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto versions,
                    product_values(found, "products", "DisplayVersion").while_doing(doing(action)));
    PATCHLAB_ASSIGN(const auto languages, product_values(found, "languages", "Language").while_doing(doing(action)));
    for (const auto& key : related) {
      for (const auto& [name, data] : key.values) {
        const auto code = unpacked_guid(name);
        const auto version = versions.find(code);
        if (version == versions.end()) continue;
        const auto language = languages.find(code);
        const auto number = language == languages.end() ? std::nullopt : registry_number(language->second);
        if (row.covers(version->second, number ? fmt::format("{}", *number) : std::string{}))
          replaced.push_back("product " + code);
      }
    }
    return {};
  }

  // Key of a product -> one of its values, of both lists.
  static Result<std::map<std::string, std::string>> product_values(const Sections& found, const std::string& list,
                                                                   const std::string& name) {
    std::map<std::string, std::string> values;
    // A server without WoW64 has no list of 32-bit programs.
    for (const auto& [section, absence] :
         {std::pair{list + "-64", Absence::of_matches}, {list + "-32", Absence::of_key}}) {
      PATCHLAB_ASSIGN(const auto products, registry_in(found, section, absence));
      for (const auto& key : products) {
        const auto value = key.values.find(name);
        if (value != key.values.end()) values[key.name()] = value->second;
      }
    }
    return values;
  }

  // wusa has none; what it did is in the Setup log, which is evidence.
  void add_installer_log(const Step& step, std::string& log) {
    if (step.installer != Installer::dism && step.installer != Installer::msiexec) return;
    const auto bytes = agent_.read_tail("C:\\patchlab\\install.log", log_tail);
    if (bytes) log += "install.log:\n" + tail_text(*bytes);
  }

  Result<std::string> access_rights(std::size_t number, const std::string& path, const Sections& found) {
    const auto section = found.find(fmt::format("acl-{}", number));
    const auto exit_code = section == found.end() ? 1U : section->second.exit_code;
    if (exit_code == 2 || exit_code == 3) return std::string{};  // ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND
    if (exit_code != 0) {
      return guest_error(fmt::format("icacls ended with {} for '{}'", exit_code, path));
    }
    PATCHLAB_ASSIGN(auto bytes, agent_.read_file(fmt::format("C:\\patchlab\\acl-{}.txt", number), text_limit));
    if (bytes.empty()) return guest_error(fmt::format("icacls saved nothing for '{}'", path));
    return bytes;
  }

  GuestAgent agent_;
  Clock& clock_;
  WindowsOptions options_;
  JobRunner jobs_;
  bool proven_ = false;
};
}  // namespace

std::vector<Question> evidence_questions() {
  std::vector<Question> questions{{"processes", line_of(Command::processes)},
                                  {"sockets", line_of(Command::sockets)},
                                  {"addresses", line_of(Command::ip_details)},
                                  {"drivers", line_of(Command::drivers)}};
  for (const auto* log : {"System", "Application", "Setup"}) {
    questions.push_back({fmt::format("events-{}", log), line_of(Command::recent_events, {{"log", log}})});
  }
  for (const auto& log : log_files) {
    questions.push_back({log.copy, line_of(Command::copy_log, {{"source", log.source}, {"file", log.copy}})});
  }
  return questions;
}

std::unique_ptr<WindowsGuest> windows_adapter(GuestAgent agent, Clock& clock, WindowsOptions options) {
  return std::make_unique<WindowsAdapter>(std::move(agent), clock, std::move(options));
}

}  // namespace patchlab::lab::guest::windows
