package sfu

import "time"

// loudness smooths the levels that a microphone's packets carry.
// https://www.rfc-editor.org/rfc/rfc6464
type loudness struct {
	value float64 // 0 (silence) to 127
	at    time.Duration
}

// A source that sends nothing is silent: with DTX only speech makes regular packets.
const quietAfter = 300 * time.Millisecond

// got notes a level of a packet, in -dBov: 0 is the loudest, 127 silence.
func (l *loudness) got(level uint8, now time.Duration) {
	x := float64(127 - level&0x7f)
	if now-l.at > quietAfter {
		l.value = 0
	}
	// Louder at once, quieter slowly: pauses between words are speech too.
	weight := 0.05
	if x > l.value {
		weight = 0.3
	}
	l.value += (x - l.value) * weight
	l.at = now
}

func (l *loudness) now(now time.Duration) float64 {
	if now-l.at > quietAfter {
		return 0
	}
	return l.value
}

// voice is one participant's loudness at one moment.
type voice struct {
	participant string
	loud        float64
}

// speaker decides who speaks.
type speaker struct {
	participant string
	since       time.Duration // of the last change
	heard       time.Duration // when the speaker was last loud
}

const (
	speechLevel  = 127 - 50               // -50 dBov; room noise is below, guessed from headsets
	speakerEvery = 500 * time.Millisecond // the view must not jump
	speakerHold  = 2 * time.Second        // silence until nobody speaks
	speakerLead  = 3                      // dB that a new speaker must be louder
)

// next takes what is heard now and says whether the speaker changed.
func (s *speaker) next(voices []voice, now time.Duration) bool {
	var best voice
	current := 0.0
	here := false
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
		s.heard = now
	}
	if s.participant != "" && here && now-s.since < speakerEvery {
		return false
	}
	switch {
	case best.loud >= speechLevel && best.participant != s.participant &&
		(current < speechLevel || best.loud > current+speakerLead):
		s.participant, s.since, s.heard = best.participant, now, now
	case s.participant != "" && (!here || now-s.heard > speakerHold):
		s.participant, s.since = "", now
	default:
		return false
	}
	return true
}
