// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What runs inside a Debian guest: POSIX sh and the tools every Debian has. Starting a process costs 50-200 ms under
// emulation, so each script does its work with as few of them as it can, and each is one command for the agent
// (GuestAgent::run_script).
namespace patchlab::lab::guest::scripts {

// $1: a line prefix that starts a section (not found in any log); $2...: the role's services.
// Each section is there. "failed <section>": the guest could not say; "absent <section>": it does not have what would
// say it, which is for the caller to judge: what was never there is not missed, what is gone is.
// Sockets come from /proc: ss asks the kernel for modules that a lean guest does not have, which costs a second.
inline constexpr const char* host_state = R"sh(mark=$1; shift
LC_ALL=C; export LC_ALL
absent() { echo "$mark absent $1"; echo "$2"; }
failed() { echo "$mark failed $1"; echo "$2"; }
has() { command -v "$2" >/dev/null 2>&1 || { absent "$1" "there is no $2"; return 1; }; }
part() {
  part=$1; shift
  has "$part" "$1" || return
  echo "$mark $part"
  "$@" || failed "$part" "$1 ended with $?"
}
lines_of() {
  if [ -e "$2" ]; then echo "$mark $1"; else absent "$1" "there is no $2"; return; fi
  { while read -r line; do echo "$line"; done; } <"$2" || failed "$1" "$2 cannot be read"
}
if [ -d /run/systemd/system ]; then
  part units systemctl list-units --type=service --plain --no-legend --no-pager --full
  [ $# = 0 ] || part asked systemctl show --property=LoadState,ActiveState,SubState -- "$@"
  if [ -d /run/log/journal ] || [ -d /var/log/journal ]; then
    part journal journalctl -b -q --no-pager -p err -n 1000 -o short
  else
    absent journal "no journal is kept"
  fi
else
  echo "$mark scripts"
  for name; do
    if [ -x "/etc/init.d/$name" ]; then
      "/etc/init.d/$name" status >/dev/null 2>&1
      echo "$? $name"
    fi
  done
  children=/proc/1/task/1/children
  if [ -e "$children" ]; then
    echo "$mark children"
    { read -r line || [ -n "$line" ]; } <"$children" && echo "$line" || failed children "$children cannot be read"
  else
    absent children "the kernel does not tell"
  fi
fi
part addresses ip -j addr
lines_of routes /proc/net/route
part kernel dmesg -r
part disks df -P -k -l -x tmpfs -x devtmpfs -x iso9660
if has packages apt-get && has packages dpkg; then
  echo "$mark packages"
  apt-get -q -o Debug::NoLocking=true -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists=/nonexistent -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= check 2>&1; echo "apt-get $?"
  dpkg --audit 2>&1; echo "dpkg $?"
fi
lines_of memory /proc/meminfo
set --
for file in /proc/net/tcp6 /proc/net/udp6; do [ -r "$file" ] && set -- "$@" "$file"; done
set -- "$@" -
for file in /var/log/*.log /var/log/*.err /var/log/syslog /var/log/messages /var/log/*/*.log /var/log/*/log.* /var/log/*/error_log; do
  case $file in */dpkg.log|*/alternatives.log|*/bootstrap.log|*/apt/*) continue ;; esac
  [ -s "$file" ] && set -- "$@" "$file"
done
if has processes ls && has processes awk; then
echo "$mark processes"
ls -ln /proc/[0-9]*/exe /proc/[0-9]*/fd 2>/dev/null | awk -v mark="$mark" '
FILENAME ~ /^\/proc\/net\// {
  if (FNR > 1 && $4 == (FILENAME ~ /tcp/ ? "0A" : "07")) { wanted[$10]; print "socket", substr(FILENAME, 11, 3), $2, $10 }
  next
}
FILENAME == "-" || FILENAME == "" || FILENAME == "/dev/stdin" {
  if ($0 ~ /^\/proc\/[0-9]+\/fd:$/) { split($0, part, "/"); pid = part[3] }
  else if ($0 ~ /\/exe -> /) { sub(/^.* \/proc\//, "/proc/"); sub(/ -> /, " "); print "exe", $0 }
  else if (NF && $NF ~ /^socket:/) { inode = substr($NF, 9, length($NF) - 9); if (inode in wanted) print "owner", inode, pid }
  next
}
!logs { logs = 1; print mark, "log" }
/qemu-ga(\[[0-9]+\])?: / { next }
FILENAME ~ /(\.err|\/errors?\.log)$/ ||
/(^|[^A-Za-z])(ERROR|FATAL|PANIC|CRITICAL|EMERG|ALERT|BUG|Oops)([^A-Za-z]|$)/ ||
/(^|[^A-Za-z])([Ee]rror|[Ff]atal|[Pp]anic|[Cc]ritical|emerg|crit|alert|err)[]:]/ || /^[EXAC] \[/ || /^\[[0-9][0-9\/]* [0-9:.]*, *0/ ||
/segfault at|[Ss]egmentation fault|general protection|dumped core|core dumped|[Aa]ssertion.*failed|INSIST|stack smashing/ {
  kind = $0; gsub(/[0-9]+/, "#", kind)
  if (!(kind in seen) && ++kinds <= 2000) { seen[kind]; print substr($0, 1, 500) }
}
END { if (!logs) print mark, "log" }' /proc/net/tcp /proc/net/udp "$@" || failed processes "awk ended with $?"
fi
echo "$mark end"
)sh";

// $1: a line prefix that starts a section. The running kernel and those that are installed, and the files that some
// process still runs in the form that was replaced, each once, with the process' name. grep's exit code tells whether
// it came to its end; 2 is usual: processes end while they are looked at.
inline constexpr const char* in_effect = R"sh(mark=$1
LC_ALL=C; export LC_ALL
line_of() { echo "$mark $1"; { read -r line && echo "$line"; } <"$2" || { echo "$mark failed $1"; echo "$2"; }; }
line_of release /proc/sys/kernel/osrelease
line_of version /proc/sys/kernel/version
echo "$mark kernels"
for file in /boot/vmlinuz-*; do [ -e "$file" ] && echo "${file#/boot/vmlinuz-}"; done
echo "$mark replaced"
{ grep -s 'r-xp.* (deleted)$' /proc/[0-9]*/maps; echo "grep $?"; } | awk '
$1 == "grep" && NF == 2 { print; if ($2 == 0 && !lines) print "odd"; next }
$1 !~ /^\/proc\/[0-9]+\/maps:/ { print "odd"; next }
{ ++lines }
$6 ~ /^\/(usr|lib|opt|bin|sbin)/ && !($6 in seen) { seen[$6]; split($1, part, "/"); print "file", part[3], $6 }
' | while read -r kind pid path; do
  name=
  [ "$kind" = grep ] || { read -r name <"/proc/$pid/comm"; } 2>/dev/null
  echo "$kind $pid $path $name"
done
echo "$mark end"
)sh";

inline constexpr const char* installed_format =
    "${Package}:${Architecture}\t${Version}\t${db:Status-Eflag}\t${db:Status-Status}\n";

// Ends with 0 when a restart is due, 1 when not, more when that cannot be seen. A kernel counts only in a guest that
// boots its own; a library only when a process still runs the replaced file.
inline constexpr const char* reboot_required = R"sh([ -e /run/reboot-required ] && exit 0
running=$(uname -r)
if [ -e "/boot/vmlinuz-$running" ]; then
  newest=$(ls /boot/vmlinuz-* | sort -V | tail -n 1)
  [ -n "$newest" ] || exit 3
  [ "$newest" = "/boot/vmlinuz-$running" ] || exit 0
fi
command -v grep >/dev/null || exit 3
grep -qs '\.so.* (deleted)$' /proc/[0-9]*/maps
[ $? = 0 ]
)sh";

// $1: a service. "why <text>": it cannot be stopped and started; "with <service>": runs, and needs it; then "end".
inline constexpr const char* before_cycling = R"sh(LC_ALL=C; export LC_ALL
if [ ! -d /run/systemd/system ]; then
  [ -x "/etc/init.d/$1" ] || echo "why there is no /etc/init.d/$1"
  echo end
  exit 0
fi
state=$(systemctl show --property=LoadState --value -- "$1") || exit 3
[ "$state" = loaded ] || { echo "why systemd has no such service: $state"; echo end; exit 0; }
seen=" $1 $1.service "
queue=$1
while [ -n "$queue" ]; do
  set -- $queue
  unit=$1; shift
  queue=$*
  needed=$(systemctl show --property=RequiredBy --property=BoundBy --property=ConsistsOf --value -- "$unit") || exit 3
  for other in $needed; do
    case $seen in *" $other "*) continue ;; esac
    seen="$seen$other "
    queue="$queue $other"
    case $other in
      *.service) systemctl --quiet is-active -- "$other" && echo "with ${other%.service}" ;;
    esac
  done
