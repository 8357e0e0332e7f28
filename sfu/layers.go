package sfu

import "time"

// layerFacts is what the choice of a layer depends on.
type layerFacts struct {
	rank  int
	last  time.Duration // its newest packet; zero: none yet
	since time.Duration // it flows without a pause since then
}

const (
	layerStopped = 250 * time.Millisecond // a layer without packets this long is not there
	layerSteady  = 500 * time.Millisecond // a better layer must flow this long: browsers start and stop the top one
)

// pickLayer chooses the best layer that flows, of at most rank highest. Current is the
// index shown now, -1: none. Layers are sorted by rank, worst first. If none flows it
// stays, or waits for the worst. It says -1 only when there are no layers.
func pickLayer(layers []layerFacts, current, highest int, now time.Duration) int {
	flows := func(i int) bool { return layers[i].last > 0 && now-layers[i].last < layerStopped }
	best := -1
	for i := range layers {
		if layers[i].rank > highest && best >= 0 || !flows(i) {
			continue
		}
		if best < 0 || i == current || now-layers[i].since >= layerSteady {
			best = i
		}
	}
	if best < 0 {
		best = max(current, 0)
	}
	return min(best, len(layers)-1)
}

// stepDown limits the layer of a slot whose subscriber loses too much. It is the place
// of the bandwidth estimator to come.
type stepDown struct {
	loss   float64 // smoothed share
	cap    int     // highest rank
	until  time.Duration
	active bool
}

const (
	lossTooHigh  = 0.25
	stepDownTime = 5 * time.Second
)

// report takes the loss that the subscriber reports for the layer of this rank.
func (d *stepDown) report(fraction float64, rank int, now time.Duration) {
	d.loss += (fraction - d.loss) / 2
	if d.loss > lossTooHigh && now >= d.until {
		d.cap, d.until, d.active = max(rank-1, 0), now+stepDownTime, true
		d.loss = 0
	}
}

func (d *stepDown) highest(now time.Duration) int {
	if d.active && now < d.until {
		return d.cap
	}
	return 1 << 10
}
