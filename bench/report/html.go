package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"cores": coresText, "known": known, "orDash": knownOrZero, "percent": percent, "spread": rangeText,
	"mega":     func(v float64) string { return known(v/1e6, "%.2f") },
	"permille": func(v float64) string { return fmt.Sprintf("%.0f %%", v*100) },
	"phase":    func(r Row, name string) string { return fmt.Sprintf("%.1f", r.SetupMS[name].P50) },
}).Parse(reportPage))

// HTML is the report as one page that needs no network: tables and plots.
func HTML(r *Report) ([]byte, error) {
	var b bytes.Buffer
	err := reportTemplate.Execute(&b, struct {
		*Report
		Cost, Latency, Phases []template.HTML
		PhaseNames            []string
	}{r, costPlots(r), latencyPlots(r), phasePlots(r), phaseOrder})
	if err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return b.Bytes(), nil
}
