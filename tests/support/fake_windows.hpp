// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <tuple>

#include "lab/guest/windows/commands.hpp"
#include "lab/guest/windows/job.hpp"
#include "lab/guest/windows/servicing.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/windows_registry.hpp"

namespace patchlab::test {

// A Windows machine that behaves, behind a FakeAgent: it runs command scripts, keeps packages from staged over pending
// to installed or rolled back, restarts, is silent while it does. It knows the commands of commands.hpp and no others:
// any other line is a test failure. Call `answer` for each agent command; time passes by the fake clock alone.
class FakeWindows {
 public:
  using Command = lab::guest::windows::Command;
  using PackageState = lab::guest::windows::PackageState;

  struct Package {
    PackageState registry = PackageState::installed;
    PackageState dism = PackageState::installed;
    bool listed = true;  // in the quick-fix list
    std::uint32_t last_error = 0;
    std::optional<std::uint32_t> rolls_back;  // at the next start, with this HRESULT
  };
  // What a package on the medium does when its installer runs.
  struct Installer {
    std::int64_t exit_code = 0;      // as cmd.exe prints it
    std::string identity;            // of the package it brings; empty: none
    std::vector<std::string> parts;  // what it is made of
    bool needs_restart = false;
    std::optional<std::uint32_t> rolls_back;
    Milliseconds takes{2000};
    bool hangs = false;
    int busy = 0;                                 // so many times it ends with 1618 first
    bool restarts_at_once = false;                // the machine goes down under it
    bool wants_restart_first = false;             // ends with 3017 while a restart is pending
    std::map<std::string, std::string> products;  // of an .msi: key -> version
    std::set<std::string> removes_products;
    std::string output;
    std::function<void(FakeWindows&)> changes;  // what else it does to the machine
  };
  struct Service {
    std::uint32_t state = 4;
    std::uint32_t exit_code = 0;
    std::uint32_t start = 2;
    bool triggered = false;
    // When it is told to stop or to start:
    Milliseconds stop_takes{0};
    Milliseconds start_takes{0};
    std::uint32_t refuses_stop = 0;  // with this exit code of sc
    int good_starts = 1000;          // so many; behind them it ends at once, with 1067
    Milliseconds moves_until{0};     // in state 2 or 3
  };

  explicit FakeWindows(FakeClock& clock) : clock_(clock) {
    agent.programs = [this](const auto& program, const auto& arguments, const auto&) {
      return execute(program, arguments);
    };
    packages["Microsoft-Windows-Foundation-Package~31bf3856ad364e35~amd64~~6.2.9200.16384"] = {};
    packages["Package_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2"] = {};
    parts["Package_1_for_KB2756872~31bf3856ad364e35~amd64~~6.2.1.2"] = PackageState::installed;
    parts["Package_for_KB2756872_RTM_BF~31bf3856ad364e35~amd64~~6.2.1.2"] = PackageState::installed;
    services["DNS"] = {};
    services["Spooler"] = {};
    services["wuauserv"] = {1, 1077, 3, true};
  }

