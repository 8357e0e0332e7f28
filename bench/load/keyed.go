package load

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/srtp/v3"
)

// Keys are an SRTP master key and salt for AEAD_AES_128_GCM that both sides know
// beforehand. A peer that has them needs no offer, ICE or DTLS. Its sockets, its schedule and
// its counting are those of any other peer.
type Keys struct{ Key, Salt []byte }

// AddKeyedPublisher adds a peer that sends to a server at an address. It returns the
// peer's own address.
func (g *Generator) AddKeyedPublisher(server netip.AddrPort, k Keys) (netip.AddrPort, error) {
	p, err := g.keyedPeer(server, k, true)
	if err != nil {
		return netip.AddrPort{}, err
	}
	media := newPublication(g.config.Media)
	media.sections()
	media.video = media.video[max(len(media.video)-1, 0):] // nobody would choose between layers
	p.publication = media
	if err := media.begin(p, time.Now()); err != nil {
		return netip.AddrPort{}, err
	}
	g.pacer.add(media)
	return p.transport.local(), nil
}

// AddKeyedSubscriber adds a peer that receives what a server at an address sends to it. It
// returns the peer's own address.
func (g *Generator) AddKeyedSubscriber(server netip.AddrPort, k Keys) (netip.AddrPort, error) {
	p, err := g.keyedPeer(server, k, false)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return p.transport.local(), nil
}

// AddPair adds a publisher that sends to a subscriber of this generator, with no server between.
func (g *Generator) AddPair(k Keys) error {
	unused := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), g.sockets.shared[0].port)
	at, err := g.AddKeyedSubscriber(unused, k)
	if err != nil {
		return err
	}
	_, err = g.AddKeyedPublisher(at, k)
	return err
}

func (g *Generator) keyedPeer(server netip.AddrPort, k Keys, sends bool) (*Peer, error) {
	p := newPeer("peer with keys", g.config.Path, g.sockets, []section{{send: sends}}, false, Certificate{})
	d, err := newDecrypter(k.Key, k.Salt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		return nil, err
	}
	if p.encryptRTP, err = srtp.CreateContext(k.Key, k.Salt, srtp.ProtectionProfileAeadAes128Gcm); err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	p.answer.sections = keyedSections()
	p.inbound.beginLocked(p, d) // nobody else has the peer yet
	if p.transport, err = g.sockets.open(server, func(m *meter, b []byte, at int64) { p.inbound.mediaLocked(m, b, at) }); err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.peers = append(g.peers, p)
	g.mu.Unlock()
	return p, nil
}

// keyedSections is what a server would have answered.
func keyedSections() []answerSection {
	return []answerSection{
		{types: map[uint8]payloadType{payloadOpus: {name: "opus", clock: 48000}}},
		{types: map[uint8]payloadType{payloadVP8: {name: "vp8", clock: 90000}, payloadH264: {name: "h264", clock: 90000}}},
	}
}
