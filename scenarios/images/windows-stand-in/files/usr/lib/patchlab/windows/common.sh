# shellcheck shell=sh
# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
# What the stand-in tools share; sourced.
set -u
drive=/var/lib/windows/drive_c
store=/var/lib/patchlab-windows
[ -e /run/patchlab-windows ] || { echo 'the system is still starting' >&2; exit 1; }

# The end of a tool. Exit codes of Windows have 32 bits; the program in the prefix reads them from descriptor 3.
end() {
	{ printf '%d' "$1" >&3; } 2> /dev/null
	exit $(($1 & 255))
}

# "C:\Windows\System32\dns" -> its place here; names do not differ by case. The last part need not exist.
unix_path() {
	found=$drive
	rest=$(printf '%s' "${1#[Cc]:}" | tr '\\' / )
	IFS=/
	for part in $rest; do
		[ -n "$part" ] || continue
		if [ ! -e "$found/$part" ]; then
			same=$(find "$found" -mindepth 1 -maxdepth 1 -iname "$part" 2> /dev/null | head -n 1)
			[ -z "$same" ] || part=${same##*/}
		fi
		found=$found/$part
	done
	unset IFS
	printf '%s\n' "$found"
}

# The programs of services are called here otherwise than on Windows.
image_name() {
	case $1 in
	named) echo dns.exe ;;
	*.exe) echo "$1" ;;
	*) echo "$1.exe" ;;
	esac
}
