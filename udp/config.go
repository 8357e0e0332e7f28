package udp

import (
	"fmt"
	"time"
)

// Config of one socket. The zero value runs.
type Config struct {
	HoldMicroseconds int  `toml:"hold_microseconds"` // longest wait for more packets under load; 0: 1000, negative: never wait
	QueuePackets     int  `toml:"queue_packets"`     // packets that may wait to be sent; 0: 4096
	QueueBytes       int  `toml:"queue_bytes"`       // bytes that may wait to be sent; 0: 4 MiB
	RunPackets       int  `toml:"run_packets"`       // most packets to one destination back to back as one segmented message; 0: 48
	ReadPackets      int  `toml:"read_packets"`      // packets read by one system call; 0: 64
	BufferBytes      int  `toml:"buffer_bytes"`      // socket buffers asked of the kernel; 0: 4 MiB
	NoSegmentation   bool `toml:"no_segmentation"`   // true: never use UDP segmentation (GSO), even where the kernel has it
}

// Defaults is what zero fields mean.
func Defaults() Config {
	return Config{
		HoldMicroseconds: 1000,
		QueuePackets:     4096,
		QueueBytes:       4 << 20,
		RunPackets:       48,
		ReadPackets:      64,
		BufferBytes:      4 << 20,
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	for key, n := range map[string]int{
		"queue_packets": c.QueuePackets, "queue_bytes": c.QueueBytes, "run_packets": c.RunPackets,
		"read_packets": c.ReadPackets, "buffer_bytes": c.BufferBytes,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d, want 0 or more", key, n)
		}
	}
	return nil
}

func (c Config) filled() Config {
	d := Defaults()
	fill := func(v *int, otherwise int) {
		if *v == 0 {
			*v = otherwise
		}
	}
	fill(&c.HoldMicroseconds, d.HoldMicroseconds)
	fill(&c.QueuePackets, d.QueuePackets)
	fill(&c.QueueBytes, d.QueueBytes)
	fill(&c.RunPackets, d.RunPackets)
	fill(&c.ReadPackets, d.ReadPackets)
	fill(&c.BufferBytes, d.BufferBytes)
	// The kernel refuses a message of more than 64 segments (UDP_MAX_SEGMENTS in
	// its older form).
	c.RunPackets = min(max(c.RunPackets, 1), 64)
	c.ReadPackets = min(max(c.ReadPackets, 1), 1024)
	return c
}

func (c Config) hold() time.Duration {
	return max(0, time.Duration(c.HoldMicroseconds)*time.Microsecond)
}
