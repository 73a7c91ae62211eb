// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/calendar_argument.hpp"
#include "cli/commands.hpp"
#include "cli/deploy_commands.hpp"
#include "cli/output.hpp"
#include "cli/rings_argument.hpp"
#include "cli/scribe_argument.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "promotion/deploy/deployed.hpp"
#include "promotion/deploy/export_handoff.hpp"
#include "promotion/deploy/waiting.hpp"
#include "promotion/statement/statement.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace promotion;

struct ExportArguments {
  fs::path stage;
  std::string department;
  std::string to;
  std::string key;
  std::string not_after;
  fs::path calendar;
  fs::path rings;
  std::string ring;
  fs::path target;
  bool json = false;
};

// The file of rings does not name its department: it has no rings, or is written in another way there.
bool is_whole_by_file(const ExportArguments& arguments, const Handoff& handoff) {
  return !arguments.rings.empty() && !handoff.ring;
}

void say_export(const ExportArguments& arguments, const Handoff& handoff, ExportTo to,
                const std::optional<WindowTaken>& window) {
  const auto parts = parts_for(handoff, to);
  if (arguments.json) {
    std::vector<std::string> candidates;
    for (const auto& candidate : parts.go) candidates.push_back(candidate.id);
    Json json{{"folder", arguments.target.string()},
              {"to", to_string(to)},
              {"department", handoff.department},
              {"serial", handoff.serial},
              {"run", handoff.run},
              {"promotion", handoff.promotion},
              {"signed", !handoff.signature.empty()},
              {"candidates", candidates},
              {"left_out", parts.left_out}};
    if (!handoff.not_after.empty()) json["not_after"] = handoff.not_after;
    if (const auto& ring = handoff.ring) {
      json["ring"] = {{"name", ring->name}, {"number", ring->number}, {"of", ring->of}};
      json["ring"][ring->is_rest() ? "all_but" : "machines"] = ring->is_rest() ? ring->others : ring->machines;
    }
    if (is_whole_by_file(arguments, handoff)) json["not_in_rings"] = true;
    if (window) {
      json["window"] = {{"emergency_lane", !window->opens}, {"remarks", window->remarks}};
      if (handoff.window) {
        json["window"]["name"] = handoff.window->name;
        json["window"]["opens"] = handoff.window->opens;
        json["window"]["closes"] = handoff.window->closes;
        json["window"]["open_now"] = window->open_now;
      }
    }
    return say_json("deploy-export", std::move(json));
  }
  say("{}: {} candidates for {}, serial {} of run {}, promotion {}\n", arguments.target, parts.go.size(), to_string(to),
      handoff.serial, handoff.run, handoff.promotion);
  say_ring(handoff, to);
  if (is_whole_by_file(arguments, handoff))
    say("  all machines: {} names no rings of '{}'\n", arguments.rings, handoff.department);
  if (window && window->opens) {
    say("  window {} to {}{}{}\n", *window->opens, window->closes, window->open_now ? ", open now" : "",
        handoff.window->name.empty() ? "" : ": " + handoff.window->name);
    for (const auto& remark : window->remarks) say("  {}\n", remark);
  } else if (window) {
    say("  emergency lane: it waits for no window\n");
  }
  if (handoff.not_after.empty())
    say("  nothing ends it: no waiver, and no --not-after\n");
  else
    say("  until {}\n", handoff.not_after);
  if (!parts.left_out.empty()) say("  not in it, since it is not for {}: {}\n", to_string(to), listed(parts.left_out));
  if (handoff.signature.empty())
    say("  the lab has not signed the promotion: its digests prove nothing by themselves\n");
}

Result<WindowTaken> window_of_stage(const process::Calendar& calendar, const fs::path& stage, Handoff& handoff) {
  PATCHLAB_ASSIGN(const auto waiting, waiting_of_stage(host_processes(), stage));
  const auto its = std::ranges::find(waiting, handoff.department, &WaitingDepartment::department);
  std::optional<process::Needs> needs;
  if (its != waiting.end() && its->times.unknown.empty())
    needs = process::Needs{its->times.side_by_side(), its->times.one_after_another()};
  return take_window(calendar, handoff, moment_now(), needs);
}

