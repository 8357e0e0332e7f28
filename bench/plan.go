package bench

import (
	"fmt"
	"slices"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// group is a set of rows that are measured in turns: the same path, shape and size on
// several targets, and the floor beside them.
type group struct {
	path, shape string
	subscribers int
	targets     []target.Spec
	media       load.Media
	rounds      int
	window      time.Duration
	floor       bool // all three ways of sending are measured too
}

func (g group) String() string { return fmt.Sprintf("%s %s, %d", g.path, g.shape, g.subscribers) }

// perRound is how many windows a round has: the floor's and each target's.
func (g group) perRound() int { return len(g.targets) + 1 }

// counted is the moment after each window in which instructions are counted; few packets
// want a longer one.
func (g group) counted() time.Duration {
	if g.subscribers <= 10 {
		return 2 * load.TalkCycle
	}
	return load.TalkCycle
}

// takes is how long the group is expected to take.
func (g group) takes() time.Duration {
	windows := time.Duration(g.rounds * g.perRound())
	if g.floor {
		windows += 2 * floorExtraRounds
	}
	return windows*(settle+settleStep+g.window+g.counted()) + time.Duration(g.perRound())*(settleMost-settle) + time.Duration(g.perRound())*(500*time.Millisecond+time.Duration(g.subscribers)*4*time.Millisecond)
}

// The rows beside the main ones have shorter windows, so that all fit into five minutes.
const (
	defaultWindow = 2 * load.TalkCycle
	shorterWindow = load.TalkCycle
)

// floorExtraRounds is how often the slower ways of the floor are measured.
const floorExtraRounds = 2

// relaysOfOne is how many subscribers go through the relays of a running server: all are
// one user, whom it allows 32 unless it is told otherwise.
const relaysOfOne = 25

// planMedia lists the groups of a run that forward RTP.
func planMedia(o *Options, targets []target.Spec) (groups []group) {
	add := func(path, shape string, n int, targets []target.Spec, m load.Media, floor bool) {
		window := o.Window
		if window == defaultWindow && !floor {
			window = shorterWindow
		}
		if len(targets) > 0 && o.wants(path, shape) {
			groups = append(groups, group{path, shape, n, targets, m, o.Rounds, window, floor})
		}
	}
	ours := slices.DeleteFunc(slices.Clone(targets), func(t target.Spec) bool { return !t.HasAllPaths() })
	audio, layers := o.Media, o.Media
	audio.AudioOnly, layers.Simulcast = true, true

	if !o.Quick {
		add(report.PathUDP, report.ShapePair, 1, targets, o.Media, false)
	}
	for _, n := range o.Subscribers {
		add(report.PathUDP, report.ShapeFanOut, n, targets, o.Media, true)
	}
	if o.Quick {
		return groups
	}
	some := min(o.Subscribers[len(o.Subscribers)/2], 200)
	add(report.PathUDP, report.ShapeLayers, some, ours, layers, false)
	add(report.PathUDP, report.ShapeRoom, o.Room, ours, o.Media, false)
	add(report.PathUDP, report.ShapeAudio, some, targets, audio, false)
	add(report.PathTCP, report.ShapeFanOut, min(some, 50), ours, o.Media, false)
	for _, path := range []string{report.PathTURN, report.PathTURNTCP, report.PathTURNTLS} {
		n := min(some, 50)
		var relayed []target.Spec
		for _, t := range ours {
			if _, ok := relayOf(path, t.Relays); ok {
				n = min(n, relaysOfOne)
			} else if !t.BuiltIn {
				continue
			}
			relayed = append(relayed, t)
		}
		add(path, report.ShapeFanOut, n, relayed, o.Media, false)
	}
	return groups
}
