package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
)

// CSV is one line per row, with the names of the JSON.
func CSV(r *Report) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := w.Write([]string{"path", "shape", "target", "subscribers", "packets_per_second", "packets_per_cpu_second",
		"cpu_us_per_packet", "cpu_us_min", "cpu_us_max", "user_us_per_packet", "system_us_per_packet", "instructions_per_packet", "ratio_to_floor", "ratio_of", "time_ratio_to_floor", "bytes_per_packet",
		"latency_p50_ms", "latency_p99_ms", "latency_p999_ms", "loss", "jitter_ms", "memory_rest_bytes", "memory_per_subscriber_bytes",
		"allocations_per_packet", "packets_per_write", "generator_cpu_share", "operations_per_second", "limited_by"})
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, x := range r.Rows {
		if err != nil {
			break
		}
		err = w.Write([]string{x.Path, x.Shape, x.Target, strconv.Itoa(x.Subscribers), number(x.Packets), number(x.PerCPU),
			number(x.CPU), number(x.CPUSpread.Min), number(x.CPUSpread.Max), number(x.User), number(x.System),
			number(x.Instructions.Median), number(x.Ratio), x.RatioOf, number(x.TimeRatio.Median), number(x.Bytes),
			number(x.Latency.P50), number(x.Latency.P99), number(x.Latency.P999), number(x.Loss), number(x.JitterMS),
			strconv.FormatUint(x.MemoryRest, 10), number(x.MemoryPerPeer), number(x.Allocs), number(x.BatchSize), number(x.GeneratorShare),
			number(x.Operations), x.LimitedBy})
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return b.Bytes(), err
}
