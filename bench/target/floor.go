package target

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// The floor is what forwarding costs when nothing but the packets is left: bare
// sockets, SRTP with AEAD_AES_128_GCM, a header rewritten per subscriber. No ICE, no
// DTLS, no reports, no repair. It has three ways to send:
type FloorMode string

const (
	FloorSingle FloorMode = "single"  // a system call per packet
	FloorBatch  FloorMode = "batched" // sendmmsg: a system call per many packets
	FloorGSO    FloorMode = "gso"     // a burst to one destination is one segmented message, many of them per system call
	FloorFlood  FloorMode = "flood"   // gso without waiting for media: finds the generator's ceiling
)

// floorOrder is what the control endpoint of a floor target takes.
type FloorOrder struct {
	Mode        FloorMode        `json:"mode"` // empty: stop
	Publisher   netip.AddrPort   `json:"publisher"`
	Subscribers []netip.AddrPort `json:"subscribers"`
}

// floorPlace is where the publisher sends to.
type floorPlace struct {
	Address netip.AddrPort `json:"address"`
}

// floorKey is the SRTP master key and salt of one side; 0 is the publisher, subscribers
// count from 1. Nothing secret goes over these wires.
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
