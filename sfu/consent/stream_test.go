package consent

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/stun/v4"
)

// Over TCP a client need not answer to prove its address, but it has to say something for
// its media to go on.
func TestOverTCPTheHandshakeProvesAndARequestIsConsent(t *testing.T) {
	s := newServer(t)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := s.gate.Streams(ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: listener, ReadBufferSize: 8, Logger: logging.NewDefaultLeveledLoggerForScope("", logging.LogLevelDisabled, io.Discard),
	}))
	t.Cleanup(func() { _ = mux.Close() })
	a := s.agent(t, "alice")
	conn, err := mux.GetConnByUfrag(a.ours.Ufrag, false, net.IPv4(127, 0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	far, err := net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	shown := make(chan net.Addr)
	go func() {
		defer close(shown)
		b := make([]byte, 2048)
		for {
			_, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			shown <- from
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-shown
	})
	ask := func() net.Addr {
		m := stun.MustBuild(stun.BindingRequest, stun.TransactionID, stun.NewUsername(a.ours.Ufrag+":"+a.theirs.Ufrag),
			ice.UseCandidate(), ice.AttrControlling(2), stun.NewShortTermIntegrity(a.ours.Password), stun.Fingerprint)
		if _, err := far.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m.Raw))), m.Raw...)); err != nil {
			t.Fatal(err)
		}
		return <-shown
	}
	// The next packet after one of media is that, or else the one that is written behind it.
	gets := func(to net.Addr) bool {
		for _, b := range [][]byte{media, {1, 2, 3}} {
			var err error
			if b[0] == media[0] {
				_, err = conn.WriteTo(b, to)
			} else {
				_, err = conn.(*streamConn).PacketConn.WriteTo(b, to)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		got := false
		for {
			_ = far.SetReadDeadline(time.Now().Add(10 * time.Second))
			head := make([]byte, 2)
			if _, err := io.ReadFull(far, head); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, binary.BigEndian.Uint16(head))
			if _, err := io.ReadFull(far, b); err != nil {
				t.Fatal(err)
			}
			switch {
			case b[0] == media[0]:
				got = true
			case len(b) == 3:
				return got
			}
		}
	}
	to := ask()
	if !gets(to) {
		t.Error("nothing leaves on a connection on which an authentic request came")
	}
	for range 5 {
		s.pass(9 * time.Second)
		ask()
		if !gets(to) {
			t.Error("nothing leaves though requests come")
		}
	}
	if n := s.gate.Counts().Checks; n > 0 {
		t.Errorf("%d checks left though requests came", n)
	}
	s.pass(20 * time.Second)
	if !gets(to) || s.gate.Counts().Checks == 0 {
		t.Errorf("after 20 silent seconds: %+v", s.gate.Counts())
	}
	s.pass(15 * time.Second)
	if gets(to) || !a.leg.Withheld() {
		t.Error("media leaves after 35 silent seconds")
	}
	ask()
	if !gets(to) {
		t.Error("nothing leaves when the client is back")
	}
	if at, _ := addrPort(to); a.leg.allows(media, place{AddrPort: netip.AddrPortFrom(at.Addr(), at.Port())}) {
		t.Error("UDP was proven by a handshake of TCP")
	}
}
