package sfu

import (
	"testing"
	"time"
)

func TestTheBestLayerThatComesIsShown(t *testing.T) {
	now := 10 * time.Second
	middle := layerFacts{rank: 1, last: now - 30*ms, since: time.Second} // of a sender without the lowest layer
	comes, fresh, stopped := layerFacts{last: now - 30*ms, since: time.Second}, layerFacts{last: now, since: now - 100*ms}, layerFacts{last: now - 300*ms, since: time.Second}
	for name, c := range map[string]struct {
		layers           []layerFacts
		current, highest int
		want             int
	}{
		"best":                      {[]layerFacts{comes, comes, comes}, -1, 9, 2},
		"limited":                   {[]layerFacts{comes, comes, comes}, 2, 1, 1},
		"limited, lowest not sent":  {[]layerFacts{middle, middle}, 1, 1, 0},
		"top stopped":               {[]layerFacts{comes, comes, stopped}, 2, 9, 1},
		"top too fresh":             {[]layerFacts{comes, fresh}, 0, 9, 0},
		"fresh but shown":           {[]layerFacts{comes, fresh}, 1, 9, 1},
		"nothing comes, stays":      {[]layerFacts{stopped, stopped}, 1, 9, 1},
		"nothing yet, waits":        {[]layerFacts{{}, {}}, -1, 9, 0},
		"only a fresh one, at once": {[]layerFacts{fresh}, -1, 9, 0},
	} {
		for i := range c.layers {
			c.layers[i].rank += i
		}
		if got := chooseLayer(c.layers, c.current, c.highest, now); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
