// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/learnt.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace patchlab::checks::state {
namespace {

// An unpatched machine that loses a service or an address is broken.
constexpr std::array<std::string_view, 12> never_learnt{
    "service", "listener", "address",  "fact",    "installed",        "effect",
    "agent",   "boot",     "rollback", "restart", service_cycle_kind, next_package_kind};
// Told of each trial, the control's too: no trial does that.
constexpr std::string_view of_the_day = "certificate-end";

std::string without_numbers(const std::string& path) {
  std::string plain;
  for (const char c : path) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit)
      plain += c;
    else if (plain.empty() || plain.back() != '#')
      plain += '#';
  }
  return plain;
}

const char* manner_of(const StateDifference& difference) {
  if (difference.before.empty()) return "new";
  return difference.after.empty() ? "gone" : "changed";
}

}  // namespace

std::string learnt_key(const StateDifference& difference) {
  const auto& kind = difference.kind;
  const auto& item = difference.item;
  if (kind == of_the_day || std::ranges::count(never_learnt, std::string_view(kind)) > 0) return {};
  // Nor does one that answered teach that it need not.
  if (kind == "tls-port" || (kind == "server" && difference.after.starts_with("does not answer"))) return {};
  if (kind == log_kind || kind == "sysctl") return kind + "\n" + item;
  if (kind != "file") return kind + "\n" + item + "\n" + difference.before + "\n" + difference.after;
  const bool is_state = item.starts_with("/var/") || item.starts_with("/tmp/");
  return kind + "\n" + (is_state ? without_numbers(item) : item) + "\n" + manner_of(difference);
}

}  // namespace patchlab::checks::state
