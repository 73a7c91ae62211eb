# shellcheck shell=sh
# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
# What the stand-in tools share; sourced.
set -u
store=/var/lib/patchlab-windows
[ -e /run/patchlab-windows ] || { echo 'the system is still starting' >&2; exit 1; }

# The end of a tool. Exit codes of Windows have 32 bits; the program in the prefix reads them from descriptor 3.
end() {
	{ printf '%d' "$1" >&3; } 2> /dev/null
	exit $(($1 & 255))
}

# Into `image`: programs of services are called here otherwise than on Windows.
name_image() {
	case $1 in
	named) image=dns.exe ;;
	*.exe) image=$1 ;;
	*) image=$1.exe ;;
	esac
}
