package sfutest

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Received counts what arrives on a slot, and checks that it is one stream.
type Received struct {
	// Fixed at construction.
	pc   *webrtc.PeerConnection
	ssrc uint32

	Reports atomic.Int32 // sender reports

	mu       sync.Mutex
	packets  int // see Counts
	repaired int
	doubled  int
	keys     int
	startKey bool
	faults   []string
	byCSRC   map[uint32]int // packets
	types    map[uint8]int  // packets by payload type
	seqs     map[uint64]bool
	lowest   uint64 // number; 0: no packet has come
	highest  uint64
	csrc     uint32 // of the newest packet, like lastSize
	lastSize int
	ts       uint32 // of the packet with the highest number, like picture
	picture  uint16
	pictures bool // there is a picture
}

// Counts of one slot.
type Counts struct {
	Packets  int      // without those that are counted next
	Repaired int      // packets that came as RTX
	Doubled  int      // packets that had come already
	Missing  int      // packets between the lowest and the highest number
	Keys     int      // key frames
	StartKey bool     // the packet with the lowest number begins a key frame
	CSRC     uint32   // of the newest packet
	PT       uint8    // payload type of a packet
	Size     int      // of the payload of the newest packet
	Faults   []string // why this is not one stream, the first ten
}

// packet takes a packet; repair: it came as RTX.
func (r *Received) packet(b []byte, kind webrtc.RTPCodecType, repair bool) {
	var p rtp.Packet
	if p.Unmarshal(b) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	seq := uint64(p.SequenceNumber) + 1<<32
	if r.highest > 0 {
		seq = r.highest + uint64(int64(int16(p.SequenceNumber-uint16(r.highest))))
	}
	if r.seqs[seq] {
		r.doubled++
		return
	}
	r.seqs[seq] = true
	if repair {
		r.repaired++
	} else {
		r.packets++
	}
	first := r.lowest == 0 || seq < r.lowest
	if first {
		r.lowest, r.startKey = seq, false
	}
	if r.types == nil {
		r.types = make(map[uint8]int)
	}
	r.types[p.PayloadType]++
	r.lastSize = len(p.Payload)
	if len(p.CSRC) == 1 {
		r.csrc = p.CSRC[0]
		r.byCSRC[r.csrc]++
	} else {
		r.fault("packet %d has %d CSRC", seq, len(p.CSRC))
	}
	vp8 := kind == webrtc.RTPCodecTypeVideo && p.PayloadType == 47 && len(p.Payload) > 6 && p.Payload[0]&0x80 != 0 && p.Payload[1] == 0xc0
	var picture uint16
	if vp8 {
		picture = binary.BigEndian.Uint16(p.Payload[2:]) & 0x7fff
		if p.Payload[0]&0x10 != 0 && p.Payload[5]&1 == 0 {
			r.keys++
			r.startKey = r.startKey || first
		}
	}
	if seq <= r.highest {
		return
	}
	if r.highest > 0 {
		if step := int32(p.Timestamp - r.ts); step < 0 || step > 90_000*60 {
			r.fault("time stamp steps by %d at packet %d", step, seq)
		}
		if step := (picture - r.picture) & 0x7fff; vp8 && r.pictures && step > 1 && seq == r.highest+1 {
			r.fault("picture id steps by %d at packet %d", step, seq)
		}
	}
	r.highest, r.ts = seq, p.Timestamp
	if vp8 {
		r.picture, r.pictures = picture, true
	}
}

func (r *Received) fault(format string, args ...any) {
	if len(r.faults) < 10 {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

// Counts returns what has arrived so far. It may be called on nil: nothing has.
func (r *Received) Counts() Counts {
	if r == nil {
		return Counts{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Counts{
		Packets: r.packets, Repaired: r.repaired, Doubled: r.doubled, Keys: r.keys, StartKey: r.startKey, CSRC: r.csrc,
		Size: r.lastSize, Faults: append([]string(nil), r.faults...),
	}
	if r.highest > 0 {
		c.Missing = int(r.highest-r.lowest+1) - len(r.seqs)
	}
	for pt := range r.types {
		c.PT = pt
	}
	return c
}

// Of returns the number of packets that showed the source with this id.
func (r *Received) Of(csrc uint32) int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byCSRC[csrc]
}

// Ask sends a NACK for the packets that are missing among the newest 200.
func (r *Received) Ask() error {
	r.mu.Lock()
	var seqs []uint16
	for n := max(r.lowest, r.highest-min(r.highest, 200)); n < r.highest; n++ {
		if !r.seqs[n] {
			seqs = append(seqs, uint16(n))
		}
	}
	r.mu.Unlock()
	if len(seqs) == 0 {
		return nil
	}
	return r.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: r.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}})
}

// AskKey sends a picture loss indication.
func (r *Received) AskKey() error {
	return r.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: r.ssrc}})
}
