package settings

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

type table struct {
	Frames int     `toml:"frames"`
	Share  float64 `toml:"share"`
}

type sample struct {
	Name    string            `toml:"name"`
	Seconds int               `toml:"seconds"`
	Ports   []int             `toml:"ports"`
	Keys    map[string]string `toml:"keys"`
	Guests  bool              `toml:"guests"`
	Rates   table             `toml:"rates"`
	Folder  string            `toml:"-"`
	private int
}

func defaults() sample {
	return sample{
		Name: "carillon", Seconds: 45, Ports: []int{1, 2}, Keys: map[string]string{"a": "b"},
		Rates: table{Frames: 100, Share: 0.5}, Folder: "never", private: 7,
	}
}

func TestZeroFieldsTakeTheDefaultAndOthersStay(t *testing.T) {
	got := Fill(sample{Seconds: 3, Ports: []int{}, Rates: table{Share: 0.1}}, defaults())
	want := defaults()
	want.Seconds, want.Rates.Share, want.Folder, want.private = 3, 0.1, "", 0
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("filled wrongly:\n%s", diff)
	}
}

func TestFillLeavesItsArgumentsAlone(t *testing.T) {
	c, d := sample{}, defaults()
	_ = Fill(c, d)
	if diff := cmp.Diff(sample{}, c, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("changed its argument:\n%s", diff)
	}
	if diff := cmp.Diff(defaults(), d, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("changed the defaults:\n%s", diff)
	}
}

func TestFalseIsNotTakenForUnset(t *testing.T) {
	d := defaults()
	d.Guests = true
	if Fill(sample{}, d).Guests {
		t.Error("a switch that the operator left off was turned on")
	}
}

func TestNegativeNumbersAreNamedByTheirKey(t *testing.T) {
	for _, test := range []struct {
		c      sample
		except []string
		want   string
	}{
		{sample{}, nil, ""},
		{defaults(), nil, ""},
		{sample{private: -1}, nil, ""},
		{sample{Seconds: -1}, nil, "seconds is -1, want 0 or more"},
		{sample{Rates: table{Frames: -2}}, nil, "rates.frames is -2, want 0 or more"},
		{sample{Rates: table{Share: -0.5}}, nil, "rates.share is -0.5, want 0 or more"},
		{sample{Seconds: -1, Rates: table{Frames: -1}}, nil, "seconds is -1, want 0 or more"},
		{sample{Seconds: -1, Rates: table{Frames: -1}}, []string{"seconds"}, "rates.frames is -1, want 0 or more"},
		{sample{Rates: table{Frames: -1}}, []string{"rates.frames"}, ""},
		{sample{Rates: table{Frames: -1}}, []string{"rates"}, ""},
	} {
		got := ""
		if err := NonNegative(test.c, test.except...); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v except %v: got %q, want %q", test.c, test.except, got, test.want)
		}
	}
}
