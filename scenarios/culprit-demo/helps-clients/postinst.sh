# Harmless, and needless alone.
if [ "$1" = configure ] && ! grep -q 'acl clients' /etc/bind/named.conf.options; then
	sed -i '1i acl clients { any; };' /etc/bind/named.conf.options
fi
