package bench

import (
	"fmt"
	"strings"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// pathOf returns the path of a name to a target that has these relays.
func pathOf(name string, relays []target.Relay) (load.Path, error) {
	switch name {
	case report.PathUDP, report.PathReliable, report.PathLossy:
		return load.UDP{}, nil
	case report.PathTCP:
		return load.TCP{}, nil
	}
	if relay, ok := relayOf(name, relays); ok {
		return load.TURN{Server: load.TURNServer(relay)}, nil
	}
	return nil, fmt.Errorf("this target has no path %s", name)
}

// relayOf is the first relay that a path goes through.
func relayOf(path string, relays []target.Relay) (target.Relay, bool) {
	for _, r := range relays {
		if relayPath(r.URL) == path {
			return r, true
		}
	}
	return target.Relay{}, false
}

// relayPath is the name of the path through a relay; empty: the URL is of no relay.
// https://www.rfc-editor.org/rfc/rfc7065#section-3.1
func relayPath(url string) string {
	_, transport, _ := strings.Cut(url, "?transport=")
	switch {
	case strings.HasPrefix(url, "turns:"):
		return report.PathTURNTLS
	case !strings.HasPrefix(url, "turn:"):
		return ""
	case transport == "tcp":
		return report.PathTURNTCP
	}
	return report.PathTURN
}
