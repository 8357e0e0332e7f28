package sfu

import "slices"

// assignSlots distributes the first of the ranked sources over the slots. A source that
// is shown already keeps its slot. Shown says what each slot shows now, nil: nothing;
// the result says, in the same order, what each slot is to show.
func assignSlots(shown, ranked []*source) []*source {
	if len(ranked) > len(shown) {
		ranked = ranked[:len(shown)]
	}
	next := make([]*source, len(shown))
	for i, s := range shown {
		if s != nil && slices.Contains(ranked, s) {
			next[i] = s
		}
	}
	free := 0
	for _, s := range ranked {
		if slices.Contains(next, s) {
			continue
		}
		for next[free] != nil {
			free++
		}
		next[free] = s
	}
	return next
}

// candidate is a source that a peer could be shown, with what decides its rank.
type candidate struct {
	source   *source
	shown    bool    // in a slot of this peer now
	loudness float64 // of the source; 0 for video
	speaking bool    // its participant is the room's speaker
}

// shownLead is how many dB louder a microphone must be than one that has a slot, to
// take that slot.
const shownLead = 6

// rankAudio sorts the loudest first.
func rankAudio(c []candidate) {
	worth := func(c candidate) float64 {
		if c.shown {
			return c.loudness + shownLead
		}
		return c.loudness
	}
	slices.SortStableFunc(c, func(a, b candidate) int {
		switch wa, wb := worth(a), worth(b); {
		case wa > wb:
			return -1
		case wa < wb:
			return 1
		case a.shown != b.shown && a.shown:
			return -1
		case a.shown != b.shown:
			return 1
		}
		return 0
	})
}

// rankVideo sorts screens first, then the speaker, then what is shown already. Equal
// candidates keep their order.
func rankVideo(c []candidate) {
	worth := func(c candidate) int {
		n := 0
		if c.source.kind == Screen {
			n += 4
		}
		if c.speaking {
			n += 2
		}
		if c.shown {
			n++
		}
		return n
	}
	slices.SortStableFunc(c, func(a, b candidate) int { return worth(b) - worth(a) })
}

// rankWanted keeps the candidates that the leg asked for, in the order of its wants.
// While a call moves, two legs of a participant may be here: the later one counts.
func rankWanted(c []candidate, wants []Want) []candidate {
	var ranked []candidate
	for _, w := range wants {
		for i := len(c) - 1; i >= 0; i-- {
			if c[i].source.kind == w.Source && c[i].source.peer.participant == w.Participant {
				ranked = append(ranked, c[i])
				break
			}
		}
	}
	return ranked
}

func sourcesOf(c []candidate) []*source {
	s := make([]*source, len(c))
	for i := range c {
		s[i] = c[i].source
	}
	return s
}
