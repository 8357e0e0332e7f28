package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// usage of one process so far.
type usage struct {
	total        time.Duration // exact, by the scheduler
	user, system time.Duration // in ticks of 10 ms; only their proportion is used
	waited       time.Duration // ready to run while somebody else had the processor
}

// readUsage sums over the threads of a process. Threads that ended are not in the sum,
// but Go keeps its threads.
func readUsage(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("read the processor time of process %d: %w", pid, err)
	}
	if u.user, u.system, err = parseStat(stat); err != nil {
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
			u.total += time.Duration(ns)
			ns, _ = strconv.ParseInt(string(f[1]), 10, 64)
			u.waited += time.Duration(ns)
		}
	}
	if u.total == 0 { // a kernel without scheduler statistics
		u.total = u.user + u.system
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

// residentMemory of a process in bytes, without file pages that others share.
func residentMemory(pid int) uint64 {
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

// stolen is the time that the machine below took from all processors.
func stolen() time.Duration {
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

// startOn calls start with this thread tied to cores, which the new process inherits.
func startOn(cores []int, start func() error) error {
	if len(cores) == 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read the cores of this thread: %w", err)
	}
	if err := unix.SchedSetaffinity(0, setOf(cores)); err != nil {
		return fmt.Errorf("pin to cores %v: %w", cores, err)
	}
	err := start()
	_ = unix.SchedSetaffinity(0, &before) // it worked a moment ago
	return err
}

// pinSelf ties all threads of this process, and so all later ones, to cores.
func pinSelf(cores []int) error {
	if len(cores) == 0 {
		return nil
	}
	threads, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, _ := strconv.Atoi(filepath.Base(t))
		if err := unix.SchedSetaffinity(id, setOf(cores)); err != nil && err != unix.ESRCH {
			return fmt.Errorf("pin the generator to cores %v: %w", cores, err)
		}
	}
	runtime.GOMAXPROCS(len(cores))
	return nil
}

func setOf(cores []int) *unix.CPUSet {
	var set unix.CPUSet
	for _, c := range cores {
		set.Set(c)
	}
	return &set
}

// allowedCores are those that this process may use.
func allowedCores() (cores []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	for c := range 1024 {
		if set.IsSet(c) {
			cores = append(cores, c)
		}
	}
	return cores
}

// processorName is what the machine calls itself.
func processorName() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
