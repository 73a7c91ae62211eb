// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ldap/login.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/kerberos/names.hpp"

namespace patchlab::checks::ldap {
namespace {

template <class Value, std::size_t count>
Value one_of(JsonReader& reader, const std::string& key, const std::array<std::pair<const char*, Value>, count>& words,
             Value other) {
  std::string list;
  for (const auto& [word, value] : words) list += (list.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  const auto text = reader.text_or(key, "", [&](const std::string& found) {
    const bool known = std::ranges::any_of(words, [&](const auto& one) { return found == one.first; });
    return known ? std::string() : fmt::format("must be one of {}, found \"{}\"", list, found);
  });
  for (const auto& [word, value] : words) {
    if (text == word) return value;
  }
  return other;
}

constexpr std::array<std::pair<const char*, Method>, 3> methods{
    {{"simple", Method::simple}, {"gssapi", Method::gssapi}, {"gss-spnego", Method::gss_spnego}}};
constexpr std::array<std::pair<const char*, Tls>, 3> kinds_of_tls{
    {{"ldaps", Tls::ldaps}, {"starttls", Tls::starttls}, {"none", Tls::none}}};
constexpr std::array<std::pair<const char*, Layer>, 3> layers{
    {{"sign", Layer::sign}, {"seal", Layer::seal}, {"none", Layer::none}}};

void read_kerberos(JsonReader& reader, Login& login) {
  login.user = reader.text("user", kerberos::why_no_principal);
  login.realm = reader.text("realm", kerberos::why_no_realm);
  login.kerberos_port = static_cast<std::uint16_t>(reader.integer_or("kerberos_port", 88, 1, 65535));
  login.layer = one_of(reader, "layer", layers, Layer::sign);
  if (reader.has("tls") && login.tls != Tls::none)
    reader.problem("tls", "a login by Kerberos signs or seals by itself (layer), and is made without TLS: \"none\"");
  if (!reader.has("server")) reader.problem("server", "a ticket is for a server by its name: dc1.office.example");
}

void read_simple(JsonReader& reader, Login& login, Password password) {
  login.user = reader.text("user", not_empty("whatever the server takes as a name, as lab-user@office.example"));
  if (password != Password::given) return;  // no other login is known there, and so none of these
  for (const char* key : {"realm", "kerberos_port", "layer"}) {
    if (reader.has(key)) reader.problem(key, "is for the logins \"gssapi\" and \"gss-spnego\"");
  }
}

}  // namespace

Login read_login(JsonReader& reader, Password password) {
  Login login;
  if (password == Password::given) login.method = one_of(reader, "login", methods, Method::simple);
  const bool simple = login.method == Method::simple;
  login.tls = one_of(reader, "tls", kinds_of_tls, simple ? Tls::ldaps : Tls::none);
  login.port = static_cast<std::uint16_t>(reader.integer_or("port", login.tls == Tls::ldaps ? 636 : 389, 1, 65535));
  login.server = reader.text_or("server", "", kerberos::why_no_host);
  if (simple)
    read_simple(reader, login, password);
  else
    read_kerberos(reader, login);
  // An empty one would be a login as nobody (RFC 4513 section 5.1.2), which is granted.
  if (password == Password::given)
    login.password = reader.text("password", not_empty("without one a login is one as nobody"));
  if (reader.has("authorities")) {
    login.authorities = reader.text("authorities", not_empty("PEM; leave it out where any certificate will do"));
    if (login.tls == Tls::none) reader.problem("authorities", "there is no certificate without TLS");
    if (!reader.has("server")) reader.problem("server", "a certificate that is verified is of a name");
  }
  return login;
}

std::string described(const Login& login) {
  const auto* const method = login.method == Method::simple   ? "simple login"
                             : login.method == Method::gssapi ? "login by GSSAPI"
                                                              : "login by GSS-SPNEGO";
  const auto* const by = login.tls == Tls::ldaps          ? " by TLS"
                         : login.tls == Tls::starttls     ? " after StartTLS"
                         : login.method == Method::simple ? " without TLS"
                         : login.layer == Layer::none     ? ", not signed"
                         : login.layer == Layer::sign     ? ", signed"
                                                          : ", sealed";
  return fmt::format("a {} as '{}'{}", method, login.user, by);
}

}  // namespace patchlab::checks::ldap
