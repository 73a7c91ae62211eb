// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/offered.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "checks/check_with.hpp"
#include "checks/port/handshake.hpp"
#include "checks/port/starttls.hpp"
#include "checks/socket.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::port {
namespace {

constexpr std::int64_t days_to_expect = 1;  // when learnt: how soon it is renewed is for people to say

struct Parameters {
  std::uint16_t port = 0;
  Starttls starttls = Starttls::none;
  std::vector<std::string> versions;
  std::optional<std::string> subject;
  std::optional<std::string> issuer;
  std::optional<std::vector<std::string>> names;
  std::optional<std::int64_t> days_left;
  std::optional<std::string> sha256;
  std::optional<std::string> key_sha256;
};

std::string why_not_of(const std::vector<std::string>& words, const std::string& word) {
  if (std::ranges::find(words, word) != words.end()) return {};
  return fmt::format("'{}' is none of {}", word, fmt::join(words, ", "));
}

std::string why_no_digest(const std::string& text) {
  return is_sha256(text) ? "" : "must be a SHA-256 of 64 lower-case hex digits";
}

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.port = static_cast<std::uint16_t>(reader.integer("port", 1, 65535));
  const auto word =
      reader.text_or("starttls", "none", [](const std::string& text) { return why_not_of(starttls_words(), text); });
  with.starttls = starttls_from(word).value_or(Starttls::none);
  with.versions =
      reader.texts_or_empty("versions", [](const std::string& text) { return why_not_of(tls_versions(), text); });
  const auto& versions = reader.raw("versions");
  if (versions.is_null() || (versions.is_array() && versions.empty()))
    reader.problem("versions", "name at least one: a port without TLS has none to look at");
  const auto any = not_empty("leave it out when it does not matter");
  if (reader.has("subject")) with.subject = reader.text("subject", any);
  if (reader.has("issuer")) with.issuer = reader.text("issuer", any);
  if (reader.has("names")) {
    with.names = reader.texts_or_empty("names", any);
    std::ranges::sort(*with.names);
  }
  if (reader.has("days_left")) with.days_left = reader.integer("days_left", 0, 36500);
  if (reader.has("sha256")) with.sha256 = reader.text("sha256", why_no_digest);
  if (reader.has("key_sha256")) with.key_sha256 = reader.text("key_sha256", why_no_digest);
  return with;
}

// As shake_hands() says, or what came before it: "errno" of the connection, or "trouble" of STARTTLS by its reason.
Result<Json> ask(const Target& target, const Parameters& with, const std::string& version, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, with.port}, {}, deadline));
  if (connection.saved_errno != 0)
    return Json{{"trouble", reason_for_errno(connection.saved_errno)}, {"why", describe_errno(connection.saved_errno)}};
  if (const auto trouble = ask_for_tls(connection.socket.get(), with.starttls, deadline))
    return Json{{"trouble", trouble->reason}, {"why", trouble->text}};
  return shake_hands(connection.socket.get(), version, deadline);
}

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

std::optional<Judgement> judge_version(const Parameters& with, const std::string& version, const Json& seen) {
  const bool is_wanted = std::ranges::find(with.versions, version) != with.versions.end();
  const auto expected = fmt::format("TLS {} is {}", version, is_wanted ? "offered" : "refused");
  const auto observed = fmt::format("TLS {}: {}", version, seen.value("why", seen.value("cipher", "")));
  if (seen.contains("trouble")) return failed(seen.at("trouble").get<std::string>(), expected, observed);
  const auto ended = seen.at("ended").get<std::string>();
  if (ended == "no-answer") return failed("no-answer", expected, observed);
  if (ended == "malformed") return failed("malformed-tls", expected, observed);
  if ((ended == "offered") == is_wanted) return std::nullopt;
  return failed(is_wanted ? "version-refused" : "version-offered", expected, observed);
}

// Of the newest version that is offered; all of them have the same on any server that is meant well.
const Json* certificate_in(const Observation& observation) {
  const auto& versions = observation.at("versions");
  for (auto version = tls_versions().rbegin(); version != tls_versions().rend(); ++version) {
    const auto& seen = versions.at(*version);
    if (seen.value("ended", "") == "offered" && seen.contains("certificate")) return &seen.at("certificate");
  }
  return nullptr;
}

