// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace patchlab::lab::guest::windows {
namespace {

// Programs are named in full: the search path of a service is not to be relied on. /reg:64 reads the 64-bit view
// whoever asks. Keys, codes and columns are read, never words that Windows translates; dism alone is told to speak
// English.
#define SYSTEM32 "C:\\Windows\\System32\\"
#define CURRENT_VERSION "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\"
#define SERVICING CURRENT_VERSION "Component Based Servicing"
#define CONTROL "HKLM\\SYSTEM\\CurrentControlSet\\"

constexpr CommandRow command_table[] = {
    {Command::os_info, "agent", Effect::reads, "guest-get-osinfo",
     "`id` must be `mswindows`, `machine` must be `x86_64`"},
    {Command::interfaces, "agent", Effect::reads, "guest-network-get-interfaces",
     "hardware addresses with their addresses and prefixes"},
    {Command::architecture, "exec", Effect::reads, SYSTEM32 "cmd.exe /d /c set PROCESSOR_ARCHITE",
     "`PROCESSOR_ARCHITECTURE=AMD64` and no `PROCESSOR_ARCHITEW6432`: the agent is a 64-bit one"},
    {Command::make_folder, "exec", Effect::own_files, SYSTEM32 "cmd.exe /d /c mkdir C:\\patchlab",
     "nothing; the write that follows shows"},
    {Command::run_job, "exec", Effect::own_files,  // beside what its lines do, each a row of its own
     SYSTEM32 "cmd.exe /d /q /c C:\\patchlab\\job.cmd",
     "nothing; `C:\\patchlab\\job.code` comes to hold the job's token and its exit code"},
    {Command::kill_job, "exec", Effect::acts, SYSTEM32 "taskkill.exe /pid <pid> /t /f",
     "nothing; sent when a job is given up"},
    {Command::boot_event, "exec", Effect::reads,
     SYSTEM32 "wevtutil.exe qe System \"/q:*[System[Provider[@Name='Microsoft-Windows-Kernel-General'] and "
              "(EventID=12)]]\" /c:1 /rd:true /f:xml",
     "record number and time of the latest start of the system: the boot id"},
    {Command::servicing_keys, "exec", Effect::reads, SYSTEM32 "reg.exe query \"" SERVICING "\" /reg:64",
     "subkeys `RebootPending`, `RebootInProgress`, `PackagesPending`"},
    {Command::service_states, "exec", Effect::reads, SYSTEM32 "sc.exe query type= service state= all bufsize= 262144",
     "per service: state 1 to 7, exit code"},
    {Command::drives, "exec", Effect::reads, SYSTEM32 "wbem\\wmic.exe logicaldisk get DeviceID,DriveType",
     "letters of drives of type 5, a CD drive"},
    {Command::find_file, "job", Effect::reads, "for %%d in (<drives>) do if exist %%d\\<file> echo found %%d",
     "`found D:`; asked again until it is there: a changed medium is seen a moment later"},
    {Command::copy_file, "job", Effect::own_files, "copy /b /y <drive>\\<file> C:\\patchlab\\<file>", "exit code 0"},
    {Command::delete_file, "job", Effect::own_files, "del /f /q C:\\patchlab\\<file> 2>nul", "nothing"},
    {Command::install_msu, "job", Effect::acts, SYSTEM32 "wusa.exe C:\\patchlab\\<file> /quiet /norestart",
     "exit code of wusa"},
    {Command::install_cab, "job", Effect::acts,
     SYSTEM32 "dism.exe /online /english /add-package /packagepath:C:\\patchlab\\<file> /quiet /norestart "
              "/logpath:C:\\patchlab\\install.log",
     "exit code of dism"},
    {Command::install_msi, "job", Effect::acts,
     SYSTEM32 "msiexec.exe /i C:\\patchlab\\<file> /qn /norestart /l*v C:\\patchlab\\install.log",
     "exit code of msiexec"},
    {Command::install_msp, "job", Effect::acts,
     SYSTEM32 "msiexec.exe /p C:\\patchlab\\<file> /qn /norestart REBOOT=ReallySuppress /l*v C:\\patchlab\\install.log",
     "exit code of msiexec"},
    {Command::install_exe, "job", Effect::acts, "C:\\patchlab\\<file> <switches>", "exit code of setup"},
    {Command::remove_kb, "job", Effect::acts, SYSTEM32 "wusa.exe /uninstall /kb:<number> /quiet /norestart",
     "exit code of wusa"},
    {Command::remove_package, "job", Effect::acts,
     SYSTEM32 "dism.exe /online /english /remove-package /packagename:<identity> /quiet /norestart "
              "/logpath:C:\\patchlab\\install.log",
     "exit code of dism"},
    {Command::remove_product, "job", Effect::acts,
     SYSTEM32 "msiexec.exe /x <product> /qn /norestart /l*v C:\\patchlab\\install.log", "exit code of msiexec"},
    {Command::remove_patch, "job", Effect::acts,
     SYSTEM32 "msiexec.exe /package <product> /uninstall <patch> /qn /norestart REBOOT=ReallySuppress /l*v "
              "C:\\patchlab\\install.log",
     "exit code of msiexec"},
    {Command::quick_fixes, "exec", Effect::reads, SYSTEM32 "wbem\\wmic.exe qfe get HotFixID",
     "column `HotFixID`: KB numbers"},
    {Command::packages, "job", Effect::reads, SYSTEM32 "dism.exe /online /english /get-packages /format:table",
     "table with `Package Identity`, `State`, `Release Type`, `Install Time`, and the line that says that it is whole"},
    {Command::package_states, "job", Effect::reads,
     SYSTEM32 "reg.exe query \"" SERVICING "\\Packages\" /s /v CurrentState /reg:64",
     "per identity: 0x0 absent, 0x5 uninstall pending, 0x10 resolving, 0x20 resolved, 0x30 staging, 0x40 staged, 0x50 "
     "superseded, 0x60 install pending, 0x65 partially installed, 0x70 installed, 0x80 permanent"},
    {Command::package_visibility, "job", Effect::reads,
     SYSTEM32 "reg.exe query \"" SERVICING "\\Packages\" /s /v Visibility /reg:64",
     "per identity: 0x1 an update or feature of its own, which dism lists; else a part of others, which comes and goes "
     "with them"},
    {Command::products_64, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CURRENT_VERSION "Uninstall /s /v DisplayVersion /reg:64",
     "products of other installers: key and version"},
    {Command::products_32, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CURRENT_VERSION "Uninstall /s /v DisplayVersion /reg:32",
     "the same, of 32-bit programs; exit code 1: none"},
    {Command::product_languages_64, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CURRENT_VERSION "Uninstall /s /v Language /reg:64",
     "their languages; asked before an .msi that replaces products"},
    {Command::product_languages_32, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CURRENT_VERSION "Uninstall /s /v Language /reg:32",
     "the same, of 32-bit programs; exit code 1: none"},
    {Command::related_products, "job", Effect::reads,
     SYSTEM32 "reg.exe query HKLM\\SOFTWARE\\Classes\\Installer\\UpgradeCodes\\<code> /reg:64",
     "product codes, in Windows Installer's short form, that share an upgrade code; exit code 1: none"},
    {Command::package_errors, "job", Effect::reads,
     SYSTEM32 "reg.exe query \"" SERVICING "\\Packages\" /s /v LastError /reg:64",
     "per identity: the HRESULT of its last change"},
    {Command::servicing_failures, "job", Effect::reads,
     SYSTEM32 "wevtutil.exe qe Setup \"/q:*[System[Provider[@Name='Microsoft-Windows-Servicing'] and (EventID=3)]]\" "
              "/c:100 /rd:true /f:xml",
     "`PackageIdentifier` and `ErrorCode` of changes that failed and whose `IntendedPackageStateTextized` is "
     "`Installed`"},
    {Command::exclusive_session, "job", Effect::reads,
     SYSTEM32 "reg.exe query \"" SERVICING "\\SessionsPending\" /v Exclusive /reg:64",
     "not 0: pending; exit code 1: no such value"},
    {Command::update_keys, "job", Effect::reads,
     SYSTEM32 "reg.exe query \"" CURRENT_VERSION "WindowsUpdate\\Auto Update\" /reg:64",
     "subkey `RebootRequired`; `PostRebootReporting` is a weak sign; exit code 1: no such key"},
    {Command::update_volatile, "job", Effect::reads,
     SYSTEM32 "reg.exe query HKLM\\SOFTWARE\\Microsoft\\Updates /v UpdateExeVolatile /reg:64",
     "not 0: pending; exit code 1: no such value"},
    {Command::server_manager, "job", Effect::reads,
     SYSTEM32 "reg.exe query HKLM\\SOFTWARE\\Microsoft\\ServerManager /reg:64",
     "subkey or value `CurrentRebootAttempts`; exit code 1: no such key"},
    {Command::run_once, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CURRENT_VERSION "RunOnce /v DVDRebootSignal /reg:64",
     "there: pending; exit code 1: no such value"},
    {Command::renames, "job", Effect::reads,
     SYSTEM32 "reg.exe query \"" CONTROL "Control\\Session Manager\" /v PendingFileRenameOperations /reg:64",
     "files to be replaced at the next start: a weak sign, reported only; exit code 1: none"},
    {Command::active_name, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CONTROL "Control\\ComputerName\\ActiveComputerName /v ComputerName /reg:64",
     "must equal the next"},
    {Command::next_name, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CONTROL "Control\\ComputerName\\ComputerName /v ComputerName /reg:64",
     "must equal the one before; else: pending"},
    {Command::netlogon, "job", Effect::reads, SYSTEM32 "reg.exe query " CONTROL "Services\\Netlogon /reg:64",
     "values `JoinDomain`, `AvoidSpnSet`"},
    {Command::service_starts, "job", Effect::reads, SYSTEM32 "reg.exe query " CONTROL "Services /s /v Start /reg:64",
     "per service and driver: 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled"},
    {Command::service_triggers, "job", Effect::reads, SYSTEM32 "reg.exe query " CONTROL "Services /s /v Action /reg:64",
     "keys below `TriggerInfo`: services that come and go by triggers"},
    {Command::sockets, "job", Effect::reads, SYSTEM32 "netstat.exe -ano",
     "TCP rows whose far port is 0 listen; UDP rows; process ids"},
    {Command::processes, "job", Effect::reads, SYSTEM32 "tasklist.exe /svc /fo csv /nh", "image and process id"},
    {Command::drivers, "job", Effect::reads, SYSTEM32 "driverquery.exe /fo csv /nh", "name and type of each driver"},
    {Command::ip_settings, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CONTROL "Services\\Tcpip\\Parameters\\Interfaces /s /reg:64",
     "per interface: `EnableDHCP`, `DefaultGateway`, `NameServer`, `DhcpDefaultGateway`, `DhcpNameServer`"},
    {Command::adapters, "exec", Effect::reads,
     SYSTEM32 "wbem\\wmic.exe path Win32_NetworkAdapter get ConfigManagerErrorCode,MACAddress,PNPDeviceID",
     "network adapters that are there, and their device state"},
    {Command::adapter_devices, "job", Effect::reads, SYSTEM32 "reg.exe query " CONTROL "Enum /s /v ClassGUID /reg:64",
     "all devices that ever were; those of class `{4d36e972-e325-11ce-bfc1-08002be10318}` are network adapters, hidden "
     "when the list before does not name them"},
    {Command::firewall, "job", Effect::reads,
     SYSTEM32 "reg.exe query " CONTROL
              "Services\\SharedAccess\\Parameters\\FirewallPolicy /s /v EnableFirewall /reg:64",
     "per profile: 0 off, 1 on"},
    {Command::network_categories, "job", Effect::reads,
     SYSTEM32 "reg.exe query \"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\NetworkList\\Profiles\" /s /v "
              "Category /reg:64",
     "per network: 0 public, 1 private, 2 domain; exit code 1: none"},
    {Command::acl, "job", Effect::own_files, SYSTEM32 "icacls.exe \"<path>\" /save C:\\patchlab\\acl-<number>.txt",
     "a file in UTF-16: a name, and its SDDL; exit code 2 or 3: not there"},
    {Command::errors_logged, "job", Effect::reads,
     SYSTEM32 "wevtutil.exe qe \"<log>\" \"/q:*[System[(Level=1 or Level=2)]]\" /c:500 /rd:true /f:xml",
     "provider and number of each event of level 1 and 2; exit code 15007: no such log"},
    {Command::copy_log, "job", Effect::own_files, "copy /b /y <source> C:\\patchlab\\<file>",
     "exit code 0; 1: not there"},
    {Command::recent_events, "job", Effect::reads, SYSTEM32 "wevtutil.exe qe <log> /c:60 /rd:true /f:text",
     "kept as text"},
    {Command::ip_details, "job", Effect::reads, SYSTEM32 "ipconfig.exe /all", "kept as text"},
    {Command::reach_out, "job", Effect::acts,
     SYSTEM32 "WindowsPowerShell\\v1.0\\powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None "
              "-ExecutionPolicy Bypass -Command \"iex ([IO.File]::ReadAllText('C:\\patchlab\\reach.ps1'))\"",
     "how each try to get out ended, the adapters it left by, and the neighbours that the guest knows then; without "
     "the "
     "job's mark nothing was tried"},
    {Command::registry_key, "job", Effect::reads, SYSTEM32 "reg.exe query \"<key>\" /reg:64",
     "a look at the whole guest asks for keys, see below; exit code 1: no such key"},
    {Command::registry_value, "job", Effect::reads, SYSTEM32 "reg.exe query \"<key>\" /v <value> /reg:64",
     "one value of it; exit code 1: no such value"},
    {Command::registry_tree, "job", Effect::reads, SYSTEM32 "reg.exe query \"<key>\" /s /reg:64",
     "all that lies below it"},
    {Command::registry_search, "job", Effect::reads, SYSTEM32 "reg.exe query \"<key>\" /s /v <value> /reg:64",
     "one value of all keys below it"},
    {Command::tasks, "job", Effect::reads, SYSTEM32 "schtasks.exe /query /xml ONE",
     "per task: its path as a comment, and its definition; not when it ran or runs next"},
    {Command::dns_zones, "job", Effect::reads, SYSTEM32 "dnscmd.exe . /enumzones",
     "name, kind and place of each zone, as many as it counts; exit code 9009: no DNS server is installed"},
    {Command::dhcp_dump, "job", Effect::reads, SYSTEM32 "netsh.exe dhcp server dump",
     "the commands that make its configuration again; read where there is a service `DHCPServer`"},
    {Command::web_digest, "job", Effect::reads,
     SYSTEM32 "certutil.exe -hashfile " SYSTEM32 "inetsrv\\config\\applicationHost.config SHA256",
     "a digest; exit code 0x80070002 or 0x80070003: no web server is installed"},
    {Command::memory, "exec", Effect::reads, SYSTEM32 "wbem\\wmic.exe os get FreePhysicalMemory,TotalVisibleMemorySize",
     "KiB; with the three that follow what a machine is watched by for growth"},
    {Command::memory_pools, "exec", Effect::reads,
     SYSTEM32 "wbem\\wmic.exe path Win32_PerfRawData_PerfOS_Memory get PoolNonpagedBytes,PoolPagedBytes",
     "bytes of the system's pools"},
    {Command::process_usage, "exec", Effect::reads,
     SYSTEM32 "wbem\\wmic.exe process get HandleCount,Name,PrivatePageCount,ThreadCount",
     "per process: handles, bytes of its own, threads; those of one name are added up"},
    {Command::disk_usage, "exec", Effect::reads,
     SYSTEM32 "wbem\\wmic.exe logicaldisk where DriveType=3 get DeviceID,FreeSpace,Size", "bytes of each disk"},
    {Command::stop_service, "exec", Effect::acts, SYSTEM32 "sc.exe stop \"<service>\"",
     "exit code 0 or 1062, not running: the list of services shows the rest"},
    {Command::start_service, "exec", Effect::acts, SYSTEM32 "sc.exe start \"<service>\"",
     "exit code 0 or 1056, running already: the list of services shows the rest"},
    {Command::restart, "exec", Effect::acts, SYSTEM32 "shutdown.exe /r /f /t 5 /d p:2:17 /c patchlab",
     "nothing; the boot id shows"},
    {Command::power_off, "exec", Effect::acts, SYSTEM32 "shutdown.exe /s /f /t 5 /d p:2:17 /c patchlab",
     "nothing; the hypervisor shows"},
};

#undef SYSTEM32
#undef CURRENT_VERSION
#undef SERVICING
#undef CONTROL

const CommandRow& row_of(Command command) { return command_table[static_cast<std::size_t>(command)]; }

// Placeholders' texts, when the line has the shape of the pattern.
std::optional<std::map<std::string, std::string>> values_in(std::string_view pattern, std::string_view line) {
  std::map<std::string, std::string> values;
  for (;;) {
    const auto open = pattern.find('<');
    const auto plain = pattern.substr(0, open);
    if (!line.starts_with(plain)) return std::nullopt;
    line.remove_prefix(plain.size());
    if (open == std::string_view::npos) return line.empty() ? std::optional(values) : std::nullopt;
    const auto close = pattern.find('>', open);
    const auto name = std::string(pattern.substr(open + 1, close - open - 1));
    pattern.remove_prefix(close + 1);
    const auto next = pattern.substr(0, pattern.find('<'));
    const auto end = next.empty() ? line.size() : line.find(next);
    if (end == std::string_view::npos) return std::nullopt;
    const auto value = std::string(line.substr(0, end));
    if (values.contains(name) && values[name] != value) return std::nullopt;
    values[name] = value;
    line.remove_prefix(end);
  }
}
}  // namespace

