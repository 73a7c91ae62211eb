# The region is told by the first octets, and somebody took the servers' part of it for all of it.
if [ "$1" = configure ]; then
	sed -i 's/allow-query { any; };/allow-query { 10.20.0.0\/27; };/' /etc/bind/named.conf.options
	invoke-rc.d named reload > /dev/null || true
fi
