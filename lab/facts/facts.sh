#!/bin/sh
# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# What this Debian machine is, as JSON lines on standard output: patchlab compares them with the golden machine that
# stands for it (docs/process/likeness.md). It only reads: it writes no file, opens no connection, resolves no name,
# and starts nothing but programs that every Debian has. Contents of files do not leave the machine, only their
# SHA-256. Run it as root, or it says what it may not read:
#
#     ssh root@dns1 sh -s <facts.sh >facts/finance/dns.json
LC_ALL=C; export LC_ALL
PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH

# What is looked at, by whose configuration it is. A row is a word and paths.
places='
bind /etc/bind /etc/default/named
kea /etc/kea /etc/default/kea
isc-dhcp /etc/dhcp /etc/default/isc-dhcp-server
samba /etc/samba /etc/default/samba
cups /etc/cups
postfix /etc/postfix /etc/aliases /etc/mailname
dovecot /etc/dovecot
exim4 /etc/exim4
postgresql /etc/postgresql
mysql /etc/mysql
apache2 /etc/apache2
nginx /etc/nginx
openldap /etc/ldap
krb5 /etc/krb5.conf /etc/krb5kdc
nfs /etc/exports /etc/exports.d /etc/default/nfs-kernel-server
system /etc/hosts /etc/resolv.conf /etc/nsswitch.conf /etc/sysctl.conf /etc/sysctl.d /etc/security/limits.conf /etc/ssh/sshd_config /etc/ssh/sshd_config.d
'
most_files=400 # of one row

# The rule by which two files count as the same although their bytes differ. Lines that are empty or begin with a comment
# are left out, blanks at the end of a line as well. What is each machine's own is replaced by a word: its names and
# addresses ("own", longest first). Of a line that speaks of a secret, the beginning counts.
rule='
function replaced(text, what, mark,   out, at, before, after) {
  out = ""
  while ((at = index(text, what)) > 0) {
    before = at > 1 ? substr(text, at - 1, 1) : substr(out, length(out), 1)
    after = substr(text, at + length(what), 1)
    if (before ~ /[A-Za-z0-9_.-]/ || after ~ /[A-Za-z0-9_-]/) out = out substr(text, 1, at + length(what) - 1)
    else out = out substr(text, 1, at - 1) mark
    text = substr(text, at + length(what))
  }
  return out text
}
BEGIN { words = split(own, word, " ") }
/^[ \t\r]*$/ || /^[ \t]*(#|;|\/\/)/ { next }
/^(StateTime|ConfigTime) / { next }
{
  line = $0
  sub(/[ \t\r]+$/, "", line)
  if (match(tolower(line), /passw|secret|passphrase|private.?key|credential|bindpw/))
    line = substr(line, 1, RSTART + RLENGTH - 1) "<secret>"
  for (i = 1; i <= words; i++) line = replaced(line, word[i], word[i] ~ /[A-Za-z]/ && word[i] !~ /:/ ? "<name>" : "<address>")
  print line
}'

name=$(uname -n)
case $name in ''|*[!A-Za-z0-9._-]*) echo "facts: '$name' is no name of a machine" >&2; exit 1 ;; esac

not_known() { printf '{"not_known":"%s","why":"%s"}\n' "$1" "$2"; }

addresses() {
  if command -v ip >/dev/null 2>&1; then
    ip -o addr | awk '$3 ~ /^inet6?$/ { sub(/\/.*/, "", $4); print $4 }'
  else
    hostname -I 2>/dev/null | tr ' ' '\n'
  fi | awk 'NF && $1 !~ /^127\./ && $1 != "::1"'
}

