package sfu

import "slices"

// seat puts the first of ranked onto the seats. Who sits there already and still is
// among them keeps the seat; nil seats are free. The result has len(seats).
func seat(seats, ranked []*source) []*source {
	if len(ranked) > len(seats) {
		ranked = ranked[:len(seats)]
	}
	next := make([]*source, len(seats))
	for i, s := range seats {
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

// candidate is a source that a watcher could be shown, with what decides its rank.
type candidate struct {
	source *source
	seated bool    // is shown now
	loud   float64 // of its participant
	speaks bool    // its participant is the speaker
}

// seatedLead is how many dB louder a microphone must be than one that is heard now.
const seatedLead = 6

// rankAudio sorts the loudest first.
func rankAudio(c []candidate) {
	worth := func(c candidate) float64 {
		if c.seated {
			return c.loud + seatedLead
		}
		return c.loud
	}
	slices.SortStableFunc(c, func(a, b candidate) int {
		switch wa, wb := worth(a), worth(b); {
		case wa > wb:
			return -1
		case wa < wb:
			return 1
		case a.seated != b.seated && a.seated:
			return -1
		case a.seated != b.seated:
			return 1
		}
		return 0
	})
}

// rankVideo sorts screens first, then the speaker, then who is shown already; among
// equals who came first.
func rankVideo(c []candidate) {
	worth := func(c candidate) int {
		n := 0
		if c.source.kind == Screen {
			n += 4
		}
		if c.speaks {
			n += 2
		}
		if c.seated {
			n++
		}
		return n
	}
	slices.SortStableFunc(c, func(a, b candidate) int { return worth(b) - worth(a) })
}

// rankWanted keeps what the leg asked for, in its order. More than one leg of a
// participant may be here while a call is moving; the last one to come counts.
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

func sources(c []candidate) []*source {
	s := make([]*source, len(c))
	for i := range c {
		s[i] = c[i].source
	}
	return s
}
