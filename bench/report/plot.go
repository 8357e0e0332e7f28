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
