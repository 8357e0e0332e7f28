package bench

import (
	"testing"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
)

func TestJudge(t *testing.T) {
	base := func() window {
		w := window{length: time.Second, latency: new(load.Histogram), counts: load.Counts{Packets: 1000, Fresh: 1000, Expected: 1000}}
		w.server.Total, w.self.Total = 500*time.Millisecond, 500*time.Millisecond
		return w
	}
	for name, c := range map[string]struct {
		change func(*window)
		want   string
	}{
		"nothing":      {func(*window) {}, report.LimitedByLoad},
		"full server":  {func(w *window) { w.server.Total = 990 * time.Millisecond }, report.LimitedByServer},
		"full load":    {func(w *window) { w.self.Total = 990 * time.Millisecond }, report.LimitedByGenerator},
		"full buffers": {func(w *window) { w.counts.Dropped = 5 }, report.LimitedByGenerator},
		"late":         {func(w *window) { w.late.Add(int64(time.Second)) }, report.LimitedByGenerator},
		"stolen":       {func(w *window) { w.late.Add(int64(time.Second)); w.stolen = 400 * time.Millisecond }, report.LimitedByMachine},
		"behind":       {func(w *window) { w.owed = 2000 }, report.LimitedByServer},
		"crowded out":  {func(w *window) { w.owed, w.server.Waited = 2000, 500*time.Millisecond }, report.LimitedByMachine},
		"loss":         {func(w *window) { w.counts.Fresh = 900 }, report.LimitedByLoss},
	} {
		w := base()
		c.change(&w)
		if got := judge(w, 1, 1); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if (refusalOf(window{limited: c.want, length: time.Second, counts: w.counts, latency: w.latency, late: w.late, consumption: w.consumption}) == "") != (c.want != report.LimitedByGenerator && c.want != report.LimitedByMachine) {
			t.Errorf("%s: the reason to refuse does not fit %s", name, c.want)
		}
	}
}
