package signaling

import (
	"cmp"
	"fmt"
	"time"
)

// Config of the sessions. The zero Config runs.
type Config struct {
	Origins        []string `toml:"origins"`          // sites whose pages may connect, as scheme://host[:port]; "*": any; empty: only pages of this host
	TabsPerUser    int      `toml:"tabs_per_user"`    // on one node; zero: 200
	HelloSeconds   int      `toml:"hello_seconds"`    // until a socket must have said hello; zero: 10
	PingSeconds    int      `toml:"ping_seconds"`     // between pings to a tab; zero: 25
	PongSeconds    int      `toml:"pong_seconds"`     // to answer a ping; zero: 8
	LegPingSeconds int      `toml:"leg_ping_seconds"` // seconds between pings, and to answer one, while the tab holds a leg; zero: 5
	FrameBytes     int      `toml:"frame_bytes"`      // of one message of a client; zero: 65536
	FrameSeconds   int      `toml:"frame_seconds"`    // until a frame that has begun must be complete, and a written one taken; zero: 10
	QueueBytes     int      `toml:"queue_bytes"`      // that may wait for a slow tab; zero: 1048576
	QueueSeconds   int      `toml:"queue_seconds"`    // that the oldest of them may wait; zero: 15
	SpreadMS       int      `toml:"spread_ms"`        // over which tabs come back after a shutdown; zero: 5000
	CatchUps       int      `toml:"catch_ups"`        // logs read at the same time; zero: 16
	OfflineMS      int      `toml:"offline_ms"`       // after its last tab until a user counts as offline, so that a reload is not seen; zero: 5000
	WatchLimit     int      `toml:"watch_limit"`      // users whose presence one tab may watch; zero: 500
	HeartbeatMS    int      `toml:"heartbeat_ms"`     // between a node's signs of life; the users of one that misses three are offline; zero: 5000
	Rates          Rates    `toml:"rates"`            // what clients may ask
}

// Rates are token buckets: so many a second, and five times as many at once.
type Rates struct {
	Frames          int `toml:"frames"`           // per tab; more close it; zero: 100
	UserRequests    int `toml:"user_requests"`    // of all tabs of a user; zero: 50
	AddressRequests int `toml:"address_requests"` // from one address (IPv6: /64); zero: 500
	Requests        int `toml:"requests"`         // in all; zero: 20000
	UserHellos      int `toml:"user_hellos"`      // zero: 10
	AddressHellos   int `toml:"address_hellos"`   // zero: 100
	Hellos          int `toml:"hellos"`           // zero: 2000
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{
		TabsPerUser: 200, HelloSeconds: 10, PingSeconds: 25, PongSeconds: 8, LegPingSeconds: 5,
		FrameBytes: 64 << 10, FrameSeconds: 10, QueueBytes: 1 << 20, QueueSeconds: 15,
		SpreadMS: 5000, CatchUps: 16, OfflineMS: 5000, WatchLimit: 500, HeartbeatMS: 5000,
		Rates: Rates{
			Frames: 100, UserRequests: 50, AddressRequests: 500, Requests: 20_000,
			UserHellos: 10, AddressHellos: 100, Hellos: 2000,
		},
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	for key, n := range map[string]int{
		"tabs_per_user": c.TabsPerUser, "hello_seconds": c.HelloSeconds, "ping_seconds": c.PingSeconds, "pong_seconds": c.PongSeconds,
		"leg_ping_seconds": c.LegPingSeconds, "frame_bytes": c.FrameBytes, "frame_seconds": c.FrameSeconds, "queue_bytes": c.QueueBytes,
		"queue_seconds": c.QueueSeconds, "spread_ms": c.SpreadMS, "catch_ups": c.CatchUps, "offline_ms": c.OfflineMS,
		"watch_limit": c.WatchLimit, "heartbeat_ms": c.HeartbeatMS, "rates.frames": c.Rates.Frames,
		"rates.user_requests": c.Rates.UserRequests, "rates.address_requests": c.Rates.AddressRequests, "rates.requests": c.Rates.Requests,
		"rates.user_hellos": c.Rates.UserHellos, "rates.address_hellos": c.Rates.AddressHellos, "rates.hellos": c.Rates.Hellos,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d, want 0 or more", key, n)
		}
	}
	return nil
}

func (c Config) filled() Config {
	d := Defaults()
	c.TabsPerUser = cmp.Or(c.TabsPerUser, d.TabsPerUser)
	c.HelloSeconds = cmp.Or(c.HelloSeconds, d.HelloSeconds)
	c.PingSeconds = cmp.Or(c.PingSeconds, d.PingSeconds)
	c.PongSeconds = cmp.Or(c.PongSeconds, d.PongSeconds)
	c.LegPingSeconds = cmp.Or(c.LegPingSeconds, d.LegPingSeconds)
	c.FrameBytes = cmp.Or(c.FrameBytes, d.FrameBytes)
	c.FrameSeconds = cmp.Or(c.FrameSeconds, d.FrameSeconds)
	c.QueueBytes = cmp.Or(c.QueueBytes, d.QueueBytes)
	c.QueueSeconds = cmp.Or(c.QueueSeconds, d.QueueSeconds)
	c.SpreadMS = cmp.Or(c.SpreadMS, d.SpreadMS)
	c.CatchUps = cmp.Or(c.CatchUps, d.CatchUps)
	c.OfflineMS = cmp.Or(c.OfflineMS, d.OfflineMS)
	c.WatchLimit = cmp.Or(c.WatchLimit, d.WatchLimit)
	c.HeartbeatMS = cmp.Or(c.HeartbeatMS, d.HeartbeatMS)
	r := &c.Rates
	r.Frames = cmp.Or(r.Frames, d.Rates.Frames)
	r.UserRequests = cmp.Or(r.UserRequests, d.Rates.UserRequests)
	r.AddressRequests = cmp.Or(r.AddressRequests, d.Rates.AddressRequests)
	r.Requests = cmp.Or(r.Requests, d.Rates.Requests)
	r.UserHellos = cmp.Or(r.UserHellos, d.Rates.UserHellos)
	r.AddressHellos = cmp.Or(r.AddressHellos, d.Rates.AddressHellos)
	r.Hellos = cmp.Or(r.Hellos, d.Rates.Hellos)
	return c
}

func seconds(n int) time.Duration      { return time.Duration(n) * time.Second }
func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
