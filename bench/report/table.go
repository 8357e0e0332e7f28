package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Table prints a report for people.
func Table(w io.Writer, r *Report) error {
	m := r.Machine
	fmt.Fprintf(w, "%s, %d cores, %s, %s; server on %s, load on %s\n", m.Processor, m.Cores, m.Kernel, m.Go, coresText(m.Server), coresText(m.Load))
	fmt.Fprintf(w, "video %s %.3g Mbit/s in packets of %d bytes, %s; %d windows of %g s", m.Media.Codec, m.Media.Rate/1e6, m.Media.Size, m.Media.Pacing, m.Rounds, m.Window)
	if m.Netem != "" {
		fmt.Fprintf(w, "; network %s", m.Netem)
	}
	fmt.Fprintf(w, "\ngenerator: latency error %.0f µs at the median, %.0f at p99; ceiling %.0f packets/s per core, %.0f when it decrypts one of eight\n\n",
		r.Generator.ErrorUS.P50, r.Generator.ErrorUS.P99, r.Generator.Ceiling, r.Generator.CeilingSampled)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	mediaTable(t, r)
	setupTable(t, r)
	rampTable(t, r)
	if err := t.Flush(); err != nil {
		return err
	}
	if m.Uncounted != "" {
		fmt.Fprintf(w, "\n× floor compares processor time, which neighbours on the machine make noisy, where instructions could not be counted (%s).\nIf it is a right that is missing: run as root, or set kernel.perf_event_paranoid to 1.\n", m.Uncounted)
	}
	for _, x := range r.Rows {
		if strings.HasPrefix(x.Note, "noisy") {
			fmt.Fprintf(w, "\n%s: %s", x.name(), x.Note)
		}
	}
	for _, x := range r.Refused {
		fmt.Fprintf(w, "\nnot reported: %s %s %d %s: %s", x.Path, x.Shape, x.Subscribers, x.Target, x.Reason)
	}
	for _, c := range r.Compared {
		fmt.Fprintf(w, "\n%s %s, %d: %s takes %s of the processor time of %s, %s of its p50, %s of its p99, %s of its memory per subscriber",
			c.Path, c.Shape, c.Subscribers, c.A, times(c.CPU), c.B, times(c.P50), times(c.P99), times(c.Memory))
	}
	if r.Partial {
		fmt.Fprint(w, "\nThe run did not finish: this is what it has.")
	}
	_, err := fmt.Fprintf(w, "\ntook %.0f s\n", r.Took.Seconds())
	return err
}

func mediaTable(t *tabwriter.Writer, r *Report) {
	if len(r.Rows)+len(r.Floor) == 0 {
		return
	}
	fmt.Fprintln(t, "path\tshape\ttarget\tN\tpackets/s\tB\tµs/packet\tmin–max\tuser\tkernel\tinstructions\t× floor\tin time\tp50 ms\tp99\tp99.9\tloss\tjitter ms\tMB/sub\tallocs\tper write\tload\tlimited by\t")
	for _, f := range r.Floor {
		fmt.Fprintf(t, "%s\t%s\tfloor %s\t%d\t%.0f\t\t%.2f\t%.2f–%.2f\t%.2f\t%.2f\t%s\t\t\t%.2f\t%.2f\t%.2f\t%s\t\t\t\t\t\t%s\t\n", f.Path, f.Shape, f.Mode, f.Subscribers,
			f.Packets.Median, f.Cost.Median, f.Cost.Min, f.Cost.Max, f.User, f.System, known(f.Instructions.Median, "%.0f"), f.Latency.P50, f.Latency.P99, f.Latency.P999, percent(f.Loss), f.LimitedBy)
	}
	for _, x := range r.Rows {
		rate := x.Packets
		if x.Operations > 0 {
			rate = x.Operations
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.0f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%s\t%.2f\t%s\t%s\t%s\t%.0f %%\t%s\t\n", x.Path, x.Shape, x.Target, x.Subscribers,
			rate, known(x.Bytes, "%.0f"), known(x.CPU, "%.2f"), rangeText(x.CPUSpread), known(x.User, "%.2f"), known(x.System, "%.2f"),
			known(x.Instructions.Median, "%.0f"), known(x.Ratio, "%.2f"), known(x.TimeRatio.Median, "%.2f"),
			x.Latency.P50, x.Latency.P99, x.Latency.P999, percent(x.Loss), x.JitterMS, known(x.MemoryPerPeer/1e6, "%.2f"),
			knownOrZero(x.Allocs, "%.2f"), knownOrZero(x.BatchSize, "%.1f"), x.GeneratorShare*100, x.LimitedBy)
	}
}

func setupTable(t *tabwriter.Writer, r *Report) {
	header := false
	for _, x := range r.Rows {
		if len(x.SetupMS) == 0 {
			continue
		}
		if !header {
			fmt.Fprintln(t, "\nset-up, ms p50 / p99\ttarget\tN\tsignal\tice\tdtls\tmedia\t")
			header = true
		}
		fmt.Fprintf(t, "%s %s\t%s\t%d\t", x.Path, x.Shape, x.Target, x.Subscribers)
		for _, p := range phaseOrder {
			q := x.SetupMS[p]
			fmt.Fprintf(t, "%.1f / %.1f\t", q.P50, q.P99)
		}
		fmt.Fprintln(t)
	}
}

func rampTable(t *tabwriter.Writer, r *Report) {
	if len(r.Ramps) == 0 {
		return
	}
	fmt.Fprintln(t, "most subscribers\ttarget\tpackets/s\tµs/packet\tp99 ms\tloss\tended by\t")
	for _, x := range r.Ramps {
		fmt.Fprintf(t, "%d\t%s\t%.0f\t%s\t%.2f\t%s\t%s\t\n", x.Subscribers, x.Target, x.Packets, known(x.CPU, "%.2f"), x.P99MS, percent(x.Loss), x.LimitedBy)
	}
}

func coresText(cores []int) string {
	if len(cores) == 0 {
		return "any core"
	}
	return "core " + strings.Trim(strings.ReplaceAll(fmt.Sprint(cores), " ", "+"), "[]")
}

func known(v float64, format string) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf(format, v)
}

func knownOrZero(v float64, format string) string {
	if v < 0 {
		return "–"
	}
	return fmt.Sprintf(format, v)
}

func times(v float64) string { return known(v, "%.2f") }

func percent(v float64) string { return fmt.Sprintf("%.2f %%", v*100) }

func rangeText(s Spread) string {
	if s.Median == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f–%.2f", s.Min, s.Max)
}
