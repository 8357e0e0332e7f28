package bus

import "fmt"

// Config says where the bus is.
type Config struct {
	URL            string `toml:"url"`             // of a NATS cluster, several separated by commas; empty: embedded, in this process only
	Credentials    string `toml:"credentials"`     // path of the cluster's credentials file; empty: none
	Queue          int    `toml:"queue"`           // messages that may wait per dispatcher before some are dropped; zero: 8192
	Dispatchers    int    `toml:"dispatchers"`     // goroutines that hand out messages; zero: 4
	RequestSeconds int    `toml:"request_seconds"` // longest time to wait for an answer; zero: 10
}

// Defaults is what an embedded bus of one machine needs.
func Defaults() Config {
	return Config{Queue: 8192, Dispatchers: 4, RequestSeconds: 10}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	for key, n := range map[string]int{"queue": c.Queue, "dispatchers": c.Dispatchers, "request_seconds": c.RequestSeconds} {
		if n < 0 {
			return fmt.Errorf("%s is %d, want 0 or more", key, n)
		}
	}
	return nil
}

func (c Config) filled() Config {
	d := Defaults()
	if c.Queue == 0 {
		c.Queue = d.Queue
	}
	if c.Dispatchers == 0 {
		c.Dispatchers = d.Dispatchers
	}
	if c.RequestSeconds == 0 {
		c.RequestSeconds = d.RequestSeconds
	}
	return c
}
