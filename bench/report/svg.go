package report

import (
	"html/template"
	"strings"
)

// A plot in a file of its own has no page that gives it colors.
const plotStyle = `<style>text{font:12px system-ui,sans-serif;fill:#1c2430}.soft{fill:#5c6773}.grid{stroke:#dfe3e8}` +
	`.s0{stroke:#0b63c5;fill:#0b63c5}.s1{stroke:#c2410c;fill:#c2410c}.s2{stroke:#15803d;fill:#15803d}.s3{stroke:#7e22ce;fill:#7e22ce}` +
	`.s4{stroke:#8a6d00;fill:#8a6d00}.s5{stroke:#6b7280;fill:#6b7280}path.curve{fill:none;stroke-width:2}rect{stroke:none}</style>` +
	`<rect width="100%" height="100%" fill="#fff"/>`

// SVG is every plot that the report has data for, by the name of its file.
func SVG(r *Report) map[string][]byte {
	files := map[string][]byte{}
	for name, plots := range map[string][]template.HTML{"cost.svg": costPlots(r), "latency.svg": latencyPlots(r), "setup.svg": phasePlots(r)} {
		for _, p := range plots {
			head, rest, _ := strings.Cut(string(p), ">")
			files[name] = []byte(head + ">" + plotStyle + rest + "\n")
		}
	}
	return files
}
