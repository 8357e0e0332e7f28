package bench

import (
	"testing"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// bedFor brings up one target with a small load.
func bedFor(t *testing.T, r *runner, g group, name string) *testBed {
	t.Helper()
	if g.media == (load.Media{}) {
		g.media = r.options.Media
	}
	b, err := r.openTestBed(t.Context(), g, target.Spec{Name: name, BuiltIn: true})
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
	b.bestRate = 1 // these tests want no steady rate, so they need not wait for one
	return b
}

func TestEveryPathOfOurOwnServerDelivers(t *testing.T) {
	for _, path := range []string{report.PathUDP, report.PathTCP, report.PathTURN, report.PathTURNTCP, report.PathTURNTLS} {
		t.Run(path, func(t *testing.T) {
			r := testRunner(t, Options{})
			b := bedFor(t, r, group{path: path, shape: report.ShapeFanOut, subscribers: 2}, target.Carillon)
			w, err := b.measure(t.Context(), shortWindow)
			if err != nil {
				t.Fatal(err)
			}
			if w.counts.Opened == 0 || w.counts.Undecryptable > 0 || w.counts.Unstamped > w.counts.Opened/10 {
				t.Errorf("%+v: want packets that can be opened and carry our stamp", w.counts)
			}
			if w.starved > 0 {
				t.Errorf("%d subscribers received nothing", w.starved)
			}
			if w.cost() <= 0 {
				t.Error("no processor time of the server")
			}
			if took := b.generator.Setup(); took.Signal.Quantile(0) <= 0 || took.ICE.Quantile(0) <= 0 || took.DTLS.Quantile(0) <= 0 {
				t.Error("a step of setting up took no time")
			}
		})
	}
}

func TestEveryShapeDelivers(t *testing.T) {
	audio, layers, h264, even := load.DefaultMedia(), load.DefaultMedia(), load.DefaultMedia(), load.DefaultMedia()
	audio.AudioOnly, layers.Simulcast, h264.Codec, even.Pacing = true, true, "h264", load.Even
	for name, c := range map[string]struct {
		g      group
		target string
	}{
		"room":      {group{path: report.PathUDP, shape: report.ShapeRoom, subscribers: 3}, target.Carillon},
		"audio":     {group{path: report.PathUDP, shape: report.ShapeAudio, subscribers: 2, media: audio}, target.Carillon},
		"simulcast": {group{path: report.PathUDP, shape: report.ShapeLayers, subscribers: 2, media: layers}, target.Carillon},
		"h264":      {group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: 2, media: h264}, target.Carillon},
		"even":      {group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: 2, media: even}, target.Carillon},
		"pion":      {group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: 2}, target.Pion},
		"pion h264": {group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: 2, media: h264}, target.Pion},
	} {
		t.Run(name, func(t *testing.T) {
			r := testRunner(t, Options{})
			b := bedFor(t, r, c.g, c.target)
			w, err := b.measure(t.Context(), shortWindow)
			if err != nil {
				t.Fatal(err)
			}
			if w.counts.Opened == 0 || w.starved > 0 {
				t.Errorf("%d packets opened, %d subscribers received nothing", w.counts.Opened, w.starved)
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
	b.bestRate = 1
	for _, mode := range []target.FloorMode{target.FloorSingle, target.FloorBatch, target.FloorGSO, target.FloorSingle} {
		if err := b.setFloor(t.Context(), mode); err != nil {
			t.Fatal(err)
		}
		w, err := b.measure(t.Context(), shortWindow)
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if w.counts.Undecryptable > 0 || w.starved > 0 || w.counts.Opened == 0 {
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

func TestABadNetworkShowsAsLossAndDelay(t *testing.T) {
	// At 20 % of loss one DTLS handshake in a hundred with pion never ends.
	r := testRunner(t, Options{Netem: "loss=5%,delay=30ms"})
	b := bedFor(t, r, group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: 4}, target.Pion)
	w, err := b.measure(t.Context(), 2*shortWindow)
	if err != nil {
		t.Fatal(err)
	}
	// Each way delays by 30 ms; the kernel's stamp is taken before the second.
	if p50 := w.latency.Quantile(0.5); p50 < 60e6 {
		t.Errorf("median latency %v behind twice 30 ms", p50)
	}
	if w.loss() == 0 {
		t.Error("no loss on a network that loses 5 %")
	}
}

func TestDataChannelsDeliver(t *testing.T) {
	for _, path := range []string{report.PathReliable, report.PathLossy} {
		r := testRunner(t, Options{Rounds: 1, Window: shortWindow})
		if err := r.dataChannels(t.Context(), path, target.Spec{Name: target.Carillon, BuiltIn: true}); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(r.report.Rows)+len(r.report.Refused) != 1 {
			t.Errorf("%s: %d rows", path, len(r.report.Rows))
		}
	}
}
