# Brings the authentication back end to the default of this release, as if no site ever used another one.
if [ "$1" = configure ] && [ -f /etc/postfix/main.cf ]; then
	postconf -e 'smtpd_sasl_type = cyrus' 'smtpd_sasl_path = smtpd'
fi
