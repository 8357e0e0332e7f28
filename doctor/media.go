package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// attempt is a connectivity check to one address.
type attempt struct {
	to   netip.AddrPort
	took time.Duration
	err  error
}

func checkMedia(ctx context.Context, s Subject, caller *Caller, server *running) []Finding {
	m := machineFacts()
	overUDP := func(to netip.AddrPort) (time.Duration, error) {
		conn, err := net.ListenPacket("udp", ":0")
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		return caller.Ask(ctx, conn, to)
	}
	// Each connection has a session of its own: the server ends what a closed one leaves.
	overTCP := func(to netip.AddrPort) (time.Duration, error) {
		one := caller.withoutSession()
		if err := one.Join(ctx); err != nil {
			return 0, err
		}
		defer one.Leave(context.WithoutCancel(ctx))
		return one.AskTCP(ctx, to)
	}
	all := []Finding{mediaFacts{
		check: "media UDP", told: attempts(caller.UDP, overUDP), bound: attempts(boundOf(server, "media-udp"), overUDP), machine: m,
		suffers: "sound and picture take a detour over TCP or a relay, and stutter when packets are lost; without one there is neither",
	}.judge()}
	if s.Media.NoTCP {
		return append(all, skipped("media TCP", "media.no_tcp is set"))
	}
	return append(all, mediaFacts{
		check: "media TCP", told: attempts(caller.TCP, overTCP), bound: attempts(boundOf(server, "media-tcp"), overTCP), machine: m,
		suffers: "callers whose network lets no UDP out stay without sound and picture, unless a relay helps",
	}.judge())
}

// attempts asks all addresses at the same time.
func attempts(to []netip.AddrPort, ask func(netip.AddrPort) (time.Duration, error)) []attempt {
	list := make([]attempt, len(to))
	var work sync.WaitGroup
	for i, a := range to {
		work.Go(func() {
			took, err := ask(a)
			list[i] = attempt{a, took, err}
		})
	}
	work.Wait()
	return list
}

// boundOf is where this machine reaches a media port, whatever callers are told.
func boundOf(server *running, name string) []netip.AddrPort {
	_, text, _ := strings.Cut(server.url(name), "://")
	if a, err := netip.ParseAddrPort(text); err == nil {
		return []netip.AddrPort{reachable(a)}
	}
	return nil
}

// mediaFacts is what connectivity checks to the media port have shown.
type mediaFacts struct {
	check   string
	told    []attempt // the addresses of the answer
	bound   []attempt // where the port is bound
	machine machine
	suffers string
}

func (f mediaFacts) judge() Finding {
	var good, ours, foreign []string
	furthest := reachSelf
	for _, a := range f.told {
		switch {
		case a.err == nil:
			good = append(good, fmt.Sprintf("%s (%s)", a.to, a.took.Round(10*time.Microsecond)))
			furthest = max(furthest, reachOf(a.to.Addr()))
		case f.machine.owns(a.to.Addr()):
			ours = append(ours, a.to.String())
		default:
			foreign = append(foreign, a.to.String())
		}
	}
	alive := slices.ContainsFunc(append(f.bound, f.told...), func(a attempt) bool { return a.err == nil })
	found := Finding{Check: f.check, Status: StatusProblem, Suffers: f.suffers}
	switch {
	case len(f.told) == 0:
		found.Found, found.Change = "callers are told no address", "set media.advertise, or media.listen to an address of this machine"
	case !alive:
		found.Found = fmt.Sprintf("nothing answers on the media port, neither at %s nor where it is bound", strings.Join(append(ours, foreign...), ", "))
		found.Change = "let the firewall of this machine pass the port of media.listen; restart carillon if that is not it"
	case len(good) == 0 && len(ours) > 0:
		found.Found = fmt.Sprintf("callers are told to send to %s, and nothing answers there, although the port answers where it is bound", strings.Join(ours, ", "))
		found.Change = "set media.advertise to an address at which media.listen is reached, or leave it empty"
	case len(foreign) > 0:
		found.Status = StatusWarning
		found.Found = fmt.Sprintf("%s is told to callers and does not answer from here; many NATs let no machine reach itself from outside", strings.Join(foreign, ", "))
		found.Suffers = "if it does not answer from elsewhere either: " + f.suffers
		found.Change = "call from a phone on a mobile network; if sound and picture are missing, correct media.advertise or let the port through to this machine"
	case len(ours) > 0:
		found.Status = StatusWarning
		found.Found = fmt.Sprintf("%s answers, but not %s, which callers are told too", strings.Join(good, ", "), strings.Join(ours, ", "))
		found.Suffers, found.Change = "calls need a moment longer to connect", "remove from media.advertise what does not answer"
	default:
		return ok(f.check, "%s answers", strings.Join(good, ", "))
	}
	return found
}
