package signaling

import (
	"time"

	"carillon/settings"
)

// Config of the sessions. Zero fields mean [Defaults].
type Config struct {
	// Origins lists the sites whose pages may connect, as scheme://host[:port]. "*": any. Empty: only pages of this host.
	Origins []string `toml:"origins"`
	// TabsPerUser is how many tabs one user may have on one node.
	TabsPerUser int `toml:"tabs_per_user"`
	// HelloSeconds is the time within which a new connection must have said hello.
	HelloSeconds int `toml:"hello_seconds"`
	// PingSeconds is the time between two pings to a tab.
	PingSeconds int `toml:"ping_seconds"`
	// PongSeconds is the time within which a tab must answer a ping.
	PongSeconds int `toml:"pong_seconds"`
	// LegPingSeconds replaces PingSeconds and PongSeconds while the tab has a leg of a call.
	LegPingSeconds int `toml:"leg_ping_seconds"`
	// FrameBytes is the size of the largest message of a client.
	FrameBytes int `toml:"frame_bytes"`
	// FrameSeconds is the time within which a frame that has begun must be complete, and a written one taken.
	FrameSeconds int `toml:"frame_seconds"`
	// QueueBytes is how many bytes may wait for a slow tab.
	QueueBytes int `toml:"queue_bytes"`
	// QueueSeconds is how long a tab may take none of them before it is closed.
	QueueSeconds int `toml:"queue_seconds"`
	// SpreadMS is the time in milliseconds over which tabs come back after a shutdown; those in a call
	// within a tenth of it.
	SpreadMS int `toml:"spread_ms"`
	// Greetings is how many tabs may read at the same time what they begin with, or missed.
	Greetings int `toml:"greetings"`
	// SweepSeconds is the time between two looks for changes that this node was not told of.
	SweepSeconds int `toml:"sweep_seconds"`
	// UserReads is how many requests of one user that read from the database run at the same time; the others wait for each other.
	UserReads int `toml:"user_reads"`
	// AddressReads is how many of all users of one address (IPv6: one /64) do, and as many of all its guests.
	AddressReads int `toml:"address_reads"`
	// OfflineMS is the time in milliseconds after which a user without a tab counts as offline, so that a reload is not seen.
	OfflineMS int `toml:"offline_ms"`
	// WatchLimit is how many users' presence one tab may watch.
	WatchLimit int `toml:"watch_limit"`
	// HeartbeatMS is the time in milliseconds between a node's heartbeats; the users of a node that misses three are offline.
	HeartbeatMS int `toml:"heartbeat_ms"`

	// Rates is how many requests are taken in a second. Five times as many may come at once;
	// more are refused as rate_limited. A request about many things counts as one more for every
	// 25 of them.
	Rates Rates `toml:"rates"`
}

// Rates is how many requests are taken in a second, see Config.Rates.
type Rates struct {
	// Frames of one tab, pings and pongs of the WebSocket too; a tab that sends more is closed.
	Frames int `toml:"frames"`
	// UserRequests of all tabs of one user.
	UserRequests int `toml:"user_requests"`
	// AddressRequests of all users of one address (IPv6: one /64), and as many of all its guests.
	AddressRequests int `toml:"address_requests"`
	// Requests of all users, and as many of all guests.
	Requests int `toml:"requests"`
	// UserHellos are hellos, one per new connection, of one user.
	UserHellos int `toml:"user_hellos"`
	// AddressHellos of all users of one address, and as many of all its guests. After a restart of
	// the server all tabs behind one address come back within spread_ms.
	AddressHellos int `toml:"address_hellos"`
	// Hellos of all users, and as many of all guests. Those with a wrong token do not count
	// here, but as auth.attempts_per_second of their address.
	Hellos int `toml:"hellos"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{
		TabsPerUser: 200, HelloSeconds: 10, PingSeconds: 25, PongSeconds: 8, LegPingSeconds: 5,
		FrameBytes: 64 << 10, FrameSeconds: 10, QueueBytes: 1 << 20, QueueSeconds: 15,
		SpreadMS: 5000, Greetings: 16, SweepSeconds: 30, UserReads: 2, AddressReads: 16, OfflineMS: 5000, WatchLimit: 500, HeartbeatMS: 5000,
		Rates: Rates{
			Frames: 100, UserRequests: 200, AddressRequests: 4000, Requests: 20_000,
			UserHellos: 40, AddressHellos: 500, Hellos: 2000,
		},
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error { return settings.NonNegative(c) }

func seconds(n int) time.Duration      { return time.Duration(n) * time.Second }
func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
