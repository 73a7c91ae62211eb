// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/files.hpp"
#include "lab/guest/debian_parse.hpp"
#include "lab/guest/servers/servers.hpp"

namespace patchlab::test {

// What the script of lab/guest/servers printed in the images of the roles ("db", "mail"); of postconf's usual values
// most are cut out.
inline std::string server_capture(const std::string& name) {
  return read_file(std::string(PATCHLAB_SOURCE_DIR) + "/tests/unit/lab/guest/captures/servers-" + name + ".txt")
      .value();
}
inline Result<HostState> servers_in(const std::string& text) {
  const std::string mark = "@@m";
  return lab::guest::servers::state(lab::guest::debian::sections(text, mark), mark, lab::guest::debian::sections);
}
inline HostState captured_servers(const std::string& name) { return servers_in(server_capture(name)).value(); }

// With another text in place of one that is there.
inline std::string with(std::string text, const std::string& old, const std::string& now) {
  const auto at = text.find(old);
  if (at == std::string::npos) throw std::logic_error("it holds no '" + old + "'");
  return text.replace(at, old.size(), now);
}

}  // namespace patchlab::test
