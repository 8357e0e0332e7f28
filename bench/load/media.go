package load

import (
	"fmt"
	"time"
)

// Pacing is how the packets of a video frame leave.
const (
	Burst = "burst" // a frame at once, like an encoder without a pacer
	Even  = "even"  // evenly spaced in time, like a browser's pacer
)

// Media is what a publisher sends.
type Media struct {
	Codec     string  // "vp8" or "h264"
	Rate      float64 // of the video, bits per second
	FPS       int
	Size      int // bytes of a video payload
	AudioSize int // bytes of an Opus frame
	Pacing    string
	Simulcast bool // three layers: 1/10, 1/3 and all of Rate
	AudioOnly bool
}

// DefaultMedia is 160 video packets of 1,200 bytes a second in 30 frames, and 50 of audio.
func DefaultMedia() Media {
	return Media{Codec: "vp8", Rate: 1.536e6, FPS: 30, Size: 1200, AudioSize: 120, Pacing: Burst}
}

// Validate refuses values that no server would take.
func (m Media) Validate() error {
	switch {
	case m.Codec != "vp8" && m.Codec != "h264":
		return fmt.Errorf("codec %q: want vp8 or h264", m.Codec)
	case m.Pacing != Burst && m.Pacing != Even:
		return fmt.Errorf("pacing %q: want burst or even", m.Pacing)
	case m.FPS < 1 || m.FPS > 240:
		return fmt.Errorf("%d frames a second: want 1 to 240", m.FPS)
	case m.Size < 100 || m.Size > 1400:
		return fmt.Errorf("packets of %d bytes: want 100 to 1400", m.Size)
	case m.AudioSize < 20 || m.AudioSize > 1200:
		return fmt.Errorf("audio frames of %d bytes: want 20 to 1200", m.AudioSize)
	case m.Rate < 10e3 || m.Rate > 1e9:
		return fmt.Errorf("video of %.0f bit/s: want 10k to 1g", m.Rate)
	}
	return nil
}

// layers of the video, lowest first.
func (m Media) layers() []layer {
	if m.AudioOnly {
		return nil
	}
	if !m.Simulcast {
		return []layer{{width: 1280, height: 720, rate: m.Rate}}
	}
	return []layer{
		{rid: "q", width: 320, height: 180, rate: m.Rate / 10},
		{rid: "h", width: 640, height: 360, rate: m.Rate / 3},
		{rid: "f", width: 1280, height: 720, rate: m.Rate},
	}
}

type layer struct {
	rid           string
	width, height uint16
	rate          float64
}

// Speech comes with pauses (DTX): in every TalkCycle the last talkPause is silent, but for the
// comfort noise at its beginning. Windows last whole cycles, so that all hold the same packets.
const (
	TalkCycle  = 500 * time.Millisecond
	talkPause  = 60 * time.Millisecond
	audioFrame = 20 * time.Millisecond
)
