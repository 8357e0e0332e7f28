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
	MediaDown                     // nothing came in for Config.DownMS, what it asked for may not be sent to it, or the connection failed
)

func (s MediaState) String() string { return [...]string{"up", "silent", "down"}[s] }

// Slot says what the stream on one line shows now.
type Slot struct {
	MID         string     // of the line
	Participant string     // whose source; empty: it shows nothing
	Source      SourceKind // which of the sources
	ID          uint32     // CSRC of the packets, so that a client can change a label on the exact packet
}

// Want names a source that a leg wants to see.
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
	Speaker(participant string)            // who speaks now; empty: nobody
	Channel(Channel)                       // the data channel "chat" was opened; the one before it, if any, is closed
	Phase(name string, took time.Duration) // a phase is reached, so long after the first offer
}

// Phases that a peer reports, each once.
const (
	PhaseICE      = "ice"              // a candidate pair is connected
	PhaseDTLS     = "dtls"             // media can flow
	PhaseFirstIn  = "first_packet_in"  // of any source
	PhaseFirstOut = "first_packet_out" // of any slot
)

// Channel is the data channel "chat" of a leg, which is reliable and ordered.
type Channel interface {
	ReadMessage() ([]byte, error) // the slice belongs to the caller
	WriteMessage([]byte) error    // fails when the client does not read; the channel is closed then
	Close() error
}