ExitCode export_stage(const ExportArguments& arguments) {
  const auto to = *export_to_from(arguments.to);
  if (!arguments.not_after.empty() && !parse_rfc3339(arguments.not_after))
    return report(usage_error(fmt::format("--not-after '{}' is no time", arguments.not_after),
                              "write it in UTC: 2026-12-12T00:00:00Z"));
  const auto stage = absolute_path(arguments.stage);
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  auto handoff = handoff_of(host_processes(), *stage, arguments.department);
  if (!handoff) return report_input(handoff.error(), ExitCode::bad_data);
  handoff->not_after = earlier_end(handoff->not_after, arguments.not_after);
  const HandoffExport how{.to = to, .key = arguments.key, .now = system_clock_source().wall()};
  const auto asked_end = parse_rfc3339(arguments.not_after);
  if (asked_end && *asked_end <= how.now)
    return report(
        configuration_error(fmt::format("--not-after '{}' is over: nobody could take it any more", arguments.not_after),
                            "a later time, or none: a promotion ends with its first waiver"),
        ExitCode::policy);
  if (const auto why = not_to_be_exported(*handoff, to, how.now)) return report(*why, ExitCode::policy);
  if (const auto code = put_into_ring(arguments.rings, arguments.ring, *stage, *handoff); code != ExitCode::ok)
    return code;
  std::optional<WindowTaken> window;
  if (!arguments.calendar.empty()) {
    const auto calendar = process::read_calendar(arguments.calendar);
    if (!calendar) return report_input(calendar.error(), ExitCode::bad_data);
    auto taken = window_of_stage(*calendar, *stage, *handoff);
    if (!taken) return report(taken.error(), ExitCode::policy);
    window = std::move(*taken);
  }
  if (const auto made = export_handoff(host_processes(), *handoff, how, arguments.target); !made) {
    const bool is_target = made.error().error_class == ErrorClass::infrastructure;
    return is_target ? report(made.error(), ExitCode::cannot_create) : report_input(made.error(), ExitCode::bad_data);
  }
  say_export(arguments, *handoff, to, window);
  return ExitCode::ok;
}

void add_export(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<ExportArguments>();
  auto* exporting = group.add_subcommand("export", "what was promoted last, in the form that a tool installs from");
  exporting->add_option("stage", arguments->stage, "stage folder")->required();
  exporting->add_option("--department", arguments->department, "of this department")->required();
  exporting
      ->add_option(
          "--to", arguments->to,
          "apt: a signed repository. ansible: variables and a playbook. wsus: data and a script that approves. "
          "files: the files with their digests")
      ->required()
      ->check(CLI::IsMember({"apt", "ansible", "wsus", "files"}));
  exporting->add_option("-o,--output", arguments->target, "folder to make; it must not be there")->required();
  exporting
      ->add_option("--key", arguments->key,
                   "for apt: full fingerprint of your OpenPGP key, which gpg finds in GNUPGHOME and signs with")
      ->envname("PATCHLAB_OPENPGP_KEY");
  exporting->add_option("--not-after", arguments->not_after,
                        "nobody is to take it from then on (UTC); can only be sooner than what its waivers say");
  add_calendar_option(*exporting, arguments->calendar);
  add_rings_option(*exporting, arguments->rings);
  exporting->add_option("--ring", arguments->ring,
                        "for the machines of this ring, by name or number, once the rings before have it");
  exporting->add_flag("--json", arguments->json, "as JSON");
  exporting->callback([arguments, &chosen] { chosen = [arguments] { return export_stage(*arguments); }; });
}

// --- record
struct RecordArguments {
  fs::path stage;
  fs::path file;
  std::string department;
  std::string machine;
  std::string format = "auto";
  std::string observed;
  bool manual = false;
  std::string reason;
  std::string ticket;
  fs::path calendar;
  ScribeArguments scribe;
  bool json = false;
};

constexpr std::uintmax_t largest_said = 64U << 20U;

Result<void> check_words(const RecordArguments& arguments) {
  const auto is_said = [](const std::string& text) { return is_plain_text(text, 1000); };
  if (!arguments.machine.empty() && !is_machine_name(arguments.machine))
    return usage_error(fmt::format("--machine '{}' cannot be the name of a machine", arguments.machine),
                       "letters, digits and . _ -");
  if (!arguments.observed.empty() && !parse_rfc3339(arguments.observed))
    return usage_error(fmt::format("--observed '{}' is no time", arguments.observed),
                       "write it in UTC: 2026-12-12T22:00:00Z");
  if (!arguments.ticket.empty() && !is_plain_text(arguments.ticket, 200))
    return usage_error("--ticket is one line that can be shown", "for example --ticket CHG0042");
  if (!arguments.manual && !arguments.reason.empty())
    return usage_error("--reason is of what somebody installed by hand", "add --manual");
  if (arguments.manual && (arguments.machine.empty() || arguments.observed.empty() || !is_said(arguments.reason)))
    return usage_error("--manual needs --machine, --observed and --reason: who did what where, when, and why",
                       "patchlab deploy record STAGE FILE --manual --department NAME --machine HOST --observed "
                       "2026-12-12T22:00:00Z --reason 'no repository there yet'");
  return {};
}

