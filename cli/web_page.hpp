// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/listen_argument.hpp"
#include "lab/web/origin.hpp"
#include "lab/web/server.hpp"

// What `serve` and `desk serve` have in common: a server for browsers, until it is ended.
namespace patchlab::cli {

struct WebPage {
  lab::web::Server server;
  lab::web::Origin origin;  // as browsers call it
};
// `origin` empty: this host by its port.
[[nodiscard]] Result<WebPage> open_page(const ListenPlace& place, const std::string& origin);
// Until SIGINT or SIGTERM. `what`: "the desk", which goes on when an answer was a bug.
void run_page(WebPage& page, const char* what, const lab::web::Server::Handler& answer);

}  // namespace patchlab::cli
