package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a report with something in every field.
func sample() *Report {
	row := func(target string, n int, cost float64) Row {
		return Row{
			Path: PathUDP, Shape: ShapeFanOut, Target: target, Subscribers: n, Publishers: 1, Slots: 4, Packets: 21000, PerCPU: 1e6 / cost,
			CPU: cost, CPUSpread: Spread{cost, cost - 0.1, cost + 0.1}, User: 1, System: cost - 1, Ratio: cost / 4, RatioSpread: Spread{cost / 4, cost/4 - 0.01, cost/4 + 0.01},
			RatioOf: RatioOfInstructions, TimeRatio: Spread{cost / 3, cost/3 - 0.2, cost/3 + 0.2}, Instructions: Spread{cost * 3000, cost * 2990, cost * 3010},
			ServerShare: 0.1, Bytes: 1000, Latency: Quantiles{1, 2, 3}, LatencyP99: Spread{2, 1.9, 2.1}, JitterMS: 0.5,
			SetupMS:    map[string]Quantiles{PhaseSignal: {1, 2, 3}, PhaseICE: {1, 1, 1}, PhaseDTLS: {4, 5, 6}, PhaseMedia: {2, 2, 2}},
			MemoryRest: 20e6, MemoryPerPeer: 2e5, Allocs: 0.01, WritesPer: 0.02, BatchSize: 50, GeneratorShare: 0.2, LateMS: 0.3, Windows: 5,
			LimitedBy: LimitedByLoad, Operations: 5, Note: "a note",
		}
	}
	return &Report{
		Machine:   Machine{Processor: "<Chip>", Cores: 2, Kernel: "Linux", Go: "go", Version: "1", Time: time.Unix(0, 0).UTC(), Command: "carillon bench", Server: []int{0}, Load: []int{1}, Netem: "loss=1%", Media: Media{Codec: "vp8", Rate: 1.536e6, FPS: 30, Size: 1200, AudioSize: 120, Pacing: "burst"}, Rounds: 5, Window: 1, Sample: 1},
		Generator: Generator{Quantiles{20, 80, 100}, 900_000, 1_800_000},
		Floor:     []FloorRow{{Mode: "gso", Path: PathUDP, Shape: ShapeFanOut, Subscribers: 100, Packets: Spread{21000, 20900, 21100}, Cost: Spread{4, 3.9, 4.1}, User: 1, System: 3, Instructions: Spread{12000, 11900, 12100}, Latency: Quantiles{1, 2, 3}, LimitedBy: LimitedByLoad}},
		Rows:      []Row{row("carillon", 10, 9), row("carillon", 100, 5), row("pion", 10, 20), row("pion", 100, 14)},
		Refused:   []Refused{{PathTURNTLS, ShapeFanOut, "carillon", 50, "a <reason>"}},
		Ramps:     []Ramp{{"carillon", 1000, 210000, 4, 20, 0.001, "loss"}},
		Compared:  []Comparison{{PathUDP, ShapeFanOut, 100, "carillon", "pion", 0.36, 0.5, 0.5, 0.7}},
		Partial:   true, Took: time.Minute,
	}
}

// TestTheReportKeepsItsNames: others read these files.
func TestTheReportKeepsItsNames(t *testing.T) {
	got, err := json.MarshalIndent(sample(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.json")
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want)) {
		t.Errorf("the report is not %s any more; if that is meant, run the test with -update:\n%s", golden, got)
	}
	var fields struct{ Rows []map[string]any }
	if err := json.Unmarshal(got, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"path", "shape", "target", "subscribers", "packets_per_second", "cpu_us_per_packet", "ratio_to_floor", "latency_ms", "loss", "limited_by"} {
		if _, ok := fields.Rows[0][name]; !ok {
			t.Errorf("a row has no %s", name)
		}
	}
}

func TestThePageNeedsNoNetworkAndEscapes(t *testing.T) {
	page, err := HTML(sample())
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?i)(src|href|url)\s*[=(]`).Find(page); found != nil {
		t.Errorf("the page refers to something outside: %s", found)
	}
	if bytes.Contains(page, []byte("<Chip>")) || bytes.Contains(page, []byte("<reason>")) {
		t.Error("text of the machine is not escaped")
	}
	if n := bytes.Count(page, []byte("<svg")); n != 3 {
		t.Errorf("%d plots, want 3", n)
	}
	if bytes.Contains(page, []byte("NaN")) || bytes.Contains(page, []byte("Inf")) {
		t.Error("a plot has a point that is no number")
	}
	if _, err := HTML(&Report{}); err != nil {
		t.Errorf("an empty report: %v", err)
	}
}

// TestPlotsStandAlone: they are shown in pages that know nothing of ours.
func TestPlotsStandAlone(t *testing.T) {
	files := SVG(sample())
	for _, name := range []string{"cost.svg", "latency.svg", "setup.svg"} {
		b := files[name]
		if err := xml.Unmarshal(b, new(struct{})); err != nil || !bytes.HasPrefix(b, []byte("<svg xmlns=")) || !bytes.Contains(b, []byte("<style>")) {
			t.Errorf("%s is no picture by itself: %v\n%.200s", name, err, b)
		}
	}
}

func TestMarkdownHasEveryRow(t *testing.T) {
	r := sample()
	text := string(Markdown(r))
	if n := strings.Count(text, "\n| udp |"); n != len(r.Rows) {
		t.Errorf("%d rows, want %d:\n%s", n, len(r.Rows), text)
	}
	for _, want := range []string{"carillon bench", "| gso |", "a <reason>"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

func TestTableAndCSVHaveEveryRow(t *testing.T) {
	var b bytes.Buffer
	if err := Table(&b, sample()); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"carillon", "pion", "floor gso", "not reported: turn-tls", "did not finish", "36", "most subscribers"} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("the table does not say %q:\n%s", text, b.String())
		}
	}
	text, err := CSV(sample())
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(lines) != 5 {
		t.Errorf("%d lines, %v; want a head and four rows of the same length", len(lines), err)
	}
}

func TestBaselineSaysWhatMoved(t *testing.T) {
	before, after := sample(), sample()
	if m := after.Differences(before); len(m) != 0 {
		t.Errorf("the same run moved: %v", m)
	}
	after.Rows[1].Ratio, after.Rows[1].RatioSpread = 2, Spread{2, 1.95, 2.05}
	after.Rows[3].LatencyP99 = Spread{4, 3, 5}
	after.Rows[2].Loss = 0.02
	var what []string
	for _, m := range after.Differences(before) {
		what = append(what, m.What)
	}
	slices.Sort(what)
	if got := strings.Join(what, ", "); got != "loss %, p99 ms, ratio to floor" {
		t.Errorf("moved: %s", got)
	}
	file := filepath.Join(t.TempDir(), "before.json")
	b, _ := json.Marshal(before)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if read, err := ReadBaseline(file); err != nil || len(after.Differences(read)) != 3 {
		t.Errorf("from the file: %v, %v", read, err)
	}
	if _, err := ReadBaseline(file + "x"); err == nil {
		t.Error("a baseline that is not there is accepted")
	}
	if err := os.WriteFile(file, []byte(`{"rows": 5}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadBaseline(file); err == nil {
		t.Error("a baseline of nonsense is accepted")
	}
}

func TestCompareDividesTheSameRows(t *testing.T) {
	all := Compare(sample().Rows, []string{"carillon", "pion"})
	if len(all) != 2 || all[1].Subscribers != 100 || all[1].CPU != 5.0/14 {
		t.Errorf("%+v", all)
	}
}
