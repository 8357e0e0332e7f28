package target

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Instructions count what all threads of a process execute, in the kernel too. On a
// machine that is shared, the time of the same work differs by a factor of two from one
// second to the next, depending on what the neighbours do to the caches; the number of
// instructions does not.
// https://man7.org/linux/man-pages/man2/perf_event_open.2.html
type Instructions []int // descriptors, one per thread

// CountInstructions needs a processor that counts and the right to read it: root, CAP_PERFMON, or
// kernel.perf_event_paranoid of 1 or less. Threads that begin later are counted with
// those that begin them; one that begins right now may be missed, so call it when the
// process rests.
func CountInstructions(pid int) (c Instructions, err error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, fmt.Errorf("count instructions: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("count instructions: %w", err), c.Close())
		}
		fd, err := unix.PerfEventOpen(&unix.PerfEventAttr{
			Type: unix.PERF_TYPE_HARDWARE, Config: unix.PERF_COUNT_HW_INSTRUCTIONS, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
			Bits: unix.PerfBitInherit | unix.PerfBitExcludeHv,
		}, id, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		switch {
		case err == unix.ESRCH: // it ended just now
		case err != nil:
			return nil, errors.Join(fmt.Errorf("count instructions: %w", err), c.Close())
		default:
			c = append(c, fd)
		}
	}
	return c, nil
}

// Read returns the number so far.
func (c Instructions) Read() (sum uint64, err error) {
	var b [8]byte
	for _, fd := range c {
		if _, err := unix.Read(fd, b[:]); err != nil {
			return 0, fmt.Errorf("read the count of instructions: %w", err)
		}
		sum += binary.NativeEndian.Uint64(b[:])
	}
	return sum, nil
}

// Close ends the counting.
func (c Instructions) Close() (err error) {
	for _, fd := range c {
		err = errors.Join(err, unix.Close(fd))
	}
	return err
}
