package target

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is the processor time that a process has used so far.
type Usage struct {
	Total        time.Duration // exact, by the scheduler
	User, System time.Duration // in ticks of 10 ms; only their proportion is used
	Waited       time.Duration // ready to run while somebody else had the processor
}

// ReadUsage sums over the threads of a process. Threads that ended are not in the sum,
// but Go keeps its threads.
func ReadUsage(pid int) (u Usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("read the processor time of process %d: %w", pid, err)
	}
	if u.User, u.System, err = parseStat(stat); err != nil {
		return u, fmt.Errorf("read the processor time of process %d: %w", pid, err)
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return u, err
	}
	for _, t := range threads {
		b, err := os.ReadFile(t)
		if err != nil {
			continue // it ended just now
		}
		if f := bytes.Fields(b); len(f) == 3 {
			ns, _ := strconv.ParseInt(string(f[0]), 10, 64)
			u.Total += time.Duration(ns)
			ns, _ = strconv.ParseInt(string(f[1]), 10, 64)
			u.Waited += time.Duration(ns)
		}
	}
	if u.Total == 0 { // a kernel without scheduler statistics
		u.Total = u.User + u.System
	}
	return u, nil
}

// parseStat takes fields 14 and 15; the name in field 2 may hold anything, even ")".
func parseStat(b []byte) (user, system time.Duration, err error) {
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0, 0, fmt.Errorf("stat has %d fields", len(f))
	}
	u, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	s, err := strconv.ParseInt(f[12], 10, 64)
	const tick = 10 * time.Millisecond
	return time.Duration(u) * tick, time.Duration(s) * tick, err
}

// ResidentMemory of a process in bytes, without file pages that others share; 0 where it cannot
// be read.
func ResidentMemory(pid int) uint64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// Stolen is the time that the hypervisor took from all processors so far.
func Stolen() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if f := strings.Fields(line); len(f) > 8 {
		n, _ := strconv.ParseInt(f[8], 10, 64)
		return time.Duration(n) * 10 * time.Millisecond
	}
	return 0
}

// Since returns what was used since an earlier reading.
func (u Usage) Since(before Usage) Usage {
	return Usage{Total: u.Total - before.Total, User: u.User - before.User, System: u.System - before.System, Waited: u.Waited - before.Waited}
}
