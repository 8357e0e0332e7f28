package sfu

import (
	"fmt"
	"net"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/settings"
	"carillon/tcp"
	"carillon/udp"
)

// Config of the SFU. Zero fields mean [Defaults], which run on loopback.
type Config struct {
	// Listen is the ADDRESS:PORT of media, for both transports. Port 0: any free one.
	Listen string `toml:"listen"`
	// Advertise lists the IP addresses that clients are told. Empty: the bound address, or those of the interfaces.
	Advertise []string `toml:"advertise"`
	// NoTCP turns the ICE-TCP port off.
	NoTCP bool `toml:"no_tcp"`

	// SharedTCP yields ICE-TCP connections from a port that is shared. Nil: a port of its own.
	SharedTCP net.Listener `toml:"-"`

	// SDPBytes is the size of the largest offer.
	SDPBytes int `toml:"sdp_bytes"`
	// RoomPeers is how many peers a room may have.
	RoomPeers int `toml:"room_peers"`
	// PeerSources is how many sending lines an offer may have.
	PeerSources int `toml:"peer_sources"`
	// AudioSlots is how many receive-only audio lines an offer may have.
	AudioSlots int `toml:"audio_slots"`
	// VideoSlots is how many receive-only video lines an offer may have.
	VideoSlots int `toml:"video_slots"`
	// MessageBytes is the size of the largest message on the chat channel.
	MessageBytes int `toml:"message_bytes"`
	// LossyBytes is the size of the largest message on the lossy channel.
	LossyBytes int `toml:"lossy_bytes"`
	// LossyPerSecond is how many messages of one peer the lossy channel takes in a second; more are dropped.
	LossyPerSecond int `toml:"lossy_per_second"`
	// BacklogBytes is how many unsent bytes make a data channel count as stuck.
	BacklogBytes int `toml:"backlog_bytes"`

	// VideoPackets is how many packets of a video layer are kept for repair.
	VideoPackets int `toml:"video_packets"`
	// AudioPackets is how many packets of an audio source are kept for repair.
	AudioPackets int `toml:"audio_packets"`
	// RepairTimes is how often a packet is sent again to one subscriber.
	RepairTimes int `toml:"repair_times"`
	// RepairEveryMS is the least time between two of these, in milliseconds; at least a round trip passes anyway.
	RepairEveryMS int `toml:"repair_every_ms"`
	// RepairPercent is how much repairs may be of what a slot sent in the last one to two seconds, in percent of its bytes.
	RepairPercent int `toml:"repair_percent"`

	// ConnectSeconds is the time within which a new peer must be connected; one that is not is closed.
	ConnectSeconds int `toml:"connect_seconds"`
	// SilentMS is the time without packets, in milliseconds, after which a leg is silent.
	SilentMS int `toml:"silent_ms"`
	// DownMS is the time without packets, in milliseconds, after which a leg is down.
	DownMS int `toml:"down_ms"`

	// Quota is how many peers there may be and what they may ask for. What the users of one address
	// may have, its guests may have again. A negative number means no limit.
	Quota Quota `toml:"quota"`
	// ICETCP bounds the connections of ICE-TCP. They are silent until they have sent a check for a peer.
	ICETCP tcp.Config `toml:"tcp"`
	// UDP is the socket of the media port. Most operators leave it alone.
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
		RepairTimes:    3,
		RepairEveryMS:  100,
		RepairPercent:  50,
		ConnectSeconds: 30,
		SilentMS:       2000,
		DownMS:         10_000,
		Quota: Quota{
			Peers:     10_000,
			UserPeers: 100, AddressPeers: 1000,
			UserConnecting: 50, AddressConnecting: 500,
			UserSlots: 1000, AddressSlots: 10_000,
			UserLines: 3000, AddressLines: 30_000,
		},
		ICETCP: tcp.Defaults(),
		UDP:    udp.Defaults(),
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	if err := settings.NonNegative(c, "udp.wait_microseconds", "quota", "tcp"); err != nil {
		return err
	}
	for _, a := range c.Advertise {
		if net.ParseIP(a) == nil {
			return fmt.Errorf("advertise: %q is not an IP address", a)
		}
	}
	return nil
}

// historyOf is how many packets of a stream are kept for repair.
func (c *Config) historyOf(kind webrtc.RTPCodecType) int {
	if kind == webrtc.RTPCodecTypeAudio {
		return c.AudioPackets
	}
	return c.VideoPackets
}

func (c Config) connect() time.Duration { return time.Duration(c.ConnectSeconds) * time.Second }
func (c Config) silent() time.Duration  { return time.Duration(c.SilentMS) * time.Millisecond }
func (c Config) down() time.Duration    { return time.Duration(c.DownMS) * time.Millisecond }
