package sfu

import (
	"testing"
)

func TestPacketBufferKeepsTheNewest(t *testing.T) {
	r := newPacketBuffer(10)
	for ext := uint64(100); ext < 130; ext++ {
		if !r.put(&packet{ext: ext, payload: []byte{byte(ext)}}) {
			t.Fatalf("refused packet %d", ext)
		}
	}
	if r.put(&packet{ext: 125}) || r.put(&packet{ext: 110}) {
		t.Error("took a repeated or an outdated packet")
	}
	var p packet
	if r.get(119, &p) || r.get(0, &p) || r.get(130, &p) {
		t.Error("found a packet it cannot have")
	}
	if !r.get(125, &p) || p.payload[0] != 125 {
		t.Error("lost a packet")
	}
}
