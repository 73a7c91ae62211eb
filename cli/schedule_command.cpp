// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/schedule_checks.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "process/schedule/standing.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
using namespace process;

constexpr std::uintmax_t largest_unit = 1U << 16U;
constexpr const char* wants = "timers.target.wants";

// Where units lie, and whose systemd has them.
struct PlaceArguments {
  fs::path root;
  bool user = false;
};
struct InstallArguments {
  PlaceArguments place;
  fs::path scenario;
  fs::path folder = ".";
  fs::path notify;
  std::string run_as = "patchlab";
  std::string nightly;
  std::vector<std::string> without;
  std::vector<std::string> refresh;
  bool force = false;
  bool dry_run = false;
};
struct RemoveArguments {
  PlaceArguments place;
  bool force = false;
};
struct ShowArguments {
  PlaceArguments place;
  bool json = false;
};

Result<fs::path> units_folder(const PlaceArguments& place) {
  if (!place.root.empty()) {
    PATCHLAB_ASSIGN(const auto root, absolute_path(place.root));
    return root / "etc/systemd" / (place.user ? "user" : "system");
  }
  if (!place.user) return fs::path("/etc/systemd/system");
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return fs::path(config) / "systemd/user";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/')
    return configuration_error("HOME is not set, so nobody knows where the units of this user's systemd lie");
  return fs::path(home) / ".config/systemd/user";
}

// The systemd that runs here; of a root that is given it is another one.
Result<void> systemctl(const PlaceArguments& place, std::vector<std::string> words) {
  if (!place.root.empty()) return {};
  ProcessSpec spec;
  spec.program = "systemctl";
  spec.arguments = std::move(words);
  if (place.user) spec.arguments.insert(spec.arguments.begin(), "--user");
  spec.time_limit = std::chrono::minutes(1);
  const auto outcome = run_for_output(host_processes(), spec);
  if (outcome) return {};
  auto error = outcome.error();
  error.hint = "the units are in place; where systemd does not run, --root / writes them and asks nobody";
  return error;
}

// When systemd started a timer last: it makes up for what was missed since, and would for a timer that is not the same.
Result<void> remove_stamp(const PlaceArguments& place, const std::string& unit) {
  if (!unit.ends_with(".timer")) return {};
  fs::path stamps;
  if (!place.root.empty()) {
    if (place.user) return {};  // nobody knows whose
    PATCHLAB_ASSIGN(const auto root, absolute_path(place.root));
    stamps = root / "var/lib/systemd/timers";
  } else if (!place.user) {
    stamps = "/var/lib/systemd/timers";
  } else {
    const char* data = std::getenv("XDG_DATA_HOME");
    const char* home = std::getenv("HOME");
    if (data != nullptr && *data == '/')
      stamps = fs::path(data) / "systemd/timers";
    else if (home != nullptr && *home == '/')
      stamps = fs::path(home) / ".local/share/systemd/timers";
    else
      return {};
  }
  return is_folder(stamps) ? remove_tree(stamps / ("stamp-" + unit)) : Result<void>();
}

