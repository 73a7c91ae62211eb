// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/guest_system.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/recording/recording.hpp"
#include "lab/guest/windows/commands.hpp"
#include "tests/unit/transcripts/transcripts.hpp"

// docs/windows.md says of each release and step what it rests on. The table is made here, from the adapter's commands
// and the transcripts, so that it never says more than that.
namespace patchlab::recorded {
namespace {
using lab::guest::windows::Command;
using lab::guest::windows::CommandRow;
namespace fs = std::filesystem;

enum class Step { detect, install, verify, restart, roll_back, remove, state, carry };
constexpr std::array<std::pair<Step, const char*>, 7> steps{{{Step::detect, "detect"},
                                                             {Step::install, "install"},
                                                             {Step::verify, "verify"},
                                                             {Step::restart, "restart"},
                                                             {Step::roll_back, "roll back"},
                                                             {Step::remove, "remove"},
                                                             {Step::state, "state"}}};

Step step_of(Command command) {
  switch (command) {
    case Command::os_info:
    case Command::interfaces:
    case Command::architecture:
    case Command::drives:
    case Command::find_file: return Step::detect;
    case Command::copy_file:
    case Command::delete_file:
    case Command::install_msu:
    case Command::install_cab:
    case Command::install_msi:
    case Command::install_msp:
    case Command::install_exe:
    case Command::product_languages_64:
    case Command::product_languages_32:
    case Command::related_products: return Step::install;
    case Command::quick_fixes:
    case Command::packages:
    case Command::package_states:
    case Command::package_visibility:
    case Command::products_64:
    case Command::products_32: return Step::verify;
    case Command::boot_event:
    case Command::servicing_keys:
    case Command::service_states:
    case Command::exclusive_session:
    case Command::update_keys:
    case Command::update_volatile:
    case Command::server_manager:
    case Command::run_once:
    case Command::renames:
    case Command::active_name:
    case Command::next_name:
    case Command::netlogon:
    case Command::restart:
    case Command::power_off: return Step::restart;
    case Command::package_errors:
    case Command::servicing_failures:
    case Command::copy_log: return Step::roll_back;
    case Command::remove_kb:
    case Command::remove_package:
    case Command::remove_product:
    case Command::remove_patch: return Step::remove;
    case Command::service_starts:
    case Command::service_triggers:
    case Command::sockets:
    case Command::processes:
    case Command::drivers:
    case Command::ip_settings:
    case Command::adapters:
    case Command::adapter_devices:
    case Command::firewall:
    case Command::network_categories:
    case Command::acl:
    case Command::errors_logged:
    case Command::recent_events:
    case Command::ip_details:
    case Command::registry_key:
    case Command::registry_value:
    case Command::registry_tree:
    case Command::registry_search:
    case Command::tasks:
    case Command::dns_zones:
    case Command::dhcp_dump:
    case Command::memory:
    case Command::memory_pools:
    case Command::process_usage:
    case Command::disk_usage:
    case Command::web_digest: return Step::state;
    case Command::make_folder:
    case Command::run_job:
    case Command::kill_job:
    case Command::stop_service:
    case Command::start_service:
    case Command::reach_out: return Step::carry;
  }
  throw std::logic_error("a command that is none");
}

// "C:\Windows\System32\reg.exe query \"HKLM\\X\" /reg:64" -> "reg query HKLM\X /reg:64"
std::string plain(std::string_view line) {
  std::string text(line);
  std::erase(text, '"');
  const auto program = text.substr(0, text.find(' '));
  const auto name = program.substr(program.rfind('\\') + 1);
  text.replace(0, program.size(), name.ends_with(".exe") ? name.substr(0, name.size() - 4) : name);
  return text;
}

std::string words_in(const std::string& text, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < count && end != std::string::npos; ++i) end = text.find(' ', end + (i == 0 ? 0 : 1));
  return text.substr(0, end);
}

// "reg query HKLM\X /s /v Start" -> "HKLM\X"
std::string key_in(const std::string& line) {
  constexpr std::string_view asked = "reg query ";
  return line.starts_with(asked) ? line.substr(asked.size(), line.find(" /") - asked.size()) : std::string{};
}

// "reg query HKLM\X /s /v Start /reg:64" -> {"/s", "/v", "Start"}
std::vector<std::string> options_in(const std::string& line) {
  std::vector<std::string> options;
  const auto from = line.find(" /");
  if (from == std::string::npos) return options;
  for (const auto word : split(std::string_view(line).substr(from + 1), ' '))
    if (!word.empty() && !word.starts_with("/reg:")) options.emplace_back(word);
  return options;
}

bool asks_as(const std::string& asked, const std::string& line) {
  const auto mine = options_in(line);
  const auto theirs = options_in(asked);
  return std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                    [](const auto& a, const auto& b) { return a == b || a.starts_with('<'); });
}

