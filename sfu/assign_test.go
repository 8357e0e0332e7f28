package sfu

import (
	"testing"
)

func TestShownSourcesKeepTheirSlots(t *testing.T) {
	a, b, c, d := &source{}, &source{}, &source{}, &source{}
	got := assignSlots([]*source{a, b, nil}, []*source{d, b, c, a})
	if got[0] != d || got[1] != b || got[2] != c {
		t.Error("b lost its slot, or d and c did not get the free slots")
	}
	if got := assignSlots([]*source{a}, nil); got[0] != nil {
		t.Error("a source that is no candidate kept its slot")
	}
}