std::optional<std::string> text_of(const fs::path& file) {
  auto text = read_file(file, largest_unit);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

// --- install
struct Wanted {
  fs::path folder;
  std::vector<Unit> units;
  std::vector<std::string> says;  // what is not as somebody may think, sentences
};

Result<fs::path> file_for(const fs::path& named, const char* what, bool must_be_there) {
  if (named.empty()) return fs::path();
  PATCHLAB_ASSIGN(auto file, absolute_path(named));
  if (must_be_there && !is_file(file))
    return configuration_error(fmt::format("{} '{}' is not there", what, named.string()),
                               "is the name right? names are taken from the folder you are in");
  return file.lexically_normal();
}

Result<Wanted> wanted_units(const InstallArguments& arguments) {
  PATCHLAB_TRY(check_choice("--without", arguments.without, "is no part of the schedule", schedule_parts()));
  if (!arguments.nightly.empty() && !time_of_day(arguments.nightly))
    return usage_error(fmt::format("--nightly '{}' is no time of a day", arguments.nightly), "as 22:00");
  if (!arguments.refresh.empty() && std::ranges::count(arguments.without, "refresh") > 0)
    return usage_error("--refresh asks for what --without refresh leaves out", "take one of them");
  // Services without a user would run as root.
  if (!arguments.place.user && arguments.run_as.empty())
    return usage_error("--run-as names nobody", "name the user that the services run as, or take --user");
  const bool is_here = arguments.place.root.empty() || arguments.place.root == "/";
  UnitValues values;
  values.program = own_program();
  PATCHLAB_ASSIGN(const auto scenario, file_for(arguments.scenario, "the scenario", is_here));
  PATCHLAB_ASSIGN(const auto notify, file_for(arguments.notify, "the configuration of notify", is_here));
  PATCHLAB_ASSIGN(const auto folder, absolute_path(arguments.folder));
  PATCHLAB_ASSIGN(const auto share, share_folder(own_program()));
  values.scenario = scenario.string();
  values.notify = notify.string();
  values.folder = folder.lexically_normal().string();
  while (values.folder.size() > 1 && values.folder.ends_with("/")) values.folder.pop_back();
  values.levels = (share / "scenarios/faults/levels.json").string();
  values.user = arguments.place.user ? "" : arguments.run_as;
  values.nightly = arguments.nightly;
  values.without = arguments.without;
  values.refresh = arguments.refresh;
  PATCHLAB_ASSIGN(auto environment, installers_environment());
  values.environment = std::move(environment.carried);
  Wanted wanted;
  for (const auto& [name, value] : values.environment) wanted.says.push_back(name + " is as here: " + value);
  for (const auto& name : environment.left)
    wanted.says.push_back(name + " is set here, and the services do not have it: 'systemctl edit' adds Environment=");
  if (arguments.place.user)
    wanted.says.emplace_back("apt's lists are refreshed by nobody, as that takes root: see to it yourself");
  if (is_here) {
    PATCHLAB_ASSIGN(auto not_asked, check_services(values));
    std::ranges::move(not_asked, std::back_inserter(wanted.says));
  } else {
    wanted.says.emplace_back("whether folder, user and files are there was not asked: they are another host's");
  }
  PATCHLAB_ASSIGN(wanted.folder, units_folder(arguments.place));
  PATCHLAB_ASSIGN(wanted.units, units_of(values));
  return wanted;
}

// What `systemctl enable` makes of WantedBy=timers.target, so that no systemd has to run for it.
Result<void> enable(const fs::path& folder, const std::string& timer) {
  const auto link = folder / wants / timer;
  std::error_code code;
  if (fs::is_symlink(fs::symlink_status(link, code))) return {};
  PATCHLAB_TRY(create_folders(folder / wants));
  fs::create_symlink(fs::path("..") / timer, link, code);
  return code ? Result<void>(infrastructure_error(fmt::format("enabling '{}': {}", link.string(), code.message())))
              : Result<void>();
}

Result<void> disable_and_remove(const PlaceArguments& place, const fs::path& folder, const std::string& name) {
  PATCHLAB_TRY(remove_tree(folder / wants / name));
  PATCHLAB_TRY(remove_stamp(place, name));
  return remove_tree(folder / name);
}

const char* word_for(UnitState state, bool is_forced) {
  switch (state) {
    case UnitState::missing: return "new";
    case UnitState::as_wanted: return "as it was";
    case UnitState::older: return "renewed";
    case UnitState::changed: return is_forced ? "overwritten: it was changed by hand" : "LEFT: it was changed by hand";
  }
  return "";
}

// What is there of a part that is not wanted any more. Whether something was left that somebody changed.
Result<bool> remove_unwanted(const Wanted& wanted, const InstallArguments& arguments) {
  bool is_left = false;
  for (const auto& one : unit_templates()) {
    const std::string name(one.name);
    if (std::ranges::count(wanted.units, name, &Unit::name) > 0) continue;
    const auto there = text_of(wanted.folder / name);
    if (!there) continue;
    const bool goes = arguments.force || is_ours(*there);
    say("{}: {}\n", name, goes ? "removed: it is not wanted any more" : "LEFT: it was changed by hand");
    is_left = is_left || !goes;
    if (!goes || arguments.dry_run) continue;
    PATCHLAB_TRY(systemctl(arguments.place, {"stop", name}));
    PATCHLAB_TRY(disable_and_remove(arguments.place, wanted.folder, name));
  }
  return is_left;
}

Result<bool> write_units(const Wanted& wanted, const InstallArguments& arguments) {
  const FilesForAll readable;
  bool is_left = false;
  if (!arguments.dry_run) PATCHLAB_TRY(create_folders(wanted.folder));
  std::vector<std::string> timers;
  for (const auto& unit : wanted.units) {
    const auto state = state_of_unit(text_of(wanted.folder / unit.name), unit);
    say("{}: {}\n", unit.name, word_for(state, arguments.force));
    const bool stays = state == UnitState::changed && !arguments.force;
    is_left = is_left || stays;
    if (arguments.dry_run || stays) continue;
    if (state != UnitState::as_wanted) PATCHLAB_TRY(write_file_atomically(wanted.folder / unit.name, unit.text, 0644));
    if (!unit.name.ends_with(".timer")) continue;
    // One of another time may have left its stamp.
    if (state == UnitState::missing) PATCHLAB_TRY(remove_stamp(arguments.place, unit.name));
    PATCHLAB_TRY(enable(wanted.folder, unit.name));
    timers.push_back(unit.name);
  }
  PATCHLAB_ASSIGN(const bool is_other_left, remove_unwanted(wanted, arguments));
  if (!arguments.dry_run) {
    PATCHLAB_TRY(systemctl(arguments.place, {"daemon-reload"}));
    timers.insert(timers.begin(), "start");
    PATCHLAB_TRY(systemctl(arguments.place, timers));
  }
  return is_left || is_other_left;
}

ExitCode install(const InstallArguments& arguments) {
  const auto wanted = wanted_units(arguments);
  if (!wanted) return report_input(wanted.error(), ExitCode::bad_configuration);
  const auto left = write_units(*wanted, arguments);
  if (!left) return report(left.error(), ExitCode::cannot_create);
  say("{} units in '{}'{}\n", wanted->units.size(), wanted->folder, arguments.dry_run ? " would be there" : "");
  for (const auto& one : wanted->says) say("{}\n", one);
  if (arguments.notify.empty()) say("nobody is told when one of them fails: --notify FILE\n");
  if (*left) {
    warn("what was changed by hand was left as it is; 'systemctl edit' changes beside the file, --force overwrites it");
    return ExitCode::not_tested;
  }
  return ExitCode::ok;
}

// --- remove
ExitCode remove_units(const RemoveArguments& arguments) {
  const auto folder = units_folder(arguments.place);
  if (!folder) return report(folder.error());
  bool is_left = false;
  std::size_t removed = 0;
  std::vector<std::string> going;
  for (const auto& one : unit_templates()) {
    const std::string name(one.name);
    const auto there = text_of(*folder / name);
    if (!there) continue;
    if (arguments.force || is_ours(*there)) {
      going.push_back(name);
      continue;
    }
    say("{}: LEFT: it was changed by hand\n", name);
    is_left = true;
  }
  for (const auto& name : going) {
    // A run that is under way goes on to its end: only what starts the next one is stopped.
    if (name.ends_with(".timer")) {
      if (const auto stopped = systemctl(arguments.place, {"stop", name}); !stopped) return report(stopped.error());
    }
    if (const auto gone = disable_and_remove(arguments.place, *folder, name); !gone)
      return report(gone.error(), ExitCode::cannot_create);
    say("{}: removed\n", name);
    ++removed;
  }
  if (removed > 0) {
    if (const auto again = systemctl(arguments.place, {"daemon-reload"}); !again) return report(again.error());
  }
  if (removed == 0 && !is_left) say("nothing is installed in '{}'\n", *folder);
  return is_left ? ExitCode::not_tested : ExitCode::ok;
}

// --- show
Json part_json(const PartStanding& part) {
  const auto time = [](const std::optional<TimerTime>& when) {
    if (!when) return Json();
    const auto seconds = when->time_since_epoch();
    return Json(std::string(rfc3339(std::chrono::system_clock::time_point(seconds)).substr(0, 19)));
  };
  return {{"name", part.name},
          {"standing", to_string(part.verdict)},
          {"on_calendar", part.on_calendar},
          {"changed", part.is_changed},
          {"due", time(part.due)},
          {"begun", time(part.begun)},
          {"says", part.says}};
}

ExitCode show(const ShowArguments& arguments) {
  const auto folder = units_folder(arguments.place);
  if (!folder) return report(folder.error());
  auto parts = is_folder(*folder) ? look_at_schedule(*folder, system_clock_source().wall())
                                  : Result<std::vector<PartStanding>>(std::vector<PartStanding>());
  if (!parts) return report_input(parts.error(), ExitCode::bad_data);
  using Verdict = PartStanding::Verdict;
  bool any = false, is_well = true, is_known = true;
  Json json = Json::array();
  for (const auto& part : *parts) {
    is_known = is_known && part.verdict != Verdict::unknown;
    any = any || part.verdict != Verdict::not_installed;
    is_well = is_well && (part.verdict == Verdict::not_installed || part.verdict == Verdict::well);
    json.push_back(part_json(part));
    if (!arguments.json)
      say("{}: {}{}{}\n", part.name, part.says, part.on_calendar.empty() ? "" : " (" + part.on_calendar + ")",
          part.is_changed ? ", changed by hand" : "");
  }
  if (arguments.json)
    say_json("schedule", {{"folder", folder->string()}, {"parts", std::move(json)}});
  else if (!any)
    say("nothing is installed in '{}'\n", *folder);
  if (!is_known) return ExitCode::error;
  return any && is_well ? ExitCode::ok : ExitCode::not_tested;
}

void add_place(CLI::App& command, PlaceArguments& place) {
  command.add_flag("--user", place.user, "of the own systemd of whoever calls this, not of the host's");
  command.add_option("--root", place.root, "below this folder, for another host: nothing is started");
}

}  // namespace

