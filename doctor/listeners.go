package doctor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// listening is an address of the configuration that carillon binds.
type listening struct {
	key       string
	name      string // of its line in what carillon prints
	transport string // "udp" or "tcp"
	address   string
}

// listeners are all that serve would bind. What shares a port is listed once.
func listeners(s Subject) []listening {
	site := "http"
	if s.HTTP.Cert != "" || len(s.HTTP.ACME) > 0 {
		site = "https"
	}
	list := []listening{
		{"http.listen", site, "tcp", s.HTTP.Listen},
		{"media.listen", "media-udp", "udp", s.Media.Listen},
	}
	if !s.Media.NoTCP && s.Media.Listen != s.HTTP.Listen {
		list = append(list, listening{"media.listen", "media-tcp", "tcp", s.Media.Listen})
	}
	if !s.Turn.Off {
		for _, t := range []struct {
			key, name, transport string
			addresses            []string
		}{
			{"turn.udp", "turn-udp", "udp", s.Turn.UDP},
			{"turn.tcp", "turn-tcp", "tcp", s.Turn.TCP},
			{"turn.tls", "turn-tls", "tcp", slices.DeleteFunc(slices.Clone(s.Turn.TLS), func(a string) bool { return a == s.HTTP.Listen })},
		} {
			for _, a := range t.addresses {
				list = append(list, listening{t.key, t.name, t.transport, a})
			}
		}
	}
	return append(list, listening{"private.listen", "private", "tcp", s.Private})
}

// checkListeners asks of each address whether it can be bound, or is served already.
func checkListeners(s Subject, server *running) []Finding {
	var all []Finding
	seen := map[string]string{} // transport and address: its key
	for _, l := range listeners(s) {
		a, err := netip.ParseAddrPort(l.address)
		if err != nil {
			continue // the configuration's check names it
		}
		if server != nil {
			all = append(all, l.served(a, server))
			continue
		}
		at := l.transport + " " + l.address
		if other := seen[at]; other != "" && a.Port() != 0 {
			all = append(all, Finding{
				l.key, StatusProblem, fmt.Sprintf("%s is named by %s too", at, other), "carillon does not start",
				fmt.Sprintf("set %s to another address; only http.listen, turn.tls and the TCP side of media.listen can share one", l.key),
			})
			continue
		}
		seen[at] = l.key
		bound, err := l.bind()
		if err == nil {
			defer bound.Close() // so that 0.0.0.0 and 127.0.0.1 are seen to collide
		}
		all = append(all, l.judge(err))
	}
	return all
}

func (l listening) served(a netip.AddrPort, server *running) Finding {
	at := fmt.Sprintf("%s %s", l.transport, l.address)
	switch {
	case a.Port() == 0 && server.url(l.name) != "":
		return ok(l.key, "%s is served by carillon (pid %d) as %s", at, server.pid, server.url(l.name))
	case server.serves(l.name, a.Port()):
		return ok(l.key, "%s is served by carillon (pid %d)", at, server.pid)
	}
	return Finding{
		l.key, StatusWarning, fmt.Sprintf("%s is configured, but carillon (pid %d) runs without it", at, server.pid),
		"nobody can connect there", "restart carillon, with the same configuration, flags and variables as this command",
	}
}

func (l listening) bind() (io.Closer, error) {
	if l.transport == "udp" {
		return net.ListenPacket("udp", l.address)
	}
	return net.Listen("tcp", l.address)
}

// judge says what an error of bind means.
func (l listening) judge(err error) Finding {
	if err == nil {
		return ok(l.key, "%s %s can be bound", l.transport, l.address)
	}
	f := Finding{Check: l.key, Status: StatusProblem, Suffers: "carillon does not start"}
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		f.Found = fmt.Sprintf("%s %s is taken by another program", l.transport, l.address)
		f.Change = fmt.Sprintf("end that program (ss -lnp shows it), or set %s to another address", l.key)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		f.Found = fmt.Sprintf("%s is not an address of this machine", l.address)
		f.Change = fmt.Sprintf("set %s to an address that `ip address` shows, or to 0.0.0.0 or [::] for all of them", l.key)
	case errors.Is(err, unix.EACCES):
		f.Found = fmt.Sprintf("this user may not bind %s %s", l.transport, l.address)
		f.Change = fmt.Sprintf("let carillon use ports below 1024 (AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit), or set %s to a higher port", l.key)
	default:
		f.Found = err.Error()
		f.Change = fmt.Sprintf("set %s to another address", l.key)
	}
	return f
}
