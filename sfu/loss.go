package sfu

import "time"

// losses decides which packets of a layer to ask for again. It reads no clock and sends
// nothing.
type losses struct {
	started bool
	highest uint64
	missing []missing // in the order of their numbers
}

// missing is a packet that has not come.
type missing struct {
	ext   uint64
	asked time.Duration // when it was asked for last
	times int           // it was asked for so often
}

const (
	nackEvery = 100 * time.Millisecond // longer than most round trips
	nackTimes = 8
	mostGap   = 250 // a larger gap is a pause or another stream, and needs a key frame
)

// got takes a packet. It returns whether packets are missing that were not missing
// before, and whether that is beyond repair, so that a key frame is needed.
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
	if lost > mostGap {
		l.highest, l.missing = ext, l.missing[:0]
		return false, true
	}
	for m := l.highest + 1; m < ext; m++ {
		l.missing = append(l.missing, missing{ext: m, asked: now - nackEvery})
	}
	l.highest = ext
	if len(l.missing) > 2*mostGap {
		l.missing = l.missing[:0]
		return false, true
	}
	return lost > 0, false
}

// due appends the numbers of the packets to ask for now. It gives up on a packet after
// nackTimes, and then a key frame is needed.
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
