// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/ssh.hpp"
#include "lab/core/shell_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace patchlab::lab::libvirt {
namespace {

constexpr std::string_view scheme = "qemu+ssh://";

// Parameters of libvirt's that are not followed, and why; others are unknown.
const std::map<std::string, std::string, std::less<>> refused_parameters{
    {"no_verify", "a host whose key nobody compares could be any host"},
    {"no_tty", "nothing is ever asked here; leave it out"},
    {"command", "no other program than 'ssh' is started"},
    {"netcat", "the libvirt is opened on its own host, without a socket that is carried here; leave it out"},
    {"socket", "the libvirt is opened on its own host, at its usual socket; leave it out"},
    {"proxy", "the libvirt is opened on its own host, without a proxy; leave it out"},
    {"mode", "the libvirt is opened on its own host, by its usual daemon; leave it out"},
};

Error wrong(const std::string& uri, const std::string& why, std::string hint) {
  return configuration_error(fmt::format("libvirt '{}': {}", uri, why), std::move(hint));
}

bool is_of(std::string_view text, std::string_view more) {
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

// RFC 3986 2.1; nullopt for what is none.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    if (digits.size() != 2 || end != digits.data() + 2 || value == 0) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

class UriReader {
 public:
  explicit UriReader(const std::string& uri) : uri_(uri) {}

  Result<SshDestination> read() {
    auto rest = std::string_view(uri_).substr(scheme.size());
    const auto query = rest.find('?');
    const auto path = rest.find('/');
    const auto end = std::min(path, query);
    PATCHLAB_TRY(read_authority(rest.substr(0, end)));
    const auto place =
        path < query ? rest.substr(path, query == std::string_view::npos ? query : query - path) : std::string_view();
    if (place != "/system" && place != "/session")
      return wrong(uri_, fmt::format("its path is '{}'", place), "write qemu+ssh://root@HOST/system");
    result_.uri = "qemu://" + std::string(place);
    if (query != std::string_view::npos) PATCHLAB_TRY(read_parameters(rest.substr(query + 1)));
    return result_;
  }

 private:
  Result<void> read_authority(std::string_view text) {
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
      result_.user = text.substr(0, at);
      if (!is_of(result_.user, "._-")) {
        return wrong(uri_, fmt::format("'{}' is no user's name", result_.user),
                     "ssh asks for no password: leave that out, and let a key in");
      }
      text.remove_prefix(at + 1);
    }
    const bool bracketed = text.starts_with('[') && text.find(']') != std::string_view::npos;
    auto port = bracketed ? text.substr(text.find(']') + 1) : text.substr(std::min(text.find(':'), text.size()));
    result_.host = bracketed ? text.substr(1, text.find(']') - 1) : text.substr(0, text.size() - port.size());
    if (!is_of(result_.host, bracketed ? ".:_-%" : "._-"))
      return wrong(uri_, fmt::format("'{}' is no host's name", result_.host), "write qemu+ssh://root@HOST/system");
    if (port.empty()) return {};
    const auto digits = port.substr(1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), result_.port);
    const bool whole = port.front() == ':' && parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
    if (!whole || result_.port == 0)
      return wrong(uri_, fmt::format("'{}' is no port", digits), "write qemu+ssh://root@HOST:PORT/system");
    return {};
  }

  Result<void> read_parameters(std::string_view text) {
    while (!text.empty()) {
      const auto piece = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(piece.size() + 1, text.size()));
      const auto equals = std::min(piece.find('='), piece.size());
      const auto name = piece.substr(0, equals);
      auto* path = name == "keyfile" ? &result_.keyfile : name == "known_hosts" ? &result_.known_hosts : nullptr;
      if (path == nullptr) {
        const auto known = refused_parameters.find(name);
        return wrong(uri_,
                     fmt::format("the parameter '{}' is refused: {}", name,
                                 known == refused_parameters.end() ? "it is not known" : known->second),
                     "parameters that are followed: keyfile, known_hosts");
      }
      const auto value = percent_decoded(piece.substr(std::min(equals + 1, piece.size())));
      // ssh reads these as its configuration: percent signs, ${...} and quotes have a meaning there.
      if (!value || !value->starts_with('/') || value->find_first_of("%$\"\\\n") != std::string::npos) {
        return wrong(uri_, fmt::format("the parameter '{}' must be an absolute path without % $ \" and \\", name),
                     "keyfile=/root/.ssh/patchlab");
      }
      *path = *value;
    }
    return {};
  }

  const std::string& uri_;
  SshDestination result_;
};

}  // namespace

std::string SshDestination::name() const {
  const auto where = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return (user.empty() ? "" : user + "@") + where + (port == 0 ? "" : ":" + std::to_string(port));
}

Result<std::optional<SshDestination>> ssh_destination(const std::string& uri) {
  if (uri.starts_with(scheme)) {
    PATCHLAB_ASSIGN(auto destination, UriReader(uri).read());
    return std::optional(std::move(destination));
  }
  const auto scheme_end = uri.find("://");
  const bool names_host = scheme_end != std::string::npos && scheme_end + 3 < uri.size() && uri[scheme_end + 3] != '/';
  if (!names_host) return std::optional<SshDestination>();
  return configuration_error(fmt::format("libvirt '{}' is on another host, and such are reached by ssh only", uri),
                             "write qemu+ssh://root@HOST/system; patchlab must be installed there too");
}

ProcessSpec ssh_process(const SshDestination& destination, const std::vector<std::string>& command) {
  ProcessSpec spec;
  spec.program = "ssh";
  // -T, -a, -x: no terminal, no agent, no X11. ControlPath: a connection of our own, which ends with our process.
  spec.arguments = {"-T", "-a", "-x"};
  for (const char* option :
       {"BatchMode=yes", "StrictHostKeyChecking=yes", "ClearAllForwardings=yes", "ControlPath=none",
        "ConnectTimeout=20", "ServerAliveInterval=20", "ServerAliveCountMax=3"})
    spec.arguments.insert(spec.arguments.end(), {"-o", option});
  if (!destination.keyfile.empty())
    spec.arguments.insert(spec.arguments.end(), {"-i", destination.keyfile.string(), "-o", "IdentitiesOnly=yes"});
  if (!destination.known_hosts.empty())
    spec.arguments.insert(spec.arguments.end(), {"-o", "UserKnownHostsFile=\"" + destination.known_hosts.string() + '"',
                                                 "-o", "GlobalKnownHostsFile=none"});
  if (destination.port != 0) spec.arguments.insert(spec.arguments.end(), {"-p", std::to_string(destination.port)});
  if (!destination.user.empty()) spec.arguments.insert(spec.arguments.end(), {"-l", destination.user});
  spec.arguments.insert(spec.arguments.end(), {"--", destination.host, shell_words(command)});
  return spec;
}

}  // namespace patchlab::lab::libvirt
