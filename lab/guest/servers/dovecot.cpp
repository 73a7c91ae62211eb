// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

bool holds_secret(std::string_view name) {
  return name.find("password") != std::string_view::npos && name.find("scheme") == std::string_view::npos;
}

// "service auth {", "  unix_listener /run/auth {", "    mode = 0660", "}": doveconf hides keys itself.
Result<void> read_dovecot(const Parts& parts, Rows& rows) {
  PATCHLAB_ASSIGN(const auto text, part_of("dovecot", parts, "set"));
  if (!text.starts_with("# ")) return not_understood("dovecot", text);  // its version and file
  std::vector<std::string> within;
  for (const auto raw : lines_of(text)) {
    const auto line = trimmed(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (line == "}") {
      if (within.empty()) return not_understood("dovecot", raw);
      within.pop_back();
    } else if (line.ends_with(" {")) {
      within.emplace_back(line.substr(0, line.size() - 2));
      // Also one in which all is as usual.
      rows.add("dovecot-section", fmt::format("{}", fmt::join(within, " / ")), "there");
    } else {
      auto [name, value] = setting_of(line);
      if (name.empty()) return not_understood("dovecot", raw);
      if (value.starts_with("# hidden") || holds_secret(name)) value = "set";
      rows.add("dovecot-setting", fmt::format("{}{}{}", fmt::join(within, " / "), within.empty() ? "" : " / ", name),
               value);
    }
  }
  return within.empty() ? Result<void>() : Result<void>(not_understood("dovecot", text));
}

}  // namespace

const Collector dovecot{"dovecot", R"sh(dovecot() {
  has doveconf || return 1
  part set; try doveconf -n
}
)sh",
                        read_dovecot};

}  // namespace patchlab::lab::guest::servers
