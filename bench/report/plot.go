package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
)

// series is one line of a plot, or one group of bars.
type series struct {
	name   string
	points []point
}

type point struct {
	x, y, low, high float64
}

// Plots are drawn in this space; the page scales it.
const (
	plotWidth  = 900
	plotHeight = 320
	plotLeft   = 60
	plotRight  = 180 // for the names
	plotTop    = 16
	plotBottom = 40
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

// lines plots with a logarithmic x axis.
func lines(all []series, x, y string) template.HTML {
	lowX, highX, highY := math.Inf(1), 0.0, 0.0
	for i := range all {
		slices.SortFunc(all[i].points, func(a, b point) int { return int(a.x - b.x) })
		all[i].points = mergeX(all[i].points)
		for _, p := range all[i].points {
			lowX, highX, highY = min(lowX, p.x), max(highX, p.x), max(highY, p.high)
		}
	}
	if highX <= lowX {
		highX = lowX * 2
	}
	atX := func(v float64) float64 {
		return plotLeft + (math.Log(v)-math.Log(lowX))/(math.Log(highX)-math.Log(lowX))*(plotWidth-plotLeft-plotRight)
	}
	atY := func(v float64) float64 { return plotHeight - plotBottom - v/highY*(plotHeight-plotBottom-plotTop) }
	var b strings.Builder
	open(&b, plotHeight, y+" against "+x)
	for _, tick := range ticks(highY) {
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text class="soft" x="%d" y="%.1f" text-anchor="end">%g</text>`,
			plotLeft, plotWidth-plotRight, atY(tick), atY(tick), plotLeft-8, atY(tick)+4, tick)
	}
	seen := map[float64]bool{}
	var names []label
	for i, s := range all {
		class := fmt.Sprintf("s%d", i%6)
		path := ""
		for j, p := range s.points {
			path += fmt.Sprintf("%c%.1f %.1f", "ML"[min(j, 1)], atX(p.x), atY(p.y))
			fmt.Fprintf(&b, `<circle class="%s" cx="%.1f" cy="%.1f" r="3.5"/><line class="%s" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`,
				class, atX(p.x), atY(p.y), class, atX(p.x), atX(p.x), atY(p.low), atY(p.high))
			if !seen[p.x] {
				seen[p.x] = true
				fmt.Fprintf(&b, `<text class="soft" x="%.1f" y="%d" text-anchor="middle">%g</text>`, atX(p.x), plotHeight-plotBottom+18, p.x)
			}
		}
		last := s.points[len(s.points)-1]
		names = append(names, label{s.name, class, atY(last.y)})
		fmt.Fprintf(&b, `<path class="curve %s" d="%s"/>`, class, path)
	}
	for _, n := range apart(names) {
		fmt.Fprintf(&b, `<text class="%s" stroke="none" style="stroke:none" x="%d" y="%.1f">%s</text>`, n.class, plotWidth-plotRight+12, n.y+4, template.HTMLEscapeString(n.text))
	}
	fmt.Fprintf(&b, `<text class="soft" x="%d" y="12">%s</text>`, plotLeft, template.HTMLEscapeString(y))
	fmt.Fprintf(&b, `<text class="soft" x="%d" y="%d">%s</text></svg>`, plotLeft, plotHeight-4, template.HTMLEscapeString(x))
	return template.HTML(b.String()) //nolint:gosec // all text in it is escaped
}

// mergeX keeps the first of points with the same x.
func mergeX(points []point) []point {
	return slices.CompactFunc(points, func(a, b point) bool { return a.x == b.x })
}

type label struct {
	text, class string
	y           float64
}

// apart moves labels down until none covers another.
func apart(labels []label) []label {
	slices.SortFunc(labels, func(a, b label) int { return int(a.y - b.y) })
	for i := 1; i < len(labels); i++ {
		labels[i].y = max(labels[i].y, labels[i-1].y+15)
	}
	return labels
}

// ticks are up to six round numbers from zero to v.
func ticks(v float64) (all []float64) {
	if v <= 0 {
		return []float64{0}
	}
	step := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{0.1, 0.2, 0.5, 1, 2} {
		if v/(step*f) <= 6 {
			step *= f
			break
		}
	}
	for t := 0.0; t <= v*1.0001; t += step {
		all = append(all, math.Round(t*1e6)/1e6)
	}
	return all
}

func open(b *strings.Builder, height int, title string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`, plotWidth, height, template.HTMLEscapeString(title))
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
