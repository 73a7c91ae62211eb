// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_view.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>

#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/debian_parse.hpp"

namespace patchlab::lab::guest::debian {

// Names come as find(1) says them, between NULs: "f 644 0 0 120 <modified> <changed> <device>:<inode> /path", then the
// target of a link. Rows "x <attribute> <hexadecimal> /path" come from perl-base, which every Debian has, by the
// numbers of llistxattr(2) and lgetxattr(2): getcap and getfacl are not everywhere. Nothing here loads a module of the
// kernel that was not loaded. Of /etc/shadow, words leave the guest, never what stands there.
const char* const view_script = R"sh(mark=$1; want=$2; shift 2
LC_ALL=C; export LC_ALL
view=/run/patchlab-view
begun=$(date +%s)
absent() { echo "$mark absent $1"; echo "$2"; }
failed() { echo "$mark failed $1"; echo "$2"; }
has() { command -v "$2" >/dev/null 2>&1 || { absent "$1" "there is no $2"; return 1; }; }
lines_of() {
  if [ -e "$2" ]; then echo "$mark $1"; else absent "$1" "there is no $2"; return; fi
  { while read -r line; do echo "$line"; done; } <"$2" || failed "$1" "$2 cannot be read"
}
attributes() {
  case $(uname -m) in x86_64) numbers="195 192" ;; aarch64) numbers="12 9" ;; *) numbers= ;; esac
  if command -v perl >/dev/null 2>&1 && [ "$numbers" ]; then
    perl -e '
