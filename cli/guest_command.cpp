// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/guest/recording/scrubber.hpp"
#include "lab/guest/recording/understanding.hpp"
#include "runners/engine/record_guest.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
namespace recording = lab::guest::recording;

struct Arguments {
  fs::path folder;
  fs::path output;
  fs::path rules;
  runners::RecordGuestOptions options;
  bool json = false;
};

// Those of the folder that we are in, as in a checkout; else those that patchlab came with.
Result<recording::ScrubRules> rules_of(const Arguments& arguments) {
  const fs::path here = "scenarios/recording/rules.json";
  if (!arguments.rules.empty()) return recording::read_scrub_rules(arguments.rules);
  if (is_file(here)) return recording::read_scrub_rules(here);
  PATCHLAB_ASSIGN(const auto share, share_folder(own_program()));
  return recording::read_scrub_rules(share / here);
}

// Beside the folder, never in it.
fs::path list_of(const fs::path& folder) {
  const auto named = [](fs::path path) {
    path = path.lexically_normal();
    return path.has_filename() ? path : path.parent_path();
  };
  auto path = named(folder);
  if (path.empty() || path == "." || path.filename() == "..") path = named(absolute_path(folder).value_or(folder));
  return path += ".names.txt";
}

// Before a machine is started for nothing: makes the folder, empty.
Result<void> make_room(const fs::path& folder) {
  if (is_there(list_of(folder)))
    return configuration_error(fmt::format("'{}' is there already", list_of(folder).string()),
                               "name another folder, or take it away");
  if (!is_there(folder)) return create_folders(folder);
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
  if (entries.empty()) return {};
  return configuration_error(fmt::format("'{}' is not empty", folder.string()), "name a folder that is not there yet");
}

void tell(const recording::Scrubbed& scrubbed, const fs::path& folder) {
  const auto& made = scrubbed.recording;
  const auto& machine = made.machine;
  const auto without = std::ranges::count_if(made.replies, [](const auto& reply) { return !reply.trouble.empty(); });
  say("{}: {} commands of {} {}, {} without a reply\n", folder.string(), made.replies.size(),
      machine.product.empty() ? "a Windows" : machine.product, machine.release, without);
  for (const auto& reply : made.replies) {
    if (!reply.trouble.empty()) say("  without a reply: {}: {}\n", reply.id, reply.trouble);
  }
  for (const auto& one : scrubbed.not_learned)
    say("  names could not be learned, and may stand anywhere in it: {}\n", one);
  std::size_t names = 0;
  std::size_t places = 0;
  for (const auto& count : made.scrubbed) {
    names += count.names;
    places += count.places;
  }
  say("  {} names were replaced in {} places\n", names, places);
}

ExitCode keep(const recording::Scrubbed& scrubbed, const fs::path& folder) {
  const auto list = list_of(folder);
  // What was replaced by what is for its owner alone.
  constexpr unsigned for_the_owner = 0600;
  if (const auto written = write_file_atomically(list, recording::list_of_replacements(scrubbed), for_the_owner);
      !written)
    return report(written.error(), ExitCode::cannot_create);
  if (const auto written = recording::write_recording(folder, scrubbed.recording); !written)
    return report(written.error(), ExitCode::cannot_create);
  tell(scrubbed, folder);
  say("  look at '{}', which stays with you, before you give '{}' away\n", list.string(), folder.string());
  say("  next: patchlab guest replay {}\n", folder.string());
  return scrubbed.is_whole() ? ExitCode::ok : ExitCode::not_tested;
}

ExitCode record(const Arguments& arguments) {
  const auto stop = interruption();
  const auto rules = rules_of(arguments);
  if (!rules) return report(rules.error());
  if (const auto cache = own_cache(); !cache) return report(cache.error());
  if (const auto free = make_room(arguments.folder); !free) return report(free.error(), ExitCode::cannot_create);
  auto options = arguments.options;
  options.program = own_program();
  const auto started = rfc3339(system_clock_source().wall());
  std::optional<runners::Progress> progress;
  progress.emplace(runners::Progress::style_for(STDERR_FILENO));
  auto replies = runners::record_guest(options, runners::this_host(), *progress, stop);
  progress.reset();
  if (!replies) {
    std::error_code ignored;
    fs::remove(arguments.folder, ignored);  // as long as it is empty
    return report(replies.error());
  }
  recording::Recording said{"patchlab " PATCHLAB_VERSION, started, {}, std::move(replies->replies), {}, {}};
  return keep(recording::scrubbed(std::move(said), replies->only_names, *rules), arguments.folder);
}

