package bench

import (
	"fmt"
	"slices"
	"time"
)

// Report is the result of a run, as --json writes it.
type Report struct {
	Machine   Machine       `json:"machine"`
	Generator Generator     `json:"generator"`
	Floor     []FloorRow    `json:"floor"`
	Rows      []Row         `json:"rows"`
	Refused   []Refused     `json:"refused"` // rows that we do not report because we were the limit
	Ramps     []RampResult  `json:"ramps,omitempty"`
	Compared  []Comparison  `json:"compared,omitempty"`
	Partial   bool          `json:"partial,omitempty"` // the run was interrupted
	Took      time.Duration `json:"took_ns"`
}

// Machine is where the run was made and how.
type Machine struct {
	Processor string    `json:"processor"`
	Cores     int       `json:"cores"`
	Kernel    string    `json:"kernel"`
	Go        string    `json:"go"`
	Version   string    `json:"version"`
	Time      time.Time `json:"time"`
	Command   string    `json:"command"`
	Server    []int     `json:"server_cores"` // empty: any
	Load      []int     `json:"load_cores"`
	Netem     string    `json:"netem,omitempty"`
	Media     Media     `json:"media"`
	Rounds    int       `json:"rounds"`
	Window    float64   `json:"window_s"`
	Sample    int       `json:"sample"`
	Uncounted string    `json:"instructions_uncounted,omitempty"` // why instructions could not be counted
}

// Generator is what the load generator found out about itself.
type Generator struct {
	// ErrorUS is how late a packet seems that no server has touched: sent to ourselves.
	ErrorUS Quantiles `json:"latency_error_us"`
	// Ceiling is the most packets per second that one core of ours receives, decrypts and
	// times, and the same when it opens one of eight.
	Ceiling        float64 `json:"ceiling_packets_per_second"`
	CeilingSampled float64 `json:"ceiling_sampled_packets_per_second"`
}

// Quantiles of a duration, in the unit that the field's name says.
type Quantiles struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}

// FloorRow is what forwarding costs at least, at one fan-out.
type FloorRow struct {
	Mode         floorMode `json:"mode"`
	Path         string    `json:"path"`
	Shape        string    `json:"shape"`
	Subscribers  int       `json:"subscribers"`
	Packets      spread    `json:"packets_per_second"`
	Cost         spread    `json:"cpu_us_per_packet"`
	User         float64   `json:"user_us_per_packet"`
	System       float64   `json:"system_us_per_packet"`
	Instructions spread    `json:"instructions_per_packet"`
	Latency      Quantiles `json:"latency_ms"`
	Loss         float64   `json:"loss"`
	LimitedBy    string    `json:"limited_by"`
}

