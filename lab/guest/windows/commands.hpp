// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchlab::lab::guest::windows {

// The laboratory's own files lie in C:\patchlab: job.cmd, job.code, an output for each job, which job.cmd names, copies
// of packages and logs. The other names never change, so that a guest that only pretends to be Windows can link them to
// where its own tools write.
enum class Command {
  os_info,
  interfaces,
  architecture,
  make_folder,
  run_job,
  kill_job,
  boot_event,
  servicing_keys,
  service_states,
  drives,
  find_file,
  copy_file,
  delete_file,
  install_msu,
  install_cab,
  install_msi,
  install_msp,
  install_exe,
  remove_kb,
  remove_package,
  remove_product,
  remove_patch,
  quick_fixes,
  packages,
  package_states,
  package_visibility,
  products_64,
  products_32,
  product_languages_64,
  product_languages_32,
  related_products,
  package_errors,
  servicing_failures,
  exclusive_session,
  update_keys,
  update_volatile,
  server_manager,
  run_once,
  renames,
  active_name,
  next_name,
  netlogon,
  service_starts,
  service_triggers,
  sockets,
  processes,
  drivers,
  ip_settings,
  adapters,
  adapter_devices,
  firewall,
  network_categories,
  acl,
  errors_logged,
  copy_log,
  recent_events,
  ip_details,
  reach_out,
  registry_key,
  registry_value,
  registry_tree,
  registry_search,
  tasks,
  dns_zones,
  dhcp_dump,
  web_digest,
  memory,
  memory_pools,
  process_usage,
  disk_usage,
  stop_service,
  start_service,
  restart,
  power_off,
};

// What it does to the guest, in one place for all: a recording sends nothing that acts. Every command has one of them;
// none is 0, so that a row without one is found.
enum class Effect {
  reads = 1,
  own_files,  // writes nothing but files of the laboratory's own folder, C:\patchlab
  acts,       // changes the guest, ends something in it or sends something from it
};
[[nodiscard]] const char* to_string(Effect effect);

struct CommandRow {
  Command command;
  // Who carries it out: "agent" is a command of the guest agent itself; "exec" a program it starts, whose output comes
  // through its pipe; "job" a line of job.cmd, whose output comes as a file, in UTF-8.
  const char* by;
  Effect effect;
  const char* line;   // with <placeholders>
  const char* reply;  // what is understood of the answer
};

// Every command the adapter sends, in the order of `Command`. There is no other source of command lines.
[[nodiscard]] std::span<const CommandRow> commands();

using Values = std::vector<std::pair<std::string_view, std::string>>;  // placeholder without brackets -> text

// The line with its placeholders filled in. Each must be named, else std::logic_error: a bug.
[[nodiscard]] std::string line_of(Command command, const Values& values = {});
// For "exec" rows: program and arguments. Double quotes hold an argument together and are not part of it.
struct ProgramLine {
  std::string program;
  std::vector<std::string> arguments;
};
[[nodiscard]] ProgramLine program_line_of(Command command, const Values& values = {});

// The other way round: which command a line is, and its placeholders' texts. `by`: as in the table; of "exec" the whole
// line with its quotes.
struct CommandLine {
  Command command;
  std::map<std::string, std::string> values;
};
[[nodiscard]] std::optional<CommandLine> command_in(std::string_view by, std::string_view line);
// Nothing of it acts, and its values cannot make another command of it.
[[nodiscard]] bool is_only_asking(const CommandLine& line);

// Names from scenarios and media that become part of a command line: letters, digits and ._+~- only, so that nothing in
// them means anything to cmd.exe.
[[nodiscard]] bool is_plain_name(std::string_view name);

// The table as Markdown, for docs/windows.md.
[[nodiscard]] std::string commands_markdown();

}  // namespace patchlab::lab::guest::windows
