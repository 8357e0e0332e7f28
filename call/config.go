package call

import (
	"fmt"
	"time"

	"carillon/settings"
)

// Config says how long a call waits for what, and how many calls a user may make. Zero
// fields mean [Defaults].
type Config struct {
	// RingSeconds is how long a call rings, 15 to 120.
	RingSeconds int `toml:"ring_seconds"`
	// ConnectSeconds is the time from the answer to media.
	ConnectSeconds int `toml:"connect_seconds"`
	// GraceSeconds is how long a leg without media, or after a restart of the server, may come back.
	GraceSeconds int `toml:"grace_seconds"`
	// SuspendSeconds is how long a leg may come back after its page said that it goes.
	SuspendSeconds int `toml:"suspend_seconds"`
	// CallerGoneSeconds is how long a call goes on ringing without its caller.
	CallerGoneSeconds int `toml:"caller_gone_seconds"`
	// MoveSeconds is the time from "Move call here" to media there.
	MoveSeconds int `toml:"move_seconds"`
	// MaxMinutes is the longest that a call may last. 0: no limit.
	MaxMinutes int `toml:"max_minutes"`
	// Participants is how many members a conversation may have that is called.
	Participants int `toml:"participants"`
	// RingsPerMinute is how many calls one user may start in a minute. One that rings many counts
	// as one more for every ten of them.
	RingsPerMinute int `toml:"rings_per_minute"`
	// AddressRingsPerMinute is how many calls all users of one address (IPv6: one /64) may start in
	// a minute, and as many all its guests: a desk of 200 people behind one has two for each.
	AddressRingsPerMinute int `toml:"address_rings_per_minute"`
	// RingsPerPair is how often one user may ring the same other one in five minutes. Rings that are answered do not count.
	RingsPerPair int `toml:"rings_per_pair"`
	// GuestRingsPerMinute is in how many calls one guest may ring in a minute. Of this and the next
	// two a third may come at once.
	GuestRingsPerMinute int `toml:"guest_rings_per_minute"`
	// GuestAddressRingsPerMinute is the same for all guests of one address: several times that of
	// one, and a part of what one user takes, so that neither shuts out other guests.
	GuestAddressRingsPerMinute int `toml:"guest_address_rings_per_minute"`
	// GuestRingsPerCallee is how often all guests together may ring one user in a minute. Rings
	// that are answered do not count: who answers may be rung by as many as there are.
	GuestRingsPerCallee int `toml:"guest_rings_per_callee"`
	// RequestsPerMinute is how many other requests about calls one user may make in a minute. One
	// that changes a large call counts as one more for every ten participants, who are told.
	RequestsPerMinute int `toml:"requests_per_minute"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{
		RingSeconds:                45,
		ConnectSeconds:             20,
		GraceSeconds:               25,
		SuspendSeconds:             6,
		CallerGoneSeconds:          10,
		MoveSeconds:                15,
		Participants:               100,
		RingsPerMinute:             20,
		AddressRingsPerMinute:      400,
		RingsPerPair:               10,
		GuestRingsPerMinute:        6,
		GuestAddressRingsPerMinute: 20,
		GuestRingsPerCallee:        60,
		RequestsPerMinute:          300,
	}
}

// Validate says which value is out of its range.
func (c Config) Validate() error {
	if c.RingSeconds != 0 && (c.RingSeconds < 15 || c.RingSeconds > 120) {
		return fmt.Errorf("ring_seconds is %d, want 15 to 120", c.RingSeconds)
	}
	return settings.NonNegative(c)
}

// durations are those of a Config in the machine's unit, milliseconds.
type durations struct {
	ring, connect, grace, suspend, callerGone, move int64
	max                                             int64 // zero: no limit
}

func (c Config) durations() durations {
	c = settings.Fill(c, Defaults())
	ms := func(n int, unit time.Duration) int64 { return (time.Duration(n) * unit).Milliseconds() }
	return durations{
		ring:       ms(c.RingSeconds, time.Second),
		connect:    ms(c.ConnectSeconds, time.Second),
		grace:      ms(c.GraceSeconds, time.Second),
		suspend:    ms(c.SuspendSeconds, time.Second),
		callerGone: ms(c.CallerGoneSeconds, time.Second),
		move:       ms(c.MoveSeconds, time.Second),
		max:        ms(c.MaxMinutes, time.Minute),
	}
}