void add_schedule(CLI::App& app, Chosen& chosen) {
  auto* group =
      app.add_subcommand("schedule", "let the lab run by itself, by timers of systemd: install, show, remove");
  group->require_subcommand(1);
  const auto installing = std::make_shared<InstallArguments>();
  auto* install_command =
      group->add_subcommand("install", "write and start units: nightly, scan, weekly maintenance, notifier");
  install_command->add_option("scenario", installing->scenario, "scenario that the nightly and the scan are of")
      ->required();
  install_command->add_option("--folder", installing->folder, "where the services work: runs and stage are there")
      ->capture_default_str();
  install_command->add_option("--notify", installing->notify,
                              "configuration of notify: what is new is told, and what failed");
  install_command->add_option("--run-as", installing->run_as, "user of the host's services")->capture_default_str();
  install_command->add_option("--nightly", installing->nightly, "when the nightly begins, as 22:00");
  install_command->add_option("--without", installing->without, "leave this part out (may be given again)");
  install_command
      ->add_option(
          "--refresh", installing->refresh,
          "put what production has into the golden images of this department every Friday (may be given again)")
      ->allow_extra_args(false);
  add_place(*install_command, installing->place);
  install_command->add_flag("--force", installing->force, "overwrite also what was changed by hand");
  install_command->add_flag("--dry-run", installing->dry_run, "say what would be done");
  install_command->callback([installing, &chosen] { chosen = [installing] { return install(*installing); }; });

  const auto showing = std::make_shared<ShowArguments>();
  auto* show_command = group->add_subcommand("show", "what is installed, and whether each part began when it was due");
  add_place(*show_command, showing->place);
  show_command->add_flag("--json", showing->json, "as JSON");
  show_command->callback([showing, &chosen] { chosen = [showing] { return show(*showing); }; });

  const auto removing = std::make_shared<RemoveArguments>();
  auto* remove_command = group->add_subcommand("remove", "take the units away; what is under way comes to its end");
  add_place(*remove_command, removing->place);
  remove_command->add_flag("--force", removing->force, "also what was changed by hand");
  remove_command->callback([removing, &chosen] { chosen = [removing] { return remove_units(*removing); }; });
}

}  // namespace patchlab::cli