// Row is one target measured on one path in one shape. Costs are zero when the server's
// process is not known.
type Row struct {
	Path         string    `json:"path"`
	Shape        string    `json:"shape"`
	Target       string    `json:"target"`
	Subscribers  int       `json:"subscribers"`
	Publishers   int       `json:"publishers"`
	Slots        int       `json:"slots,omitempty"`
	Packets      float64   `json:"packets_per_second"` // forwarded, that is received by subscribers
	PerCPU       float64   `json:"packets_per_cpu_second"`
	CPU          float64   `json:"cpu_us_per_packet"` // median of the windows
	CPUSpread    spread    `json:"cpu_us_per_packet_spread"`
	User         float64   `json:"user_us_per_packet"`
	System       float64   `json:"system_us_per_packet"`
	Ratio        float64   `json:"ratio_to_floor"` // to gso beside it, median over the rounds
	RatioSpread  spread    `json:"ratio_to_floor_spread"`
	RatioOf      string    `json:"ratio_of,omitempty"`      // what it compares: instructions, or time where those cannot be counted
	TimeRatio    spread    `json:"time_ratio_to_floor"`     // of the processor time
	Instructions spread    `json:"instructions_per_packet"` // of the server; 0: not counted
	ServerShare  float64   `json:"server_cpu_share"`        // of one core
	Bytes        float64   `json:"bytes_per_packet"`
	Latency      Quantiles `json:"latency_ms"`
	LatencyP99   spread    `json:"latency_p99_ms_spread"`
	Loss         float64   `json:"loss"`
	Behind       float64   `json:"behind"`   // share of the packets owed that the server had not sent on yet
	Repaired     float64   `json:"repaired"` // share of packets that came as a retransmission
	Starved      int       `json:"starved"`  // most subscribers that received nothing in a window
	JitterMS     float64   `json:"jitter_ms"`

	SetupMS map[string]Quantiles `json:"setup_ms"` // by phase, over all subscribers

	MemoryRest     uint64  `json:"memory_rest_bytes,omitempty"`
	MemoryPerPeer  float64 `json:"memory_per_subscriber_bytes,omitempty"`
	Allocs         float64 `json:"allocations_per_packet"` // -1: cannot be read
	WritesPer      float64 `json:"write_calls_per_packet"` // -1: cannot be read
	BatchSize      float64 `json:"packets_per_write"`      // -1: cannot be read
	GeneratorShare float64 `json:"generator_cpu_share"`    // of the cores that we may use
	LateMS         float64 `json:"generator_late_p99_ms"`  // how late our packets left
	Dropped        float64 `json:"generator_dropped"`      // share lost in our own buffers
	Stolen         float64 `json:"stolen_share"`           // of the machine, by the one below it
	Windows        int     `json:"windows"`                // that the medians are of
	LimitedBy      string  `json:"limited_by"`
	Operations     float64 `json:"operations_per_second,omitempty"` // messages, or calls
	Note           string  `json:"note,omitempty"`
}

// What a row's ratio to the floor compares.
const (
	ratioOfInstructions = "instructions"
	ratioOfTime         = "time"
)

// Refused is a row that we cannot vouch for.
type Refused struct {
	Path        string `json:"path"`
	Shape       string `json:"shape"`
	Target      string `json:"target"`
	Subscribers int    `json:"subscribers"`
	Reason      string `json:"reason"`
}

