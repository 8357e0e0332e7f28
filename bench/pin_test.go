package bench

import (
	"slices"
	"testing"
)

func TestParsePin(t *testing.T) {
	all := []int{0, 1, 2, 3}
	for text, want := range map[string]pinned{
		"auto": {[]int{0}, []int{1, 2, 3}}, "none": {}, "server=0+3,load=1-2": {[]int{0, 3}, []int{1, 2}}, "server=2": {server: []int{2}},
	} {
		got, err := parsePin(text, all)
		if err != nil || !slices.Equal(got.server, want.server) || !slices.Equal(got.load, want.load) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got, err := parsePin("auto", []int{5}); err != nil || got.server != nil {
		t.Errorf("one core: %v, %v", got, err)
	}
	for _, bad := range []string{"", "server=9", "server=x", "server=2-1", "me=1"} {
		if _, err := parsePin(bad, all); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
