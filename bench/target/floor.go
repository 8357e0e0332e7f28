package target

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// FloorMode is how the floor sends. The floor is the least that forwarding costs: bare sockets,
// SRTP with AEAD_AES_128_GCM, and a header for each subscriber. It has no ICE, no DTLS, no
// reports and no retransmissions.
type FloorMode string

const (
	FloorSingle FloorMode = "single"  // a system call per packet
	FloorBatch  FloorMode = "batched" // sendmmsg: a system call per many packets
	FloorGSO    FloorMode = "gso"     // a burst to one destination is one segmented message, many of them per system call
	FloorFlood  FloorMode = "flood"   // gso with made-up packets, as fast as it can: finds the generator's ceiling
)

// FloorOrder tells a floor what to do from now on.
type FloorOrder struct {
	Mode        FloorMode        `json:"mode"` // empty: stop
	Publisher   netip.AddrPort   `json:"publisher"`
	Subscribers []netip.AddrPort `json:"subscribers"`
}

// floorAddress is the floor's answer: where the publisher sends to.
type floorAddress struct {
	Address netip.AddrPort `json:"address"`
}

// FloorKey is the SRTP master key and salt of one side; 0 is the publisher, subscribers
// count from 1. What they encrypt is made up.
func FloorKey(side int) (key, salt []byte) {
	key, salt = make([]byte, 16), make([]byte, 12)
	copy(key, "carillon bench")
	copy(salt, "floor")
	binary.BigEndian.PutUint32(key[12:], uint32(side))
	return key, salt
}

func (o FloorOrder) validate() error {
	switch o.Mode {
	case "", FloorSingle, FloorBatch, FloorGSO, FloorFlood:
	default:
		return fmt.Errorf("floor has no mode %q", o.Mode)
	}
	if len(o.Subscribers) > 20_000 {
		return fmt.Errorf("%d subscribers are too many", len(o.Subscribers))
	}
	return nil
}
