package bench

import (
	"fmt"
	"math"
	"slices"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// rowOf makes a row of the windows of a target. beside are those of the floor, round by round.
// Instead of a row it returns why there is none.
func rowOf(g group, b *testBed, beside []window) (report.Row, *report.Refused) {
	good, refused := trusted(b.windows)
	if refused != "" {
		return report.Row{}, notReported(g, b.target, refused)
	}
	r := report.Row{
		Path: g.path, Shape: g.shape, Target: b.target, Subscribers: g.subscribers, Publishers: 1,
		CPUSpread: over(good, window.cost), Windows: len(good), SetupMS: map[string]report.Quantiles{},
		Packets:     over(good, window.packetRate).Median,
		Bytes:       over(good, func(w window) float64 { return ratio(float64(w.counts.Bytes), float64(w.counts.Packets)) }).Median,
		Loss:        over(good, window.loss).Median,
		Behind:      over(good, window.behind).Median,
		Repaired:    over(good, func(w window) float64 { return ratio(float64(w.counts.Repaired), float64(w.counts.Fresh)) }).Median,
		LatencyP99:  over(good, func(w window) float64 { return milliseconds(w.latency.Quantile(0.99)) }),
		JitterMS:    over(good, func(w window) float64 { return w.jitter.Median }).Median,
		LimitedBy:   limitOf(good),
		ServerShare: over(good, func(w window) float64 { return float64(w.server.Total) / float64(w.length) }).Median,
		MemoryRest:  b.memory.before, MemoryPerPeer: b.memory.perPeer(),
		GeneratorShare: over(good, func(w window) float64 {
			return float64(w.self.Total) / float64(w.length) / float64(max(b.loadCores, 1))
		}).Median,
		LateMS:  over(good, func(w window) float64 { return milliseconds(w.late.Quantile(0.99)) }).Median,
		Dropped: over(good, func(w window) float64 { return ratio(float64(w.counts.Dropped), float64(w.counts.Packets)) }).Median,
		Stolen:  over(good, func(w window) float64 { return float64(w.stolen) / float64(w.length) }).Median,
		Latency: quantilesOf(good),
		Allocs:  -1, WritesPer: -1, BatchSize: -1,
	}
	if g.shape == report.ShapeRoom {
		r.Publishers = g.subscribers
	}
	if r.LateMS > milliseconds(lateNotice) {
		r.Note = fmt.Sprintf("noisy: the generator's packets left up to %.0f ms late", r.LateMS)
	}
	if slices.ContainsFunc(good, window.repacked) {
		r.Note = "noisy: the server cuts frames into packets of its own, so latency is of a part of them and cost of another size; try --size 1100"
	}
	for _, w := range good {
		r.Starved = max(r.Starved, w.starved)
	}
	r.CPU = r.CPUSpread.Median
	if r.CPU > 0 {
		r.PerCPU = 1e6 / r.CPU
		r.User = r.CPU * userShare(good)
		r.System = r.CPU - r.User
	}
	r.Instructions = over(good, instructions)
	r.TimeRatio = ratioByRound(b.windows, beside, window.cost)
	if r.TimeRatio.Median > 0 {
		r.RatioOf, r.RatioSpread = report.RatioOfTime, r.TimeRatio
	}
	if counted := ratioByRound(b.windows, beside, instructions); counted.Median > 0 {
		r.RatioOf, r.RatioSpread = report.RatioOfInstructions, counted
	}
	r.Ratio = r.RatioSpread.Median
	if b.process != nil && !b.process.Whole {
		r.Allocs = over(good, func(w window) float64 { return ratio(float64(w.runtime.Mallocs), float64(w.counts.Packets)) }).Median
		if good[0].runtime.Writes > 0 {
			r.WritesPer = over(good, func(w window) float64 { return ratio(float64(w.runtime.Writes), float64(w.runtime.Datagrams)) }).Median
			if r.WritesPer > 0 {
				r.BatchSize = 1 / r.WritesPer
			}
		}
	}
	if b.setup == nil {
		return r, nil
	}
	for phase, h := range map[string]*load.Histogram{report.PhaseSignal: &b.setup.Signal, report.PhaseICE: &b.setup.ICE, report.PhaseDTLS: &b.setup.DTLS, report.PhaseMedia: &b.setup.Media} {
		if !h.Empty() {
			r.SetupMS[phase] = inMilliseconds(h)
		}
	}
	return r, nil
}

func notReported(g group, target, reason string) *report.Refused {
	return &report.Refused{Path: g.path, Shape: g.shape, Target: target, Subscribers: g.subscribers, Reason: reason}
}

// trusted leaves out the windows that the generator or the machine limited. Where those are
// half or more, it says why there is nothing to report.
func trusted(all []window) (good []window, refused string) {
	for _, w := range all {
		if w.limited != report.LimitedByGenerator && w.limited != report.LimitedByMachine {
			good = append(good, w)
		}
	}
	if len(good)*2 > len(all) {
		return good, ""
	}
	for _, w := range all {
		if reason := refusalOf(w); reason != "" {
			return nil, reason
		}
	}
	return nil, "not measured"
}

func limitOf(windows []window) string {
	count := map[string]int{}
	best := report.LimitedByLoad
	for _, w := range windows {
		if count[w.limited]++; count[w.limited]*2 > len(windows) {
			best = w.limited
		}
	}
	return best
}

// ratioByRound divides the target's cost by the floor's of the same round.
func ratioByRound(windows, floor []window, cost func(window) float64) report.Spread {
	var all []float64
	for i := range min(len(windows), len(floor)) {
		if a, b := cost(windows[i]), cost(floor[i]); windows[i].limited != report.LimitedByGenerator && a > 0 && b > 0 {
			all = append(all, a/b)
		}
	}
	return report.SpreadOf(all)
}

func instructions(w window) float64 { return w.instructions }

func over(windows []window, f func(window) float64) report.Spread {
	values := make([]float64, len(windows))
	for i, w := range windows {
		values[i] = f(w)
	}
	return report.SpreadOf(values)
}

func (w window) packetRate() float64 { return float64(w.counts.Packets) / w.length.Seconds() }

func (m memory) perPeer() float64 {
	if m.peers == 0 || m.after <= m.before {
		return 0
	}
	return float64(m.after-m.before) / float64(m.peers)
}

// quantilesOf takes medians of the windows' quantiles, so that one bad window does not count.
func quantilesOf(windows []window) report.Quantiles {
	at := func(q float64) float64 {
		return over(windows, func(w window) float64 { return milliseconds(w.latency.Quantile(q)) }).Median
	}
	return report.Quantiles{P50: at(0.5), P99: at(0.99), P999: at(0.999)}
}

func inMilliseconds(h *load.Histogram) report.Quantiles {
	return report.Quantiles{P50: milliseconds(h.Quantile(0.5)), P99: milliseconds(h.Quantile(0.99)), P999: milliseconds(h.Quantile(0.999))}
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func floorRowOf(g group, mode target.FloorMode, windows []window) report.FloorRow {
	r := report.FloorRow{
		Mode: string(mode), Path: report.PathUDP, Shape: g.shape, Subscribers: g.subscribers,
		Packets: over(windows, window.packetRate), Cost: over(windows, window.cost),
		Latency: quantilesOf(windows), Loss: over(windows, window.loss).Median, LimitedBy: limitOf(windows),
		Instructions: over(windows, instructions),
	}
	r.User = r.Cost.Median * userShare(windows)
	r.System = r.Cost.Median - r.User
	return r
}

// ratio is a/b, and NaN instead of an infinity: spreadOf drops it.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
