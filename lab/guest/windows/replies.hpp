// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

// What Windows' tools print, read without opinion. Pure: no guest needed. Strict: a reply that is cut off, or has a
// line that is not understood, is an error (class guest) and never an empty list. Keys, numbers and columns are read;
// words that Windows translates are not.
namespace patchlab::lab::guest::windows {

// UTF-16 little endian (with its mark, or without one where every other byte says so), else UTF-8 with or without its
// mark. Bytes that are neither become U+FFFD: a tool that ignores `chcp` prints the machine's own code page, in which
// only labels are ever other than ASCII. Other NUL bytes are an error.
[[nodiscard]] Result<std::string> text_of(std::string_view bytes);

// One command of a job: what it printed and its exit code.
struct Section {
  std::string text;
  std::uint32_t exit_code = 0;
};
using Sections = std::map<std::string, Section>;
// The output of a job made by `script_of` (job.hpp), which brackets each command with lines that start with `mark`. All
// sections must be closed.
[[nodiscard]] Result<Sections> sections(const std::string& text, const std::string& mark);

// The text of a section whose command must have ended with 0.
[[nodiscard]] Result<std::string> text_in(const Sections& found, const std::string& name);

// A Win32 error code or HRESULT as cmd.exe and guests print it: signed or unsigned decimal, normalised to unsigned.
[[nodiscard]] std::optional<std::uint32_t> exit_code_in(std::string_view text);

struct RegistryKey {
  std::string path;                           // "HKEY_LOCAL_MACHINE\SOFTWARE\..."
  std::map<std::string, std::string> values;  // name -> data as printed ("0x70")
  [[nodiscard]] std::string name() const;     // last part of the path
};
// reg query. The line that a search ends with holds a number, which must be that of the matches printed. A text with
// line breaks in it can only be told from trouble by that number, so it is understood in the reply of a search alone.
[[nodiscard]] Result<std::vector<RegistryKey>> registry_keys(const std::string& text);
// What it means that nothing is there. reg ends with 1 then, and also when it is in trouble.
enum class Absence {
  impossible,  // an error
  of_matches,  // an answer of a search (/s) in a key that always exists: reg prints how many it found, 0
  of_key,  // an answer about a key or value that need not exist. reg prints a sentence in the machine's language, as
           // it does in trouble: so every job asks for something that always exists, too
};
// registry_keys of a section.
[[nodiscard]] Result<std::vector<RegistryKey>> registry_in(const Sections& found, const std::string& name,
                                                           Absence absence);
// "0x70"
[[nodiscard]] std::optional<std::uint32_t> registry_number(std::string_view data);

struct ServiceStatus {
  std::uint32_t state = 0;         // 1 stopped, 2 starting, 3 stopping, 4 running, 5 to 7 pausing and paused
  std::uint32_t exit_code = 0;     // 0 fine, 1077 never started, 1066 see the next; Win32 code, HRESULT or NTSTATUS
  std::uint32_t service_code = 0;  // the service's own
  [[nodiscard]] bool is_starting() const { return state == 2; }
};
// sc query, by the position of lines in each block: labels are translated in some languages.
[[nodiscard]] Result<std::map<std::string, ServiceStatus>> services(const std::string& text);

// wmic get's table: rows as column -> value. The header must name all of `columns`.
[[nodiscard]] Result<std::vector<std::map<std::string, std::string>>> table_rows(
    const std::string& text, const std::vector<std::string>& columns);
// The same for wmic qfe, where no row at all is an answer: then only `errors` says so, in the machine's language.
[[nodiscard]] Result<std::set<std::string>> quick_fixes(const std::string& text, const std::string& errors);

// dism /get-packages: identity -> state ("Installed", "Install Pending", ...; in English when it was told so). As a
// table or as a list, by position; the reply must end with a sentence of its own.
[[nodiscard]] Result<std::map<std::string, std::string>> dism_packages(const std::string& text);

// Quoted fields, all of `columns` fields; a row may be broken inside a field.
[[nodiscard]] Result<std::vector<std::vector<std::string>>> csv_rows(const std::string& text, std::size_t columns);

// netstat -ano and tasklist /svc: "tcp 0.0.0.0:53 dns.exe", sorted, each once. Not by service: those that
// share a svchost.exe come and go. Ports that RPC servers choose anew at every start lose their number, UDP ports of
// outgoing queries are left out.
[[nodiscard]] Result<std::vector<std::string>> listeners(const std::string& sockets, const std::string& processes);

struct Event {
  std::string provider;
  std::uint32_t id = 0;
  std::uint32_t level = 0;  // 1 critical, 2 error, 3 warning, 4 information; 0 also information
  std::uint64_t record = 0;
  std::string time;  // as in the event, UTC
  // Leaf elements of UserData, "ErrorCode" -> "0x800f0922", and named data of EventData.
  std::map<std::string, std::string> data;
};
// wevtutil qe /f:xml: event after event, nothing else.
[[nodiscard]] Result<std::vector<Event>> events(const std::string& text);

// What the guest agent says that the machine runs: "10.0" and the build, "20348". Old agents leave both out.
struct NtKernel {
  std::string version;
  std::string build;
};
// guest-get-osinfo of 64-bit Windows. The error says what it is instead.
[[nodiscard]] Result<NtKernel> proves_windows(const Json& os_info);

// `set PROCESSOR_ARCHITE` of a 64-bit process on x64. The error says what it is instead.
[[nodiscard]] Result<void> proves_64_bit(const std::string& text);

// "{12345678-ABCD-...}" as Windows Installer calls its registry keys: 32 digits in another order. Empty: no such thing.
[[nodiscard]] std::string packed_guid(std::string_view guid);
[[nodiscard]] std::string unpacked_guid(std::string_view packed);

// What the agent says of the kernel against what the scenario declares; what either does not say, or says in another
// form, is not compared. Also refuses a Windows that cannot be driven.
[[nodiscard]] Result<void> is_as_declared(const NtKernel& kernel, const std::string& declared_version);

// guest-network-get-interfaces: "52:54:00:14:00:10 10.20.0.10/24", sorted; loopback is left out.
[[nodiscard]] Result<std::vector<std::string>> addresses(const Json& interfaces);

// The file of icacls /save for one path: its SDDL.
[[nodiscard]] Result<std::string> sddl(std::string_view bytes);

}  // namespace patchlab::lab::guest::windows
