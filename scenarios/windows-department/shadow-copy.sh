#!/bin/sh
# Asks a file server for a shadow copy of a share, as a backup from elsewhere does, by MS-FSRVP over SMB with packet privacy.
# Its calls are those of Samba's rpcclient (Debian: smbclient). The server gives the copy up by itself, as nobody says that the
# recovery is complete (MS-FSRVP 3.1.5).
#   shadow-copy.sh SHARE USER PASSWORD DOMAIN
# USER of DOMAIN must be a backup operator or an administrator of the machine; "." is the machine's own.
share=$1 user=$2 password=$3 domain=$4
case $share in *[!A-Za-z0-9._-]*|'') echo "UNKNOWN: '$share' is no plain name of a share"; exit 3 ;; esac
command -v rpcclient >/dev/null || { echo "UNKNOWN: no rpcclient here (apt-get install smbclient)"; exit 3; }
cd "$HOME" && umask 077 || exit 3
[ "$domain" = . ] && domain=
printf 'username = %s\npassword = %s\ndomain = %s\n' "$user" "$password" "$domain" >login || exit 3
printf '[global]\nclient min protocol = SMB2_02\nclient use kerberos = off\n' >client.conf || exit 3
for what in lock state cache pid; do printf '%s directory = %s\n' $what "$HOME" >>client.conf; done
printf 'private dir = %s\n' "$HOME" >>client.conf
# One second is kept to say what was seen.
said=$(timeout $((PATCHLAB_DEADLINE_S > 2 ? PATCHLAB_DEADLINE_S - 1 : 1)) rpcclient -s client.conf -A login -p "${PATCHLAB_PORT:-445}" \
  "ncacn_np:$PATCHLAB_ADDRESS[seal]" -c "fss_is_path_sup $share; fss_create_expose backup ro $share" 2>&1)
end=$?
said=$(printf '%s' "$said" | tr '\n' ' ' | tr -cd '[:print:]')
[ $end = 124 ] && { echo "CRITICAL: a shadow copy of '$share': no answer within the deadline"; exit 2; }
case $said in
  *"exposed as a snapshot"*) echo "OK: '$share' has a shadow copy" ;;
  *) echo "CRITICAL: a shadow copy of '$share': ${said:-rpcclient ended with $end}"; exit 2 ;;
esac
