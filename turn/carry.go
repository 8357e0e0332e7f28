//go:build linux

package turn

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// This file is the way of a packet between a client and a peer, past the library.

// sendChannel relays the payload of ChannelData to the channel's peer.
func (r *relay) sendChannel(out *batch, stats *traffic, number uint16, payload []byte, now int64) {
	c := r.peers.Load().channels[number]
	switch {
	case c == nil || c.expires.Load() <= now:
		stats.dropped[dropNoChannel].Add(1)
		return
	case c.relay != nil && !c.relay.live():
		stats.dropped[dropPeer].Add(1)
		return
	}
	if r.countUp(stats, len(payload), now) {
		p := out.add(&r.out)
		p.body, p.to = payload, &c.to
	}
}

// sendIndication relays the DATA of a Send indication.
// https://www.rfc-editor.org/rfc/rfc8656#section-11.2
func (r *relay) sendIndication(out *batch, stats *traffic, m *message, now int64) {
	if m.method() != methodSend {
		stats.dropped[dropMalformed].Add(1)
		return
	}
	value, ok1 := m.find(attrXORPeerAddress)
	data, ok2 := m.find(attrData)
	peer, ok3 := m.address(value)
	if !ok1 || !ok2 || !ok3 {
		stats.dropped[dropMalformed].Add(1)
		return
	}
	to, open := r.server.resolve(netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()))
	p := r.peers.Load().permits[to.Addr()]
	switch {
	case p == nil || p.expires.Load() <= now:
		stats.dropped[dropPermission].Add(1)
		return
	case p.somePorts && !open:
		stats.dropped[dropPeer].Add(1)
		return
	}
	if r.countUp(stats, len(data), now) {
		q := out.add(&r.out)
		q.own = newRawAddress(to)
		q.body, q.to = data, &q.own
	}
}

func (r *relay) countUp(stats *traffic, n int, now int64) bool {
	if !r.admitUp(n, now) {
		stats.dropped[dropRate].Add(1)
		return false
	}
	r.sentPackets.Add(1)
	r.sentBytes.Add(int64(n))
	stats.toPeers.Add(1)
	stats.toPeersBytes.Add(int64(n))
	return true
}

// wrap writes what stands before a payload for the client, and says how much padding follows
// it. Over UDP ChannelData is not padded, over a stream it must be.
// https://www.rfc-editor.org/rfc/rfc8656#section-12.5
func wrap(to, payload []byte, channel uint16, peer *netip.AddrPort, stream bool) (head []byte, pad int) {
	pad = padded(len(payload)) - len(payload)
	if peer == nil {
		to = binary.BigEndian.AppendUint16(to, channel)
		to = binary.BigEndian.AppendUint16(to, uint16(len(payload)))
		if !stream {
			pad = 0
		}
		return to, pad
	}
	addressSize := 8
	if peer.Addr().Is6() {
		addressSize = 20
	}
	to = binary.BigEndian.AppendUint16(to, uint16(methodData)|uint16(classIndication))
	to = binary.BigEndian.AppendUint16(to, uint16(4+addressSize+4+padded(len(payload))))
	to = binary.BigEndian.AppendUint32(to, magicCookie)
	// Nobody answers an indication, so its transaction id only has to be new.
	to = binary.BigEndian.AppendUint64(to, rand.Uint64())
	to = binary.BigEndian.AppendUint32(to, rand.Uint32())
	to = binary.BigEndian.AppendUint16(to, uint16(attrXORPeerAddress))
	to = binary.BigEndian.AppendUint16(to, uint16(addressSize))
	to = appendXORAddress(to, *peer, to[:stunHeader])
	to = binary.BigEndian.AppendUint16(to, uint16(attrData))
	return binary.BigEndian.AppendUint16(to, uint16(len(payload))), pad
}