// FILE is the very file that was installed.
Result<DeployedNote> note_of_hand(const RecordArguments& arguments, const std::vector<PromotedPart>& parts) {
  DeployedNote note{.source = InstalledSource::by_hand, .reason = arguments.reason, .ticket = arguments.ticket};
  PATCHLAB_ASSIGN(note.file, sha256_of_file(arguments.file));
  note.machines = {
      compare_by_hand(arguments.machine, arguments.observed, arguments.file.filename().string(), note.file, parts)};
  return note;
}

bool says_machine_and_time(InstalledSource source) {
  return source == InstalledSource::json || source == InstalledSource::wsus;
}

Result<DeployedNote> note_of_machines(const RecordArguments& arguments, const std::vector<PromotedPart>& parts) {
  PATCHLAB_ASSIGN(const auto text, read_file(arguments.file, largest_said));
  DeployedNote note;
  note.ticket = arguments.ticket;
  note.file = sha256(text);
  note.source = arguments.format == "auto" ? source_of_text(text) : *installed_source_from(arguments.format);
  const auto name = arguments.file.string();
  std::vector<MachineSays> said;
  if (says_machine_and_time(note.source)) {
    if (!arguments.machine.empty() || !arguments.observed.empty())
      return usage_error("JSON says machine and time itself: --machine and --observed are for other formats",
                         "leave them out");
    PATCHLAB_ASSIGN(said,
                    note.source == InstalledSource::wsus ? from_wsus_report(text, name) : from_json_lines(text, name));
  } else {
    if (arguments.machine.empty())
      return usage_error(fmt::format("'{}' does not say of which machine it is", name), "--machine NAME");
    PATCHLAB_ASSIGN(auto one, note.source == InstalledSource::dpkg_query ? from_dpkg_query(text, name)
                                                                         : from_apt_history(text, name));
    one.machine = arguments.machine;
    one.observed = arguments.observed.empty() ? rfc3339(system_clock_source().wall()) : arguments.observed;
    said.push_back(std::move(one));
  }
  for (const auto& one : said) note.machines.push_back(compare_installed(one, parts));
  return note;
}

// ", 1 of 2 parts not reported"
std::string open_parts(const MachineReport& machine) {
  const auto open = machine.open();
  return open.parts == 0 ? "" : fmt::format(", {} of {} parts not reported", open.parts, open.of);
}

// When a machine took what was promoted, as far as anybody can tell, and whether that was in a window.
struct InWindow {
  process::Inside inside = process::Inside::cannot_tell;
  std::string text;
};
class WindowQuestion {
 public:
  WindowQuestion(const process::Calendar& calendar, const Handoff& handoff, InstalledSource source)
      : calendar_(calendar), handoff_(handoff), source_(source) {}

  // Nothing: it has nothing of it.
  [[nodiscard]] std::optional<InWindow> of(const MachineReport& machine) const {
    const auto observed = parse_rfc3339(machine.observed);
    const auto promoted = parse_rfc3339(handoff_.published);
    if (!observed || !promoted) return std::nullopt;
    const auto seen = std::chrono::floor<std::chrono::seconds>(*observed);
    const auto begin = std::min(seen, std::chrono::floor<std::chrono::seconds>(*promoted));
    const auto days = process::days_of(calendar_, handoff_.department, begin - std::chrono::days(farthest_),
                                       seen + std::chrono::days(1));
    std::optional<InWindow> worst;
    for (const auto& row : machine.rows) {
      if (row.state != InstalledState::as_promoted) continue;
      auto one = of_row(row, days, begin, seen);
      if (!worst || one.inside > worst->inside) worst = std::move(one);
    }
    return worst;
  }

