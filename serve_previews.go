package main

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/chat"
	"carillon/config"
	"carillon/limit"
	"carillon/preview"
	"carillon/store"
)

// linkPreviews makes previews of the links in messages. Of is what else this server listens on.
func linkPreviews(c config.Config, db *store.Store, messages *chat.Service, of []netip.AddrPort, log *slog.Logger, reg prometheus.Registerer) (*preview.Service, error) {
	s, err := preview.New(preview.Deps{
		Store: db, Set: messages.SetPreview, Listeners: append(of, known(c)...),
		Agent: "Mozilla/5.0 (compatible; Carillon/" + version() + "; link preview)", Log: log, Metrics: reg,
	}, c.Previews)
	if err != nil {
		return nil, err
	}
	limit.Register(reg, s.Counts()...)
	messages.OnSent(s.Sent)
	return s, nil
}

// known are the addresses under which others know this server, where something translates them. No port: all are ours.
func known(c config.Config) (list []netip.AddrPort) {
	for _, address := range append(append([]string{}, c.Media.Advertise...), c.Turn.RelayAddresses...) {
		shown, _, _ := strings.Cut(address, "/")
		if a, err := netip.ParseAddr(shown); err == nil {
			list = append(list, netip.AddrPortFrom(a, 0))
		}
	}
	return list
}

// listening are listeners by their addresses.
func listening(addresses ...net.Addr) (list []netip.AddrPort) {
	for _, a := range addresses {
		if at, err := netip.ParseAddrPort(a.String()); err == nil {
			list = append(list, at)
		}
	}
	return list
}

// portsOf are listeners of which only URLs such as turn:turn.example:3478?transport=tcp are known: on any address of this machine.
func portsOf(urls []string) (list []netip.AddrPort) {
	for _, u := range urls {
		u, _, _ = strings.Cut(u, "?")
		if _, port, err := net.SplitHostPort(u[strings.Index(u, ":")+1:]); err == nil {
			if n, err := strconv.ParseUint(port, 10, 16); err == nil {
				list = append(list, netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(n)))
			}
		}
	}
	return list
}
