package consent

import (
	"errors"
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// Datagrams wraps pion's mux of the gate. The connections that it hands out send only where
// their leg may. Without loopback, addresses of the loopback interface are no candidates.
func (g *Gate) Datagrams(mux ice.UDPMux, loopback bool) ice.UDPMux {
	return datagramMux{UDPMux: mux, gate: g, loopback: loopback}
}

type datagramMux struct {
	ice.UDPMux
	gate     *Gate
	loopback bool
}

// GetListenAddresses is asked for the addresses of our candidates. Of its own mux pion leaves
// the loopback addresses out itself.
func (m datagramMux) GetListenAddresses() []net.Addr {
	var kept []net.Addr
	for _, a := range m.UDPMux.GetListenAddresses() {
		if u, ok := a.(*net.UDPAddr); ok && !m.loopback && u.IP.IsLoopback() {
			continue
		}
		kept = append(kept, a)
	}
	return kept
}

// GetConn returns the connection of a leg.
func (m datagramMux) GetConn(ufrag string, local net.Addr) (net.PacketConn, error) {
	conn, err := m.UDPMux.GetConn(ufrag, local)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(datagramSocket)
	if !ok {
		_ = conn.Close()
		return nil, errNoAddrPort
	}
	l := m.gate.leg(ufrag)
	c := &datagramConn{datagramSocket: inner, leg: l}
	at, _ := addrPort(local)
	m.gate.mu.Lock()
	defer m.gate.mu.Unlock()
	l.conns[family(at.Addr())] = c
	return c, nil
}

// RemoveConnByUfrag is called when pion ends the agent of a leg, or restarts it under another
// ufrag.
func (m datagramMux) RemoveConnByUfrag(ufrag string) {
	m.gate.forget(ufrag)
	m.UDPMux.RemoveConnByUfrag(ufrag)
}

type datagramSocket interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

// datagramConn is the connection of one leg.
type datagramConn struct {
	datagramSocket
	leg *Leg
}

func (c *datagramConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.datagramSocket.ReadFromAddrPort(b)
	if err == nil {
		c.leg.heard(place{AddrPort: from})
	}
	return n, from, err
}

func (c *datagramConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

func (c *datagramConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if !c.leg.allows(b, place{AddrPort: to}) {
		return len(b), nil
	}
	return c.datagramSocket.WriteToAddrPort(b, to)
}

func (c *datagramConn) WriteTo(b []byte, to net.Addr) (int, error) {
	at, ok := addrPort(to)
	if !ok {
		return 0, errNoAddrPort
	}
	return c.WriteToAddrPort(b, at)
}

// bind makes pion's mux give the packets of an address to this leg: it does so for whoever
// writes to it. What is written is the answer to a request that was answered already.
func (c *datagramConn) bind(a *address, request *stun.Message) {
	if c == nil {
		return // pion has no candidate of this family, and would refuse the request
	}
	if answer, err := newAnswer(c.leg, request, a.AddrPort); err == nil {
		_, _ = c.datagramSocket.WriteToAddrPort(answer.Raw, a.AddrPort)
	}
}

// Streams wraps pion's mux of ICE-TCP.
func (g *Gate) Streams(mux *ice.TCPMuxDefault) ice.TCPMux {
	return streamMux{TCPMuxDefault: mux, gate: g}
}

type streamMux struct {
	*ice.TCPMuxDefault
	gate *Gate
}

// GetConnByUfrag returns all TCP connections of a leg, as one.
func (m streamMux) GetConnByUfrag(ufrag string, six bool, local net.IP) (net.PacketConn, error) {
	conn, err := m.TCPMuxDefault.GetConnByUfrag(ufrag, six, local)
	if err != nil {
		return nil, err
	}
	return &streamConn{PacketConn: conn, leg: m.gate.leg(ufrag)}, nil
}

// RemoveConnByUfrag is called together with that of the other mux.
func (m streamMux) RemoveConnByUfrag(ufrag string) {
	m.gate.forget(ufrag)
	m.TCPMuxDefault.RemoveConnByUfrag(ufrag)
}

// streamConn is the TCP connections of one leg. Pion tells them apart by their far ends.
type streamConn struct {
	net.PacketConn
	leg *Leg
}

func (c *streamConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		at, ok := addrPort(from)
		if !ok {
			continue
		}
		far := place{AddrPort: at, stream: true}
		if n, ok := c.leg.gate.receive(b, n, source{place: far, conn: c.PacketConn, addr: from}); ok {
			c.leg.heard(far)
			return n, from, nil
		}
	}
}

func (c *streamConn) WriteTo(b []byte, to net.Addr) (int, error) {
	at, ok := addrPort(to)
	if !ok {
		return 0, errNoAddrPort
	}
	if !c.leg.allows(b, place{AddrPort: at, stream: true}) {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

var errNoAddrPort = errors.New("neither a UDP nor a TCP address")

// addrPort returns an address in the form in which addresses are compared.
func addrPort(a net.Addr) (netip.AddrPort, bool) {
	var p netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		p = a.AddrPort()
	case *net.TCPAddr:
		p = a.AddrPort()
	default:
		return p, false
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), p.IsValid()
}
