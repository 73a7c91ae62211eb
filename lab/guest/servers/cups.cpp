// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

// What CUPS itself writes down of a printer: it changes by itself, or lpstat tells it.
bool is_state(std::string_view name) {
  constexpr std::array<std::string_view, 8> of_itself{"State",      "StateMessage", "StateTime", "Reason",
                                                      "ConfigTime", "Attribute",    "Accepting", "UUID"};
  return std::ranges::count(of_itself, name) > 0;
}

// "<Location /admin>", "  Require user @SYSTEM", "</Location>"; names count in either case.
Result<void> read_sections(const std::string& kind, std::string_view text, Rows& rows) {
  std::vector<std::string> within;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("</")) {
      if (within.empty()) return not_understood("cups", raw);
      within.pop_back();
    } else if (line.starts_with('<') && line.ends_with('>')) {
      auto head = fmt::format("{}", fmt::join(words_of(line.substr(1, line.size() - 2)), " "));
      if (head.starts_with("Default")) head = head.substr(7);  // lpstat says which one it is
      within.push_back(std::move(head));
      rows.add(kind, fmt::format("{}", fmt::join(within, " / ")), "there");
    } else {
      const auto words = words_of(line);
      if (is_state(words[0]) && kind == "cups-queue-setting") continue;
      const auto value = fmt::format("{}", fmt::join(words.begin() + 1, words.end(), " "));
      rows.add(kind, fmt::format("{}{}{}", fmt::join(within, " / "), within.empty() ? "" : " / ", words[0]),
               words[0] == "DeviceURI" ? without_account(value) : value);
    }
  }
  return within.empty() ? Result<void>() : Result<void>(not_understood("cups", text));
}

// "office accepting requests since ...", "printer office disabled since ... -", "device for office: socket://...",
// "system default destination: office", "scheduler is running"; what is set in is explanation, or the second half.
Result<void> read_queues(std::string_view text, Rows& rows) {
  bool runs = false;
  for (const auto line : lines_of(text)) {
    if (line.starts_with('\t') || line.starts_with(' ')) continue;
    const auto words = words_of(line);
    constexpr std::string_view device = "device for ";
    constexpr std::string_view standard = "system default destination: ";
    if (line == "scheduler is running") {
      runs = true;
    } else if (line.starts_with(device) && line.find(": ") != std::string_view::npos) {
      const auto colon = line.find(": ");
      rows.add("cups-queue", fmt::format("{} device", line.substr(device.size(), colon - device.size())),
               without_account(line.substr(colon + 2)));
    } else if (line.starts_with(standard)) {
      rows.add("cups-queue", "the default", std::string(line.substr(standard.size())));
    } else if (words[0] == "printer" && words.size() > 2) {
      const bool disabled = std::ranges::count(words, std::string_view("disabled")) > 0;
      rows.add("cups-queue", fmt::format("{} state", words[1]), disabled ? "disabled" : "enabled");
    } else if (words.size() > 2 && (words[1] == "accepting" || (words[1] == "not" && words[2] == "accepting"))) {
      rows.add("cups-queue", fmt::format("{} jobs", words[0]), words[1] == "not" ? "rejected" : "accepted");
    }
  }
  return runs ? Result<void>() : Result<void>(not_understood("cups", text));
}

Result<void> read_cups(const Parts& parts, Rows& rows) {
  PATCHLAB_ASSIGN(const auto queues, part_of("cups", parts, "queues"));
  PATCHLAB_TRY(read_queues(queues, rows));
  for (const auto& [part, kind] : {std::pair("printers", "cups-queue-setting"), std::pair("set", "cups-setting")}) {
    if (parts.contains(part)) PATCHLAB_TRY(read_sections(kind, parts.at(part), rows));
  }
  return {};
}

}  // namespace

const Collector cups{"cups", R"sh(cups() {
  has cupsd || return 1
  has lpstat || { why "there is no lpstat"; return 4; }
  [ -S /run/cups/cups.sock ] || { why "cupsd does not listen"; return 2; }
  part queues
  try lpstat -h /run/cups/cups.sock -r -d -a -p -v
  status=$?
  # Without any queue it complains, too.
  [ $status = 0 ] || { [ $status = 2 ] && grep -q 'No destinations added' $work/why; } || return $status
  for file in printers:/etc/cups/printers.conf set:/etc/cups/cupsd.conf; do
    [ -e "${file#*:}" ] || continue
    part "${file%%:*}"
    try cat "${file#*:}" || return
  done
  return 0
}
)sh",
                     read_cups};

}  // namespace patchlab::lab::guest::servers
