package store

import (
	"cmp"
	"fmt"
)

// Config of the database. The zero Config runs, except that Folder must be given.
type Config struct {
	Folder string `toml:"-"` // the data folder; made when absent

	LogEvents int `toml:"log_events"` // events kept per user for tabs that come back; 0: 2000
	LogHours  int `toml:"log_hours"`  // how long they are kept at most; 0: 24
	Queue     int `toml:"queue"`      // writes that may wait for the disk before more are refused as busy; 0: 4096
	Readers   int `toml:"readers"`    // connections that read side by side; 0: 4
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{LogEvents: 2000, LogHours: 24, Queue: 4096, Readers: 4}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	for key, n := range map[string]int{
		"log_events": c.LogEvents, "log_hours": c.LogHours, "queue": c.Queue, "readers": c.Readers,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d, want 0 or more", key, n)
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	d := Defaults()
	c.LogEvents = cmp.Or(c.LogEvents, d.LogEvents)
	c.LogHours = cmp.Or(c.LogHours, d.LogHours)
	c.Queue = cmp.Or(c.Queue, d.Queue)
	c.Readers = cmp.Or(c.Readers, d.Readers)
	return c
}
