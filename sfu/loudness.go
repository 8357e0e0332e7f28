package sfu

import "time"

// loudness smooths the levels that a microphone's packets carry.
// https://www.rfc-editor.org/rfc/rfc6464
type loudness struct {
	value float64       // 0 (silence) to 127
	at    time.Duration // of the newest packet
}

// silentAfter is the time without packets after which a source is silent: with DTX only
// speech makes regular packets.
const silentAfter = 300 * time.Millisecond

// got takes the level of a packet, in -dBov: 0 is the loudest, 127 silence.
func (l *loudness) got(level uint8, now time.Duration) {
	x := float64(127 - level&0x7f)
	if now-l.at > silentAfter {
		l.value = 0
	}
	// It rises fast and falls slowly: pauses between words are part of speech.
	weight := 0.05
	if x > l.value {
		weight = 0.3
	}
	l.value += (x - l.value) * weight
	l.at = now
}

// now returns the loudness at a moment, from 0 (silence) to 127.
func (l *loudness) now(now time.Duration) float64 {
	if now-l.at > silentAfter {
		return 0
	}
	return l.value
}

// voice is one participant's loudness at one moment.
type voice struct {
	participant string
	loud        float64
}

// speaker decides who speaks. It reads no clock.
type speaker struct {
	participant string        // who speaks now; empty: nobody
	since       time.Duration // when that changed last
	lastLoud    time.Duration // when the speaker was loud last
}

const (
	speechLevel  = 127 - 50               // -50 dBov; a guess: the noise of a room is below it in headsets
	speakerEvery = 500 * time.Millisecond // least time between two changes, so that the view does not jump
	speakerHold  = 2 * time.Second        // after so long a silence nobody speaks
	speakerLead  = 3                      // dB that a new speaker must be louder
)

// next takes how loud everyone is now and returns whether the speaker changed.
func (s *speaker) next(voices []voice, now time.Duration) bool {
	var best voice
	current := 0.0
	here := false // the speaker has not left
	for _, v := range voices {
		if v.participant == s.participant {
			here = true
			current = max(current, v.loud)
		}
		if v.loud > best.loud {
			best = v
		}
	}
	if current >= speechLevel {
		s.lastLoud = now
	}
	if s.participant != "" && here && now-s.since < speakerEvery {
		return false
	}
	switch {
	case best.loud >= speechLevel && best.participant != s.participant &&
		(current < speechLevel || best.loud > current+speakerLead):
		s.participant, s.since, s.lastLoud = best.participant, now, now
	case s.participant != "" && (!here || now-s.lastLoud > speakerHold):
		s.participant, s.since = "", now
	default:
		return false
	}
	return true
}
