package signaling

import "time"

// What is told to many tabs is told in turns, so that nobody who writes, types or reads there without
// end can take more than about a tenth of a core of each node by it. One thing alone is told at once.
// What comes while a pause lasts is told together when it is over: a tab then takes it in one piece.
const (
	pausePerTab = 150 * time.Microsecond // to tell one tab takes about a tenth of it
	pauseFrom   = 50                     // tabs; fewer are told without a pause
	maxPause    = 2 * time.Second

	maxInPause      = 1000      // changes of a feed that wait for the end of a pause; with more it ends
	maxBytesInPause = 256 << 10 // of them
)

// pauseAfter is how long so many tabs, which were just told something, are told no more of it.
func pauseAfter(tabs int) time.Duration {
	if tabs < pauseFrom {
		return 0
	}
	return min(time.Duration(tabs)*pausePerTab, maxPause)
}

// inTurn are the changes of a feed that wait for the end of a pause. The feed is locked.
type inTurn struct {
	until   time.Time // when the pause ends
	waiting []notice  // by pos
	bytes   int       // of them
	soon    bool      // a timer tells them
}

// add says whether what waits is to be told now, and else, once, when.
func (p *inTurn) add(tell []notice, now time.Time) (due bool, soon time.Duration) {
	p.waiting = append(p.waiting, tell...)
	for _, n := range tell {
		if n.frame != nil {
			p.bytes += len(n.frame.data)
		}
	}
	wait := p.until.Sub(now)
	if wait <= 0 || len(p.waiting) > maxInPause || p.bytes > maxBytesInPause {
		return len(p.waiting) > 0, 0
	}
	if p.soon || len(p.waiting) == 0 {
		return false, 0
	}
	p.soon = true
	return false, wait
}

func (p *inTurn) take() (tell []notice) {
	tell, p.waiting, p.bytes = p.waiting, nil, 0
	return tell
}