done
echo end
)sh";

// $1: a service, $2: stop or start, $3 and $4: seconds and their hundredths that it may take. "code <n>": what the service manager ended with, 124
// or 137 when it was still at work then. A start script returns before its daemon has ended or answers, so its own
// "status" is asked until it says so. What both print goes into a file: a daemon that inherits the agent's pipe would
// hold it for ever.
inline constexpr const char* change_service = R"sh(LC_ALL=C; export LC_ALL
out=$(mktemp) || exit 3
up() { read -r now rest </proc/uptime && echo "$1 $now"; }
hundredths() { read -r now rest </proc/uptime && now=${now%.*}${now#*.}; }
script() { env -i LANG=C PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb timeout -k 5 "$3" "/etc/init.d/$1" "$2"; }
up begin || exit 3
if [ -d /run/systemd/system ]; then
  timeout -k 5 "$3" systemctl "$2" -- "$1" </dev/null >"$out" 2>&1
  echo "code $?"
  systemctl show --property=ActiveState --property=SubState -- "$1" || exit 3
else
  hundredths || exit 3
  last=$((now + $4))
  script "$1" "$2" "$3" </dev/null >"$out" 2>&1
  echo "code $?"
  while :; do
    script "$1" status 10 </dev/null >/dev/null 2>&1
    status=$?
    case $2$status in
      stop0|start[!0]*) ;;
      *) break ;;
    esac
    hundredths || exit 3
    [ "$now" -lt "$last" ] || break
    sleep 0.1
  done
  echo "status $status"
