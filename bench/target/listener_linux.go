package target

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ListenerOf finds the process on this machine that listens where a URL points, so that
// its processor time can be read; 0 when it is elsewhere, or when this user may not see it.
func ListenerOf(text string) int {
	u, err := url.Parse(text)
	if err != nil {
		return 0
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || !isLocal(u.Hostname()) {
		return 0
	}
	inodes := listeningInodes(uint16(number))
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, f := range files {
		target, err := os.Readlink(f)
		if err == nil && inodes[target] {
			pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
			return pid
		}
	}
	return 0
}

func isLocal(host string) bool {
	addresses, err := net.LookupHost(host)
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs()
	for _, text := range addresses {
		a, err := netip.ParseAddr(text)
		if err == nil && a.IsLoopback() {
			return true
		}
		for _, o := range own {
			if p, err := netip.ParsePrefix(o.String()); err == nil && p.Addr() == a {
				return true
			}
		}
	}
	return false
}

// listeningInodes are the sockets in the state LISTEN on a port, as /proc/PID/fd names them.
func listeningInodes(port uint16) map[string]bool {
	all := map[string]bool{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(file)
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				all["socket:["+f[9]+"]"] = true
			}
		}
	}
	return all
}