my ($list, $get) = @ARGV; $/ = "\0"; $| = 0; my $unknown = 0;
while (defined(my $row = <STDIN>)) {
  my $target = <STDIN>; print $row, defined($target) ? $target : "";
  next if $row !~ /^[fd] (?:[^ ]+ ){7}(.*)\0\z/s;
  my $path = $1; my $names = "\0" x 4096; my $n = syscall($list + 0, $path, $names, 4096);
  if ($n < 0) { $unknown = 1 if $! == 38; next }
  for my $name (split /\0/, substr($names, 0, $n)) {
    next if $name !~ /^(security\.capability|system\.posix_acl_access|system\.posix_acl_default)\z/;
    my $value = "\0" x 4096; my $asked = $name; my $size = syscall($get + 0, $path, $asked, $value, 4096);
    print "x $name ", ($size < 0 ? "unreadable" : unpack("H*", substr($value, 0, $size))), " $path\0\0";
  }
}
print "x none none \0\0" if !$unknown;' $numbers
  else
    cat
  fi
}
look() {
  echo "$mark files"
  saved=$*
  set -- /
  while read -r device point type rest; do
    case $device in /dev/*) ;; *) continue ;; esac
    case $type in iso9660|udf|squashfs|devtmpfs) continue ;; esac
    [ "$point" = / ] || set -- "$@" "$(printf '%b' "$point")"
  done </proc/mounts
  { find "$@" -xdev -ignore_readdir_race -printf '%y %m %U %G %s %T@ %C@ %D:%i %p\0%l\0'; printf 'end %s\0\0' $?; } | attributes
  echo
  set -- $saved
  echo "$mark accounts"
  files=/etc/passwd; [ -e /etc/shadow ] && files="$files /etc/shadow"; [ -e /etc/group ] && files="$files /etc/group"
  awk -F: '
function word(p) { return p == "" ? "none" : p ~ /^[!*]/ ? "locked" : "set" }
FILENAME == "/etc/passwd" && NF >= 7 { print "user:" $1 ":" ($2 == "x" ? "shadow" : word($2)) ":" $3 ":" $4 ":" $6 ":" $7 }
FILENAME == "/etc/shadow" && NF >= 3 { print "word:" $1 ":" word($2) ":" $3 }
FILENAME == "/etc/group" && NF >= 4 { print "group:" $1 ":" $3 ":" $4 }' $files || failed accounts "awk ended with $?"
  lines_of module /proc/modules
  lines_of mount /proc/mounts
  lines_of route /proc/net/route
  has sysctl sysctl && { echo "$mark sysctl"; sysctl -a 2>/dev/null; }
  has clock date && { echo "$mark clock"; date "+%s %z %Z $begun" || failed clock "date ended with $?"; }
  # 2: there are none.
  has names getent && { echo "$mark names"; getent services || [ $? -eq 2 ] || failed names "getent ended with $?"; }
  if [ -e /sys/module/nf_tables ] || [ -e /proc/net/ip_tables_names ]; then
    if command -v nft >/dev/null 2>&1 && [ -e /sys/module/nf_tables ]; then
      echo "$mark firewall"; nft list ruleset 2>&1 || failed firewall "nft ended with $?"
    elif command -v iptables-save >/dev/null 2>&1; then
      echo "$mark firewall"; iptables-save 2>&1 || failed firewall "iptables-save ended with $?"
    else
      absent firewall "there is neither nft nor iptables-save"
    fi
  else
    echo "$mark firewall"; echo "no rules"
  fi
  if [ -d /run/systemd/system ]; then
    echo "$mark unit"
    systemctl list-unit-files --plain --no-legend --no-pager || failed unit "systemctl ended with $?"
  fi
  if [ "$want" = all ]; then
    set -- /etc
    for folder in /usr/local /root /var/spool/cron /var/lib/bind /usr/lib/systemd /home/*/.ssh; do
      [ -d "$folder" ] && [ ! -L "$folder" ] && set -- "$@" "$folder"
    done
    echo "$mark digests"
    find "$@" -xdev -ignore_readdir_race -type f -size -2049 -exec sha256sum {} + || failed digests "find ended with $?"
    echo "$mark texts"
    find "$@" -xdev -ignore_readdir_race -type f -size -129 \( -perm -o=r -o -path '/etc/sudoers*' -o -path '/var/spool/cron/*' \) \
      ! -path '/etc/ssl/certs/*' -exec grep -HIZs '' {} + || :
    echo "$mark owned"
    packages=$saved; set --
    for package in $packages; do
      for file in "/var/lib/dpkg/info/$package.list" "/var/lib/dpkg/info/$package":*.list; do
        [ -e "$file" ] && set -- "$@" "$file"
      done
    done
    [ $# = 0 ] || grep -HZ '' "$@" || failed owned "grep ended with $?"
  fi
  echo "$mark end"
}
command -v gzip >/dev/null 2>&1 && pack='gzip -1' || pack=cat
look "$@" | $pack >$view || exit 1
if [ "$(wc -c <$view)" -gt 600000 ]; then echo "file $view"; else cat $view; rm -f $view; fi
)sh";

