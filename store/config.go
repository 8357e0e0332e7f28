package store

import "carillon/settings"

// Config of the database. Zero fields mean [Defaults]; Folder must be given.
type Config struct {
	Folder string `toml:"-"` // the data folder; made when absent

	// LogEvents is how many events are kept per user for tabs that come back.
	LogEvents int `toml:"log_events"`
	// LogHours is how long they are kept at most.
	LogHours int `toml:"log_hours"`
	// Queue is how many writes may wait for the disk before more are refused as busy.
	Queue int `toml:"queue"`
	// Readers is how many connections read side by side.
	Readers int `toml:"readers"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{LogEvents: 2000, LogHours: 24, Queue: 4096, Readers: 4}
}

// Validate says which value makes no sense.
func (c Config) Validate() error { return settings.NonNegative(c) }
