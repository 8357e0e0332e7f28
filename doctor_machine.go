package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// checkData says whether carillon can write its data folder, without writing there while
// another uses it.
func checkData(folder string, server *running, running error) finding {
	const check = "data"
	f := finding{Check: check, Status: statusProblem, Suffers: "carillon does not start, or refuses every message", Change: "set data to a folder of the user that runs carillon"}
	if running != nil {
		f.Status, f.Found = statusWarning, fmt.Sprintf("%s: %v", folder, running)
		f.Suffers, f.Change = "nothing, unless it stays so", "run doctor again as the user that runs carillon, when it has printed ready"
		return f
	}
	info, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		above := filepath.Dir(folder)
		for _, err := os.Stat(above); err != nil && above != filepath.Dir(above); _, err = os.Stat(above) {
			above = filepath.Dir(above)
		}
		if err := unix.Access(above, unix.W_OK|unix.X_OK); err != nil {
			f.Found = fmt.Sprintf("%s does not exist, and this user may not make it in %s", folder, above)
			return f
		}
		return ok(check, "%s will be made at the first start", folder)
	}
	if err != nil {
		f.Found = err.Error()
		return f
	}
	if !info.IsDir() {
		f.Found = folder + " is not a folder"
		return f
	}
	if err := unix.Access(folder, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		f.Found = fmt.Sprintf("this user may not read and write %s", folder)
		return f
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(folder, &disk); err == nil {
		if free := disk.Bavail * uint64(disk.Bsize); free < 100<<20 {
			f.Found, f.Change = fmt.Sprintf("the disk of %s has %d MiB left", folder, free>>20), "make room"
			f.Suffers = "when it is full, messages are refused"
			return f
		}
	}
	if info.Mode().Perm()&0o077 != 0 {
		f.Status, f.Found = statusWarning, fmt.Sprintf("%s can be read by other users of this machine (mode %04o)", folder, info.Mode().Perm())
		f.Suffers, f.Change = "others may read messages and the secrets that sign tokens", "chmod 700 "+folder
		return f
	}
	if server != nil {
		return ok(check, "%s is in use by carillon (pid %d)", folder, server.pid)
	}
	return ok(check, "%s can be written", folder)
}

// checkBuffers compares what the media socket asks for with what the kernel gives.
func checkBuffers(wanted int) finding {
	const check = "socket buffers"
	var small []string
	for _, name := range []string{"rmem_max", "wmem_max"} {
		text, err := os.ReadFile("/proc/sys/net/core/" + name)
		if err != nil {
			return skipped(check, "the kernel does not show its limits: %v", err)
		}
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && n < wanted {
			small = append(small, fmt.Sprintf("net.core.%s=%d", name, n))
		}
	}
	if len(small) == 0 {
		return ok(check, "the kernel gives the media port the %d bytes it asks for", wanted)
	}
	return finding{
		check, statusWarning, fmt.Sprintf("the kernel cuts the buffers of the media port (%d bytes wanted, %s)", wanted, strings.Join(small, ", ")),
		"with many calls at once, packets of a burst are lost: frozen pictures and gaps in the sound",
		fmt.Sprintf("sysctl -w net.core.rmem_max=%d net.core.wmem_max=%[1]d, and the same in /etc/sysctl.d", wanted),
	}
}

// Descriptors are sockets and files. Below few, a busy site runs out of them.
const fewDescriptors = 16384

// checkDescriptors looks at the limit of the running server, else at our own, which a
// start from here would have.
func checkDescriptors(server *running) finding {
	const check = "descriptors"
	limit, whose := uint64(0), "a start from here"
	if server != nil {
		whose = fmt.Sprintf("the running carillon (pid %d)", server.pid)
		limit = limitOf(server.pid)
	}
	if limit == 0 {
		var l unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
			return skipped(check, "the kernel does not tell: %v", err)
		}
		limit = l.Max // Go raises the soft limit to it
	}
	if limit >= fewDescriptors {
		return ok(check, "%s may open %d files and sockets", whose, limit)
	}
	return finding{
		check, statusWarning, fmt.Sprintf("%s may open only %d files and sockets; each tab needs one, and each relay one or two", whose, limit),
		"when they are used up, new tabs cannot connect and relays do not open", "LimitNOFILE=65536 in the systemd unit, or ulimit -n 65536",
	}
}

// limitOf reads the limit of a process in use; 0 when it may not be read.
func limitOf(pid int) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "Max open files"); found {
			if fields := strings.Fields(rest); len(fields) > 0 {
				n, _ := strconv.ParseUint(fields[0], 10, 64)
				return n
			}
		}
	}
	return 0
}

// clockCheck knows when doctor started, by both clocks.
type clockCheck struct{ started time.Time }

func startClock() clockCheck { return clockCheck{time.Now()} }

// jump is by how much the wall clock may move against the steady one while doctor runs:
// a time service that slews stays far below.
const jump = 500 * time.Millisecond

// check compares this machine's clock with the running server's, with the steady clock, and
// with what the kernel knows of it. Ahead, the server's clock against ours, is nil when no
// server answered.
func (c clockCheck) check(ahead *time.Duration, leeway int) []finding {
	const check = "clock"
	now := time.Now()
	change := "run a time service (systemd-timesyncd, chrony) on this machine and on your backend"
	suffers := fmt.Sprintf("tokens of your backend count as expired or not yet valid when clocks differ by more than %d seconds (auth.leeway_seconds): nobody can sign in", leeway)
	var all []finding
	wall := now.Round(0).Sub(c.started.Round(0)) // Round strips the steady reading
	switch {
	case now.Year() < 2026:
		all = append(all, finding{check, statusProblem, fmt.Sprintf("it says %s", now.UTC().Format(time.DateTime)), suffers, change})
	case (wall - now.Sub(c.started)).Abs() > jump:
		all = append(all, finding{check, statusWarning, fmt.Sprintf("it jumped by %s while doctor ran", (wall - now.Sub(c.started)).Round(time.Millisecond)), suffers, change})
	case ahead == nil:
		all = append(all, ok(check, "%s, and it runs evenly", now.UTC().Format(time.DateTime)))
	case ahead.Abs() > 2*time.Second: // a Date header has whole seconds
		all = append(all, finding{check, statusWarning, fmt.Sprintf("the clock of the running carillon differs by %s from that of this command", ahead.Round(time.Second)), suffers, change})
	default:
		all = append(all, ok(check, "%s, the same as the running carillon's, and it runs evenly", now.UTC().Format(time.DateTime)))
	}
	return append(all, timeService(suffers, change))
}
