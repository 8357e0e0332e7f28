package turn

import (
	"net"
	"net/netip"
	"time"

	"carillon/settings"
	"carillon/tcp"
)

// Config is the table [turn], the same alone and embedded. Zero fields mean [Defaults], which
// run on loopback.
type Config struct {
	// Off turns the server off where it would be embedded.
	Off bool `toml:"off"`
	// Realm is shown to clients and part of every key.
	Realm string `toml:"realm"`
	// Secrets sign short-lived credentials as coturn's static-auth-secret does; the first makes new
	// ones, all are accepted. Empty: one is generated at start, which only loopback may rely on.
	Secrets []string `toml:"secrets"`
	// Users are names with passwords that do not expire. Empty: none.
	Users map[string]string `toml:"users"`
	// UDP lists the addresses that listen, as ADDRESS:PORT. Empty: none, unless TCP and TLS are empty too.
	UDP []string `toml:"udp"`
	// TCP lists the addresses that listen, as ADDRESS:PORT. Empty: none, unless UDP and TLS are empty too.
	TCP []string `toml:"tcp"`
	// TLS lists the addresses that listen, as ADDRESS:PORT; it needs Cert and Key. Empty: none.
	TLS []string `toml:"tls"`
	// Cert is the certificate chain for TLS, read again when the file changes. Empty: no TLS.
	Cert string `toml:"cert"`
	// Key belongs to cert. Empty: no TLS.
	Key string `toml:"key"`
	// Host is the name or address in the URLs given to clients. Empty: the address that listens, or
	// the first of relay_addresses when that is a wildcard.
	Host string `toml:"host"`
	// RelayAddresses are where relays live, one for IPv4 and one for IPv6: ADDRESS, or PUBLIC/LOCAL
	// behind a one-to-one NAT. Empty: the address that listens, or this machine's when that is a wildcard.
	RelayAddresses []string `toml:"relay_addresses"`
	// RelayPorts are the lowest and the highest port of a relay.
	RelayPorts []int `toml:"relay_ports"`
	// STUNOnly answers Binding requests and nothing else: there are no relays.
	STUNOnly bool `toml:"stun_only"`
	// CredentialSeconds is how long a credential we hand out is good for a new relay.
	CredentialSeconds int `toml:"credential_seconds"`
	// DrainSeconds is how long relays may live on after SIGTERM.
	DrainSeconds int `toml:"drain_seconds"`

	// Peers is who may be reached through a relay.
	Peers Peers `toml:"peers"`
	// Quota is what relays may cost. A negative number means no limit.
	Quota Quota `toml:"quota"`
	// Limits is what clients may cost. A negative number means no limit, except for seconds.
	Limits Limits `toml:"limits"`

	// Decrypted hands over connections to the address in tls with its port, which another listener
	// shares and has taken out of TLS. Nil: this package binds the address and needs cert and key.
	Decrypted net.Listener `toml:"-"`

	// Media are our own SFU's addresses. With them the policy is own-sfu unless another is set.
	Media []Media `toml:"-"`
}

// Media is one address of our own SFU: as clients know it, and as it is bound here.
type Media struct{ Advertised, Bound netip.AddrPort }

// Peers is the table [turn.peers]: who may be reached through a relay.
type Peers struct {
	// Policy is own-sfu (only our own SFU's media address), public (every public address but our
	// own), or custom (only allow). Other live relays of this server can always be reached, with
	// own-sfu those of the same user.
	// Empty: own-sfu when embedded, else public; on loopback only, public with 127.0.0.0/8.
	Policy string `toml:"policy"`
	// Allow lists addresses and CIDRs that may be reached besides. Empty: none.
	Allow []string `toml:"allow"`
	// Deny lists addresses and CIDRs that may never be reached; it wins over allow. Empty: none.
	Deny []string `toml:"deny"`
}

// Quota is the table [turn.quota]. A negative number means no limit.
type Quota struct {
	// PerUser is how many relays one user may have. A port reserved for a second relay counts as
	// one. In a minute a user may open four times as many.
	PerUser int `toml:"per_user"`
	// PerAddress is how many relays one client address (IPv6: one /64) may have, in the same way.
	PerAddress int `toml:"per_address"`
	// Total is how many relays there may be. They never have more than half of the files that the
	// process may have open.
	Total int `toml:"total"`
	// Permissions is how many peer addresses one relay may permit.
	Permissions int `toml:"permissions"`
	// Channels is how many channels one relay may bind.
	Channels int `toml:"channels"`
	// RelayKbps bounds one relay in kilobits per second and direction; what is over is dropped. 0: no limit.
	RelayKbps int `toml:"relay_kbps"`
	// UserKbps bounds all relays of one user, both directions together. 0: no limit.
	UserKbps int `toml:"user_kbps"`
	// TotalKbps bounds the server, both directions together. 0: no limit.
	TotalKbps int `toml:"total_kbps"`
}