fi
up end || exit 3
echo said
head -c 2000 "$out"
rm -f "$out"
)sh";

// sysvinit guests that are not stand-ins: start-up is over when the script that runs the start scripts is gone.
inline constexpr const char* sysvinit_complete = R"sh(command -v pidof >/dev/null || exit 127
pidof -x rc >/dev/null || pidof -x rcS >/dev/null && exit 1
exit 0
)sh";

// $1: section prefix. The whole answer stays below the agent's 1 MiB after base64. What the agent itself logs about the
// laboratory's commands is left out. tail names each file ("==> /var/log/syslog <=="), in the section "logs".
inline constexpr const char* evidence = R"sh(mark=$1
{
  echo "$mark processes"; ps axo pid,ppid,user,stat,etime,args
  echo "$mark addresses"; ip addr; ip route
  echo "$mark storage"; df -h; free -m
  echo "$mark kernel"; dmesg | tail -n 200
  if [ -d /run/systemd/system ]; then
    echo "$mark failed-units"; systemctl --failed --no-pager
    echo "$mark journal"; journalctl -b -q --no-pager -n 500
  fi
  echo "$mark dpkg-audit"; dpkg --audit
  set --
  for file in /var/log/*.log /var/log/*.err /var/log/syslog /var/log/*/*.log /var/log/*/log.* /var/log/*/error_log; do
    [ -s "$file" ] && set -- "$@" "$file"
  done
  echo "$mark logs"; [ $# = 0 ] || tail -v -c 30000 "$@" | grep -v 'qemu-ga.*info: guest-'
} 2>&1 | head -c 650000
)sh";

}  // namespace patchlab::lab::guest::scripts
