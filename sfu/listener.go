package sfu

import "time"

// SourceKind says what a source is.
type SourceKind string

const (
	Microphone  SourceKind = "microphone"
	Camera      SourceKind = "camera"
	Screen      SourceKind = "screen"
	ScreenAudio SourceKind = "screen_audio"
)

func (k SourceKind) audio() bool { return k == Microphone || k == ScreenAudio }

// MediaState of a leg.
type MediaState int

const (
	MediaUp     MediaState = iota // ICE and DTLS are connected, packets come in
	MediaSilent                   // nothing came in for Config.SilentMS
	MediaDown                     // nothing came in for Config.DownMS, or the connection failed
)

func (s MediaState) String() string { return [...]string{"up", "silent", "down"}[s] }

// Slot tells what the stream on one mid shows now. No participant: nothing. ID is the
// CSRC of its packets, so that a client can change a label on the exact packet.
type Slot struct {
	MID         string
	Participant string
	Source      SourceKind
	ID          uint32
}

// Want names a source that a leg wishes to see.
type Want struct {
	Participant string
	Source      SourceKind
}

// Listener is notified of what happens to a peer. Its methods are called one at a time
// and in order, from a goroutine of the peer; while one runs only the other calls wait.
// Of Slots and Speaker only the newest value is delivered. No call starts after
// Peer.Close has returned, but one may still be running.
type Listener interface {
	Media(MediaState)
	Slots([]Slot)                          // all slots, in the order of the offer's lines
	Speaker(participant string)            // who speaks now; "" when nobody does
	Channel(Channel)                       // the data channel chat is open, and one before it is closed
	Phase(name string, took time.Duration) // since the first offer, see the Phase names
}

// Phases that a peer reports, each once.
const (
	PhaseICE      = "ice"
	PhaseDTLS     = "dtls"
	PhaseFirstIn  = "first_packet_in"
	PhaseFirstOut = "first_packet_out"
)

// Channel is the reliable data channel of a leg, message by message.
type Channel interface {
	ReadMessage() ([]byte, error) // the slice belongs to the caller
	WriteMessage([]byte) error    // an error when the client does not read: the channel is closed then
	Close() error
}
