# RC4 (RFC 4757) is weak, and no client of the last fifteen years needs it; what is older, or was told to use nothing else, does.
if [ "$1" = configure ] && [ -f /etc/samba/smb.conf ]; then
	sed -i '/^\[global\]/a\	kdc supported enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96' /etc/samba/smb.conf
fi
