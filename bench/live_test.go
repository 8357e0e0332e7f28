package bench

import (
	"testing"
)

// bedFor brings up one target with a small load.
func bedFor(t *testing.T, r *runner, g group, target string) *bed {
	t.Helper()
	if g.media == (Media{}) {
		g.media = r.options.Media
	}
	b, err := r.open(t.Context(), g, targetSpec{name: target, builtin: true})
	if b != nil {
		t.Cleanup(func() {
			if err := b.close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	b.best = 1 // these tests want no steady rate, so they need not wait for one
	return b
}

func TestEveryPathOfOurOwnServerDelivers(t *testing.T) {
	for _, path := range []string{PathUDP, PathTCP, PathTURN, PathTURNTCP, PathTURNTLS} {
		t.Run(path, func(t *testing.T) {
			r := testRunner(t, Options{})
			b := bedFor(t, r, group{path: path, shape: ShapeFanOut, subscribers: 2}, TargetCarillon)
			w, err := b.measure(t.Context(), shortWindow)
			if err != nil {
				t.Fatal(err)
			}
			if w.counts.opened == 0 || w.counts.bad > 0 || w.counts.silent > w.counts.opened/10 {
				t.Errorf("%+v: want packets that can be opened and carry our stamp", w.counts)
			}
			if w.starved > 0 {
				t.Errorf("%d subscribers received nothing", w.starved)
			}
			if w.cost() <= 0 {
				t.Error("no processor time of the server")
			}
			for _, p := range b.load.snapshot() {
				if p.phases[phaseDTLS] <= 0 || p.phases[phaseICE] <= 0 || p.phases[phaseSignal] <= 0 {
					t.Errorf("phases of %s: %v", p.name, p.phases)
				}
			}
		})
	}
}

func TestEveryShapeDelivers(t *testing.T) {
	audio, layers, h264, even := DefaultMedia(), DefaultMedia(), DefaultMedia(), DefaultMedia()
	audio.AudioOnly, layers.Simulcast, h264.Codec, even.Pacing = true, true, "h264", Even
	for name, c := range map[string]struct {
		g      group
		target string
	}{
		"room":      {group{path: PathUDP, shape: ShapeRoom, subscribers: 3}, TargetCarillon},
		"audio":     {group{path: PathUDP, shape: ShapeAudio, subscribers: 2, media: audio}, TargetCarillon},
		"simulcast": {group{path: PathUDP, shape: ShapeLayers, subscribers: 2, media: layers}, TargetCarillon},
		"h264":      {group{path: PathUDP, shape: ShapeFanOut, subscribers: 2, media: h264}, TargetCarillon},
		"even":      {group{path: PathUDP, shape: ShapeFanOut, subscribers: 2, media: even}, TargetCarillon},
		"pion":      {group{path: PathUDP, shape: ShapeFanOut, subscribers: 2}, TargetPion},
		"pion h264": {group{path: PathUDP, shape: ShapeFanOut, subscribers: 2, media: h264}, TargetPion},
	} {
		t.Run(name, func(t *testing.T) {
			r := testRunner(t, Options{})
			b := bedFor(t, r, c.g, c.target)
			w, err := b.measure(t.Context(), shortWindow)
			if err != nil {
				t.Fatal(err)
			}
			if w.counts.opened == 0 || w.starved > 0 {
				t.Errorf("%d packets opened, %d subscribers received nothing", w.counts.opened, w.starved)
			}
		})
	}
}

func TestEveryWayOfTheFloorDelivers(t *testing.T) {
	r := testRunner(t, Options{})
	b, err := r.openFloor(t.Context(), group{subscribers: 3, media: r.options.Media})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	b.best = 1
	for _, mode := range []floorMode{floorSingle, floorBatch, floorGSO, floorSingle} {
		if err := b.setFloor(t.Context(), mode); err != nil {
			t.Fatal(err)
		}
		w, err := b.measure(t.Context(), shortWindow)
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if w.counts.bad > 0 || w.starved > 0 || w.counts.opened == 0 {
			t.Errorf("%s: %+v, %d starved", mode, w.counts, w.starved)
		}
	}
	if err := b.setFloor(t.Context(), "sideways"); err == nil {
		t.Error("the floor obeys an order that makes no sense")
	}
}

func TestTheGeneratorMeasuresItself(t *testing.T) {
	r := testRunner(t, Options{})
	if err := r.measureSelf(t.Context()); err != nil {
		t.Fatal(err)
	}
	g := r.report.Generator
	if g.ErrorUS.P50 <= 0 || g.Ceiling <= 0 || g.CeilingSampled <= 0 {
		t.Errorf("%+v", g)
	}
}

func TestABadWireShowsAsLossAndDelay(t *testing.T) {
	// Not more: with 20 % one handshake in a hundred comes to a halt for good.
	r := testRunner(t, Options{Netem: "loss=5%,delay=30ms"})
	b := bedFor(t, r, group{path: PathUDP, shape: ShapeFanOut, subscribers: 4}, TargetPion)
	w, err := b.measure(t.Context(), 2*shortWindow)
	if err != nil {
		t.Fatal(err)
	}
	// Each way delays by 30 ms; the kernel's stamp is taken before the second.
	if p50 := w.latency.quantile(0.5); p50 < 60e6 {
		t.Errorf("median latency %v behind twice 30 ms", p50)
	}
	if w.loss() == 0 {
		t.Error("no loss on a wire that loses 5 %")
	}
}

func TestDataChannelsDeliver(t *testing.T) {
	for _, path := range []string{PathReliable, PathLossy} {
		r := testRunner(t, Options{Rounds: 1, Window: shortWindow})
		if err := r.dataChannels(t.Context(), path, targetSpec{name: TargetCarillon, builtin: true}); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(r.report.Rows)+len(r.report.Refused) != 1 {
			t.Errorf("%s: %d rows", path, len(r.report.Rows))
		}
	}
}

func TestReceivingAllocatesNothing(t *testing.T) {
	h, err := newHub(1, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	l := &load{hub: h, via: directUDP{}}
	p, err := l.floorPeer(loopbackPort(h), 1)
	if err != nil {
		t.Fatal(err)
	}
	key, salt := floorKey(1)
	seal, err := newGCM(key, salt)
	if err != nil {
		t.Fatal(err)
	}
	m := newMeter(1)
	var number int64
	packet := make([]byte, 0, 2000)
	payload := make([]byte, 1200)
	head := floodHeader(0)
	allocations := testing.AllocsPerRun(2000, func() {
		number++
		head[2], head[3] = byte(number>>8), byte(number)
		writeStamp(payload, number)
		b := seal.seal(append(packet, head...), len(head), payload, 1, number)
		p.in.media(m, b, number+1000)
	})
	if allocations != 0 {
		t.Errorf("%v allocations per received packet", allocations)
	}
	if m.opened < 2000 || m.bad > 0 {
		t.Errorf("%+v", m.counts)
	}
}
