package target

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// startOn calls start while this thread is pinned to cores, which the new process inherits.
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

// PinSelf pins all threads of this process to cores; later threads inherit that.
func PinSelf(cores []int) error {
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

// AllowedCores are those that this process may use.
func AllowedCores() (cores []int) {
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