std::optional<Judgement> judge_text(const std::optional<std::string>& wanted, const Json& certificate,
                                    const std::string& key, const std::string& what, std::string reason) {
  if (!wanted || certificate.at(key) == *wanted) return std::nullopt;
  return failed(std::move(reason), fmt::format("{} '{}'", what, *wanted),
                fmt::format("{} '{}'", what, certificate.at(key).get<std::string>()));
}

std::optional<Judgement> judge_days(const Parameters& with, const Json& certificate) {
  if (!with.days_left) return std::nullopt;
  const auto expected = fmt::format("a certificate for {} more days", *with.days_left);
  if (!certificate.at("is_valid_yet").get<bool>())
    return failed("not-yet-valid", expected, "it begins on " + certificate.at("not_before").get<std::string>());
  const auto left = certificate.at("days_left").get<std::int64_t>();
  if (left >= *with.days_left) return std::nullopt;
  return failed("too-few-days-left", expected,
                fmt::format("it ends on {}, in {} days", certificate.at("not_after").get<std::string>(), left));
}

std::optional<Judgement> judge_certificate(const Parameters& with, const Json& certificate) {
  if (auto bad = judge_days(with, certificate)) return bad;
  if (auto bad = judge_text(with.subject, certificate, "subject", "subject", "subject-differs")) return bad;
  if (auto bad = judge_text(with.issuer, certificate, "issuer", "issuer", "issuer-differs")) return bad;
  if (with.names && certificate.at("names") != Json(*with.names)) {
    return failed("names-differ", fmt::format("names {}", fmt::join(*with.names, ", ")),
                  fmt::format("names {}", fmt::join(certificate.at("names").get<std::vector<std::string>>(), ", ")));
  }
  if (auto bad = judge_text(with.sha256, certificate, "sha256", "certificate", "certificate-differs")) return bad;
  return judge_text(with.key_sha256, certificate, "key_sha256", "public key", "key-differs");
}

class Offered final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "tls.offered"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    Json observation{{"server", fmt::format("{}:{}", target.address, with.port)}, {"versions", Json::object()}};
    for (const auto& version : tls_versions()) {
      PATCHLAB_ASSIGN(observation["versions"][version], ask(target, with, version, deadline));
    }
    return observation;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    for (const auto& version : tls_versions()) {
      if (auto bad = judge_version(with, version, observation.at("versions").at(version))) return *bad;
    }
    const auto* certificate = certificate_in(observation);
    const auto versions = fmt::format("TLS {}", fmt::join(with.versions, ", "));
    if (certificate == nullptr)
      return failed("certificate-missing", versions + " with a certificate", "the server shows none");
    if (auto bad = judge_certificate(with, *certificate)) return *bad;
    return {Outcome::pass, "as-expected", versions,
            fmt::format("these and no others; '{}' until {}", certificate->at("subject").get<std::string>(),
                        certificate->at("not_after").get<std::string>())};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*with*/, Observation& observation, Json& json) const override {
    std::vector<std::string> versions;
    for (const auto& version : tls_versions()) {
      if (observation.at("versions").at(version).value("ended", "") == "offered") versions.push_back(version);
    }
    const auto* certificate = certificate_in(observation);
    if (versions.empty() || certificate == nullptr) {
      const auto& newest = observation.at("versions").at(tls_versions().back());
      return Error{ErrorClass::check, "no version of TLS is offered: " + newest.value("why", ""), {}};
    }
    json["versions"] = versions;
    for (const char* key : {"subject", "issuer", "names", "sha256"}) json[key] = certificate->at(key);
    for (const char* key : {"subject", "issuer"}) {
      if (json.at(key).get<std::string>().empty()) json.erase(key);
    }
    json.erase("key_sha256");
    json["days_left"] = days_to_expect;
    return {};
  }
};

}  // namespace

const Check& tls_offered() {
  static const Offered instance;
  return instance;
}

}  // namespace patchlab::checks::port