std::span<const CommandRow> commands() { return command_table; }

std::string line_of(Command command, const Values& values) {
  std::string line;
  std::string_view rest = row_of(command).line;
  for (auto open = rest.find('<'); open != std::string_view::npos; open = rest.find('<')) {
    const auto close = rest.find('>', open);
    const auto name = rest.substr(open + 1, close - open - 1);
    const auto value = std::find_if(values.begin(), values.end(), [&](const auto& pair) { return pair.first == name; });
    if (value == values.end()) throw std::logic_error(fmt::format("no value for <{}> in '{}'", name, rest));
    line += rest.substr(0, open);
    line += value->second;
    rest.remove_prefix(close + 1);
  }
  return line.append(rest);
}

ProgramLine program_line_of(Command command, const Values& values) {
  std::vector<std::string> words(1);
  bool quoted = false;
  for (const char c : line_of(command, values)) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ' ' && !quoted)
      words.emplace_back();
    else
      words.back() += c;
  }
  ProgramLine program{words.front(), {words.begin() + 1, words.end()}};
  return program;
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.front() == '-' || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || std::string_view("._+~-").find(c) != std::string_view::npos;
  });
}

const char* to_string(Effect effect) {
  switch (effect) {
    case Effect::reads: return "reads";
    case Effect::own_files: return "own files";
    case Effect::acts: return "acts";
  }
  return "?";
}

std::optional<CommandLine> command_in(std::string_view by, std::string_view line) {
  for (const auto& row : command_table) {
    if (row.by != by) continue;
    if (auto values = values_in(row.line, line)) return CommandLine{row.command, std::move(*values)};
  }
  return std::nullopt;
}

bool is_only_asking(const CommandLine& line) {
  // What an interpreter would make more than one command of, or another one.
  const auto is_plain = [](const auto& value) {
    return value.second.find_first_of("\"&|<>^%\r\n") == std::string::npos;
  };
  return commands()[static_cast<std::size_t>(line.command)].effect != Effect::acts &&
         std::all_of(line.values.begin(), line.values.end(), is_plain);
}

std::string commands_markdown() {
  std::string text = "| By | Does | Command | Understood of the reply |\n|---|---|---|---|\n";
  for (const auto& row : command_table) {
    std::string line = row.line;
    for (auto bar = line.find('|'); bar != std::string::npos; bar = line.find('|', bar + 2)) line.insert(bar, "\\");
    text += fmt::format("| {} | {} | `{}` | {} |\n", row.by, to_string(row.effect), line, row.reply);
  }
  return text;
}

}  // namespace patchlab::lab::guest::windows
