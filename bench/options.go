package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// Options of a run. The zero value of a field means what its comment says.
type Options struct {
	Quick       bool          // one fan-out, in 40 s
	Targets     []string      // carillon, pion, server=URL, or whip=URL,whep=URL, these two with [,token=T][,pid=N][,name=X]; none: carillon and pion
	Paths       []string      // none: all that the targets have
	Shapes      []string      // none: all
	Subscribers []int         // fan-outs of 1 to N; none: 10, 100, 400
	Room        int           // members of N to N; 0: 12
	Slots       int           // video slots of each member; 0: 4
	Calls       int           // of the ring storm, a second; 0: 20
	Tabs        int           // of each user who is called; 0: 5
	Rounds      int           // windows per row; 0: 5
	Window      time.Duration // length of one; 0: 1 s, 0.5 s with Quick and beside the main rows
	Sample      int           // decrypt and time one packet of so many; 0: 1
	Media       load.Media    // zero: DefaultMedia
	Ramp        bool          // look for the most subscribers instead
	RampLoss    float64       // what ends a ramp; 0: 0.5 %
	RampP99     time.Duration // 0: 30 ms
	Pin         string        // auto, none, or server=0,load=1; empty: auto
	Netem       string        // loss=2%,delay=50ms,rate=2mbit; empty: none
	Command     []string      // how to start a target process; the kind is appended
	Serve       []string      // how to start a whole Carillon, for messages and rings; none: those rows are left out
	Version     string        // of Carillon
	Progress    Progress      // nil: none
}

var (
	allPaths  = []string{report.PathUDP, report.PathTCP, report.PathTURN, report.PathTURNTCP, report.PathTURNTLS, report.PathReliable, report.PathLossy, report.PathWebSocket}
	allShapes = []string{report.ShapePair, report.ShapeFanOut, report.ShapeRoom, report.ShapeAudio, report.ShapeLayers, report.ShapeRing, report.ShapeChat}
)

// fill sets defaults where a field is zero, and refuses values that make no sense.
func (o *Options) fill() error {
	setDefault(&o.Media, load.DefaultMedia())
	if len(o.Targets) == 0 {
		o.Targets = []string{target.Carillon, target.Pion}
	}
	if len(o.Subscribers) == 0 {
		o.Subscribers = o.defaultSubscribers()
	}
	setDefault(&o.Room, 12)
	setDefault(&o.Slots, 4)
	setDefault(&o.Calls, 20)
	setDefault(&o.Tabs, 5)
	setDefault(&o.Rounds, 5)
	if o.Quick {
		setDefault(&o.Window, shorterWindow)
		if len(o.Paths) == 0 {
			o.Paths = []string{report.PathUDP}
		}
		if len(o.Shapes) == 0 {
			o.Shapes = []string{report.ShapeFanOut}
		}
	}
	setDefault(&o.Window, defaultWindow)
	setDefault(&o.Sample, 1)
	setDefault(&o.RampLoss, 0.005)
	setDefault(&o.RampP99, 30*time.Millisecond)
	setDefault(&o.Pin, "auto")
	return o.validate()
}

func (o *Options) defaultSubscribers() []int {
	running := slices.ContainsFunc(o.Targets, func(t string) bool { return strings.Contains(","+t, ",server=") })
	switch {
	case running && o.Quick:
		return []int{50}
	case running: // a call there takes 100 unless the server is configured otherwise
		return []int{10, 50}
	case o.Quick:
		return []int{100}
	}
	return []int{10, 100, 400}
}

func (o *Options) validate() error {
	if err := o.Media.Validate(); err != nil {
		return err
	}
	for _, n := range o.Subscribers {
		if n < 1 || n > 20000 {
			return fmt.Errorf("%d subscribers: want 1 to 20000", n)
		}
	}
	for _, p := range o.Paths {
		if !slices.Contains(allPaths, p) {
			return fmt.Errorf("there is no path %q; the paths are %s", p, strings.Join(allPaths, ", "))
		}
	}
	for _, s := range o.Shapes {
		if !slices.Contains(allShapes, s) {
			return fmt.Errorf("there is no shape %q; the shapes are %s", s, strings.Join(allShapes, ", "))
		}
	}
	if o.Calls < 1 || o.Calls > 2000 || o.Tabs < 1 || o.Tabs > 100 {
		return fmt.Errorf("%d calls a second to users with %d tabs: want 1 to 2000 calls and 1 to 100 tabs", o.Calls, o.Tabs)
	}
	if o.Room < 2 || o.Slots < 1 || o.Slots > 49 || o.Rounds < 1 || o.Window < 50*time.Millisecond || o.Sample < 1 {
		return fmt.Errorf("members %d (want at least 2), slots %d (1 to 49), rounds %d (at least 1), window %s (at least 50ms), sample %d (at least 1)", o.Room, o.Slots, o.Rounds, o.Window, o.Sample)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o *Options) wants(path, shape string) bool {
	return (len(o.Paths) == 0 || slices.Contains(o.Paths, path)) && (len(o.Shapes) == 0 || slices.Contains(o.Shapes, shape))
}