  FakeAgent agent;
  std::map<std::string, Package> packages;
  std::map<std::string, PackageState> parts;  // known to the registry alone
  std::map<std::string, Installer> installers;
  std::map<std::string, Service> services;
  std::map<std::string, std::string> products{{"{23170F69-40C1-2702-1900-000001000000}", "19.00.00.0"}};
  std::map<std::string, std::vector<std::string>> upgrade_codes;  // both in Windows Installer's short form
  std::set<std::string> medium;
  std::set<std::string> logs{"System", "Application", "Setup", "DNS Server", "Microsoft-Windows-PrintService/Admin"};
  std::map<std::string, std::string> drives{{"C:", "3"}, {"D:", "5"}};
  std::set<std::string> servicing_keys{"Packages"};
  std::string architecture = "PROCESSOR_ARCHITECTURE=AMD64\r\n";
  std::string os_id = "mswindows";
  std::pair<std::string, std::string> kernel;          // version and build; empty: an old agent
  std::map<std::string, std::string> registry_values;  // "Exclusive" -> "0x1": for the questions about restarts
  std::set<std::string> absent_paths{"C:\\Windows\\SYSVOL", "C:\\inetpub", "C:\\Windows\\System32\\dhcp"};
  std::string rights = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
  std::string extra_events;                     // XML, into the System log's errors
  std::map<Command, std::string> replies;       // a command's output instead of the usual
  std::map<Command, std::uint32_t> exit_codes;  // and its exit code
  WindowsRegistry registry = member_server();   // what a look at the whole guest sees
  std::map<std::string, std::string> tasks{
      {"\\Microsoft\\Windows\\Defrag\\ScheduledDefrag",
       "<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\r\n"
       "  <Triggers />\r\n  <Settings>\r\n    <Enabled>true</Enabled>\r\n  </Settings>\r\n"
       "  <Principals>\r\n    <Principal id=\"LocalSystem\">\r\n      <UserId>S-1-5-18</UserId>\r\n"
       "      <RunLevel>HighestAvailable</RunLevel>\r\n    </Principal>\r\n  </Principals>\r\n"
       "  <Actions Context=\"LocalSystem\">\r\n    <Exec>\r\n      "
       "<Command>%windir%\\system32\\defrag.exe</Command>\r\n"
       "      <Arguments>-c -h -g</Arguments>\r\n    </Exec>\r\n  </Actions>\r\n</Task>"}};
  std::set<Command> hanging;  // programs that never end
  // What its PowerShell prints for the words of a script; null: as in a fence that is tight, where the client alone
  // answers.
  std::function<std::string(const std::string& token, const std::vector<std::vector<std::string>>& tries)> reaches;
  std::string client = "10.20.0.250";
  bool german = false;
  bool folder_there = false;
  Milliseconds boot_takes{20000};
  int self_restarts = 0;  // so many more at the next start
  bool agent_dies_at_restart = false;
  bool installer_stays = false;  // what a job started holds its output for ever
  bool refuses_output = false;   // the next job's output cannot be opened
  std::set<std::string> held_files;
  bool restart_after_job = false;  // the next job's end is followed by a restart, as after an installer's 1641
  std::vector<std::string> lines;  // of jobs and programs, as carried out
  std::set<Command> carried_out;

  // Bytes that a process, or "nonpaged pool", takes more each time that it is asked for.
  std::map<std::string, std::uint64_t> leaks;
  std::map<std::string, std::uint64_t> taken;
  std::uint64_t leaked(const std::string& who) {
    const auto leak = leaks.find(who);
    return taken[who] += leak == leaks.end() ? 0 : leak->second;
  }

  int boots = 1;

  Result<std::string> answer(const std::string& text) {
    clock_.advance(Milliseconds(2));
    live();
    if (down_until_ || dead_) return infrastructure_error("guest agent is not connected");
    const auto command = Json::parse(text);
    const auto name = command.at("execute").get<std::string>();
    if (name == "guest-exec" && command["arguments"]["path"] == "date")
      return FakeAgent::refusal("Failed to execute child process: No such file or directory");
    if (name == "guest-get-osinfo") {
      Json info{{"id", os_id}, {"machine", "x86_64"}};
      if (!kernel.first.empty()) info.update({{"kernel-version", kernel.first}, {"kernel-release", kernel.second}});
      return returned(info);
    }
    if (name == "guest-network-get-interfaces") {
      return returned(Json::array(
          {{{"name", "Ethernet"},
            {"hardware-address", "52:54:00:14:00:10"},
            {"ip-addresses",
             {{{"ip-address", "10.20.0.10"}, {"prefix", 24}}, {{"ip-address", "fe80::5054:ff%12"}, {"prefix", 64}}}}},
           {{"name", "Loopback"}, {"ip-addresses", Json::array()}}}));
    }
    if (name == "guest-file-open" && command["arguments"]["mode"] == "w" && !folder_there) {
      return FakeAgent::refusal(
          "failed to open file 'C:\\patchlab\\job.cmd': The system cannot find the path specified.");
    }
    auto reply = agent.answer(text);
    constexpr std::string_view missing = "No such file or directory";
    if (german && reply && reply->find(missing) != std::string::npos) {
      reply->replace(reply->find(missing), missing.size(), "Das System kann die angegebene Datei nicht finden.");
    }
    return reply;
  }

  void restart() { down_until_ = clock_.now() + boot_takes; }

 private:
  using Captured = std::map<std::string, std::string>;
  struct Job {
    Milliseconds end{};
    bool hangs = false;
    std::string output;
    std::string code_file;
    std::vector<std::function<void()>> effects;
    bool restarts = false;
  };

  static std::string returned(const Json& value) { return Json{{"return", value}}.dump(); }

  void live() {
    if (job_ && !job_->hangs && clock_.now() >= job_->end) {
      const auto job = *std::exchange(job_, std::nullopt);
      for (const auto& effect : job.effects) effect();
      if (job.restarts)
        restart();
      else
        agent.files["C:\\patchlab\\job.code"] = job.code_file;
      if (!job.effects.empty() && std::exchange(restart_after_job, false))
        restart_at_ = clock_.now() + Milliseconds(5000);
    }
    if (restart_at_ && clock_.now() >= *restart_at_) {
      restart_at_.reset();
      restart();
    }
    if (down_until_ && clock_.now() >= *down_until_) {
      down_until_.reset();
      start_up();
    }
  }

