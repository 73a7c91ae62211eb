// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/servers/servers.hpp"

#include <fmt/format.h>

#include "lab/core/json.hpp"
#include "lab/core/text.hpp"

namespace patchlab::lab::guest::servers {
namespace {

// What the collectors' functions have: `part NAME` begins what is said next, `try COMMAND...` adds what a command
// prints and returns 2 or 3 when it fails or does not end, `why TEXT` says why there is no answer. What did not end in
// its time is the server's doing when the guest has a processor to work with, so that a server that stands still is
// seen as that; else nobody knows: `late TEXT` says which.
constexpr const char* beginning = R"sh(mark=$1
LC_ALL=C; export LC_ALL
PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH
umask 077
work=/run/patchlab-servers
rm -rf $work
mkdir -m 711 $work && cd / || exit 1
has() { command -v "$1" >/dev/null 2>&1; }
part() { echo "=$mark $1" >>$work/said; }
why() { echo "$1" >$work/why; }
is_awake() { timeout 5 sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'; }
late() {
  why "$1"
  if is_awake; then return 2; else return 3; fi
}
try() {
  timeout -k 5 60 "$@" >>$work/said 2>$work/why </dev/null
  case $? in 0) return 0 ;; 124|137) late "$1 did not end within 60 s" ;; *) return 2 ;; esac
}
server() {
  : >$work/said; : >$work/why
  "$1"
  case $? in
    0) if [ "$(wc -c <$work/said)" -gt 4000000 ]; then echo "$mark mute $1"; echo "it says too much";
       else echo "$mark said $1"; cat $work/said; echo; fi ;;
    1) ;;
    3) echo "$mark late $1"; head -c 500 $work/why; echo ;;
    4) echo "$mark absent $1"; head -c 500 $work/why; echo ;;
    *) echo "$mark mute $1"; head -c 500 $work/why; echo ;;
  esac
}
)sh";

constexpr const char* ending = R"sh(  echo "$mark end"
}
answer=/run/patchlab-servers.answer
pack=cat
has gzip && pack='gzip -1'
all | $pack >$answer || exit 1
rm -rf $work
if [ "$(wc -c <$answer)" -gt 600000 ]; then echo "file $answer"; else cat $answer; rm -f $answer; fi
)sh";

std::string first_line(std::string_view text) {
  for (const auto line : lines_of(text)) {
    if (!trimmed(line).empty()) return to_valid_utf8(std::string(trimmed(line).substr(0, 200)));
  }
  return "it does not say why";
}

}  // namespace

const std::vector<Collector>& collectors() {
  static const std::vector<Collector> all{bind, cups, dovecot, kea, postfix, postgresql, samba, tls};
  return all;
}

std::string script() {
  std::string text = beginning;
  std::string calls = "all() {\n";
  for (const auto& collector : collectors()) {
    text += collector.script;
    calls += fmt::format("  server {}\n", collector.server);
  }
  return text + calls + ending;
}

Result<HostState> state(const std::map<std::string, std::string>& sections, const std::string& mark,
                        Parts (*parts_of)(const std::string& text, const std::string& mark)) {
  if (!sections.contains("end")) return guest_error("the answer ends early");
  HostState state;
  Rows rows;
  for (const auto& collector : collectors()) {
    const std::string name = collector.server;
    if (const auto late = sections.find("late " + name); late != sections.end())
      return guest_error(fmt::format("'{}' was not asked to the end: {}", name, first_line(late->second)));
    if (const auto absent = sections.find("absent " + name); absent != sections.end())
      state.absent_sources[name] = first_line(absent->second);
    if (const auto mute = sections.find("mute " + name); mute != sections.end())
      rows.add("server", name, "does not answer: " + first_line(mute->second));
    const auto said = sections.find("said " + name);
    if (said == sections.end()) continue;
    rows.add("server", name, "answers");
    PATCHLAB_TRY(collector.read(parts_of(said->second, "=" + mark), rows));
  }
  state.rows = std::move(rows).take();
  return state;
}

}  // namespace patchlab::lab::guest::servers