// Whether that file is what this command printed, or printed by the same tool asked for the same thing.
bool is_output_of(const Transcript& transcript, const CommandRow& row) {
  const auto tool = plain(transcript.tool());
  const auto line = plain(row.line);
  if (key_in(tool).empty() && !key_in(line).empty()) return false;
  if (row.command == Command::copy_log) return transcript.tool().find("CBS.log") != std::string::npos;
  if (row.command == Command::architecture) return tool.starts_with("set PROCESSOR_ARCHITE");
  if (row.command == Command::errors_logged) return tool.starts_with("wevtutil qe");
  if (const auto key = key_in(line); !key.empty()) {
    const auto open = key.find('<');
    const bool is_key = open == std::string::npos ? key_in(tool) == key : key_in(tool).starts_with(key.substr(0, open));
    return is_key && asks_as(tool, line);
  }
  const auto event = line.find("EventID=");
  if (event != std::string::npos)
    return tool.find(line.substr(event, line.find(')', event) - event)) != std::string::npos;
  if (line.starts_with("dism")) return line.find("get-packages") != std::string::npos && tool.starts_with("dism");
  const std::size_t count = line.starts_with("wmic") || line.starts_with("netsh") ? 2 : 1;
  return words_in(tool, count) == words_in(line, count);
}

struct Release {
  const char* name;
  const char* kernel;
};
constexpr std::array<Release, 6> releases{{{"2012", "6.2.9200"},
                                           {"2012 R2", "6.3.9600"},
                                           {"2016", "10.0.14393"},
                                           {"2019", "10.0.17763"},
                                           {"2022", "10.0.20348"},
                                           {"2025", "10.0.26100"}}};
constexpr std::string_view release_of_stand_in = "2012";

// Of whole machines that were recorded: release -> commands that have a reply. What the stand-in says is nobody's word
// but ours.
std::map<std::string, std::set<Command>> commands_of_recordings() {
  std::map<std::string, std::set<Command>> found;
  for (const auto& folder : recordings()) {
    if (folder.filename().string().starts_with("stand-in")) continue;
    const auto read = lab::guest::recording::read_recording(folder);
    if (!read) throw std::runtime_error(read.error().message);
    const auto release = std::ranges::find_if(releases, [&](const auto& one) {
      return (read->machine.release + ".").starts_with(std::string(one.kernel) + ".");
    });
    for (const auto& reply : read->replies) {
      const auto known = lab::guest::windows::command_in(reply.by, reply.line);
      if (known && reply.trouble.empty() && release != releases.end()) found[release->name].insert(known->command);
    }
  }
  return found;
}

std::size_t recorded_commands(Step step, const char* release, std::size_t& all) {
  std::size_t found = 0;
  static const auto files = transcripts();
  static const auto machines = commands_of_recordings();
  for (const auto& row : lab::guest::windows::commands()) {
    if (step_of(row.command) != step) continue;
    ++all;
    const bool is_recorded = std::any_of(files.begin(), files.end(), [&](const auto& file) {
      const bool counts = file.entry.value("origin", "") == "recorded" && !file.expected().contains("error");
      return counts && (release == nullptr || file.entry.value("release", "") == release) && is_output_of(file, row);
    });
    const bool is_of_machine = std::any_of(machines.begin(), machines.end(), [&](const auto& machine) {
      return (release == nullptr || machine.first == release) && machine.second.contains(row.command);
    });
    if (is_recorded || is_of_machine) ++found;
  }
  return found;
}

