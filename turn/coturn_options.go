package turn

// ignored are options that change nothing here, and the reason for that.
var ignored = map[string]string{
	"fingerprint": "", "verbose": "", "Verbose": "", "lt-cred-mech": "", "use-auth-secret": "", "stale-nonce": "",
	"no-multicast-peers": "", "no-cli": "", "simple-log": "", "log-file": "", "syslog": "", "pidfile": "", "new-log-timestamp": "",
	"no-tlsv1": "", "no-tlsv1_1": "", "no-stdout-log": "", "proc-user": "", "proc-group": "", "no-rfc5780": "", "no-stun-backward-compatibility": "",
	"response-origin-only-with-rfc5780": "", "relay-threads": "", "prometheus": "", "no-software-attribute": "", "cipher-list": "",
	"no-dtls": "", "no-loopback-peers": "", "no-tcp-relay": "", "secure-stun": "", "check-origin-consistency": "",
}

// refusedOptions are those that an operator may miss.
var refusedOptions = map[string]string{
	"userdb": "users come from [turn.users] or from signed credentials", "psql-userdb": "users come from [turn.users] or from signed credentials",
	"mysql-userdb": "users come from [turn.users] or from signed credentials", "mongo-userdb": "users come from [turn.users] or from signed credentials",
	"redis-userdb": "users come from [turn.users] or from signed credentials", "redis-statsdb": "usage is in the log, counts are in Prometheus",
	"no-auth": "a relay without credentials is an open relay", "mobility": "not supported", "oauth": "not supported",
	"alt-listening-port": "RFC 5780 is not supported", "alternate-server": "redirection is not supported", "tls-alternate-server": "redirection is not supported",
	"dtls-listening-port": "DTLS is not supported; browsers do not use it", "allocation-default-address-family": "the client chooses",
	"cli-port": "there is no telnet console", "cli-password": "there is no telnet console", "web-admin": "there is no web console",
	"rest-api-separator": "only : is supported", "channel-lifetime": "fixed at 10 minutes", "permission-lifetime": "fixed at 5 minutes",
	"max-allocate-lifetime": "fixed at one hour", "server-relay": "permissions cannot be turned off", "static-auth-secret-file": "put the secret into turn.secrets",
	"keep-address-family": "the client chooses", "tcp-proxy-port": "the PROXY protocol is not supported", "acme-redirect": "not a web server",
}
