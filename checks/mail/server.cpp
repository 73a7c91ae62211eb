// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/server.hpp"

#include <fmt/format.h>

namespace patchlab::checks::mail {
Certificate read_certificate(JsonReader& reader) {
  const auto word = reader.text_or("tls", "self-signed-ok", [](const std::string& text) {
    return text == "self-signed-ok" || text == "verified"
               ? ""
               : fmt::format("must be \"self-signed-ok\" or \"verified\", found \"{}\"", text);
  });
  return word == "verified" ? Certificate::verified : Certificate::any;
}

ImapSecurity read_security(JsonReader& reader, const std::string& key, std::uint16_t port,
                           std::uint16_t implicit_port) {
  const auto word = reader.text_or(key, port == implicit_port ? "implicit" : "starttls", [](const std::string& text) {
    return text == "implicit" || text == "starttls"
               ? ""
               : fmt::format("must be \"starttls\" or \"implicit\", found \"{}\"", text);
  });
  return word == "implicit" ? ImapSecurity::implicit : ImapSecurity::starttls;
}

Server read_server(JsonReader& reader) {
  Server server;
  server.smtp_port = static_cast<std::uint16_t>(reader.integer_or("smtp_port", 587, 1, 65535));
  server.imap_port = static_cast<std::uint16_t>(reader.integer_or("imap_port", 143, 1, 65535));
  server.imap_security = read_security(reader, "imap_tls", server.imap_port, 993);
  server.certificate = read_certificate(reader);
  return server;
}

std::vector<ExpectedStage> smtp_stages_before_auth() {
  return {{"connect", {}},       {"banner", {"220"}}, {"ehlo", {"250"}},
          {"starttls", {"220"}}, {"tls", {}},         {"ehlo-tls", {"250"}}};
}

std::vector<ExpectedStage> imap_stages_before_login(ImapSecurity security) {
  if (security == ImapSecurity::implicit) return {{"connect", {}}, {"tls", {}}, {"greeting", {"OK"}}};
  return {{"connect", {}}, {"greeting", {"OK"}}, {"starttls", {"OK"}}, {"tls", {}}};
}

std::vector<ExpectedStage> mailbox_stages(ImapSecurity security) {
  auto stages = imap_stages_before_login(security);
  stages.insert(stages.end(), {{"login", {"OK"}}, {"select", {"OK"}}});
  return stages;
}

std::vector<ExpectedStage> pop3_stages_before_login(ImapSecurity security) {
  if (security == ImapSecurity::implicit) return {{"connect", {}}, {"tls", {}}, {"greeting", {"+OK"}}};
  return {{"connect", {}}, {"greeting", {"+OK"}}, {"stls", {"+OK"}}, {"tls", {}}};
}

}  // namespace patchlab::checks::mail
