package doctor

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// checkBuffers compares what the media socket asks for with what the kernel gives.
func checkBuffers(wanted int) Finding {
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
	return Finding{
		check, StatusWarning, fmt.Sprintf("the kernel cuts the buffers of the media port (%d bytes wanted, %s)", wanted, strings.Join(small, ", ")),
		"with many calls at once, packets of a burst are lost: frozen pictures and gaps in the sound",
		fmt.Sprintf("sysctl -w net.core.rmem_max=%d net.core.wmem_max=%[1]d, and the same in /etc/sysctl.d", wanted),
	}
}

// fewDescriptors is how many sockets and files a busy site needs.
const fewDescriptors = 16384

// checkDescriptors looks at the limit of the running server, else at our own, which a
// start from here would have.
func checkDescriptors(server *running) Finding {
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
	return Finding{
		check, StatusWarning, fmt.Sprintf("%s may open only %d files and sockets; each tab needs one, and each relay one or two", whose, limit),
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
