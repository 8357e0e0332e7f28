package load

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// sentStream is one SSRC that a publication sends.
type sentStream struct {
	layer
	ssrc, rtxSSRC               uint32
	payloadType, rtxPayloadType uint8
	clock                       uint32
	extensions                  []extension
	twcc                        uint8

	seq, rtxSeq     uint16
	picture         uint16
	base            time.Time
	owed            float64 // packets by which the frames before were too small; negative: too large
	started         bool
	keyFrameWanted  atomic.Bool // by somebody who receives
	packets, octets uint32
	history         [512]sentPacket // of the last packets, for retransmission
}

type extension struct {
	id    uint8
	value []byte
}

type sentPacket struct {
	seq    uint16
	packet *rtp.Packet
}

func (o *sentStream) accept(l answerSection, codec, mid string, now time.Time) error {
	kind, rtx, ok := l.payloadTypeOf(codec)
	if !ok {
		return &RefusedCodec{codec}
	}
	o.payloadType, o.rtxPayloadType, o.base, o.started = kind, rtx, now, true
	o.seq, o.rtxSeq, o.picture = uint16(randomID()), uint16(randomID()), uint16(randomID())&0x7fff
	if l.twcc {
		o.twcc = l.ext[uriTWCC]
	}
	if id := l.ext[uriMID]; id != 0 {
		o.extensions = append(o.extensions, extension{id, []byte(mid)})
	}
	if id := l.ext[uriRID]; id != 0 && o.rid != "" {
		o.extensions = append(o.extensions, extension{id, []byte(o.rid)})
	}
	if id := l.ext[uriLevel]; id != 0 && codec == "opus" {
		o.extensions = append(o.extensions, extension{id, []byte{0x80 | 30}}) // speech at -30 dBov
	}
	return nil
}

func (o *sentStream) newPacket(payload []byte, now time.Time) *rtp.Packet {
	p := &rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: o.payloadType, SequenceNumber: o.seq, SSRC: o.ssrc,
		Timestamp: uint32(int64(now.Sub(o.base)) * int64(o.clock) / int64(time.Second)),
	}, Payload: payload}
	o.seq++
	for _, e := range o.extensions {
		_ = p.SetExtension(e.id, e.value) // ids and sizes were checked when the answer was read
	}
	return p
}

func randomID() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:])
}