namespace {

std::string with_paths(const char* command, const std::vector<std::string>& paths, const std::string& mark) {
  std::string text = fmt::format("LC_ALL=C; export LC_ALL\ntr '\\n' '\\0' <<'{0}' | {1}\n", mark, command);
  for (const auto& path : paths) text += path + '\n';
  return text + fmt::format("{0}\necho\necho '{0} end'\n", mark);
}

template <class Number>
std::optional<Number> number_of(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return bad == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

Error not_understood(const char* what, std::string_view row) {
  return guest_error(fmt::format("what the guest says of its {} is not understood: '{}'", what,
                                 to_valid_utf8(std::string(row.substr(0, 200)))));
}

// "f 644 0 0 120 1.5 2.5 fe00:12 /path": eight words, then the path, which may hold blanks.
Result<void> add_file(std::string_view row, std::string_view target, GuestFiles& files) {
  std::array<std::string_view, 8> words;
  auto rest = row;
  for (auto& word : words) {
    const auto blank = rest.find(' ');
    if (blank == std::string_view::npos) return not_understood("files", row);
    word = rest.substr(0, blank);
    rest.remove_prefix(blank + 1);
  }
  const auto mode = number_of<unsigned int>(words[1], 8);
  const auto user = number_of<std::uint32_t>(words[2]);
  const auto group = number_of<std::uint32_t>(words[3]);
  const auto bytes = number_of<std::uint64_t>(words[4]);
  if (words[0].size() != 1 || !mode || !user || !group || !bytes || !rest.starts_with('/'))
    return not_understood("files", row);
  files[std::string(rest)] = {.kind = words[0][0],
                              .mode = *mode,
                              .user = *user,
                              .group = *group,
                              .bytes = *bytes,
                              .modified = std::string(words[5]),
                              .changed = std::string(words[6]),
                              .inode = std::string(words[7]),
                              .target = std::string(target),
                              .attributes = {}};
  return {};
}

// "x security.capability 0100... /path"
Result<void> add_attribute(std::string_view row, GuestFiles& files, bool& attributes_seen) {
  const auto name = row.find(' ', 2);
  const auto value = name == std::string_view::npos ? name : row.find(' ', name + 1);
  if (value == std::string_view::npos) return not_understood("files", row);
  const auto path = row.substr(value + 1);
  if (path.empty()) {
    attributes_seen = true;
    return {};
  }
  const auto found = files.find(std::string(path));
  if (found == files.end()) return not_understood("files", row);
  found->second.attributes[std::string(row.substr(2, name - 2))] = std::string(row.substr(name + 1, value - name - 1));
  return {};
}

Result<void> read_files(std::string_view text, GuestView& view) {
  bool ended = false;
  bool attributes_seen = false;
  while (text.find('\0') != std::string_view::npos) {
    const auto end = text.find('\0');
    const auto row = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto target_end = text.find('\0');
    if (target_end == std::string_view::npos) return not_understood("files", row);
    const auto target = text.substr(0, target_end);
    text.remove_prefix(target_end + 1);
    if (row.starts_with("x ")) {
      PATCHLAB_TRY(add_attribute(row, view.files, attributes_seen));
    } else if (row.starts_with("end ")) {
      if (row != "end 0") return guest_error(fmt::format("the guest could not list its files: find: {}", row));
      ended = true;
    } else {
      PATCHLAB_TRY(add_file(row, target, view.files));
    }
  }
  if (!ended) return not_understood("files", text);
  if (!view.files.contains("/") || !view.files.contains("/etc"))
    return guest_error("the guest's list of files holds neither / nor /etc");
  if (!attributes_seen) view.state.absent_sources["attributes"] = "there is no perl that could read them";
  return {};
}

template <class Function>
void for_lines(std::string_view text, Function function) {
  for (const auto line : split(text, '\n')) {
    if (!line.empty()) function(line);
  }
}

bool cannot_log_in(std::string_view shell) {
  return shell.ends_with("/nologin") || shell.ends_with("/false") || shell.ends_with("/sync");
}

Result<void> read_accounts(std::string_view text, GuestView& view) {
  std::map<std::string, std::pair<std::string, std::string>> words;  // of /etc/shadow: state, day
  std::string odd;
  for_lines(text, [&](auto line) {
    const auto parts = split(line, ':');
    if (parts[0] == "word" && parts.size() == 4)
      words[std::string(parts[1])] = {std::string(parts[2]), std::string(parts[3])};
  });
  for_lines(text, [&](auto line) {
    const auto parts = split(line, ':');
    if (parts[0] == "user" && parts.size() == 7) {
      const std::string name(parts[1]);
      const auto uid = number_of<std::uint32_t>(parts[3]).value_or(0);
      auto state = std::string(parts[2]);
      std::string day;
      if (state == "shadow") {
        const auto word = words.find(name);
        state = word == words.end() ? "locked" : word->second.first;
        if (word != words.end() && state == "set") day = fmt::format(" on day {}", word->second.second);
      }
      view.users.try_emplace(uid, name);
      // adduser(8): below 1000 are those of the system, and not those of people.
      view.state.rows["account"][name] =
          fmt::format("uid {}, gid {}, {}, {} ({}), password {}{}, home {}", parts[3], parts[4],
                      uid == 0     ? "all rights"
                      : uid < 1000 ? "system account"
                                   : "person",
                      cannot_log_in(parts[6]) ? "cannot log in" : "can log in", parts[6].empty() ? "/bin/sh" : parts[6],
                      state, day, parts[5]);
    } else if (parts[0] == "group" && parts.size() == 4) {
      view.groups.try_emplace(number_of<std::uint32_t>(parts[2]).value_or(0), parts[1]);
      auto members = split(parts[3], ',');
      std::ranges::sort(members);
      std::string text_of_members;
      for (const auto member : members)
        text_of_members += fmt::format("{}{}", text_of_members.empty() ? "" : ",", member);
      view.state.rows["group"][std::string(parts[1])] = fmt::format("gid {}, members: {}", parts[2], text_of_members);
    } else if (parts[0] != "word") {
      odd = line;
    }
  });
  if (!odd.empty()) return not_understood("accounts", odd);
  if (!view.state.rows["account"].contains("root")) return guest_error("the guest's accounts do not hold root");
  return {};
}

// Which of those that are there is chance, or the laboratory's own doing: its medium is a CD.
bool is_counted_module(std::string_view name) {
  constexpr std::array<std::string_view, 6> of_the_lab{"isofs", "udf", "cdrom", "sr_mod", "nls_utf8", "crc_itu_t"};
  return std::ranges::count(of_the_lab, name) == 0;
}

// "isofs 53248 0 - Live 0xffffffffc02d1000"; a kernel may have none.
Result<void> read_modules(std::string_view text, GuestView& view) {
  auto& rows = view.state.rows["module"];
  std::string odd;
  for_lines(text, [&](auto line) {
    const auto words = split(line, ' ');
    if (words.size() < 6 || !number_of<std::uint64_t>(words[1])) odd = line;
    if (is_counted_module(words[0])) rows[std::string(words[0])] = "loaded";
  });
  return odd.empty() ? Result<void>() : Result<void>(not_understood("modules", odd));
}

// Of which every line has to be one that the asked program prints.
Result<void> proves_lines(const char* what, std::string_view text, bool (*is_one)(std::string_view)) {
  std::string odd;
  for_lines(text, [&](auto line) {
    if (!is_one(line)) odd = line;
  });
  return odd.empty() ? Result<void>() : Result<void>(not_understood(what, odd));
}
bool is_digest_line(std::string_view line) {
  if (line.starts_with('\\')) line.remove_prefix(1);
  return line.size() > 66 && line.substr(64, 2) == "  ";
}
bool is_named_line(std::string_view line) { return line.starts_with('/') && line.find('\0') != std::string_view::npos; }

void read_mounts(std::string_view text, GuestView& view) {
  auto& rows = view.state.rows["mount"];
  for_lines(text, [&](auto line) {
    const auto words = split(line, ' ');
    if (words.size() < 4) return;
    constexpr std::array<std::string_view, 8> by_need{"autofs",     "binfmt_misc", "tracefs",    "debugfs",
                                                      "rpc_pipefs", "iso9660",     "fuse.gvfsd", "nsfs"};
    if (std::ranges::count(by_need, words[2]) > 0 || words[1].starts_with("/run/user/")) return;
    std::string options;
    for (const auto option : split(words[3], ',')) {
      // They follow from the memory that the machine happens to have.
      if (option.starts_with("size=") || option.starts_with("nr_inodes=") || option.starts_with("nr_blocks=")) continue;
      options += fmt::format("{}{}", options.empty() ? "" : ",", option);
    }
    rows[std::string(words[1])] = fmt::format("{} {} {}", words[0], words[2], options);
  });
}

// Default routes are among the addresses of every phase.
void read_routes(std::string_view text, GuestView& view) {
  const auto address = [](std::string_view hex) { return dotted(std::string(hex)); };
  auto& rows = view.state.rows["route"];
  for_lines(text, [&](auto line) {
    const auto words = split(line, '\t');
    if (words.size() < 8 || words[0] == "Iface" || words[1] == "00000000") return;
    rows[fmt::format("{} mask {} {}", address(words[1]), address(words[7]), words[0])] =
        words[2] == "00000000" ? std::string("direct") : "via " + address(words[2]);
  });
}

// Counters and what is drawn anew at every start; others that move by themselves are learnt from a control.
bool is_setting(std::string_view name) {
  for (const std::string_view counter : {"kernel.random.",
                                         "fs.dentry-state",
                                         "fs.inode-",
                                         "fs.file-nr",
                                         "fs.quota.",
                                         "fs.aio-nr",
                                         "kernel.ns_last_pid",
                                         "kernel.pty.nr",
                                         "kernel.perf_",
                                         "kernel.oops_count",
                                         "kernel.warn_count",
                                         "kernel.hung_task_detect_count",
                                         "kernel.sched_domain",
                                         "net.netfilter.nf_conntrack_count",
                                         "kernel.tainted",
                                         "vm.stat",
                                         "fs.epoll.max_user_watches",
                                         "fs.inotify.",
                                         "fs.fanotify.",
                                         "user.max_",
                                         "kernel.threads-max",
                                         "fs.file-max",
                                         "net.ipv4.tcp_fastopen_key",
                                         "sunrpc.",
                                         "net.ipv4.tcp_mem",
                                         "net.ipv4.udp_mem",
                                         "vm.user_reserve_kbytes",
                                         "vm.min_free_kbytes",
                                         "vm.admin_reserve_kbytes",
                                         "kernel.keys.",
                                         "net.ipv6.conf.all.stable_secret"}) {
    if (name.starts_with(counter)) return false;
  }
  return true;
}

Result<void> read_sysctl(std::string_view text, GuestView& view) {
  auto& rows = view.state.rows["sysctl"];
  for_lines(text, [&](auto line) {
    const auto equals = line.find(" =");
    if (equals == std::string_view::npos || line.find_first_not_of(' ') != 0) return;
    auto value = line.substr(equals + 2);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (is_setting(line.substr(0, equals))) rows[std::string(line.substr(0, equals))] = std::string(value);
  });
  if (!rows.contains("kernel.ostype")) return not_understood("kernel's settings", text);
  return {};
}

// A machine that stood still while others worked is behind for as long; no trial goes on for that long.
constexpr std::chrono::minutes most_ahead{2};
constexpr std::chrono::hours most_behind{6};

// A guest that measured its counter while its host was too busy counts seconds too fast, and so does everything in it
// that has a deadline. None of that is anything a patch did.
bool runs_fast(std::chrono::seconds in_guest, std::chrono::system_clock::duration here) {
  return in_guest > here + here / 2 + std::chrono::seconds(2);
}

Result<void> read_clock(std::string_view text, const HostTime& host, GuestView& view) {
  const auto words = split(text.substr(0, text.find('\n')), ' ');
  const auto seconds = number_of<std::int64_t>(words[0]);
  const auto begun = words.size() == 4 ? number_of<std::int64_t>(words[3]) : std::nullopt;
  if (!seconds || !begun) return not_understood("clock", text);
  if (const std::chrono::seconds in_guest(*seconds - *begun); runs_fast(in_guest, host.after - host.before)) {
    return guest_error(fmt::format("the guest's clock is too fast: {} s passed there while {:.1f} s passed here",
                                   in_guest.count(), std::chrono::duration<double>(host.after - host.before).count()),
                       "nothing that the machine did can be judged by time; its kernel measured a busy processor");
  }
  const std::chrono::system_clock::time_point now{std::chrono::seconds(*seconds)};
  const auto minutes = [](auto duration) { return std::chrono::duration_cast<std::chrono::minutes>(duration).count(); };
  auto& time = view.state.rows["clock"]["time"];
  time = "right";
  if (now > host.after + most_ahead) time = fmt::format("{} minutes ahead", minutes(now - host.after));
  if (now < host.before - most_behind) time = fmt::format("{} minutes behind", minutes(host.before - now));
  view.state.rows["time zone"]["local"] = fmt::format("{} {}", words[2], words[1]);
  return {};
}

// "domain  53/udp alias": by which port programs find what they know by its name (getent(1), services(5)).
Result<void> read_port_names(std::string_view text, GuestView& view) {
  auto& rows = view.state.rows["port name"];
  bool understood = true;
  for_lines(text, [&](std::string_view line) {
    std::istringstream words{std::string(line)};
    std::string name, where;
    words >> name >> where;
    const auto slash = where.find('/');
    if (slash == std::string::npos || !number_of<std::uint16_t>(where.substr(0, slash))) {
      understood = false;
      return;
    }
    // Of two the first is found.
    do rows.try_emplace(name + where.substr(slash), where.substr(0, slash));
    while (words >> name);
  });
  return understood ? Result<void>() : Result<void>(not_understood("names of ports", text));
}

// "counter packets 12 bytes 800", "[12:800]"
std::string without_counters(std::string_view text) {
  std::string plain;
  for_lines(text, [&](std::string_view line) {
    if (line.starts_with('#')) return;
    std::string kept;
    bool is_count = false;
    for (const auto word : split(line, ' ')) {
      if (std::exchange(is_count, false)) continue;
      if (word.starts_with('[') && word.ends_with(']') && word.find(':') != std::string_view::npos) continue;
      is_count = word == "packets" || word == "bytes";
      if (!is_count) kept += fmt::format("{}{}", kept.empty() ? "" : " ", word);
    }
    plain += kept + '\n';
  });
  return plain;
}

Result<void> read_units(std::string_view text, GuestView& view) {
  auto& rows = view.state.rows["unit"];
  for_lines(text, [&](auto line) {
    std::istringstream words{std::string(line)};
    std::string name, state;
    words >> name >> state;
    if (state.starts_with("enabled") || state.starts_with("disabled") || state.starts_with("masked"))
      rows[name] = state;
  });
  return rows.empty() ? Result<void>(not_understood("units", text)) : Result<void>();
}

// What a guest need not have the means to tell.
bool is_optional(const std::string& section) {
  constexpr std::array<std::string_view, 8> sections{"module", "mount", "route",    "sysctl",
                                                     "clock",  "names", "firewall", "unit"};
  return std::ranges::count(sections, std::string_view(section)) > 0;
}

std::map<std::string, std::set<std::string>> owned(const std::string& text) {
  std::map<std::string, std::set<std::string>> found;
  for_lines(text, [&](std::string_view line) {
    const auto end = line.find('\0');
    if (end == std::string_view::npos) return;
    auto name = line.substr(0, end);
    name.remove_prefix(name.rfind('/') + 1);
    name = name.substr(0, name.find(name.find(':') == std::string_view::npos ? ".list" : ":"));
    found[std::string(name)].insert(std::string(line.substr(end + 1)));
  });
  return found;
}

}  // namespace

std::string digests_script(const std::vector<std::string>& paths, const std::string& mark) {
  return fmt::format("echo '{} digests'\n", mark) + with_paths("xargs -0 -r sha256sum -- 2>/dev/null", paths, mark);
}

std::string texts_script(const std::vector<std::string>& paths, const std::string& mark) {
  return fmt::format("echo '{} texts'\n", mark) + with_paths("xargs -0 -r grep -HIZs '' --", paths, mark);
}

Result<std::string> unpacked(const std::string& bytes, std::size_t limit) {
  if (!bytes.starts_with("\x1f\x8b")) return bytes;
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return infrastructure_error("zlib has no memory");
  struct Close {
    z_stream& stream;
    ~Close() { inflateEnd(&stream); }
  } const close{stream};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  std::array<char, 1U << 16U> block{};
  for (int status = Z_OK; status != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END)
      return guest_error("the guest's packed answer is damaged or ends early");
    text.append(block.data(), block.size() - stream.avail_out);
    if (text.size() > limit) return guest_error(fmt::format("the guest's answer is longer than {} bytes", limit));
  }
  return text;
}