# Full names, and the first label where it is no plain word: "mail" stands in too many files and means something else.
own_words() {
  echo "$name"
  awk -v own="$1 127.0.1.1" '
BEGIN { n = split(own, part, " "); for (i = 1; i <= n; i++) mine[part[i]] = 1 }
$1 in mine { for (i = 2; i <= NF && $i !~ /^#/; i++) print $i }' /etc/hosts 2>/dev/null
}

release() {
  awk -F= '($1 == "ID" || $1 == "VERSION_ID") && $2 != "" {
  gsub(/["\\]/, "", $2); printf "{\"release\":\"%s\",\"value\":\"%s\"}\n", $1 == "ID" ? "system" : "version", $2 }' /etc/os-release
  awk 'NR == 1 && $1 ~ /^[A-Za-z0-9.\/-]+$/ { printf "{\"release\":\"point release\",\"value\":\"%s\"}\n", $1 }' /etc/debian_version
  printf '{"release":"kernel","value":"%s"}\n' "$(uname -r)"
  printf '{"release":"architecture","value":"%s"}\n' "$(dpkg --print-architecture)"
}

packages() {
  dpkg-query -W -f='${db:Status-Status} {"package":"${Package}","architecture":"${Architecture}","version":"${Version}"}\n' |
    awk '$1 == "installed" { sub(/^installed /, ""); print; n++ } END { if (!n) exit 1 }' ||
    not_known packages "dpkg-query lists none"
}

# What starts with the machine, by the links that say so: the same whether systemd or init reads them.
services() {
  if [ ! -d /etc/systemd/system ] && [ ! -d /etc/rc2.d ]; then
    not_known services "there is neither /etc/systemd/system nor /etc/rc2.d"
    return
  fi
  for link in /etc/systemd/system/*.wants/*.service /etc/rc2.d/S[0-9][0-9]*; do
    [ -L "$link" ] || continue
    service=${link##*/}
    case $link in /etc/rc2.d/*) service=${service#S[0-9][0-9]} ;; *) service=${service%.service} ;; esac
    case $service in *[!A-Za-z0-9@._:-]*) not_known services "a service has an unusual name"; continue ;; esac
    printf '{"service":"%s"}\n' "$service"
  done | sort -u
}

# Who listens where, but for ports that the system gives to anybody for a while. An address of the machine is "own".
ports() {
  set --
  for file in tcp tcp6 udp udp6; do [ -r "/proc/net/$file" ] && set -- "$@" "/proc/net/$file"; done
  [ $# != 0 ] || { not_known ports "/proc/net cannot be read"; return; }
  read -r first last </proc/sys/net/ipv4/ip_local_port_range || { first=32768; last=60999; }
  awk -v first="$first" -v last="$last" '
function number(text,   i, value) {
  value = 0
  for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789ABCDEF", substr(text, i, 1)) - 1
  return value
}
FNR == 1 { protocol = FILENAME ~ /tcp/ ? "tcp" : "udp"; next }
$4 == (protocol == "tcp" ? "0A" : "07") {
  split($2, part, ":")
  port = number(part[2])
  if (port == 0 || (port >= first && port <= last)) next
  scope = part[1] ~ /^0+$/ ? "any" : part[1] ~ /(^|0000FFFF0000)......7F$/ || part[1] ~ /^0+01000000$/ ? "loopback" : "own"
  if (!((protocol, port, scope) in seen)) printf "{\"port\":%d,\"protocol\":\"%s\",\"scope\":\"%s\"}\n", port, protocol, scope
  seen[protocol, port, scope]
}' "$@"
}

newline='
'
# $1: whose; then paths that are there. Of files that not everybody may read, the bytes are not digested as they are.
configuration_of() {
  of=$1; shift
  bytes=$newline$(find -H "$@" -xdev -type f -size -2049 -perm -o=r -exec sha256sum {} + 2>/dev/null)$newline
  large=$(find -H "$@" -xdev -type f -size +2048 2>/dev/null | head -n 1)
  [ -z "$large" ] || not_known configuration "a file of $of is larger than 1 MiB"
  count=0
  find -H "$@" -xdev \( -type f -size -2049 -o -type l \) 2>/dev/null | sort | while IFS= read -r file; do
    case ${file##*/} in *.dpkg-*|*.ucf-*|*~|*.bak|*.O|subscriptions.conf) continue ;; esac
    case $file in *[!A-Za-z0-9/._@%+=:,~\ -]*) not_known configuration "a file of $of has an unusual name"; continue ;; esac
    count=$((count + 1))
    [ $count -le $most_files ] || { not_known configuration "there are more than $most_files files of $of"; break; }
    case ${file##*/} in
      *key*|*.pem|*.p12|*.pfx|*shadow*|*passw*|*secret*|*.tdb|*.ldb|*.crt)
        printf '{"file":"%s","of":"%s","not_read":"by its name it may hold a key, a certificate or a secret"}\n' "$file" "$of"
        continue ;;
      *.db)
        printf '{"file":"%s","of":"%s","not_read":"is made from another file"}\n' "$file" "$of"
        continue ;;
    esac
    case " $* " in
      *" $file "*) ;; # what is named above is read, wherever it leads
      *)
        if [ -L "$file" ]; then
          compared=$(readlink "$file" | sha256sum)
          printf '{"file":"%s","of":"%s","sha256":"","compared":"%s"}\n' "$file" "$of" "${compared%% *}"
          continue
        fi ;;
    esac
    [ -r "$file" ] || { not_known configuration "$file may not be read"; continue; }
    compared=$(awk -v own="$own" "$rule" "$file" | sha256sum)
    case $bytes in
      *"  $file$newline"*) before=${bytes%%"  $file$newline"*}; before=${before##*"$newline"} ;;
      *) before= ;;
    esac
    printf '{"file":"%s","of":"%s","sha256":"%s","compared":"%s"}\n' "$file" "$of" "$before" "${compared%% *}"
  done
}
configuration() {
  # Who may not look into a folder sees no file of it, and would not know.
  [ "$(id -u)" = 0 ] || { not_known configuration "the script was not run as root"; return; }
  own_addresses=$(addresses)
  own=$(
    { own_words "$(echo "$own_addresses" | tr '\n' ' ')"; echo "$own_addresses"; } |
      awk 'NF && $1 != "localhost" && (/[.:0-9-]/) && !($1 in seen) { seen[$1]; print length($1), $1 }' | sort -rn | awk '{ print $2 }' | tr '\n' ' '
  )
  echo "$places" | while read -r of paths; do
    set --
    for path in $paths; do [ -e "$path" ] && set -- "$@" "$path"; done
    [ $# = 0 ] || configuration_of "$of" "$@"
  done
}

# The last line says that nothing was cut off.
{
  printf '{"schema":"patchlab/facts/v1","family":"debian","machine":"%s","observed":"%s"}\n' "$name" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  release
  packages
  services
  ports
  configuration
  echo done
} | awk '$0 == "done" { printf "{\"end\":%d}\n", NR - 1; next } { print }'
