package bench

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
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
	Media       Media         // zero: DefaultMedia
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

// Shapes of load.
const (
	ShapePair   = "1:1"
	ShapeFanOut = "1:N"
	ShapeRoom   = "N:N"
	ShapeAudio  = "audio"
	ShapeLayers = "simulcast"
	ShapeRing   = "ring"
	ShapeChat   = "messages"
)

// Paths that are not RTP.
const (
	PathReliable  = "data-reliable"
	PathLossy     = "data-lossy"
	PathWebSocket = "websocket"
)

var (
	allPaths  = []string{PathUDP, PathTCP, PathTURN, PathTURNTCP, PathTURNTLS, PathReliable, PathLossy, PathWebSocket}
	allShapes = []string{ShapePair, ShapeFanOut, ShapeRoom, ShapeAudio, ShapeLayers, ShapeRing, ShapeChat}
)

// fill puts defaults where nothing was said, and refuses what makes no sense.
func (o *Options) fill() error {
	if o.Media == (Media{}) {
		o.Media = DefaultMedia()
	}
	if err := o.Media.validate(); err != nil {
		return err
	}
	if len(o.Targets) == 0 {
		o.Targets = []string{TargetCarillon, TargetPion}
	}
	if len(o.Subscribers) == 0 {
		o.Subscribers = []int{10, 100, 400}
		if o.Quick {
			o.Subscribers = []int{100}
		}
		if slices.ContainsFunc(o.Targets, func(t string) bool { return strings.Contains(","+t, ",server=") }) {
			o.Subscribers = []int{10, 50} // a call takes 100 unless the server is told otherwise
			if o.Quick {
				o.Subscribers = []int{50}
			}
		}
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
	if o.Quick {
		if len(o.Paths) == 0 {
			o.Paths = []string{PathUDP}
		}
		if len(o.Shapes) == 0 {
			o.Shapes = []string{ShapeFanOut}
		}
	}
	setDefault(&o.Room, 12)
	setDefault(&o.Slots, 4)
	setDefault(&o.Calls, 20)
	setDefault(&o.Tabs, 5)
	setDefault(&o.Rounds, 5)
	if o.Quick {
		setDefault(&o.Window, shorterWindow)
	}
	setDefault(&o.Window, defaultWindow)
	setDefault(&o.Sample, 1)
	setDefault(&o.RampLoss, 0.005)
	setDefault(&o.RampP99, 30*time.Millisecond)
	setDefault(&o.Pin, "auto")
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

// targetSpec is one entry of Options.Targets.
type targetSpec struct {
	name       string
	builtin    bool
	server     string // URL of a running Carillon
	relays     relays // of it
	whip, whep string
	token      string
	pid        int
}

func parseTarget(text string) (targetSpec, error) {
	if text == TargetCarillon || text == TargetPion {
		return targetSpec{name: text, builtin: true}, nil
	}
	var t targetSpec
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return t, fmt.Errorf("target %q: want carillon, pion, server=URL, or whip=URL,whep=URL", text)
		}
		switch key {
		case "server":
			t.server = strings.TrimSuffix(value, "/")
		case "whip":
			t.whip = value
		case "whep":
			t.whep = value
		case "token":
			t.token = value
		case "name":
			t.name = value
		case "pid":
			if _, err := fmt.Sscan(value, &t.pid); err != nil || t.pid < 1 {
				return t, fmt.Errorf("target %q: pid %q is no process", text, value)
			}
		default:
			return t, fmt.Errorf("target %q: there is no %q; want server, whip, whep, token, name, pid", text, key)
		}
	}
	if t.server != "" {
		if t.whip+t.whep != "" {
			return t, fmt.Errorf("target %q: server has a whip and a whep of its own", text)
		}
		t.whip, t.whep = t.server+"/whip/bench", t.server+"/whep/bench"
	}
	if t.whip == "" || t.whep == "" {
		return t, fmt.Errorf("target %q: both whip and whep are needed", text)
	}
	for _, u := range []string{t.whip, t.whep} {
		parsed, err := url.Parse(u)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			return t, fmt.Errorf("target %q: %q is no http or https URL", text, u)
		}
		if t.name == "" {
			t.name = parsed.Host
		}
	}
	return t, nil
}

// pinning says which cores the server and the generator use; empty: any.
type pinning struct {
	server, load []int
}

// parsePin of auto gives the server the first core and us the others, as far as there are two.
func parsePin(text string, allowed []int) (p pinning, err error) {
	switch text {
	case "none":
		return p, nil
	case "auto":
		if len(allowed) < 2 {
			return p, nil
		}
		return pinning{server: allowed[:1], load: allowed[1:]}, nil
	}
	// server=0+1,load=2-5
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		cores, err := parseCores(value)
		if err != nil {
			return p, fmt.Errorf("pin %s: %w", part, err)
		}
		for _, c := range cores {
			if !slices.Contains(allowed, c) {
				return p, fmt.Errorf("pin %s: this process may use the cores %v only", part, allowed)
			}
		}
		switch key {
		case "server":
			p.server = cores
		case "load":
			p.load = cores
		default:
			return p, fmt.Errorf("pin %s: want auto, none, or server=0,load=1", part)
		}
	}
	return p, nil
}

func parseCores(text string) (cores []int, err error) {
	for part := range strings.SplitSeq(text, "+") {
		first, last, ok := strings.Cut(part, "-")
		if !ok {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || to < from || to-from > 1023 {
			return nil, fmt.Errorf("%q is no list of cores such as 0, 2-3 or 0+2", text)
		}
		for c := from; c <= to; c++ {
			cores = append(cores, c)
		}
	}
	return cores, nil
}
