// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/web_page.hpp"

#include "cli/terminal.hpp"

namespace patchlab::cli {

namespace web = lab::web;

Result<WebPage> open_page(const ListenPlace& place, const std::string& origin) {
  PATCHLAB_ASSIGN(auto server, web::Server::listen(place.address, place.port));
  const auto port = server.port();
  const auto text = !origin.empty() ? origin
                    : port == 80    ? std::string("http://localhost")
                                    : fmt::format("http://localhost:{}", port);
  PATCHLAB_ASSIGN(auto ours, web::read_origin(text));
  return WebPage{std::move(server), std::move(ours)};
}

void run_page(WebPage& page, const char* what, const web::Server::Handler& answer) {
  page.server.run(answer, {}, web::Server::Signals::end, [what](const std::string& bug) {
    report(infrastructure_error(fmt::format("internal error while answering a request: {}", bug),
                                fmt::format("this is a bug in patchlab; {} goes on", what)));
  });
}

}  // namespace patchlab::cli