// Limits is the table [turn.limits]: what clients may cost. A negative number means no limit,
// except for seconds.
type Limits struct {
	// Connections is how many TCP and TLS connections there may be.
	Connections int `toml:"connections"`
	// ConnectionsPerAddress is how many one client address (IPv6: one /64) may have.
	ConnectionsPerAddress int `toml:"connections_per_address"`
	// Silent is how many of them may be silent: no request that is signed well has come yet. When
	// there are as many, one of them makes room for a new one. They never have more than an eighth of the files that the
	// process may have open.
	Silent int `toml:"silent"`
	// SilentPerAddress is how many silent ones one client address may have.
	SilentPerAddress int `toml:"silent_per_address"`
	// HandshakeSeconds bounds a TLS handshake.
	HandshakeSeconds int `toml:"handshake_seconds"`
	// FrameSeconds bounds the wait for the first message and the time one message may take.
	FrameSeconds int `toml:"frame_seconds"`
	// IdleSeconds is how long a connection without a relay may be silent.
	IdleSeconds int `toml:"idle_seconds"`
	// AnswersPerAddress is how many answers per second one address (IPv6: one /64) gets before it
	// has proved who it is, with a burst of twice as many; the rest is dropped. Who has shown that
	// the address is theirs, over TCP, TLS or by a nonce, has as many besides.
	AnswersPerAddress int `toml:"answers_per_address"`
	// Answers is the same for all addresses together, with a burst of as many.
	Answers int `toml:"answers"`
	// RequestsPerRelay is how many requests per second the owner of a relay may send. One that
	// names several peers counts once for each.
	RequestsPerRelay int `toml:"requests_per_relay"`
}

// Defaults is what an empty table means.
func Defaults() Config {
	connections := tcp.Defaults()
	return Config{
		Realm:             "carillon",
		UDP:               []string{"127.0.0.1:3478"},
		TCP:               []string{"127.0.0.1:3478"},
		RelayPorts:        []int{49152, 65535},
		CredentialSeconds: 86400,
		DrainSeconds:      60,
		Quota:             Quota{PerUser: 32, PerAddress: 1024, Total: 10000, Permissions: 64, Channels: 64},
		Limits: Limits{
			Connections: connections.Connections, ConnectionsPerAddress: connections.ConnectionsPerAddress,
			Silent: connections.Silent, SilentPerAddress: connections.SilentPerAddress,
			HandshakeSeconds: 10, FrameSeconds: 5, IdleSeconds: 120,
			AnswersPerAddress: 500, Answers: 10000, RequestsPerRelay: 100,
		},
	}
}

// filled replaces zero fields by their defaults.
func (c Config) filled() Config {
	d := Defaults()
	if len(c.UDP)+len(c.TCP)+len(c.TLS) > 0 {
		d.UDP, d.TCP = nil, nil // some listener was chosen, so an empty list means none
	}
	c = settings.Fill(c, d)
	if c.Peers.Policy == "" {
		c.Peers.Policy = PolicyPublic
		if len(c.Media) > 0 {
			c.Peers.Policy = PolicyOwnSFU
		}
	}
	return c
}

// Drain is how long relays may live on after the server was told to stop.
func (c Config) Drain() time.Duration { return time.Duration(c.filled().DrainSeconds) * time.Second }

// connections bounds those of all listeners together.
func (l Limits) connections() tcp.Config {
	return tcp.Config{
		Connections: l.Connections, ConnectionsPerAddress: l.ConnectionsPerAddress,
		Silent: l.Silent, SilentPerAddress: l.SilentPerAddress,
	}
}

// needsSecret is true if others could open relays and no credential is set.
func (c Config) needsSecret(f facts) bool {
	return !f.loopback && !c.STUNOnly && len(c.Secrets) == 0 && len(c.Users) == 0
}

// Validate says what is wrong, key first, without the table's name. That a public address
// has a secret, and TLS a certificate, is for [New] to check: carillon serve may provide both.
func (c Config) Validate() error {
	_, err := c.filled().check()
	return err
}
