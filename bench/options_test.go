package bench

import (
	"testing"
	"time"

	"carillon/bench/load"
)

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"path": {Paths: []string{"pigeon"}}, "shape": {Shapes: []string{"triangle"}}, "subscribers": {Subscribers: []int{-1}},
		"codec": {Media: load.Media{Codec: "mpeg"}}, "slots": {Slots: 400}, "window": {Window: time.Millisecond},
	} {
		if err := o.fill(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
