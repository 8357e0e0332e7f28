package turn

// ignoredOptions change nothing here, so that nobody misses them.
var ignoredOptions = map[string]bool{
	"fingerprint": true, "verbose": true, "Verbose": true, "lt-cred-mech": true, "use-auth-secret": true, "stale-nonce": true,
	"no-multicast-peers": true, "no-cli": true, "simple-log": true, "log-file": true, "syslog": true, "pidfile": true,
	"new-log-timestamp": true, "no-tlsv1": true, "no-tlsv1_1": true, "no-stdout-log": true, "proc-user": true, "proc-group": true,
	"no-rfc5780": true, "no-stun-backward-compatibility": true, "response-origin-only-with-rfc5780": true, "relay-threads": true,
	"prometheus": true, "no-software-attribute": true, "cipher-list": true, "no-dtls": true, "no-loopback-peers": true,
	"no-tcp-relay": true, "secure-stun": true, "check-origin-consistency": true,
}

// refusedOptions are those that an operator may miss, and what to say of each.
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
