package report

import "time"

// Report is the result of a run, as --json writes it.
type Report struct {
	Machine   Machine       `json:"machine"`
	Generator Generator     `json:"generator"`
	Floor     []FloorRow    `json:"floor"`
	Rows      []Row         `json:"rows"`
	Refused   []Refused     `json:"refused"` // rows that are not reported
	Ramps     []Ramp        `json:"ramps,omitempty"`
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

// Media is what a publisher sends.
type Media struct {
	Codec     string  `json:"codec"`
	Rate      float64 `json:"bits_per_second"` // of the video
	FPS       int     `json:"fps"`
	Size      int     `json:"packet_bytes"` // of a video payload
	AudioSize int     `json:"audio_bytes"`  // of an Opus frame
	Pacing    string  `json:"pacing"`
	Simulcast bool    `json:"simulcast"`
	AudioOnly bool    `json:"audio_only"`
}

// Generator is what the generator measured of itself.
type Generator struct {
	// ErrorUS is the latency of packets that no server forwards.
	ErrorUS Quantiles `json:"latency_error_us"`
	// Ceiling is how many packets one core of the generator receives and decrypts per second;
	// CeilingSampled is the same when it decrypts one of eight.
	Ceiling        float64 `json:"ceiling_packets_per_second"`
	CeilingSampled float64 `json:"ceiling_sampled_packets_per_second"`
}

// Quantiles of a duration, in the unit that the field's name says.
type Quantiles struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}

// FloorRow is the least that forwarding costs at one fan-out, in one way of sending.
type FloorRow struct {
	Mode         string    `json:"mode"`
	Path         string    `json:"path"`
	Shape        string    `json:"shape"`
	Subscribers  int       `json:"subscribers"`
	Packets      Spread    `json:"packets_per_second"`
	Cost         Spread    `json:"cpu_us_per_packet"`
	User         float64   `json:"user_us_per_packet"`
	System       float64   `json:"system_us_per_packet"`
	Instructions Spread    `json:"instructions_per_packet"`
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
	CPUSpread    Spread    `json:"cpu_us_per_packet_spread"`
	User         float64   `json:"user_us_per_packet"`
	System       float64   `json:"system_us_per_packet"`
	Ratio        float64   `json:"ratio_to_floor"` // to gso beside it, median over the rounds
	RatioSpread  Spread    `json:"ratio_to_floor_spread"`
	RatioOf      string    `json:"ratio_of,omitempty"`      // what it compares: instructions, or time where those cannot be counted
	TimeRatio    Spread    `json:"time_ratio_to_floor"`     // of the processor time
	Instructions Spread    `json:"instructions_per_packet"` // of the server; 0: not counted
	ServerShare  float64   `json:"server_cpu_share"`        // of one core
	Bytes        float64   `json:"bytes_per_packet"`
	Latency      Quantiles `json:"latency_ms"`
	LatencyP99   Spread    `json:"latency_p99_ms_spread"`
	Loss         float64   `json:"loss"`
	Behind       float64   `json:"behind"`   // share of the packets that should have come and did not
	Repaired     float64   `json:"repaired"` // share of packets that came as a retransmission
	Starved      int       `json:"starved"`  // subscribers that received nothing in a window, at most
	JitterMS     float64   `json:"jitter_ms"`

	SetupMS map[string]Quantiles `json:"setup_ms"` // by phase, over all subscribers

	MemoryRest     uint64  `json:"memory_rest_bytes,omitempty"`
	MemoryPerPeer  float64 `json:"memory_per_subscriber_bytes,omitempty"`
	Allocs         float64 `json:"allocations_per_packet"` // -1: cannot be read
	WritesPer      float64 `json:"write_calls_per_packet"` // -1: cannot be read
	BatchSize      float64 `json:"packets_per_write"`      // -1: cannot be read
	GeneratorShare float64 `json:"generator_cpu_share"`    // of the cores that it may use
	LateMS         float64 `json:"generator_late_p99_ms"`  // how late its packets left
	Dropped        float64 `json:"generator_dropped"`      // share lost in its own buffers
	Stolen         float64 `json:"stolen_share"`           // of all processors, by the hypervisor
	Windows        int     `json:"windows"`                // that the medians are of
	LimitedBy      string  `json:"limited_by"`
	Operations     float64 `json:"operations_per_second,omitempty"` // messages, or calls
	Note           string  `json:"note,omitempty"`
}

// Refused is a row that is not reported, because its figures cannot be trusted or the target
// refused.
type Refused struct {
	Path        string `json:"path"`
	Shape       string `json:"shape"`
	Target      string `json:"target"`
	Subscribers int    `json:"subscribers"`
	Reason      string `json:"reason"`
}

// Ramp is the most subscribers that a target served within the limits.
type Ramp struct {
	Target      string  `json:"target"`
	Subscribers int     `json:"subscribers"`
	Packets     float64 `json:"packets_per_second"`
	CPU         float64 `json:"cpu_us_per_packet"`
	P99MS       float64 `json:"latency_p99_ms"`
	Loss        float64 `json:"loss"`
	LimitedBy   string  `json:"limited_by"` // what ended the ramp
}
