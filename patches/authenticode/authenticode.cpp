// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/authenticode/authenticode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"
#include "lab/process/sandbox.hpp"

namespace patchlab::patches {
namespace {

constexpr const char* package_inside = "/package";
constexpr const char* bundle_inside = "/ca.pem";
constexpr auto time_limit = std::chrono::minutes(5);

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (const auto line = trimmed(text.substr(0, end)); !line.empty()) lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// The text after the first line that begins so; "Issuer :" has a space before its colon.
std::string value_of(const std::vector<std::string_view>& lines, std::string_view key) {
  for (const auto& line : lines) {
    if (!line.starts_with(key)) continue;
    const auto rest = trimmed(line.substr(key.size()));
    if (rest.starts_with(':')) return std::string(trimmed(rest.substr(1)));
  }
  return {};
}

// At the end of a line of OpenSSL's error queue.
std::string openssl_reason(std::string_view text) {
  constexpr std::string_view key = "Verify error:";
  const auto at = text.find(key);
  if (at == std::string_view::npos) return {};
  const auto rest = text.substr(at + key.size());
  return std::string(trimmed(rest.substr(0, rest.find('\n'))));
}

// From 2.8 on it fetches revocation lists that a certificate names, and fails without them.
bool fetches_revocation_lists(const std::string& version) {
  int major = 0;
  int minor = 0;
  const auto dot = version.find('.');
  if (dot == std::string::npos) return true;
  std::from_chars(version.data(), version.data() + dot, major);
  std::from_chars(version.data() + dot + 1, version.data() + version.size(), minor);
  return major > 2 || (major == 2 && minor >= 8);
}

}  // namespace

ProcessSpec verify_command(const std::filesystem::path& file, const std::filesystem::path& ca_bundle,
                           const std::string& version) {
  std::vector<std::string> words{"osslsigncode", "verify"};
  if (fetches_revocation_lists(version)) words.emplace_back("-ignore-cdp");
  // Time-stamping certificates are looked for in the same bundle.
  for (const auto* word : {"-CAfile", bundle_inside, "-TSA-CAfile", bundle_inside, "-in", package_inside})
    words.emplace_back(word);
  auto spec = in_sandbox({.readable = {{file, package_inside}, {ca_bundle, bundle_inside}}}, words);
  spec.time_limit = time_limit;
  spec.output_limit = 1U << 20U;
  return spec;
}

std::string version_in(std::string_view output) {
  constexpr std::string_view name = "osslsigncode";
  const auto at = output.find(name);
  if (at == std::string_view::npos) return {};
  auto rest = output.substr(at + name.size());
  rest.remove_prefix(std::min(rest.find_first_of("0123456789"), rest.size()));
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

Signature signature_in(std::string_view output) {
  const auto lines = lines_of(output);
  Signature signature;
  signature.state = SignatureState::valid;
  signature.signer = value_of(lines, "Subject");
  signature.issuer = value_of(lines, "Issuer");
  signature.digest = value_of(lines, "Message digest algorithm");
  signature.timestamp = value_of(lines, "Timestamp time");
  if (signature.timestamp.empty()) signature.timestamp = value_of(lines, "The signature is timestamped");  // until 2.5
  return signature;
}

bool is_changed_in(std::string_view output) { return output.find("MISMATCH") != std::string_view::npos; }

std::string failure_in(std::string_view output, std::string_view errors) {
  const auto lines = lines_of(output);
  if (is_changed_in(output)) return "its content is not what was signed";
  if (const auto chain = value_of(lines, "Error"); !chain.empty()) return chain;
  for (const auto text : {output, errors}) {
    if (auto chain = openssl_reason(text); !chain.empty()) return chain;
  }
  const auto complaints = lines_of(errors);
  for (const auto& line : complaints) {
    if (line.find(":error:") == std::string_view::npos) return std::string(line);
  }
  if (!complaints.empty()) return std::string(complaints.back());
  return lines.empty() ? "osslsigncode said nothing" : std::string(lines.back());
}

Result<Signature> Authenticode::check(const std::filesystem::path& file, const std::string& name,
                                      Carries carries) const {
  return judge(file, name, carries).signature;
}

Judged Authenticode::judge(const std::filesystem::path& file, const std::string& name, Carries carries) const {
  const bool allowed = policy_.unsigned_files == Unsigned::allow;
  if (carries == Carries::no) {
    if (allowed) return {Signature{}};
    return {configuration_error(fmt::format("'{}' is not signed", name),
                                "take it from its vendor again, or accept it with --allow-unsigned"),
            Fault::of_the_file};
  }
  if (!policy_.ca_bundle.empty()) return verify(file, name);
  if (!allowed) {
    return {configuration_error(fmt::format("the signature of '{}' cannot be verified: no CA bundle was named", name),
                                "name one with --ca-bundle, or accept it unverified with --allow-unsigned")};
  }
  Signature signature;
  signature.state = SignatureState::not_checked;
  return {signature};
}

Judged Authenticode::verify(const std::filesystem::path& file, const std::string& name) const {
  const auto ran = run(file, name);
  if (!ran) return {ran.error()};
  const auto& verified = ran->verified;
  if (!verified.succeeded()) {
    return {configuration_error(fmt::format("the signature of '{}' does not verify: {}", name,
                                            failure_in(verified.output, verified.errors)),
                                "is the CA bundle the right one? A file whose signature is broken is not accepted by "
                                "--allow-unsigned either"),
            is_changed_in(verified.output) ? Fault::of_the_file : Fault::not_known};
  }
  auto signature = signature_in(verified.output);
  signature.tool = ran->tool;
  signature.ca_bundle_sha256 = ran->ca_bundle_sha256;
  return {signature};
}

Result<Authenticode::Verification> Authenticode::run(const std::filesystem::path& file, const std::string& name) const {
  PATCHLAB_ASSIGN(auto bundle, sha256_of_file(policy_.ca_bundle));
  ProcessSpec asking;
  asking.program = "osslsigncode";
  asking.arguments = {"--version"};
  const auto asked = processes_.run(asking);
  if (std::holds_alternative<NotStarted>(asked.end)) {
    return infrastructure_error("verifying '" + name + "': osslsigncode " + asked.describe(),
                                "install the Debian package osslsigncode");
  }
  const auto version = version_in(asked.output + asked.errors);
  PATCHLAB_ASSIGN(const auto package, absolute_path(file));
  PATCHLAB_ASSIGN(const auto certificates, absolute_path(policy_.ca_bundle));
  auto verified = processes_.run(verify_command(package, certificates, version));
  if (std::holds_alternative<NotStarted>(verified.end)) {
    return infrastructure_error("verifying '" + name + "': bwrap " + verified.describe(),
                                "install the Debian package bubblewrap");
  }
  // Signals and time limits say nothing of the signature, nor does a sandbox that could not be made.
  if (!std::holds_alternative<Exited>(verified.end) || is_without_sandbox(verified)) {
    return infrastructure_error(
        fmt::format("verifying '{}': osslsigncode {}: {}", name, verified.describe(), failure_in("", verified.errors)));
  }
  return Verification{std::move(verified), "osslsigncode " + version, std::move(bundle)};
}

}  // namespace patchlab::patches
