package bus

import "carillon/settings"

// Config says where the bus is. Zero fields mean [Defaults].
type Config struct {
	Database string `toml:"-"` // the id of the database that all nodes on the bus share

	// URL is that of a NATS cluster, several separated by commas. Empty: embedded, in this process only.
	URL string `toml:"url"`
	// Credentials is the path of the cluster's credentials file. Empty: none.
	Credentials string `toml:"credentials"`
	// Queue is how many messages may wait per dispatcher before some are dropped.
	Queue int `toml:"queue"`
	// Dispatchers is how many goroutines hand out messages.
	Dispatchers int `toml:"dispatchers"`
	// RequestSeconds is the longest time to wait for an answer.
	RequestSeconds int `toml:"request_seconds"`
}

// Defaults is what an embedded bus of one machine needs.
func Defaults() Config {
	return Config{Queue: 8192, Dispatchers: 4, RequestSeconds: 10}
}

// Validate says which value makes no sense.
func (c Config) Validate() error { return settings.NonNegative(c) }
