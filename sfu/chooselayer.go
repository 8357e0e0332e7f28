package sfu

import "time"

// layerFacts is what the choice of a layer depends on.
type layerFacts struct {
	rank  int
	last  time.Duration // when its newest packet came; 0: none has
	since time.Duration // packets have come without a pause since then
}

const (
	layerStopped = 250 * time.Millisecond // a layer without packets for this long has stopped
	layerSteady  = 500 * time.Millisecond // a better layer must have come for this long: browsers start and stop the top one
)

// chooseLayer returns the index of the layer that a slot should show: the best that has
// not stopped, of at most rank highest; if only better ones come, the worst of these.
// Current is the index of the layer shown now, -1: none. If all have stopped it is kept,
// or the worst is waited for. Layers are sorted by rank, worst first; without any the
// result is -1.
func chooseLayer(layers []layerFacts, current, highest int, now time.Duration) int {
	comes := func(i int) bool { return layers[i].last > 0 && now-layers[i].last < layerStopped }
	best := -1
	for i := range layers {
		if layers[i].rank > highest && best >= 0 || !comes(i) {
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
