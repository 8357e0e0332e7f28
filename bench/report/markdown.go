package report

import (
	"bytes"
	"fmt"
	"strings"
)

// Markdown is the rows, and the floor beside them, as tables for a page of text.
func Markdown(r *Report) []byte {
	var b bytes.Buffer
	m := r.Machine
	fmt.Fprintf(&b, "`%s` on %s, %d cores, %s, %s; server on %s, load on %s; %s, %.0f s.\n\n", m.Command, m.Processor, m.Cores, m.Kernel, m.Go,
		coresText(m.Server), coresText(m.Load), m.Time.Format("2006-01-02"), r.Took.Seconds())
	b.WriteString("| path | shape | target | N | packets/s | µs/packet (min–max) | user | instructions | × floor (min–max) | in time | p50 ms | p99 ms | loss | MB/sub | limited by |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, x := range r.Rows {
		rate := x.Packets
		if x.Operations > 0 {
			rate = x.Operations
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %.0f | %s | %s | %s | %s | %s | %.2f | %.2f | %s | %s | %s |\n", x.Path, x.Shape, x.Target, x.Subscribers, rate,
			withRange(x.CPUSpread), known(x.User, "%.2f"), known(x.Instructions.Median, "%.0f"), withRange(x.RatioSpread),
			known(x.TimeRatio.Median, "%.2f"), x.Latency.P50, x.Latency.P99, percent(x.Loss), known(x.MemoryPerPeer/1e6, "%.2f"), x.LimitedBy)
	}
	b.WriteString("\n| floor | beside | N | µs/packet (min–max) | instructions | p50 ms | p99 ms |\n|---|---|---|---|---|---|---|\n")
	for _, f := range r.Floor {
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %.2f | %.2f |\n", f.Mode, f.Shape, f.Subscribers, withRange(f.Cost),
			known(f.Instructions.Median, "%.0f"), f.Latency.P50, f.Latency.P99)
	}
	for _, x := range r.Ramps {
		fmt.Fprintf(&b, "\nMost subscribers of %s: %d, %.0f packets/s, p99 %.2f ms, loss %s; ended by %s\n", x.Target, x.Subscribers, x.Packets, x.P99MS, percent(x.Loss), x.LimitedBy)
	}
	for _, x := range r.Rows {
		if strings.HasPrefix(x.Note, "noisy") {
			fmt.Fprintf(&b, "\n%s: %s\n", x.name(), x.Note)
		}
	}
	if r.Partial {
		b.WriteString("\nThe run did not finish: this is what it has.\n")
	}
	for _, x := range r.Refused {
		fmt.Fprintf(&b, "\nNot reported: %s %s %d %s: %s\n", x.Path, x.Shape, x.Subscribers, x.Target, x.Reason)
	}
	return b.Bytes()
}

func withRange(s Spread) string {
	if s.Median == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f (%s)", s.Median, rangeText(s))
}
