// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/handshake.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/port/tls_client.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::port {
namespace {

constexpr std::size_t most_names = 200;

std::string text_of(const X509_NAME* name) {
  const Owned<BIO> memory(BIO_new(BIO_s_mem()));
  if (!memory || X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* start = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &start);
  return to_valid_utf8(std::string_view(start, static_cast<std::size_t>(size)));
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string text_of(const ASN1_STRING* value) {
  return to_valid_utf8(std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),  // NOLINT: theirs
                                        static_cast<std::size_t>(ASN1_STRING_length(value))));
}

std::string text_of(const GENERAL_NAME& name) {
  std::array<char, INET6_ADDRSTRLEN> address{};
  switch (name.type) {
    case GEN_DNS: return "DNS:" + text_of(name.d.dNSName);
    case GEN_EMAIL: return "email:" + text_of(name.d.rfc822Name);
    case GEN_URI: return "URI:" + text_of(name.d.uniformResourceIdentifier);
    case GEN_IPADD: {
      const int size = ASN1_STRING_length(name.d.iPAddress);
      const int family = size == 4 ? AF_INET : AF_INET6;
      if (size != 4 && size != 16) return "IP:?";
      ::inet_ntop(family, ASN1_STRING_get0_data(name.d.iPAddress), address.data(), address.size());
      return std::string("IP:") + address.data();
    }
    default: return fmt::format("other:{}", name.type);
  }
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> texts;
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && texts.size() < most_names; ++i)
    texts.push_back(text_of(*sk_GENERAL_NAME_value(names.get(), i)));
  std::ranges::sort(texts);
  return texts;
}

template <class Encode>
std::string digest_of(const Encode& encode) {
  unsigned char* bytes = nullptr;
  const int size = encode(&bytes);
  if (size <= 0) return {};
  const Owned<unsigned char> owner(bytes);
  return sha256(std::string_view(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)));  // NOLINT
}

// Against this host's clock.
std::int64_t days_from_now(const ASN1_TIME* time) {
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, time) != 1) return 0;
  return seconds < 0 ? days - 1 : days;
}

Json describe(X509* certificate) {
  return {{"subject", text_of(X509_get_subject_name(certificate))},
          {"issuer", text_of(X509_get_issuer_name(certificate))},
          {"names", names_of(certificate)},
          {"not_before", time_text(X509_get0_notBefore(certificate))},
          {"not_after", time_text(X509_get0_notAfter(certificate))},
          {"days_left", days_from_now(X509_get0_notAfter(certificate))},
          {"is_valid_yet", X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0},
          {"sha256", digest_of([&](auto** bytes) { return i2d_X509(certificate, bytes); })},
          {"key_sha256",
           digest_of([&](auto** bytes) { return i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), bytes); })}};
}

}  // namespace

const std::vector<std::string>& tls_versions() {
  static const std::vector<std::string> versions{"1.0", "1.1", "1.2", "1.3"};
  return versions;
}

Result<Json> shake_hands(int socket, const std::string& version, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto context, client_context(version));
  PATCHLAB_ASSIGN(const auto session, client_session(*context));
  if (SSL_set_fd(session.get(), socket) != 1) return infrastructure_error("making a TLS session");
  SocketWire wire(socket);
  PATCHLAB_ASSIGN(const auto end, finish_handshake(*session, wire, version, deadline));
  if (!end.done()) return Json{{"ended", end.ended}, {"why", end.why}};
  Json seen{{"ended", end.ended}, {"cipher", SSL_get_cipher_name(session.get())}};
  const Owned<X509> certificate(SSL_get1_peer_certificate(session.get()));
  if (certificate) seen["certificate"] = describe(certificate.get());
  // Says goodbye, as a client does that only looked; whether that arrives does not matter.
  (void)SSL_shutdown(session.get());
  return seen;
}

}  // namespace patchlab::checks::port