 private:
  [[nodiscard]] InWindow of_row(const InstalledRow& row, const process::DepartmentDays& days, process::Moment promoted,
                                process::Moment seen) const {
    const process::Promoted how{handoff_.emergency, handoff_.approved_by.size()};
    const auto exact = exact_moment(row, days, seen);
    const auto possible = exact.value_or(process::Span{promoted, std::max(seen, promoted + std::chrono::seconds(1))});
    const auto inside = process::inside_of(days, possible, how);
    const auto when = exact ? "on " + utc_text(possible.from)
                            : fmt::format("between {} and {}", utc_text(possible.from), utc_text(possible.until));
    switch (inside) {
      case process::Inside::inside:
        return {inside, handoff_.emergency ? "through the emergency lane, " + when : "in a window, " + when};
      case process::Inside::outside: return {inside, "outside of every window, " + when};
      case process::Inside::cannot_tell: break;
    }
    return {inside, fmt::format("nobody can tell whether in a window: {}", when)};
  }

  // What somebody did by hand is said with its time. apt writes what the machine's clock showed.
  [[nodiscard]] std::optional<process::Span> exact_moment(const InstalledRow& row, const process::DepartmentDays& days,
                                                          process::Moment seen) const {
    if (source_ == InstalledSource::by_hand) return process::Span{seen, seen + std::chrono::seconds(1)};
    if (source_ != InstalledSource::apt_history || row.since.size() < 19) return std::nullopt;
    // "2026-11-28  22:00:01"
    std::string digits;
    for (const char c : row.since) {
      if (c >= '0' && c <= '9') digits += c;
    }
    if (digits.size() != 14) return std::nullopt;
    const auto wall = process::parse_calendar_time(digits.substr(0, 8) + "T" + digits.substr(8));
    return wall ? process::moment_of_wall(days, wall->wall) : std::nullopt;
  }

  static constexpr int farthest_ = 400;
  const process::Calendar& calendar_;
  const Handoff& handoff_;
  InstalledSource source_;
};

void say_rows(const MachineReport& machine) {
  for (const auto& row : machine.rows) {
    const bool is_none = row.state == InstalledState::not_reported || row.state == InstalledState::not_installed ||
                         row.state == InstalledState::not_for_it;
    if (is_none && row.found.empty()) continue;  // a WSUS says why
    say("  {} {}: {}{}{}\n", row.name, row.found, to_string(row.state),
        row.state == InstalledState::as_promoted || row.promoted.empty() ? "" : ", promoted is " + row.promoted,
        row.since.empty() ? "" : ", since " + row.since);
  }
}

// A list by which all is well, and of which nobody says when it was so, is of the time when the ledger was told it
// first. The line that has it, or 0.
Result<std::uint64_t> date_of_same_list(const RecordArguments& arguments, const fs::path& stage, DeployedNote& note) {
  if (!arguments.observed.empty() || says_machine_and_time(note.source)) return std::uint64_t{0};
  PATCHLAB_ASSIGN(const auto told, told_of_stage(host_processes(), stage));
  auto& machine = note.machines.front();
  const auto* same = same_list(told, arguments.department, machine, note.file);
  if (same == nullptr) return std::uint64_t{0};
  machine.observed = same->report.observed;
  return same->line;
}

