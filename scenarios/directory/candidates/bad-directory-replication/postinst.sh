# A controller that begins with these settings neither tells the other one what has changed nor asks by itself before the next day. While one
# of two still runs with the old ones, it asks, and it tells: changes arrive both ways. After the restart of both nothing does.
if [ "$1" = configure ] && [ -f /etc/samba/smb.conf ]; then
	sed -i '/dreplsrv:/d' /etc/samba/smb.conf
	for key in notify_interval periodic_startup_interval periodic_interval; do
		sed -i "/^\[global\]/a\\	dreplsrv:$key = 86400" /etc/samba/smb.conf
	done
fi
