package sfu

import (
	"encoding/binary"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
)

// tap sees every incoming packet of a peer, repairs and probes too, as they come from
// the wire: for liveness, and for the transport-wide feedback that the sender's
// bandwidth estimate lives from. It is no part of the way out.
type tap struct {
	interceptor.NoOp
	peer *Peer

	mu       sync.Mutex
	recorder *twcc.Recorder
}

// NewInterceptor makes tap its own factory: it belongs to one peer.
func (t *tap) NewInterceptor(string) (interceptor.Interceptor, error) { return t, nil }

// BindRemoteStream is called by pion for each incoming stream.
func (t *tap) BindRemoteStream(info *interceptor.StreamInfo, next interceptor.RTPReader) interceptor.RTPReader {
	var id uint8
	for _, x := range info.RTPHeaderExtensions {
		if x.URI == sdp.TransportCCURI {
			id = uint8(x.ID)
		}
	}
	ssrc, sfu := info.SSRC, t.peer.room.sfu
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, a, err := next.Read(b, a)
		if err != nil {
			return n, a, err
		}
		now := sfu.now()
		t.peer.heard.Store(int64(now))
		sfu.metrics.packetsIn.Add(1)
		if x := extension(b[:n], id); len(x) >= 2 {
			t.mu.Lock()
			t.recorder.Record(ssrc, binary.BigEndian.Uint16(x), now.Microseconds())
			t.mu.Unlock()
		}
		return n, a, err
	})
}

// BindRTCPReader is called by pion for each stream that reports come for.
func (t *tap) BindRTCPReader(next interceptor.RTCPReader) interceptor.RTCPReader {
	return interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, a, err := next.Read(b, a)
		if err == nil {
			t.peer.heard.Store(int64(t.peer.room.sfu.now()))
		}
		return n, a, err
	})
}

func (t *tap) feedback() []rtcp.Packet {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.recorder.BuildFeedbackPacket()
}
