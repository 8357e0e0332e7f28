package turn

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestStrangersGetLittleAndFewAnswers sends what anybody may send in anybody's name. The answers have limits in
// number (TestAFloodOfUnauthenticatedRequestsIsBounded); here they are small, and only requests have one.
func TestStrangersGetLittleAndFewAnswers(t *testing.T) {
	s := start(t, testConfig(t))
	id := make([]byte, 12)
	forged := s.newClient(t, "udp", "mallory")
	forged.learn(s.newClient(t, "udp", "mallory").once(methodAllocate, overUDP)) // a nonce of another address
	peer := netip.MustParseAddrPort("127.0.0.1:9")
	for _, c := range []struct {
		name string
		raw  []byte
		most float64 // bytes for each that was sent
	}{
		{"a binding request", build(methodBinding, classRequest, id).raw, 2},
		{"an empty allocate", build(methodAllocate, classRequest, id).raw, 4.5},
		{"an allocate", forgedRequest(forged, "", methodAllocate, overUDP), 3.2},
		{"an allocate with another's nonce", forged.request(methodAllocate, overUDP), 3},
		{"a refresh with another's nonce", forged.request(methodRefresh, number(attrLifetime, 600)), 3},
		{"an unknown method", build(0x0ff, classRequest, id).raw, 3},
		{"unknown attributes", forgedRequest(forged, "", methodAllocate, raw(0x7f01), raw(0x7f02), raw(0x7f03)), 3},
		{"a send indication", forged.sendIndication(peer, make([]byte, 100)), 0},
		{"a data indication", build(methodData, classIndication, id).add(attrData, make([]byte, 100)).raw, 0},
		{"an answer", build(methodAllocate, classSuccess, id).raw, 0},
		{"an error", build(methodAllocate, classError, id).addError(401).raw, 0},
		{"channel data", binary.BigEndian.AppendUint32(nil, 0x40000000), 0},
		{"garbage", []byte(fmt.Sprintf("%40d", 0)), 0},
	} {
		conn, err := net.Dial("udp", s.address("udp"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(c.raw); err != nil {
			t.Fatal(err)
		}
		// The answer to a second request ends the wait for one to the first.
		last := build(methodBinding, classRequest, []byte("the last one")).raw
		if _, err := conn.Write(last); err != nil {
			t.Fatal(err)
		}
		got, b := 0, make([]byte, 2048)
		for {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			n, err := conn.Read(b)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if string(b[8:20]) == "the last one" {
				break
			}
			got += n
		}
		factor := float64(got) / float64(len(c.raw))
		t.Logf("%s: %d bytes for %d", c.name, got, len(c.raw))
		if factor > c.most {
			t.Errorf("%s: %d bytes came for %d, which is %.1f times as many; want at most %.1f", c.name, got, len(c.raw), factor, c.most)
		}
	}
	if n := s.Relays(); n != 0 {
		t.Errorf("%d relays were opened", n)
	}
}

// forgedRequest is a request of c with another nonce, empty: unsigned.
func forgedRequest(c *testClient, nonce string, m method, attributes ...with) []byte {
	kept := c.nonce
	defer func() { c.nonce = kept }()
	c.nonce = nonce
	return c.request(m, attributes...)
}