  void start_up() {
    ++boots;
    job_.reset();
    agent.restart();
    if (agent_dies_at_restart) dead_ = true;
    if (self_restarts > 0) {
      --self_restarts;
      servicing_keys.insert("RebootInProgress");
      restart_at_ = clock_.now() + Milliseconds(5000);
      return;
    }
    servicing_keys.erase("RebootPending");
    servicing_keys.erase("RebootInProgress");
    for (auto& [identity, package] : packages) {
      if (package.registry != PackageState::install_pending) continue;
      const auto state = package.rolls_back ? PackageState::staged : PackageState::installed;
      package.registry = package.dism = state;
      package.listed = !package.rolls_back;
      package.last_error = package.rolls_back.value_or(0);
    }
  }

  FakeAgent::Process execute(const std::string& program, const std::vector<std::string>& arguments) {
    std::string joined = program;
    for (const auto& argument : arguments) joined += " " + argument;
    lines.push_back(joined);
    for (const auto& row : lab::guest::windows::commands()) {
      if (std::string_view(row.by) != "exec") continue;
      std::string pattern = row.line;
      std::erase(pattern, '"');
      const auto is_it = pattern.find('<') == std::string::npos
                             ? pattern == joined
                             : joined.starts_with(pattern.substr(0, pattern.find('<')));
      if (!is_it) continue;
      std::string output;
      Captured with;
      if (const auto open = pattern.find('<'); open != std::string::npos)
        with[pattern.substr(open + 1, pattern.find('>') - open - 1)] = joined.substr(open);
      const auto code = carry_out(row.command, with, output);
      FakeAgent::Process process;
      process.exit_code = static_cast<int>(code);
      process.output = output;
      if (hanging.contains(row.command)) process.looks = 1000000;
      return process;
    }
    ADD_FAILURE() << "no such command: " << joined;
    return {1, "", "not found", {}, 1, false};
  }

  void start_job() {
    const auto read = lab::guest::windows::read_job_script(agent.files["C:\\patchlab\\job.cmd"]);
    ASSERT_TRUE(read) << read.error().message;
    const auto& script = *read;
    std::erase_if(agent.files, [&](const auto& file) {
      return file.first.starts_with("C:\\patchlab\\patchlab-") && !held_files.contains(file.first);
    });
    job_ = Job{clock_.now() + Milliseconds(500), false, {}, {}, {}, false};
    if (held_files.contains(script.output) || std::exchange(refuses_output, false)) {
      job_->code_file = script.token + " not-run\r\n";
      return;
    }
    const auto level = lab::guest::windows::carry_out(script, job_->output, [this](const std::string& line) {
      lines.push_back(line);
      return run_line(line);
    });
    job_->code_file = lab::guest::windows::code_file(script.token, level);
    agent.files[script.output] = job_->output;
    if (installer_stays) held_files.insert(script.output);
  }

  std::int64_t run_line(const std::string& line) {
    if (const auto known = lab::guest::windows::command_in("job", line))
      return carry_out(known->command, known->values, job_->output);
    ADD_FAILURE() << "no such command: " << line;
    return 9009;
  }

  std::int64_t reach_out(std::string& output) {
    std::string token;
    std::vector<std::vector<std::string>> tries;
    std::istringstream script(agent.files["C:\\patchlab\\reach.ps1"]);
    for (std::string line; std::getline(script, line);) {
      std::vector<std::string> words;
      std::istringstream in(line);
      for (std::string word; in >> word;) words.push_back(word);
      if (words.size() == 2 && words[0] == "token") token = words[1];
      if (words.size() >= 5 && words[0] == "try" && words[1] == std::to_string(tries.size())) tries.push_back(words);
    }
    if (reaches) {
      output += reaches(token, tries);
      return 0;
    }
    output += "\xEF\xBB\xBFreach " + token + "\nadapter 12 10.20.0.10\n";
    for (const auto& words : tries) {
      const bool to_client = words[3] == client;
      output += fmt::format("try {} {}\n", words[1], to_client ? "answered connection refused" : "silent");
    }
    output += "neighbour 12 " + client + " 52540014000a\nend\n";
    return 0;
  }

