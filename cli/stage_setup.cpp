// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/separation.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/process/process.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/signature/public_key.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path stage;
  std::string user = "patchlab-promote";
  std::string lab;
  fs::path runs;
  fs::path home;
  fs::path key;  // of a lab on another host, public
  bool promotes = false;
  bool apply = false;
};

// What stands in a line of sudoers without being quoted there (sudoers(5)), or between the quotes of authorized_keys.
bool is_plain(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
           c == '_' || c == '-' || c == '+';
  });
}

struct Step {
  std::vector<std::string> words;
  std::string file{};  // to be written with these bytes; `words` is the command that checks it then
  std::string text{};
  mode_t mode = 0440;
};

struct SetUp {
  std::vector<Step> steps;
  std::string desk;  // the command for --desk
};

Result<void> check_lab(const Arguments& arguments) {
  if (arguments.user == arguments.lab)
    return configuration_error(fmt::format("--user and --lab are both '{}': then nothing is parted", arguments.user));
  const auto lab = host_user(arguments.lab);
  if (!lab) return configuration_error(fmt::format("--lab: there is no user '{}'", arguments.lab));
  if (lab->id == 0)
    return configuration_error("--lab is root, who may write everything",
                               "run the lab as a user of its own (patchlab doctor says what it needs)");
  return {};
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "HOST";
}

// The one command of whoever has that key, whatever he asks for (sshd(8), AUTHORIZED_KEYS FILE FORMAT). What is there
// already stays. Only root changes it.
Result<std::vector<Step>> steps_by_ssh(const Arguments& arguments, const std::string& command) {
  PATCHLAB_ASSIGN(const auto text, read_file(arguments.key));
  PATCHLAB_ASSIGN(const auto key, promotion::read_public_key_file(text, arguments.key.string()));
  const auto folder = arguments.home / ".ssh";
  const auto file = folder / "authorized_keys";
  std::string lines;
  std::error_code code;
  if (fs::exists(file, code)) {
    PATCHLAB_ASSIGN(lines, read_file(file, 1U << 20U, Links::refuse));
  }
  if (code) return configuration_error(fmt::format("'{}': {}", file.string(), code.message()), "call this as root");
  if (!lines.empty() && !lines.ends_with('\n')) lines += '\n';
  const auto line = fmt::format("restrict,command=\"{}\" {}\n", command, to_string(key));
  if (lines.find(to_string(key)) == std::string::npos)
    lines += line;
  else if (lines.find(line) == std::string::npos)
    return configuration_error(fmt::format("'{}' lets that key do something else", file.string()),
                               "remove its line there first");
  return std::vector<Step>{// sshd gives the command to a shell; without PAM it lets nobody in whose password is locked.
                           {{"usermod", "--shell", "/bin/sh", "--password", "*", arguments.user}},
                           {{"install", "-d", "-o", "root", "-g", "root", "-m", "0755", folder.string()}},
                           {{"ssh-keygen", "-l", "-f", file.string()}, file.string(), lines, 0644}};
}

Result<SetUp> steps_for(const Arguments& arguments, const std::string& program) {
  const auto stage = arguments.stage.string();
  const auto runs = arguments.runs.string();
  for (const auto& text : {stage, runs, arguments.home.string(), arguments.user, program,
                           arguments.key.empty() ? arguments.lab : program}) {
    if (!is_plain(text))
      return configuration_error(fmt::format("'{}' cannot stand in a line of {} as it is", text,
                                             arguments.key.empty() ? "sudoers" : "authorized_keys"),
                                 "letters, digits and / . _ - + do");
  }
  if (arguments.key.empty()) PATCHLAB_TRY(check_lab(arguments));
  const auto& user = arguments.user;
  SetUp set_up;
  auto& steps = set_up.steps;
  if (!host_user(user)) {
    steps.push_back({{"useradd", "--system", "--no-log-init", "--user-group", "--create-home", "--home-dir",
                      arguments.home.string(), "--shell", "/usr/sbin/nologin", user}});
  }
  // The group of who promotes reads the ledger; nothing of it may be written by a group.
  if (arguments.key.empty()) steps.push_back({{"usermod", "--append", "--groups", user, arguments.lab}});
  steps.push_back({{"install", "-d", "-o", user, "-g", user, "-m", "0755", stage}});
  steps.push_back({{"install", "-d", "-o", user, "-g", user, "-m", "0750", runs}});
  steps.push_back({{"chown", "--no-dereference", "--recursive", user + ":" + user, stage, runs}});
  steps.push_back({{"chmod", "--recursive", "go-w", stage, runs}});
  if (const auto ledger = arguments.stage / promotion::chain_folder_name; is_there(ledger)) {
    steps.push_back({{"chmod", "--recursive", "g+rX,o-rwx", ledger.string()}});
  }
  const std::vector<std::string> take{program, "ledger", "take", "--stage", stage, "--runs", runs};
  auto command = fmt::format("{}", fmt::join(take, " "));
  if (arguments.promotes) command += " --promote";
  if (!arguments.key.empty()) {
    PATCHLAB_ASSIGN(auto by_ssh, steps_by_ssh(arguments, command));
    std::ranges::move(by_ssh, std::back_inserter(steps));
    set_up.desk = fmt::format("ssh -o BatchMode=yes {}@{} {}", user, host_name(), command);
    return set_up;
  }
  const auto sudoers = "/etc/sudoers.d/" + user;
  steps.push_back({{"visudo", "--check", "--file", sudoers},
                   sudoers,
                   fmt::format("{} ALL=({}) NOPASSWD: {}\n", arguments.lab, user, command)});
  set_up.desk = fmt::format("sudo -n -u {} {}", user, command);
  return set_up;
}

