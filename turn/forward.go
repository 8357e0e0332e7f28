//go:build linux

package turn

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"carillon/udp"
)

// This file forwards packets between clients and peers, without the library.

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
	if r.countToPeer(stats, len(payload), now) {
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
	to, open := r.resolve(netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()))
	p := r.peers.Load().permissions[to.Addr()]
	switch {
	case p == nil || p.expires.Load() <= now:
		stats.dropped[dropPermission].Add(1)
		return
	case p.somePorts && !open:
		stats.dropped[dropPeer].Add(1)
		return
	}
	if r.countToPeer(stats, len(data), now) {
		q := out.add(&r.out)
		q.own = udp.NewRawAddress(to)
		q.body, q.to = data, &q.own
	}
}

// countToPeer counts a payload to a peer, or drops it if it is over a bandwidth limit.
func (r *relay) countToPeer(stats *traffic, n int, now int64) bool {
	if !r.admitToPeer(n, now) {
		stats.dropped[dropRate].Add(1)
		return false
	}
	r.sentPackets.Add(1)
	r.sentBytes.Add(int64(n))
	stats.toPeers.Add(1)
	stats.toPeersBytes.Add(int64(n))
	return true
}

// wrap appends the header of a payload for the client to to, and says how much padding follows
// the payload. With a peer it is a Data indication, else ChannelData. Over UDP ChannelData is
// not padded, over a stream it must be.
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

// fromClient handles one datagram of a client.
func (l *loop) fromClient(d *listenSocket, from *udp.RawAddress, data []byte) {
	if len(data) > maxFrame || len(data) < channelHeader {
		l.stats.dropped[dropMalformed].Add(1)
		return
	}
	r := d.clients[from.Key()]
	if data[0]&0xC0 == 0x40 {
		number, payload, ok := channelData(data)
		switch {
		case !ok:
			l.stats.dropped[dropMalformed].Add(1)
		case !r.live():
			l.stats.dropped[dropNoRelay].Add(1)
		default:
			r.sendChannel(l.out, &l.stats, number, payload, l.now)
		}
		return
	}
	if l.request.parse(data) != nil {
		l.stats.dropped[dropMalformed].Add(1)
		return
	}
	if l.request.class() == classIndication {
		if !r.live() {
			l.stats.dropped[dropNoRelay].Add(1)
			return
		}
		r.sendIndication(l.out, &l.stats, &l.request, l.now)
		return
	}
	sender := requester{transport: d.address.transport, client: from.AddrPort(), raw: *from, libraryConn: d.libraryConn, loop: l, relay: r, listenSocket: d, stats: &l.stats}
	answer := l.server.handle(&sender, &l.request, l.now)
	if sender.relay != r {
		d.clients[from.Key()] = sender.relay
	}
	if answer == nil {
		return
	}
	p := l.out.add(&d.out)
	p.own = *from
	p.to, p.body = &p.own, answer
}

// fromPeer handles one datagram that arrived at a relay.
func (l *loop) fromPeer(r *relay, from *udp.RawAddress, data []byte) {
	if len(data) > maxFrame {
		l.stats.dropped[dropMalformed].Add(1)
		return
	}
	table := r.peers.Load()
	if c := table.byPeer[from.Key()]; c != nil && c.expires.Load() > l.now && c.permission.expires.Load() > l.now {
		if c.relay != nil && !c.relay.live() {
			l.stats.dropped[dropPeer].Add(1)
			return
		}
		if r.countToClient(l, len(data)) {
			l.toClient(r, data, c.number, nil)
		}
		return
	}
	sender := from.AddrPort()
	p := table.permissions[sender.Addr()]
	if p == nil || p.expires.Load() <= l.now {
		l.stats.dropped[dropPermission].Add(1)
		return
	}
	if _, open := r.resolve(sender); p.somePorts && !open {
		l.stats.dropped[dropPeer].Add(1)
		return
	}
	if r.countToClient(l, len(data)) {
		advertised := netip.AddrPortFrom(p.advertised, sender.Port())
		l.toClient(r, data, 0, &advertised)
	}
}

// countToClient counts a payload to the client, or drops it if it is over a bandwidth limit.
func (r *relay) countToClient(l *loop, n int) bool {
	if !r.admitToClient(n, l.now) {
		l.stats.dropped[dropRate].Add(1)
		return false
	}
	r.receivedPackets.Add(1)
	r.receivedBytes.Add(int64(n))
	l.stats.toClients.Add(1)
	l.stats.toClientsBytes.Add(int64(n))
	return true
}

// toClient sends a payload as ChannelData or, with a peer, as a Data indication.
func (l *loop) toClient(r *relay, data []byte, channel uint16, peer *netip.AddrPort) {
	var head []byte
	if r.stream != nil {
		var space [48]byte
		head, pad := wrap(space[:0], data, channel, peer, true)
		if !r.stream.push(head, data, zeros[:pad]) {
			l.stats.dropped[dropQueue].Add(1)
		}
		return
	}
	p := l.out.add(&r.listenSocket.out)
	head, p.pad = wrap(p.head[:0], data, channel, peer, false)
	p.headSize, p.body, p.to = len(head), data, &r.clientRaw
}
