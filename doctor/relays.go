package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"carillon/turn"
)

// relayTest is one URL that callers get, and what opens it.
type relayTest struct {
	url                string
	username, password string
	own                bool // served by this carillon
}

const relaySuffers = "callers whose firewall blocks the media port lose this way out; when none is left they stay without sound and picture"

// checkRelays opens a relay through each TURN URL and sends through it to the media port.
func checkRelays(ctx context.Context, s Subject, caller *Caller, server *running) []Finding {
	tests, err := relayTests(s, server, time.Now())
	if err != nil {
		return []Finding{{"turn", StatusProblem, err.Error(), relaySuffers, "set turn.secrets, or run doctor as the user that runs carillon"}}
	}
	if len(tests) == 0 {
		f := skipped("turn", "turn.off is set and ice.urls is empty: there are no relays")
		if reachOfListener(s.HTTP.Listen) > reachSelf {
			f.Status, f.Suffers, f.Change = StatusWarning, "callers whose firewall blocks the media port stay without sound and picture", "set turn.off = false, or name a TURN server in ice.urls"
		}
		return []Finding{f}
	}
	all := make([]Finding, len(tests))
	var work sync.WaitGroup
	for i, t := range tests {
		work.Go(func() { all[i] = t.judge(t.run(ctx, caller)) })
	}
	work.Wait()
	return all
}

// relayTests are the URLs that the welcome tells callers, with fresh credentials.
func relayTests(s Subject, server *running, now time.Time) (list []relayTest, err error) {
	expires := now.Add(5 * time.Minute)
	if own := server.urls("turn-"); len(own) > 0 {
		secret := ""
		if len(s.Turn.Secrets) > 0 {
			secret = s.Turn.Secrets[0]
		} else {
			if secret, err = s.TurnSecret(); err != nil {
				return nil, fmt.Errorf("no secret to open a relay with: %w", err)
			}
		}
		name, password := turn.Credential(secret, asUser, expires)
		for _, u := range own {
			list = append(list, relayTest{u, name, password, true})
		}
	}
	for _, u := range s.ICE.URLs {
		t := relayTest{url: u}
		if s.ICE.Secret != "" {
			t.username, t.password = turn.Credential(s.ICE.Secret, asUser, expires)
		}
		list = append(list, t)
	}
	return list, nil
}

// relayResult is how far a relayTest came.
type relayResult struct {
	took    time.Duration // from dialling to the open relay
	relay   net.Addr
	through bool // a packet went to the media port and its answer came back
	asked   bool // there was a media port to ask
	bound   bool // it works on this machine, and not at the address in the URL
	err     error
}

func (t relayTest) run(ctx context.Context, caller *Caller) relayResult {
	if strings.HasPrefix(t.url, "stun") {
		return t.runSTUN(ctx)
	}
	r := t.open(ctx, t.url, caller)
	if r.err == nil || !t.own {
		return r
	}
	// Behind NAT a machine often cannot reach itself under the address in the URL.
	if near, differs := t.near(); differs {
		if again := t.open(ctx, near, caller); again.err == nil {
			again.bound, again.err = true, r.err
			return again
		}
	}
	return r
}

// near is the URL with the address of this machine in place of the one told to callers.
func (t relayTest) near() (url string, differs bool) {
	host, port, err := net.SplitHostPort(hostPort(t.url))
	if err != nil {
		return "", false
	}
	if a, err := netip.ParseAddr(host); err == nil && machineFacts().owns(a) {
		return "", false
	}
	return strings.Replace(t.url, hostPort(t.url), net.JoinHostPort("127.0.0.1", port), 1), true
}

func hostPort(url string) string {
	_, rest, _ := strings.Cut(url, ":")
	rest, _, _ = strings.Cut(rest, "?")
	return rest
}

