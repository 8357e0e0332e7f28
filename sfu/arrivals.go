package sfu

import (
	"encoding/binary"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
)

// arrivals is an interceptor on the receiving side of a peer. It sees each RTP packet
// as it comes from the wire, also repairs and bandwidth probes. It notes that the client
// is alive, and when the packet came: the client's bandwidth estimate needs that as
// transport-wide feedback. Nothing that is sent passes through it.
type arrivals struct {
	interceptor.NoOp

	// Fixed at construction.
	peer *Peer

	mu       sync.Mutex
	recorder *twcc.Recorder
}

// NewInterceptor makes arrivals its own factory, since it belongs to one peer.
func (a *arrivals) NewInterceptor(string) (interceptor.Interceptor, error) { return a, nil }

// BindRemoteStream is called by pion for each incoming stream.
func (a *arrivals) BindRemoteStream(info *interceptor.StreamInfo, next interceptor.RTPReader) interceptor.RTPReader {
	var id uint8
	for _, x := range info.RTPHeaderExtensions {
		if x.URI == sdp.TransportCCURI {
			id = uint8(x.ID)
		}
	}
	ssrc, sfu := info.SSRC, a.peer.room.sfu
	return interceptor.RTPReaderFunc(func(b []byte, attributes interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, attributes, err := next.Read(b, attributes)
		if err != nil {
			return n, attributes, err
		}
		now := sfu.now()
		a.peer.lastReceived.Store(int64(now))
		sfu.metrics.packetsIn.Add(1)
		if x := extension(b[:n], id); len(x) >= 2 {
			a.mu.Lock()
			a.recorder.Record(ssrc, binary.BigEndian.Uint16(x), now.Microseconds())
			a.mu.Unlock()
		}
		return n, attributes, err
	})
}

// BindRTCPReader is called by pion for each stream whose reports it reads.
func (a *arrivals) BindRTCPReader(next interceptor.RTCPReader) interceptor.RTCPReader {
	return interceptor.RTCPReaderFunc(func(b []byte, attributes interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, attributes, err := next.Read(b, attributes)
		if err == nil {
			a.peer.lastReceived.Store(int64(a.peer.room.sfu.now()))
		}
		return n, attributes, err
	})
}

// feedback is what the recorder says about the packets since the last call.
func (a *arrivals) feedback() []rtcp.Packet {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.recorder.BuildFeedbackPacket()
}
