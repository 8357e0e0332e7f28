package bench

import (
	"strings"
	"testing"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
)

func TestRowsAreRefusedWhenWeWereTheLimit(t *testing.T) {
	w := window{length: time.Second, latency: new(load.Histogram), counts: load.Counts{Packets: 100, Fresh: 100, Expected: 100, Dropped: 50}, limited: report.LimitedByGenerator}
	ok := window{length: time.Second, latency: new(load.Histogram), counts: load.Counts{Packets: 100, Fresh: 100, Expected: 100}, limited: report.LimitedByLoad}
	b := &testBed{target: "x", windows: []window{w, w, ok}}
	if _, refused := rowOf(group{path: report.PathUDP}, b, nil); refused == nil || !strings.Contains(refused.Reason, "own buffers") {
		t.Errorf("refused %+v", refused)
	}
	b.windows = []window{w, ok, ok}
	row, refused := rowOf(group{path: report.PathUDP}, b, nil)
	if refused != nil || row.Windows != 2 || row.LimitedBy != report.LimitedByLoad {
		t.Errorf("row %+v, refused %+v", row, refused)
	}
}