ExitCode scrub(const Arguments& arguments) {
  const auto rules = rules_of(arguments);
  if (!rules) return report(rules.error());
  auto before = recording::read_recording(arguments.folder);
  if (!before) return report_input(before.error(), ExitCode::bad_data);
  if (const auto free = make_room(arguments.output); !free) return report(free.error(), ExitCode::cannot_create);
  return keep(recording::scrubbed(std::move(*before), {}, *rules), arguments.output);
}

template <class Rows>
void tell_rows(const char* heading, const Rows& rows) {
  if (rows.empty()) return;
  say("{} ({}):\n", heading, rows.size());
  for (const auto& [name, value] : rows) say("  {}: {}\n", name, value);
}

void tell_list(const char* heading, const std::vector<std::string>& list) {
  if (list.empty()) return;
  say("{} ({}):\n", heading, list.size());
  for (const auto& one : list) say("  {}\n", one);
}

void tell(const recording::Recording& read, const recording::Understanding& understood) {
  const auto& machine = read.machine;
  say("recorded {} by {}: {} commands\n", read.recorded, read.program, read.replies.size());
  say("machine: {} {}, language {}, code pages {} and {}\n", machine.product, machine.release, machine.language,
      machine.oem_code_page, machine.ansi_code_page);
  say("steps:\n");
  for (const auto& step : understood.steps)
    say("  {}: {}\n", step.name, step.trouble.empty() ? std::string("understood") : step.trouble);
  if (!understood.boot_id.empty()) say("boot id: {}\n", understood.boot_id);
  tell_rows("installed", understood.installed);
  tell_list("a restart is due", understood.restart.strong);
  tell_list("signs of a restart that decide nothing", understood.restart.weak);
  tell_rows("services", understood.state.services);
  tell_list("listeners", understood.state.listeners);
  tell_list("addresses", understood.state.addresses);
  tell_list("errors in logs", understood.state.error_kinds);
  tell_rows("facts", understood.state.facts);
  tell_rows("not there", understood.state.absent_sources);
  for (const auto& [kind, rows] : understood.state.rows) tell_rows(kind.c_str(), rows);
  tell_rows("could not be read", understood.unreadable);
  tell_list("not in the recording", understood.missing);
  say("{}\n", understood.is_whole() ? "everything was understood" : "NOT everything was understood");
}

ExitCode replay(const Arguments& arguments) {
  const auto read = recording::read_recording(arguments.folder);
  if (!read) return report_input(read.error(), ExitCode::bad_data);
  const auto understood = recording::understanding_of(*read);
  if (arguments.json)
    say_json("guest-replay", recording::understanding_json(*read, understood));
  else
    tell(*read, understood);
  return understood.is_whole() ? ExitCode::ok : ExitCode::not_tested;
}

void add_rules(CLI::App& command, Arguments& arguments) {
  command.add_option("--rules", arguments.rules,
                     "where names stand that are replaced; default: scenarios/recording/rules.json, else that which "
                     "patchlab came with");
}

}  // namespace

void add_guest(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("guest", "what a Windows machine says, recorded and read again");
  group->require_subcommand(1);
  auto* recorder = group->add_subcommand(
      "record", "ask a clone of a golden Windows domain everything that only asks, and keep it without names");
  recorder->add_option("folder", arguments->folder, "a folder that is not there yet")->required();
  auto& domain = arguments->options.domain;
  domain.uri = "qemu:///system";
  recorder->add_option("--domain", domain.domain, "the golden domain, shut off; only a clone of it is started")
      ->required();
  recorder->add_option("--connect", domain.uri, "its libvirt, here or by ssh: qemu+ssh://root@HOST/system")
      ->capture_default_str();
  recorder->add_option("--storage", domain.storage, "folder for the files of the clone, on the libvirt's host");
  recorder->add_option("--address", arguments->options.address, "of the machine, as 10.20.0.10/24; default: any");
  add_rules(*recorder, *arguments);
  recorder->callback([arguments, &chosen] { chosen = [arguments] { return record(*arguments); }; });
  auto* replaying = group->add_subcommand("replay", "what the adapter understands of a recording");
  replaying->add_option("folder", arguments->folder, "folder that 'guest record' wrote")->required();
  replaying->add_flag("--json", arguments->json, "as JSON");
  replaying->callback([arguments, &chosen] { chosen = [arguments] { return replay(*arguments); }; });
  auto* scrubbing = group->add_subcommand("scrub", "replace further names in a recording, without the machine");
  scrubbing->add_option("folder", arguments->folder, "folder that 'guest record' wrote; it stays as it is")->required();
  scrubbing->add_option("-o,--output", arguments->output, "a folder that is not there yet")->required();
  add_rules(*scrubbing, *arguments);
  scrubbing->callback([arguments, &chosen] { chosen = [arguments] { return scrub(*arguments); }; });
}

}  // namespace patchlab::cli