Result<GuestView> view(const std::map<std::string, std::string>& sections, const HostTime& host, Wanted wanted) {
  if (!sections.contains("end")) return guest_error("the answer ends early");
  GuestView view;
  for (const auto& [name, text] : sections) {
    constexpr std::string_view failed = "failed ";
    constexpr std::string_view absent = "absent ";
    if (name.starts_with(failed)) {
      return guest_error(
          fmt::format("the guest could not list its {}: {}", name.substr(failed.size()), shortened(text, 200)));
    }
    if (name.starts_with(absent) && is_optional(name.substr(absent.size())))
      view.state.absent_sources[name.substr(absent.size())] = text.substr(0, text.find('\n'));
  }
  for (const auto* needed : {"files", "accounts", "module", "mount", "route", "sysctl", "clock", "names", "firewall"}) {
    if (!sections.contains(needed) && !view.state.absent_sources.contains(needed))
      return guest_error(fmt::format("the answer holds no '{}'", needed));
  }
  for (const auto* needed : {"digests", "texts", "owned"}) {
    if (wanted == Wanted::all && !sections.contains(needed))
      return guest_error(fmt::format("the answer holds no '{}'", needed));
  }
  const auto text_of = [&](const char* name) -> const std::string& {
    static const std::string nothing;
    const auto found = sections.find(name);
    return found == sections.end() ? nothing : found->second;
  };
  PATCHLAB_TRY(read_files(text_of("files"), view));
  PATCHLAB_TRY(read_accounts(text_of("accounts"), view));
  if (sections.contains("module")) PATCHLAB_TRY(read_modules(text_of("module"), view));
  if (sections.contains("mount")) read_mounts(text_of("mount"), view);
  if (sections.contains("mount") && !view.state.rows["mount"].contains("/"))
    return not_understood("mounts", text_of("mount"));
  if (sections.contains("route") && !text_of("route").starts_with("Iface"))
    return not_understood("routes", text_of("route"));
  if (sections.contains("route")) read_routes(text_of("route"), view);
  if (sections.contains("sysctl")) PATCHLAB_TRY(read_sysctl(text_of("sysctl"), view));
  if (sections.contains("clock")) PATCHLAB_TRY(read_clock(text_of("clock"), host, view));
  if (sections.contains("names")) PATCHLAB_TRY(read_port_names(text_of("names"), view));
  if (sections.contains("firewall")) view.state.rows["firewall"]["rules"] = without_counters(text_of("firewall"));
  if (sections.contains("unit")) PATCHLAB_TRY(read_units(text_of("unit"), view));
  PATCHLAB_TRY(proves_lines("digests", text_of("digests"), is_digest_line));
  PATCHLAB_TRY(proves_lines("texts", text_of("texts"), is_named_line));
  PATCHLAB_TRY(proves_lines("packages' files", text_of("owned"), is_named_line));
  view.digests = digests(text_of("digests"));
  view.texts = texts(text_of("texts"));
  view.owned = owned(text_of("owned"));
  return view;
}

std::map<std::string, std::string> digests(const std::string& text) {
  std::map<std::string, std::string> found;
  for_lines(text, [&](std::string_view line) {
    const bool escaped = line.starts_with('\\');
    if (escaped) line.remove_prefix(1);
    if (line.size() < 67 || line.substr(64, 2) != "  ") return;
    std::string path;
    const auto name = line.substr(66);
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (escaped && name[i] == '\\' && i + 1 < name.size())
        path += name[++i] == 'n' ? '\n' : name[i] == 'r' ? '\r' : '\\';
      else
        path += name[i];
    }
    found[path] = std::string(line.substr(0, 64));
  });
  return found;
}

std::map<std::string, std::string> texts(const std::string& text) {
  std::map<std::string, std::string> found;
  for (const auto line : split(text, '\n')) {
    const auto end = line.find('\0');
    if (end == std::string_view::npos) continue;
    auto& content = found[std::string(line.substr(0, end))];
    content += line.substr(end + 1);
    content += '\n';
  }
  return found;
}

}  // namespace patchlab::lab::guest::debian
