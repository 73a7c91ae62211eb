// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/scan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "checks/check_with.hpp"
#include "checks/port/handshake.hpp"
#include "checks/port/starttls.hpp"
#include "checks/port/tls_client.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::port {
namespace {

// More than OpenSSL has of one version: a server that names others without an end is not followed.
constexpr std::size_t most_suites = 200;
constexpr std::array<const char*, 5> all_groups{"P-256", "P-384", "P-521", "X25519", "X448"};

using Names = std::vector<std::string>;

struct Parameters {
  std::uint16_t port = 0;
  Starttls starttls = Starttls::none;
  std::map<std::string, Names> suites;
  std::optional<Names> groups;
  std::optional<std::int64_t> dh_bits;
};

std::string why_not_of(const Names& words, const std::string& word) {
  if (std::ranges::find(words, word) != words.end()) return {};
  return fmt::format("'{}' is none of {}", word, fmt::join(words, ", "));
}

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.port = static_cast<std::uint16_t>(reader.integer("port", 1, 65535));
  const auto word =
      reader.text_or("starttls", "none", [](const std::string& text) { return why_not_of(starttls_words(), text); });
  with.starttls = starttls_from(word).value_or(Starttls::none);
  auto suites = reader.object("suites");
  for (const auto& version : tls_versions()) {
    auto names = suites.texts_or_empty(version, not_empty("the name of a suite"));
    const auto& raw = suites.raw(version);
    if (raw.is_array() && raw.empty()) suites.problem(version, "leave it out when it is refused");
    if (!names.empty()) with.suites[version] = std::move(names);
  }
  suites.finish();
  if (reader.raw("suites").is_object() && reader.raw("suites").empty())
    reader.problem("suites", "name at least one: a port without TLS has none to look at");
  if (reader.has("groups")) {
    const Names known(all_groups.begin(), all_groups.end());
    with.groups = reader.texts_or_empty("groups", [&](const std::string& text) { return why_not_of(known, text); });
  }
  if (reader.has("dh_bits")) with.dh_bits = reader.integer("dh_bits", 256, 16384);
  return with;
}

class Scan {
 public:
  Scan(const Target& target, const Parameters& with, const Deadline& deadline)
      : target_(target), with_(with), deadline_(deadline) {}

  Result<Json> all() {
    Json seen{{"server", fmt::format("{}:{}", target_.address, with_.port)},
              {"suites", Json::object()},
              {"groups", Json::array()},
              {"dh_bits", nullptr},
              {"refused", Json::object()},
              {"trouble", nullptr}};
    for (const auto& version : tls_versions()) {
      PATCHLAB_TRY(ask_for_suites(version, seen));
      if (!trouble_.is_null()) break;
    }
    if (trouble_.is_null()) PATCHLAB_TRY(ask_for_groups(seen));
    if (trouble_.is_null()) PATCHLAB_TRY(ask_for_prime(seen));
    seen["trouble"] = trouble_;
    return seen;
  }

 private:
  struct Agreed {
    std::string suite;  // empty: refused
    std::string why;
    std::int64_t dh_bits = 0;  // of a classical exchange
  };

  // One handshake with what `prepare` leaves of this host's offer; nothing: it was not answered as TLS is, which ends
  // the scan. What cannot be offered at all is refused by this host: no suite is left.
  template <class Prepare>
  Result<std::optional<Agreed>> try_once(const std::string& version, const std::string& what, const Prepare& prepare) {
    PATCHLAB_ASSIGN(const auto context, client_context(version));
    if (!prepare(*context)) return std::optional(Agreed{{}, "this host has no other one", 0});
    PATCHLAB_ASSIGN(const auto connection, connect_tcp({target_.address, with_.port}, {}, deadline_));
    if (connection.saved_errno != 0)
      return fails(what, reason_for_errno(connection.saved_errno), describe_errno(connection.saved_errno));
    const int socket = connection.socket.get();
    if (const auto trouble = ask_for_tls(socket, with_.starttls, deadline_))
      return fails(what, trouble->reason, trouble->text);
    PATCHLAB_ASSIGN(const auto session, client_session(*context));
    if (SSL_set_fd(session.get(), socket) != 1) return infrastructure_error("making a TLS session");
    SocketWire wire(socket);
    PATCHLAB_ASSIGN(const auto end, finish_handshake(*session, wire, version, deadline_));
    if (end.ended == "refused") return std::optional(Agreed{{}, end.why, 0});
    if (!end.done()) return fails(what, end.ended == "malformed" ? "malformed-tls" : end.ended, end.why);
    Agreed agreed{SSL_get_cipher_name(session.get()), {}, 0};
    EVP_PKEY* raw = nullptr;
    if (SSL_get_peer_tmp_key(session.get(), &raw) == 1) {
      const Owned<EVP_PKEY> key(raw);
      if (EVP_PKEY_base_id(key.get()) == EVP_PKEY_DH) agreed.dh_bits = EVP_PKEY_bits(key.get());
    }
    (void)SSL_shutdown(session.get());
    return std::optional(agreed);
  }

  std::optional<Agreed> fails(const std::string& what, const std::string& reason, const std::string& why) {
    trouble_ = {{"what", what}, {"reason", reason}, {"why", why}};
    return std::nullopt;
  }

