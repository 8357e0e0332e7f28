package sfu

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// victim is a host that never asked for anything: a socket that answers nothing and counts
// what is sent to it.
type victim struct {
	conn        *net.UDPConn
	stuns       atomic.Int64 // STUN messages
	others      atomic.Int64 // all other packets
	bytes       atomic.Int64 // of both
	forgedBytes int64        // what was sent in its name
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{conn: conn}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		b := make([]byte, 2048)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			v.bytes.Add(int64(n))
			if stun.IsMessage(b[:n]) {
				v.stuns.Add(1)
			} else {
				v.others.Add(1)
			}
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-finished
	})
	return v
}

// forge sends a Binding request in the victim's name, with the credentials of p, who plays
// the attacker.
func (v *victim) forge(t *testing.T, s *SFU, p *person, more ...stun.Setter) {
	t.Helper()
	remote, err := p.PC.SCTP().Transport().ICETransport().GetRemoteParameters()
	if err != nil {
		t.Fatal(err)
	}
	local, err := p.PC.SCTP().Transport().ICETransport().GetLocalParameters()
	if err != nil {
		t.Fatal(err)
	}
	setters := []stun.Setter{stun.BindingRequest, stun.TransactionID, stun.NewUsername(remote.UsernameFragment + ":" + local.UsernameFragment)}
	setters = append(append(setters, more...), ice.PriorityAttr(2130706431), ice.AttrControlling(9),
		stun.NewShortTermIntegrity(remote.Password), stun.Fingerprint)
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.conn.WriteToUDPAddrPort(m.Raw, s.conn.AddrPort()); err != nil {
		t.Fatal(err)
	}
	v.forgedBytes += int64(len(m.Raw))
}

// escaped fails when more reached the victim than a host that did not answer may be sent.
func (v *victim) escaped(t *testing.T) {
	t.Helper()
	stuns, others, bytes := v.stuns.Load(), v.others.Load(), v.bytes.Load()
	t.Logf("%d bytes were forged; the victim got %d STUN messages and %d other packets, %d bytes", v.forgedBytes, stuns, others, bytes)
	if others > 0 || bytes > 3*v.forgedBytes {
		t.Errorf("the victim got %d packets that are not STUN, and %d bytes for %d that were forged", others, bytes, v.forgedBytes)
	}
}
