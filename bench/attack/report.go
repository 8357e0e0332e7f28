package main

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

var columns = []string{
	"flood", "who", "binary", "hello ms", "failed", "message ms", "failed", "media ms", "lost",
	"cores", "memory MB", "sockets", "disk MB/s", "stop s", "the attacker",
}

// cells are the figures of a row in words: of what takes time the median and the 99th percentile.
func (r row) cells() []string {
	died := ""
	if r.Died != "" {
		died = "THE SERVER DIED; "
	}
	mb := func(n uint64) float64 { return float64(n) / 1e6 }
	return []string{
		r.Flood, r.Who, r.Binary,
		r.Hello.times(), r.Hello.share(), r.Message.times(), r.Message.share(), r.Media.times(), r.Media.share(),
		fmt.Sprintf("%.2f", r.Cores),
		fmt.Sprintf("%.0f → %.0f → %.0f", mb(r.Memory.Before), mb(r.Memory.Peak), mb(r.Memory.After)),
		fmt.Sprint(r.Sockets), fmt.Sprintf("%.2f", r.Disk/1e6), fmt.Sprintf("%.1f", r.Stop.Seconds()), died + r.Got,
	}
}

func (f figures) times() string {
	if f.Count == f.Failed {
		return "–"
	}
	return fmt.Sprintf("%s / %s", milliseconds(f.Median), milliseconds(f.P99))
}

func milliseconds(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.0f", d.Seconds()*1000)
}

func (f figures) share() string {
	if f.Count == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3g %%", 100*float64(f.Failed)/float64(f.Count))
}

func printTable(to io.Writer, rows []row) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r.cells(), "\t"))
	}
	return t.Flush()
}

func markdown(rows []row) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r.cells(), " | "))
	}
	return []byte(b.String())
}

// plot draws for each flood and binary how long honest users waited for a greeting, for the
// answer to a message, and for a packet of sound: a bar up to the median and a line up to the 99th
// percentile, on a logarithmic scale from 0.1 ms to 10 s. What never came is told at its end.
func plot(rows []row) []byte {
	const (
		width, left, right = 900, 190, 90
		lineHeight         = 14
		rowHeight          = 3*lineHeight + 12
		top                = 40
	)
	at := func(d time.Duration) float64 {
		return left + logarithm(d)*(width-left-right)
	}
	var b strings.Builder
	height := top + rowHeight*len(rows) + 10
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="What honest users felt">`, width, height)
	b.WriteString(`<style>text{font:12px system-ui,sans-serif;fill:#1c2430}.grid{stroke:#dfe3e8}.hello{fill:#0b63c5;stroke:#0b63c5}.message{fill:#c2410c;stroke:#c2410c}.media{fill:#15803d;stroke:#15803d}</style><rect width="100%" height="100%" fill="#fff"/>`)
	for d := 100 * time.Microsecond; d <= 10*time.Second; d *= 10 {
		fmt.Fprintf(&b, `<line class="grid" x1="%.0f" x2="%.0f" y1="%d" y2="%d"/><text x="%.0f" y="%d" text-anchor="middle">%s</text>`, at(d), at(d), top-10, height, at(d), top-16, d)
	}
	for i, r := range rows {
		y := top + i*rowHeight
		fmt.Fprintf(&b, `<text x="8" y="%d">%s</text><text x="8" y="%d" opacity=".6">%s</text>`, y+12, html.EscapeString(r.Flood), y+28, html.EscapeString(r.Binary))
		for j, f := range []struct {
			name string
			figures
		}{{"hello", r.Hello}, {"message", r.Message}, {"media", r.Media}} {
			y := y + j*lineHeight
			fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%.1f" height="8" stroke="none"/><line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`,
				left-6, y+11, f.name, f.name, left, y+3, at(f.Median)-left, f.name, at(f.Median), at(f.P99), y+7, y+7)
			if f.Failed > 0 {
				fmt.Fprintf(&b, `<text x="%d" y="%d">%s failed</text>`, width-right+6, y+11, f.share())
			}
		}
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// logarithm places a time between 0.1 ms (0) and 10 s (1).
func logarithm(d time.Duration) float64 {
	const lowest, decades = 100 * time.Microsecond, 5
	return min(max(math.Log10(float64(d)/float64(lowest))/decades, 0), 1)
}
