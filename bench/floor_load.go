package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/pion/srtp/v3"
)

// newFloorLoad is the generator's side of the floor: the same sockets, the same
// schedule and the same counting as for a real server, but keys that are known beforehand
// instead of ICE and DTLS.
func newFloorLoad(ctx context.Context, p *process, h *hub, media Media, subscribers int) (*load, *floorOrder, error) {
	var place floorPlace
	if err := p.call(ctx, http.MethodPost, "/floor", floorOrder{}, &place); err != nil {
		return nil, nil, err
	}
	l := newLoad(h, directUDP{}, nil, certificate{}, media)
	order := &floorOrder{}
	publisher, err := l.floorPeer(place.Address, 0)
	if err != nil {
		return nil, nil, err
	}
	s := newSource(media)
	s.lines()
	if err := s.beginFloor(publisher); err != nil {
		return nil, nil, err
	}
	l.pacer.add(s)
	order.Publisher = publisher.wire.local()
	for i := range subscribers {
		sub, err := l.floorPeer(place.Address, i+1)
		if err != nil {
			return nil, nil, err
		}
		order.Subscribers = append(order.Subscribers, sub.wire.local())
	}
	return l, order, nil
}

func (l *load) floorPeer(at netip.AddrPort, side int) (*peer, error) {
	p := newPeer("floor", l.via, l.hub, []line{{send: side == 0}}, false, l.cert)
	key, salt := floorKey(side)
	open, err := newOpener(key, salt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		return nil, err
	}
	if p.sealRTP, err = srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm); err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	p.answer.lines = floorLines()
	p.in.begin(p, open)
	if p.wire, err = l.hub.open(at, func(m *meter, b []byte, at int64) { p.in.media(m, b, at) }); err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.peers = append(l.peers, p)
	l.mu.Unlock()
	return p, nil
}

// floorLines are what a server would have answered.
func floorLines() []answerLine {
	return []answerLine{
		{types: map[uint8]payloadType{typeOpus: {name: "opus", clock: 48000}}},
		{types: map[uint8]payloadType{typeVP8: {name: "vp8", clock: 90000}, typeH264: {name: "h264", clock: 90000}}},
	}
}

func (s *source) beginFloor(p *peer) error {
	p.source = s
	if len(s.video) > 0 {
		s.video = s.video[len(s.video)-1:]
	}
	return s.begin(p, time.Now())
}