// rowOf makes a row of a bed's windows. beside are the floor's, round by round.
func rowOf(g group, b *bed, beside []window) (Row, *Refused) {
	good, refused := trusted(b.windows)
	if refused != "" {
		return Row{}, &Refused{g.path, g.shape, b.target, g.subscribers, refused}
	}
	r := Row{
		Path: g.path, Shape: g.shape, Target: b.target, Subscribers: g.subscribers, Publishers: 1,
		CPUSpread: over(good, window.cost), Windows: len(good), SetupMS: map[string]Quantiles{},
		Packets:     over(good, window.packetRate).Median,
		Bytes:       over(good, func(w window) float64 { return ratio(float64(w.counts.bytes), float64(w.counts.packets)) }).Median,
		Loss:        over(good, window.loss).Median,
		Behind:      over(good, window.behind).Median,
		Repaired:    over(good, func(w window) float64 { return ratio(float64(w.counts.repaired), float64(w.counts.fresh)) }).Median,
		LatencyP99:  over(good, func(w window) float64 { return milliseconds(w.latency.quantile(0.99)) }),
		JitterMS:    over(good, func(w window) float64 { return w.jitter.Median }).Median,
		LimitedBy:   limitOf(good),
		ServerShare: over(good, func(w window) float64 { return float64(w.server.total) / float64(w.length) }).Median,
		MemoryRest:  b.memory.rest, MemoryPerPeer: b.memory.perPeer(),
		GeneratorShare: over(good, func(w window) float64 {
			return float64(w.self.total) / float64(w.length) / float64(max(b.generator, 1))
		}).Median,
		LateMS:  over(good, func(w window) float64 { return milliseconds(w.late.quantile(0.99)) }).Median,
		Dropped: over(good, func(w window) float64 { return ratio(float64(w.counts.dropped), float64(w.counts.packets)) }).Median,
		Stolen:  over(good, func(w window) float64 { return float64(w.stolen) / float64(w.length) }).Median,
		Latency: quantilesOf(good),
		Allocs:  -1, WritesPer: -1, BatchSize: -1,
	}
	if g.shape == ShapeRoom {
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
	r.TimeRatio = besides(b.windows, beside, window.cost)
	if r.TimeRatio.Median > 0 {
		r.RatioOf, r.RatioSpread = ratioOfTime, r.TimeRatio
	}
	if counted := besides(b.windows, beside, instructions); counted.Median > 0 {
		r.RatioOf, r.RatioSpread = ratioOfInstructions, counted
	}
	r.Ratio = r.RatioSpread.Median
	if b.proc != nil && !b.proc.plain {
		r.Allocs = over(good, func(w window) float64 { return ratio(float64(w.runtime.Mallocs), float64(w.counts.packets)) }).Median
		if good[0].runtime.Writes > 0 {
			r.WritesPer = over(good, func(w window) float64 { return ratio(float64(w.runtime.Writes), float64(w.runtime.Out)) }).Median
			r.BatchSize = share(1, r.WritesPer)
		}
	}
	for phase, all := range b.setup {
		var h histogram
		for _, d := range all {
			h.add(int64(d))
		}
		r.SetupMS[phase] = inMilliseconds(&h)
	}
	return r, nil
}

// trusted drops the windows in which we, or the machine, were the limit. When those
// are the most, nothing is left to report.
func trusted(all []window) (good []window, refused string) {
	for _, w := range all {
		if w.limited != LimitedByGenerator && w.limited != LimitedByMachine {
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
	best := LimitedByLoad
	for _, w := range windows {
		if count[w.limited]++; count[w.limited]*2 > len(windows) {
			best = w.limited
		}
	}
	return best
}

// besides is the ratio of costs in the same round, over the rounds.
func besides(windows, floor []window, cost func(window) float64) spread {
	var all []float64
	for i := range min(len(windows), len(floor)) {
		if a, b := cost(windows[i]), cost(floor[i]); windows[i].limited != LimitedByGenerator && a > 0 && b > 0 {
			all = append(all, a/b)
		}
	}
	return spreadOf(all)
}

func instructions(w window) float64 { return w.instructions }

func over(windows []window, f func(window) float64) spread {
	values := make([]float64, len(windows))
	for i, w := range windows {
		values[i] = f(w)
	}
	return spreadOf(values)
}

func (w window) packetRate() float64 { return float64(w.counts.packets) / w.length.Seconds() }

func (m memory) perPeer() float64 {
	if m.peers == 0 || m.loaded <= m.rest {
		return 0
	}
	return float64(m.loaded-m.rest) / float64(m.peers)
}

// quantilesOf takes the median of each window's quantiles: one bad window is not the row.
func quantilesOf(windows []window) Quantiles {
	at := func(q float64) float64 {
		return over(windows, func(w window) float64 { return milliseconds(w.latency.quantile(q)) }).Median
	}
	return Quantiles{at(0.5), at(0.99), at(0.999)}
}

func inMilliseconds(h *histogram) Quantiles {
	return Quantiles{milliseconds(h.quantile(0.5)), milliseconds(h.quantile(0.99)), milliseconds(h.quantile(0.999))}
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func floorRowOf(g group, mode floorMode, windows []window) FloorRow {
	r := FloorRow{
		Mode: mode, Path: PathUDP, Shape: g.shape, Subscribers: g.subscribers,
		Packets: over(windows, window.packetRate), Cost: over(windows, window.cost),
		Latency: quantilesOf(windows), Loss: over(windows, window.loss).Median, LimitedBy: limitOf(windows),
		Instructions: over(windows, instructions),
	}
	r.User = r.Cost.Median * userShare(windows)
	r.System = r.Cost.Median - r.User
	return r
}