  // Whichever the server chooses is left out of the next offer, until it refuses the rest.
  Result<void> ask_for_suites(const std::string& version, Json& seen) {
    Names agreed;
    const bool is_new = version == "1.3";
    while (agreed.size() < most_suites) {
      const auto prepare = [&](SSL_CTX& context) {
        if (!is_new) {
          std::string list = "ALL:!aNULL:@SECLEVEL=0";
          for (const auto& name : agreed) list += ":!" + name;
          return SSL_CTX_set_cipher_list(&context, list.c_str()) == 1;
        }
        std::string list;
        for (const char* name : {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256",
                                 "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"}) {
          if (std::ranges::find(agreed, name) == agreed.end()) list += (list.empty() ? "" : ":") + std::string(name);
        }
        return !list.empty() && SSL_CTX_set_ciphersuites(&context, list.c_str()) == 1;
      };
      const auto what = fmt::format("TLS {}, suite {}", version, agreed.size() + 1);
      PATCHLAB_ASSIGN(const auto answer, try_once(version, what, prepare));
      if (!answer) return {};
      if (answer->suite.empty()) {
        if (agreed.empty()) seen["refused"][version] = answer->why;
        break;
      }
      if (std::ranges::find(agreed, answer->suite) != agreed.end()) {
        (void)fails(what, "malformed-tls", fmt::format("it chose {} which was not offered", answer->suite));
        return {};
      }
      agreed.push_back(answer->suite);
    }
    if (!agreed.empty()) seen["suites"][version] = agreed;
    return {};
  }

  // By the newest version that is spoken. One after the other, since a server may take them all in its own order.
  Result<void> ask_for_groups(Json& seen) {
    const auto version = newest(seen);
    if (version.empty()) return {};
    for (const char* group : all_groups) {
      const auto prepare = [&](SSL_CTX& context) {
        // With a suite of another exchange the server would do without.
        const bool fits = version == "1.3" || SSL_CTX_set_cipher_list(&context, "ECDHE:!aNULL:@SECLEVEL=0") == 1;
        return fits && SSL_CTX_set1_groups_list(&context, group) == 1;
      };
      PATCHLAB_ASSIGN(const auto answer, try_once(version, fmt::format("group {}", group), prepare));
      if (!answer) return {};
      if (answer->suite.empty())
        seen["refused"][group] = answer->why;
      else
        seen["groups"].push_back(group);
    }
    return {};
  }

  Result<void> ask_for_prime(Json& seen) {
    const auto version = seen.at("suites").contains("1.2") ? std::string("1.2") : std::string();
    if (version.empty()) return {};
    const auto prepare = [](SSL_CTX& context) {
      return SSL_CTX_set_cipher_list(&context, "DHE:!aNULL:@SECLEVEL=0") == 1;
    };
    PATCHLAB_ASSIGN(const auto answer, try_once(version, "the classical exchange of keys", prepare));
    if (answer && answer->dh_bits > 0) seen["dh_bits"] = answer->dh_bits;
    return {};
  }

  static std::string newest(const Json& seen) {
    for (auto version = tls_versions().rbegin(); version != tls_versions().rend(); ++version) {
      if (seen.at("suites").contains(*version)) return *version;
    }
    return {};
  }

  const Target& target_;
  const Parameters& with_;
  const Deadline& deadline_;
  Json trouble_;
};

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

Names missing_of(const Names& wanted, const Names& seen) {
  Names missing;
  for (const auto& one : wanted) {
    if (std::ranges::find(seen, one) == seen.end()) missing.push_back(one);
  }
  return missing;
}

// What is gone is told before what is new: it is what clients feel.
std::optional<Judgement> judge_names(const std::string& kind, const std::string& what, const Names& wanted,
                                     const Names& seen) {
  const auto expected =
      fmt::format("{}: {}", what, wanted.empty() ? "none" : fmt::format("{}", fmt::join(wanted, ", ")));
  if (const auto gone = missing_of(wanted, seen); !gone.empty())
    return failed(kind + "-refused", expected, fmt::format("without {}", fmt::join(gone, ", ")));
  if (const auto more = missing_of(seen, wanted); !more.empty())
    return failed(kind + "-offered", expected, fmt::format("and {}", fmt::join(more, ", ")));
  return std::nullopt;
}

class ScanCheck final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "tls.scan"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    return Scan(target, with, deadline).all();
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    if (const auto& trouble = seen.at("trouble"); trouble.is_object())
      return failed(trouble.at("reason").get<std::string>(), "what was agreed to before",
                    fmt::format("{}: {}", trouble.at("what").get<std::string>(), trouble.at("why").get<std::string>()));
    for (const auto& version : tls_versions()) {
      const auto wanted = with.suites.find(version);
      const auto names = seen.at("suites").value(version, Names());
      if (auto bad = judge_names("suite", "suites of TLS " + version,
                                 wanted == with.suites.end() ? Names() : wanted->second, names))
        return *bad;
    }
    if (with.groups) {
      if (auto bad = judge_names("group", "groups", *with.groups, seen.at("groups").get<Names>())) return *bad;
    }
    if (with.dh_bits && seen.at("dh_bits") != *with.dh_bits)
      return failed("dh-bits-differ", fmt::format("a prime of {} bits", *with.dh_bits), seen.at("dh_bits").dump());
    Names versions;
    for (const auto& [version, names] : with.suites) versions.push_back(version);
    return {Outcome::pass, "as-expected", fmt::format("the suites of TLS {}", fmt::join(versions, ", ")),
            "these and no others"};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*with*/, Observation& seen, Json& json) const override {
    if (const auto& trouble = seen.at("trouble"); trouble.is_object())
      return Error{ErrorClass::check, "it is no TLS port that answers: " + trouble.value("why", ""), {}};
    if (seen.at("suites").empty()) return Error{ErrorClass::check, "no suite is agreed to", {}};
    json["suites"] = seen.at("suites");
    json["groups"] = seen.at("groups");
    json.erase("dh_bits");
    if (seen.at("dh_bits").is_number()) json["dh_bits"] = seen.at("dh_bits");
    return {};
  }
};

}  // namespace

const Check& tls_scan() {
  static const ScanCheck instance;
  return instance;
}

}  // namespace patchlab::checks::port
