package bench

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"testing"
	"time"
)

// TestMain lets the test binary be a target process, as the real binary is.
func TestMain(m *testing.M) {
	if kind := os.Getenv("BENCH_TEST_TARGET"); kind != "" {
		if err := ServeTarget(kind, os.Stdin, os.Stdout, slog.Default()); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func startTestTarget(t *testing.T, kind string) *process {
	t.Helper()
	t.Setenv("BENCH_TEST_TARGET", kind)
	p, err := startProcess(t.Context(), kind, []string{os.Args[0]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

func TestTheGeneratorWatchesThroughPlainPion(t *testing.T) {
	p := startTestTarget(t, TargetPion)
	h, err := newHub(1, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := newCertificate()
	if err != nil {
		t.Fatal(err)
	}
	l := newLoad(h, directUDP{}, whipSignaler{whip: p.ready.URL + "/whip/room", whep: p.ready.URL + "/whep/room"}, cert, DefaultMedia())
	b := &bed{target: TargetPion, proc: p, pid: p.pid, load: l, cores: 1, generator: 1}
	defer b.close()
	if err := l.addPublishers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	t.Log(l.peers[0].answer.lines[1])
	if err := l.addWatchers(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	w, err := b.measure(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("sent %d %+v p50 %v p99 %v late %v cost %v limited %s jitter %v", w.sent, w.counts, w.latency.quantile(.5), w.latency.quantile(.99), w.late.quantile(.99), w.cost(), w.limited, w.jitter)
}

var _ = bytes.MinRead
var _ = context.Background