func (t relayTest) open(ctx context.Context, url string, caller *Caller) (r relayResult) {
	if strings.HasPrefix(url, "turn:") && !strings.Contains(url, "=tcp") {
		// A dead port would cost the library ten seconds.
		if _, err := askURL(ctx, hostPort(url)); err != nil {
			r.err = fmt.Errorf("reach it: %w", err)
			return r
		}
	}
	started := time.Now()
	p := turn.Probe{URL: url, Username: t.username, Password: t.password, Insecure: true}
	conn, closeRelay, err := p.Open(ctx)
	if err != nil {
		r.err = err
		return r
	}
	defer closeRelay()
	r.took, r.relay = time.Since(started), conn.LocalAddr()
	four := false
	if at, err := netip.ParseAddrPort(r.relay.String()); err == nil {
		four = at.Addr().Unmap().Is4()
	}
	for _, to := range caller.UDP {
		if to.Addr().Is4() != four {
			continue // a relay reaches its own family only
		}
		r.asked = true
		if _, err = caller.Ask(ctx, conn, to); err == nil {
			r.through = true
			return r
		}
	}
	return r
}

func (t relayTest) runSTUN(ctx context.Context) (r relayResult) {
	r.took, r.err = askURL(ctx, hostPort(t.url))
	return r
}

// askURL asks a STUN or TURN server over UDP for nothing but an answer.
func askURL(ctx context.Context, at string) (time.Duration, error) {
	if _, _, err := net.SplitHostPort(at); err != nil {
		at = net.JoinHostPort(strings.Trim(at, "[]"), "3478")
	}
	to, err := net.ResolveUDPAddr("udp", at)
	if err != nil {
		return 0, err
	}
	conn, err := net.ListenPacket("udp", ":0")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return ask(ctx, conn, to, plainBinding)
}

func (t relayTest) judge(r relayResult) Finding {
	f := Finding{Check: "turn", Status: StatusProblem, Suffers: relaySuffers}
	key := "ice.urls"
	if t.own {
		key = "turn.host, turn.relay_addresses"
	}
	missing, _ := errors.AsType[*net.DNSError](r.err)
	switch {
	case missing != nil && missing.IsNotFound:
		f.Found = fmt.Sprintf("%s: the name %s does not exist in DNS, as this machine sees it", t.url, missing.Name)
		f.Change = fmt.Sprintf("correct %s, or add an A or AAAA record", key)
	case r.bound && r.through:
		f.Status = StatusWarning
		f.Found = fmt.Sprintf("%s does not answer from here (%v), though the server does on this machine; many NATs let no machine reach itself from outside", t.url, r.err)
		f.Suffers = "if it does not answer from elsewhere either: " + relaySuffers
		f.Change = "from another network: carillon turn test '" + t.url + "' --secret SECRET; if that fails, correct " + key + " or let the port through to this machine"
	case r.err != nil && refused(r.err):
		f.Found = fmt.Sprintf("%s answers and opens no relay: %v", t.url, r.err)
		f.Change = "let both sides have the same secret (turn.secrets, or ice.secret for the server of others), clocks that agree, and quotas that are not used up"
	case r.err != nil:
		f.Found = fmt.Sprintf("%s cannot be reached: %v", t.url, r.err)
		f.Change = fmt.Sprintf("correct %s, start that server, or let its port through", key)
	case strings.HasPrefix(t.url, "stun"):
		return ok("turn", "%s answers in %s (STUN only, no relay)", t.url, r.took.Round(10*time.Microsecond))
	case !r.asked:
		return skipped("turn", "%s opens a relay (%s, in %s); no media address was known to send to", t.url, r.relay, r.took.Round(10*time.Microsecond))
	case !r.through && t.own:
		f.Found = fmt.Sprintf("%s opens a relay (%s), but nothing comes back from the media port through it", t.url, r.relay)
		f.Change = "let turn.peers.deny and the firewall of this machine pass the address of media.listen"
	case !r.through:
		f.Found = fmt.Sprintf("%s opens a relay (%s), but nothing comes back from our media port through it", t.url, r.relay)
		f.Change = "let that server relay to our media address, and let the port of media.listen through from it"
	default:
		return ok("turn", "%s opens a relay in %s and reaches the media port", t.url, r.took.Round(10*time.Microsecond))
	}
	return f
}

// refused is true of an error with which a TURN server refuses an allocation.
func refused(err error) bool {
	return slices.ContainsFunc([]string{"400", "401", "403", "437", "438", "441", "486", "508"}, func(code string) bool {
		return strings.Contains(err.Error(), "error "+code)
	}) && !errors.Is(err, errSilent)
}
