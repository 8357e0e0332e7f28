package sfu

import (
	"testing"
)

func TestPacketBufferKeepsTheNewest(t *testing.T) {
	b := newPacketBuffer(10)
	for ext := uint64(100); ext < 130; ext++ {
		if !b.put(&packet{ext: ext, payload: []byte{byte(ext)}}) {
			t.Fatalf("refused packet %d", ext)
		}
	}
	if b.put(&packet{ext: 125}) || b.put(&packet{ext: 110}) {
		t.Error("took a repeated or an outdated packet")
	}
	var p packet
	if b.get(119, &p) || b.get(0, &p) || b.get(130, &p) {
		t.Error("found a packet it cannot have")
	}
	if !b.get(125, &p) || p.payload[0] != 125 {
		t.Error("lost a packet")
	}
}
