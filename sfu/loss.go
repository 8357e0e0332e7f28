package sfu

import "time"

// losses decides which packets of a layer to ask for again. Packets and now in,
// numbers out.
type losses struct {
	started bool
	highest uint64
	missing []missing // by number
}

type missing struct {
	ext   uint64
	since time.Duration
	asked time.Duration
	times int
}

const (
	nackEvery = 100 * time.Millisecond // longer than most round trips
	nackTimes = 8
	nackOnce  = 250 // a longer gap is a pause or another stream: a key frame mends it
)

// got notes a packet. It says whether packets are missing that were not before, or
// that the gap is too large for repair and a key frame is needed.
func (l *losses) got(ext uint64, now time.Duration) (gap, hopeless bool) {
	if !l.started {
		l.started, l.highest = true, ext
		return false, false
	}
	if ext <= l.highest {
		for i := range l.missing {
			if l.missing[i].ext == ext {
				l.missing = append(l.missing[:i], l.missing[i+1:]...)
				break
			}
		}
		return false, false
	}
	lost := ext - l.highest - 1
	if lost > nackOnce {
		l.highest, l.missing = ext, l.missing[:0]
		return false, true
	}
	for m := l.highest + 1; m < ext; m++ {
		l.missing = append(l.missing, missing{ext: m, since: now, asked: -nackEvery})
	}
	l.highest = ext
	if len(l.missing) > 2*nackOnce {
		l.missing = l.missing[:0]
		return false, true
	}
	return lost > 0, false
}

// due appends the numbers to ask for now. It gives up on a packet after nackTimes,
// and then says that a key frame is needed.
func (l *losses) due(now time.Duration, to []uint16) (ask []uint16, gaveUp bool) {
	kept := l.missing[:0]
	for _, m := range l.missing {
		if m.times == nackTimes {
			gaveUp = true
			continue
		}
		if now-m.asked >= nackEvery {
			m.asked = now
			m.times++
			to = append(to, uint16(m.ext))
		}
		kept = append(kept, m)
	}
	l.missing = kept
	return to, gaveUp
}
