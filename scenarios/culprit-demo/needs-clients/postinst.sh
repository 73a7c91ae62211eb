# Takes effect with the next start, which fails where nothing says who "clients" are: helps-clients does.
if [ "$1" = configure ]; then
	sed -i 's/minimal-responses yes;/minimal-responses yes; allow-query-on { clients; };/' /etc/bind/named.conf.options
fi
