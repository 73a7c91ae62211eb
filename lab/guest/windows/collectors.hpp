// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guest/windows/host_state.hpp"
#include "lab/guest/windows/replies.hpp"

// What a Windows guest as a whole is looked at by: rows "kind, item, value" that are canonical and sorted, from replies
// that no language changes. Pure. Each collector is a file of its own; all questions go into one job.
namespace patchlab::lab::guest::windows {

using Rows = std::map<std::string, std::map<std::string, std::string>>;  // HostState::rows

// One `reg query`.
struct RegistryQuestion {
  enum class Reach { key, tree };
  const char* section;
  const char* key;    // "HKLM\SYSTEM\..."
  const char* value;  // its name; empty: all
  Reach reach = Reach::key;
  Absence absence = Absence::of_key;
  [[nodiscard]] std::string line() const;
};

struct Collector {
  const char* name;
  std::vector<const char*> kinds;  // of its rows
  std::vector<RegistryQuestion> registry;
  std::vector<Question> others;
  // Rows of what is there; nothing for a role or a key that is not there.
  Result<void> (*read)(const Sections& found, Rows& rows);
};

[[nodiscard]] Collector service_collector();
[[nodiscard]] Collector task_collector();
[[nodiscard]] Collector account_collector();
[[nodiscard]] Collector share_collector();
[[nodiscard]] Collector firewall_collector();
[[nodiscard]] Collector certificate_collector();
[[nodiscard]] Collector autostart_collector();
[[nodiscard]] Collector setting_collector();
[[nodiscard]] Collector dns_collector();
[[nodiscard]] Collector dhcp_collector();
[[nodiscard]] Collector web_collector();

[[nodiscard]] const std::vector<Collector>& collectors();
[[nodiscard]] std::vector<Question> collector_questions();

struct Collected {
  Rows rows;
  // Of a kind: why it could not be read. Such a kind has no rows.
  std::map<std::string, std::string> unreadable;
};
[[nodiscard]] Collected collected(const Sections& found);

// As Markdown, for docs/windows.md.
[[nodiscard]] std::string collectors_markdown();

// For collectors.
[[nodiscard]] Result<std::vector<RegistryKey>> registry_answer(const Sections& found, const RegistryQuestion& question);
// "0100FF" -> three bytes.
[[nodiscard]] Result<std::string> bytes_of(std::string_view hexadecimal);
[[nodiscard]] std::uint32_t number_at(std::string_view bytes, std::size_t offset);  // little endian; 0 behind the end
// "S-1-5-32-544"; empty: no such thing there. `length`: of it.
[[nodiscard]] std::string sid_at(std::string_view bytes, std::size_t offset, std::size_t& length);
// Who may do what by a self-relative security descriptor: "allow S-1-1-0 0x1f01ff, deny S-1-5-7 0x1".
[[nodiscard]] Result<std::string> access_list(std::string_view descriptor);
// A command line with the ways of writing Windows' own folder made one, and the quotes around its program taken off:
// "\SystemRoot\system32\x.sys", "%windir%\System32\x.sys" and "system32\x.sys" are "C:\Windows\system32\x.sys".
[[nodiscard]] std::string plain_command(std::string_view text);

}  // namespace patchlab::lab::guest::windows
