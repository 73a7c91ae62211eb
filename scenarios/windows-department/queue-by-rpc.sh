#!/bin/sh
# Opens a shared queue as a Windows client does, by MS-RPRN over SMB, with packet integrity or with packet privacy
# (MS-RPCE 2.2.1.1.8). Its calls are those of Samba's rpcclient (Debian: smbclient).
#   queue-by-rpc.sh QUEUE USER PASSWORD DOMAIN integrity|privacy
# USER of DOMAIN; "." is the machine's own.
queue=$1 user=$2 password=$3 domain=$4 level=$5
case $level in
  integrity) protection=sign ;;
  privacy) protection=seal ;;
  *) echo "UNKNOWN: '$level' is neither integrity nor privacy"; exit 3 ;;
esac
case $queue in *[!A-Za-z0-9._-]*|'') echo "UNKNOWN: '$queue' is no plain name of a queue"; exit 3 ;; esac
command -v rpcclient >/dev/null || { echo "UNKNOWN: no rpcclient here (apt-get install smbclient)"; exit 3; }
cd "$HOME" && umask 077 || exit 3
[ "$domain" = . ] && domain=
printf 'username = %s\npassword = %s\ndomain = %s\n' "$user" "$password" "$domain" >login || exit 3
printf '[global]\nclient min protocol = SMB2_02\nclient use kerberos = off\n' >client.conf || exit 3
for what in lock state cache pid; do printf '%s directory = %s\n' $what "$HOME" >>client.conf; done
printf 'private dir = %s\n' "$HOME" >>client.conf
# One second is kept to say what was seen. 0x8 is PRINTER_ACCESS_USE (MS-RPRN 2.2.3.1).
said=$(timeout $((PATCHLAB_DEADLINE_S > 2 ? PATCHLAB_DEADLINE_S - 1 : 1)) rpcclient -s client.conf -A login -p "${PATCHLAB_PORT:-445}" \
  "ncacn_np:$PATCHLAB_ADDRESS[$protection]" -c "openprinter_ex $queue 0x8" 2>&1)
end=$?
said=$(printf '%s' "$said" | tr '\n' ' ' | tr -cd '[:print:]')
[ $end = 124 ] && { echo "CRITICAL: '$queue' with packet $level: no answer within the deadline"; exit 2; }
case $said in
  *"opened successfully"*) echo "OK: '$queue' is opened with packet $level" ;;
  *) echo "CRITICAL: '$queue' with packet $level: ${said:-rpcclient ended with $end}"; exit 2 ;;
esac