std::string as_text(const Step& step) {
  std::string text;
  if (!step.file.empty())
    text += fmt::format("install -m {:04o} /dev/stdin {} <<'END'\n{}END\n", step.mode, step.file, step.text);
  for (const auto& word : step.words) text += word == "*" ? "'*' " : word + " ";
  text.back() = '\n';
  return text;
}

// A file of sudoers or keys that cannot be read locks everybody out: it is checked before it gets its name.
Result<void> write_checked(const Step& step) {
  const auto aside = step.file + ".new";  // sudo reads no name with a dot
  PATCHLAB_TRY(write_file_atomically(aside, step.text, step.mode));
  ProcessSpec spec;
  spec.program = step.words.front();
  spec.arguments.assign(step.words.begin() + 1, step.words.end());
  std::ranges::replace(spec.arguments, step.file, aside);
  const auto checked = run_for_output(host_processes(), spec);
  if (checked && ::rename(aside.c_str(), step.file.c_str()) != 0)
    return errno_error("renaming to '" + step.file + "'", errno);
  if (checked) return sync_path(fs::path(step.file).parent_path());
  ::unlink(aside.c_str());
  return checked.error();
}

Result<void> take_step(const Step& step) {
  if (!step.file.empty()) return write_checked(step);
  ProcessSpec spec;
  spec.program = step.words.front();
  spec.arguments.assign(step.words.begin() + 1, step.words.end());
  PATCHLAB_TRY(run_for_output(host_processes(), spec));
  return {};
}

// What would let the lab's user do as it likes all the same.
std::vector<Hole> holes_of(const Arguments& arguments, const std::string& program) {
  const auto lab = host_user(arguments.lab);
  if (!arguments.key.empty() || !lab) return {};  // who is on another host writes nothing here
  std::vector<Hole> holes;
  for (const auto& path : {arguments.stage, arguments.runs, fs::path(program)}) {
    for (auto& hole : ways_to_write(path, *lab)) {
      const bool known = std::ranges::any_of(holes, [&](const Hole& other) { return other.place == hole.place; });
      if (!known) holes.push_back(std::move(hole));
    }
  }
  return holes;
}

ExitCode set_up(Arguments arguments) {
  if (arguments.lab.empty() == arguments.key.empty())
    return report(
        configuration_error("one of --lab and --ssh is needed",
                            "--lab USER for a lab on this host, --ssh FILE with the public key of one on another"),
        ExitCode::usage);
  if (arguments.home.empty()) arguments.home = fs::path("/var/lib") / arguments.user;
  if (arguments.runs.empty()) arguments.runs = arguments.home / "runs";
  for (auto* path : {&arguments.stage, &arguments.runs, &arguments.home}) {
    auto absolute = absolute_path(*path);
    if (!absolute) return report(absolute.error());
    *path = std::move(*absolute);
  }
  const auto program = own_program();
  const auto found = steps_for(arguments, program);
  if (!found) return report(found.error(), ExitCode::usage);
  if (arguments.apply && ::geteuid() != 0)
    return report(configuration_error("only root can make users and give files away",
                                      "leave --apply out to see what is to be done, or call this with sudo"),
                  ExitCode::usage);
  for (const auto& step : found->steps) {
    write_out(as_text(step));
    if (!arguments.apply) continue;
    if (const auto taken = take_step(step); !taken) return report(taken.error(), ExitCode::cannot_create);
  }
  const auto holes = holes_of(arguments, program);
  // Before it is done, the stage may still be the lab's.
  std::size_t open = 0;
  for (const auto& hole : holes) {
    const auto inside = hole.place == arguments.stage || hole.place == arguments.runs ||
                        hole.place.string().starts_with(arguments.stage.string() + "/") ||
                        hole.place.string().starts_with(arguments.runs.string() + "/");
    if (!arguments.apply && inside) continue;
    constexpr std::size_t shown = 20;
    if (++open > shown) continue;
    report(configuration_error(
        fmt::format("'{}' {}: then nothing is parted", hole.place.string(), hole.why),
        hole.place == program ? "install patchlab as root, for example into /usr/local/bin" : hole.mend));
  }
  say("# for {}: PATCHLAB_DESK='{}'\n", arguments.key.empty() ? "'" + arguments.lab + "'" : "the lab with that key",
      found->desk);
  return open == 0 ? ExitCode::ok : ExitCode::bad_configuration;
}

}  // namespace

void add_stage_setup(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("stage", "who may write a stage");
  group->require_subcommand(1);
  auto* command = group->add_subcommand(
      "setup", "what parts the user who promotes from the lab's: prints the commands, or does them");
  command->add_option("--stage", arguments->stage, "stage folder")->required();
  command->add_option("--lab", arguments->lab, "user who calls patchlab run, on this host");
  command->add_option("--ssh", arguments->key, "or the public key of who calls it on another host, a file");
  command->add_option("--user", arguments->user, "user who promotes; made when missing")->capture_default_str();
  command->add_option("--home", arguments->home, "home of that user; default: /var/lib/USER");
  command->add_option("--runs", arguments->runs, "folder for the desk's copies of runs; default: HOME/runs");
  command->add_flag("--promote", arguments->promotes,
                    "runs are promoted at their end, when the policy lets them; else only by people");
  command->add_flag("--apply", arguments->apply, "do it, as root");
  command->callback([arguments, &chosen] { chosen = [arguments] { return set_up(*arguments); }; });
}

}  // namespace patchlab::cli
