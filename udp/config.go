package udp

import (
	"time"

	"carillon/settings"
)

// Config of one socket. Zero fields mean [Defaults].
type Config struct {
	// WaitMicroseconds is how long packets wait for others under load, to leave together. Negative: they never wait.
	WaitMicroseconds int `toml:"wait_microseconds"`
	// QueuePackets is how many packets may wait to be sent.
	QueuePackets int `toml:"queue_packets"`
	// QueueBytes is how many bytes may wait to be sent.
	QueueBytes int `toml:"queue_bytes"`
	// RunPackets is how many packets to one destination may leave as one segmented message, at most 64.
	RunPackets int `toml:"run_packets"`
	// ReadPackets is how many packets one system call may read, at most 1024.
	ReadPackets int `toml:"read_packets"`
	// BufferBytes is the size of the socket buffers that the kernel is asked for.
	BufferBytes int `toml:"buffer_bytes"`
	// NoSegmentation turns UDP segmentation (GSO) off even where the kernel has it.
	NoSegmentation bool `toml:"no_segmentation"`
}

// Defaults is what zero fields mean.
func Defaults() Config {
	return Config{
		WaitMicroseconds: 1000,
		QueuePackets:     4096,
		QueueBytes:       4 << 20,
		RunPackets:       48,
		ReadPackets:      64,
		BufferBytes:      4 << 20,
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error { return settings.NonNegative(c, "wait_microseconds") }

// filled replaces zero fields by their defaults and keeps what the kernel would refuse in
// its bounds.
func (c Config) filled() Config {
	c = settings.Fill(c, Defaults())
	// The kernel refuses a message of more than 64 segments (UDP_MAX_SEGMENTS in its older form).
	c.RunPackets = min(max(c.RunPackets, 1), 64)
	c.ReadPackets = min(max(c.ReadPackets, 1), 1024)
	return c
}

// wait is how long packets may wait for others.
func (c Config) wait() time.Duration {
	return max(0, time.Duration(c.WaitMicroseconds)*time.Microsecond)
}
