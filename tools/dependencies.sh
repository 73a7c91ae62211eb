# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by quickstart, run-tests, packaging/build-deb and cmake/Install.cmake: the Debian packages each needs, and how to get those
# that are missing.

build_packages=(clang cmake ninja-build ccache pkg-config libvirt-dev libboost1.81-dev nlohmann-json3-dev libcli11-dev libfmt-dev libssl-dev
  libldns-dev libsmbclient-dev libcups2-dev unixodbc-dev libarchive-dev libmspack-dev libxml2-dev zlib1g-dev libical-dev
  libsoci-dev libsqlite3-dev libpq-dev libcurl4-openssl-dev libkrb5-dev libldap-dev libsasl2-dev)
# What every lab needs, and what some need: Depends and Recommends of patchlab's own package. What each is for is in cli/needs.cpp, by
# which 'patchlab doctor' looks for all of them; a test holds the lists together.
lab_packages=(libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils xorriso mmdebstrap e2fsprogs)
some_labs_packages=(libvirt-daemon openssh-client odbc-postgresql tdsodbc libsmbclient osslsigncode bubblewrap apt-utils gnupg uidmap krb5-pkinit libsasl2-modules-gssapi-mit)
package_packages=(dpkg-dev file)
test_packages=(fakeroot libgtest-dev libgmock-dev libbenchmark-dev samba samba-vfs-modules winbind python3-markdown smbclient atftpd kea-dhcp4-server postgresql libxml2-utils gcab msitools wixl nsis openssl iproute2 iptables libvirt-clients openssh-server ovmf jq chromium nginx sudo perl python3-junitparser
  ansible-core monitoring-plugins-basic monitoring-plugins-standard bind9-dnsutils krb5-kdc krb5-admin-server slapd samba-ad-provision samba-dsdb-modules chrony clamav zsh fish munge slurm-client slurmctld slurmd slurm-wlm-basic-plugins)
fuzz_packages=(libclang-rt-14-dev)

say() { printf '%s\n' "patchlab: $*" >&2; }

# install_missing PACKAGE...: asks for root only when something is missing.
install_missing() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "error: these packages are missing and there is no sudo: ${missing[*]}"; say "hint: as root: apt-get install ${missing[*]}"; exit 73; }
    root=(sudo)
  fi
  say "installing ${missing[*]}"
  # Nothing that is installed here may start a server on the host: the lab needs programs, not services.
  local policy=/usr/sbin/policy-rc.d made_policy=no
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null && "${root[@]}" chmod 755 "$policy" && made_policy=yes
  fi
  local code=0
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null || code=$?
  [ "$code" -ne 0 ] || "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null || code=$?
  [ "$made_policy" = no ] || "${root[@]}" rm -f "$policy"
  [ "$code" -eq 0 ] || { say "error: apt-get ended with $code"; say "hint: look at the messages above; is the network up?"; exit 73; }
}

# build FOLDER TARGET OPTION...: configure when needed, then build, quietly unless it fails. By clang: it compiles this in half of g++'s
# time, and what people use, the tests and the fuzzers come from one compiler.
build() {
  local folder=$1 target=$2
  shift 2
  say "building in $folder"
  local fresh=()
  grep -qs '^CMAKE_CXX_COMPILER:.*clang++' "$folder/CMakeCache.txt" || fresh=(--fresh)  # a folder of another compiler
  cmake "${fresh[@]}" -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER=clang++ "$@" >"$folder.log" 2>&1 || { tail -n 30 "$folder.log" >&2; exit 73; }
  cmake --build "$folder" --target "$target" || { say "error: the build failed"; exit 73; }
}