ExitCode record_deployed(const RecordArguments& arguments) {
  if (const auto fine = check_words(arguments); !fine) return report(fine.error());
  const auto stage = absolute_path(arguments.stage);
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  const auto handoff = handoff_of(host_processes(), *stage, arguments.department);
  if (!handoff) return report_input(handoff.error(), ExitCode::bad_data);
  const auto parts = promoted_parts(*handoff);
  if (!parts) return report_input(parts.error(), ExitCode::bad_data);
  std::optional<process::Calendar> calendar;
  if (!arguments.calendar.empty()) {
    auto read = process::read_calendar(arguments.calendar);
    if (!read) return report_input(read.error(), ExitCode::bad_data);
    calendar = std::move(*read);
  }
  auto note = arguments.manual ? note_of_hand(arguments, *parts) : note_of_machines(arguments, *parts);
  if (!note) return report_input(note.error(), ExitCode::bad_data);
  const auto same_line = date_of_same_list(arguments, *stage, *note);
  if (!same_line) return report_input(same_line.error(), ExitCode::bad_data);
  const auto scribe = scribe_of(arguments.scribe, *stage);
  if (!scribe) return report_input(scribe.error(), ExitCode::bad_data);
  const auto line = write_deployed(*stage, *handoff, *note, *scribe);
  if (!line)
    return line.error().error_class == ErrorClass::configuration ? report_input(line.error(), ExitCode::bad_data)
                                                                 : report(line.error(), ExitCode::cannot_create);
  Json machines = Json::array();
  for (const auto& machine : note->machines) {
    machines.push_back({{"machine", machine.machine}, {"outcome", to_string(machine.outcome())}});
    const auto in_window =
        calendar ? WindowQuestion(*calendar, *handoff, note->source).of(machine) : std::optional<InWindow>();
    if (in_window)
      machines.back()["window"] = {{"inside", process::to_string(in_window->inside)}, {"says", in_window->text}};
    if (*same_line != 0) machines.back()["same_list_as"] = *same_line;
    if (arguments.json) continue;
    say("{}: {}{}\n", machine.machine, to_string(machine.outcome()), open_parts(machine));
    if (*same_line != 0)
      say("  the same list as in line {}, so of {} as there: --observed says that it was so later\n", *same_line,
          machine.observed);
    if (in_window) say("  installed {}\n", in_window->text);
    say_rows(machine);
  }
  if (arguments.json)
    say_json("deploy-record", {{"stage", stage->string()},
                               {"department", handoff->department},
                               {"serial", handoff->serial},
                               {"source", to_string(note->source)},
                               {"line", *line},
                               {"by", scribe->by},
                               {"signed", scribe->sign != nullptr},
                               {"machines", std::move(machines)}});
  else
    say("line {} of the ledger by {}{}, compared with serial {} of run {}\n", *line, scribe->by,
        scribe->sign ? "" : " (not signed)", handoff->serial, handoff->run);
  return ExitCode::ok;
}

void add_record(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<RecordArguments>();
  auto* recording = group.add_subcommand("record", "write down what machines say that they have now");
  recording->add_option("stage", arguments->stage, "stage folder")->required();
  recording
      ->add_option(
          "file", arguments->file,
          "what dpkg-query -W printed, apt's history.log, what report.ps1 wrote on a WSUS, or one JSON object per "
          "machine and line; with --manual the file that was installed")
      ->required();
  recording->add_option("--department", arguments->department, "the machines are of this department")->required();
  recording->add_option("--machine", arguments->machine, "whose it is, where the file does not say so");
  recording->add_option("--format", arguments->format, "of the file; auto: by how it begins")
      ->check(CLI::IsMember({"auto", "dpkg-query", "apt-history", "json", "wsus"}))
      ->capture_default_str();
  recording->add_option("--observed", arguments->observed,
                        "when it was so (UTC); default: now, or, of a list that is well and in the ledger, as there");
  recording->add_flag("--manual", arguments->manual, "somebody installed the file by hand");
  recording->add_option("--reason", arguments->reason, "why by hand");
  recording->add_option("--ticket", arguments->ticket, "what it is written down under");
  add_calendar_option(*recording, arguments->calendar);
  add_scribe(*recording, arguments->scribe);
  recording->add_flag("--json", arguments->json, "as JSON");
  recording->callback([arguments, &chosen] { chosen = [arguments] { return record_deployed(*arguments); }; });
}

// --- status
struct StatusArguments {
  fs::path stage;
  std::string department;
  fs::path rings;
  bool json = false;
};

// Something else than was promoted comes before what nobody knows.
ExitCode code_of(const std::vector<DeployedDepartment>& departments) {
  bool unknown = departments.empty();
  for (const auto& department : departments) {
    unknown = unknown || department.machines.empty();
    for (const auto& machine : department.machines) {
      if (machine.report.outcome() == InstalledOutcome::differs) return ExitCode::policy;
      unknown = unknown || machine.report.outcome() == InstalledOutcome::unknown || !machine.has_reported();
    }
  }
  return unknown ? ExitCode::not_tested : ExitCode::ok;
}

// Departments that the file of rings names, and for which nothing was promoted here: maybe they are called otherwise.
std::vector<std::string> departments_not_in(const Rings& rings, const std::vector<std::string>& known) {
  std::vector<std::string> strangers;
  for (const auto& [name, list] : rings.departments) {
    if (std::ranges::count(known, name) == 0) strangers.push_back(name);
  }
  return strangers;
}

std::string not_reported_since(const DeployedMachine& machine) {
  if (machine.has_reported()) return "";
  return machine.serial == machine.newest_serial
             ? "; that was promoted after it was observed, and it has not reported since"
             : fmt::format("; serial {} is promoted since, and it has not reported", machine.newest_serial);
}

