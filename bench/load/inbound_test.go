package load

import (
	"net/netip"
	"testing"

	"carillon/bench/packet"
)

func TestReceivingAllocatesNothing(t *testing.T) {
	l, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(t.Context())
	k := Keys{[]byte("0123456789abcdef"), []byte("0123456789ab")}
	p, err := l.keyedPeer(netip.MustParseAddrPort("127.0.0.1:9"), k, false)
	if err != nil {
		t.Fatal(err)
	}
	seal, err := packet.NewGCM(k.Key, k.Salt)
	if err != nil {
		t.Fatal(err)
	}
	m := newMeter(1)
	var number int64
	packet := make([]byte, 0, 2000)
	payload := make([]byte, 1200)
	head := []byte{0x80, payloadVP8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	allocations := testing.AllocsPerRun(2000, func() {
		number++
		head[2], head[3] = byte(number>>8), byte(number)
		writeStamp(payload, number)
		b := seal.Seal(append(packet, head...), len(head), payload, 1, number)
		p.inbound.mediaLocked(m, b, number+1000)
	})
	if allocations != 0 {
		t.Errorf("%v allocations per received packet", allocations)
	}
	if m.Opened < 2000 || m.Undecryptable > 0 {
		t.Errorf("%+v", m.Counts)
	}
}
