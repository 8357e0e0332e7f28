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

// chooseLayer chooses the best layer that flows, of at most rank highest. Current is the
// index shown now, -1: none. Layers are sorted by rank, worst first. If none flows it
// stays, or waits for the worst. It says -1 only when there are no layers.
func chooseLayer(layers []layerFacts, current, highest int, now time.Duration) int {
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
