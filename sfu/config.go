package sfu

import (
	"fmt"
	"net"
	"time"

	"carillon/udp"
)

// Config of the SFU. The zero value runs on loopback.
type Config struct {
	Listen    string   `toml:"listen"`    // address of the UDP and the TCP port; empty: 127.0.0.1:0, which picks free ports
	Advertise []string `toml:"advertise"` // IP addresses told to clients; empty: the bound address, or those of the interfaces
	NoTCP     bool     `toml:"no_tcp"`    // true: no ICE-TCP port

	SharedTCP net.Listener `toml:"-"` // yields ICE-TCP connections from a port that is shared; nil: a port of its own

	SDPBytes       int `toml:"sdp_bytes"`        // largest offer; 0: 65536
	RoomPeers      int `toml:"room_peers"`       // most peers in a room; 0: 100
	PeerSources    int `toml:"peer_sources"`     // most sending lines of an offer; 0: 4
	AudioSlots     int `toml:"audio_slots"`      // most receive-only audio lines; 0: 6
	VideoSlots     int `toml:"video_slots"`      // most receive-only video lines; 0: 49
	MessageBytes   int `toml:"message_bytes"`    // largest message on the chat channel; 0: 65536
	LossyBytes     int `toml:"lossy_bytes"`      // largest message on the lossy channel; 0: 1200
	LossyPerSecond int `toml:"lossy_per_second"` // messages of one peer on the lossy channel, more are dropped; 0: 60
	BacklogBytes   int `toml:"backlog_bytes"`    // unsent bytes at which a data channel counts as stuck; 0: 1048576

	VideoPackets int `toml:"video_packets"` // packets kept per video layer for repair; 0: 1000
	AudioPackets int `toml:"audio_packets"` // packets kept per audio source for repair; 0: 200

	SilentMS int `toml:"silent_ms"` // without packets this long a leg is silent; 0: 2000
	DownMS   int `toml:"down_ms"`   // and this long it is down; 0: 10000

	UDP udp.Config `toml:"udp"`
}

// Defaults is what zero fields mean.
func Defaults() Config {
	return Config{
		Listen:         "127.0.0.1:0",
		SDPBytes:       64 << 10,
		RoomPeers:      100,
		PeerSources:    4,
		AudioSlots:     6,
		VideoSlots:     49,
		MessageBytes:   64 << 10,
		LossyBytes:     1200,
		LossyPerSecond: 60,
		BacklogBytes:   1 << 20,
		VideoPackets:   1000,
		AudioPackets:   200,
		SilentMS:       2000,
		DownMS:         10_000,
		UDP:            udp.Defaults(),
	}
}

// numbers are the fields that count something.
func (c *Config) numbers() map[string]*int {
	return map[string]*int{
		"sdp_bytes": &c.SDPBytes, "room_peers": &c.RoomPeers, "peer_sources": &c.PeerSources,
		"audio_slots": &c.AudioSlots, "video_slots": &c.VideoSlots, "message_bytes": &c.MessageBytes,
		"lossy_bytes": &c.LossyBytes, "lossy_per_second": &c.LossyPerSecond, "backlog_bytes": &c.BacklogBytes,
		"video_packets": &c.VideoPackets, "audio_packets": &c.AudioPackets,
		"silent_ms": &c.SilentMS, "down_ms": &c.DownMS,
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	for key, n := range c.numbers() {
		if *n < 0 {
			return fmt.Errorf("%s is %d, want 0 or more", key, *n)
		}
	}
	for _, a := range c.Advertise {
		if net.ParseIP(a) == nil {
			return fmt.Errorf("advertise: %q is not an IP address", a)
		}
	}
	if err := c.UDP.Validate(); err != nil {
		return fmt.Errorf("udp.%w", err)
	}
	return nil
}

func (c Config) filled() Config {
	d := Defaults()
	if c.Listen == "" {
		c.Listen = d.Listen
	}
	otherwise := d.numbers()
	for key, n := range c.numbers() {
		if *n == 0 {
			*n = *otherwise[key]
		}
	}
	return c
}

func (c Config) silent() time.Duration { return time.Duration(c.SilentMS) * time.Millisecond }
func (c Config) down() time.Duration   { return time.Duration(c.DownMS) * time.Millisecond }
