package main

import (
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/config"
	"carillon/sfu"
	"carillon/turn"
	"carillon/wire"
)

// embeddedTURN serves relays that reach our own media address and nothing else. It is nil
// when turn.off is set.
func embeddedTURN(c turn.Config, folder string, media *sfu.SFU, advertise []string, log *slog.Logger, reg prometheus.Registerer) (*turn.Server, error) {
	if c.Off {
		return nil, nil
	}
	if runtime.GOOS != "linux" {
		log.Warn("the TURN server needs Linux: calls from behind hard NATs will fail unless [ice] names another one")
		return nil, nil
	}
	if len(c.Secrets) == 0 {
		secret, err := config.Secret(folder, "turn")
		if err != nil {
			return nil, err
		}
		c.Secrets = []string{string(secret)}
	}
	bound, _ := media.Addresses()
	for _, shown := range shownAddresses(bound.Addr(), advertise) {
		c.Media = append(c.Media, turn.Media{Advertised: netip.AddrPortFrom(shown, bound.Port()), Bound: bound})
	}
	server, err := turn.New(c, log, reg)
	if err != nil {
		return nil, err // it names the key
	}
	return server, nil
}

// iceServers are what a user's tabs use to reach us: our own relays, and those of [ice].
func iceServers(relays *turn.Server, others config.ICE) func(user string) []wire.ICEServer {
	return func(user string) (list []wire.ICEServer) {
		now := time.Now()
		if relays != nil {
			for _, s := range relays.ICEServers(user, now) {
				list = append(list, wire.ICEServer(s))
			}
		}
		if len(others.URLs) > 0 {
			server := wire.ICEServer{URLs: others.URLs}
			if others.Secret != "" {
				server.Username, server.Credential = turn.Credential(others.Secret, user, now.Add(others.TTL()))
			}
			list = append(list, server)
		}
		return list
	}
}

// shownAddresses are those under which clients know the media port.
func shownAddresses(bound netip.Addr, advertise []string) (shown []netip.Addr) {
	for _, a := range advertise {
		if ip, err := netip.ParseAddr(a); err == nil {
			shown = append(shown, ip)
		}
	}
	if len(shown) > 0 || !bound.IsUnspecified() {
		return append(shown, bound)
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range interfaces {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			shown = append(shown, prefix.Addr())
		}
	}
	return shown
}
