package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/turn/v5"
)

// TURNServer is a TURN server and a credential for it.
type TURNServer struct {
	URL        string // turn:host:port?transport=udp
	Username   string
	Credential string
}

// viaTURN sends through an allocation of its own per peer. The client is pion's: it
// costs the generator more than the direct paths do, which limits the size of a load.
type TURN struct{ Server TURNServer }

func (v TURN) String() string                     { return v.Server.URL }
func (v TURN) choose(all []candidate) []candidate { return nearest(all, false) }

func (v TURN) open(ctx context.Context, h *hub, server netip.AddrPort, r receiver) (wire, error) {
	conn, address, err := v.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("turn server %s: %w", v.Server.URL, err)
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: address, TURNServerAddr: address, Conn: conn,
		Username: v.Server.Username, Password: v.Server.Credential, RTO: 200 * time.Millisecond,
		RequestedAddressFamily: familyOf(server.Addr()),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("turn client: %w", err), conn.Close())
	}
	m := h.newMeter()
	w := &turnWire{conn: conn, count: m, client: client, to: net.UDPAddrFromAddrPort(server)}
	if err := w.allocate(); err != nil {
		client.Close()
		return nil, errors.Join(fmt.Errorf("turn server %s: %w", v.Server.URL, err), conn.Close())
	}
	w.shape = h.shape.outbound(w.write)
	receive := h.shape.inbound(m, r)
	w.wg.Go(func() { w.readLoop(m, receive) })
	return w, nil
}

func (v TURN) dial(ctx context.Context) (net.PacketConn, string, error) {
	scheme, rest, _ := strings.Cut(v.Server.URL, ":")
	address, query, _ := strings.Cut(rest, "?")
	if _, _, err := net.SplitHostPort(address); err != nil {
		port := "3478"
		if scheme == "turns" {
			port = "5349"
		}
		address = net.JoinHostPort(strings.Trim(address, "[]"), port)
	}
	switch {
	case scheme == "turns":
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // we measure, the media inside has its own keys
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, "", err
		}
		return turn.NewSTUNConn(conn), address, nil
	case query == "transport=tcp":
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, "", err
		}
		return turn.NewSTUNConn(conn), address, nil
	}
	conn, err := net.ListenPacket("udp", ":0")
	if err == nil {
		err = conn.(*net.UDPConn).SetReadBuffer(1 << 20)
	}
	return conn, address, err
}

func familyOf(a netip.Addr) turn.RequestedAddressFamily {
	if a.Is4() {
		return turn.RequestedAddressFamilyIPv4
	}
	return turn.RequestedAddressFamilyIPv6
}

type turnWire struct {
	conn   net.PacketConn
	client *turn.Client
	relay  net.PacketConn
	count  *meter
	to     net.Addr
	shape  *shaper
	wg     sync.WaitGroup
}

func (w *turnWire) allocate() (err error) {
	if err = w.client.Listen(); err != nil {
		return err
	}
	if w.relay, err = w.client.Allocate(); err != nil {
		return fmt.Errorf("allocate: %w", err)
	}
	if err = w.client.CreatePermission(w.to); err != nil {
		return fmt.Errorf("permission for %s: %w", w.to, err)
	}
	return nil
}

func (w *turnWire) send(b []byte) error {
	if w.shape != nil {
		w.shape.pass(b, 0)
		return nil
	}
	w.write(b, 0)
	return nil
}

func (w *turnWire) write(b []byte, _ int64) { _, _ = w.relay.WriteTo(b, w.to) }

func (w *turnWire) readLoop(m *meter, receive receiver) {
	b := make([]byte, 64<<10)
	for {
		n, _, err := w.relay.ReadFrom(b)
		if err != nil {
			return
		}
		at := time.Now().UnixNano()
		m.mu.Lock()
		receive(m, b[:n], at)
		m.mu.Unlock()
	}
}

func (w *turnWire) meter() *meter { return w.count }

func (w *turnWire) local() netip.AddrPort {
	a, _ := netip.ParseAddrPort(w.conn.LocalAddr().String())
	return a
}

func (w *turnWire) close() error {
	err := w.relay.Close()
	w.client.Close()
	err = errors.Join(err, w.conn.Close())
	w.wg.Wait()
	return err
}
