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
	floor       bool // measure all three ways of the floor, not only the fastest
}

func (g group) String() string { return fmt.Sprintf("%s %s, %d", g.path, g.shape, g.subscribers) }

// perRound is how many windows a round has: the floor's and each target's.
func (g group) perRound() int { return len(g.targets) + 1 }

// countFor is how long instructions are counted after each window: longer for few packets.
func (g group) countFor() time.Duration {
	if g.subscribers <= 10 {
		return 2 * load.TalkCycle
	}
	return load.TalkCycle
}

// expectedTime is how long the group is expected to take.
func (g group) expectedTime() time.Duration {
	windows := time.Duration(g.rounds * g.perRound())
	if g.floor {
		windows += 2 * floorExtraRounds
	}
	return windows*(settleTime+settleStep+g.window+g.countFor()) + time.Duration(g.perRound())*(settleTimeout-settleTime) + time.Duration(g.perRound())*(500*time.Millisecond+time.Duration(g.subscribers)*4*time.Millisecond)
}

// Rows other than the fan-outs over UDP have shorter windows, so that a run takes five minutes.
const (
	defaultWindow = 2 * load.TalkCycle
	shorterWindow = load.TalkCycle
)

// floorExtraRounds is how many windows each slower way of the floor has.
const floorExtraRounds = 2

// relaysPerUser is how many subscribers go through the relays of a running server. All are
// one user, who may open 32 there unless the server is configured otherwise.
const relaysPerUser = 25

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
				n = min(n, relaysPerUser)
			} else if !t.BuiltIn {
				continue
			}
			relayed = append(relayed, t)
		}
		add(path, report.ShapeFanOut, n, relayed, o.Media, false)
	}
	return groups
}
