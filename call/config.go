package call

import (
	"cmp"
	"fmt"
	"time"
)

// Config says how patient a call is and how many calls a user may make. The zero
// Config runs.
type Config struct {
	RingSeconds       int `toml:"ring_seconds"`        // how long a call rings, 15 to 120; 0: 45
	ConnectSeconds    int `toml:"connect_seconds"`     // from the answer to media; 0: 20
	GraceSeconds      int `toml:"grace_seconds"`       // a leg without media, or after a restart of the server, may come back that long; 0: 25
	SuspendSeconds    int `toml:"suspend_seconds"`     // the same after its page said that it goes; 0: 6
	CallerGoneSeconds int `toml:"caller_gone_seconds"` // it goes on ringing that long without the caller; 0: 10
	MoveSeconds       int `toml:"move_seconds"`        // from "Move call here" to media there; 0: 15
	MaxMinutes        int `toml:"max_minutes"`         // length of a call; 0: no limit
	RingsPerMinute    int `toml:"rings_per_minute"`    // calls started by one user; 0: 20
	LegsPerMinute     int `toml:"legs_per_minute"`     // other requests about calls by one user; 0: 300
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{
		RingSeconds:       45,
		ConnectSeconds:    20,
		GraceSeconds:      25,
		SuspendSeconds:    6,
		CallerGoneSeconds: 10,
		MoveSeconds:       15,
		RingsPerMinute:    20,
		LegsPerMinute:     300,
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	if c.RingSeconds != 0 && (c.RingSeconds < 15 || c.RingSeconds > 120) {
		return fmt.Errorf("ring_seconds is %d, want 15 to 120", c.RingSeconds)
	}
	for key, n := range map[string]int{
		"connect_seconds": c.ConnectSeconds, "grace_seconds": c.GraceSeconds, "suspend_seconds": c.SuspendSeconds,
		"caller_gone_seconds": c.CallerGoneSeconds, "move_seconds": c.MoveSeconds, "max_minutes": c.MaxMinutes,
		"rings_per_minute": c.RingsPerMinute, "legs_per_minute": c.LegsPerMinute,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d, want 0 or more", key, n)
		}
	}
	return nil
}

// Filled replaces zero fields by their defaults.
func (c Config) Filled() Config {
	d := Defaults()
	c.RingSeconds = cmp.Or(c.RingSeconds, d.RingSeconds)
	c.ConnectSeconds = cmp.Or(c.ConnectSeconds, d.ConnectSeconds)
	c.GraceSeconds = cmp.Or(c.GraceSeconds, d.GraceSeconds)
	c.SuspendSeconds = cmp.Or(c.SuspendSeconds, d.SuspendSeconds)
	c.CallerGoneSeconds = cmp.Or(c.CallerGoneSeconds, d.CallerGoneSeconds)
	c.MoveSeconds = cmp.Or(c.MoveSeconds, d.MoveSeconds)
	c.RingsPerMinute = cmp.Or(c.RingsPerMinute, d.RingsPerMinute)
	c.LegsPerMinute = cmp.Or(c.LegsPerMinute, d.LegsPerMinute)
	return c
}

// patience is a Config in the machine's unit, milliseconds.
type patience struct {
	ring, connect, grace, suspend, callerGone, move, length int64
}

func (c Config) patience() patience {
	c = c.Filled()
	ms := func(n int, unit time.Duration) int64 { return (time.Duration(n) * unit).Milliseconds() }
	return patience{
		ring:       ms(c.RingSeconds, time.Second),
		connect:    ms(c.ConnectSeconds, time.Second),
		grace:      ms(c.GraceSeconds, time.Second),
		suspend:    ms(c.SuspendSeconds, time.Second),
		callerGone: ms(c.CallerGoneSeconds, time.Second),
		move:       ms(c.MoveSeconds, time.Second),
		length:     ms(c.MaxMinutes, time.Minute),
	}
}
