# 'force group' is discouraged by the hardening guide; sites are expected to use file system permissions instead.
if [ "$1" = configure ]; then
	for conf in /etc/samba/*.conf; do
		[ -f "$conf" ] || continue
		sed -i -E 's/^([[:space:]]*)(force group[[:space:]]*=)/\1# \2/' "$conf"
	done
fi
