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
		Windows:     len(good),
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
	}
	if g.shape == report.ShapeRoom {
		r.Publishers = g.subscribers
	}
	for _, w := range good {
		r.Starved = max(r.Starved, w.starved)
	}
	r.Note = noteOf(r, good)
	setCost(&r, good)
	setRatio(&r, b.windows, beside)
	setRuntime(&r, b, good)
	setSetup(&r, b.setup)
	return r, nil
}

func noteOf(r report.Row, windows []window) string {
	switch {
	case slices.ContainsFunc(windows, window.repacked):
		return "noisy: the server cuts frames into packets of its own, so latency is of a part of them and cost of another size; try --size 1100"
	case r.LateMS > milliseconds(lateNotice):
		return fmt.Sprintf("noisy: the generator's packets left up to %.0f ms late", r.LateMS)
	}
	return ""
}

func setCost(r *report.Row, windows []window) {
	r.CPUSpread = over(windows, window.cost)
	r.CPU = r.CPUSpread.Median
	if r.CPU > 0 {
		r.PerCPU = 1e6 / r.CPU
		r.User = r.CPU * userShare(windows)
		r.System = r.CPU - r.User
	}
	r.Instructions = over(windows, instructions)
}

// setRatio compares instructions if they were counted, else time.
func setRatio(r *report.Row, windows, beside []window) {
	r.TimeRatio = ratioByRound(windows, beside, window.cost)
	if r.TimeRatio.Median > 0 {
		r.RatioOf, r.RatioSpread = report.RatioOfTime, r.TimeRatio
	}
	if counted := ratioByRound(windows, beside, instructions); counted.Median > 0 {
		r.RatioOf, r.RatioSpread = report.RatioOfInstructions, counted
	}
	r.Ratio = r.RatioSpread.Median
}

// setRuntime takes what a built-in target counts itself; -1 stays where it does not.
func setRuntime(r *report.Row, b *testBed, windows []window) {
	r.Allocs, r.WritesPer, r.BatchSize = -1, -1, -1
	if b.process == nil || b.process.Whole {
		return
	}
	r.Allocs = over(windows, func(w window) float64 { return ratio(float64(w.runtime.Mallocs), float64(w.counts.Packets)) }).Median
	if windows[0].runtime.Writes == 0 {
		return
	}
	r.WritesPer = over(windows, func(w window) float64 { return ratio(float64(w.runtime.Writes), float64(w.runtime.Datagrams)) }).Median
	r.BatchSize = 0
	if r.WritesPer > 0 {
		r.BatchSize = 1 / r.WritesPer
	}
}

func setSetup(r *report.Row, s *load.Setup) {
	r.SetupMS = map[string]report.Quantiles{}
	if s == nil {
		return
	}
	for phase, h := range map[string]*load.Histogram{
		report.PhaseSignal: &s.Signal, report.PhaseICE: &s.ICE, report.PhaseDTLS: &s.DTLS, report.PhaseMedia: &s.Media,
	} {
		if !h.Empty() {
			r.SetupMS[phase] = inMilliseconds(h)
		}
	}
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

// ratio is a/b, and NaN instead of an infinity: report.SpreadOf leaves it out.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}
