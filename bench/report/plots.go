package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
)

// costPlots draws µs per packet against subscribers, when there is more than one fan-out.
func costPlots(r *Report) (plots []template.HTML) {
	var all []series
	add := func(name string, p point) {
		i := slices.IndexFunc(all, func(s series) bool { return s.name == name })
		if i < 0 {
			all = append(all, series{name: name})
			i = len(all) - 1
		}
		all[i].points = append(all[i].points, p)
	}
	for _, x := range r.Rows {
		if x.Path == PathUDP && x.Shape == ShapeFanOut && x.CPU > 0 {
			add(x.Target, point{float64(x.Subscribers), x.CPU, x.CPUSpread.Min, x.CPUSpread.Max})
		}
	}
	for _, f := range r.Floor {
		if f.Shape == ShapeFanOut && f.Cost.Median > 0 && isFanOut(r, f.Subscribers) {
			add("floor, "+f.Mode, point{float64(f.Subscribers), f.Cost.Median, f.Cost.Min, f.Cost.Max})
		}
	}
	most := 0
	for _, s := range all {
		most = max(most, len(s.points))
	}
	if most < 2 {
		return nil
	}
	return append(plots, lines(all, "subscribers", "µs per packet"))
}

// isFanOut says whether a row of UDP has this size: other paths have a floor beside them too.
func isFanOut(r *Report, n int) bool {
	return slices.ContainsFunc(r.Rows, func(x Row) bool {
		return x.Path == PathUDP && x.Shape == ShapeFanOut && x.Subscribers == n
	})
}

const (
	barHeight = 22
	barLeft   = 250
)

// latencyPlots draws p50, p99 and p99.9 of every row on one logarithmic scale.
func latencyPlots(r *Report) []template.HTML {
	low, high := math.Inf(1), 0.0
	var rows []Row
	for _, x := range r.Rows {
		if x.Latency.P50 > 0 {
			rows = append(rows, x)
			low, high = min(low, x.Latency.P50), max(high, x.Latency.P999)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)+1e-9))
	at := func(v float64) float64 {
		return barLeft + (math.Log10(max(v, low))-math.Log10(low))/(math.Log10(high)-math.Log10(low))*(plotWidth-barLeft-30)
	}
	height := len(rows)*barHeight + 46
	var b strings.Builder
	open(&b, height, "latency of each row, milliseconds")
	for v := low; v <= high*1.01; v *= 10 {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="4" y2="%d"/><text class="soft" x="%.1f" y="%d" text-anchor="middle">%g ms</text>`,
			at(v), at(v), height-40, at(v), height-24, v)
	}
	for i, x := range rows {
		y := i*barHeight + 16
		class := classOf(rows, x.Target)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, barLeft-10, y+4, template.HTMLEscapeString(x.name()))
		fmt.Fprintf(&b, `<rect class="%s" opacity=".25" x="%.1f" y="%d" width="%.1f" height="6"/>`, class, at(x.Latency.P50), y-3, at(x.Latency.P999)-at(x.Latency.P50))
		fmt.Fprintf(&b, `<rect class="%s" opacity=".55" x="%.1f" y="%d" width="%.1f" height="6"/>`, class, at(x.Latency.P50), y-3, at(x.Latency.P99)-at(x.Latency.P50))
		fmt.Fprintf(&b, `<circle class="%s" cx="%.1f" cy="%d" r="5"><title>p50 %.2f, p99 %.2f, p99.9 %.2f ms</title></circle>`, class, at(x.Latency.P50), y, x.Latency.P50, x.Latency.P99, x.Latency.P999)
	}
	fmt.Fprintf(&b, `<text class="soft" x="%d" y="%d">dot: median; dark: to p99; light: to p99.9</text></svg>`, barLeft, height-6)
	return []template.HTML{template.HTML(b.String())} //nolint:gosec // all text in it is escaped
}

// classOf gives each target a color, in the order in which the rows name them.
func classOf(rows []Row, target string) string {
	var seen []string
	for _, x := range rows {
		if !slices.Contains(seen, x.Target) {
			seen = append(seen, x.Target)
		}
	}
	return fmt.Sprintf("s%d", slices.Index(seen, target)%6)
}

// phasePlots draws a bar for each row, with the phases of set-up one after the other.
func phasePlots(r *Report) []template.HTML {
	longest := 0.0
	var rows []Row
	for _, x := range r.Rows {
		if total := x.setup(); total > 0 {
			rows = append(rows, x)
			longest = max(longest, total)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	scale := (plotWidth - barLeft - 70) / longest
	height := len(rows)*barHeight + 34
	var b strings.Builder
	open(&b, height, "set-up of each row by phase, milliseconds")
	for i, x := range rows {
		y, at := i*barHeight+6, float64(barLeft)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, barLeft-10, y+12, template.HTMLEscapeString(x.name()))
		for j, phase := range phaseOrder {
			v := x.SetupMS[phase].P50
			fmt.Fprintf(&b, `<rect class="s%d" x="%.1f" y="%d" width="%.1f" height="15"><title>%s %.1f ms</title></rect>`, j, at, y, v*scale, phase, v)
			at += v * scale
		}
		fmt.Fprintf(&b, `<text class="soft" x="%.1f" y="%d">%.0f ms</text>`, at+8, y+12, x.setup())
	}
	for j, phase := range phaseOrder {
		x := barLeft + j*110
		fmt.Fprintf(&b, `<rect class="s%d" x="%d" y="%d" width="12" height="12"/><text class="soft" x="%d" y="%d">%s</text>`, j, x, height-20, x+18, height-10, phase)
	}
	b.WriteString("</svg>")
	return []template.HTML{template.HTML(b.String())} //nolint:gosec // all text in it is escaped
}

func (r Row) setup() (total float64) {
	for _, p := range phaseOrder {
		total += r.SetupMS[p].P50
	}
	return total
}