void say_department(const DeployedDepartment& department, const std::vector<RingStanding>& rings) {
  say("{}: serial {} of run {} is promoted{}\n", department.department, department.serial, department.run,
      department.machines.empty() ? "; no machine has reported" : "");
  if (!department.rejected.empty()) say("  {}; nothing of it is exported\n", department.rejected);
  say_rings(rings);
  for (const auto& machine : department.machines) {
    say("{}/{}: {}{} with serial {}{}\n", department.department, machine.report.machine,
        to_string(machine.report.outcome()), open_parts(machine.report), machine.serial, not_reported_since(machine));
    say("  tested in run {}, approved by {}, promoted {}\n", machine.run,
        !machine.approved_by.empty() ? listed(machine.approved_by)
        : machine.emergency          ? "nobody: the emergency lane asks for none"
                                     : "nobody: the policy asks for none",
        machine.promoted);
    say("  observed {} ({}), line {} by {}{}{}{}\n", machine.report.observed, to_string(machine.source), machine.line,
        machine.by, machine.is_signed ? "" : " (not signed)", machine.reason.empty() ? "" : ": " + machine.reason,
        machine.ticket.empty() ? "" : " (" + machine.ticket + ")");
    say_rows(machine.report);
  }
}

ExitCode deploy_status(const StatusArguments& arguments) {
  const auto stage = absolute_path(arguments.stage);
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  std::optional<Rings> rings;
  if (!arguments.rings.empty()) {
    auto read = read_rings(arguments.rings);
    if (!read) return report_input(read.error(), ExitCode::bad_data);
    rings = std::move(*read);
  }
  auto departments = deployed_of_stage(host_processes(), *stage);
  if (!departments) return report_input(departments.error(), ExitCode::bad_data);
  std::vector<std::string> known;
  for (const auto& one : *departments) known.push_back(one.department);
  const auto strangers = rings ? departments_not_in(*rings, known) : std::vector<std::string>();
  if (!arguments.department.empty()) {
    const auto is_one = check_choice("--department", {arguments.department},
                                     fmt::format("was never promoted in '{}'", stage->string()), known);
    if (!is_one) return report(is_one.error());
    std::erase_if(*departments, [&](const auto& one) { return one.department != arguments.department; });
  }
  std::map<std::string, std::vector<RingStanding>> standings;
  if (rings) {
    const auto told = told_of_stage(host_processes(), *stage);
    if (!told) return report_input(told.error(), ExitCode::bad_data);
    for (const auto& one : *departments) standings[one.department] = rings_of(*rings, one, *told);
  }
  if (arguments.json) {
    Json json = *departments;
    for (auto& one : json) {
      if (const auto& its = standings[one.at("department").get<std::string>()]; !its.empty()) one["rings"] = its;
    }
    Json status{{"stage", stage->string()}, {"departments", std::move(json)}};
    if (!strangers.empty()) status["never_promoted"] = strangers;
    say_json("deploy-status", std::move(status));
  } else {
    for (const auto& department : *departments) {
      say_department(department, standings[department.department]);
      if (rings && standings[department.department].empty())
        say("{}: all machines at once, since {} names no rings of it\n", department.department, arguments.rings);
    }
    if (!strangers.empty()) say("nothing was ever promoted for these of {}: {}\n", arguments.rings, listed(strangers));
    if (departments->empty()) say("nothing was promoted in '{}'\n", stage->string());
  }
  return code_of(*departments);
}

void add_status(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<StatusArguments>();
  auto* status = group.add_subcommand(
      "status", "which machine has what, since when, tested in which run, approved by whom, and which one differs");
  status->add_option("stage", arguments->stage, "stage folder")->required();
  status->add_option("--department", arguments->department, "only this department");
  add_rings_option(*status, arguments->rings);
  status->add_flag("--json", arguments->json, "as JSON");
  status->callback([arguments, &chosen] { chosen = [arguments] { return deploy_status(*arguments); }; });
}

}  // namespace

void add_deploy(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand(
      "deploy",
      "hand what was promoted to whoever installs it, and know what came of it: export, record, status, change");
  group->require_subcommand(1);
  add_export(*group, chosen);
  add_record(*group, chosen);
  add_status(*group, chosen);
  add_deploy_change(*group, chosen);
}

}  // namespace patchlab::cli
