// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/observe.hpp"

#include <fmt/format.h>

#include "checks/socket_watchdog.hpp"

namespace patchlab::checks::database {

Result<Observation> observe_server(const Target& target, const Server& server, Milliseconds limit, const Talk& talk,
                                   WaitFor wait_for) {
  const Deadline deadline(limit);
  const SocketWatchdog watchdog(target.address, server.port, deadline);
  PATCHLAB_ASSIGN(auto session, OdbcSession::make(deadline));
  Json observation{{"server", fmt::format("{}:{}", target.address, server.port)}};
  PATCHLAB_ASSIGN(const bool connected, session.connect(server, target.address, wait_for));
  observation["version"] = session.server_version();
  if (connected) PATCHLAB_TRY(talk(session, observation, deadline));
  observation["steps"] = session.steps();
  observation["stopped_at_deadline"] = watchdog.fired();
  return observation;
}

Json first_column(const Rows& rows) {
  auto texts = Json::array();
  for (const auto& row : rows.rows) texts.push_back(row.empty() || !row.front() ? Json() : Json(*row.front()));
  return texts;
}

}  // namespace patchlab::checks::database
