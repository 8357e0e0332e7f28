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

// TURN sends through a relay of each peer's own. The client is pion's, which costs the
// generator more than the direct paths do, and so limits the number of peers.
type TURN struct{ Server TURNServer }

func (v TURN) String() string                     { return v.Server.URL }
func (v TURN) choose(all []candidate) []candidate { return inOrder(all, false) }

func (v TURN) open(ctx context.Context, h *sockets, server netip.AddrPort, r receiver) (transport, error) {
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
	w := &turnTransport{conn: conn, counted: m, client: client, to: net.UDPAddrFromAddrPort(server)}
	if err := w.allocate(); err != nil {
		client.Close()
		return nil, errors.Join(fmt.Errorf("turn server %s: %w", v.Server.URL, err), conn.Close())
	}
	w.shaper = h.netem.outbound(w.write)
	receive := h.netem.inbound(m, r)
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
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the media inside has keys of its own
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

type turnTransport struct {
	conn    net.PacketConn
	client  *turn.Client
	relay   net.PacketConn
	counted *meter
	to      net.Addr
	shaper  *shaper
	wg      sync.WaitGroup
}

func (w *turnTransport) allocate() (err error) {
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

func (w *turnTransport) send(b []byte) error {
	if w.shaper != nil {
		w.shaper.pass(b, 0)
		return nil
	}
	w.write(b, 0)
	return nil
}

func (w *turnTransport) write(b []byte, _ int64) { _, _ = w.relay.WriteTo(b, w.to) }

func (w *turnTransport) readLoop(m *meter, receive receiver) {
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

func (w *turnTransport) meter() *meter { return w.counted }

func (w *turnTransport) local() netip.AddrPort {
	a, _ := netip.ParseAddrPort(w.conn.LocalAddr().String())
	return a
}

func (w *turnTransport) close() error {
	err := w.relay.Close()
	w.client.Close()
	err = errors.Join(err, w.conn.Close())
	w.wg.Wait()
	return err
}
