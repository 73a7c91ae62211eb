# Harmless as well. With pair-zone-a there are two zones of one name, which no name server starts with.
if [ "$1" = configure ] && ! grep -q home.arpa /etc/bind/named.conf.default-zones; then
	echo 'zone "home.arpa" { type primary; file "/etc/bind/db.empty"; };' >> /etc/bind/named.conf.default-zones
	invoke-rc.d named reload > /dev/null || true
fi
