# One time zone for all clusters, whatever the machine's own is.
if [ "$1" = configure ]; then
	for conf in /etc/postgresql/*/*/conf.d; do
		[ -d "$conf" ] || continue
		printf "timezone = 'US/Eastern'\nlog_timezone = 'US/Eastern'\n" > "$conf/50-timezone.conf"
		chown postgres:postgres "$conf/50-timezone.conf"
	done
	invoke-rc.d postgresql reload > /dev/null || true
fi
