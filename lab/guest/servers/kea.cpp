// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/json.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

constexpr std::size_t deepest_value = 32;

// "<?include \"/etc/kea/pools\"?>" is kept as a text.
std::string plain_json(std::string text) {
  text = without_comments(std::move(text), JsonComments::of_kea);
  constexpr std::string_view opens = "<?";
  constexpr std::string_view closes = "?>";
  for (auto at = text.find(opens); at != std::string::npos; at = text.find(opens, at)) {
    const auto end = text.find(closes, at);
    if (end == std::string::npos) break;
    const auto inside = trimmed(std::string_view(text).substr(at + opens.size(), end - at - opens.size()));
    const auto shown = Json("included: " + std::string(inside)).dump(-1, ' ', true, Json::error_handler_t::replace);
    text.replace(at, end + closes.size() - at, shown);
    at += shown.size();
  }
  return text;
}

// What distinguishes the members of a list from each other, so that their order does not matter.
std::string member_name(const Json& member) {
  if (!member.is_object()) return {};
  for (const auto* key : {"subnet", "pool", "id", "hw-address", "duid", "client-id", "flex-id", "name", "code",
                          "prefix", "library", "output", "option"}) {
    const auto found = member.find(key);
    if (found != member.end()) return found->is_string() ? found->get<std::string>() : found->dump();
  }
  return member.dump(-1, ' ', true, Json::error_handler_t::replace);
}

bool is_secret(const std::string& key) { return key == "password" || key == "secret" || key == "key"; }

void flatten(const std::string& kind, const std::string& path, const Json& value, std::size_t depth, Rows& rows) {
  if (depth > deepest_value) return rows.add(kind, path, value.dump(-1, ' ', true, Json::error_handler_t::replace));
  if (value.is_object()) {
    if (value.empty()) rows.add(kind, path, "{}");
    for (const auto& [key, member] : value.items()) {
      const auto item = path + (path.empty() ? "" : " / ") + key;
      if (is_secret(key) && !member.is_structured())
        rows.add(kind, item, "set");
      else
        flatten(kind, item, member, depth + 1, rows);
    }
  } else if (value.is_array()) {
    if (value.empty()) rows.add(kind, path, "[]");
    for (const auto& member : value) {
      if (member.is_structured())
        flatten(kind, fmt::format("{} [{}]", path, member_name(member)), member, depth + 1, rows);
      else
        rows.add(kind, path, member.dump(-1, ' ', true, Json::error_handler_t::replace));
    }
  } else {
    rows.add(kind, path, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

// "file kea-dhcp4": what is written; "running kea-dhcp4": what it has, by its control socket, with all usual values.
Result<void> read_kea(const Parts& parts, Rows& rows) {
  for (const auto& [part, text] : parts) {
    const bool running = part.starts_with("running ");
    if (!running && !part.starts_with("file ")) continue;
    auto parsed = parse_json(plain_json(text), part);
    if (!parsed)
      return guest_error(fmt::format("what 'kea' says of itself is not understood: {}", parsed.error().message));
    auto json = std::move(*parsed);
    if (running && json.is_object()) {
      if (json.value("result", Json()) != 0 || !json.contains("arguments")) return not_understood("kea", text);
      json = json["arguments"];
      if (json.is_object()) json.erase("hash");
    }
    if (!json.is_object()) return not_understood("kea", text);
    flatten(running ? "kea-running" : "kea-setting", part.substr(part.find(' ') + 1), json, 0, rows);
  }
  return {};
}

}  // namespace

const Collector kea{"kea", R"sh(kea() {
  found=1
  for name in kea-dhcp4 kea-dhcp6 kea-dhcp-ddns kea-ctrl-agent; do
    file=/etc/kea/$name.conf
    has $name && [ -e $file ] || continue
    found=0
    part "file $name"
    try sed -E 's/"(password|secret|key)"([[:blank:]]*:[[:blank:]]*)"([^"\\]|\\.)*"/"\1"\2"set"/g' $file || return
    echo >>$work/said
    socket=$(sed -n 's/.*"socket-name"[[:blank:]]*:[[:blank:]]*"\([^"]*\)".*/\1/p' $file | head -n 1)
    [ "$socket" ] && [ -S "$socket" ] && has perl || continue
    part "running $name"
    try perl -e 'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\n";
print $s "{\"command\": \"config-get\"}"; $s->flush; shutdown($s, 1); local $/; my $text = <$s>;
$text =~ s/("(?:password|secret|key)"\s*:\s*)"(?:[^"\\]|\\.)*"/$1"set"/g; print $text, "\n"' "$socket" || return
  done
  return $found
}
)sh",
                    read_kea};

}  // namespace patchlab::lab::guest::servers