std::string table() {
  std::string text = "| Release |";
  std::string rule = "|---|";
  for (const auto& [step, name] : steps) {
    text += fmt::format(" {} |", name);
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const auto& [release, kernel] : releases) {
    text += fmt::format("| {} |", release);
    for (const auto& [step, name] : steps) {
      std::size_t all = 0;
      const auto found = recorded_commands(step, release, all);
      std::string cell = release == release_of_stand_in ? "stand-in" : "read";
      if (found == all) cell = "recorded";
      if (found > 0 && found < all) cell += fmt::format(", recorded {} of {}", found, all);
      text += fmt::format(" {} |", why_not_supported(kernel).empty() ? cell : "not supported");
    }
    text += "\n";
  }
  text += "| any, or not told |";
  for (const auto& [step, name] : steps) {
    std::size_t all = 0;
    const auto found = recorded_commands(step, nullptr, all);
    text += fmt::format(" {} of {} recorded |", found, all);
  }
  return text + "\n";
}

TEST(WindowsDocument, SaysOfEachReleaseWhatEachStepRestsOn) {
  const std::string begin = "<!-- what each step rests on: begin -->\n";
  const std::string end = "<!-- what each step rests on: end -->";
  const auto file = fs::path(PATCHLAB_SOURCE_DIR) / "docs/windows.md";
  auto document = read_file(file);
  ASSERT_TRUE(document);
  const auto from = document->find(begin);
  const auto to = document->find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to);
  const auto at = from + begin.size();
  const auto wanted = "\n" + table() + "\n";
  if (const char* update = std::getenv("PATCHLAB_UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    document->replace(at, to - at, wanted);
    ASSERT_TRUE(write_file_atomically(file, *document));
    FAIL() << "wrote " << file << "; run again without PATCHLAB_UPDATE_GOLDEN";
  }
  EXPECT_EQ(document->substr(at, to - at), wanted);
}

TEST(Coverage, CountsNoFileForACommandThatDidNotPrintIt) {
  const auto row = [](Command command) { return lab::guest::windows::commands()[static_cast<std::size_t>(command)]; };
  const auto file = [](const char* tool) { return Transcript{{}, Json{{"tool", tool}}}; };
  EXPECT_TRUE(is_output_of(file("sc query type= service state= all"), row(Command::service_states)));
  EXPECT_TRUE(is_output_of(file("wmic qfe get HotFixID"), row(Command::quick_fixes)));
  EXPECT_FALSE(is_output_of(file("wmic qfe get HotFixID"), row(Command::drives)));
  EXPECT_FALSE(is_output_of(file("wevtutil qe LOG /f:xml"), row(Command::boot_event)));
  EXPECT_TRUE(is_output_of(file("wevtutil qe Setup ... EventID=3 /f:xml"), row(Command::servicing_failures)));
  EXPECT_TRUE(is_output_of(file("reg query HKLM\\SYSTEM\\CurrentControlSet\\Services /s /v Start"),
                           row(Command::service_starts)));
  EXPECT_FALSE(is_output_of(file("reg query HKLM\\SYSTEM\\CurrentControlSet\\Services\\x"), row(Command::renames)));
  EXPECT_FALSE(is_output_of(file("reg query HKLM\\SYSTEM\\CurrentControlSet\\Services /s /v Start"),
                            row(Command::service_triggers)));
  EXPECT_TRUE(is_output_of(file("reg query HKLM\\X /s"), row(Command::registry_tree)));
  EXPECT_FALSE(is_output_of(file("reg query HKLM\\X /s"), row(Command::registry_key)));
  EXPECT_TRUE(is_output_of(file("reg query HKLM\\X /v Y"), row(Command::registry_value)));
  EXPECT_FALSE(is_output_of(file("reg query HKLM\\X /s"), row(Command::related_products)));
  EXPECT_FALSE(is_output_of(file("dism /online /english /get-packages"), row(Command::remove_package)));
}
}  // namespace
}  // namespace patchlab::recorded
