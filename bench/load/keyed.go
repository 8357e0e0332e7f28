package load

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/srtp/v3"
)

// Keys are an SRTP master key and salt for AEAD_AES_128_GCM that both sides know
// beforehand. A peer that has them does without offer, ICE and DTLS: the same sockets, the
// same schedule and the same counting, but nothing else.
type Keys struct{ Key, Salt []byte }

// addKeyedPublisher adds a peer that sends to a server at an address. It returns the peer's own.
func (l *Generator) AddKeyedPublisher(server netip.AddrPort, k Keys) (netip.AddrPort, error) {
	p, err := l.keyedPeer(server, k, true)
	if err != nil {
		return netip.AddrPort{}, err
	}
	s := newSource(l.config.Media)
	s.lines()
	s.video = s.video[max(len(s.video)-1, 0):] // nobody would choose between layers
	p.source = s
	if err := s.begin(p, time.Now()); err != nil {
		return netip.AddrPort{}, err
	}
	l.pacer.add(s)
	return p.wire.local(), nil
}

// addKeyedSubscriber adds a peer that receives what a server at an address sends to it. It
// returns the peer's own address.
func (l *Generator) AddKeyedSubscriber(server netip.AddrPort, k Keys) (netip.AddrPort, error) {
	p, err := l.keyedPeer(server, k, false)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return p.wire.local(), nil
}

// addPair adds a publisher that sends to a subscriber of ours, with no server between.
func (l *Generator) AddPair(k Keys) error {
	nobody := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), l.hub.shared[0].port)
	at, err := l.AddKeyedSubscriber(nobody, k)
	if err != nil {
		return err
	}
	_, err = l.AddKeyedPublisher(at, k)
	return err
}

func (l *Generator) keyedPeer(server netip.AddrPort, k Keys, sends bool) (*Peer, error) {
	p := newPeer("peer with keys", l.config.Path, l.hub, []line{{send: sends}}, false, Certificate{})
	open, err := newOpener(k.Key, k.Salt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		return nil, err
	}
	if p.sealRTP, err = srtp.CreateContext(k.Key, k.Salt, srtp.ProtectionProfileAeadAes128Gcm); err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	p.answer.lines = keyedLines()
	p.in.begin(p, open)
	if p.wire, err = l.hub.open(server, func(m *meter, b []byte, at int64) { p.in.media(m, b, at) }); err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.peers = append(l.peers, p)
	l.mu.Unlock()
	return p, nil
}

// keyedLines are what a server would have answered.
func keyedLines() []answerLine {
	return []answerLine{
		{types: map[uint8]payloadType{typeOpus: {name: "opus", clock: 48000}}},
		{types: map[uint8]payloadType{typeVP8: {name: "vp8", clock: 90000}, typeH264: {name: "h264", clock: 90000}}},
	}
}