  std::int64_t install(const std::string& file, std::string& output) {
    if (!agent.files.contains("C:\\patchlab\\" + file)) return 2;
    auto& installer = installers[file];
    output += installer.output;
    if (installer.wants_restart_first && servicing_keys.contains("RebootPending")) return 3017;
    if (installer.busy > 0) {
      --installer.busy;
      return 1618;
    }
    job_->end = clock_.now() + installer.takes;
    job_->hangs = installer.hangs;
    job_->restarts = installer.restarts_at_once;
    if (!installer.products.empty()) {
      job_->effects.push_back([this, installer] {
        for (const auto& key : installer.removes_products) products.erase(key);
        products.insert(installer.products.begin(), installer.products.end());
      });
    }
    if (installer.changes) job_->effects.push_back([this, installer] { installer.changes(*this); });
    if (!installer.identity.empty()) {
      job_->effects.push_back([this, installer] {
        const auto state = installer.needs_restart ? PackageState::install_pending : PackageState::installed;
        packages[installer.identity] = {state, state, !installer.needs_restart, 0, installer.rolls_back};
        for (const auto& part : installer.parts) parts[part] = state;
        if (installer.needs_restart) servicing_keys.insert("RebootPending");
      });
    }
    return installer.exit_code;
  }

  std::int64_t service_failed(const char* what, std::int64_t code, std::string& output) const {
    output += fmt::format("[SC] {} {} {}:\r\n\r\n", what, german ? "FEHLER" : "FAILED", code);
    return code;
  }
  std::int64_t stop_service(const std::string& name, std::string& output) {
    const auto found = services.find(name);
    if (found == services.end()) return service_failed("OpenService", 1060, output);
    auto& service = found->second;
    if (service.refuses_stop != 0) return service_failed("ControlService", service.refuses_stop, output);
    if (service.state == 1) return service_failed("ControlService", 1062, output);
    if (service.state != 4) return service_failed("ControlService", 1061, output);
    for (const auto& [other, of_it] : services) {
      const auto key = registry.keys.find("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\" + other);
      if (key == registry.keys.end() || of_it.state == 1) continue;
      const auto needs = key->second.find("DependOnService");
      if (needs != key->second.end() &&
          ("\\0" + needs->second.data + "\\0").find("\\0" + name + "\\0") != std::string::npos)
        return service_failed("ControlService", 1051, output);
    }
    service.state = service.stop_takes > Milliseconds(0) ? 3 : 1;
    service.exit_code = 0;
    service.moves_until = clock_.now() + service.stop_takes;
    return 0;
  }
  std::int64_t start_service(const std::string& name, std::string& output) {
    const auto found = services.find(name);
    if (found == services.end()) return service_failed("OpenService", 1060, output);
    auto& service = found->second;
    if (service.state != 1) return service_failed("StartService", 1056, output);
    if (service.good_starts-- <= 0) {
      service.exit_code = 1067;
      return 0;
    }
    service.state = service.start_takes > Milliseconds(0) ? 2 : 4;
    service.moves_until = clock_.now() + service.start_takes;
    return 0;
  }

  std::int64_t remove_if(const std::function<bool(const std::string&)>& is_meant) {
    const auto removed = std::erase_if(packages, [&](const auto& entry) { return is_meant(entry.first); });
    return removed > 0 ? 0 : 2359303;
  }

  static std::string key_path(const std::string& below) {
    return "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\" + below + "\r\n";
  }
  static std::string value_line(const std::string& name, const std::string& type, const std::string& data) {
    return fmt::format("    {}    {}    {}\r\n", name, type, data);
  }
  std::string end_of_search(std::size_t matches) const {
    // The umlaut is one byte of code page 850: reg does not honour chcp on every machine.
    return german ? fmt::format(
                        "\r\nSuchende: {} \x9A"
                        "bereinstimmung(en) gefunden.\r\n",
                        matches)
                  : fmt::format("\r\nEnd of search: {} match(es) found.\r\n", matches);
  }
  std::int64_t asked_value(const std::string& name, const std::string& type, std::string& output) {
    const auto found = registry_values.find(name);
    if (found == registry_values.end()) {
      output += german ? "FEHLER: Der angegebene Registrierungsschl\x81ssel wurde nicht gefunden.\r\n"
                       : "ERROR: The system was unable to find the specified registry key or value.\r\n";
      return 1;
    }
    output += "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Some\\Key\r\n" + value_line(name, type, found->second) + "\r\n";
    return 0;
  }

  std::int64_t carry_out(Command command, const Captured& with, std::string& output) {
    carried_out.insert(command);
    const auto code = exit_codes.find(command);
    if (const auto reply = replies.find(command); reply != replies.end()) {
      output += reply->second;
      return code == exit_codes.end() ? 0 : code->second;
    }
    if (code != exit_codes.end()) return code->second;
    return usual(command, with, output);
  }

  std::int64_t usual(Command command, const Captured& with, std::string& output) {
    const auto services_root = std::string("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\");
    switch (command) {
      case Command::os_info:
      case Command::interfaces: return 1;  // the agent's own
      case Command::architecture: output += architecture; return 0;
      case Command::make_folder: folder_there = true; return 0;
      case Command::run_job: start_job(); return 0;
      case Command::kill_job: job_.reset(); return 0;
      case Command::boot_event:
        output += fmt::format(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
            "Name='Microsoft-Windows-Kernel-General' "
            "Guid='{{A68CA8B7-004F-D7B6-A698-07E2DE0F1F5D}}'/><EventID>12</EventID>"
            "<Level>4</Level><TimeCreated "
            "SystemTime='2026-11-22T06:0{}:00.000000000Z'/><EventRecordID>{}</EventRecordID>"
            "</System><EventData><Data Name='StartTime'>2026</Data></EventData></Event>\r\n",
            boots % 10, 1000 + boots);
        return 0;
      case Command::servicing_keys:
        output +=
            "\r\n" + key_path("Component Based Servicing") + value_line("Version", "REG_SZ", "6.2.9200.16384") + "\r\n";
        for (const auto& key : servicing_keys) output += key_path("Component Based Servicing\\" + key);
        return 0;
      case Command::service_states:
        for (auto& [name, service] : services) {
          if ((service.state == 2 || service.state == 3) && service.moves_until > Milliseconds(0) &&
              clock_.now() >= service.moves_until)
            service.state = service.state == 2 ? 4 : 1;
          output += fmt::format(
              "\r\nSERVICE_NAME: {}\r\nDISPLAY_NAME: {} (service: with a colon)\r\n        {}               : 20  "
              "WIN32_SHARE_PROCESS  \r\n        {}              : {}  {} \r\n                                "
              "(STOPPABLE, "
              "NOT_PAUSABLE)\r\n        WIN32_EXIT_CODE    : {}  (0x{:x})\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n"
              "        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0\r\n",
              name, name, german ? "TYP" : "TYPE", german ? "STATUS" : "STATE", service.state, "STATE_WORD",
              service.exit_code, service.exit_code);
        }
        return 0;
      case Command::drives:
        output += "DeviceID  DriveType  \r\r\n";
        for (const auto& [letter, type] : drives) output += fmt::format("{:<10}{:<11}\r\r\n", letter, type);
        output += "\r\r\n";
        return 0;
      case Command::find_file:
        for (std::size_t at = 0; at + 2 <= with.at("drives").size(); at += 3) {
          const auto letter = with.at("drives").substr(at, 2);
          if (drives[letter] == "5" && medium.contains(letter + with.at("file"))) {
            output += "found " + letter + "\r\n";
          }
        }
        return 0;
      case Command::copy_file:
        if (!medium.contains(with.at("drive") + with.at("file"))) return 1;
        agent.files["C:\\patchlab\\" + with.at("file")] = "MSCF";
        output += "        1 file(s) copied.\r\n";
        return 0;
      case Command::delete_file: agent.files.erase("C:\\patchlab\\" + with.at("file")); return 0;
      case Command::install_msu:
      case Command::install_cab:
      case Command::install_msi:
      case Command::install_msp:
      case Command::install_exe: return install(with.at("file"), output);
      case Command::remove_kb:
        return remove_if(
            [&](const auto& identity) { return identity.find("KB" + with.at("number") + "~") != std::string::npos; });
      case Command::remove_package:
        return remove_if([&](const auto& identity) { return identity == with.at("identity"); });
      case Command::remove_product: return products.erase(with.at("product")) > 0 ? 0 : 1605;
      case Command::remove_patch: return 0;
      case Command::quick_fixes: {
        output += "HotFixID   \r\r\n";
        std::set<std::string> numbers;
        for (const auto& [identity, package] : packages) {
          const auto kb = lab::guest::windows::kb_of(identity);
          if (package.listed && !kb.empty()) numbers.insert(kb);
        }
        for (const auto& number : numbers) output += fmt::format("{:<11}\r\r\n", number);
        output += "\r\r\n";
        return 0;
      }
      case Command::packages:
        output +=
            "\r\nDeployment Image Servicing and Management tool\r\nVersion: 6.2.9200.16384\r\n\r\nImage Version: "
            "6.2.9200.16384\r\n\r\nPackages listing:\r\n\r\n\r\n------ | --------- | ------ | -----\r\nPackage "
            "Identity | "
            "State     | Release Type | Install Time\r\n------ | --------- | ------ | -----\r\n";
        for (const auto& [identity, package] : packages) {
          if (package.dism == PackageState::absent) continue;
          std::string word = lab::guest::windows::to_string(package.dism);
          word[0] = static_cast<char>(word[0] - 'a' + 'A');
          if (const auto blank = word.find(' '); blank != std::string::npos)
            word[blank + 1] = static_cast<char>(word[blank + 1] - 'a' + 'A');
          output += fmt::format("{} | {} | Update | 7/26/2012 8:00 AM\r\n", identity, word);
        }
        output += "\r\nThe operation completed successfully.\r\n";
        return 0;
      case Command::package_states: {
        std::map<std::string, PackageState> all = parts;
        for (const auto& [identity, package] : packages) all[identity] = package.registry;
        for (const auto& [identity, state] : all) {
          output += "\r\n" + key_path("Component Based Servicing\\Packages\\" + identity) +
                    value_line("CurrentState", "REG_DWORD", fmt::format("0x{:x}", static_cast<unsigned>(state)));
        }
        output += end_of_search(all.size());
        return 0;
      }
      case Command::package_visibility: {
        for (const auto& [identity, package] : packages) {
          output += "\r\n" + key_path("Component Based Servicing\\Packages\\" + identity) +
                    value_line("Visibility", "REG_DWORD", "0x1");
        }
        for (const auto& [identity, state] : parts) {
          output += "\r\n" + key_path("Component Based Servicing\\Packages\\" + identity) +
                    value_line("Visibility", "REG_DWORD", "0x2");
        }
        output += end_of_search(packages.size() + parts.size());
        return 0;
      }
      case Command::products_64:
        for (const auto& [key, version] : products)
          output += "\r\n" + key_path("Uninstall\\" + key) + value_line("DisplayVersion", "REG_SZ", version);
        output += end_of_search(products.size());
        return products.empty() ? 1 : 0;
      case Command::products_32: output += end_of_search(0); return 1;
      case Command::product_languages_64:
        for (const auto& [key, version] : products)
          output += "\r\n" + key_path("Uninstall\\" + key) + value_line("Language", "REG_DWORD", "0x409");
        output += end_of_search(products.size());
        return products.empty() ? 1 : 0;
      case Command::product_languages_32: output += end_of_search(0); return 1;
      case Command::related_products: {
        const auto found = upgrade_codes.find(with.at("code"));
        if (found == upgrade_codes.end()) return asked_value("no such key", "REG_SZ", output);
        output += "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\Installer\\UpgradeCodes\\" + with.at("code") + "\r\n";
        for (const auto& code : found->second) output += value_line(code, "REG_SZ", "");
        return 0;
      }
      case Command::package_errors: {
        std::size_t matches = 0;
        for (const auto& [identity, package] : packages) {
          if (package.last_error == 0) continue;
          ++matches;
          output += "\r\n" + key_path("Component Based Servicing\\Packages\\" + identity) +
                    value_line("LastError", "REG_DWORD", fmt::format("0x{:x}", package.last_error));
        }
        output += end_of_search(matches);
        return matches == 0 ? 1 : 0;
      }
      case Command::servicing_failures: return 0;
      case Command::exclusive_session: return asked_value("Exclusive", "REG_DWORD", output);
      case Command::update_keys: return asked_value("RebootRequired", "REG_DWORD", output);
      case Command::update_volatile: return asked_value("UpdateExeVolatile", "REG_DWORD", output);
      case Command::server_manager: return asked_value("CurrentRebootAttempts", "REG_DWORD", output);
      case Command::run_once: return asked_value("DVDRebootSignal", "REG_SZ", output);
      case Command::renames: return asked_value("PendingFileRenameOperations", "REG_MULTI_SZ", output);
      case Command::active_name:
        output += "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\\ActiveComputerName\r\n" +
                  value_line("ComputerName", "REG_SZ", "SRV2012");
        return 0;
      case Command::next_name: {
        const auto next = registry_values.find("ComputerName");
        output += "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\\ComputerName\r\n" +
                  value_line("ComputerName", "REG_SZ", next == registry_values.end() ? "SRV2012" : next->second);
        return 0;
      }
      case Command::netlogon:
        output += "\r\n" + services_root + "Netlogon\r\n" + value_line("Start", "REG_DWORD", "0x3");
        for (const auto* name : {"JoinDomain", "AvoidSpnSet"}) {
          if (registry_values.contains(name)) output += value_line(name, "REG_DWORD", "0x1");
        }
        return 0;
      case Command::service_starts:
        for (const auto& [name, service] : services) {
          output += "\r\n" + services_root + name + "\r\n" +
                    value_line("Start", "REG_DWORD", fmt::format("0x{:x}", service.start));
        }
        output += "\r\n" + services_root + "disk\r\n" + value_line("Start", "REG_DWORD", "0x0") +
                  end_of_search(services.size() + 1);
        return 0;
      case Command::service_triggers: {
        std::size_t matches = 0;
        for (const auto& [name, service] : services) {
          if (!service.triggered) continue;
          ++matches;
          output += "\r\n" + services_root + name + "\\TriggerInfo\\0\r\n" + value_line("Action", "REG_DWORD", "0x1");
        }
        output += end_of_search(matches);
        return matches == 0 ? 1 : 0;
      }
      case Command::sockets:
        output += fmt::format(
            "\r\nActive Connections\r\n\r\n  Proto  Local Address          Foreign Address        State           "
            "PID\r\n"
            "  TCP    0.0.0.0:53             0.0.0.0:0              {0}       1200\r\n"
            "  TCP    0.0.0.0:135            0.0.0.0:0              {0}       612\r\n"
            "  TCP    0.0.0.0:49{1}          0.0.0.0:0              {0}       612\r\n"
            "  TCP    10.20.0.10:53          10.20.0.2:50021        {2}     1200\r\n"
            "  TCP    [fe80::5054:ff%12]:139 [::]:0                 {0}       4\r\n"
            "  UDP    0.0.0.0:53             *:*                                    1200\r\n"
            "  UDP    0.0.0.0:55{1}          *:*                                    1200\r\n",
            german ? "ABH\x99REN" : "LISTENING", 200 + boots, german ? "HERGESTELLT" : "ESTABLISHED");
        return 0;
      case Command::processes:
        output += fmt::format(
            "\"System Idle Process\",\"0\",\"{0}\"\r\n\"System\",\"4\",\"{0}\"\r\n\"svchost.exe\",\"612\","
            "\"RpcEptMapper,RpcSs\"\r\n\"dns.exe\",\"1200\",\"DNS\"\r\n",
            german ? "Nicht zutreffend" : "N/A");
        return 0;
      case Command::drivers: output += "\"disk\",\"Disk Driver\",\"Kernel \",\"7/26/2012 3:26:46 AM\"\r\n"; return 0;
      case Command::ip_settings:
        output += "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\\Interfaces\\{AAAA}\r\n" +
                  value_line("EnableDHCP", "REG_DWORD", "0x0") +
                  value_line("DefaultGateway", "REG_MULTI_SZ", "10.20.0.1") +
                  value_line("NameServer", "REG_SZ", "10.20.0.10");
        return 0;
      case Command::adapters:
        output +=
            "ConfigManagerErrorCode  MACAddress         PNPDeviceID                     \r\r\n"
            "0                       52:54:00:14:00:10  PCI\\VEN_1AF4&DEV_1041\\3&1  \r\r\n\r\r\n";
        return 0;
      case Command::memory:
        output +=
            "FreePhysicalMemory  TotalVisibleMemorySize  \r\r\n2097152             4194304                 "
            "\r\r\n\r\r\n";
        return 0;
      case Command::memory_pools:
        output += fmt::format("PoolNonpagedBytes  PoolPagedBytes  \r\r\n{:<17}  {:<14}  \r\r\n\r\r\n",
                              (std::uint64_t{64} << 20U) + leaked("nonpaged pool"), 128U << 20U);
        return 0;
      case Command::process_usage:
        output += "HandleCount  Name                 PrivatePageCount  ThreadCount  \r\r\n";
        for (const auto& [name, handles, bytes, threads] :
             std::vector<std::tuple<std::string, int, std::uint64_t, int>>{
                 {"System Idle Process", 0, 0, 2},
                 {"lsass.exe", 1200, (std::uint64_t{40} << 20U) + leaked("lsass.exe"), 9},
                 {"svchost.exe", 300, 10U << 20U, 8},
                 {"svchost.exe", 500, 10U << 20U, 20},
                 {"dns.exe", 5000, 100U << 20U, 12},
                 {"WMIC.exe", 150, 3U << 20U, 5}})
          output += fmt::format("{:<11}  {:<19}  {:<16}  {:<11}  \r\r\n", handles, name, bytes, threads);
        output += "\r\r\n";
        return 0;
      case Command::disk_usage:
        output += "DeviceID  FreeSpace    Size         \r\r\nC:        21473261568  42946523136  \r\r\n\r\r\n";
        return 0;
      case Command::adapter_devices:
        for (const auto& [device, kind] :
             {std::pair{"PCI\\VEN_1AF4&DEV_1041\\3&1", "{4d36e972-e325-11ce-bfc1-08002be10318}"},
              {"PCI\\VEN_8086&DEV_100E\\4&2", "{4D36E972-E325-11CE-BFC1-08002BE10318}"},
              {"PCI\\VEN_1AF4&DEV_1001\\5&3", "{4d36e97b-e325-11ce-bfc1-08002be10318}"}}) {
          output += fmt::format("\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Enum\\{}\r\n", device) +
                    value_line("ClassGUID", "REG_SZ", kind);
        }
        output += end_of_search(3);
        return 0;
      case Command::firewall:
        for (const auto* profile : {"DomainProfile", "PublicProfile", "StandardProfile"}) {
          output += fmt::format("\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\\FirewallPolicy\\{}\r\n", profile) +
                    value_line("EnableFirewall", "REG_DWORD", "0x1");
        }
        output += end_of_search(3);
        return 0;
      case Command::network_categories:
        output += "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Profiles\\{BBBB}\r\n" +
                  value_line("Category", "REG_DWORD", "0x2") + end_of_search(1);
        return 0;
      case Command::acl:
        if (absent_paths.contains(with.at("path"))) return 2;
        agent.files["C:\\patchlab\\acl-" + with.at("number") + ".txt"] = utf16("config\r\n" + rights + "\r\n");
        return 0;
      case Command::errors_logged:
        if (with.at("log") == "System") output += extra_events;
        return logs.contains(with.at("log")) ? 0 : 15007;
      case Command::copy_log:
        if (with.at("source").find("poqexec") != std::string::npos) return 1;
        agent.files["C:\\patchlab\\" + with.at("file")] = "a log\r\n";
        return 0;
      case Command::recent_events:
      case Command::ip_details: output += "text\r\n"; return 0;
      case Command::reach_out: return reach_out(output);
      case Command::registry_key: return registry.print({with.at("key")}, german, output);
      case Command::registry_value: return registry.print({with.at("key"), with.at("value")}, german, output);
      case Command::registry_tree: return registry.print({with.at("key"), {}, true}, german, output);
      case Command::registry_search: return registry.print({with.at("key"), with.at("value"), true}, german, output);
      case Command::tasks:
        output += "<?xml version=\"1.0\" ?>\r\n<Tasks>\r\n\r\n";
        for (const auto& [name, definition] : tasks)
          output += fmt::format("<!-- {} -->\r\n{}\r\n\r\n", name, definition);
        output += "</Tasks>\r\n";
        return 0;
      case Command::dns_zones:
        output += german ? "Aufz\x84hlung der Zonen:\r\n\tZonenzahl = 2\r\n\r\n"
                         : "Enumerated zone list:\r\n\tZone count = 2\r\n\r\n";
        output +=
            " Zone name                      Type       Storage         Properties\r\n\r\n"
            " .                              Cache      AD-Domain\r\n"
            " ad.example                     Primary    AD-Domain       Secure\r\n\r\n\r\n";
        return 0;
      case Command::dhcp_dump:
        if (registry.keys.contains(services_root + "DHCPServer")) {
          output += "\r\n# ====\r\nDhcp Server \\\\dhcp1 Add Scope 10.20.0.0 255.255.255.0 \"corp\" \"\"\r\n";
          return 0;
        }
        output += german ? "Der Befehl wurde nicht gefunden: dhcp server dump.\r\n"
                         : "The following command was not found: dhcp server dump.\r\n";
        return 1;
      case Command::web_digest: return -2147024893;  // no such folder
      case Command::stop_service: return stop_service(with.at("service"), output);
      case Command::start_service: return start_service(with.at("service"), output);
      case Command::restart: restart_at_ = clock_.now() + Milliseconds(5000); return 0;
      case Command::power_off: return 0;
    }
    return 1;
  }

 public:
  static std::string utf16(const std::string& ascii) {
    std::string bytes;
    for (const char c : ascii) {
      bytes += c;
      bytes += '\0';
    }
    return bytes;
  }

 private:
  FakeClock& clock_;
  std::optional<Job> job_;
  std::optional<Milliseconds> down_until_;
  std::optional<Milliseconds> restart_at_;
  bool dead_ = false;
};

}  // namespace patchlab::test
