package tcp

import "carillon/settings"

// Config bounds the connections of one listener, or of several together. Zero fields mean
// [Defaults].
type Config struct {
	// Connections is how many there may be. An eighth of the files that the process may have open is
	// left to others. Negative: no other limit.
	Connections int `toml:"connections"`
	// ConnectionsPerAddress is how many one client address (IPv6: one /64) may have. Negative: no limit.
	ConnectionsPerAddress int `toml:"connections_per_address"`
	// Silent is how many of them may be silent: they have not said yet what they are for. When
	// there are as many, one of them makes room for a new one. They never have more than an eighth
	// of the files that the process may have open. Negative: no other limit.
	Silent int `toml:"silent"`
	// SilentPerAddress is how many silent ones one client address may have. Negative: no limit.
	SilentPerAddress int `toml:"silent_per_address"`
}

// Defaults is what zero fields mean.
func Defaults() Config {
	return Config{Connections: 12_000, ConnectionsPerAddress: 1024, Silent: 4096, SilentPerAddress: 1024}
}

// Validate finds nothing wrong with any number.
func (c Config) Validate() error { return nil }

// within returns c with its defaults, on a system where the process may have so many files
// open.
func (c Config) within(descriptors int) Config {
	c = settings.Fill(c, Defaults())
	if most := max(1, descriptors/8); c.Silent < 0 || c.Silent > most {
		c.Silent = most
	}
	// The rest is for the database, for relays and for whoever asks how the process is.
	if most := max(1, descriptors-descriptors/8); c.Connections < 0 || c.Connections > most {
		c.Connections = most
	}
	return c
}

// manyDescriptors is more than there will ever be connections.
const manyDescriptors = 1 << 30
